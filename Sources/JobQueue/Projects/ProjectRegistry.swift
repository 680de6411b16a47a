/// Projects by name.
public protocol ProjectRegistry: Sendable {
    /// All projects by name.
    func projects() async throws(QueueError) -> [ProjectRecord]

    /// Changes a project's share or caps; a project that does not exist yet is made.
    @discardableResult
    func changeProject(_ name: String, _ change: ProjectChange) async throws(QueueError) -> ProjectRecord
}
