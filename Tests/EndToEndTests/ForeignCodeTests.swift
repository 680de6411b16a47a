import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// Code comes from the programs and what they are linked with, never from where somebody happens to stand.
@Suite(.timeLimit(.minutes(10))) struct ForeignCodeTests {
    /// What ggml and HDF5 look for, in the working folder and where the environment says.
    private static let names = [
        "libggml-blas.so", "libggml-cpu-haswell.so", "libggml-cpu.so", "libggml-cuda.so", "libggml-rpc.so",
        "libggml-vulkan.so", "libplugin.so",
    ]

    @Test func noLibraryIsLoadedFromTheWorkingFolderOrTheEnvironment() async throws {
        try await Workbench.withModel { bench in
            let trap = try await Self.trap(in: bench)
            for name in Self.names {
                try FileManager.default.copyItem(atPath: trap.library, toPath: "\(bench.folder)/\(name)")
            }
            var hostile = bench
            hostile.environment["GGML_BACKEND_PATH"] = trap.library
            hostile.environment["HDF5_PLUGIN_PATH"] = bench.folder
            _ = try await hostile.run("assay", "doctor")
            let file = try hostile.jobFile(
                """
                model: smollm2
                settings: {max_length: 1024}
                tasks: [{task: TASKS/hellaswag.yaml, limit: 2}]
                """)
            let run = try await hostile.answer(RunAnswer.self, "submit", file)
            let worked = try await hostile.worker()
            #expect(worked.termination.isSuccess, "\(worked.standardError.text)")
            #expect(worked.standardError.text.contains("GGML_BACKEND_PATH is ignored"))
            _ = try await hostile.assay("results", "path", run.id)
            #expect(try trap.programs().isEmpty)
            // It would have been seen.
            var loading = bench
            loading.environment["LD_PRELOAD"] = trap.library
            _ = try await loading.run("/bin/true")
            #expect(try trap.programs() == ["true"])
        }
    }

    /// A library that writes down the name of every program that loads it.
    private struct Trap {
        let library: String
        let mark: String

        func programs() throws -> [String] {
            guard FileManager.default.fileExists(atPath: self.mark) else { return [] }
            return try String(contentsOfFile: self.mark, encoding: .utf8).split(separator: "\n").map(String.init)
        }
    }

    private static func trap(in bench: Workbench) async throws -> Trap {
        let trap = Trap(library: "\(bench.folder)/trap.so", mark: "\(bench.folder)/loaded")
        let source = """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <stdio.h>
            __attribute__((constructor)) static void loaded(void) {
                FILE *mark = fopen("\(trap.mark)", "a");
                if (!mark) return;
                fprintf(mark, "%s\\n", program_invocation_short_name);
                fclose(mark);
            }
            """
        try source.write(toFile: "\(bench.folder)/trap.c", atomically: true, encoding: .utf8)
        let built = try await bench.run(
            "/bin/sh", "-c", "cc -shared -fPIC -o '\(trap.library)' '\(bench.folder)/trap.c'")
        try #require(built.termination.isSuccess, "\(built.standardError.text)")
        return trap
    }
}
