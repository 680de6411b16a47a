internal import CPostgres
internal import Logging

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
