import CHDF5

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

@HDF5Actor
extension ElementType {
    /// The library's type, owned by the caller.
    func makeType(on object: String) throws(HDF5Error) -> Handle {
        switch self {
        case .bool: return try Self.makeBool(on: object)
        case .string(let width): return try Self.makeString(width: width, on: object)
        default:
            guard let number = Self.numbers.first(where: { $0.type == self }) else {
                throw HDF5Error(.unsupported, operation: "making a type", object: object, detail: self.name)
            }
            return Handle(try checked("H5Tcopy", on: object) { H5Tcopy(number.id()) }, H5Tclose)
        }
    }

    /// The element type that a type of a file is; `nil` for all that we never write.
    static func recognize(_ type: borrowing Handle, on object: String) throws(HDF5Error) -> ElementType? {
        let id = type.id
        switch H5Tget_class(id) {
        case H5T_STRING: return try recognizeString(id, on: object)
        case H5T_ENUM:
            let bool = try makeBool(on: object)
            let boolID = bool.id
            let isEqual = try checked("H5Tequal", on: object) { H5Tequal(id, boolID) }
            return isEqual > 0 ? .bool : nil
        default:
            for number in numbers {
                let other = number.id()
                let isEqual = try checked("H5Tequal", on: object) { H5Tequal(id, other) }
                if isEqual > 0 { return number.type }
            }
            return nil
        }
    }

    private static let numbers: [(type: ElementType, id: @Sendable () -> hid_t)] = [
        (.int8, { chdf5_int8() }), (.uint8, { chdf5_uint8() }), (.int32, { chdf5_int32() }),
        (.int64, { chdf5_int64() }), (.uint64, { chdf5_uint64() }), (.float32, { chdf5_float32() }),
        (.float64, { chdf5_float64() }),
    ]

    private static func recognizeString(_ id: hid_t, on object: String) throws(HDF5Error) -> ElementType? {
        guard try checked("H5Tis_variable_str", on: object, { H5Tis_variable_str(id) }) == 0,
            H5Tget_cset(id) == H5T_CSET_UTF8, H5Tget_strpad(id) == H5T_STR_NULLPAD
        else { return nil }
        let width = H5Tget_size(id)
        return width > 0 ? .string(width: width) : nil
    }

    private static func makeString(width: Int, on object: String) throws(HDF5Error) -> Handle {
        let type = Handle(try checked("H5Tcopy", on: object) { H5Tcopy(chdf5_string()) }, H5Tclose)
        let id = type.id
        try checked("H5Tset_size", on: object) { H5Tset_size(id, max(1, width)) }
        try checked("H5Tset_cset", on: object) { H5Tset_cset(id, H5T_CSET_UTF8) }
        try checked("H5Tset_strpad", on: object) { H5Tset_strpad(id, H5T_STR_NULLPAD) }
        return type
    }

    private static func makeBool(on object: String) throws(HDF5Error) -> Handle {
        let type = Handle(try checked("H5Tenum_create", on: object) { H5Tenum_create(chdf5_int8()) }, H5Tclose)
        let id = type.id
        for (name, value) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
            var value = value
            try checked("H5Tenum_insert", on: object) { H5Tenum_insert(id, name, &value) }
        }
        return type
    }
}

/// Strings of one width in bytes, padded with zeros.
public enum FixedStrings {
    /// The width that holds the longest of `values`; at least 1.
    public static func width(_ values: some Sequence<String>) -> Int {
        values.reduce(1) { max($0, $1.utf8.count) }
    }

    /// The bytes of all strings, one after the other.
    public static func pack(_ values: [String], width: Int, on object: String) throws(HDF5Error) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * width)
        for value in values {
            guard value.utf8.count <= width, !value.utf8.contains(0) else {
                throw HDF5Error(
                    .unsupported, operation: "writing strings", object: object,
                    detail: "a string is longer than \(width) bytes or contains U+0000")
            }
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: repeatElement(0, count: width - value.utf8.count))
        }
        return bytes
    }

    static func unpack(_ bytes: [UInt8], width: Int, on object: String) throws(HDF5Error) -> [String] {
        var values: [String] = []
        values.reserveCapacity(bytes.count / width)
        for start in stride(from: 0, to: bytes.count, by: width) {
            let field = bytes[start..<start + width]
            let length = (field.lastIndex { $0 != 0 } ?? start - 1) - start + 1
            guard let value = String(validating: field.prefix(length), as: UTF8.self), !value.utf8.contains(0) else {
                throw HDF5Error(
                    .malformed, operation: "reading strings", object: object,
                    detail: "string \(start / width) is not UTF-8")
            }
            values.append(value)
        }
        return values
    }
}
