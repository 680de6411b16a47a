#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A thread of this process.
struct ThreadID: Hashable, Sendable {
    private let value: UInt

    static var current: ThreadID {
        #if canImport(Darwin)
        ThreadID(value: UInt(bitPattern: pthread_self()))
        #else
        ThreadID(value: UInt(pthread_self()))
        #endif
    }
}
