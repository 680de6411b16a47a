internal import Dispatch

/// Runs a blocking call on a thread that may block, and waits for it whatever becomes of the task.
func offLoop<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
}
