internal import Console
internal import Evaluation
internal import Inference
internal import Llama

/// Whether strict results hold what they promise on this machine, as `assay doctor --engine` finds out.
struct EngineCheck {
    struct Answer: Encodable {
        var model: String
        var engineBuild: String
        var deviceKind: String
        var settings: [String: String]
        /// "strict", and "plan" beside it, for comparison.
        var levels: [Level]
    }

    struct Level: Encodable {
        var invariance: String
        var ways: [Way]

        var isEqual: Bool { self.ways.allSatisfy(\.isEqual) }
    }

    struct Way: Encodable {
        var way: String
        var compared: Int
        var equal: Int
        /// In nat; `nil` where texts differ.
        var largestDifference: Double?

        var isEqual: Bool { self.compared == self.equal && self.largestDifference == 0 }

        init(_ finding: InvarianceCheck.Finding) {
            self.way = finding.way
            self.compared = finding.compared
            self.equal = finding.equal
            self.largestDifference = finding.largestDifference.isFinite ? Double(finding.largestDifference) : nil
        }
    }

    /// All of it together takes about so long; a large model takes what it takes.
    static let duration: Duration = .seconds(100)

    let path: String
    let device: DeviceChoice
    let threads: Int?

    /// - Parameter report: Is told of each way as it has been computed.
    func run(report: @escaping (_ level: String, Way) -> Void) async throws(EngineError) -> Answer {
        var settings = EngineSettings(threads: self.threads, device: self.device, invariance: .strict)
        let engine = try await LlamaEngine.load(modelPath: self.path, modelSHA256: "", settings: settings)
        var answer = Answer(
            model: engine.identity.modelName, engineBuild: engine.identity.engineBuild,
            deviceKind: engine.identity.deviceKind, settings: engine.identity.settings, levels: [])
        guard engine.identity.settings["invariance"] == "strict" else { return answer }
        let clock = ContinuousClock()
        let start = clock.now
        // How long one group takes says how many there is time for.
        _ = try await InvarianceCheck(engine, settings, groups: 1).run()
        let groups = min(24, max(1, Int(Self.duration / 2 / (clock.now - start))))
        let strict = try await InvarianceCheck(engine, settings, groups: groups).run { report("strict", Way($0)) }
        answer.levels.append(Level(invariance: "strict", ways: strict.map(Way.init)))
        settings.invariance = .plan
        let packed = try await engine.reconfigured(settings)
        let plan = try await InvarianceCheck(packed, settings, groups: max(1, groups / 2)).run {
            report("plan", Way($0))
        }
        answer.levels.append(Level(invariance: "plan", ways: plan.map(Way.init)))
        return answer
    }
}
