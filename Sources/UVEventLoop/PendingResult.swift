internal import Synchronization

/// A result that one task waits for and the loop, a cancellation or a shutdown delivers; the first one wins.
///
/// Delivery may come before the wait begins, so an operation can be started first and awaited afterwards.
public final class PendingResult<Value: Sendable>: Sendable {
    private enum State {
        case created
        case waiting(CheckedContinuation<Value, any Error>)
        case finished(Result<Value, any Error>)
        case delivered
    }

    private let state = Mutex(State.created)

    public init() {}

    /// The operation need not be started, or its handle can be closed.
    public var isFinished: Bool {
        self.state.withLock { state in
            switch state {
            case .created, .waiting: false
            case .finished, .delivered: true
            }
        }
    }

    /// Delivers the result; false when there is one already.
    @discardableResult
    public func finish(_ result: Result<Value, any Error>) -> Bool {
        let (isFirst, continuation) = self.state.withLock {
            state -> (Bool, CheckedContinuation<Value, any Error>?) in
            switch state {
            case .created:
                state = .finished(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .delivered
                return (true, continuation)
            case .finished, .delivered:
                return (false, nil)
            }
        }
        continuation?.resume(with: result)
        return isFirst
    }

    /// Waits for the result; `onCancel` is called when the task's cancellation came first.
    public func value(onCancel: @escaping @Sendable () -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let early = self.state.withLock { state -> Result<Value, any Error>? in
                    guard case .finished(let result) = state else {
                        state = .waiting(continuation)
                        return nil
                    }
                    state = .delivered
                    return result
                }
                if let early { continuation.resume(with: early) }
            }
        } onCancel: {
            if self.finish(.failure(CancellationError())) { onCancel() }
        }
    }
}
