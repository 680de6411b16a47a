internal import UVEventLoop

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
