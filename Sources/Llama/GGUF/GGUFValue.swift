/// The types of metadata values, numbered as in the file.
enum GGUFType: UInt32, Sendable {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

    /// Bytes of one value; `nil` for strings and arrays.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }
}

/// A metadata value; of long arrays only type and length are kept.
enum GGUFValue: Sendable, Hashable {
    case integer(Int)
    case real(Double)
    case boolean(Bool)
    case string(String)
    /// `integers` is empty for other types and for arrays longer than `GGUFLimits.keptElements`.
    case array(type: GGUFType, count: Int, integers: [Int])
}

extension FileReader {
    mutating func value(key: String) throws(LlamaError) -> GGUFValue {
        let type = try self.type(key: key)
        guard type == .array else { return try self.value(type, key: key) }

        let element = try self.type(key: key)
        guard element != .array else {
            throw LlamaError(.malformedFile, "\(self.path): key \(key) holds arrays of arrays, which llama.cpp rejects")
        }
        let count = try self.count(of: "elements of \(key)", limit: GGUFLimits.arrayElements)
        guard let size = element.size else {
            if key == GGUFMetadata.tokensKey { return try self.vocabulary(count: count) }
            for _ in 0..<count { try self.skipString("an element of \(key)") }
            return .array(type: element, count: count, integers: [])
        }
        guard element.isInteger, count <= GGUFLimits.keptElements else {
            try self.skip(size * count)
            return .array(type: element, count: count, integers: [])
        }
        var integers: [Int] = []
        integers.reserveCapacity(count)
        for _ in 0..<count {
            if case .integer(let integer) = try self.value(element, key: key) { integers.append(integer) }
        }
        return .array(type: element, count: count, integers: integers)
    }

    /// Reads the texts of all tokens: llama.cpp aborts the process if two are equal.
    private mutating func vocabulary(count: Int) throws(LlamaError) -> GGUFValue {
        var known: Set<[UInt8]> = []
        for token in 0..<count {
            // llama.cpp reads up to the first zero byte, and names tokens without a text like this.
            let text = try self.text("token \(token)", limit: GGUFLimits.stringBytes).prefix { $0 != 0 }
            guard known.insert(text.isEmpty ? Array("[EMPTY_\(token)]".utf8) : Array(text)).inserted else {
                throw LlamaError(
                    .malformedFile,
                    "\(self.path): is damaged: token \(token), \"\(String(decoding: text, as: UTF8.self))\", "
                        + "is there twice")
            }
        }
        return .array(type: .string, count: count, integers: [])
    }

    private mutating func type(key: String) throws(LlamaError) -> GGUFType {
        let raw = try self.integer(UInt32.self)
        guard let type = GGUFType(rawValue: raw) else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: key \(key) has the unknown type \(raw)")
        }
        return type
    }

    private mutating func value(_ type: GGUFType, key: String) throws(LlamaError) -> GGUFValue {
        switch type {
        case .uint8: .integer(Int(try self.integer(UInt8.self)))
        case .int8: .integer(Int(try self.integer(Int8.self)))
        case .uint16: .integer(Int(try self.integer(UInt16.self)))
        case .int16: .integer(Int(try self.integer(Int16.self)))
        case .uint32: .integer(Int(try self.integer(UInt32.self)))
        case .int32: .integer(Int(try self.integer(Int32.self)))
        case .uint64: .integer(Int(clamping: try self.integer(UInt64.self)))
        case .int64: .integer(Int(try self.integer(Int64.self)))
        case .float32: .real(Double(Float(bitPattern: try self.integer(UInt32.self))))
        case .float64: .real(Double(bitPattern: try self.integer(UInt64.self)))
        case .bool: .boolean(try self.integer(UInt8.self) != 0)
        case .string: .string(try self.string("the value of \(key)", limit: GGUFLimits.stringBytes))
        case .array:
            throw LlamaError(.malformedFile, "\(self.path): key \(key) holds arrays of arrays, which llama.cpp rejects")
        }
    }
}

extension GGUFType {
    fileprivate var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float32, .float64, .bool, .string, .array: false
        }
    }
}
