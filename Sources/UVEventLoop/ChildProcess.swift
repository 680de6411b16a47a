internal import CUV
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A child process that an event loop watches; it outlives this value and the tasks that wait for it.
public final class ChildProcess: Sendable {
    private enum State {
        case running(waiters: [PendingResult<ProcessResult>])
        case ended(Result<ProcessResult, EventLoopError>)
    }

    public let processID: CInt
    private let loop: EventLoop
    private let name: String
    private let state = Mutex(State.running(waiters: []))

    init(processID: CInt, name: String, on loop: EventLoop) {
        self.processID = processID
        self.name = name
        self.loop = loop
    }

    /// How the process ended, or nil while it runs.
    public var result: ProcessResult? {
        self.state.withLock { state in
            guard case .ended(.success(let result)) = state else { return nil }
            return result
        }
    }

    /// Waits for the end of the process; any number of tasks may.
    ///
    /// Throws `CancellationError` when the waiting task is cancelled, which leaves the process alone, and
    /// ``EventLoopError`` when the loop ends first.
    public func waitForExit() async throws -> ProcessResult {
        let pending = PendingResult<ProcessResult>()
        let ended = self.state.withLock { state -> Result<ProcessResult, EventLoopError>? in
            switch state {
            case .running(let waiters):
                state = .running(waiters: waiters + [pending])
                return nil
            case .ended(let result):
                return result
            }
        }
        if let ended { return try ended.get() }
        return try await pending.value {
            self.state.withLock { state in
                guard case .running(let waiters) = state else { return }
                state = .running(waiters: waiters.filter { $0 !== pending })
            }
        }
    }

    /// Sends a signal to the process, or to its whole group if it has its own; nothing happens when it has ended.
    public func send(signal: CInt, toGroup: Bool = false) async throws(EventLoopError) {
        let name = "send signal \(signal) to \(self.name) (process \(self.processID))"
        try await self.loop.call { loop throws(EventLoopError) in
            guard loop.confined.isOpen else { throw EventLoopError(.shutDown, name) }
            try loop.confined.processes[self.processID]?.send(signal, toGroup: toGroup, name)
        }
    }

    func end(_ result: Result<ProcessResult, EventLoopError>) {
        let waiters = self.state.withLock { state -> [PendingResult<ProcessResult>] in
            guard case .running(let waiters) = state else { return [] }
            state = .ended(result)
            return waiters
        }
        for waiter in waiters { waiter.finish(result.mapError { $0 }) }
    }
}

extension EventLoop {
    /// Starts a child process; a program that can't be executed is an error here, not a failed child.
    public func spawn(_ configuration: ProcessConfiguration) async throws(EventLoopError) -> ChildProcess {
        try await self.call { loop throws(EventLoopError) in
            guard loop.confined.isOpen else { throw EventLoopError(.shutDown, "start \(configuration.executable)") }
            return try ProcessOperation(on: loop).start(configuration)
        }
    }

    /// Starts a child process and waits for its end.
    ///
    /// When the task is cancelled the child (with its group, if it has its own) is killed, and `CancellationError` is
    /// thrown once it is gone.
    public func run(_ configuration: ProcessConfiguration) async throws -> ProcessResult {
        try Task.checkCancellation()
        let child = try await self.spawn(configuration)
        do {
            return try await child.waitForExit()
        } catch is CancellationError {
            try await child.send(signal: SIGKILL, toGroup: configuration.hasOwnGroup)
            // A task of its own, because this one is cancelled.
            _ = try await Task { try await child.waitForExit() }.value
            throw CancellationError()
        }
    }
}

/// What to start as a child process, and how.
public struct ProcessConfiguration: Sendable {
    /// Where the child's standard input comes from.
    public enum Input: Sendable {
        case null
        case inherit
        /// A descriptor of this process, which stays open here.
        case descriptor(CInt)
    }

    /// Where a stream that the child writes goes.
    public enum Output: Sendable {
        case null
        case inherit
        /// A descriptor of this process, which stays open here.
        case descriptor(CInt)
        /// Kept in memory: the last `limit` bytes.
        case capture(limit: Int)
    }

    /// The account that the child runs as; needs a privileged parent.
    public struct Identity: Sendable, Hashable {
        public var userID: UInt32
        public var groupID: UInt32

        public init(userID: UInt32, groupID: UInt32) {
            self.userID = userID
            self.groupID = groupID
        }
    }

    /// A path, or a name that is looked up in PATH.
    public var executable: String
    /// Without the program's name.
    public var arguments: [String]
    /// The whole environment; nil for this process's.
    public var environment: [String: String]?
    /// Nil for this process's.
    public var workingDirectory: String?
    public var standardInput: Input
    public var standardOutput: Output
    public var standardError: Output
    /// The child leads a new session and so a process group of its own, and does not get the terminal's signals.
    public var hasOwnGroup: Bool
    /// Nil for this process's.
    public var identity: Identity?

    public init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        workingDirectory: String? = nil, standardInput: Input = .null, standardOutput: Output = .inherit,
        standardError: Output = .inherit, hasOwnGroup: Bool = false, identity: Identity? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.standardInput = standardInput
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.hasOwnGroup = hasOwnGroup
        self.identity = identity
    }
}

/// How a child process ended.
public enum ProcessTermination: Hashable, Sendable, CustomStringConvertible {
    case exited(status: Int)
    case signalled(CInt)

    public var isSuccess: Bool { self == .exited(status: 0) }

    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let number): "killed by signal \(number)"
        }
    }
}

/// What a captured stream of a child process held.
public struct CapturedOutput: Hashable, Sendable {
    /// The end of the output, at most as long as the limit that was set.
    public var bytes: [UInt8] = []
    /// Earlier output was dropped.
    public var isTruncated = false

    /// The bytes as text, with U+FFFD where they are not UTF-8.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }

    mutating func append(_ new: UnsafeRawBufferPointer, limit: Int) {
        self.bytes.append(contentsOf: new)
        // Trimmed at twice the limit, so that each byte is moved at most once on average.
        if self.bytes.count > 2 * limit { self.trim(to: limit) }
    }

    mutating func trim(to limit: Int) {
        guard self.bytes.count > limit else { return }
        self.bytes.removeFirst(self.bytes.count - limit)
        self.isTruncated = true
    }
}

/// A finished child process.
public struct ProcessResult: Hashable, Sendable {
    public var termination: ProcessTermination
    /// Empty unless captured.
    public var standardOutput: CapturedOutput
    /// Empty unless captured.
    public var standardError: CapturedOutput
}

/// The libuv side of a child process; used only on the loop.
final class ProcessOperation: LoopOperation {
    private let loop: EventLoop
    private var handle: UnsafeMutablePointer<uv_process_t>?
    private var child: ChildProcess?
    private var output: OutputCapture?
    private var error: OutputCapture?

    init(on loop: EventLoop) { self.loop = loop }

    func start(_ configuration: ProcessConfiguration) throws(EventLoopError) -> ChildProcess {
        let handle = self.loop.allocateHandle(uv_process_t.self, owner: self)
        var streams = [
            configuration.standardInput.container(),
            self.container(configuration.standardOutput, inherited: STDOUT_FILENO, capture: &self.output),
            self.container(configuration.standardError, inherited: STDERR_FILENO, capture: &self.error),
        ]
        let arguments = CStringArray([configuration.executable] + configuration.arguments)
        let environment = configuration.environment.map { CStringArray($0.map { "\($0)=\($1)" }) }
        let directory = configuration.workingDirectory.map { CStringArray([$0]) }
        var options = uv_process_options_t()
        options.exit_cb = { handle, status, signal in
            owner(ProcessOperation.self, of: handle?.pointee.data)?.exit(status, signal)
        }
        options.file = UnsafePointer(arguments.pointers[0])
        options.args = arguments.pointers.baseAddress
        options.env = environment?.pointers.baseAddress
        options.cwd = UnsafePointer(directory?.pointers[0])
        if configuration.hasOwnGroup { options.flags |= UV_PROCESS_DETACHED.rawValue }
        if let identity = configuration.identity {
            options.flags |= UV_PROCESS_SETUID.rawValue | UV_PROCESS_SETGID.rawValue
            options.uid = identity.userID
            options.gid = identity.groupID
        }
        let status = streams.withUnsafeMutableBufferPointer { streams in
            options.stdio_count = CInt(streams.count)
            options.stdio = streams.baseAddress
            return uv_spawn(self.loop.handles.loop, handle, &options)
        }
        withExtendedLifetime((arguments, environment, directory)) {}
        self.handle = handle
        guard status == 0 else {
            self.close()
            throw EventLoopError(.system, "start \(configuration.executable)", systemError: -status)
        }
        let child = ChildProcess(processID: handle.pointee.pid, name: configuration.executable, on: self.loop)
        self.child = child
        self.loop.register(self)
        self.loop.confined.processes[child.processID] = self
        self.output?.start()
        self.error?.start()
        return child
    }

    func send(_ signal: CInt, toGroup: Bool, _ name: String) throws(EventLoopError) {
        // The process is reaped on this thread, so its number can't have been given to another one yet.
        guard let handle = self.handle else { return }
        let status = toGroup ? (kill(-handle.pointee.pid, signal) == 0 ? 0 : -errno) : uv_process_kill(handle, signal)
        if status != -ESRCH { try check(status, name) }
    }

    func loopWillEnd() {
        self.close()
        self.child?.end(.failure(EventLoopError(.shutDown, "wait for a child process")))
    }

    private func exit(_ status: Int64, _ signal: CInt) {
        let result = ProcessResult(
            termination: signal == 0 ? .exited(status: Int(status)) : .signalled(signal),
            standardOutput: self.output?.finish() ?? CapturedOutput(),
            standardError: self.error?.finish() ?? CapturedOutput())
        self.close()
        self.child?.end(.success(result))
    }

    private func close() {
        guard let handle = self.handle.take() else { return }
        if let child = self.child { self.loop.confined.processes[child.processID] = nil }
        self.loop.closeHandle(handle)
        self.output?.close()
        self.error?.close()
        self.loop.unregister(self)
    }

    private func container(
        _ output: ProcessConfiguration.Output, inherited: CInt, capture: inout OutputCapture?
    ) -> uv_stdio_container_t {
        switch output {
        case .null: return cuv_stdio_null()
        case .inherit: return cuv_stdio_descriptor(inherited)
        case .descriptor(let descriptor): return cuv_stdio_descriptor(descriptor)
        case .capture(let limit):
            let new = OutputCapture(on: self.loop, limit: limit)
            capture = new
            return cuv_stdio_pipe(new.pipe)
        }
    }
}

extension ProcessConfiguration.Input {
    fileprivate func container() -> uv_stdio_container_t {
        switch self {
        case .null: cuv_stdio_null()
        case .inherit: cuv_stdio_descriptor(STDIN_FILENO)
        case .descriptor(let descriptor): cuv_stdio_descriptor(descriptor)
        }
    }
}

/// A null-terminated array of C strings.
private final class CStringArray {
    let pointers: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String]) {
        self.pointers = .allocate(capacity: strings.count + 1)
        self.pointers.initialize(repeating: nil)
        for (index, string) in strings.enumerated() { self.pointers[index] = strdup(string) }
    }

    deinit {
        for pointer in self.pointers { free(pointer) }
        self.pointers.deallocate()
    }
}

/// Collects what a child writes to a pipe; used only on the loop.
final class OutputCapture {
    let pipe: UnsafeMutablePointer<uv_pipe_t>
    private let loop: EventLoop
    private let limit: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    private var output = CapturedOutput()
    private var isOpen = true

    init(on loop: EventLoop, limit: Int) {
        self.loop = loop
        self.limit = max(0, limit)
        self.pipe = .allocate(capacity: 1)
        uv_pipe_init(loop.handles.loop, self.pipe, 0)
        self.pipe.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { self.buffer.deallocate() }

    func start() {
        let stream = UnsafeMutableRawPointer(self.pipe).assumingMemoryBound(to: uv_stream_t.self)
        // A failure to start is an error that the last read sees as well.
        uv_read_start(
            stream,
            { handle, _, result in
                guard let capture = owner(OutputCapture.self, of: handle?.pointee.data) else { return }
                result?.pointee = uv_buf_init(
                    capture.buffer.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(capture.buffer.count))
            },
            { handle, count, _ in
                guard count > 0, let capture = owner(OutputCapture.self, of: handle?.pointee.data) else { return }
                capture.output.append(UnsafeRawBufferPointer(capture.buffer.prefix(count)), limit: capture.limit)
            })
    }

    /// Takes what the ended child had written, without waiting for others who hold the pipe's other end.
    func finish() -> CapturedOutput {
        var descriptor: CInt = -1
        let handle = UnsafeMutableRawPointer(self.pipe).assumingMemoryBound(to: uv_handle_t.self)
        if uv_fileno(handle, &descriptor) == 0 {
            while true {
                let count = read(descriptor, self.buffer.baseAddress, self.buffer.count)
                if count > 0 {
                    self.output.append(UnsafeRawBufferPointer(self.buffer.prefix(count)), limit: self.limit)
                } else if count == 0 || errno != EINTR {
                    break
                }
            }
        }
        self.output.trim(to: self.limit)
        return self.output
    }

    func close() {
        guard self.isOpen else { return }
        self.isOpen = false
        self.loop.closeHandle(self.pipe)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func prefix(_ count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: self[..<count])
    }
}

/// The process that started this one.
public enum ParentProcess {
    /// Has the kernel kill this process when its parent ends, however it ends.
    ///
    /// - Parameter expected: The parent's process number.
    /// - Returns: False when that parent is gone already; then this process should end by itself.
    public static func dieWith(_ expected: CInt) -> Bool {
        // Precisely, when the thread ends that started this process: an event loop's, which lives as long as its children.
        cuv_die_with_parent(SIGKILL) == 0 && getppid() == expected
    }
}
