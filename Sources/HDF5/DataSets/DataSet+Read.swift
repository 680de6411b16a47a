import CHDF5

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
