import LMEval
import Testing

@testable import Evaluation

/// The hash of a job's work changes with everything that a strict sample depends on, and with nothing else.
@Suite struct WorkHashTests {
    private static let usual = JobSpecification(
        model: .init(
            name: "m", path: "/m.gguf", sha256: String(repeating: "a", count: 64),
            tokenizerSHA256: String(repeating: "b", count: 64)),
        task: .init(name: "t", hash: String(repeating: "c", count: 64), configuration: "{}"),
        dataSet: .init(sha256: String(repeating: "d", count: 64), rows: 10),
        settings: .init(
            maxLength: 100, batchTokens: 512, maxSequences: 128, generationSlots: 16, logits: .none, shardSize: 25,
            invariance: .strict))

    private func hash(
        rules: String = "1", _ change: (inout JobSpecification) -> Void = { _ in }
    ) throws -> String? {
        var job = Self.usual
        change(&job)
        return try job.workHash(rules: rules)
    }

    @Test func whatASampleDependsOnChangesIt() throws {
        let other = String(repeating: "e", count: 64)
        let hashes = [
            try self.hash(), try self.hash(rules: "2"), try self.hash { $0.model.sha256 = other },
            try self.hash { $0.model.tokenizerSHA256 = other }, try self.hash { $0.task.hash = other },
            try self.hash { $0.task.name = "u" }, try self.hash { $0.task.configuration = "{ }" },
            try self.hash { $0.dataSet.sha256 = other },
            try self.hash { $0.fewShotPool = .init(sha256: other, rows: 3) },
            try self.hash { $0.settings.maxLength = 99 }, try self.hash { $0.settings.logits = .tokens },
            try self.hash { $0.settings.overflow = .error },
            try self.hash { $0.settings.systemInstruction = "Be brief." },
            try self.hash { $0.settings.chat = .init(template: "", bos: "", eos: "") },
            try self.hash { $0.settings.tokens = .init(addsBeginning: true) },
        ]
        #expect(Set(hashes).count == hashes.count && !hashes.contains(nil))
    }

    @Test func nothingElseChangesIt() throws {
        let usual = try self.hash()
        for change in [
            { $0.model.name = "n" }, { $0.model.path = "/n.gguf" }, { $0.dataSet.rows = 11 },
            { $0.settings.batchTokens = 64 }, { $0.settings.maxSequences = 3 }, { $0.settings.generationSlots = 1 },
            { $0.settings.shardSize = 1 }, { $0.settings.cacheMegabytes = 9 }, { $0.settings.reuse = true },
            { $0.groups = [] }, { $0.settings.overflow = .truncate }, { $0.settings.tokens = TokenRules() },
            { $0.settings.mixed = true },
        ] as [(inout JobSpecification) -> Void] {
            #expect(try self.hash(change) == usual)
        }
    }

    @Test func samplesOfPlansDependOnMore() throws {
        #expect(try self.hash { $0.settings.invariance = nil } == nil)
        #expect(try self.hash { $0.settings.invariance = .plan } == nil)
    }
}
