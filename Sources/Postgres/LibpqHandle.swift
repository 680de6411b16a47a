internal import CPostgres
internal import Logging

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Owns a connection of libpq.
///
/// Safety: made on one thread and handed over before anyone else sees it; from then on touched only by the actor that
/// holds it, or by the last release, when nobody else can.
final class LibpqHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let logger: Logger?

    /// Starts to connect; resolving a host name blocks, so this does not belong on an event loop.
    init(starting parameters: [String: String], logger: Logger?) throws(PostgresError) {
        // From here on libpq finds no variables of its own.
        _ = LibpqEnvironment.inherited
        let parameters = parameters.sorted { $0.key < $1.key }
        let keywords = CStrings(parameters.map(\.key))
        let values = CStrings(parameters.map(\.value))
        let pointer = PQconnectStartParams(keywords.pointers.baseAddress, values.pointers.baseAddress, 0)
        withExtendedLifetime((keywords, values)) {}
        guard let pointer else { throw PostgresError(.connectionFailed, "out of memory for a connection") }
        self.pointer = pointer
        self.logger = logger
        // The default processor writes to stderr.
        PQsetNoticeProcessor(
            pointer,
            { context, message in
                guard let context, let message else { return }
                let handle = Unmanaged<LibpqHandle>.fromOpaque(context).takeUnretainedValue()
                let text = String(cString: message).trimmedLines
                handle.logger?.debug("postgres notice", metadata: ["notice": "\(text)"])
            }, Unmanaged.passUnretained(self).toOpaque())
        // While connecting there is no result to take SQLSTATE from; it is read from the verbose message.
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
    }

    deinit { PQfinish(self.pointer) }

    var isBad: Bool { PQstatus(self.pointer) == CONNECTION_BAD }

    /// May change while connecting.
    var socket: CInt { PQsocket(self.pointer) }

    var transactionStatus: PGTransactionStatusType { PQtransactionStatus(self.pointer) }

    var errorMessage: String {
        let message = PQerrorMessage(self.pointer).map { String(cString: $0).trimmedLines } ?? ""
        return message.isEmpty ? "the connection was closed unexpectedly" : message
    }

    /// The next notification that has arrived.
    func nextNotification() -> (channel: String, payload: String)? {
        guard let notification = PQnotifies(self.pointer) else { return nil }
        defer { PQfreemem(notification) }
        return (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra))
    }
}

/// A null-terminated array of C strings.
private final class CStrings {
    let pointers: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>

    init(_ strings: [String]) {
        self.pointers = .allocate(capacity: strings.count + 1)
        self.pointers.initialize(repeating: nil)
        for (index, string) in strings.enumerated() {
            let bytes = UnsafeMutableBufferPointer<CChar>.allocate(capacity: string.utf8.count + 1)
            _ = bytes.initialize(from: string.utf8CString)
            self.pointers[index] = UnsafePointer(bytes.baseAddress)
        }
    }

    deinit {
        for pointer in self.pointers { pointer?.deallocate() }
        self.pointers.deallocate()
    }
}

/// The environment variables that libpq would read by itself (PGHOST, PGOPTIONS, ...), taken away from it.
///
/// Some of them win over what a connection string says (PGHOSTADDR, PGSERVICE), and some change what statements mean
/// (PGOPTIONS, PGTZ); an empty value in the string doesn't keep libpq from them. So the process gives them up, and each
/// configuration decides what it takes from here.
public struct LibpqEnvironment: Sendable, Hashable {
    /// By name; without those that are empty.
    public let variables: [String: String]

    public init(_ variables: [String: String]) { self.variables = variables.filter { !$0.value.isEmpty } }

    /// No variables at all, as for a server whose address is known in full.
    public static let empty = LibpqEnvironment([:])

    /// What the process was started with.
    ///
    /// The first use removes the variables from the process's environment, so that libpq finds none; children that
    /// need them must be given them. Best done before there are other threads, though glibc moves pointers only.
    public static let inherited = Self.take()

    /// Where service files lie: used for a service only, and there is no keyword for them.
    private static let places: Set<String> = ["PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR"]

    /// These decide what statements mean, or which server will do: what is right is known here, not in a shell's profile.
    static let ignored: Set<String> = [
        "PGOPTIONS", "PGCLIENTENCODING", "PGDATESTYLE", "PGTZ", "PGGEQO", "PGTARGETSESSIONATTRS",
    ]

    /// libpq's keywords by the variables that stand for them.
    static let keywords: [String: String] = {
        var keywords: [String: String] = [:]
        LibpqOption.forEach { option in
            if let variable = option.variable { keywords[variable] = option.keyword }
        }
        // Read apart from the others.
        keywords["PGSERVICE"] = "service"
        return keywords
    }()

    private static func take() -> LibpqEnvironment {
        let names = Set(Self.keywords.keys).union(Self.ignored).subtracting(Self.places)
        let found = ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
        for name in found.keys { unsetenv(name) }
        return LibpqEnvironment(found)
    }

    /// The settings for what a connection string leaves open, by keyword.
    ///
    /// As with libpq, but an address belongs to a host: it is taken only where the string names no server. A service is
    /// an answer to all questions but the password's.
    func settings(besides given: [String: String]) -> [String: String] {
        var settings: [String: String] = [:]
        for (name, value) in self.variables where !Self.ignored.contains(name) {
            guard let keyword = Self.keywords[name], given[keyword] == nil else { continue }
            settings[keyword] = value
        }
        let namesServer = given["host"] != nil || given["hostaddr"] != nil
        if namesServer || given["service"] != nil {
            for keyword in ["host", "hostaddr", "service"] { settings[keyword] = nil }
        }
        if given["service"] != nil || settings["service"] != nil {
            settings = settings.filter { ["service", "password", "passfile"].contains($0.key) }
        }
        return settings
    }
}

/// One of libpq's keywords.
struct LibpqOption {
    var keyword: String
    var variable: String?
    var value: String?

    /// All that this libpq knows.
    static func forEach(_ body: (LibpqOption) -> Void) {
        guard let options = PQconninfoParse("", nil) else { return }
        defer { PQconninfoFree(options) }
        Self.forEach(in: options, body)
    }

    static func forEach(in options: UnsafeMutablePointer<PQconninfoOption>, _ body: (LibpqOption) -> Void) {
        var option = options
        while let keyword = option.pointee.keyword {
            body(
                LibpqOption(
                    keyword: String(cString: keyword), variable: option.pointee.envvar.map { String(cString: $0) },
                    value: option.pointee.val.map { String(cString: $0) }))
            option += 1
        }
    }
}
