import Postgres
import SQL

extension PostgresJobQueue {
    public func projects() async throws(QueueError) -> [ProjectRecord] {
        try await query(.listProjects, [nil], to: "list the projects", read: ProjectRecord.all(in:))
    }

    func project(named name: String) async throws(QueueError) -> ProjectRecord {
        let found = try await query(
            .listProjects, [name], to: "look for project '\(name)'", read: ProjectRecord.all(in:))
        guard let project = found.first else {
            throw QueueError.projectNotFound(name)
        }
        return project
    }

    @discardableResult
    public func changeProject(_ name: String, _ change: ProjectChange) async throws(QueueError) -> ProjectRecord {
        try change.validate(for: name)
        let parameters: [(any PostgresEncodable)?] = [
            name, change.weight, change.softCap.value, change.hardCap.value, change.softCap == .remove,
            change.hardCap == .remove, change.ceiling.value?.rawValue, change.ceiling == .remove,
        ]
        try await query(.changeProject, parameters, to: "change project '\(name)'") { _ in }
        return try await project(named: name)
    }
}

extension ProjectRecord {
    fileprivate static func all(in rows: PostgresRows) throws(PostgresError) -> [ProjectRecord] {
        var records: [ProjectRecord] = []
        for row in rows {
            records.append(
                ProjectRecord(
                    name: try row.decode("name"), weight: try row.decode("weight"),
                    softCap: try row.decode("soft_cap"), hardCap: try row.decode("hard_cap"),
                    ceiling: try row.optionalName("max_tier"), usedSeconds: try row.decode("used_seconds"),
                    running: try row.decode("running"),
                    ready: try row.decode("ready")))
        }
        return records
    }
}
