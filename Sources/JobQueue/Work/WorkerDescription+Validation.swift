extension WorkerDescription {
    func validate(ttl: Duration) throws(QueueError) {
        try check(host, "the worker's host", 1...255)
        try check(device, "the worker's device", 1...200)
        try check(deviceKind: deviceKind, "the worker's kind of device")
        try check(engine, "the worker's engine", 1...200)
        if let identity { try check(identity, "the identity of the worker's engine", 1...20_000) }
        try check(pid, "the worker's process id", storableCount)
        try check(gpuMegabytes, "the worker's GPU memory", storableCount)
        for label in labels {
            try check(label, "a label of the worker", 1...200)
        }
        for model in warmModels {
            try check(sha256: model, "the sha256 of a model that the worker has loaded")
        }
        guard ttl > .zero, ttl <= .seconds(86_400) else {
            throw QueueError(.invalid, "the lease is to last \(ttl): it must last more than nothing, and a day at most")
        }
    }
}

/// Checks how many shards a claim may ask for.
func check(claimLimit: Int) throws(QueueError) {
    try check(claimLimit, "the number of shards to claim", 1...10_000)
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
