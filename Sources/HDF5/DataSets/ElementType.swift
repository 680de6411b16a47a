/// The types that elements of our data sets and attributes have; little-endian in every file.
public enum ElementType: Sendable, Hashable {
    case int8, uint8, int32, int64, uint64, float32, float64
    /// One byte, an enumeration of FALSE and TRUE as h5py writes it.
    case bool
    /// UTF-8 of a fixed width in bytes, padded with zeros; at least 1.
    case string(width: Int)

    /// The size of one element in a file and in memory.
    public var byteCount: Int {
        switch self {
        case .int8, .uint8, .bool: 1
        case .int32, .float32: 4
        case .int64, .uint64, .float64: 8
        case .string(let width): width
        }
    }

    /// The name in NumPy's array interface, such as "<i8"; what `dtype.str` gives in h5py.
    public var name: String {
        switch self {
        case .int8: "|i1"
        case .uint8: "|u1"
        case .int32: "<i4"
        case .int64: "<i8"
        case .uint64: "<u8"
        case .float32: "<f4"
        case .float64: "<f8"
        case .bool: "|b1"
        case .string(let width): "|S\(width)"
        }
    }
}

/// A Swift number that can be an element.
public protocol Element: BitwiseCopyable, Numeric, Sendable {
    static var elementType: ElementType { get }
}

extension Int8: Element { public static var elementType: ElementType { .int8 } }
extension UInt8: Element { public static var elementType: ElementType { .uint8 } }
extension Int32: Element { public static var elementType: ElementType { .int32 } }
extension Int64: Element { public static var elementType: ElementType { .int64 } }
extension UInt64: Element { public static var elementType: ElementType { .uint64 } }
extension Float: Element { public static var elementType: ElementType { .float32 } }
extension Double: Element { public static var elementType: ElementType { .float64 } }
