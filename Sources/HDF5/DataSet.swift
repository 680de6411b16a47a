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

extension DataSet {
    /// Reads all elements; throws `tooLarge` if they take more than `limit` bytes.
    public func read<Value: Element>(_: Value.Type, limit: Int) throws(HDF5Error) -> [Value] {
        try self.check(Value.elementType, count: self.count)
        try self.check(limit: limit)
        var values = [Value](repeating: 0, count: self.count)
        var span = values.mutableSpan
        try span.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in try self.readAll(bytes) }
        return values
    }

    /// Reads truth values; throws `malformed` for a byte that is neither 0 nor 1.
    public func readBools(limit: Int) throws(HDF5Error) -> [Bool] {
        try self.check(.bool, count: self.count)
        var values: [Bool] = []
        values.reserveCapacity(self.count)
        for byte in try self.readBytes(limit: limit) {
            guard byte <= 1 else { throw self.malformed("a truth value is \(byte)") }
            values.append(byte == 1)
        }
        return values
    }

    /// Reads fixed-width strings; throws `malformed` if one is not UTF-8.
    public func readStrings(limit: Int) throws(HDF5Error) -> [String] {
        guard case .string(let width) = self.type else { throw self.mismatch("strings") }
        return try FixedStrings.unpack(try self.readBytes(limit: limit), width: width, on: self.path)
    }

    /// Reads the elements as they are in memory, whatever their type.
    public func readBytes(limit: Int) throws(HDF5Error) -> [UInt8] {
        try self.check(limit: limit)
        var bytes = [UInt8](repeating: 0, count: self.byteCount)
        var span = bytes.mutableSpan
        try span.withUnsafeMutableBytes { (bytes) throws(HDF5Error) in try self.readAll(bytes) }
        return bytes
    }

    /// Reads some rows of a one-dimensional data set as they are in memory.
    public func readBytes(rows: Range<Int>) throws(HDF5Error) -> [UInt8] {
        guard self.shape.count == 1, rows.lowerBound >= 0, rows.upperBound <= self.count else {
            throw self.mismatch("rows \(rows)")
        }
        var bytes = [UInt8](repeating: 0, count: rows.count * self.type.byteCount)
        guard !rows.isEmpty else { return bytes }
        let memory = try self.type.makeType(on: self.path)
        let part = try DataSpace.make([rows.count], on: self.path)
        let whole = try DataSpace.make(self.shape, on: self.path)
        try DataSpace.select(whole, start: rows.lowerBound, count: rows.count, on: self.path)
        let (id, typeID, partID, wholeID) = (self.handle.id, memory.id, part.id, whole.id)
        try checked("H5Dread", on: self.path) {
            bytes.withUnsafeMutableBytes { H5Dread(id, typeID, partID, wholeID, chdf5_default, $0.baseAddress) }
        }
        return bytes
    }

    private func check(limit: Int) throws(HDF5Error) {
        guard self.byteCount <= limit else {
            throw HDF5Error(
                .tooLarge, operation: "reading", object: self.path,
                detail: "it has \(self.byteCount) bytes, more than the limit of \(limit)")
        }
    }

    private func readAll(_ bytes: UnsafeMutableRawBufferPointer) throws(HDF5Error) {
        guard self.count > 0 else { return }
        let memory = try self.type.makeType(on: self.path)
        let (id, typeID) = (self.handle.id, memory.id)
        try checked("H5Dread", on: self.path) {
            H5Dread(id, typeID, chdf5_all, chdf5_all, chdf5_default, bytes.baseAddress)
        }
    }

    private func malformed(_ detail: String) -> HDF5Error {
        HDF5Error(.malformed, operation: "reading", object: self.path, detail: detail)
    }
}

extension DataSet {
    /// Writes all elements, which are as many as the shape has, without copying them.
    public func write<Value: Element>(_ values: Span<Value>) throws(HDF5Error) {
        try self.check(Value.elementType, count: values.count)
        try self.writeAll(values.bytes)
    }

    /// Writes truth values.
    public func write(_ values: [Bool]) throws(HDF5Error) {
        try self.check(.bool, count: values.count)
        let bytes = values.map { UInt8($0 ? 1 : 0) }
        try self.writeAll(bytes.span.bytes)
    }

    /// Writes strings into a data set of fixed-width strings; each fits and has no U+0000.
    public func write(_ values: [String]) throws(HDF5Error) {
        guard case .string(let width) = self.type, values.count == self.count else {
            throw self.mismatch("\(values.count) strings")
        }
        let bytes = try FixedStrings.pack(values, width: width, on: self.path)
        try self.writeAll(bytes.span.bytes)
    }

    /// Writes some rows of a one-dimensional data set, given as they are in memory.
    public func writeBytes(_ bytes: [UInt8], rows: Range<Int>) throws(HDF5Error) {
        guard self.shape.count == 1, rows.lowerBound >= 0, rows.upperBound <= self.count,
            bytes.count == rows.count * self.type.byteCount
        else { throw self.mismatch("\(bytes.count) bytes for the rows \(rows)") }
        guard !rows.isEmpty else { return }
        let memory = try self.type.makeType(on: self.path)
        let part = try DataSpace.make([rows.count], on: self.path)
        let whole = try DataSpace.make(self.shape, on: self.path)
        try DataSpace.select(whole, start: rows.lowerBound, count: rows.count, on: self.path)
        let (id, typeID, partID, wholeID) = (self.handle.id, memory.id, part.id, whole.id)
        try checked("H5Dwrite", on: self.path) {
            bytes.withUnsafeBytes { H5Dwrite(id, typeID, partID, wholeID, chdf5_default, $0.baseAddress) }
        }
    }

    private func writeAll(_ bytes: RawSpan) throws(HDF5Error) {
        guard self.count > 0 else { return }
        let memory = try self.type.makeType(on: self.path)
        let (id, typeID) = (self.handle.id, memory.id)
        try checked("H5Dwrite", on: self.path) {
            bytes.withUnsafeBytes { H5Dwrite(id, typeID, chdf5_all, chdf5_all, chdf5_default, $0.baseAddress) }
        }
    }

    func check(_ type: ElementType, count: Int) throws(HDF5Error) {
        guard type == self.type, count == self.count else { throw self.mismatch("\(count) of type \(type.name)") }
    }

    func mismatch(_ found: String) -> HDF5Error {
        HDF5Error(
            .unsupported, operation: "access", object: self.path,
            detail: "it has \(self.count) elements of type \(self.type.name), asked were \(found)")
    }
}

extension DataSet {
    /// The largest chunk that is read.
    private static var chunkLimit: Int { 64 << 20 }
    /// Deflate gains at most 1032:1; what declares more than its stored bytes could hold is full of holes.
    private static var ratioLimit: Int { 1100 }

    /// Throws unless the elements lie in this file, in a layout and with filters that we write.
    func checkStorage(allowVirtual: Bool, allowHoles: Bool) throws(HDF5Error) {
        let id = self.handle.id
        let creation = Handle(
            try checked("H5Dget_create_plist", on: self.path) { H5Dget_create_plist(id) }, H5Pclose)
        let listID = creation.id
        guard try checked("H5Pget_external_count", on: self.path, { H5Pget_external_count(listID) }) == 0 else {
            throw self.refuse("its elements lie in another file")
        }
        switch H5Pget_layout(listID) {
        case H5D_VIRTUAL where allowVirtual: return
        case H5D_COMPACT, H5D_CONTIGUOUS: break
        case H5D_CHUNKED: try self.checkChunks(creation)
        default: throw self.refuse("it is a virtual data set or of an unknown layout")
        }
        try self.checkFilters(creation)
        let (declared, stored) = (self.byteCount, H5Dget_storage_size(id))
        guard allowHoles || UInt64(declared) / UInt64(Self.ratioLimit) <= stored else {
            throw HDF5Error(
                .tooLarge, operation: "opening", object: self.path,
                detail: "it declares \(declared) bytes and stores \(stored)")
        }
    }

    private func checkChunks(_ creation: borrowing Handle) throws(HDF5Error) {
        let id = creation.id
        var extents = [hsize_t](repeating: 0, count: 2)
        let rank = try checked("H5Pget_chunk", on: self.path) { H5Pget_chunk(id, 2, &extents) }
        let shape = extents.prefix(Int(rank)).map { Int(clamping: $0) }
        guard rank <= 2, let count = Self.count(shape, type: self.type),
            count * self.type.byteCount <= Self.chunkLimit
        else {
            throw HDF5Error(
                .tooLarge, operation: "opening", object: self.path, detail: "its chunks have the shape \(shape)")
        }
    }

    private func checkFilters(_ creation: borrowing Handle) throws(HDF5Error) {
        let id = creation.id
        let count = try checked("H5Pget_nfilters", on: self.path) { H5Pget_nfilters(id) }
        guard count <= 3 else { throw self.refuse("it has \(count) filters") }
        for index in 0..<UInt32(count) {
            var flags: UInt32 = 0
            var valueCount = 0
            let filter = try checked("H5Pget_filter2", on: self.path) {
                H5Pget_filter2(id, index, &flags, &valueCount, nil, 0, nil, nil)
            }
            guard [H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32].contains(filter) else {
                throw self.refuse("it uses filter \(filter); only shuffle, deflate and Fletcher-32 are read")
            }
        }
    }

    private func refuse(_ detail: String) -> HDF5Error {
        HDF5Error(.unsupported, operation: "opening", object: self.path, detail: detail)
    }
}

/// The extents of a data set or attribute.
@HDF5Actor
enum DataSpace {
    static func make(_ shape: [Int], on object: String) throws(HDF5Error) -> Handle {
        guard !shape.isEmpty else {
            return Handle(try checked("H5Screate", on: object) { H5Screate(H5S_SCALAR) }, H5Sclose)
        }
        let extents = shape.map { hsize_t(max(0, $0)) }
        let id = try checked("H5Screate_simple", on: object) { H5Screate_simple(Int32(extents.count), extents, nil) }
        return Handle(id, H5Sclose)
    }

    /// The extents of a space of at most two dimensions that fit into `Int`.
    static func shape(of space: borrowing Handle, on object: String) throws(HDF5Error) -> [Int] {
        let id = space.id
        let rank = try checked("H5Sget_simple_extent_ndims", on: object) { H5Sget_simple_extent_ndims(id) }
        let kind = H5Sget_simple_extent_type(id)
        guard rank <= 2, kind == H5S_SCALAR || kind == H5S_SIMPLE else {
            throw HDF5Error(
                .unsupported, operation: "reading the shape", object: object, detail: "it has \(rank) dimensions")
        }
        guard rank > 0 else { return [] }
        var extents = [hsize_t](repeating: 0, count: Int(rank))
        try checked("H5Sget_simple_extent_dims", on: object) { H5Sget_simple_extent_dims(id, &extents, nil) }
        var shape: [Int] = []
        for extent in extents {
            guard let extent = Int(exactly: extent) else {
                throw HDF5Error(
                    .tooLarge, operation: "reading the shape", object: object, detail: "it has \(extent) rows")
            }
            shape.append(extent)
        }
        return shape
    }

    /// Selects `count` rows from `start` of a one-dimensional space.
    static func select(
        _ space: borrowing Handle, start: Int, count: Int, on object: String
    ) throws(HDF5Error) {
        let id = space.id
        let (starts, counts) = ([hsize_t(start)], [hsize_t(count)])
        try checked("H5Sselect_hyperslab", on: object) {
            H5Sselect_hyperslab(id, H5S_SELECT_SET, starts, nil, counts, nil)
        }
    }

    /// The rows that are selected of a one-dimensional space; `nil` if they are not one range.
    static func rows(of space: borrowing Handle, on object: String) throws(HDF5Error) -> Range<Int>? {
        let id = space.id
        guard try checked("H5Sget_simple_extent_ndims", on: object, { H5Sget_simple_extent_ndims(id) }) == 1 else {
            return nil
        }
        let count = try checked("H5Sget_select_npoints", on: object) { H5Sget_select_npoints(id) }
        var (first, last) = ([hsize_t(0)], [hsize_t(0)])
        try checked("H5Sget_select_bounds", on: object) { H5Sget_select_bounds(id, &first, &last) }
        guard let start = Int(exactly: first[0]), let end = Int(exactly: last[0]), end - start + 1 == Int(count) else {
            return nil
        }
        return start..<end + 1
    }
}
