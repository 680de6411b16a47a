internal import ArgumentParser
internal import Console
internal import JobQueue

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a run or job is where it is, and what would change that.",
        discussion: "Example:  assay explain k3f9.1")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var explanation: Explanation
        var facts: JobFacts
        /// Seconds until it is done, with the workers there are.
        var expectedSeconds: Double?
    }

    func run() async throws {
        let answers = try await Session.with(self.options) { session in
            try await session.queue.facts(of: session.queue.work(matching: self.id)).map { facts in
                Answer(
                    explanation: Explanation(facts), facts: facts,
                    expectedSeconds: facts.expectedDuration.map { $0 / .seconds(1) })
            }
        }
        if self.options.json { return try Output.json(answers) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for (place, answer) in answers.enumerated() {
            if place > 0 { Output.line() }
            self.show(answer, on: terminal)
        }
    }

    private func show(_ answer: Answer, on terminal: Terminal) {
        Output.line(terminal.styled(answer.explanation.summary, .bold))
        for reason in answer.explanation.reasons { Output.line("  - \(reason)") }
        if let seconds = answer.expectedSeconds {
            Output.line(
                "  - At the usual pace it takes about \(RateMeter.describe(seconds: seconds)) from its start on.")
        }
        guard !answer.explanation.remedies.isEmpty else { return }
        Output.line(terminal.styled("  what helps", .dim))
        for remedy in answer.explanation.remedies { Output.line("    \(remedy)") }
    }
}
