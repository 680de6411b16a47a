// The sentences that both implementations say.
extension QueueError {
    static func runNotFound(_ prefix: String) -> QueueError {
        QueueError(.notFound, "no run starts with '\(prefix)': `assay list` shows the runs that exist")
    }

    static func runIsAmbiguous(_ prefix: String, _ candidates: [RunID], areMore: Bool) -> QueueError {
        let names = candidates.map(\.text).joined(separator: ", ")
        return QueueError(
            .ambiguous, "'\(prefix)' fits several runs (\(names)\(areMore ? ", ..." : "")): give more characters")
    }

    static func jobNotFound(_ name: String) -> QueueError {
        QueueError(.notFound, "there is no job \(name): `assay show <run>` lists a run's jobs")
    }

    static func notAJobName(_ name: String) -> QueueError {
        QueueError(.invalid, "'\(name)' is no job: a job is named '<run>.<number>', for example 'k3f9x2a0.0'")
    }

    static func dependencyNotFound(_ dependency: JobDependency) -> QueueError {
        let name =
            switch dependency.target {
            case .sibling(let ordinal): "job .\(ordinal) of this run"
            case .job(let run, let ordinal): "job \(run).\(ordinal)"
            case .run(let run): "run \(run)"
            }
        return QueueError(.notFound, "there is no \(name) to wait for: `assay list` shows the runs that exist")
    }

    static func isArchived(_ run: RunID) -> QueueError {
        QueueError(
            .conflict,
            "run \(run) is archived: its results can be read, but nothing about it can be changed; submit it again")
    }

    static func projectNotFound(_ name: String) -> QueueError {
        QueueError(.notFound, "there is no project '\(name)': `assay project list` shows those that exist")
    }

    static func aboveCeiling(_ priority: Priority, _ ceiling: Priority, of project: String) -> QueueError {
        QueueError(
            .forbidden,
            """
            project '\(project)' allows no priority above \(ceiling.name): submit with \(ceiling.name), or have an \
            operator raise it: assay project set \(project) --max-tier \(priority.name)
            """)
    }

    static func submissionDiffers(_ run: RunID) -> QueueError {
        QueueError(
            .conflict, "run \(run) exists already and was submitted with other content: submit under a new run id")
    }

    static func leaseLost(_ worker: WorkerID) -> QueueError {
        QueueError(
            .leaseLost,
            "worker \(worker) has lost its lease: its shards belong to others now, it must stop and register again")
    }

    static func workerNotFound(_ worker: WorkerID) -> QueueError {
        QueueError(.notFound, "there is no living worker \(worker): `assay worker list` shows those that are alive")
    }
}

extension QueueError {
    static func modelNotFound(_ name: String, existing: [String]) -> QueueError {
        let others = existing.isEmpty ? "none was added yet" : "there are \(existing.joined(separator: ", "))"
        return QueueError(.notFound, "there is no model '\(name)' (\(others)): add it with `assay model add`")
    }

    static func modelConflict(_ existing: ModelRecord, _ new: ModelRecord) -> QueueError {
        QueueError(
            .conflict,
            """
            model '\(new.name)' is \(existing.path) (sha256 \(existing.sha256.prefix(12))...), \
            not \(new.path) (sha256 \(new.sha256.prefix(12))...): choose another name, or replace it
            """)
    }
}
