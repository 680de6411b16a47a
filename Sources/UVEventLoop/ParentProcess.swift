internal import CUV

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The process that started this one.
public enum ParentProcess {
    /// Has the kernel kill this process when its parent ends, however it ends.
    ///
    /// - Parameter expected: The parent's process number.
    /// - Returns: False when that parent is gone already; then this process should end by itself.
    public static func dieWith(_ expected: CInt) -> Bool {
        // Precisely, when the thread ends that started this process: an event loop's, which lives as long as its children.
        cuv_die_with_parent(SIGKILL) == 0 && getppid() == expected
    }
}
