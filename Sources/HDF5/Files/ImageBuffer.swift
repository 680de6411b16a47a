import CHDF5
import Glibc

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
