import Glibc

/// A call to libhdf5 that failed, or a file that does not hold what was asked of it.
public struct HDF5Error: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure, for callers that decide by it.
    public enum Code: Sendable, Hashable {
        /// A call of the library returned an error.
        case callFailed
        /// An object or attribute is not there.
        case notFound
        /// An object has another type, shape, layout or filter than allowed.
        case unsupported
        /// An object declares more than the limit, or more than its stored bytes could hold.
        case tooLarge
        /// The bytes are no complete file of this format.
        case malformed
    }

    public var code: Code
    /// The library's function, or what was being done.
    public var operation: String
    /// The file, object or attribute concerned.
    public var object: String
    /// What is wrong, where the library has nothing to say.
    public var detail: String
    /// The library's error stack, outermost call first.
    public var stack: [String]

    public init(_ code: Code, operation: String, object: String, detail: String = "", stack: [String] = []) {
        self.code = code
        self.operation = operation
        self.object = object
        self.detail = detail
        self.stack = stack
    }

    /// A call to the operating system that failed with `number`.
    static func system(_ number: Int32, _ operation: String, object: String) -> HDF5Error {
        HDF5Error(
            .callFailed, operation: operation, object: object,
            stack: ["\(String(cString: strerror(number))), errno = \(number)"])
    }

    public var description: String {
        let reasons = (self.detail.isEmpty ? [] : [self.detail]) + self.stack
        return "\(self.object): \(self.operation) failed: \(reasons.joined(separator: "; "))"
    }

    /// The operating system's error number, where the library mentions one.
    public var systemError: Int32? {
        for frame in self.stack {
            guard let start = frame.firstRange(of: "errno = ")?.upperBound else { continue }
            let digits = frame[start...].prefix { $0.isASCII && $0.isNumber }
            if let number = Int32(digits) { return number }
        }
        return nil
    }
}
