/// The data sets of a shard by their paths, with checked access.
struct ColumnTable: Sendable, Hashable {
    let schema: ShardSchema
    private(set) var values: [String: ColumnValues] = [:]

    init(schema: ShardSchema) {
        self.schema = schema
    }

    subscript(_ path: String) -> ColumnValues? {
        get { self.values[path] }
        set { self.values[path] = newValue }
    }

    func int8(_ path: String) throws(StoreError) -> [Int8] {
        guard case .int8(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func uint8(_ path: String) throws(StoreError) -> [UInt8] {
        guard case .uint8(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func int32(_ path: String) throws(StoreError) -> [Int32] {
        guard case .int32(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func int64(_ path: String) throws(StoreError) -> [Int64] {
        guard case .int64(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func float32(_ path: String) throws(StoreError) -> [Float] {
        guard case .float32(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func float64(_ path: String) throws(StoreError) -> [Double] {
        guard case .float64(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func bool(_ path: String) throws(StoreError) -> [Bool] {
        guard case .bool(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    func strings(_ path: String) throws(StoreError) -> [String] {
        guard case .strings(let values) = self.values[path] else { throw Self.missing(path) }
        return values
    }

    /// Offsets as ranges into something of `total` elements.
    ///
    /// Throws `malformed` unless there is one more than `count`, they start at 0, never fall and end at `total`.
    func ranges(_ path: String, count: Int, total: Int) throws(StoreError) -> [Range<Int>] {
        guard case .uint64(let offsets) = self.values[path] else { throw Self.missing(path) }
        guard offsets.count == count + 1, offsets.first == 0, offsets.last == UInt64(total) else {
            throw StoreError(
                .malformed, path: path, "the offsets do not lead from 0 to \(total) in \(count) steps.")
        }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        for (start, end) in zip(offsets, offsets.dropFirst()) {
            guard start <= end, end <= UInt64(total) else {
                throw StoreError(.malformed, path: path, "the offsets fall from \(start) to \(end).")
            }
            ranges.append(Int(start)..<Int(end))
        }
        return ranges
    }

    /// The texts behind a column of UTF-8 bytes and its offsets.
    func texts(_ path: String, count: Int) throws(StoreError) -> [String] {
        let bytes = try self.uint8(path)
        var texts: [String] = []
        for range in try self.ranges("\(path)_offsets", count: count, total: bytes.count) {
            guard let text = String(validating: bytes[range], as: UTF8.self) else {
                throw StoreError(.malformed, path: path, "text \(texts.count) is not UTF-8.")
            }
            texts.append(text)
        }
        return texts
    }

    private static func missing(_ path: String) -> StoreError {
        StoreError(.malformed, path: path, "the data set is missing or of another type.")
    }
}
