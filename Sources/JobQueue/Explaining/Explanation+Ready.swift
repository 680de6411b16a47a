import FoundationEssentials

extension Explanation {
    /// Why shards that could be claimed are not.
    mutating func explainReady(_ facts: JobFacts) {
        let workers = facts.workers
        guard workers.live > 0 else {
            explainNobody(facts)
            explainGivenBack(facts)
            return
        }
        guard workers.suitable > 0 else {
            explainUnsuitable(facts)
            return
        }
        explainCaps(facts)
        guard facts.job.progress.shards.running == 0 || workers.here < workers.suitable else { return }
        explainGivenBack(facts)
        if facts.readyInHigherTiers > 0 {
            reasons.append(
                "\(counted(facts.readyInHigherTiers, "shard")) of higher priority \(facts.readyInHigherTiers == 1 ? "goes" : "go") "
                    + "first.")
            if let higher = Priority(rawValue: facts.job.priority.rawValue + 1) {
                remedies.append("assay priority \(job) \(higher.name)   moves it up a tier")
            }
        }
        if facts.readyInOlderJobs > 0 {
            reasons.append(
                "\(counted(facts.readyInOlderJobs, "shard")) of older jobs of project '\(facts.project.name)' "
                    + "\(facts.readyInOlderJobs == 1 ? "goes" : "go") first.")
        }
        if facts.readyInOtherProjects > 0 {
            reasons.append(
                "It shares the workers with \(counted(facts.readyInOtherProjects, "shard")) of other projects: "
                    + "'\(facts.project.name)' has weight \(facts.project.weight) and used "
                    + "\(Int(facts.project.usedSeconds)) s of device time lately.")
            remedies.append("assay project list   shows shares and caps")
        }
        if workers.busyElsewhere >= workers.suitable, workers.here == 0 {
            reasons.append(
                "\(workers.suitable == 1 ? "The only worker" : "All \(workers.suitable) workers") that could run it "
                    + "\(workers.suitable == 1 ? "has" : "have") a shard of something else in hand; the next shard "
                    + "is chosen when that one ends.")
        }
    }

    /// Workers leave a job that they lack something for to others, for ten minutes at most: what one of them said
    /// before that is history.
    private mutating func explainGivenBack(_ facts: JobFacts) {
        guard facts.workers.here == 0, let given = facts.givenBack else { return }
        let seconds = Int(max(0, facts.now.timeIntervalSince(given.at)).rounded())
        guard seconds < 900 else { return }
        reasons.append("A worker on \(given.host) gave a shard back \(seconds) s ago: \(given.reason)")
        remedies.append("assay worker list   shows what else workers lack")
    }

    /// Without workers it still matters which ones: any other would leave the job where it is.
    private mutating func explainNobody(_ facts: JobFacts) {
        let job = facts.job
        var needs: [String] = []
        var flags = ""
        let needed = WorkerLabel.shown(job.needLabels)
        if let rules = Self.otherRules(job) { return self.explain(otherRules: rules) }
        let labels = needed.filter { $0 != WorkerLabel.runsCode }
        if !labels.isEmpty {
            needs.append("labeled \(labels.joined(separator: ", "))")
            flags += labels.map { " --label \($0)" }.joined()
        }
        if labels.count < needed.count {
            needs.append("that runs programs")
            flags += " --run-code"
        }
        if let device = job.needDevice { needs.append("on a device of kind \(device)") }
        if job.needGPUMegabytes > 0 { needs.append("with \(job.needGPUMegabytes) MB of device memory") }
        let isThere = needs.isEmpty || (job.needDevice == nil && job.needGPUMegabytes == 0)
        if let engine = facts.engine {
            needs.append("with the engine of its results (\(EngineName(json: engine)?.description ?? engine))")
        }
        guard !needs.isEmpty else {
            reasons.append("No worker is alive.")
            remedies.append("assay-worker   starts one here")
            return
        }
        reasons.append("No worker is alive, and it needs one \(needs.joined(separator: " and ")).")
        let place = isThere ? "" : "; do it on a machine that has such a device"
        guard facts.engine != nil else { return remedies.append("assay-worker\(flags)   starts one\(place)") }
        remedies.append("assay-worker\(flags)   starts one; do it on a machine like that of its results")
        remedies.append(mixingRemedy)
    }

    private var mixingRemedy: String { "assay retry \(job) --any-engine   lets other engines finish it" }

    /// Workers are there, but none with the engine of the job's results.
    private mutating func explainEngine(_ engine: String, _ facts: JobFacts) {
        let count = facts.workers.unlike
        let start = "Its results so far come from one engine, and "
        if let other = facts.otherEngine {
            let difference = EngineName(json: engine).flatMap { own in
                EngineName(json: other).flatMap {
                    own.difference(from: $0, of: count == 1 ? "the worker" : "one of them")
                }
            }
            reasons.append(
                start
                    + (count == 1
                        ? "the only worker that could run it has another"
                        : "all \(count) workers that could run it have others")
                    + (difference.map { ": \($0)." } ?? "."))
        } else {
            reasons.append(
                start
                    + (count == 1
                        ? "the only worker that could run it does not say what its engine is: it is of an older release."
                        : "none of the \(count) workers that could run it says what its engine is: they are of an older "
                            + "release."))
        }
        remedies.append("assay-worker   starts one; do it on a machine like that of its results")
        remedies.append(mixingRemedy)
        remedies.append("Or submit it again with `mixed: allowed` in the job file.")
    }

    /// The rules of another release, by which the job was submitted.
    private static func otherRules(_ job: JobRecord) -> String? {
        job.needLabels.first { $0.hasPrefix(WorkerLabel.reservedPrefix) && $0 != WorkerLabel.rules }
    }

    private mutating func explain(otherRules rules: String) {
        reasons.append(
            "It was submitted with another release of Assay, which reads tasks by other rules (\(rules)); "
                + "no worker of that release is alive.")
        remedies.append("Submit it again with this release, or start a worker of that one.")
    }

    private mutating func explainUnsuitable(_ facts: JobFacts) {
        let (job, workers) = (facts.job, facts.workers)
        let labels = WorkerLabel.shown(job.needLabels)
        if let rules = Self.otherRules(job), workers.withLabels == 0 {
            self.explain(otherRules: rules)
        } else if !labels.isEmpty, workers.withLabels == 0 {
            reasons.append(
                "It needs workers labeled \(labels.joined(separator: ", ")); "
                    + "of the \(workers.live) alive none has these labels.")
            remedies.append(
                "assay-worker\(labels.map { $0 == WorkerLabel.runsCode ? " --run-code" : " --label \($0)" }.joined())"
                    + "   starts one that has")
        } else if !job.needLabels.isEmpty, workers.withLabels == 0 {
            reasons.append(
                "The \(workers.live) workers alive are of another release of Assay, which reads tasks by other rules.")
            remedies.append("assay-worker   starts one of this release")
        }
        if job.needGPUMegabytes > 0, workers.withMemory == 0 {
            reasons.append(
                "It needs \(job.needGPUMegabytes) MB of device memory; of the \(workers.live) workers alive none has "
                    + "as much.")
            remedies.append("Start a worker on a larger device, or submit it with a smaller `requires: gpu_mb`.")
        }
        if let device = job.needDevice, workers.withDevice == 0 {
            reasons.append("It needs a device of kind \(device); of the \(workers.live) workers alive none has one.")
            remedies.append("Start a worker on such a device, or submit it without `requires: device`.")
        }
        if reasons.isEmpty {
            if let engine = facts.engine, workers.unlike > 0 {
                return explainEngine(engine, facts)
            }
            if workers.draining == workers.live {
                reasons.append("Every worker alive is leaving (\(workers.draining)): they claim nothing more.")
            } else {
                reasons.append("Of \(workers.live) workers alive, none meets all of its requirements at once.")
            }
            remedies.append("assay worker list   shows what each worker offers")
        }
    }

    private mutating func explainCaps(_ facts: JobFacts) {
        let project = facts.project
        if let cap = project.hardCap, project.running >= cap {
            reasons.append(
                "Project '\(project.name)' runs \(project.running) shards, and its hard cap is \(cap): no more may run "
                    + "at once.")
            remedies.append("assay project set \(project.name) --hard-cap \(cap + max(1, cap / 2))   raises it")
        } else if let cap = project.softCap, project.running >= cap {
            reasons.append(
                "Project '\(project.name)' runs \(project.running) shards, and its soft cap is \(cap): beyond it others "
                    + "go first.")
            remedies.append("assay project set \(project.name) --soft-cap \(cap + max(1, cap / 2))   raises it")
        }
    }

    func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
}
