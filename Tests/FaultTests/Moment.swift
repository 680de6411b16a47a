import Foundation
import Postgres
import ProcessTesting

/// What a worker was doing when it was killed, as far as the database and the store can tell.
enum Moment: String, CaseIterable, Sendable {
    /// It had not registered yet.
    case starting
    /// Registered, between two shards.
    case idle
    /// Its claim was under way in the server.
    case claiming
    case computing
    /// Its file was being written and checked.
    case publishing
    /// Its file was complete, its commit had not been seen to arrive.
    case published
    /// Its commit was under way in the server.
    case committing
}

extension FaultBench {
    /// Looks at what a worker that is dead now has left: its row, the shard it had, the files of that claim.
    func momentOfDeath(of worker: WorkerProcess) async throws -> Moment {
        let rows = try await self.rows(
            """
            SELECT w.incarnation, j.run_id, j.run_id || '.' || j.ordinal AS job, s.shard_no, s.epoch
            FROM worker w LEFT JOIN shard s ON s.worker_id = w.worker_id AND s.state = 'running'
                AND s.incarnation = w.incarnation
            LEFT JOIN job j USING (job_id)
            WHERE w.pid = $1::int4 AND w.state = 'live'
            """, worker.processID)
        // It may have claimed its next shard already; the one that has come further counts.
        let order = Moment.allCases
        return try rows.map { try self.moment($0) }
            .max { order.firstIndex(of: $0) ?? 0 < order.firstIndex(of: $1) ?? 0 } ?? .starting
    }

    private func moment(_ row: PostgresRow) throws -> Moment {
        guard let run = try row.decode("run_id", as: String?.self) else { return .idle }
        let job = try row.decode("job", as: String.self)
        let folder = "\(self.bench.store)/runs/\(run)/\(job)"
        let incarnation = try row.decode("incarnation", as: UUID.self).uuidString.lowercased()
        let name = try
            "\(job).shard-\(row.decode("shard_no", as: Int.self)).e\(row.decode("epoch", as: Int.self)).\(incarnation)"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if files.contains("\(name).h5") { return .published }
        return files.contains { $0.hasPrefix(".\(name)") } ? .publishing : .computing
    }

    /// True as soon as a file of the worker's own is being written, or is written but not committed.
    func isPublishing(_ worker: WorkerProcess) async throws -> Bool {
        let moment = try await self.momentOfDeath(of: worker)
        return moment == .publishing || moment == .published
    }
}
