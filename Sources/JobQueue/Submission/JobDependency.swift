/// What a job waits for.
public struct JobDependency: Sendable, Hashable {
    public enum Target: Sendable, Hashable {
        /// An earlier job of the same run.
        case sibling(Int)
        /// A job of a run that was submitted before.
        case job(RunID, Int)
        /// Every job of a run that was submitted before.
        case run(RunID)
    }

    public enum Condition: String, Sendable, Hashable, CaseIterable {
        /// It must end with all of its results; if it does not, the job that waits is cancelled.
        case ok
        /// It must end, whichever way.
        case any
    }

    public var target: Target
    public var condition: Condition

    public init(_ target: Target, _ condition: Condition = .ok) {
        self.target = target
        self.condition = condition
    }
}

extension JobDependency: CustomStringConvertible {
    /// Unambiguous within a submission: "ok k3f9x2a0.1".
    public var description: String {
        switch target {
        case .sibling(let ordinal): "\(condition) .\(ordinal)"
        case .job(let run, let ordinal): "\(condition) \(run).\(ordinal)"
        case .run(let run): "\(condition) \(run)"
        }
    }
}
