internal import CPostgres

/// Reads connection strings with libpq's own parser.
///
/// What is wrong with one is said without any part of it that could belong to a password: libpq itself would take
/// "postgres://me:pa/ss@host" apart in other places than was meant, and quote what it can't use.
enum ConnectionString {
    /// The settings by keyword.
    static func parse(_ text: String) throws(PostgresError) -> [String: String] {
        guard !text.utf8.contains(0) else { throw Self.bad("it contains a NUL byte") }
        guard text.contains(where: { !$0.isWhitespace }) else { throw Self.bad("it is empty") }
        if let rest = Self.rest(ofURL: text) {
            try Self.check(url: rest)
        } else if let scheme = text.firstMatch(of: #/^([A-Za-z][A-Za-z0-9+.-]*):\/\//#) {
            throw Self.bad("it begins with \(scheme.1)://", hint: "a URL of PostgreSQL begins with postgres://")
        }
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &problem) else {
            let reason = problem.map { String(cString: $0).trimmedLines } ?? "it is malformed"
            PQfreemem(problem)
            guard text.contains("password") || text.contains("@") else { throw Self.bad(reason) }
            throw Self.bad(
                "it is malformed (it may hold a password: not shown)",
                hint: "values with spaces stand in quotes (password='two words'), ' and \\ behind a \\; in a URL write "
                    + Self.encoded)
        }
        defer { PQconninfoFree(options) }
        var settings: [String: String] = [:]
        LibpqOption.forEach(in: options) { settings[$0.keyword] = $0.value }
        try Self.check(settings)
        return settings
    }

    private static let encoded = "% as %25, @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, a space as %20"

    private static func bad(_ reason: String, hint: String? = nil) -> PostgresError {
        PostgresError(
            .usage, "bad connection string: \(reason)",
            hint: hint ?? "write host=... dbname=... user=..., or postgres://user@host:port/database")
    }

    /// What follows the scheme; nil for keywords and values.
    private static func rest(ofURL text: String) -> Substring? {
        ["postgres://", "postgresql://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
    }

    private static func check(url: Substring) throws(PostgresError) {
        let isEncoded = url.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
            .allSatisfy { $0.utf8.count >= 2 && $0.utf8.prefix(2).allSatisfy(Self.isHexDigit) && !$0.hasPrefix("00") }
        guard isEncoded else {
            throw Self.bad("a % in it is not followed by two hexadecimal digits", hint: "write \(Self.encoded)")
        }
        var rest = url
        // User and password reach to the first @, unless a / comes before.
        if let mark = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[mark] == "@" {
            rest = rest[rest.index(after: mark)...]
        }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.first?.contains("@") != true else {
            throw Self.bad(
                "it has an @ in the host or behind it, as from a password with an @ or /", hint: "write \(Self.encoded)"
            )
        }
        guard parts.count > 1 else { return }
        var known: Set = ["ssl"]
        LibpqOption.forEach { known.insert($0.keyword) }
        for pair in parts[1].split(separator: "&", omittingEmptySubsequences: false) {
            let name = pair.prefix { $0 != "=" }
            guard known.contains(String(name)) else {
                // A password may have a question mark, too.
                let isWord = name.allSatisfy { $0.isLetter || $0 == "_" } && !parts[1].contains("@")
                throw Self.bad(
                    isWord ? "unknown parameter '\(name)'" : "what follows the ? is no parameter of libpq",
                    hint: "use libpq's keywords, such as sslmode, connect_timeout, application_name and "
                        + "target_session_attrs; in user and password write \(Self.encoded)")
            }
            guard name.endIndex < pair.endIndex, !pair.dropFirst(name.count + 1).contains("=") else {
                throw Self.bad("the parameter '\(name)' needs one value", hint: "write \(name)=VALUE, and = as %3D")
            }
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// What libpq would find out later, or never.
    private static func check(_ settings: [String: String]) throws(PostgresError) {
        for port in (settings["port"] ?? "").split(separator: ",") {
            guard let number = Int(port), (1...65535).contains(number) else {
                throw Self.bad("the port is no number from 1 to 65535")
            }
        }
        if let seconds = settings["connect_timeout"], Int(seconds) == nil {
            throw Self.bad("connect_timeout is '\(seconds)'", hint: "give whole seconds: connect_timeout=10")
        }
        guard settings["replication"] == nil else {
            throw Self.bad("replication connections can't be used", hint: "leave the parameter 'replication' out")
        }
    }
}
