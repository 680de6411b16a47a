import FoundationEssentials
internal import JobQueue
import Postgres

// What several statements answer in the same columns.

extension JobID {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            number: try row.decode("job_id"), run: RunID(unchecked: try row.decode("run_id")),
            ordinal: try row.decode("ordinal"))
    }
}

extension ShardRange {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(rowStart: try row.decode("row_start"), rowCount: try row.decode("row_count"))
    }
}

extension ShardCounts {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init()
        for state in ShardState.allCases {
            self[state] = try row.decode(state.rawValue)
        }
    }
}

extension WorkProgress {
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            shards: try ShardCounts(row), samples: try row.decode("samples"),
            samplesDone: try row.decode("samples_done"), tokensDone: try row.decode("tokens_done"))
    }
}

extension PostgresRow {
    /// One of an enumeration's values.
    func name<Value: RawRepresentable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value where Value.RawValue: PostgresDecodable {
        let raw = try decode(column, as: Value.RawValue.self)
        guard let value = Value(rawValue: raw) else {
            throw PostgresError(.decoding, "column \"\(column)\" holds '\(raw)', which is no \(Value.self)")
        }
        return value
    }

    /// One of an enumeration's values, or none.
    func optionalName<Value: RawRepresentable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value? where Value.RawValue: PostgresDecodable {
        try decode(column, as: Value.RawValue?.self) == nil ? nil : try name(column)
    }

    func date(_ column: String) throws(PostgresError) -> Date {
        try decode(column, as: PostgresTimestamp.self).date
    }

    func optionalDate(_ column: String) throws(PostgresError) -> Date? {
        try decode(column, as: PostgresTimestamp?.self)?.date
    }

    func optionalWorker(_ column: String) throws(PostgresError) -> WorkerID? {
        try decode(column, as: Int64?.self).map { WorkerID($0) }
    }
}

extension QueueError {
    /// What a failure of the database means to the queue's users.
    ///
    /// - Parameter task: What was being done: "claim shards".
    init(_ error: any Error, task: String) {
        switch error {
        case let error as QueueError:
            self = error
        case let error as PostgresError:
            self.init(error, task: task)
        case is CancellationError:
            self.init(.cancelled, "can't \(task): the task was cancelled", underlying: error)
        default:
            self.init(.internalFailure, "can't \(task): \(error)", underlying: error)
        }
    }

    private init(_ error: PostgresError, task: String) {
        let code = Code(error)
        if code == .forbidden {
            // The server's own words, without where in its functions they were said.
            let advice =
                error.hint
                ?? "`assay doctor` shows what the role may do; the owner grants more with `assay migrate --grant`"
            self.init(code, "can't \(task): \(error.message): \(advice)", underlying: error)
            return
        }
        let advice =
            switch code {
            case .leaseLost: ": its shards belong to others now, it must stop and register again"
            case .schema: ": the database does not have this program's schema, run `assay migrate`"
            default: ""
            }
        self.init(code, "can't \(task): \(Self.words(error, code))\(advice)", underlying: error)
    }

    /// What is said of an error: a statement's name tells its reader nothing, unless this program is at fault.
    private static func words(_ error: PostgresError, _ code: Code) -> String {
        // The queue's own functions say in a sentence what is wrong, and mostly what to do.
        if let state = error.sqlState, state.hasPrefix("EW") || state == Self.refusedByFunction {
            return error.message
        }
        guard code == .unavailable else { return error.description }
        var plain = error
        plain.statement = nil
        plain.position = nil
        return plain.description
    }

    /// PostgreSQL calls it invalid_parameter_value.
    private static let refusedByFunction = "22023"
}

extension QueueError.Code {
    fileprivate init(_ error: PostgresError) {
        switch error.code {
        case .connectionFailed, .connectionLost, .commitUnknown, .timedOut, .shutDown, .embeddedServer:
            self = .unavailable
        case .transactionAborted: self = .unavailable
        case .cancelled: self = .cancelled
        case .decoding, .usage: self = .internalFailure
        case .server: self.init(sqlState: error.sqlState ?? "")
        }
    }

    private init(sqlState: String) {
        switch sqlState {
        case "EW001":
            self = .leaseLost
        case "EW002":
            self = .conflict
        case "EW003", "42501":
            self = .forbidden
        case "42P01", "42883", "42703", "42704", "3F000":
            self = .schema
        // Out of resources, shut down, read-only after a fail-over, in each other's way: later it may work.
        case "40001", "40P01", "55P03", "25006", "57014":
            self = .unavailable
        default:
            switch sqlState.prefix(2) {
            case "08", "53", "57", "58": self = .unavailable
            case "22", "23": self = .invalid
            default: self = .internalFailure
            }
        }
    }
}
