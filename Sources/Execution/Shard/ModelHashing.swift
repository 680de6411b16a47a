internal import Dispatch
public import Llama

/// Looks at model files on a thread of its own: tens of gigabytes, or a file server that hangs, must not block the
/// cooperative pool.
public enum ModelHashing {
    private static let queue = DispatchQueue(label: "assay.model-hashing")

    /// The file's SHA-256 in hexadecimal digits.
    public static func sha256(path: String) async throws(LlamaError) -> String {
        try await Self.stampedSHA256(path: path) {}.sha256
    }

    /// The same, with the stamp that the file had while it was read.
    ///
    /// - Parameter sign: Called every few megabytes, on that thread.
    static func stampedSHA256(
        path: String, sign: @escaping @Sendable () -> Void
    ) async throws(LlamaError) -> (sha256: String, stamp: FileStamp) {
        try await Self.run { () throws(LlamaError) in try GGUFFile.stampedSHA256(path: path, sign: sign) }
    }

    static func stamp(path: String) async throws(LlamaError) -> FileStamp {
        try await Self.run { () throws(LlamaError) in try FileStamp(path: path) }
    }

    private static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(LlamaError) -> Value
    ) async throws(LlamaError) -> Value {
        let result: Result<Value, LlamaError> = await withCheckedContinuation { continuation in
            self.queue.async {
                do throws(LlamaError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
