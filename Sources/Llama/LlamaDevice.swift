internal import CLlama

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A device that llama.cpp can compute on.
public struct LlamaDevice: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable {
        case cpu, gpu, integratedGPU, accelerator
    }

    /// llama.cpp's name, such as "CPU" or "CUDA0".
    public var name: String
    /// The maker's name, such as "NVIDIA H100 80GB HBM3".
    public var description: String
    public var kind: Kind
    /// In bytes; 0 if the device does not say.
    public var totalMemory: Int
    /// In bytes, at the time of asking; 0 if the device does not say.
    public var freeMemory: Int

    /// All devices of this process, in llama.cpp's order.
    public static func all() -> [LlamaDevice] {
        LlamaBackend.started
        return (0..<ggml_backend_dev_count()).compactMap { index in
            ggml_backend_dev_get(index).map(LlamaDevice.init(handle:))
        }
    }

    /// How many NVIDIA GPUs this process sees.
    public static var cudaCount: Int { Self.all().count { $0.name.hasPrefix("CUDA") } }

    /// What decides how this device rounds: instruction set of a CPU, model of a GPU.
    ///
    /// Part of what makes results comparable.
    public var computeKind: String {
        guard self.kind == .cpu else { return self.description }
        let features = Self.cpuFeatures()
        let names = ["AVX512", "AVX2", "AVX", "SVE", "NEON"]
        guard let widest = names.first(where: features.contains) else { return "cpu" }
        return "cpu-\(widest.lowercased())"
    }

    /// What of the machine may change low bits of answers: instructions that the CPU's code was compiled for and uses, what
    /// the GPU's code was, and the driver, which compiles parts of it.
    public var traits: [String: String] {
        var traits = ["cpu_features": Self.cpuFeatures().sorted().joined(separator: ",")]
        guard self.kind != .cpu else { return traits }
        traits["gpu_features"] = Self.features(of: assay_device_features(self.name))
            .map { "\($0.key)=\($0.value)" }.sorted().joined(separator: ",")
        traits["gpu_driver"] = Self.driver()
        return traits
    }

    /// What NVIDIA's driver says of itself; `nil` without one.
    private static func driver() -> String? {
        guard let file = fopen("/proc/driver/nvidia/version", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 200)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    init(handle: ggml_backend_dev_t) {
        var properties = ggml_backend_dev_props()
        ggml_backend_dev_get_props(handle, &properties)
        self.name = properties.name.map { String(cString: $0) } ?? "?"
        self.description = properties.description.map { String(cString: $0) } ?? self.name
        self.kind =
            switch properties.type {
            case GGML_BACKEND_DEVICE_TYPE_CPU: .cpu
            case GGML_BACKEND_DEVICE_TYPE_GPU: .gpu
            case GGML_BACKEND_DEVICE_TYPE_IGPU: .integratedGPU
            default: .accelerator
            }
        self.totalMemory = Int(clamping: properties.memory_total)
        self.freeMemory = Int(clamping: properties.memory_free)
        // Of a CPU's memory llama.cpp calls all of it free.
        if self.kind == .cpu, let available = SystemMemory.available() {
            self.freeMemory = min(available, self.totalMemory)
        }
    }

    private static func cpuFeatures() -> Set<String> {
        LlamaBackend.started
        return Set(Self.features(of: assay_cpu_features()).filter { $0.value != "0" }.keys)
    }

    /// A list of llama.cpp's, which a null name ends.
    private static func features(of list: UnsafePointer<ggml_backend_feature>?) -> [String: String] {
        var values: [String: String] = [:]
        guard var feature = list else { return values }
        while let name = feature.pointee.name {
            if let value = feature.pointee.value { values[String(cString: name)] = String(cString: value) }
            feature += 1
        }
        return values
    }
}

extension LlamaDevice {
    /// The free memory of the device with this name now, in bytes; `nil` if it is unknown.
    public static func freeMemory(of name: String) -> Int? {
        Self.all().first { $0.name == name && $0.totalMemory > 0 }?.freeMemory
    }

    /// What is left of the free memory for an engine: others on the machine need some as well; `nil` if it is unknown.
    public static func usableMemory(of name: String) -> Int? {
        guard let device = Self.all().first(where: { $0.name == name && $0.totalMemory > 0 }) else { return nil }
        let reserve = min(max(device.totalMemory / 16, 256 << 20), 2 << 30)
        return max(0, device.freeMemory - (device.kind == .cpu ? reserve : reserve / 4))
    }
}

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
