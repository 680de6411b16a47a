import CHDF5

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
