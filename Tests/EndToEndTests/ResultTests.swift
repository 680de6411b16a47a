import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// What a user gets of a real run: files that h5py and h5dump read, and a report that stays the same.
@Suite(.timeLimit(.minutes(15))) struct ResultTests {
    struct Path: Decodable {
        var task: String
        var path: String
    }
    struct Built: Decodable {
        var version: Int
        var isNew: Bool
        var folder: String
    }

    @Test func aRunEndsWithReadableFilesAndAReportThatDoesNotChange() async throws {
        try await Workbench.withModel { bench in
            let file = try bench.jobFile(
                """
                model: smollm2
                settings: {shard_size: 3, logits: tokens, max_length: 1024}
                tasks: [{task: TASKS/hellaswag.yaml, limit: 7}]
                """)
            let run = try await bench.answer(RunAnswer.self, "submit", file)
            let worker = try await bench.worker()
            #expect(worker.termination.isSuccess, "\(worker.standardError.text)")

            let paths = try await bench.answer([Path].self, "results", "path", run.id)
            let job = try #require(paths.first).path
            let python = try await bench.run(Python.interpreter, "-c", Self.reading, job)
            #expect(python.termination.isSuccess, "\(python.standardError.text)")
            #expect(python.standardOutput.text == "7 28 True True\n")
            let dump = try await bench.run("/usr/bin/h5dump", "-H", job)
            #expect(dump.termination.isSuccess, "\(dump.standardError.text)")

            let first = try await self.build(run.id, bench)
            let second = try await self.build(run.id, bench)
            #expect(first.isNew && first.version == 1)
            #expect(!second.isNew && second.version == 1)
            for name in ["report.html", "report.json", "report.md", "manifest.json"] {
                #expect(FileManager.default.fileExists(atPath: "\(first.folder)/\(name)"), "\(name)")
            }
            let shown = try await bench.run("assay-report", "show", run.id)
            #expect(shown.standardOutput.text.contains("hellaswag"))
            #expect(try await bench.run("assay-report", "verify", run.id).termination.isSuccess)
        }
    }

    /// The job file and its shards agree, and every choice's sum is that of its tokens.
    private static let reading = """
        import glob, os, sys
        import h5py, numpy
        job = h5py.File(sys.argv[1])
        samples, choices, tokens = job["samples"], job["choices"], job["tokens"]
        shards = [h5py.File(name) for name in sorted(glob.glob(os.path.join(os.path.dirname(sys.argv[1]), "*.shard-*.h5")))]
        same = numpy.array_equal(samples["acc"][:], numpy.concatenate([shard["samples/acc"][:] for shard in shards]))
        total = tokens["logprob"][:][~tokens["is_prompt"][:].astype(bool)].astype("f8").sum()
        print(len(samples["acc"]), len(choices["logprob_sum"]), same,
              bool(abs(total - choices["logprob_sum"][:].sum()) < 1e-6 * abs(total)))
        """

    private func build(_ run: String, _ bench: Workbench) async throws -> Built {
        let result = try await bench.run("assay-report", "build", run, "--json")
        try #require(result.termination.isSuccess, "\(result.standardError.text)")
        return try JSONDecoder().decode(Built.self, from: Data(result.standardOutput.bytes))
    }
}
