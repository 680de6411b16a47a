import CHDF5

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
