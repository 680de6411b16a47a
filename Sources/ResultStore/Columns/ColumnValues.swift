import HDF5

/// The elements of one data set, in memory.
enum ColumnValues: Sendable, Hashable {
    case int8([Int8])
    case uint8([UInt8])
    case int32([Int32])
    case int64([Int64])
    case uint64([UInt64])
    case float32([Float])
    case float64([Double])
    case bool([Bool])
    case strings([String])

    var count: Int {
        switch self {
        case .int8(let values): values.count
        case .uint8(let values): values.count
        case .int32(let values): values.count
        case .int64(let values): values.count
        case .uint64(let values): values.count
        case .float32(let values): values.count
        case .float64(let values): values.count
        case .bool(let values): values.count
        case .strings(let values): values.count
        }
    }

    /// The type in the file; the width of strings is that of the longest.
    var elementType: ElementType {
        switch self {
        case .int8: .int8
        case .uint8: .uint8
        case .int32: .int32
        case .int64: .int64
        case .uint64: .uint64
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .strings(let values): .string(width: FixedStrings.width(values))
        }
    }

    /// The bytes as they stand in the file before filters.
    func bytes(on path: String) throws(HDF5Error) -> [UInt8] {
        switch self {
        case .int8(let values): Self.bytes(values)
        case .uint8(let values): values
        case .int32(let values): Self.bytes(values)
        case .int64(let values): Self.bytes(values)
        case .uint64(let values): Self.bytes(values)
        case .float32(let values): Self.bytes(values)
        case .float64(let values): Self.bytes(values)
        case .bool(let values): values.map { $0 ? 1 : 0 }
        case .strings(let values): try FixedStrings.pack(values, width: self.elementType.byteCount, on: path)
        }
    }

    private static func bytes<Value: Element>(_ values: [Value]) -> [UInt8] {
        values.withUnsafeBytes { Array($0) }
    }
}
