import Glibc
import HDF5

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
                    + "give the folder their group and the mode 2775 (README, \"Several users\").")
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
