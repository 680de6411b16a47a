/// The device that a model is to be loaded on.
public enum DeviceChoice: Sendable, Hashable, CustomStringConvertible {
    /// The first GPU, else the CPU.
    case auto
    case cpu
    /// The GPU with this number, counted from 0 in the order of the CUDA runtime.
    case cuda(Int)

    /// Reads "auto", "cpu" or "cuda:N"; `nil` if the text is none of these.
    public init?(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "cpu": self = .cpu
        default:
            let prefix = "cuda:"
            guard text.hasPrefix(prefix), let number = Int(text.dropFirst(prefix.count)), number >= 0 else {
                return nil
            }
            self = .cuda(number)
        }
    }

    public var description: String {
        switch self {
        case .auto: "auto"
        case .cpu: "cpu"
        case .cuda(let number): "cuda:\(number)"
        }
    }
}
