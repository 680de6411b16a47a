internal import CUV

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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
