import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    public func heartbeat(
        _ lease: WorkerLease, holding: [ShardProgress], note: String?
    ) async throws(QueueError) -> HeartbeatReply {
        let held = holding.map(\.normalized)
        let parameters: [(any PostgresEncodable)?] = [
            lease.worker.number, lease.incarnation.uuid, held.map(\.key.job.number), held.map(\.key.index),
            held.map(\.epoch.rawValue), held.map(\.samples), held.map(\.tokens),
            note?.storableNote, held.map { "\($0.key.job.run).\($0.key.job.ordinal)" },
        ]
        return try await query(.heartbeat, parameters, to: "renew the worker's lease") { rows throws(PostgresError) in
            var reply = HeartbeatReply(ttl: lease.ttl)
            for row in rows {
                switch try row.decode("kind", as: HeartbeatNews.self) {
                case .lease:
                    reply.ttl = .seconds(try row.decode("ttl_seconds", as: Double.self))
                    reply.isDrainRequested = try row.decode("is_draining")
                case .lost: reply.lost.append(try ShardKey(row))
                case .cancelled: reply.cancelled.append(try ShardKey(row))
                case .orphaned: reply.orphaned.append(try ShardKey(row))
                }
            }
            return reply
        }
    }

    public func deregister(_ lease: WorkerLease, note: String?) async throws(QueueError) {
        let parameters: [(any PostgresEncodable)?] = [
            lease.worker.number, lease.incarnation.uuid, note?.storableNote,
        ]
        try await query(.deregisterWorker, parameters, to: "deregister the worker") { _ in }
    }

    public func drain(_ worker: WorkerID) async throws(QueueError) {
        let found = try await query(.drainWorker, [worker.number], to: "drain worker \(worker)") {
            rows throws(PostgresError) in try rows.only().decode("worker_id", as: Int64?.self) != nil
        }
        guard found else {
            throw QueueError.workerNotFound(worker)
        }
    }

    public func workers() async throws(QueueError) -> [WorkerRecord] {
        try await query(.listWorkers, to: "list the workers") { rows throws(PostgresError) in
            var workers: [WorkerRecord] = []
            for row in rows {
                workers.append(try WorkerRecord(row))
            }
            return workers
        }
    }
}

private enum HeartbeatNews: String, PostgresDecodable {
    case lease, lost, cancelled, orphaned
}

extension ShardKey {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(job: try JobID(row), index: try row.decode("shard_no"))
    }
}

extension WorkerRecord {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            id: WorkerID(try row.decode("worker_id")),
            incarnation: Incarnation(try row.decode("incarnation")), host: try row.decode("host"),
            pid: try row.decode("pid"), device: try row.decode("device"),
            deviceKind: try row.decode("device_kind"), labels: try row.decode("labels"),
            gpuMegabytes: try row.decode("gpu_mb"), engine: try row.decode("engine"),
            identity: try row.decode("identity"),
            warmModels: try row.decode("warm"), state: try row.name("state"),
            isDraining: try row.decode("is_draining"), registeredAt: try row.date("registered_at"),
            seenAt: try row.date("seen_at"), leaseUntil: try row.date("lease_until"), note: try row.decode("note"),
            holding: try row.decode("holding"))
    }
}
