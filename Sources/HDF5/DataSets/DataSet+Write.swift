import CHDF5

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
