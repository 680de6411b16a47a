import CHDF5

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
