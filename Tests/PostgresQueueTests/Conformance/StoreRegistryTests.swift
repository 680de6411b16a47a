import FoundationEssentials
import JobQueue
import Testing

/// Which store the queue belongs to, what its files prove, and results that are taken out.
@Suite struct StoreRegistryTests {
    @Test(arguments: Implementation.allCases)
    func aQueueBelongsToTheStoreThatWasAdoptedLast(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let (first, second) = (UUID(), UUID())
            #expect(try await queue.databaseIdentity().adoption == nil)
            #expect(try await queue.databaseIdentity().tie(to: first, owner: nil) == .unowned)
            #expect(try await queue.databaseIdentity().tie(to: first, owner: UUID()) == .ownedByAnotherDatabase)
            let adoption = try await queue.adoptStore(first, path: "/shared/one", user: "ada", onlyFirst: true)
            #expect(adoption.store == first && adoption.path == "/shared/one" && adoption.user == "ada")
            // Who comes second, meaning to be the first, gets what is there.
            #expect(try await queue.adoptStore(second, path: "/other", user: "bob", onlyFirst: true) == adoption)
            let identity = try await queue.databaseIdentity()
            #expect(identity.adoption == adoption && identity.systemIdentifier == adoption.systemIdentifier)
            #expect(identity.tie(to: first, owner: adoption.database) == .tied)
            #expect(identity.tie(to: first, owner: nil) == .halfTied)
            #expect(identity.tie(to: first, owner: UUID()) == .ownedByAnotherDatabase)
            #expect(identity.tie(to: second, owner: adoption.database) == .anotherStore)
            var copy = identity
            copy.databaseOID += 1
            #expect(copy.tie(to: first, owner: adoption.database) == .copyOfAnotherDatabase)
            copy = identity
            copy.systemIdentifier += 1
            #expect(copy.tie(to: first, owner: adoption.database) == .copyOfAnotherDatabase)
            let later = try await queue.adoptStore(second, path: "/other", user: "bob", onlyFirst: false)
            #expect(later.store == second && later.database != adoption.database)
            #expect(try await queue.databaseIdentity().tie(to: first, owner: adoption.database) == .anotherStore)
        }
    }

    @Test(arguments: Implementation.allCases)
    func manyThatAdoptAtOnceComeToOneStore(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            let adopted = try await withThrowingTaskGroup(of: StoreAdoption.self, returning: Set<StoreAdoption>.self) {
                group in
                for _ in 0..<8 {
                    group.addTask { try await queue.adoptStore(UUID(), path: "/s", user: "ada", onlyFirst: true) }
                }
                return try await group.reduce(into: []) { $0.insert($1) }
            }
            #expect(adopted.count == 1)
        }
    }

    /// A database that was restored from a copy knows less than the store.
    @Test(arguments: Implementation.allCases)
    func whatIsNewerThanTheQueueOrOfAnUnknownWorkerIsNotDead(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            try await test.queue.submit(submission([job(shards: 2)]))
            let lease = try await test.queue.register(worker())
            let shard = try #require(try await test.queue.claim(lease, limit: 1).first)
            let other = try await test.queue.register(worker())
            let own = shard.reference
            func reference(
                shard: Int? = nil, epoch: Int = 1, _ incarnation: Incarnation? = nil
            ) -> ClaimReference {
                var reference = own
                if let shard { reference.shard = shard }
                reference.epoch = Epoch(epoch)
                reference.incarnation = incarnation ?? own.incarnation
                return reference
            }
            let unclaimed = 1 - own.shard
            let expected: [ClaimReference: ClaimVerdict] = [
                own: .alive, reference(epoch: 2, .random()): .newer, reference(epoch: 2): .newer,
                reference(.random()): .stranger, reference(other.incarnation): .dead,
                reference(shard: unclaimed, epoch: 1, .random()): .newer, reference(shard: 7): .unknown,
            ]
            #expect(try await test.queue.verdicts(on: Array(expected.keys)) == expected)
            // The same once there is a result.
            #expect(try await test.queue.commit(shard, publication(of: shard)) == .committed)
            #expect(try await test.queue.verdicts(on: Array(expected.keys)) == expected)
        }
    }

    @Test(arguments: Implementation.allCases)
    func aResultThatWasTakenOutIsComputedAgain(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 3)]))
            let lease = try await queue.register(worker())
            let claimed = try await queue.claim(lease, limit: 3)
            for shard in claimed { #expect(try await queue.commit(shard, publication(of: shard)) == .committed) }
            let job = try await queue.onlyJob()
            let results = try await queue.results(of: job.id)
            let (lost, kept) = (results[1], results[2])
            // Of another claim: the result that is there now is not meant.
            var old = ResultWithdrawal(kept, reason: "the file is not there")
            old.incarnation = .random()
            let items = [old, ResultWithdrawal(lost, reason: "the file is not there")]
            #expect(try await queue.withdraw(items, of: job.id, user: "ada", again: true) == [1])
            #expect(try await queue.withdraw(items, of: job.id, user: "ada", again: true).isEmpty)
            #expect(try await queue.results(of: job.id).map(\.key.index) == [0, 2])
            let record = try #require(try await queue.withdrawnResults(of: job.id).first)
            #expect(record.shard == 1 && record.epoch == lost.epoch && record.path == lost.publication.path)
            #expect(record.sha256 == lost.publication.sha256 && record.digest == lost.publication.digest)
            #expect(record.reason == "the file is not there" && record.user == "ada")
            let open = try await queue.onlyJob()
            #expect(open.progress.shards.ready == 1 && open.progress.shards.done == 2 && open.finishedAt == nil)
            #expect(open.progress.samplesDone == 20)
            let attempts = try await queue.attempts(of: job.id).filter { $0.key.index == 1 }
            #expect(attempts.map(\.outcome) == [.withdrawn] && attempts.first?.error == "the file is not there")
            // The file may come back from a copy; until the shard is another's, it is not garbage.
            let reference = claimed[1].reference
            #expect(try await queue.verdicts(on: [reference]) == [reference: .alive])
            // A worker that repeats its commit, whose answer it never got, does not bring the result back.
            #expect(try await queue.commit(claimed[1], publication(of: claimed[1])) == .fenced)
            let again = try #require(try await queue.claim(lease, limit: 1).first)
            #expect(again.index == 1 && again.epoch > lost.epoch)
            #expect(try await queue.verdicts(on: [reference]) == [reference: .dead])
            #expect(try await queue.commit(again, publication(of: again)) == .committed)
            #expect(try await queue.onlyJob().state == .done)
            #expect(try await queue.results(of: job.id).map(\.epoch.rawValue) == [1, 2, 1])
        }
    }

    @Test(arguments: Implementation.allCases)
    func resultsThatAreRemovedComeBackOnlyWhenTheJobIsRetried(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2)]))
            let lease = try await queue.register(worker())
            for shard in try await queue.claim(lease, limit: 2) {
                #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
            }
            let job = try await queue.onlyJob()
            let items = try await queue.results(of: job.id).map { ResultWithdrawal($0, reason: "removed by ada") }
            #expect(try await queue.withdraw(items, of: job.id, user: "ada", again: false) == [0, 1])
            #expect(try await queue.onlyJob().state == .cancelled)
            #expect(try await queue.run(matching: "k3f9x2a0").cancelledAt != nil)
            #expect(try await queue.claim(lease, limit: 2).isEmpty)
            #expect(try await queue.retry(.run(job.id.run), onlyFailed: false) == 2)
            #expect(try await queue.claim(lease, limit: 2).count == 2)
        }
    }

    @Test(arguments: Implementation.allCases)
    func anArchivedRunIsBroughtBackBeforeItIsChanged(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            let queue = test.queue
            try await queue.submit(submission([job(shards: 2), job(1, shards: 1)]))
            let lease = try await queue.register(worker())
            for _ in 0..<2 {
                for shard in try await queue.claim(lease, limit: 2) {
                    #expect(try await queue.commit(shard, publication(of: shard)) == .committed)
                }
            }
            try await test.advance(10)
            var archived = 0
            for _ in 0..<2000 where archived == 0 {
                try await queue.reap()
                archived = try await queue.archive(olderThan: .zero, limit: 10)
            }
            #expect(archived == 1)
            let job = try await queue.job(matching: "k3f9x2a0.0")
            let before = try await queue.results(of: job.id)
            let items = [ResultWithdrawal(before[0], reason: "lost")]
            let error = await #expect(throws: QueueError.self) {
                try await queue.withdraw(items, of: job.id, user: "ada", again: true)
            }
            #expect(error?.code == .conflict)
            #expect(try await queue.restore(job.id.run))
            #expect(try await !queue.restore(job.id.run))
            #expect(try await queue.results(of: job.id) == before)
            let run = try await queue.run(matching: "k3f9x2a0")
            #expect(run.archivedAt == nil && run.progress.shards.done == 3 && run.progress.shards.ready == 0)
            #expect(run.progress.samplesDone == 30)
            #expect(try await queue.withdraw(items, of: job.id, user: "ada", again: true) == [0])
            try await queue.reap()
            let again = try #require(try await queue.claim(lease, limit: 5).first)
            #expect(try await queue.commit(again, publication(of: again)) == .committed)
            #expect(try await queue.run(matching: "k3f9x2a0").progress.shards.done == 3)
            let unknown = await #expect(throws: QueueError.self) { try await queue.restore(try RunID("zzzzzzzz")) }
            #expect(unknown?.code == .notFound)
        }
    }

    @Test(arguments: Implementation.allCases)
    func everyHashThatSomethingNamesIsKnown(_ implementation: Implementation) async throws {
        try await withQueue(implementation) { test in
            #expect(try await test.queue.namedHashes().isEmpty)
            let hash = String(repeating: "0f", count: 32)
            try await test.queue.submit(submission([job(specification: #"{"dataSet":{"sha256":"\#(hash)"}}"#)]))
            #expect(try await test.queue.namedHashes() == [hash])
        }
    }
}

extension ClaimedShard {
    fileprivate var reference: ClaimReference {
        ClaimReference(run: run, ordinal: job.ordinal, shard: index, epoch: epoch, incarnation: incarnation)
    }
}
