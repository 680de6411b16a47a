import LMEval
import Testing

@testable import Evaluation

/// The hash of how prompts are written changes with everything that changes prompts, and with nothing else.
@Suite struct PromptsHashTests {
    private static let usual = JobSpecification.Settings(
        maxLength: 100, batchTokens: 512, maxSequences: 128, generationSlots: 16, logits: .none, shardSize: 25)
    private static let chat = JobSpecification.Chat(template: "{{ messages }}", bos: "<s>", eos: "</s>")

    private func hash(_ change: (inout JobSpecification.Settings) -> Void) throws -> String {
        var settings = Self.usual
        change(&settings)
        return try settings.promptsHash()
    }

    @Test func promptsChangeIt() throws {
        var template = Self.chat
        template.template += " "
        var marks = Self.chat
        marks.bos = ""
        var turns = Self.chat
        turns.isMultiTurn = false
        var arguments = Self.chat
        arguments.arguments = #"{"enable_thinking":false}"#
        let hashes = [
            try Self.usual.promptsHash(), try self.hash { $0.overflow = .error },
            try self.hash { $0.systemInstruction = "Be brief." },
            try self.hash { $0.tokens = .init(addsBeginning: true) },
            try self.hash { $0.tokens = .init(thinkEndToken: "</think>") },
            try self.hash { $0.chat = Self.chat }, try self.hash { $0.chat = template },
            try self.hash { $0.chat = marks }, try self.hash { $0.chat = turns }, try self.hash { $0.chat = arguments },
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func nothingElseChangesIt() throws {
        let usual = try Self.usual.promptsHash()
        #expect(try self.hash { $0.batchTokens = 64 } == usual)
        #expect(try self.hash { $0.maxSequences = 8 } == usual)
        #expect(try self.hash { $0.generationSlots = 8 } == usual)
        #expect(try self.hash { $0.cacheMegabytes = 100 } == usual)
        #expect(try self.hash { $0.logits = .tokens } == usual)
        #expect(try self.hash { $0.shardSize = 100 } == usual)
        #expect(try self.hash { $0.maxLength = nil } == usual)
        // Said or not.
        #expect(try self.hash { $0.overflow = .truncate } == usual)
        #expect(try self.hash { $0.tokens = TokenRules() } == usual)
    }
}
