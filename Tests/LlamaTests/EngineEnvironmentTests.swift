import Foundation
import Testing

@testable import Llama

@Suite struct EngineEnvironmentTests {
    @Test(arguments: [
        "GGML_BACKEND_PATH", "GGML_BACKTRACE_LLDB", "GGML_CPU_TILED_MM", "GGML_CUDA_CUBLAS_COMPUTE_TYPE",
        "GGML_CUDA_MMQ_PREC", "LLAMA_ATTN_ROT_DISABLE", "GGML_OF_NEXT_YEAR", "NVIDIA_TF32_OVERRIDE",
        "CUBLAS_WORKSPACE_CONFIG", "CUBLAS_EMULATE_SINGLE_PRECISION", "CUBLASLT_OF_NEXT_YEAR",
    ])
    func whatLoadsCodeOrRoundsIsUnwanted(_ name: String) {
        #expect(EngineEnvironment.isUnwanted(name))
    }

    @Test(arguments: [
        "GGML_NO_BACKTRACE", "GGML_CUDA_NO_PINNED", "CUBLASLT_LOG_LEVEL", "PATH", "CUDA_VISIBLE_DEVICES",
        "MY_GGML_PATH", "",
    ])
    func othersAreLeftAlone(_ name: String) {
        #expect(!EngineEnvironment.isUnwanted(name))
    }

    /// In a process of its own: others may be reading the environment here.
    @Test func whatIsSetIsTakenOutAndNamed() async {
        await #expect(processExitsWith: .success) {
            setenv("GGML_BACKEND_PATH", "/nowhere.so", 1)
            setenv("GGML_CPU_TILED_MM", "0", 1)
            setenv("GGML_NO_BACKTRACE", "1", 1)
            #expect(EngineEnvironment.clean() == ["GGML_BACKEND_PATH", "GGML_CPU_TILED_MM"])
            #expect(getenv("GGML_BACKEND_PATH") == nil)
            #expect(getenv("GGML_NO_BACKTRACE") != nil)
            #expect(EngineEnvironment.clean().isEmpty)
        }
    }
}
