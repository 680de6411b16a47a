import CHDF5

/// An array in a file.
@HDF5Actor
public struct DataSet: ~Copyable {
    /// How the elements lie in the file.
    public enum Storage: Sendable, Hashable {
        case contiguous
        /// Chunks of whole rows with shuffle, deflate and a Fletcher-32 checksum.
        case compressed(rows: Int, level: Int)
    }

    /// The absolute path in the file.
    public let path: String
    public let type: ElementType
    /// The extents; empty for a scalar.
    public let shape: [Int]
    /// The number of elements.
    public let count: Int
    let handle: Handle

    /// The size of all elements in memory.
    public var byteCount: Int { self.count * self.type.byteCount }
}

@available(*, unavailable)
extension DataSet: Sendable {}

extension DataSet {
    /// The number of elements of a shape, or nil if they or their bytes cannot be counted.
    nonisolated static func count(_ shape: [Int], type: ElementType) -> Int? {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, extent >= 0 else { return nil }
            count = product
        }
        return count.multipliedReportingOverflow(by: type.byteCount).overflow ? nil : count
    }
}
