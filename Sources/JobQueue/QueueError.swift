public import Calendar

/// What went wrong in the queue, and what to do about it.
public struct QueueError: Error, Sendable, CustomStringConvertible {
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String {
            case notFound, ambiguous, leaseLost, conflict, invalid, forbidden, unavailable, cancelled, schema,
                internalFailure
        }

        private let name: Name

        /// Nothing has this identifier.
        public static let notFound = Code(name: .notFound)
        /// A prefix fits several runs.
        public static let ambiguous = Code(name: .ambiguous)
        /// The worker was declared dead, or its lease ran out: it must stop and register again.
        public static let leaseLost = Code(name: .leaseLost)
        /// Something else exists under this name or identifier.
        public static let conflict = Code(name: .conflict)
        /// The request itself is wrong; repeating it does not help.
        public static let invalid = Code(name: .invalid)
        /// The role that is connected may not do this, or its project not with this priority.
        public static let forbidden = Code(name: .forbidden)
        /// The database can't be reached or gave up; repeating it later may help.
        public static let unavailable = Code(name: .unavailable)
        /// The calling task was cancelled.
        public static let cancelled = Code(name: .cancelled)
        /// The database's schema is missing, older, newer or other than this program expects.
        public static let schema = Code(name: .schema)
        /// The database answered something that no correct program would have asked for.
        public static let internalFailure = Code(name: .internalFailure)

        public var description: String { name.rawValue }
    }

    public var code: Code
    public var message: String
    /// The error below, where there is one.
    public var underlying: (any Error)?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// True when the same call may succeed later.
    public var isTransient: Bool { code == .unavailable }

    public var description: String { message }
}

// The sentences that both implementations say.
extension QueueError {
    public static func runNotFound(_ prefix: String) -> QueueError {
        QueueError(.notFound, "no run starts with '\(prefix)': `assay list` shows the runs that exist")
    }

    public static func runIsAmbiguous(_ prefix: String, _ candidates: [RunID], areMore: Bool) -> QueueError {
        let names = candidates.map(\.text).joined(separator: ", ")
        return QueueError(
            .ambiguous, "'\(prefix)' fits several runs (\(names)\(areMore ? ", ..." : "")): give more characters")
    }

    public static func jobNotFound(_ name: String) -> QueueError {
        QueueError(.notFound, "there is no job \(name): `assay show <run>` lists a run's jobs")
    }

    static func notAJobName(_ name: String) -> QueueError {
        QueueError(.invalid, "'\(name)' is no job: a job is named '<run>.<number>', for example 'k3f9x2a0.0'")
    }

    public static func dependencyNotFound(_ dependency: JobDependency) -> QueueError {
        let name =
            switch dependency.target {
            case .sibling(let ordinal): "job .\(ordinal) of this run"
            case .job(let run, let ordinal): "job \(run).\(ordinal)"
            case .run(let run): "run \(run)"
            }
        return QueueError(.notFound, "there is no \(name) to wait for: `assay list` shows the runs that exist")
    }

    public static func isArchived(_ run: RunID) -> QueueError {
        QueueError(
            .conflict,
            "run \(run) is archived: its results can be read, but nothing about it can be changed; submit it again")
    }

    public static func projectNotFound(_ name: String) -> QueueError {
        QueueError(.notFound, "there is no project '\(name)': `assay project list` shows those that exist")
    }

    public static func aboveCeiling(_ priority: Priority, _ ceiling: Priority, of project: String) -> QueueError {
        QueueError(
            .forbidden,
            """
            project '\(project)' allows no priority above \(ceiling.name): submit with \(ceiling.name), or have an \
            operator raise it: assay project set \(project) --max-tier \(priority.name)
            """)
    }

    public static func submissionDiffers(_ run: RunID) -> QueueError {
        QueueError(
            .conflict, "run \(run) exists already and was submitted with other content: submit under a new run id")
    }

    public static func leaseLost(_ worker: WorkerID) -> QueueError {
        QueueError(
            .leaseLost,
            "worker \(worker) has lost its lease: its shards belong to others now, it must stop and register again")
    }

    public static func workerNotFound(_ worker: WorkerID) -> QueueError {
        QueueError(.notFound, "there is no living worker \(worker): `assay worker list` shows those that are alive")
    }
}

extension QueueError {
    public static func modelNotFound(_ name: String, existing: [String]) -> QueueError {
        let others = existing.isEmpty ? "none was added yet" : "there are \(existing.joined(separator: ", "))"
        return QueueError(.notFound, "there is no model '\(name)' (\(others)): add it with `assay model add`")
    }

    public static func modelConflict(_ existing: ModelRecord, _ new: ModelRecord) -> QueueError {
        QueueError(
            .conflict,
            """
            model '\(new.name)' is \(existing.path) (sha256 \(existing.sha256.prefix(12))...), \
            not \(new.path) (sha256 \(new.sha256.prefix(12))...): choose another name, or replace it
            """)
    }
}

extension QueueError {
    /// Answers what `body` does; a cron expression, zone or time that can't be understood is `invalid`.
    public static func ofCalendar<Value>(
        _ body: () throws(CalendarError) -> Value
    ) throws(QueueError) -> Value {
        do {
            return try body()
        } catch {
            throw QueueError(.invalid, error.description)
        }
    }
}
