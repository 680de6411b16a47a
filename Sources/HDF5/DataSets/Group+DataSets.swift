import CHDF5

extension Group {
    /// Makes a data set; compressed storage needs at least one row.
    public func createDataSet(
        _ name: String, type: ElementType, shape: [Int], storage: DataSet.Storage = .contiguous
    ) throws(HDF5Error) -> DataSet {
        let path = try self.child(name)
        let creation = try PropertyLists.make(chdf5_dataset_create(), on: path)
        let id = creation.id
        try checked("H5Pset_obj_track_times", on: path) { H5Pset_obj_track_times(id, false) }
        if case .compressed(let rows, let level) = storage {
            let chunk = [hsize_t(max(1, rows))] + shape.dropFirst().map { hsize_t(max(1, $0)) }
            try checked("H5Pset_chunk", on: path) { H5Pset_chunk(id, Int32(chunk.count), chunk) }
            if type.byteCount > 1 {
                try checked("H5Pset_shuffle", on: path) { H5Pset_shuffle(id) }
            }
            try checked("H5Pset_deflate", on: path) { H5Pset_deflate(id, UInt32(clamping: level)) }
            try checked("H5Pset_fletcher32", on: path) { H5Pset_fletcher32(id) }
        }
        return try self.create(name, path: path, type: type, shape: shape, creation: creation)
    }

    /// Opens a data set that a hard link of this group names.
    ///
    /// Throws `unsupported` for types, shapes, layouts and filters that we never write, for external storage and, unless
    /// `allowVirtual`, for virtual data sets; `tooLarge` if its extents cannot be counted, or, unless `isBeingWritten`, if
    /// it declares much more than it holds.
    public func dataSet(_ name: String, allowVirtual: Bool = false, isBeingWritten: Bool = false) throws(HDF5Error)
        -> DataSet
    {
        let path = try self.hardLink(name)
        let id = self.handle.id
        let handle = Handle(try checked("H5Dopen2", on: path) { H5Dopen2(id, name, chdf5_default) }, H5Dclose)
        let dataSetID = handle.id
        let fileType = Handle(try checked("H5Dget_type", on: path) { H5Dget_type(dataSetID) }, H5Tclose)
        guard let type = try ElementType.recognize(fileType, on: path) else {
            throw HDF5Error(.unsupported, operation: "opening", object: path, detail: "its type is none that we write")
        }
        let space = Handle(try checked("H5Dget_space", on: path) { H5Dget_space(dataSetID) }, H5Sclose)
        let shape = try DataSpace.shape(of: space, on: path)
        guard let count = DataSet.count(shape, type: type) else {
            throw HDF5Error(.tooLarge, operation: "opening", object: path, detail: "its shape is \(shape)")
        }
        let dataSet = DataSet(path: path, type: type, shape: shape, count: count, handle: handle)
        try dataSet.checkStorage(allowVirtual: allowVirtual, allowHoles: isBeingWritten)
        return dataSet
    }

    func create(
        _ name: String, path: String, type: ElementType, shape: [Int], creation: borrowing Handle
    ) throws(HDF5Error) -> DataSet {
        guard let count = DataSet.count(shape, type: type) else {
            throw HDF5Error(.tooLarge, operation: "H5Dcreate2", object: path, detail: "its shape is \(shape)")
        }
        let fileType = try type.makeType(on: path)
        let space = try DataSpace.make(shape, on: path)
        let (id, typeID, spaceID, creationID) = (self.handle.id, fileType.id, space.id, creation.id)
        let dataSet = try checked("H5Dcreate2", on: path) {
            H5Dcreate2(id, name, typeID, spaceID, chdf5_default, creationID, chdf5_default)
        }
        return DataSet(path: path, type: type, shape: shape, count: count, handle: Handle(dataSet, H5Dclose))
    }
}
