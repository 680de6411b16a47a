internal import ArgumentParser
internal import Console
internal import JobQueue

struct DataSetListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the registered data sets.", discussion: "Example:  assay dataset list")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let dataSets = try await Session.with(self.options) { try await $0.queue.dataSets() }
        if self.options.json { return try Output.json(dataSets) }
        guard !dataSets.isEmpty else {
            return Output.note(
                "no data sets yet; register one with `assay dataset add NAME --config CONFIG --split test=FILE`")
        }
        var table = Table("name", "config", "split", ">rows", ">columns", "sha256", "added")
        for dataSet in dataSets {
            for split in dataSet.splits {
                table.add(
                    dataSet.name.name, dataSet.name.config ?? "-", split.name, "\(split.rows)",
                    "\(split.columns.count)", String(split.sha256.prefix(12)), Format.time(split.addedAt))
            }
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
