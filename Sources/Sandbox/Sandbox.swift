internal import Synchronization
public import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Runs Python programs that nobody has read: without network, files, other processes or much of anything.
///
/// A program is executed as code_eval does it: its text with empty globals (so `__name__` is not "__main__"), its
/// output dropped, nothing to read. It sees the standard library alone, and a folder of its own that is empty at first.
/// Everything that it starts is gone before its verdict is there. A program that sets out to can write its own verdict, as
/// with code_eval; what it can't do is reach anything else.
public struct Sandbox: Sendable {
    public let limits: SandboxLimits
    /// Such as "3.11.2"; another version may judge some programs otherwise.
    public let pythonVersion: String
    let jail: Jail
    private let loop: EventLoop

    init(limits: SandboxLimits, pythonVersion: String, jail: Jail, loop: EventLoop) {
        self.limits = limits
        self.pythonVersion = pythonVersion
        self.jail = jail
        self.loop = loop
    }

    /// Runs a program to its end.
    ///
    /// When the task is cancelled, the program is killed, and `.cancelled` thrown once it is gone.
    public func run(_ program: String) async throws(SandboxError) -> Verdict {
        let run = SandboxRun(jail: self.jail, limits: self.limits, loop: self.loop)
        let (result, hasExpired) = try await run.result(of: program)
        return try DriverReport.verdict(of: result, hasExpired: hasExpired)
    }

    /// Runs several programs, at most `width` at a time; the verdicts are in the programs' order.
    ///
    /// - Parameter sign: Called after each program.
    public func run(
        programs: [String], atMost width: Int, sign: @escaping @Sendable () -> Void = {}
    ) async throws(SandboxError) -> [Verdict] {
        let outcome = await withTaskGroup(
            of: (Int, Result<Verdict, SandboxError>).self, returning: Result<[Verdict], SandboxError>.self
        ) { group in
            var waiting = programs.enumerated().makeIterator()
            func startNext() {
                guard let (index, program) = waiting.next() else { return }
                group.addTask {
                    do throws(SandboxError) {
                        return (index, .success(try await self.run(program)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<max(1, width) { startNext() }
            var verdicts: [Int: Verdict] = [:]
            for await (index, result) in group {
                switch result {
                case .success(let verdict):
                    verdicts[index] = verdict
                    sign()
                case .failure(let error):
                    group.cancelAll()
                    await group.waitForAll()
                    return .failure(error)
                }
                startNext()
            }
            return .success(programs.indices.compactMap { verdicts[$0] })
        }
        return try outcome.get()
    }
}

extension Sandbox {
    /// Finds what a sandbox needs on this machine, and runs a program in one that tries whether it holds.
    ///
    /// - Parameters:
    ///   - python: The path of a Python in /usr or /usr/local; nil for the distribution's.
    ///   - loop: Starts and watches the programs.
    public static func find(
        limits: SandboxLimits = SandboxLimits(), python: String? = nil, on loop: EventLoop
    ) async throws(SandboxError) -> Sandbox {
        if let mistake = limits.mistake {
            throw SandboxError(.limits, "programs can't be run with these limits: \(mistake)")
        }
        let tools = try SandboxTools.find(python: python)
        let jail = Jail(tools: tools, identity: Jail.identity)
        // Its own limits: the caller's may be too tight for anything, and that is no fault of the machine's.
        let run = SandboxRun(jail: jail, limits: SandboxLimits(), loop: loop)
        let result: (result: ProcessResult, hasExpired: Bool)
        do throws(SandboxError) {
            result = try await run.result(of: String(decoding: PackageResources.probe_py, as: UTF8.self))
        } catch {
            throw error.code == .cancelled ? error : SandboxError(.unavailable, error.message, hint: Self.hint(""))
        }
        let report = DriverReport(result.result.standardOutput.text)
        guard report.verdict == .passed, let version = report.python else {
            throw Self.unfit(report, result.result, hasExpired: result.hasExpired)
        }
        return Sandbox(limits: limits, pythonVersion: version, jail: jail, loop: loop)
    }

    private static func unfit(_ report: DriverReport, _ result: ProcessResult, hasExpired: Bool) -> SandboxError {
        if let verdict = report.verdict {
            return SandboxError(
                .unavailable, "a sandbox does not hold on this machine; the program that tries it \(verdict)",
                hint: "run as another user than root, on Linux 5.14 or newer")
        }
        let text = result.standardError.text.split(separator: "\n").suffix(4).joined(separator: " / ")
        let end = hasExpired ? "it did not end in time" : "\(result.termination)"
        return SandboxError(
            .unavailable,
            "bwrap does not run Python in a sandbox on this machine (\(end)): \(text.isEmpty ? "no message" : text)",
            hint: Self.hint(text))
    }

    /// What to do when bwrap says `text`, as far as this machine's settings show it.
    private static func hint(_ text: String) -> String {
        if text.contains("Unknown option") { return "install bubblewrap 0.8 or newer" }
        if Self.setting("kernel/unprivileged_userns_clone") == "0" {
            return "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1"
        }
        if Self.setting("user/max_user_namespaces") == "0" {
            return "allow user namespaces: sysctl user.max_user_namespaces=10000"
        }
        if Self.setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return """
                allow bwrap user namespaces by an AppArmor profile (apt install apparmor-profiles, then enable \
                bwrap-userns-restrict), or all programs: sysctl kernel.apparmor_restrict_unprivileged_userns=0
                """
        }
        return """
            in a container, allow user namespaces and mounts in them (Docker: --security-opt seccomp=unconfined \
            --security-opt apparmor=unconfined)
            """
    }

    private static func setting(_ name: String) -> String? {
        guard let file = fopen("/proc/sys/\(name)", "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first.map { String($0) }
    }
}

/// Why a program could not be judged; never the program's own fault.
public struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// This machine can't confine programs as it stands.
        case unavailable
        /// The limits can't be used.
        case limits
        /// A sandbox that worked before did not this time; it may the next.
        case failed
        /// The task was cancelled.
        case cancelled
    }

    public let code: Code
    /// What happened and where.
    public let message: String
    /// What to do about it.
    public let hint: String?

    init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String { self.hint.map { "\(self.message); \($0)" } ?? self.message }

    static let cancelled = SandboxError(.cancelled, "the program was stopped because its task was cancelled")
}

/// What a program may use up; each is more than an honest solution of an exercise needs.
public struct SandboxLimits: Hashable, Sendable {
    /// Processor time of each process in whole seconds, which decides alike on a busy machine and on an idle one.
    public var processorSeconds: Int
    /// The time from the program's start to its end, for programs that wait; far beyond what a busy machine makes of the other.
    public var time: Duration
    /// Address space of each process; at worst a program fills this as often as it may have processes.
    public var memoryBytes: Int
    /// Processes and threads at the same time, the program itself among them.
    public var processes: Int
    /// All files in the program's folder together.
    public var folderBytes: Int
    /// One file.
    public var fileBytes: Int
    public var openFiles: Int
    /// The longest text that a verdict carries.
    public var reasonBytes: Int

    public init(
        processorSeconds: Int = 3, time: Duration = .seconds(30), memoryBytes: Int = 1 << 30, processes: Int = 8,
        folderBytes: Int = 16 << 20, fileBytes: Int = 4 << 20, openFiles: Int = 64, reasonBytes: Int = 2000
    ) {
        self.processorSeconds = processorSeconds
        self.time = time
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.folderBytes = folderBytes
        self.fileBytes = fileBytes
        self.openFiles = openFiles
        self.reasonBytes = reasonBytes
    }
}

extension SandboxLimits {
    /// Says what is wrong with them; nil when they can be used.
    var mistake: String? {
        if self.time <= .zero || self.time > .seconds(86400) {
            return "the time must be more than 0 s and at most 1 day"
        }
        if self.memoryBytes < 64 << 20 { return "Python needs 64 MiB of memory at least" }
        if self.openFiles < 16 { return "Python needs 16 open files at least" }
        let rest = [self.processorSeconds, self.processes, self.folderBytes, self.fileBytes, self.reasonBytes]
        return rest.contains { $0 < 1 } ? "each must be at least 1" : nil
    }

    /// The driver's arguments.
    var arguments: [String] {
        let (seconds, attoseconds) = self.time.components
        let milliseconds = max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        let numbers = [
            Int(milliseconds), self.reasonBytes, self.processorSeconds, self.memoryBytes, self.processes,
            self.fileBytes, self.openFiles,
        ]
        return numbers.map { "\($0)" }
    }
}

/// One program's way through a jail.
struct SandboxRun: Sendable {
    let jail: Jail
    let limits: SandboxLimits
    let loop: EventLoop
    /// In Python; see driver.py.
    var driver = String(decoding: PackageResources.driver_py, as: UTF8.self)
    /// How long a sandbox may take to start, and to end, beyond the program's own time.
    var patience = Self.defaultPatience

    static let defaultPatience: Duration = .seconds(30)
    /// How long a driver has to end by itself when told to; after that it is killed.
    private static let grace: Duration = .seconds(2)

    /// Runs the program and says how its sandbox ended, and whether that was because its time was over.
    ///
    /// The driver keeps the time itself, from the program's start; the loop's timer is for a driver that does not.
    func result(of program: String) async throws(SandboxError) -> (result: ProcessResult, hasExpired: Bool) {
        guard !Task.isCancelled else { throw .cancelled }
        let channel = try ProgramChannel()
        let configuration = self.jail.configuration(
            running: self.driver, self.limits.arguments, folderBytes: self.limits.folderBytes,
            outputLimit: self.limits.reasonBytes + 200, input: channel.remote)
        let child: ChildProcess
        do throws(EventLoopError) {
            child = try await self.loop.spawn(configuration)
        } catch {
            throw SandboxError(.failed, "no sandbox could be started: \(error)")
        }
        channel.closeRemote()
        let watchdog = Task {
            guard (try? await self.loop.sleep(for: self.limits.time + self.patience)) != nil else { return false }
            await self.end(child, channel)
            return true
        }
        do {
            try await channel.bring(program, on: self.loop)
            let result = try await child.waitForExit()
            watchdog.cancel()
            return (result, await watchdog.value)
        } catch {
            watchdog.cancel()
            // A task of its own, because this one is cancelled.
            await Task { await self.end(child, channel) }.value
            if error is CancellationError { throw SandboxError.cancelled }
            throw SandboxError(.failed, "a sandbox was lost: \(error)")
        }
    }

    /// Ends the driver, and with it all processes in the jail, and waits until they are gone.
    private func end(_ child: ChildProcess, _ channel: ProgramChannel) async {
        channel.hangUp()
        let killer = Task {
            guard (try? await self.loop.sleep(for: Self.grace)) != nil else { return }
            try? await child.send(signal: SIGKILL, toGroup: true)
        }
        _ = try? await child.waitForExit()
        killer.cancel()
    }
}

/// The socket that brings a program to its driver, and whose end tells the driver to end.
final class ProgramChannel: Sendable {
    /// The driver's end.
    let remote: CInt
    private let local: CInt
    private let isRemoteOpen = Mutex(true)

    init() throws(SandboxError) {
        var ends: [CInt] = [-1, -1]
        #if canImport(Glibc)
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        let kind = SOCK_STREAM | SOCK_CLOEXEC
        #endif
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SandboxError(.failed, "no sandbox could be started: no socket: \(String(cString: strerror(errno)))")
        }
        (self.local, self.remote) = (ends[0], ends[1])
    }

    deinit {
        self.closeRemote()
        close(self.local)
    }

    /// The driver has its own copy.
    func closeRemote() {
        self.isRemoteOpen.withLock { isOpen in
            if isOpen { close(self.remote) }
            isOpen = false
        }
    }

    /// Tells the driver that the run is over.
    func hangUp() { shutdown(self.local, CInt(SHUT_RDWR)) }

    /// Writes the text with its length before it; gives up when the driver is gone.
    func bring(_ program: String, on loop: EventLoop) async throws {
        let length = UInt64(program.utf8.count)
        var rest = (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) } + Array(program.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                send(self.local, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN {
                try await loop.waitUntilWritable(self.local)
            } else if errno != EINTR {
                return
            }
        }
    }
}
