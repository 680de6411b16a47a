internal import ArgumentParser
internal import Console
internal import Evaluation
internal import JobQueue
internal import Planning

struct DataSetShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the splits of a data set, with the first row of each.",
        discussion: "Example:  assay dataset show allenai/ai2_arc --config ARC-Easy")

    @OptionGroup var dataSet: DataSetArguments

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dataSet: DataSetRecord
        /// By split, as JSON.
        var firstRows: [String: String]
    }

    func run() async throws {
        let name = try self.dataSet.value
        let answer = try await Session.with(self.options) { session in
            var answer = Answer(dataSet: try await session.queue.dataSet(name), firstRows: [:])
            for split in answer.dataSet.splits {
                let rows = try await session.dataSets.rows(of: answer.dataSet, split: split.name)
                answer.firstRows[split.name] = try rows.document(at: 0).value.text()
            }
            return answer
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(Format.field("name", name.name))
        Output.line(Format.field("config", name.config ?? "-"))
        for split in answer.dataSet.splits {
            Output.line()
            // Columns and rows are not trusted: in JSON nothing in them is a command to the terminal.
            for (name, value) in [
                ("split", split.name), ("rows", "\(split.rows)"), ("sha256", split.sha256),
                ("columns", JSONValue.array(split.columns.map(JSONValue.string)).text()), ("source", split.source),
                ("added", "\(Format.time(split.addedAt)) by \(split.user)"),
                ("first row", answer.firstRows[split.name] ?? ""),
            ] {
                Output.line(Format.field(name, value))
            }
        }
    }
}
