internal import CUV

/// What a descriptor is ready for, or waited for.
public struct Readiness: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Data, end of file or an error can be read.
    public static let readable = Readiness(rawValue: 1)
    /// Data can be written, or a connection attempt has ended.
    public static let writable = Readiness(rawValue: 2)
    public static let either: Readiness = [.readable, .writable]

    init(events: CInt) {
        self = []
        if events & CInt(UV_READABLE.rawValue) != 0 { self.insert(.readable) }
        if events & CInt(UV_WRITABLE.rawValue) != 0 { self.insert(.writable) }
        // A hung-up peer is seen by reading.
        if events & CInt(UV_DISCONNECT.rawValue) != 0 { self.insert(.readable) }
    }

    var events: CInt {
        (self.contains(.readable) ? CInt(UV_READABLE.rawValue) : 0)
            | (self.contains(.writable) ? CInt(UV_WRITABLE.rawValue) : 0)
    }
}
