import CHDF5

/// A group of a file: a folder of data sets and other groups.
@HDF5Actor
public struct Group: ~Copyable {
    /// The absolute path in the file.
    public let path: String
    let handle: Handle

    /// Makes a group in this one.
    public func createGroup(_ name: String) throws(HDF5Error) -> Group {
        let path = try self.child(name)
        let creation = try PropertyLists.container(chdf5_group_create(), on: path)
        let (id, creationID) = (self.handle.id, creation.id)
        let group = try checked("H5Gcreate2", on: path) {
            H5Gcreate2(id, name, chdf5_default, creationID, chdf5_default)
        }
        return Group(path: path, handle: Handle(group, H5Gclose))
    }

    /// Opens a group that a hard link of this one names.
    public func group(_ name: String) throws(HDF5Error) -> Group {
        let path = try self.hardLink(name)
        let id = self.handle.id
        let group = try checked("H5Gopen2", on: path) { H5Gopen2(id, name, chdf5_default) }
        return Group(path: path, handle: Handle(group, H5Gclose))
    }

    /// The names of all links in byte order; throws `tooLarge` if there are more than `limit`.
    public func names(limit: Int) throws(HDF5Error) -> [String] {
        let id = self.handle.id
        var info = H5G_info_t()
        try checked("H5Gget_info", on: self.path) { H5Gget_info(id, &info) }
        guard info.nlinks <= UInt64(limit) else {
            throw HDF5Error(
                .tooLarge, operation: "listing", object: self.path,
                detail: "\(info.nlinks) links are more than \(limit)")
        }
        var names: [String] = []
        for index in 0..<info.nlinks {
            names.append(try self.name(at: index))
        }
        return names
    }

    /// Whether a link of this name is there, of whatever kind.
    public func contains(_ name: String) throws(HDF5Error) -> Bool {
        let path = try self.child(name)
        let id = self.handle.id
        return try checked("H5Lexists", on: path) { H5Lexists(id, name, chdf5_default) } > 0
    }

    private func name(at index: UInt64) throws(HDF5Error) -> String {
        let id = self.handle.id
        let limit = 1024
        var bytes = [CChar](repeating: 0, count: limit + 1)
        let length = try checked("H5Lget_name_by_idx", on: self.path) {
            H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &bytes, limit + 1, chdf5_default)
        }
        let units = bytes.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        guard length <= limit, let name = String(validating: units, as: UTF8.self) else {
            throw HDF5Error(
                .malformed, operation: "listing", object: self.path, detail: "link \(index) has no valid name")
        }
        return name
    }

    /// The path of `name` in this group, which must be a single component.
    func child(_ name: String) throws(HDF5Error) -> String {
        guard !name.isEmpty, name != ".", !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "/")) else {
            throw HDF5Error(
                .unsupported, operation: "naming an object", object: self.path,
                detail: "\"\(name)\" is no name for an object; it is empty, \".\", or has \"/\" or U+0000 in it")
        }
        return self.path == "/" ? "/\(name)" : "\(self.path)/\(name)"
    }

    /// The path of `name`, which is there and is a hard link: soft and external links can name anything.
    func hardLink(_ name: String) throws(HDF5Error) -> String {
        guard try self.contains(name) else {
            throw HDF5Error(
                .notFound, operation: "opening", object: try self.child(name), detail: "there is no such object")
        }
        let path = try self.child(name)
        let id = self.handle.id
        var info = H5L_info_t()
        try checked("H5Lget_info", on: path) { H5Lget_info(id, name, &info, chdf5_default) }
        guard info.type == H5L_TYPE_HARD else {
            throw HDF5Error(
                .unsupported, operation: "opening", object: path, detail: "it is a soft, external or user-defined link")
        }
        return path
    }
}

@available(*, unavailable)
extension Group: Sendable {}

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

/// A whole one-dimensional data set of another file as a part of a virtual one.
public struct VirtualSource: Sendable, Hashable {
    /// The file, relative to the one that holds the virtual data set.
    public var file: String
    /// The data set's absolute path in that file.
    public var dataSet: String
    /// Its number of elements.
    public var count: Int

    public init(file: String, dataSet: String, count: Int) {
        self.file = file
        self.dataSet = dataSet
        self.count = count
    }
}

extension Group {
    /// Makes a one-dimensional data set that shows the given ones, one behind the other.
    ///
    /// Readers show `fill` where a file is missing, so it must be a value that no element can have.
    public func createVirtualDataSet(
        _ name: String, type: ElementType, sources: [VirtualSource], fill: Double
    ) throws(HDF5Error) -> DataSet {
        let path = try self.child(name)
        let creation = try PropertyLists.make(chdf5_dataset_create(), on: path)
        let id = creation.id
        try checked("H5Pset_obj_track_times", on: path) { H5Pset_obj_track_times(id, false) }
        var fill = fill
        let fillType = try ElementType.float64.makeType(on: path)
        let fillID = fillType.id
        try checked("H5Pset_fill_value", on: path) { H5Pset_fill_value(id, fillID, &fill) }
        let total = sources.reduce(0) { $0 + $1.count }
        let space = try DataSpace.make([total], on: path)
        let spaceID = space.id
        var start = 0
        for source in sources where source.count > 0 {
            try DataSpace.select(space, start: start, count: source.count, on: path)
            let part = try DataSpace.make([source.count], on: path)
            let partID = part.id
            try checked("H5Pset_virtual", on: path) {
                H5Pset_virtual(id, spaceID, source.file, source.dataSet, partID)
            }
            start += source.count
        }
        return try self.create(name, path: path, type: type, shape: [total], creation: creation)
    }
}

extension DataSet {
    /// What a virtual data set shows, in its order.
    ///
    /// `nil` if it is no virtual one, or shows something else than whole one-dimensional data sets one behind the other.
    /// Nothing is read of the files that it names.
    public func virtualSources() throws(HDF5Error) -> [VirtualSource]? {
        let id = self.handle.id
        let creation = Handle(
            try checked("H5Dget_create_plist", on: self.path) { H5Dget_create_plist(id) }, H5Pclose)
        let listID = creation.id
        guard H5Pget_layout(listID) == H5D_VIRTUAL else { return nil }
        var count = 0
        try checked("H5Pget_virtual_count", on: self.path) { H5Pget_virtual_count(listID, &count) }
        var sources: [VirtualSource] = []
        var start = 0
        for index in 0..<count {
            let target = Handle(
                try checked("H5Pget_virtual_vspace", on: self.path) { H5Pget_virtual_vspace(listID, index) }, H5Sclose)
            let source = Handle(
                try checked("H5Pget_virtual_srcspace", on: self.path) { H5Pget_virtual_srcspace(listID, index) },
                H5Sclose)
            let sourceID = source.id
            guard let rows = try DataSpace.rows(of: target, on: self.path), rows.lowerBound == start,
                H5Sget_select_type(sourceID) == H5S_SEL_ALL
            else { return nil }
            let file = try self.text("H5Pget_virtual_filename") { H5Pget_virtual_filename(listID, index, $0, $1) }
            let name = try self.text("H5Pget_virtual_dsetname") { H5Pget_virtual_dsetname(listID, index, $0, $1) }
            sources.append(VirtualSource(file: file, dataSet: name, count: rows.count))
            start = rows.upperBound
        }
        return start == self.count ? sources : nil
    }

    private func text(_ operation: String, _ get: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws(HDF5Error)
        -> String
    {
        let limit = 4096
        var bytes = [CChar](repeating: 0, count: limit + 1)
        let length = try checked(operation, on: self.path) { get(&bytes, bytes.count) }
        let units = bytes.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        guard length <= limit, let text = String(validating: units, as: UTF8.self) else {
            throw HDF5Error(
                .malformed, operation: operation, object: self.path, detail: "a source has no valid name")
        }
        return text
    }
}
