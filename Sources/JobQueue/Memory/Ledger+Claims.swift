extension Ledger {
    /// The result of this claim can never become visible.
    func isDead(_ claim: ClaimReference) -> Bool {
        guard let run = runs[claim.run], let id = run.jobs.first(where: { $0.ordinal == claim.ordinal }),
            let index = index(of: id), jobs[index].shards.indices.contains(claim.shard)
        else { return false }
        let shard = jobs[index].shards[claim.shard]
        if let result = shard.result {
            return result.epoch != claim.epoch || result.incarnation != claim.incarnation
        }
        return run.archivedAt != nil || shard.epoch != claim.epoch || shard.claim?.incarnation != claim.incarnation
    }
}
