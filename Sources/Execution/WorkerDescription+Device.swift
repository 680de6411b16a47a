internal import Inference
public import JobQueue
public import Llama
internal import Threads
public import WorkerLogic

extension WorkerDescription {
    /// What this process can do: the device that `choice` comes to, its kind and memory.
    ///
    /// - Parameters:
    ///   - name: What the device is called, where this process sees only a part of the machine's.
    ///   - labels: What else jobs may ask for.
    public static func ofDevice(
        _ choice: DeviceChoice, name: String?, labels: [String], host: String, pid: Int
    ) async throws(ExecutionError) -> WorkerDescription {
        // Starting llama.cpp for a GPU takes a while, and must not block the cooperative pool.
        do throws(LlamaError) {
            let device = try await onOwnThread { () throws(LlamaError) in try choice.device() }
            return WorkerDescription(
                host: host, pid: pid, device: name ?? device.shortName, deviceKind: device.shortKind, labels: labels,
                gpuMegabytes: device.kind == .cpu ? 0 : device.totalMemory >> 20, engine: LlamaBackend.build,
                identity: EngineFingerprint.json(of: device))
        } catch {
            throw ExecutionError(.permanent, "\(error)")
        }
    }
}

extension LlamaDevice {
    /// What jobs may ask for: "cpu", or "cuda" for NVIDIA's GPUs.
    var shortKind: String {
        switch self.kind {
        case .cpu, .accelerator: "cpu"
        case .gpu, .integratedGPU: self.name.hasPrefix("CUDA") ? "cuda" : "gpu"
        }
    }

    /// As the command line names it: "cpu" or "cuda:0".
    var shortName: String {
        guard self.kind != .cpu else { return "cpu" }
        return self.name.hasPrefix("CUDA") ? "cuda:\(self.name.dropFirst(4))" : self.name
    }
}
