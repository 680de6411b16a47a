internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Shares and caps of projects.",
        subcommands: [ProjectListCommand.self, ProjectSetCommand.self])
}

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

struct ProjectSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a project's share or limits; a new name makes a project.",
        discussion: """
            The weight is its part of the devices in relation to the others'. Above the soft cap of running shards it gets
            only what nobody below theirs wants; above the hard cap nothing. Nothing is submitted with a priority above
            --max-tier; without one, roles that are no operators may go up to high.
            Example:  assay project set safety --weight 2 --hard-cap 16 --max-tier high, or --hard-cap none
            """)

    @Argument(help: "The project.")
    var name: String

    @Option(help: "More than 0; 1 for most.")
    var weight: Double?

    @Option(help: "Running shards, or none.")
    var softCap: String?

    @Option(help: "Running shards, or none.")
    var hardCap: String?

    @Option(help: "low, normal, high or urgent; or none.")
    var maxTier: String?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard self.weight != nil || self.softCap != nil || self.hardCap != nil || self.maxTier != nil else {
            throw ValidationError("give --weight, --soft-cap, --hard-cap or --max-tier")
        }
        _ = try Self.cap(self.softCap, "--soft-cap")
        _ = try Self.cap(self.hardCap, "--hard-cap")
        _ = try self.ceiling
    }

    private var ceiling: LimitChange<Priority> {
        get throws {
            switch self.maxTier {
            case nil: .keep
            case "none": .remove
            case let name?: .set(try Priority(name: name))
            }
        }
    }

    private static func cap(_ text: String?, _ option: String) throws -> CapChange {
        guard let text else { return .keep }
        if text == "none" { return .remove }
        guard let shards = Int(text), shards >= 0 else {
            throw ValidationError("\(option) is a number of shards, or none; this is '\(text)'")
        }
        return .set(shards)
    }

    func run() async throws {
        let change = ProjectChange(
            weight: self.weight, softCap: try Self.cap(self.softCap, "--soft-cap"),
            hardCap: try Self.cap(self.hardCap, "--hard-cap"), ceiling: try self.ceiling)
        let project = try await Session.with(self.options) {
            try await $0.queue.changeProject(self.name, change)
        }
        if self.options.json { return try Output.json(project) }
        Output.line(
            ProjectListCommand.table([project]).rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
