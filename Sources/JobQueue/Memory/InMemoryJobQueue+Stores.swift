public import FoundationEssentials

extension InMemoryJobQueue {
    public func databaseIdentity() throws(QueueError) -> DatabaseIdentity {
        ledger.databaseIdentity
    }

    public func adoptStore(
        _ store: UUID, path: String, user: String, onlyFirst: Bool
    ) throws(QueueError) -> StoreAdoption {
        try change { ledger, now throws(QueueError) in
            try ledger.adoptStore(store, path: path, user: user, onlyFirst: onlyFirst, now: now)
        }
    }

    public func verdicts(on claims: [ClaimReference]) throws(QueueError) -> [ClaimReference: ClaimVerdict] {
        var verdicts: [ClaimReference: ClaimVerdict] = [:]
        for claim in claims { verdicts[claim] = ledger.verdict(on: claim) }
        return verdicts
    }

    public func withdraw(
        _ results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) throws(QueueError) -> [Int] {
        try change { ledger, now throws(QueueError) in
            try ledger.withdraw(results, of: job, user: user, again: again, now: now)
        }
    }

    public func withdrawnResults(of job: JobID) throws(QueueError) -> [WithdrawnResult] {
        ledger.withdrawnResults(of: job)
    }

    @discardableResult
    public func restore(_ run: RunID) throws(QueueError) -> Bool {
        try change { ledger, _ throws(QueueError) in try ledger.restore(run) }
    }

    public func namedHashes() throws(QueueError) -> Set<String> {
        ledger.namedHashes
    }
}
