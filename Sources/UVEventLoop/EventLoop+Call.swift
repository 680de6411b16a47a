extension EventLoop {
    /// Runs `work` on the loop and waits for it, whatever becomes of the calling task.
    func call<Value: Sendable>(
        _ work: @escaping @Sendable (EventLoop) throws(EventLoopError) -> Value
    ) async throws(EventLoopError) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, EventLoopError>, Never>) in
            self.perform {
                do throws(EventLoopError) {
                    continuation.resume(returning: .success(try work(self)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
