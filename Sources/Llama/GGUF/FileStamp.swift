#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the file system says of a file, and says otherwise once somebody has written to it or put another in its place.
///
/// Two writes within one tick of the file system's clock (up to two seconds) can't be told apart, so a young stamp proves
/// nothing. What a process writes through a shared mapping may show late.
public struct FileStamp: Sendable, Hashable {
    public let size: Int
    private let device: UInt64
    private let inode: UInt64
    private let modified: Time
    private let changed: Time

    private struct Time: Hashable {
        var seconds: Int
        var nanoseconds: Int

        init(_ time: timespec) {
            self.seconds = Int(time.tv_sec)
            self.nanoseconds = Int(time.tv_nsec)
        }
    }

    /// The stamp of the file at `path` as it is now.
    ///
    /// The file is opened for it: a network file system asks its server then, and may answer from memory otherwise.
    public init(path: String) throws(LlamaError) {
        let reader = try FileReader(path: path, bufferSize: 0)
        self.init(try reader.status())
    }

    init(_ status: stat) {
        self.size = Int(status.st_size)
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        #if canImport(Darwin)
        self.modified = Time(status.st_mtimespec)
        self.changed = Time(status.st_ctimespec)
        #else
        self.modified = Time(status.st_mtim)
        self.changed = Time(status.st_ctim)
        #endif
    }

    /// The file was written so recently, by this machine's clock or a faster one's, that another write may not show.
    public var isYoung: Bool { time(nil) - max(self.modified.seconds, self.changed.seconds) < 3 }
}
