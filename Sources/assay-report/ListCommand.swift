internal import ArgumentParser
internal import Console
internal import Reporting
internal import TerminalText

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the store's reports and their versions.",
        discussion: "Example:  assay-report list")

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var name: String
        var versions: [Int]
    }

    func run() async throws {
        let library = try await self.options.library()
        let rows = try library.names().map { Row(name: "\($0)", versions: try library.versions(of: $0)) }
        if self.options.json { return try Output.json(rows) }
        guard !rows.isEmpty else { return Output.note("no reports yet; build one with `assay-report build RUN`") }
        var table = Table("report", ">versions", "newest")
        for row in rows {
            let newest = library.path(of: try ReportName(row.name), version: row.versions.last ?? 1)
            table.add(row.name, "\(row.versions.count)", "\(newest)/report.html")
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
