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
    /// A source without a file leaves its rows at `fill`, or at zero. Readers show that also where a file is missing.
    public func createVirtualDataSet(
        _ name: String, type: ElementType, sources: [VirtualSource?], counts: [Int], fill: Double? = nil
    ) throws(HDF5Error) -> DataSet {
        let path = try self.child(name)
        let creation = try PropertyLists.make(chdf5_dataset_create(), on: path)
        let id = creation.id
        try checked("H5Pset_obj_track_times", on: path) { H5Pset_obj_track_times(id, false) }
        if var fill {
            let fillType = try ElementType.float64.makeType(on: path)
            let fillID = fillType.id
            try checked("H5Pset_fill_value", on: path) { H5Pset_fill_value(id, fillID, &fill) }
        }
        let total = counts.reduce(0, +)
        let space = try DataSpace.make([total], on: path)
        let spaceID = space.id
        var start = 0
        for (source, count) in zip(sources, counts) {
            if let source, count > 0 {
                try DataSpace.select(space, start: start, count: count, on: path)
                let part = try DataSpace.make([count], on: path)
                let partID = part.id
                try checked("H5Pset_virtual", on: path) {
                    H5Pset_virtual(id, spaceID, source.file, source.dataSet, partID)
                }
            }
            start += count
        }
        return try self.create(name, path: path, type: type, shape: [total], creation: creation)
    }
}
