#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The programs that a sandbox needs, and what Python needs to see.
struct SandboxTools: Hashable, Sendable {
    struct Python: Hashable, Sendable {
        /// Without links, such as "/usr/bin/python3.11".
        let path: String
        /// "/usr" or "/usr/local".
        let prefix: String
    }

    /// Something of the host that is to be seen inside, at the same path.
    enum Mount: Hashable, Sendable {
        case readOnly(String)
        case link(String, to: String)

        var arguments: [String] {
            switch self {
            case .readOnly(let path): ["--ro-bind", path, path]
            case .link(let path, let target): ["--symlink", target, path]
            }
        }
    }

    let bwrap: String
    let choom: String?
    let python: Python
    let mounts: [Mount]

    /// - Parameters:
    ///   - python: A path; nil for the distribution's.
    ///   - folders: Not PATH: only these are mounted inside, and a virtual environment's Python would not find itself.
    static func find(python: String?, in folders: [String] = Self.folders) throws(SandboxError) -> SandboxTools {
        guard let bwrap = Self.program("bwrap", in: folders) else {
            throw SandboxError(
                .unavailable, "bwrap, which confines programs, is in none of \(folders.joined(separator: ", "))",
                hint: "install bubblewrap 0.8 or newer (Debian, Ubuntu: apt install bubblewrap)")
        }
        let interpreter = try Self.python(python, in: folders)
        return SandboxTools(
            bwrap: bwrap, choom: Self.program("choom", in: folders), python: interpreter,
            mounts: Self.mounts(for: interpreter))
    }

    static let folders = ["/usr/bin", "/usr/local/bin", "/bin"]

    static func program(_ name: String, in folders: [String] = Self.folders) -> String? {
        folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private static func python(_ wanted: String?, in folders: [String]) throws(SandboxError) -> Python {
        guard let path = wanted ?? Self.program("python3", in: folders) else {
            throw SandboxError(
                .unavailable, "python3 is in none of \(folders.joined(separator: ", "))",
                hint: "install it (Debian, Ubuntu: apt install python3)")
        }
        guard let resolved = realpath(path, nil) else {
            throw SandboxError(.unavailable, "there is no Python at \(path): \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        let real = String(cString: resolved)
        for prefix in ["/usr/local", "/usr"] where real.hasPrefix(prefix + "/bin/") {
            return Python(path: real, prefix: prefix)
        }
        throw SandboxError(
            .unavailable, "\(path) is \(real), and only a Python in /usr/bin or /usr/local/bin can run in a sandbox",
            hint: "install the distribution's (Debian, Ubuntu: apt install python3)")
    }

    private static func mounts(for python: Python) -> [Mount] {
        var mounts = ["/usr/lib", "/usr/lib64"].filter(Self.exists).map { Mount.readOnly($0) }
        if python.prefix == "/usr/local" { mounts.append(.readOnly("/usr/local/lib")) }
        for path in ["/lib", "/lib64"] {
            if let target = Self.link(path) {
                mounts.append(.link(path, to: target))
            } else if Self.exists(path) {
                mounts.append(.readOnly(path))
            }
        }
        if Self.exists("/etc/ld.so.cache") { mounts.append(.readOnly("/etc/ld.so.cache")) }
        return mounts + [.readOnly(python.path)]
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
