internal import CLlama

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

    /// The device meant, as this process sees it.
    ///
    /// - Throws: `deviceUnavailable` with what there is instead.
    public func device() throws(LlamaError) -> LlamaDevice { try self.resolve().device }

    /// The device meant, and its handle where it is not the CPU.
    func resolve() throws(LlamaError) -> (device: LlamaDevice, accelerator: ggml_backend_dev_t?) {
        LlamaBackend.started
        var processor: LlamaDevice?
        var cards: [(LlamaDevice, ggml_backend_dev_t)] = []
        for index in 0..<ggml_backend_dev_count() {
            guard let handle = ggml_backend_dev_get(index) else { continue }
            let device = LlamaDevice(handle: handle)
            switch device.kind {
            case .cpu: processor = processor ?? device
            case .gpu, .integratedGPU: cards.append((device, handle))
            case .accelerator: break
            }
        }
        switch self {
        case .cuda(let number):
            let name = "CUDA\(number)"
            if let card = cards.first(where: { $0.0.name == name }) { return card }
            let known = cards.isEmpty ? "there is no GPU" : "there are \(cards.map(\.0.name).joined(separator: ", "))"
            throw LlamaError(
                .deviceUnavailable,
                "device \(self) is not available: \(known) in this build of llama.cpp (\(LlamaBackend.build)); "
                    + "use cpu or auto, or build llama.cpp for CUDA")
        case .auto:
            if let card = cards.first { return card }
        case .cpu: break
        }
        guard let processor else {
            throw LlamaError(.deviceUnavailable, "llama.cpp has no CPU device in this build (\(LlamaBackend.build))")
        }
        return (processor, nil)
    }
}
