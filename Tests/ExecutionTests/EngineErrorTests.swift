import Evaluation
import Inference
import Testing
import WorkerLogic

@testable import Execution

/// What an engine's error means for the shard.
@Suite struct EngineErrorTests {
    private static let model = JobSpecification.Model(
        name: "m", path: "/models/m.gguf", sha256: "abc", tokenizerSHA256: "")

    @Test(arguments: [
        (EngineError.Code.cancelled, ExecutionError.Code.cancelled),
        (.deviceUnavailable, .nodeFault), (.outOfMemory, .nodeFault), (.modelUnavailable, .nodeFault),
        (.decodeFailed, .transient), (.modelUnreadable, .permanent), (.modelUnsupported, .permanent),
        (.notFinite, .permanent), (.requestTooLong, .permanent), (.settings, .permanent),
        (.invalidRequest, .permanent),
    ])
    func eachCodeDecidesWhetherAnotherAttemptIsOfUse(
        _ engine: EngineError.Code, _ shard: ExecutionError.Code
    ) {
        let error = ExecutionError(EngineError(engine, "why"), model: Self.model)
        #expect(error.code == shard && error.message == "why")
        // Only then other jobs with this model need not be tried here.
        let lacking = ExecutionError.Thing.model(sha256: "abc", path: "/models/m.gguf")
        #expect(error.lacking == (engine == .modelUnavailable ? lacking : nil))
    }
}
