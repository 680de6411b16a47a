public import Evaluation
public import Inference

/// Gives the engine that answers a job's requests.
public protocol EngineProvider: Sendable {
    /// The engine with the job's model and settings, loaded if need be; only one is kept loaded.
    ///
    /// - Parameter sign: Called whenever loading has moved on; from any thread.
    func engine(
        for job: JobSpecification, sign: @escaping @Sendable () -> Void
    ) async throws(ExecutionError) -> any Engine

    /// What the job's engine would be, without loading its model; the model's file is checked.
    func identity(for job: JobSpecification) async throws(ExecutionError) -> EngineIdentity

    /// The engine with the job's model and settings, if it is loaded already.
    func loadedEngine(for job: JobSpecification) async -> (any Engine)?
}
