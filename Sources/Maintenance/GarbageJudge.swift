public import JobQueue
internal import Reporting
public import ResultStore

/// Tells what in the store is garbage by what the queue knows.
public struct GarbageJudge {
    private let queue: any JobQueue

    public init(_ queue: any JobQueue) {
        self.queue = queue
    }

    public struct Garbage: Sendable {
        /// What was, or would be, removed.
        public var files: [GarbageFile]
        /// How many files may be garbage without proof, by what is known of their claims.
        public var kept: [ClaimVerdict: Int]
    }

    public func collect(in store: Store, olderThan age: Duration, dryRun: Bool) async throws -> Garbage {
        var kept: [ClaimVerdict: Int] = [:]
        let files = try await store.collectGarbage(
            olderThan: age, dryRun: dryRun,
            jobDigest: { run, job in try await self.digest(ofJob: job, in: run) },
            deadClaims: { files in
                let verdicts = try await self.verdicts(on: files)
                for verdict in verdicts.values { kept[verdict, default: 0] += 1 }
                return Set(verdicts.filter { $0.value == .dead }.keys)
            })
        return Garbage(files: files, kept: kept.filter { [.newer, .stranger, .unknown].contains($0.key) })
    }

    /// What is known of the claims of these files.
    private func verdicts(on files: Set<ShardFileName>) async throws(QueueError) -> [ShardFileName: ClaimVerdict] {
        var byClaim: [ClaimReference: ShardFileName] = [:]
        var verdicts: [ShardFileName: ClaimVerdict] = [:]
        for file in files {
            let claim = ClaimReference(
                jobName: file.job, shard: file.shard, epoch: file.epoch, incarnation: Incarnation(file.incarnation))
            // A job lies in its run's folder; anywhere else it was put by somebody else.
            if let claim, claim.run.text == file.run {
                byClaim[claim] = file
            } else {
                verdicts[file] = .unknown
            }
        }
        for (claim, verdict) in try await self.queue.verdicts(on: Array(byClaim.keys)) {
            if let file = byClaim[claim] { verdicts[file] = verdict }
        }
        return verdicts
    }

    /// The digest in the name of the file over all shards of a job that is done; nil if that can't be told.
    private func digest(ofJob name: String, in run: String) async throws(QueueError) -> String? {
        do throws(QueueError) {
            let job = try await self.queue.job(matching: name)
            guard job.id.run.text == run, job.id.name == name else { return nil }
            let files = try await JobFiles(of: job, in: self.queue)
            return files.isComplete ? files.digest : nil
        } catch {
            guard error.code == .notFound || error.code == .invalid else { throw error }
            return nil
        }
    }
}
