public import Logging
internal import ServiceLifecycle
internal import Synchronization

/// The long-lived services of a process: what the process is for, and what goes on beside it.
///
/// All of them run at once. They end one after the other: first the main one, and then the others, the one that was added last
/// first. So the main service has the others for as long as it takes to finish.
public final class ProcessServices: Sendable {
    private struct State {
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        /// In the order in which they were added.
        var names: [String] = []
        var running: Set<String> = []
        var group: ServiceGroup?
        /// Cancels the main service, once it runs.
        var cancel: (@Sendable () -> Void)?
        var isDraining = false
        var isAbandoned = false
    }

    private let state = Mutex(State())
    private let deadline: Duration
    private let logger: Logger

    /// - Parameter deadline: How long the other services may take to end once the main one has.
    public init(deadline: Duration, logger: Logger) {
        self.deadline = deadline
        self.logger = logger
    }

    /// The services that have begun and not ended, in the order in which they were added.
    public var running: [String] {
        self.state.withLock { state in state.names.filter(state.running.contains) }
    }

    /// Adds a service; when its turn to end comes, its task is cancelled.
    ///
    /// One that fails is reported in the log, and takes no other with it.
    public func add(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        let service = FunctionService { [self] in
            await self.track(name) {
                do {
                    try await cancelWhenGracefulShutdown { try await body() }
                } catch {
                    guard !(error is CancellationError) else { return }
                    self.logger.warning(
                        "a service of this process failed", metadata: ["service": "\(name)", "error": "\(error)"])
                }
            }
            // A group would take it amiss if a service ended by itself.
            try? await gracefulShutdown()
        }
        self.state.withLock { state in
            state.names.append(name)
            state.services.append(
                .init(
                    service: service, successTerminationBehavior: .ignore, failureTerminationBehavior: .ignore,
                    serviceName: name))
        }
    }

    /// Runs everything until the main service, `body`, has ended, and the others after it; call it once.
    ///
    /// Others that have not ended within the deadline are named in the log and left to themselves.
    ///
    /// - Parameter finish: Asks `body` to end when it has done what is in hand; called at most once, from any thread.
    /// - Returns: What `body` returned; throws what it threw.
    public func run<Value: Sendable>(
        _ name: String, finish: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (outcomes, outcome) = AsyncStream<Result<Value, any Error>>.makeStream()
        let main = FunctionService { [self] in
            await self.track(name) {
                let work = Task { try await body() }
                self.setCancel { work.cancel() }
                let result = await withTaskCancellationHandler {
                    await withGracefulShutdownHandler {
                        await work.result
                    } onGracefulShutdown: {
                        finish()
                    }
                } onCancel: {
                    work.cancel()
                }
                outcome.yield(result)
            }
            outcome.finish()
        }
        let whole = self.start(main, name)
        // A task that was cancelled could not wait any more.
        let result = await withTaskCancellationHandler {
            await Task { await outcomes.first { _ in true } }.value
        } onCancel: {
            whole.cancel()
        }
        await self.end(whole)
        guard let result else { throw CancellationError() }
        return try result.get()
    }

    /// Has the main service finish what is in hand, and then the others end; returns at once, and may be called at any time.
    public func drain() {
        let group = self.state.withLock { state in
            state.isDraining = true
            return state.group
        }
        // Not waited for: the caller has to hear what comes next, whatever hangs.
        if let group { Task { await group.triggerGracefulShutdown() } }
    }

    /// Cancels the main service, and has the others end after it; returns at once, and may be called at any time.
    public func abandon() {
        let cancel = self.state.withLock { state in
            state.isAbandoned = true
            return state.cancel
        }
        cancel?()
    }

    private func setCancel(_ cancel: @escaping @Sendable () -> Void) {
        let isAbandoned = self.state.withLock { state in
            state.cancel = cancel
            return state.isAbandoned
        }
        if isAbandoned { cancel() }
    }

    private func start(_ main: FunctionService, _ name: String) -> Task<Void, any Error> {
        self.state.withLock { state in
            let services =
                state.services + [
                    .init(
                        service: main, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup, serviceName: name)
                ]
            let group = ServiceGroup(configuration: .init(services: services, logger: self.logger))
            state.group = group
            state.services = []
            state.names.append(name)
            let isDraining = state.isDraining
            return Task {
                if isDraining { await group.triggerGracefulShutdown() }
                try await group.run()
            }
        }
    }

    /// Waits for the services beside the main one, which has ended.
    private func end(_ whole: Task<Void, any Error>) async {
        let (waiting, isOver) = AsyncStream<Void>.makeStream()
        Task {
            _ = await whole.result
            isOver.finish()
        }
        let timer = Task {
            try await Task.sleep(for: self.deadline)
            let names = self.running
            if !names.isEmpty {
                self.logger.warning(
                    "services of this process did not end in time and are left to themselves",
                    metadata: ["running": "\(names.joined(separator: ", "))"])
            }
            whole.cancel()
            isOver.finish()
        }
        await Task { for await _ in waiting {} }.value
        timer.cancel()
    }

    private func track(_ name: String, _ body: () async -> Void) async {
        _ = self.state.withLock { $0.running.insert(name) }
        await body()
        _ = self.state.withLock { $0.running.remove(name) }
    }
}

/// A service that is a function.
private struct FunctionService: Service {
    let body: @Sendable () async -> Void

    func run() async { await self.body() }
}
