internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import Llama
internal import Logging
internal import ResultStore
internal import UVEventLoop

/// One thing that was looked at.
struct Check: Encodable {
    var name: String
    var isGood: Bool
    /// What was found.
    var finding: String
    /// What to do; `nil` when nothing is wrong.
    var remedy: String?
}

/// What `assay doctor` looks at.
struct Checks {
    let settings: Settings
    let logger: Logger

    func all() async -> [Check] {
        var checks: [Check] = []
        checks += await self.database()
        checks += self.libpqVariables()
        checks.append(self.timeZones())
        checks.append(await self.store())
        checks += self.devices()
        checks.append(self.program("assay-worker"))
        checks.append(self.program("assay-report"))
        return checks
    }

    private func database() async -> [Check] {
        do {
            return try await Session.with(self.settings, logger: self.logger) { session in
                let models = try await session.queue.models()
                let workers = try await session.queue.workers().filter { $0.state == .live }
                return [Check(name: "database", isGood: true, finding: "reached, schema is current")]
                    + DatabaseChecks.all(try await session.queue.databaseFacts())
                    + Check.role(try await session.queue.rights())
                    + models.map(self.model)
                    + [
                        Check(name: "workers", isGood: true, finding: "\(workers.count) live"),
                        Self.chores(try await session.queue.chores(), hasWorkers: !workers.isEmpty),
                    ]
            }
        } catch let failure as CommandFailure {
            return [Check(name: "database", isGood: false, finding: failure.message, remedy: failure.hint)]
        } catch {
            let finding = "\(error)"
            // An error of the database says by itself what to do.
            return [
                Check(
                    name: "database", isGood: false, finding: finding,
                    remedy: finding.contains("hint:") ? nil : "start it with `assay up`")
            ]
        }
    }

    private func model(_ model: ModelRecord) -> Check {
        switch model.bytesOnDisk {
        case model.bytes:
            if let doubt = try? GGUFFile(path: model.path).tokenizer.doubt {
                return Check(
                    name: "model \(model.name)", isGood: false, finding: "\(model.path): \(doubt)",
                    remedy: "register the new file under another name; reports of this one carry a remark")
            }
            return Check(name: "model \(model.name)", isGood: true, finding: "\(model.path), \(model.bytes) bytes")
        case nil:
            return Check(
                name: "model \(model.name)", isGood: false, finding: "\(model.path) is not there",
                remedy: "put the file back, or register it anew: assay model add \(model.name) FILE --replace")
        case let other?:
            return Check(
                name: "model \(model.name)", isGood: false,
                finding: "\(model.path) has \(other) bytes, not \(model.bytes)",
                remedy: "put the right file back, or register this one under a new name")
        }
    }

    /// Whether what any process does now and then is done: dead workers, gates, device time and the like.
    private static func chores(_ chores: [ChoreRecord], hasWorkers: Bool) -> Check {
        if let failed = chores.first(where: { $0.failedAt != nil }) {
            return Check(
                name: "chores", isGood: false,
                finding: "'\(failed.chore.rawValue)' fails: \(failed.error ?? "no reason was recorded")",
                remedy: "claims and commits go on; report it, with the log of a worker")
        }
        // Workers look every few seconds; a chore may wait for one that takes long.
        let late = chores.first { record in
            let limit = max(120, 10 * Double(record.interval.components.seconds))
            return record.succeededAt.map { Date.now.timeIntervalSince($0) > limit } ?? true
        }
        if hasWorkers, let late {
            return Check(
                name: "chores", isGood: false,
                finding: "'\(late.chore.rawValue)' was not done lately, although workers are alive",
                remedy: "see whether a transaction that somebody left open holds its row (`old snapshots` above)")
        }
        return Check(
            name: "chores", isGood: true, finding: hasWorkers ? "all done lately" : "done once a worker is there")
    }

    private func store() async -> Check {
        do {
            let store = try await self.openStore()
            let unwritable = try await store.unwritableFolders()
            guard let first = unwritable.first else {
                return Check(
                    name: "store", isGood: true, finding: "\(store.root) can be written and is this database's")
            }
            return Check(
                name: "store", isGood: false,
                finding:
                    "\(Format.counted(unwritable.count, "folder")) of other users can't be written, \(first) for one",
                remedy: "have their owners give the group what it needs: chmod -R g+rwX \(store.root)")
        } catch {
            // What to do stands in the sentence: it depends on what is wrong.
            return Check(name: "store", isGood: false, finding: error.description)
        }
    }

    /// The store, tied to the database where that answers.
    private func openStore() async throws(StoreError) -> Store {
        let answer: Result<Store, StoreError>?
        do {
            answer = try await Session.with(self.settings, logger: self.logger) { session in
                do throws(StoreError) {
                    return .success(try await session.existingStore())
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            // Said elsewhere.
            answer = nil
        }
        guard let answer else { return try await Store(root: self.settings.store.value) }
        return try answer.get()
    }

    private func devices() -> [Check] {
        LlamaDevice.all().map { device in
            Check(
                name: "device \(device.name)", isGood: true,
                finding: "\(device.description), \(Format.bytes(Int64(device.freeMemory))) free of "
                    + Format.bytes(Int64(device.totalMemory)))
        }
    }

    private func program(_ name: String) -> Check {
        let path = Programs.path(of: name)
        let isThere = Programs.isInstalled(name)
        return Check(
            name: name, isGood: isThere, finding: isThere ? path : "\(path) is not there",
            remedy: isThere ? nil : "build it: swift build")
    }
}
