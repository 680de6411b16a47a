import Glibc
import HDF5

/// What went wrong in the store, where, and what to do about it.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure, for callers that decide by it.
    public enum Code: Sendable, Hashable {
        /// The root is missing, is no store, is another database's, or something in it may not be read or written by this
        /// user. Waiting changes nothing: a worker drains, and burns no attempt.
        case unusableStore
        /// The store that was opened is away: unmounted, exchanged, or its server does not answer. It may come back: a
        /// worker waits.
        case unavailableStore
        /// The disk, a quota or a limit on file size is exhausted; nothing was left behind.
        case noSpace
        /// A file that should be there is not.
        case missing
        /// A file's size or hash differs from what was published.
        case corrupt
        /// A file is no result file of this version, or a hostile one.
        case malformed
        /// What the caller gave cannot be stored (names, counts, headers that contradict each other).
        case invalidInput
        /// A different file already has this name.
        case conflict
        /// Reading or writing failed for another reason.
        case inputOutput
    }

    public var code: Code
    /// The file or folder concerned.
    public var path: String
    /// What happened and what to do.
    public var message: String

    public init(_ code: Code, path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// The job of the published file that is missing or damaged, such as "k3f9m2ab.1"; `nil` for any other error.
    public var damagedJob: String? {
        guard [.missing, .corrupt, .malformed].contains(self.code) else { return nil }
        // The path may be absolute.
        let names = self.path.split(separator: "/")
        guard let path = try? StorePath(names.suffix(4).map(String.init)) else { return nil }
        return ShardFileName(path)?.job
    }

    public var description: String { "\(self.path): \(self.message)" }
}

extension StoreError {
    /// The error of a system call that has just failed with `number`.
    static func system(_ number: Int32, _ doing: String, path: String) -> StoreError {
        let reason = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            return StoreError(
                .noSpace, path: path,
                "\(doing) failed because the disk, a quota or the limit on file size is exhausted (\(reason)); "
                    + "nothing was left behind. Free space there, or point ASSAY_STORE to another folder.")
        case ENOENT:
            return StoreError(.missing, path: path, "\(doing) failed: there is no such file or folder.")
        case EACCES, EPERM, EROFS:
            return StoreError(
                .unusableStore, path: path,
                "\(doing) failed: \(reason). Every user of the store needs to read and write there: "
                    + "give the folder their group and the mode 2775 (.docs/operation.md, \"Several users\").")
        case let number where Self.isAway(number):
            return StoreError(
                .unavailableStore, path: path,
                "\(doing) failed: \(reason). The file system is away; mount it again, or see to its server.")
        case ELOOP, ENOTDIR:
            return StoreError(
                .malformed, path: path,
                "\(doing) failed: a part of the path is a symbolic link or no folder; the store follows no links.")
        default:
            return StoreError(.inputOutput, path: path, "\(doing) failed: \(reason).")
        }
    }

    /// Whether the error says that the file system is gone, or its server does not answer.
    static func isAway(_ number: Int32) -> Bool {
        [ESTALE, ENODEV, ENXIO, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ESHUTDOWN].contains(number)
    }

    /// The error of a result file that the library, or a check of ours, refused, or that could not be written.
    init(_ error: HDF5Error, path: String) {
        if let number = error.systemError {
            self = .system(number, error.operation, path: path)
            return
        }
        self.init(.malformed, path: path, "this is no result file that can be trusted: \(error.description)")
    }
}

/// Runs `body`, turning errors of the HDF5 wrapper into the store's.
@HDF5Actor
func translating<Result: ~Copyable>(
    path: String, _ body: () throws(HDF5Error) -> Result
) throws(StoreError) -> Result {
    do {
        return try body()
    } catch {
        throw StoreError(error, path: path)
    }
}
