internal import Evaluation
internal import Foundation
internal import Inference
public import Llama

/// Whether strict results hold what they promise on this machine.
public struct EngineCheck {
    public struct Answer: Encodable {
        public var model: String
        /// What the weights were turned into for the check; `nil` for those of the file.
        public var weights: String?
        public var engineBuild: String
        public var deviceKind: String
        public var settings: [String: String]
        /// "strict", and "plan" beside it, for comparison.
        public var levels: [Level]
    }

    public struct Level: Encodable {
        public var invariance: String
        public var ways: [Way]

        public var isEqual: Bool { self.ways.allSatisfy(\.isEqual) }
    }

    public struct Way: Encodable {
        public var way: String
        public var compared: Int
        public var equal: Int
        /// In nat; `nil` where texts differ.
        public var largestDifference: Double?

        public var isEqual: Bool { self.compared == self.equal && self.largestDifference == 0 }

        init(_ finding: InvarianceCheck.Finding) {
            self.way = finding.way
            self.compared = finding.compared
            self.equal = finding.equal
            self.largestDifference = finding.largestDifference.isFinite ? Double(finding.largestDifference) : nil
        }
    }

    /// All of it together takes about so long; a large model takes what it takes.
    private static let duration: Duration = .seconds(100)

    let path: String
    let device: DeviceChoice
    let threads: Int?

    /// - Parameter threads: On the CPU; `nil` for one per processor.
    public init(path: String, device: DeviceChoice, threads: Int?) {
        self.path = path
        self.device = device
        self.threads = threads
    }

    /// The model of the file, and beside strict what plan gives.
    public func run(report: @escaping (_ level: String, Way) -> Void) async throws -> Answer {
        try await self.run(self.path, weights: nil, duration: Self.duration, report: report)
    }

    /// The model with weights of every type, one after the other, from a file that is gone afterwards.
    public func runEveryType(
        report: @escaping (_ type: WeightType, _ level: String, Way) -> Void
    ) async throws -> [Answer] {
        let types = WeightType.allCases
        let folder = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = try GGUFFile(path: self.path)
        var answers: [Answer] = []
        for type in types {
            let path = "\(folder)/\(type.rawValue).gguf"
            try source.write(
                to: path, as: type, threads: self.threads ?? ProcessInfo.processInfo.activeProcessorCount)
            answers.append(
                try await self.run(path, weights: type, duration: Self.duration / types.count) { report(type, $0, $1) })
            try FileManager.default.removeItem(atPath: path)
        }
        return answers
    }

    /// - Parameter report: Is told of each way as it has been computed.
    private func run(
        _ path: String, weights: WeightType?, duration: Duration, report: @escaping (_ level: String, Way) -> Void
    ) async throws(EngineError) -> Answer {
        var settings = EngineSettings(threads: self.threads, device: self.device, invariance: .strict)
        let engine = try await LlamaEngine.load(modelPath: path, modelSHA256: "", settings: settings)
        var answer = Answer(
            model: engine.identity.modelName, weights: weights?.rawValue, engineBuild: engine.identity.engineBuild,
            deviceKind: engine.identity.deviceKind, settings: engine.identity.settings, levels: [])
        guard engine.identity.settings["invariance"] == "strict" else { return answer }
        let check = try await InvarianceCheck.lasting(duration * 3 / 4, engine, settings)
        let strict = try await check.run { report("strict", Way($0)) }
        answer.levels.append(Level(invariance: "strict", ways: strict.map(Way.init)))
        guard weights == nil else { return answer }
        settings.invariance = .plan
        let packed = try await engine.reconfigured(settings)
        let plan = try await InvarianceCheck.lasting(duration / 4, packed, settings).run {
            report("plan", Way($0))
        }
        answer.levels.append(Level(invariance: "plan", ways: plan.map(Way.init)))
        return answer
    }
}
