#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

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
