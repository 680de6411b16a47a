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
