import CHDF5

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
