/// An engine could not start, or could not answer.
public struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case cancelled, deviceUnavailable, invalidRequest, modelUnreadable, modelUnsupported, notFinite, outOfMemory
            case decodeFailed, requestTooLong, settings
        }

        private let value: Value

        /// The task was cancelled between two decodes.
        public static let cancelled = Code(value: .cancelled)
        /// The llama.cpp call itself failed, or the device did.
        public static let decodeFailed = Code(value: .decodeFailed)
        /// The device asked for is not there.
        public static let deviceUnavailable = Code(value: .deviceUnavailable)
        /// A request is malformed: empty, or with token ids outside the vocabulary.
        public static let invalidRequest = Code(value: .invalidRequest)
        /// The model file is missing, truncated or damaged.
        public static let modelUnreadable = Code(value: .modelUnreadable)
        /// The model is of a kind that this engine can't evaluate.
        public static let modelUnsupported = Code(value: .modelUnsupported)
        /// The model's output holds NaN or infinity.
        public static let notFinite = Code(value: .notFinite)
        /// Memory for the model, the cache or the output does not suffice.
        public static let outOfMemory = Code(value: .outOfMemory)
        /// A request needs more tokens than `maxLength`.
        public static let requestTooLong = Code(value: .requestTooLong)
        /// The engine's settings contradict each other or the model.
        public static let settings = Code(value: .settings)

        /// Whether the same shard may well succeed when tried again, perhaps elsewhere.
        public var isTransient: Bool {
            switch self.value {
            case .cancelled, .decodeFailed, .deviceUnavailable, .outOfMemory: true
            case .invalidRequest, .modelUnreadable, .modelUnsupported, .notFinite, .requestTooLong, .settings: false
            }
        }

        public var description: String { self.value.rawValue }
    }

    public var code: Code
    /// What happened, where, and what to do.
    public var message: String
    /// The index of the request at fault, where one is.
    public var requestIndex: Int?

    public init(_ code: Code, _ message: String, requestIndex: Int? = nil) {
        self.code = code
        self.message = message
        self.requestIndex = requestIndex
    }

    public var description: String {
        guard let requestIndex = self.requestIndex else { return self.message }
        return "request \(requestIndex): \(self.message)"
    }
}
