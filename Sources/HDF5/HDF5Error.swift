import CHDF5
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

/// The library's record of why the last call on this thread failed.
@HDF5Actor
enum ErrorStack {
    private final class Frames {
        var lines: [String] = []
    }

    /// The entries as text, outermost call first; no more than 32 of them.
    static func current() -> [String] {
        let frames = Frames()
        let context = Unmanaged.passUnretained(frames).toOpaque()
        H5Ewalk2(
            chdf5_error_stack, H5E_WALK_DOWNWARD,
            { _, entry, context in
                guard let entry, let context else { return 0 }
                let frames = Unmanaged<Frames>.fromOpaque(context).takeUnretainedValue()
                guard frames.lines.count < 32 else { return 0 }
                let function = entry.pointee.func_name.map { String(cString: $0) } ?? "?"
                let text = entry.pointee.desc.map { String(cString: $0) } ?? "?"
                frames.lines.append("\(function): \(text)")
                return 0
            }, context)
        return frames.lines
    }
}

/// Makes one call of the library and turns a negative result into an error with the library's reasons.
@HDF5Actor
@discardableResult
func checked<Result: SignedInteger>(
    _ operation: String, on object: String, _ call: () -> Result
) throws(HDF5Error) -> Result {
    H5Eclear2(chdf5_error_stack)
    let result = call()
    guard result >= 0 else {
        throw HDF5Error(.callFailed, operation: operation, object: object, stack: ErrorStack.current())
    }
    return result
}
