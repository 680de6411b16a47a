internal import ArgumentParser
internal import Console
internal import JobQueue

struct ProjectListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List projects with weights, caps and what they used lately.",
        discussion: "Device time halves every week. Example:  assay project list")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let projects = try await Session.with(self.options) { try await $0.queue.projects() }
        if self.options.json { return try Output.json(projects) }
        guard !projects.isEmpty else { return Output.note("no projects yet; the first submission makes one") }
        Output.line(Self.table(projects).rendered(on: .standardOutput(environment: self.options.environment)))
    }

    static func table(_ projects: [ProjectRecord]) -> Table {
        var table = Table(
            "project", ">weight", ">soft cap", ">hard cap", "max tier", ">running", ">ready", ">device seconds lately")
        for project in projects {
            table.add(
                project.name, Format.fixed(project.weight, 2), project.softCap.map { "\($0)" } ?? "-",
                project.hardCap.map { "\($0)" } ?? "-", project.ceiling?.name ?? "-", "\(project.running)",
                "\(project.ready)", Format.fixed(project.usedSeconds, 0))
        }
        return table
    }
}
