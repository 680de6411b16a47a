internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The command line that runs Python in namespaces of its own, with nothing to see but Python.
struct Jail: Hashable, Sendable {
    let tools: SandboxTools
    /// The account outside; nil for this process's.
    ///
    /// Root's processes are run as nobody, because the kernel counts no processes of root's, whatever the limit.
    let identity: ProcessConfiguration.Identity?

    /// The number of "nobody", inside and, for root, outside.
    static let nobody: UInt32 = 65534

    /// A child that runs `script` in the jail; its standard input is the descriptor.
    func configuration(
        running script: String, _ arguments: [String], folderBytes: Int, outputLimit: Int, input: CInt
    ) -> ProcessConfiguration {
        let program =
            [self.tools.python.path]
            // Not -I, which would ignore the environment's hash seed: nothing else of what it keeps out is in there.
            + ["-s", "-S", "-B", "-c", script] + arguments
        var command = [self.tools.bwrap] + self.arguments(folderBytes: folderBytes) + ["--"] + program
        // When memory runs out on the whole machine, a sandbox goes first.
        if let choom = self.tools.choom { command = [choom, "-n", "1000", "--"] + command }
        return ProcessConfiguration(
            command[0], Array(command.dropFirst()), environment: Self.environment, workingDirectory: "/",
            standardInput: .descriptor(input), standardOutput: .capture(limit: outputLimit),
            // A session without a terminal.
            standardError: .capture(limit: 4000), hasOwnGroup: true, identity: self.identity)
    }

    private func arguments(folderBytes: Int) -> [String] {
        var arguments = [
            // Each by name: --unshare-all would go without a user namespace where there is none.
            "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
            "--unshare-cgroup-try", "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL",
            "--uid", "\(Self.nobody)", "--gid", "\(Self.nobody)", "--hostname", "sandbox",
        ]
        for mount in self.tools.mounts { arguments += mount.arguments }
        arguments += ["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"]
        arguments += ["--size", "\(folderBytes)", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
        return arguments
    }

    /// All of it; the same hash seed gives sets the same order each time.
    private static let environment = [
        "HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
        "TMPDIR": "/tmp", "TZ": "UTC",
    ]
}

extension Jail {
    /// Nobody, for root; nil where this process can or must stay who it is.
    static var identity: ProcessConfiguration.Identity? {
        guard geteuid() == 0, Self.maps("/proc/self/uid_map"), Self.maps("/proc/self/gid_map") else { return nil }
        return ProcessConfiguration.Identity(userID: Self.nobody, groupID: Self.nobody)
    }

    /// A container's root may have no other account than its own.
    private static func maps(_ path: String) -> Bool {
        guard let file = fopen(path, "re") else { return false }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return Self.maps(nobodyIn: String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// Each line has the first number inside, the first outside, and how many.
    static func maps(nobodyIn text: String) -> Bool {
        text.split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            guard numbers.count == 3, numbers[0] <= UInt64(Self.nobody) else { return false }
            return UInt64(Self.nobody) - numbers[0] < numbers[2]
        }
    }
}

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
