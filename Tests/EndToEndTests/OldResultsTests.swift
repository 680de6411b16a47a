import Foundation
import ProcessTesting
import Testing
import UVEventLoop

/// A store and a database that commit 0ed251d made (Fixtures/main-0ed251d, by its tasks and job.yaml), from before jobs said
/// their metrics, alias and version themselves.
@Suite(.timeLimit(.minutes(5))) struct OldResultsTests {
    private static let fixture = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/main-0ed251d").path
    private static let run = "s8e7q956"

    @Test func oldRunsStayReportableWithTheSameNumbers() async throws {
        try await Workbench.with { bench in
            try await Self.restore(in: bench)
            try await bench.assay("migrate")
            try await bench.assay("store", "adopt", "--yes")
            let built = try await bench.run("assay-report", "build", Self.run)
            #expect(built.termination.isSuccess, "\(built.standardError.text)")
            let reports = "\(bench.store)/reports/\(Self.run)"
            let versions = try FileManager.default.contentsOfDirectory(atPath: reports).filter { $0.hasPrefix("v") }
            let newest = try #require(versions.max { $0.count == $1.count ? $0 < $1 : $0.count < $1.count })
            // Words may have changed since, numbers may not: where they have, this is another version.
            for file in ["report.json", "quiz.csv", "answer.csv", "prose.csv"] {
                let old = try #require(FileManager.default.contents(atPath: "\(reports)/v1/\(file)"))
                let new = try #require(FileManager.default.contents(atPath: "\(reports)/\(newest)/\(file)"))
                #expect(Self.withoutVersion(new) == Self.withoutVersion(old), "\(file)")
            }
            let verified = try await bench.assay("results", "verify", Self.run)
            #expect(!verified.isEmpty)
        }
    }

    /// Without the version of the program that made it.
    private static func withoutVersion(_ file: Data) -> String {
        String(decoding: file, as: UTF8.self).replacing(/"version": "[0-9.]+"\n/, with: "", maxReplacements: 1)
    }

    /// Puts the old schema and store in the place of the new ones.
    private static func restore(in bench: Workbench) async throws {
        let dump = "\(bench.folder)/dump.sql"
        try await Self.shell("gunzip -c '\(Self.fixture)/dump.sql.gz' > '\(dump)'", bench)
        let psql = "psql --no-psqlrc -q -v ON_ERROR_STOP=1 -h '\(bench.home)/postgres/run' -U assay -d assay"
        try await Self.shell("\(psql) -c 'DROP SCHEMA public CASCADE' && \(psql) -f '\(dump)'", bench)
        try await Self.shell(
            "rm -rf '\(bench.store)' && mkdir -p '\(bench.store)' && tar -xzf '\(Self.fixture)/store.tar.gz' -C '\(bench.store)'",
            bench)
    }

    private static func shell(_ script: String, _ bench: Workbench) async throws {
        let result = try await bench.loop.run(
            ProcessConfiguration(
                "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"],
                standardOutput: .capture(limit: 4096), standardError: .capture(limit: 4096)))
        try #require(result.termination.isSuccess, "\(script): \(result.standardError.text)")
    }
}
