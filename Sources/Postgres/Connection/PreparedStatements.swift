/// Which statements a connection has prepared on the server.
struct PreparedStatements {
    /// A statement is prepared for one list of parameter types.
    struct Key: Hashable {
        let statement: PostgresStatement
        let types: [UInt32]

        /// Made from the content (FNV-1a, 64 bits): where a pooler mixes up server processes unnoticed, a name can be
        /// missing, but it never stands for another statement.
        var name: String {
            let hash = (Array(self.statement.sql.utf8) + self.types.flatMap { "/\($0)".utf8 })
                .reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return "assay_\(String(hash, radix: 16))"
        }
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
    private var forgotten: [Key: Int] = [:]

    mutating func plan(_ key: Key) -> Plan {
        if let name = self.names[key] { return .use(name) }
        guard self.seen.contains(key) else {
            if self.seen.count < Self.capacity { self.seen.insert(key) }
            return .direct
        }
        return .prepare(self.forgotten[key].map { "\(key.name)_\($0)" } ?? key.name)
    }

    mutating func didPrepare(_ key: Key, as name: String) { self.names[key] = name }

    /// The server does not know the statement any more, or its tables have changed.
    mutating func forget(_ key: Key) {
        self.names[key] = nil
        self.forgotten[key, default: 0] += 1
    }
}
