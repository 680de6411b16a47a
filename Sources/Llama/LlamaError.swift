/// llama.cpp failed, or a model file is not what it should be.
public struct LlamaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case decodeFailed, deviceUnavailable, fileUnreadable, limitExceeded, loadFailed, malformedFile, outOfMemory
            case unsupported
        }

        private let value: Value

        /// `llama_decode` reported an error.
        public static let decodeFailed = Code(value: .decodeFailed)
        /// There is no such device in this process.
        public static let deviceUnavailable = Code(value: .deviceUnavailable)
        /// The operating system refused to open or read the file.
        public static let fileUnreadable = Code(value: .fileUnreadable)
        /// An argument is outside what was agreed with the context; caught before llama.cpp would abort the process.
        public static let limitExceeded = Code(value: .limitExceeded)
        /// llama.cpp refused the model.
        public static let loadFailed = Code(value: .loadFailed)
        /// The file is no GGUF file, is truncated or contradicts itself.
        public static let malformedFile = Code(value: .malformedFile)
        /// Memory for the model or a context could not be had.
        public static let outOfMemory = Code(value: .outOfMemory)
        /// A sound file of a kind that is not supported here.
        public static let unsupported = Code(value: .unsupported)

        public var description: String { self.value.rawValue }
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
