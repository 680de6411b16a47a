internal import Glibc

extension ModelRecord {
    /// The size of the file that is at `path` now; `nil` if there is none.
    public var bytesOnDisk: Int64? {
        var status = stat()
        return stat(self.path, &status) == 0 ? Int64(status.st_size) : nil
    }
}
