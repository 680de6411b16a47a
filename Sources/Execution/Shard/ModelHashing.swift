internal import Dispatch
public import Llama

/// Hashes model files on a thread of its own: tens of gigabytes must not block the cooperative pool.
public enum ModelHashing {
    private static let queue = DispatchQueue(label: "assay.model-hashing")

    /// The file's SHA-256 in hexadecimal digits.
    public static func sha256(path: String) async throws(LlamaError) -> String {
        let result: Result<String, LlamaError> = await withCheckedContinuation { continuation in
            self.queue.async {
                do throws(LlamaError) {
                    continuation.resume(returning: .success(try GGUFFile.sha256(path: path)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}
