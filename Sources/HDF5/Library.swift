import CHDF5
internal import Threads

/// The one thread on which every call to libhdf5 is made.
///
/// The library holds a global lock and blocks on files, so its work never runs on the cooperative pool.
@globalActor
public actor HDF5Actor {
    public static let shared = HDF5Actor()

    private let executor: ThreadExecutor

    private init() {
        do throws(ThreadError) {
            self.executor = try ThreadExecutor(stackBytes: 8 << 20, prepare: Library.prepare)
        } catch {
            // Without its thread no file can be read or written at all, and no caller could go on.
            preconditionFailure("libhdf5: \(error)")
        }
    }

    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        self.executor.asUnownedSerialExecutor()
    }
}

/// What is set once for the whole library.
enum Library {
    /// Called on the library's thread before anything else.
    ///
    /// Error printing belongs to the thread; plug-ins, which run code named by a file, and the clean-up at exit, which
    /// touches files that failed, are switched off. None of these calls can fail once the library is linked.
    @Sendable static func prepare() {
        H5dont_atexit()
        H5open()
        H5Eset_auto2(chdf5_error_stack, nil, nil)
        H5PLset_loading_state(0)
    }
}

/// An identifier of the library that is given back exactly once.
///
/// `deinit` gives it back on error paths; where the result matters, `close(_:)` does and checks.
struct Handle: ~Copyable {
    let id: hid_t
    private let release: @convention(c) (hid_t) -> herr_t

    /// Takes an identifier that the library has just handed out, already checked to be valid.
    init(_ id: hid_t, _ release: @escaping @convention(c) (hid_t) -> herr_t) {
        self.id = id
        self.release = release
    }

    deinit {
        _ = self.release(self.id)
    }

    @HDF5Actor
    consuming func close(_ operation: String, on object: String) throws(HDF5Error) {
        let id = self.id
        let release = self.release
        discard self
        try checked(operation, on: object) { release(id) }
    }
}

@available(*, unavailable)
extension Handle: Sendable {}

/// The property lists that every file of ours is made with.
@HDF5Actor
enum PropertyLists {
    static func make(_ list: hid_t, on object: String) throws(HDF5Error) -> Handle {
        Handle(try checked("H5Pcreate", on: object) { H5Pcreate(list) }, H5Pclose)
    }

    /// Access to a file: the format pinned to HDF5 1.10, no locks, and a close that fails while objects are open.
    static func fileAccess(on object: String) throws(HDF5Error) -> Handle {
        let list = try make(chdf5_file_access(), on: object)
        let id = list.id
        try checked("H5Pset_libver_bounds", on: object) {
            H5Pset_libver_bounds(id, H5F_LIBVER_V110, H5F_LIBVER_V110)
        }
        try checked("H5Pset_fclose_degree", on: object) { H5Pset_fclose_degree(id, H5F_CLOSE_SEMI) }
        try checked("H5Pset_file_locking", on: object) { H5Pset_file_locking(id, false, true) }
        return list
    }

    /// Creation of a file or group: no time stamps, and small sets of links and attributes kept in the header.
    static func container(_ kind: hid_t, on object: String) throws(HDF5Error) -> Handle {
        let list = try make(kind, on: object)
        let id = list.id
        try checked("H5Pset_obj_track_times", on: object) { H5Pset_obj_track_times(id, false) }
        try checked("H5Pset_link_phase_change", on: object) { H5Pset_link_phase_change(id, 128, 64) }
        try checked("H5Pset_attr_phase_change", on: object) { H5Pset_attr_phase_change(id, 64, 32) }
        return list
    }
}
