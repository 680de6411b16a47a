import CHDF5

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
