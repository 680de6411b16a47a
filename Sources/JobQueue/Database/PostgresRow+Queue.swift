import FoundationEssentials
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
