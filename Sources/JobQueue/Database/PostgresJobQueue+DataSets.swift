import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) async throws(QueueError) -> DataSetAddition {
        try dataSet.validate()
        do {
            return try await pool.withTransaction { connection in
                let changed = try await dataSet.store(on: connection, replacing: replacing)
                let rows = try await connection.query(PostgresStatement(.listDataSetSplits), dataSet.name.columns)
                let stored = try DataSetRecord.all(in: rows).first ?? dataSet
                try stored.checkContent(dataSet)
                return DataSetAddition(record: stored, changed: changed)
            }
        } catch {
            throw QueueError(error, task: "add data set '\(dataSet.name)'")
        }
    }

    public func dataSets() async throws(QueueError) -> [DataSetRecord] {
        try await query(.listDataSetSplits, [nil, nil], to: "list the data sets", read: DataSetRecord.all(in:))
    }

    public func dataSet(
        _ name: DataSetName, with splits: [String]
    ) async throws(QueueError) -> DataSetRecord {
        let found = try await query(
            .listDataSetSplits, name.columns, to: "look for data set '\(name)'", read: DataSetRecord.all(in:))
        guard let dataSet = found.first else {
            throw QueueError.dataSetNotFound(name, splits: splits, existing: try await dataSets().map(\.name))
        }
        try dataSet.checkSplits(splits)
        return dataSet
    }

    public func removeDataSet(_ name: DataSetName) async throws(QueueError) {
        let splits = try await query(.removeDataSet, name.columns, to: "remove data set '\(name)'") {
            rows throws(PostgresError) in try rows.only().decode("splits", as: Int.self)
        }
        guard splits > 0 else {
            throw QueueError.dataSetNotFound(name, splits: [], existing: try await dataSets().map(\.name))
        }
    }
}

extension DataSetName {
    fileprivate var columns: [(any PostgresEncodable)?] { [name, config ?? ""] }
}

extension DataSetRecord {
    /// Inserts the splits that are not there, and answers which.
    fileprivate func store(on connection: PostgresConnection, replacing: Bool) async throws -> [String] {
        var changed: [String] = []
        // In one order for all, so that none waits for another in a circle.
        for split in splits.sorted(by: { $0.name < $1.name }) {
            let parameters: [(any PostgresEncodable)?] = [
                split.name, split.sha256, split.rows, split.columns, split.source, split.user, replacing,
            ]
            let isChanged = try await connection.query(
                PostgresStatement(.addDataSetSplit), name.columns + parameters
            ).only().decode("changed", as: Bool.self)
            if isChanged { changed.append(split.name) }
        }
        return changed
    }

    /// The rows are in the order of names.
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [DataSetRecord] {
        var records: [DataSetRecord] = []
        for row in rows {
            let name = DataSetName(unchecked: try row.decode("name"), config: try row.decode("config"))
            if records.last?.name != name { records.append(DataSetRecord(name, splits: [])) }
            records[records.count - 1].splits.append(try Split(row))
        }
        return records
    }
}

extension DataSetRecord.Split {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            name: try row.decode("split"), sha256: try row.decode("sha256"), rows: try row.decode("row_count"),
            columns: try row.decode("columns"), source: try row.decode("source"),
            user: try row.decode("user_name"), addedAt: try row.date("added_at"))
    }
}
