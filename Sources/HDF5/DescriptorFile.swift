import CHDF5
import Glibc

/// The operating system's side of a file that the library reads and writes through a descriptor.
///
/// The library never learns that a write failed: 1.10.8 then answers success for lost data, or crashes later. The first
/// error is kept instead, nothing is written after it, and closing the file throws it. Nothing is opened by path, so that
/// a file stays in the folder that its descriptor was opened in, whatever is mounted meanwhile.
///
/// Touched only on the library's thread, where it calls its driver.
final class DescriptorFile {
    private let descriptor: CInt
    /// How many bytes the file has.
    private var end: haddr_t
    /// How many bytes the library has laid out.
    private var endOfAddresses: haddr_t = 0
    /// What the first write that failed gave.
    private(set) var failure: CInt?

    /// Takes a copy of the descriptor, which its owner may close at any time.
    init(copying descriptor: CInt, byteCount: Int, name: String) throws(HDF5Error) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .system(errno, "opening the file", object: name) }
        self.descriptor = copy
        self.end = haddr_t(max(0, byteCount))
    }

    deinit {
        Glibc.close(self.descriptor)
    }

    /// Throws the first write that failed.
    func check(name: String) throws(HDF5Error) {
        if let failure { throw .system(failure, "writing the file", object: name) }
    }

    /// Makes files opened with this access list be this one.
    @HDF5Actor
    func install(in access: borrowing Handle, on object: String) throws(HDF5Error) {
        let id = access.id
        let driver = Self.driver
        try checked("H5FDregister", on: object) { driver }
        var information = Unmanaged.passUnretained(self).toOpaque()
        try checked("H5Pset_driver", on: object) { H5Pset_driver(id, driver, &information) }
    }

    private func write(_ bytes: UnsafeRawPointer?, count: Int, at address: haddr_t) {
        guard self.failure == nil, let bytes else { return }
        var done = 0
        while done < count {
            let written = pwrite(self.descriptor, bytes + done, count - done, off_t(clamping: address) + done)
            if written < 0 {
                guard errno == EINTR else {
                    self.failure = errno
                    return
                }
            } else {
                done += written
            }
        }
        self.end = max(self.end, address + haddr_t(count))
    }

    /// Zeros where nothing was written yet, as the library expects of a file.
    private func read(_ bytes: UnsafeMutableRawPointer?, count: Int, at address: haddr_t) -> herr_t {
        guard let bytes else { return -1 }
        var done = 0
        while done < count {
            let found = pread(self.descriptor, bytes + done, count - done, off_t(clamping: address) + done)
            if found < 0 {
                guard errno == EINTR else { return -1 }
            } else if found == 0 {
                memset(bytes + done, 0, count - done)
                return 0
            } else {
                done += found
            }
        }
        return 0
    }

    /// Makes the file as long as what was laid out.
    private func truncate() {
        guard self.failure == nil, self.end != self.endOfAddresses else { return }
        guard ftruncate(self.descriptor, off_t(clamping: self.endOfAddresses)) == 0 else {
            self.failure = errno
            return
        }
        self.end = self.endOfAddresses
    }
}

/// What the library holds of an open file of this driver; it knows only the first part.
private struct OpenDescriptorFile {
    var library = H5FD_t()
    let file: Unmanaged<DescriptorFile>

    static func file(_ open: UnsafePointer<H5FD_t>?) -> DescriptorFile? {
        guard let open else { return nil }
        return UnsafeRawPointer(open).assumingMemoryBound(to: OpenDescriptorFile.self).pointee.file
            .takeUnretainedValue()
    }
}

extension DescriptorFile {
    /// The driver's number in the library, registered once; negative if the library refused it.
    ///
    /// The calls: https://support.hdfgroup.org/documentation/hdf5/latest/_v_f_l.html
    @HDF5Actor
    private static let driver: hid_t = {
        // The library copies the class but not its name.
        var driver = H5FD_class_t()
        driver.name = UnsafePointer(strdup("assay descriptor"))
        driver.maxaddr = haddr_t(Int64.max)
        driver.fc_degree = H5F_CLOSE_SEMI
        driver.fapl_size = MemoryLayout<UnsafeMutableRawPointer>.size
        driver.open = { _, _, access, _ in
            guard let information = H5Pget_driver_info(access) else { return nil }
            let context = information.load(as: UnsafeMutableRawPointer.self)
            let file = Unmanaged<DescriptorFile>.fromOpaque(context)
            let open = UnsafeMutablePointer<OpenDescriptorFile>.allocate(capacity: 1)
            open.initialize(to: OpenDescriptorFile(file: file.retain()))
            return UnsafeMutableRawPointer(open).assumingMemoryBound(to: H5FD_t.self)
        }
        driver.close = { open in
            guard let open else { return 0 }
            let pointer = UnsafeMutableRawPointer(open).assumingMemoryBound(to: OpenDescriptorFile.self)
            pointer.pointee.file.release()
            pointer.deallocate()
            return 0
        }
        driver.query = { _, flags in
            flags?.pointee = UInt(
                H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA_WRITE
                    | H5FD_FEAT_ACCUMULATE_METADATA_READ | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA)
            return 0
        }
        driver.get_eoa = { open, _ in OpenDescriptorFile.file(open)?.endOfAddresses ?? 0 }
        driver.set_eoa = { open, _, address in
            OpenDescriptorFile.file(open)?.endOfAddresses = address
            return 0
        }
        driver.get_eof = { open, _ in OpenDescriptorFile.file(open)?.end ?? 0 }
        driver.read = { open, _, _, address, count, bytes in
            OpenDescriptorFile.file(open)?.read(bytes, count: count, at: address) ?? -1
        }
        driver.write = { open, _, _, address, count, bytes in
            OpenDescriptorFile.file(open)?.write(bytes, count: count, at: address)
            return 0
        }
        driver.truncate = { open, _, _ in
            OpenDescriptorFile.file(open)?.truncate()
            return 0
        }
        return H5FDregister(&driver)
    }()
}
