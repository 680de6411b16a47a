import Glibc

/// Several users work in one store, and none of them should have to think of it.
public enum SharedMode {
    /// Gives a new file or folder the group of the folder that it is in, and as much for others as that one has, whatever
    /// the umask; files are read-only.
    ///
    /// - Parameters:
    ///   - folder: The descriptor of the folder.
    ///   - new: The descriptor of what was made in it.
    /// - Returns: 0, or the number of the error.
    public static func handDown(from folder: CInt, to new: CInt) -> CInt {
        var (parent, child) = (stat(), stat())
        guard fstat(folder, &parent) == 0, fstat(new, &child) == 0 else { return errno }
        var mode = child.isFolder ? parent.st_mode & 0o3777 | 0o700 : parent.st_mode & 0o444 | 0o400
        if child.st_gid != parent.st_gid, fchown(new, uid_t.max, parent.st_gid) != 0 {
            guard [EPERM, ENOTSUP, ENOSYS, EINVAL].contains(errno) else { return errno }
            // Not a member of that group: what it may do is not for the user's own group.
            mode &= ~0o2020
        }
        guard child.st_mode & 0o7777 != mode, fchmod(new, mode) != 0 else { return 0 }
        // Some file systems have one mode for all.
        return [EPERM, ENOTSUP, ENOSYS].contains(errno) ? 0 : errno
    }
}
