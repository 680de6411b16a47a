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

/// The memory behind a file that the library writes in memory, kept when the library lets go of it.
///
/// `H5Fget_file_image` is not used: in 1.10.8 it clears the flags of a version 3 superblock without renewing its
/// checksum, so that no reader opens the image.
final class ImageBuffer {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    deinit {
        free(self.memory)
    }

    /// Makes files opened with this access list live in memory and end in this buffer.
    @HDF5Actor
    func install(in access: borrowing Handle, on object: String) throws(HDF5Error) {
        let id = access.id
        try checked("H5Pset_fapl_core", on: object) { H5Pset_fapl_core(id, 4 << 20, false) }
        // The property list and the file each hold a reference of their own, through udata_copy and udata_free.
        var callbacks = H5FD_file_image_callbacks_t(
            image_malloc: { size, _, _ in malloc(size) },
            image_memcpy: { target, source, size, _, _ in
                guard let target, let source else { return nil }
                return memcpy(target, source, size)
            },
            image_realloc: { memory, size, _, context in ImageBuffer.of(context)?.resize(memory, to: size) },
            image_free: { memory, operation, context in
                guard operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE, let buffer = ImageBuffer.of(context) else {
                    free(memory)
                    return 0
                }
                buffer.memory = memory
                return 0
            },
            udata_copy: { context in
                ImageBuffer.of(context).map { Unmanaged.passRetained($0).toOpaque() }
            },
            udata_free: { context in
                if let context { Unmanaged<ImageBuffer>.fromOpaque(context).release() }
                return 0
            },
            udata: Unmanaged.passUnretained(self).toOpaque())
        try checked("H5Pset_file_image_callbacks", on: object) { H5Pset_file_image_callbacks(id, &callbacks) }
    }

    /// The bytes of the closed file.
    func take(name: String) throws(HDF5Error) -> [UInt8] {
        guard let memory, self.capacity >= Superblock.byteCount else {
            throw HDF5Error(.malformed, operation: "closeToImage", object: name, detail: "the library wrote nothing")
        }
        let bytes = UnsafeRawBufferPointer(start: memory, count: self.capacity)
        guard let end = Int(exactly: Superblock.endOfFile(bytes)), end <= self.capacity else {
            throw HDF5Error(
                .malformed, operation: "closeToImage", object: name, detail: "the library wrote less than it declared")
        }
        return Array(bytes[..<end])
    }

    private func resize(_ old: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
        let new = realloc(old, size)
        if new != nil { self.capacity = size }
        return new
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> ImageBuffer? {
        context.map { Unmanaged<ImageBuffer>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// The first bytes of a file: signature, version, flags and the end of the file.
///
/// Version 3, as HDF5 1.10 writes it: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
enum Superblock {
    static let byteCount = 48
    private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Throws unless `bytes` begin one whole file of `byteCount` bytes with this superblock that nobody has open for
    /// writing.
    static func check(_ bytes: [UInt8], byteCount fileSize: Int, name: String) throws(HDF5Error) {
        guard bytes.count >= byteCount, Array(bytes[..<8]) == signature else {
            throw malformed(name, "this is no HDF5 file")
        }
        guard Array(bytes[8..<11]) == [3, 8, 8], bytes[12..<20].allSatisfy({ $0 == 0 }) else {
            throw malformed(name, "the superblock is not of version 3 with 8-byte offsets at address 0")
        }
        guard bytes[11] == 0 else {
            throw malformed(name, "the file was never closed by its writer")
        }
        let end = endOfFile(bytes)
        guard end == UInt64(fileSize) else {
            throw malformed(name, "the file has \(fileSize) bytes and says that it has \(end)")
        }
    }

    /// The end of the file as the superblock has it; `bytes` holds at least the superblock.
    static func endOfFile(_ bytes: some Collection<UInt8>) -> UInt64 {
        bytes.dropFirst(28).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func malformed(_ name: String, _ detail: String) -> HDF5Error {
        HDF5Error(.malformed, operation: "reading the superblock", object: name, detail: detail)
    }
}
