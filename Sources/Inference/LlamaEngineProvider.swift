public import Evaluation
public import Llama
public import Logging
internal import Threads

/// Loads the model that a job asks for, once its bytes have proved to be the ones that were registered.
public actor LlamaEngineProvider: EngineProvider {
    private let device: DeviceChoice
    private let threads: Int?
    private let logger: Logger
    private var loaded: (key: Key, engine: LlamaEngine)?
    /// Files that were not the ones that were registered: many jobs may ask for one, and hashing takes seconds.
    private var wrong: [String: (stamp: FileStamp, sha256: String)] = [:]

    /// What an engine is made of; a job that differs in any of it gets another engine.
    private struct Key: Hashable {
        var modelSHA256: String
        var settings: EngineSettings
    }

    public init(device: DeviceChoice, threads: Int?, logger: Logger) {
        self.device = device
        self.threads = threads
        self.logger = logger
    }

    public func engine(
        for job: JobSpecification, sign: @escaping @Sendable () -> Void
    ) async throws(EngineError) -> any Engine {
        let key = Key(modelSHA256: job.model.sha256, settings: self.settings(of: job))
        if let loaded = self.loaded, loaded.key == key { return loaded.engine }
        // The old model's memory is free before the new one asks for its own.
        self.loaded = nil
        let stamp = try await self.checkModel(job.model, sign)
        self.logger.info("loading model", metadata: ["model": "\(job.model.name)", "path": "\(job.model.path)"])
        let engine = try await LlamaEngine.load(
            modelPath: job.model.path, modelSHA256: job.model.sha256, settings: key.settings, logger: self.logger)
        try await self.checkUnchanged(job.model, since: stamp, sign)
        self.loaded = (key, engine)
        return engine
    }

    public func identity(for job: JobSpecification) async throws(EngineError) -> EngineIdentity {
        if let engine = self.loadedEngine(for: job) { return engine.identity }
        _ = try await self.checkModel(job.model) {}
        return try await LlamaEngine.identity(
            modelPath: job.model.path, modelSHA256: job.model.sha256, settings: self.settings(of: job))
    }

    public func loadedEngine(for job: JobSpecification) -> (any Engine)? {
        let key = Key(modelSHA256: job.model.sha256, settings: self.settings(of: job))
        return self.loaded?.key == key ? self.loaded?.engine : nil
    }

    private func settings(of job: JobSpecification) -> EngineSettings {
        EngineSettings(job.settings, threads: self.threads, device: self.device)
    }

    /// Proves that the file at the model's path is the one that was registered.
    ///
    /// What is wrong with it may be wrong on this machine alone: its storage may not be mounted here.
    private func checkModel(
        _ model: JobSpecification.Model, _ sign: @escaping @Sendable () -> Void
    ) async throws(EngineError) -> FileStamp {
        if let known = self.wrong[model.path], known.sha256 != model.sha256,
            let now = try? await ModelHashing.stamp(path: model.path), now == known.stamp
        {
            throw Self.unregistered(model, known.sha256)
        }
        let (found, stamp): (String, FileStamp)
        do {
            (found, stamp) = try await ModelHashing.stampedSHA256(path: model.path, sign: sign)
        } catch {
            throw Self.unreadable(model, error)
        }
        guard found == model.sha256 else {
            // Of a file written a moment ago, a second write may not show in the stamp.
            self.wrong[model.path] = stamp.isYoung ? nil : (stamp, found)
            throw Self.unregistered(model, found)
        }
        return stamp
    }

    private static func unregistered(_ model: JobSpecification.Model, _ found: String) -> EngineError {
        EngineError(
            .modelUnavailable,
            "model '\(model.name)' at \(model.path) is not the file that was registered: its sha256 is \(found), "
                + "not \(model.sha256); put the right file there, or register this one and submit again")
    }

    /// Proves that what was loaded is what was hashed.
    ///
    /// From then on the engine's copy in memory is its own: llama.cpp reads the file and does not map it, so nothing that
    /// happens to the file can change a result.
    private func checkUnchanged(
        _ model: JobSpecification.Model, since stamp: FileStamp, _ sign: @escaping @Sendable () -> Void
    ) async throws(EngineError) {
        let now: FileStamp
        do {
            now = try await ModelHashing.stamp(path: model.path)
        } catch {
            throw Self.unreadable(model, error)
        }
        guard now == stamp else {
            throw EngineError(
                .modelUnavailable,
                "the file of model '\(model.name)', \(model.path), was changed while it was loaded; put the registered "
                    + "file back, or register the new one under another path")
        }
        // Of a file written a moment ago, a second write may not show in the stamp.
        if stamp.isYoung { _ = try await self.checkModel(model, sign) }
    }

    private static func unreadable(_ model: JobSpecification.Model, _ error: LlamaError) -> EngineError {
        EngineError(
            .modelUnavailable,
            "the file of model '\(model.name)' can't be read on this machine: \(error); mount its storage here, or put "
                + "the file back")
    }
}

/// Looks at model files on threads of their own: tens of gigabytes, or a file server that hangs, must not block the
/// cooperative pool.
public enum ModelHashing {
    /// The file's SHA-256 in hexadecimal digits.
    public static func sha256(path: String) async throws(LlamaError) -> String {
        try await Self.stampedSHA256(path: path) {}.sha256
    }

    /// The same, with the stamp that the file had while it was read.
    ///
    /// - Parameter sign: Called every few megabytes, on that thread.
    static func stampedSHA256(
        path: String, sign: @escaping @Sendable () -> Void
    ) async throws(LlamaError) -> (sha256: String, stamp: FileStamp) {
        try await onOwnThread { () throws(LlamaError) in try GGUFFile.stampedSHA256(path: path, sign: sign) }
    }

    static func stamp(path: String) async throws(LlamaError) -> FileStamp {
        try await onOwnThread { () throws(LlamaError) in try FileStamp(path: path) }
    }
}

/// What this process computes on, in the words that jobs ask for.
public struct EngineDevice: Sendable, Hashable {
    /// As the command line names it: "cpu" or "cuda:0".
    public var name: String
    /// "cpu", or "cuda" for NVIDIA's GPUs.
    public var kind: String
    /// Of a GPU's own memory; 0 for a CPU.
    public var gpuMegabytes: Int
    /// The build of llama.cpp.
    public var engineBuild: String
    /// What its engine is, as far as no model decides it: JSON.
    public var fingerprint: String

    /// The device that `choice` comes to; throws `deviceUnavailable`.
    public static func of(_ choice: DeviceChoice) async throws(EngineError) -> EngineDevice {
        // Starting llama.cpp for a GPU takes a while, and must not block the cooperative pool.
        do throws(LlamaError) {
            return EngineDevice(try await onOwnThread { () throws(LlamaError) in try choice.device() })
        } catch {
            throw EngineError(.deviceUnavailable, "\(error)")
        }
    }

    init(_ device: LlamaDevice) {
        let isCUDA = device.name.hasPrefix("CUDA")
        switch device.kind {
        case .cpu, .accelerator: self.kind = "cpu"
        case .gpu, .integratedGPU: self.kind = isCUDA ? "cuda" : "gpu"
        }
        self.name =
            if device.kind == .cpu { "cpu" } else if isCUDA { "cuda:\(device.name.dropFirst(4))" } else { device.name }
        self.gpuMegabytes = device.kind == .cpu ? 0 : device.totalMemory >> 20
        self.engineBuild = LlamaBackend.build
        self.fingerprint = EngineFingerprint.json(of: device)
    }
}
