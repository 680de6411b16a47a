import CHDF5

/// An open HDF5 file, on disk or in memory.
///
/// Closing fails while groups or data sets of it are still open. Without `close()` the file is closed unchecked when the
/// value goes out of scope, which is right for reading and for giving up.
/// The calls: https://support.hdfgroup.org/documentation/hdf5/latest/group___h5_f.html
@HDF5Actor
public struct File: ~Copyable {
    /// The path, or a name for messages.
    public let name: String
    let handle: Handle
    let image: ImageBuffer?

    /// Makes a new file on disk; fails if one is there.
    public static func create(path: String) throws(HDF5Error) -> File {
        try create(name: path, as: path, access: try PropertyLists.fileAccess(on: path), image: nil)
    }

    /// Makes a new file in memory, to be taken by `closeToImage()`.
    ///
    /// The library then never writes to a disk, so a full one cannot leave it in a state it was not built for.
    public static func createInMemory(name: String) throws(HDF5Error) -> File {
        let access = try PropertyLists.fileAccess(on: name)
        let image = ImageBuffer()
        try image.install(in: access, on: name)
        return try create(name: name, as: self.memoryName(), access: access, image: image)
    }

    /// Opens a file on disk for reading.
    public static func open(path: String) throws(HDF5Error) -> File {
        try open(name: path, as: path, access: try PropertyLists.fileAccess(on: path))
    }

    /// Opens the bytes of a file for reading; they are copied.
    ///
    /// Throws `malformed` unless they are exactly one closed file of the format that `create` makes.
    public static func open(image bytes: [UInt8], name: String) throws(HDF5Error) -> File {
        try Superblock.check(bytes, name: name)
        let access = try PropertyLists.fileAccess(on: name)
        let id = access.id
        try checked("H5Pset_fapl_core", on: name) { H5Pset_fapl_core(id, 1 << 20, false) }
        try checked("H5Pset_file_image", on: name) {
            // The library takes a non-const pointer but only copies from it.
            bytes.withUnsafeBytes { H5Pset_file_image(id, UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
        }
        return try open(name: name, as: self.memoryName(), access: access)
    }

    /// The root group.
    public func root() throws(HDF5Error) -> Group {
        let id = self.handle.id
        let group = try checked("H5Gopen2", on: self.name) { H5Gopen2(id, "/", chdf5_default) }
        return Group(path: "/", handle: Handle(group, H5Gclose))
    }

    /// Closes the file and checks that it was closed.
    public consuming func close() throws(HDF5Error) {
        try self.handle.close("H5Fclose", on: self.name)
    }

    /// Closes a file made in memory and returns its bytes.
    public consuming func closeToImage() throws(HDF5Error) -> [UInt8] {
        let name = self.name
        guard let image = self.image else {
            throw HDF5Error(.unsupported, operation: "closeToImage", object: name, detail: "the file is not in memory")
        }
        try self.handle.close("H5Fclose", on: name)
        return try image.take(name: name)
    }

    private static var memoryCount = 0

    /// A new name for a file in memory: the library takes files of one name for one file.
    private static func memoryName() -> String {
        self.memoryCount += 1
        return "memory-\(self.memoryCount)"
    }

    private static func create(
        name: String, as libraryName: String, access: borrowing Handle, image: ImageBuffer?
    ) throws(HDF5Error) -> File {
        let creation = try PropertyLists.container(chdf5_file_create(), on: name)
        let (creationID, accessID) = (creation.id, access.id)
        let id = try checked("H5Fcreate", on: name) { H5Fcreate(libraryName, chdf5_exclusive, creationID, accessID) }
        return File(name: name, handle: Handle(id, H5Fclose), image: image)
    }

    private static func open(name: String, as libraryName: String, access: borrowing Handle) throws(HDF5Error) -> File {
        let accessID = access.id
        let id = try checked("H5Fopen", on: name) { H5Fopen(libraryName, chdf5_read_only, accessID) }
        return File(name: name, handle: Handle(id, H5Fclose), image: nil)
    }
}

@available(*, unavailable)
extension File: Sendable {}
