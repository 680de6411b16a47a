import CHDF5

/// Attributes of the object behind an identifier.
@HDF5Actor
enum Attributes {
    /// The most bytes that an attribute in an object's header can have.
    private static let limit = 64 << 10

    static func set(_ name: String, _ value: AttributeValue, of id: hid_t, path: String) throws(HDF5Error) {
        let object = "\(path)@\(name)"
        let (type, shape, bytes) = try encode(value, on: object)
        let fileType = try type.makeType(on: object)
        let space = try DataSpace.make(shape, on: object)
        let (typeID, spaceID) = (fileType.id, space.id)
        let attribute = Handle(
            try checked("H5Acreate2", on: object) {
                H5Acreate2(id, name, typeID, spaceID, chdf5_default, chdf5_default)
            }, H5Aclose)
        let attributeID = attribute.id
        if !bytes.isEmpty {
            try checked("H5Awrite", on: object) { H5Awrite(attributeID, typeID, bytes) }
        }
        try attribute.close("H5Aclose", on: object)
    }

    /// The attribute's value; `nil` if there is none of that name.
    static func get(_ name: String, of id: hid_t, path: String) throws(HDF5Error) -> AttributeValue? {
        let object = "\(path)@\(name)"
        guard try checked("H5Aexists", on: object, { H5Aexists(id, name) }) > 0 else { return nil }
        let attribute = Handle(try checked("H5Aopen", on: object) { H5Aopen(id, name, chdf5_default) }, H5Aclose)
        let attributeID = attribute.id
        let fileType = Handle(try checked("H5Aget_type", on: object) { H5Aget_type(attributeID) }, H5Tclose)
        let space = Handle(try checked("H5Aget_space", on: object) { H5Aget_space(attributeID) }, H5Sclose)
        let shape = try DataSpace.shape(of: space, on: object)
        guard let type = try ElementType.recognize(fileType, on: object), shape.count <= 1,
            let count = DataSet.count(shape, type: type), count * type.byteCount <= limit
        else {
            throw HDF5Error(
                .unsupported, operation: "reading an attribute", object: object,
                detail: "its type or size is none that we write")
        }
        let memory = try type.makeType(on: object)
        let typeID = memory.id
        var bytes = [UInt8](repeating: 0, count: count * type.byteCount)
        if !bytes.isEmpty {
            try checked("H5Aread", on: object) { H5Aread(attributeID, typeID, &bytes) }
        }
        return try decode(type, isScalar: shape.isEmpty, bytes, on: object)
    }

    private static func encode(
        _ value: AttributeValue, on object: String
    ) throws(HDF5Error) -> (ElementType, [Int], [UInt8]) {
        switch value {
        case .text(let text):
            let width = FixedStrings.width([text])
            return (.string(width: width), [], try FixedStrings.pack([text], width: width, on: object))
        case .texts(let texts):
            let width = FixedStrings.width(texts)
            return (.string(width: width), [texts.count], try FixedStrings.pack(texts, width: width, on: object))
        case .integer(let number):
            return (.int64, [], withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) })
        case .flag(let flag):
            return (.bool, [], [flag ? 1 : 0])
        }
    }

    private static func decode(
        _ type: ElementType, isScalar: Bool, _ bytes: [UInt8], on object: String
    ) throws(HDF5Error) -> AttributeValue {
        switch type {
        case .string(let width):
            let texts = try FixedStrings.unpack(bytes, width: width, on: object)
            if isScalar, let text = texts.first { return .text(text) }
            return .texts(texts)
        case .int64 where isScalar:
            let number = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return .integer(Int(Int64(bitPattern: number)))
        case .bool where isScalar:
            return .flag(bytes.first != 0)
        default:
            throw HDF5Error(
                .unsupported, operation: "reading an attribute", object: object, detail: "its type is \(type.name)")
        }
    }
}

extension Group {
    /// Adds an attribute.
    public func setAttribute(_ name: String, _ value: AttributeValue) throws(HDF5Error) {
        try Attributes.set(name, value, of: self.handle.id, path: self.path)
    }

    /// The attribute's value; `nil` if there is none of that name.
    public func attribute(_ name: String) throws(HDF5Error) -> AttributeValue? {
        try Attributes.get(name, of: self.handle.id, path: self.path)
    }
}

extension DataSet {
    /// Adds an attribute.
    public func setAttribute(_ name: String, _ value: AttributeValue) throws(HDF5Error) {
        try Attributes.set(name, value, of: self.handle.id, path: self.path)
    }

    /// The attribute's value; `nil` if there is none of that name.
    public func attribute(_ name: String) throws(HDF5Error) -> AttributeValue? {
        try Attributes.get(name, of: self.handle.id, path: self.path)
    }
}

/// The value of an attribute.
public enum AttributeValue: Sendable, Hashable {
    case text(String)
    case texts([String])
    case integer(Int)
    case flag(Bool)
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
}
