/// Which statements a connection has prepared on the server.
struct PreparedStatements {
    /// A statement is prepared for one list of parameter types.
    struct Key: Hashable {
        let statement: PostgresStatement
        let types: [UInt32]
    }

    enum Plan: Equatable {
        /// Send the text: a statement is worth preparing only from its second use on.
        case direct
        /// Prepare under this name first.
        case prepare(String)
        case use(String)
    }

    /// More different statements than this point to names made up at run time; those are not worth keeping.
    static let capacity = 256

    private var seen: Set<Key> = []
    private var names: [Key: String] = [:]
    private var count = 0

    mutating func plan(_ key: Key) -> Plan {
        if let name = self.names[key] { return .use(name) }
        guard self.seen.contains(key) else {
            if self.seen.count < Self.capacity { self.seen.insert(key) }
            return .direct
        }
        self.count += 1
        return .prepare("assay_\(self.count)")
    }

    mutating func didPrepare(_ key: Key, as name: String) { self.names[key] = name }

    /// The server does not know the statement any more, or its tables have changed.
    mutating func forget(_ key: Key) { self.names[key] = nil }
}
