/// Writes GGUF bytes for tests, sound ones and others.
public struct GGUFBuilder: Sendable {
    public enum Value: Sendable {
        case uint32(UInt32)
        case float(Float)
        case bool(Bool)
        case string(String)
        case strings([String])
        case floats([Float])
        case int32s([Int32])
        /// A type number and the bytes behind it.
        case raw(type: UInt32, bytes: [UInt8])
    }

    public var version: UInt32 = 3
    public var metadata: [(key: String, value: Value)] = [
        ("general.architecture", .string("llama")), ("llama.block_count", .uint32(1)),
        ("llama.embedding_length", .uint32(8)), ("llama.context_length", .uint32(64)),
        ("llama.attention.head_count", .uint32(2)), ("tokenizer.ggml.model", .string("gpt2")),
        ("tokenizer.ggml.tokens", .strings(["a", "b"])), ("tokenizer.ggml.token_type", .int32s([1, 1])),
    ]
    /// Name, dimensions, type (0: 32-bit floats), offset.
    public var tensors: [(name: String, dimensions: [UInt64], type: UInt32, offset: UInt64)] = [("w", [8, 2], 0, 0)]
    /// What the tensors hold, from their first offset on.
    public var data = [UInt8](repeating: 0, count: 64)
    public var claimedTensors: UInt64?
    public var claimedMetadata: UInt64?

    public init() {}

    public mutating func set(_ key: String, _ value: Value?) {
        self.metadata.removeAll { $0.key == key }
        if let value { self.metadata.append((key, value)) }
    }

    public func bytes() -> [UInt8] {
        var out = Array("GGUF".utf8)
        Self.append(self.version, to: &out)
        Self.append(self.claimedTensors ?? UInt64(self.tensors.count), to: &out)
        Self.append(self.claimedMetadata ?? UInt64(self.metadata.count), to: &out)
        for (key, value) in self.metadata {
            Self.append(key, to: &out)
            Self.append(value, to: &out)
        }
        for tensor in self.tensors {
            Self.append(tensor.name, to: &out)
            Self.append(UInt32(tensor.dimensions.count), to: &out)
            for length in tensor.dimensions { Self.append(length, to: &out) }
            Self.append(tensor.type, to: &out)
            Self.append(tensor.offset, to: &out)
        }
        out += [UInt8](repeating: 0, count: (32 - out.count % 32) % 32)
        return out + self.data
    }

    private static func append(_ number: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { out += $0 }
    }

    private static func append(_ text: String, to out: inout [UInt8]) {
        self.append(UInt64(text.utf8.count), to: &out)
        out += text.utf8
    }

    private static func append(_ value: Value, to out: inout [UInt8]) {
        switch value {
        case .uint32(let number):
            self.append(UInt32(4), to: &out)
            self.append(number, to: &out)
        case .float(let number):
            self.append(UInt32(6), to: &out)
            self.append(number.bitPattern, to: &out)
        case .bool(let isTrue):
            self.append(UInt32(7), to: &out)
            out.append(isTrue ? 1 : 0)
        case .string(let text):
            self.append(UInt32(8), to: &out)
            self.append(text, to: &out)
        case .strings(let texts):
            self.appendArray(of: 8, count: texts.count, to: &out)
            for text in texts { self.append(text, to: &out) }
        case .floats(let numbers):
            self.appendArray(of: 6, count: numbers.count, to: &out)
            for number in numbers { self.append(number.bitPattern, to: &out) }
        case .int32s(let numbers):
            self.appendArray(of: 5, count: numbers.count, to: &out)
            for number in numbers { self.append(number, to: &out) }
        case .raw(let type, let bytes):
            self.append(type, to: &out)
            out += bytes
        }
    }

    private static func appendArray(of type: UInt32, count: Int, to out: inout [UInt8]) {
        self.append(UInt32(9), to: &out)
        self.append(type, to: &out)
        self.append(UInt64(count), to: &out)
    }
}
