internal import class Foundation.Thread

/// Runs what waits for a disk beside the cooperative pool, which must not be blocked.
enum OwnThread {
    static func run<Value: Sendable, Failure: Error>(
        _ body: @Sendable @escaping () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
