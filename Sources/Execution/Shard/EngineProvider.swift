public import Evaluation
public import Inference

/// Gives the engine that answers a job's requests.
public protocol EngineProvider: Sendable {
    /// The engine with the job's model and settings, loaded if need be; only one is kept loaded.
    func engine(for job: JobSpecification) async throws(ExecutionError) -> any Engine

    /// The engine with the job's model and settings, if it is loaded already.
    func loadedEngine(for job: JobSpecification) async -> (any Engine)?
}
