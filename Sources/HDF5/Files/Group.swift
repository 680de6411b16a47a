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
