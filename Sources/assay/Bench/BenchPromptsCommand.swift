internal import ArgumentParser
internal import Console
internal import Evaluation

struct BenchPromptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Measure how many prompts a second one core writes.",
        discussion: """
            Rows become documents, examples are put before them, and requests are made, as a worker does; no model is asked.
            The first pass over the rows, which renders the examples, is not counted.
            Example:  assay bench prompts jobs/tasks/hellaswag.yaml --num-fewshot 5
            """)

    @Argument(help: "The task file.")
    var file: String

    @Option(name: .customLong("num-fewshot"), help: "As many few-shot examples instead of what the file says.")
    var numFewShot: Int?

    @Option(help: "For how long.")
    var seconds = 3.0

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var task: String
        var fewShot: Int
        var rows: Int
        var prompts: Int
        var seconds: Double
        var promptsPerSecond: Double
        var meanPromptBytes: Int
    }

    func validate() throws {
        guard self.seconds > 0, self.seconds <= 3600, (0...1000).contains(self.numFewShot ?? 0) else {
            throw ValidationError("--seconds is above 0 and at most 3600, --num-fewshot at most 1000")
        }
    }

    func run() async throws {
        let (task, data) = try await TaskFile.load(self.file, fewShot: self.numFewShot, self.options)
        let rows = data.evaluated.rowCount
        var bytes = 0
        for row in 0..<rows { bytes += try task.prepare(try data.evaluated.document(at: row)).prompt.utf8.count }
        let clock = ContinuousClock()
        let start = clock.now
        var prompts = 0
        repeat {
            for row in 0..<rows { _ = try task.prepare(try data.evaluated.document(at: row)) }
            prompts += rows
        } while clock.now - start < .seconds(self.seconds)
        let taken = (clock.now - start) / .seconds(1)
        let answer = Answer(
            task: task.configuration.name, fewShot: task.configuration.fewShot.count, rows: rows, prompts: prompts,
            seconds: taken, promptsPerSecond: Double(prompts) / taken, meanPromptBytes: bytes / max(rows, 1))
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "\(answer.task), \(answer.fewShot)-shot: \(Int(answer.promptsPerSecond)) prompts/s "
                + "(\(prompts) in \(Format.fixed(taken, 1)) s, \(rows) rows, \(answer.meanPromptBytes) bytes each)")
    }
}
