import FaultTesting
import Foundation
import Postgres
import ProcessTesting
import Testing
import UVEventLoop

extension FaultBench {
    /// Has undisturbed workers finish all there is; shards that are held are checked for their reason and released.
    ///
    /// - Returns: How many were held.
    @discardableResult
    func drain() async throws -> Int {
        var held = 0
        for round in 0... {
            let worker = try await self.bench.worker("--lease-seconds", "10")
            try #require(worker.termination.isSuccess, "\(worker.standardError.text)")
            let released = try await self.releaseHeld()
            held += released
            if released == 0 { break }
            try #require(round < 20, "shards are held again and again without anybody dying")
        }
        return held
    }

    /// Releases shards that are held because three workers died with them, and answers their number.
    func releaseHeld() async throws -> Int {
        let rows = try await self.rows(
            """
            SELECT j.run_id, s.losses, s.reason FROM shard s JOIN job j USING (job_id)
            WHERE s.state = 'held' ORDER BY j.run_id
            """)
        for row in rows {
            let (losses, reason) = (try row.decode("losses", as: Int.self), try row.decode("reason", as: String.self))
            #expect(losses >= 3 && reason.contains("\(losses) workers died"), "\(losses) losses, \(reason)")
        }
        for run in Set(try rows.map { try $0.decode("run_id", as: String.self) }) {
            try await self.bench.assay("release", run)
        }
        return rows.count
    }

    /// What must hold after any fault, once everything is done.
    ///
    /// - Parameter faults: How many of each kind have hit by now; they go into the certificate with what is found here.
    func expectUndisturbed(
        _ runs: [String], of job: FaultJob, digest: String, ofSamplesAlone: Bool = false,
        after faults: [String: Int] = [:]
    ) async throws {
        try await self.expectNothingStuck()
        var outcome = Certificate.Outcome()
        for run in runs {
            let rows = try await self.expectEveryRowOnce(run, job)
            let isEqual =
                ofSamplesAlone
                ? try await self.bench.assay("results", "digest", "--samples", run) == digest
                : try await self.bench.assay("results", "digest", run) == digest
            #expect(isEqual, "run \(run), seed \(Seed.value)")
            let isPublished = try await self.bench.assay("results", "verify", run).contains("files are as published")
            #expect(isPublished, "run \(run), seed \(Seed.value)")
            let samples = try await self.expectEverySampleOnce(run, job)
            outcome = outcome + rows + samples
            outcome.digests += 1
            if !isEqual || !isPublished { outcome.wrong += 1 }
        }
        try await self.expectNoOrphan()
        Certificate.record(faults, outcome)
    }

    /// Every shard is done, every claim has an end in the log, and no worker is thought alive that is dead.
    func expectNothingStuck() async throws {
        #expect(try await self.count("shard WHERE state <> 'done'") == 0, "seed \(Seed.value)")
        let unexplained = try await self.count(
            """
            shard s CROSS JOIN generate_series(1, s.epoch) AS c (epoch)
            WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE (a.job_id, a.shard_no, a.epoch) = (s.job_id, s.shard_no, c.epoch))
                AND NOT EXISTS (
                    SELECT 1 FROM shard_result r WHERE (r.job_id, r.shard_no, r.epoch) = (s.job_id, s.shard_no, c.epoch))
            """)
        #expect(unexplained == 0, "claims without an end, seed \(Seed.value)")
        try await self.eventually("every worker's end is noticed", within: .seconds(20)) {
            try await self.rows("SELECT * FROM reap()")
            return try await self.count("worker WHERE state = 'live'") == 0
        }
    }

    /// The shards cover the job's rows without gap or overlap, and each has one result with all of its rows.
    private func expectEveryRowOnce(_ run: String, _ job: FaultJob) async throws -> Certificate.Outcome {
        var outcome = Certificate.Outcome()
        let rows = try await self.rows(
            """
            SELECT s.row_start, s.row_count, r.samples FROM job j JOIN shard s USING (job_id)
            LEFT JOIN shard_result r USING (job_id, shard_no) WHERE j.run_id = $1::text ORDER BY s.row_start
            """, run)
        var next = 0
        for row in rows {
            #expect(try row.decode("row_start", as: Int.self) == next)
            let count = try row.decode("row_count", as: Int.self)
            let samples = try row.decode("samples", as: Int?.self)
            #expect(samples == count, "run \(run) row \(next), seed \(Seed.value)")
            if samples == nil { outcome.lost += 1 } else if samples != count { outcome.wrong += 1 }
            next += count
        }
        #expect(rows.count == job.shards && next == job.rows)
        outcome.lost += max(0, job.shards - rows.count)
        outcome.doubled += max(0, rows.count - job.shards)
        return outcome
    }

    /// What an analyst counts in the job's file.
    private func expectEverySampleOnce(_ run: String, _ job: FaultJob) async throws -> Certificate.Outcome {
        struct Path: Decodable { var path: String }
        let path = try #require(try await self.bench.answer([Path].self, "results", "path", run).first).path
        let script = """
            import sys, h5py
            samples = h5py.File(sys.argv[1])["samples"]
            names = samples[samples.attrs["_index"]][:]
            print(len(names), len(set(names)), list(samples["row"][:]) == list(range(len(names))))
            """
        let python = try await self.bench.run(Python.interpreter, "-c", script, path)
        #expect(python.standardOutput.text == "\(job.rows) \(job.rows) True\n", "\(python.standardError.text)")
        let words = python.standardOutput.text.split(whereSeparator: \.isWhitespace)
        let counts = words.compactMap { Int($0) }
        try #require(counts.count == 2 && words.count == 3, "\(python.standardError.text)")
        return Certificate.Outcome(
            lost: max(0, job.rows - counts[1]), doubled: counts[0] - counts[1], wrong: words[2] == "True" ? 0 : 1)
    }

    /// After garbage is collected the store holds what rows name, and files made from that; nothing else.
    private func expectNoOrphan() async throws {
        try await self.collectGarbage()
        let published = try await self.rows("SELECT path FROM shard_result").map {
            try $0.decode("path", as: String.self)
        }
        let files = try self.storedFiles()
        #expect(files.filter { !$0.contains("/job.") }.sorted() == published.sorted(), "seed \(Seed.value)")
    }

    /// Every file below runs/, and every temporary file anywhere.
    func storedFiles() throws -> [String] {
        let store = "\(self.bench.store)"
        let all = FileManager.default.enumerator(atPath: store)?.allObjects as? [String] ?? []
        return all.filter { ($0.hasPrefix("runs/") && $0.hasSuffix(".h5")) || $0.hasSuffix(".tmp") }
    }

    /// Collects garbage as an operator would in a hurry: with no grace at all.
    @discardableResult
    func collectGarbage() async throws -> Int {
        struct Answer: Decodable { var count: Int }
        return try await self.bench.answer(Answer.self, "results", "gc", "--older-than", "0s").count
    }
}
