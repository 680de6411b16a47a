public import Evaluation
public import Inference
public import Llama
public import Logging

/// Loads the model that a job asks for, once its bytes have proved to be the ones that were registered.
public actor LlamaEngineProvider: EngineProvider {
    private let device: DeviceChoice
    private let threads: Int?
    private let logger: Logger
    private var loaded: (key: Key, engine: LlamaEngine)?

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

    public func engine(for job: JobSpecification) async throws(ExecutionError) -> any Engine {
        let key = Key(modelSHA256: job.model.sha256, settings: self.settings(of: job))
        if let loaded = self.loaded, loaded.key == key { return loaded.engine }
        // The old model's memory is free before the new one asks for its own.
        self.loaded = nil
        try await self.checkModel(job.model)
        self.logger.info("loading model", metadata: ["model": "\(job.model.name)", "path": "\(job.model.path)"])
        do {
            let engine = try await LlamaEngine.load(
                modelPath: job.model.path, modelSHA256: job.model.sha256, settings: key.settings, logger: self.logger)
            self.loaded = (key, engine)
            return engine
        } catch {
            throw ExecutionError(engineError: error)
        }
    }

    public func loadedEngine(for job: JobSpecification) -> (any Engine)? {
        let key = Key(modelSHA256: job.model.sha256, settings: self.settings(of: job))
        return self.loaded?.key == key ? self.loaded?.engine : nil
    }

    private func settings(of job: JobSpecification) -> EngineSettings {
        EngineSettings(job.settings, threads: self.threads, device: self.device)
    }

    private func checkModel(_ model: JobSpecification.Model) async throws(ExecutionError) {
        let found: String
        do {
            found = try await ModelHashing.sha256(path: model.path)
        } catch {
            // Another machine may see the file: its storage may be mounted there.
            throw ExecutionError(
                .transient,
                "the file of model '\(model.name)' can't be read on this machine: \(error); mount its storage here, or put "
                    + "the file back")
        }
        guard found == model.sha256 else {
            throw ExecutionError(
                .transient,
                "model '\(model.name)' at \(model.path) is not the file that was registered: its sha256 is \(found), "
                    + "not \(model.sha256); put the right file there, or register this one and submit again")
        }
    }
}

extension ExecutionError {
    init(engineError error: EngineError) {
        let code: Code = error.code == .cancelled ? .cancelled : error.code.isTransient ? .transient : .permanent
        self.init(code, "\(error)")
    }
}
