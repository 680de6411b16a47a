import CHDF5
import Glibc

/// An open HDF5 file, on disk, behind a descriptor or in memory.
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
    let descriptor: DescriptorFile?

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

    /// Makes a new file in one that is open for reading and writing and empty; it needs no more memory than what is
    /// written at a time.
    ///
    /// `close()` throws the system's error if any write failed; what was written is not flushed to the disk.
    public static func create(descriptor: Int32, name: String) throws(HDF5Error) -> File {
        let access = try PropertyLists.fileAccess(on: name)
        let file = try DescriptorFile(copying: descriptor, byteCount: 0, name: name)
        try file.install(in: access, on: name)
        return try create(name: name, as: self.memoryName(), access: access, image: nil, descriptor: file)
    }

    /// Opens a file of this many bytes behind a descriptor for reading.
    ///
    /// Throws `malformed` unless it is exactly one closed file of the format that `create` makes.
    public static func open(descriptor: Int32, byteCount: Int, name: String) throws(HDF5Error) -> File {
        var start = [UInt8](repeating: 0, count: Superblock.byteCount)
        let count = start.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw .system(errno, "reading the file", object: name) }
        try Superblock.check(Array(start.prefix(count)), byteCount: byteCount, name: name)
        let access = try PropertyLists.fileAccess(on: name)
        let file = try DescriptorFile(copying: descriptor, byteCount: byteCount, name: name)
        try file.install(in: access, on: name)
        return try open(name: name, as: self.memoryName(), access: access, descriptor: file)
    }

    /// Opens a file on disk for reading.
    public static func open(path: String) throws(HDF5Error) -> File {
        try open(name: path, as: path, access: try PropertyLists.fileAccess(on: path))
    }

    /// Opens the bytes of a file for reading; they are copied.
    ///
    /// Throws `malformed` unless they are exactly one closed file of the format that `create` makes.
    public static func open(image bytes: [UInt8], name: String) throws(HDF5Error) -> File {
        try Superblock.check(bytes, byteCount: bytes.count, name: name)
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

    /// Closes the file and checks that it was closed and that every write was done.
    public consuming func close() throws(HDF5Error) {
        let (name, descriptor) = (self.name, self.descriptor)
        do {
            try self.handle.close("H5Fclose", on: name)
        } catch {
            try descriptor?.check(name: name)
            throw error
        }
        try descriptor?.check(name: name)
    }

    /// Throws the system's error if a write has failed so far; only for files behind a descriptor.
    public func checkWrites() throws(HDF5Error) {
        try self.descriptor?.check(name: self.name)
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
        name: String, as libraryName: String, access: borrowing Handle, image: ImageBuffer?,
        descriptor: DescriptorFile? = nil
    ) throws(HDF5Error) -> File {
        let creation = try PropertyLists.container(chdf5_file_create(), on: name)
        let (creationID, accessID) = (creation.id, access.id)
        let id = try checked("H5Fcreate", on: name) { H5Fcreate(libraryName, chdf5_exclusive, creationID, accessID) }
        return File(name: name, handle: Handle(id, H5Fclose), image: image, descriptor: descriptor)
    }

    private static func open(
        name: String, as libraryName: String, access: borrowing Handle, descriptor: DescriptorFile? = nil
    ) throws(HDF5Error) -> File {
        let accessID = access.id
        let id = try checked("H5Fopen", on: name) { H5Fopen(libraryName, chdf5_read_only, accessID) }
        return File(name: name, handle: Handle(id, H5Fclose), image: nil, descriptor: descriptor)
    }
}

@available(*, unavailable)
extension File: Sendable {}
