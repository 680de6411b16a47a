/// What one rendering may use; templates are not trusted.
public struct Limits: Sendable, Hashable {
    /// Units of work: about one for each node evaluated and for each 64 bytes or elements handled.
    public var steps: UInt64
    /// Bytes of the output and of any text made on the way.
    public var bytes: Int

    public init(steps: UInt64 = 2_000_000, bytes: Int = 16 << 20) {
        self.steps = steps
        self.bytes = bytes
    }
}
