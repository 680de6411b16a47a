internal import ArgumentParser
internal import Console
internal import Evaluation
internal import FoundationEssentials

struct TaskImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Say which task files of lm-eval run here, and why others don't.",
        discussion: """
            Every .yaml file below the path is read with what it includes, and its templates are tried on a row of unknown
            columns. Nothing is changed: files run from where they are.
            Example:  assay task import lm_eval/tasks/arc
            """)

    @Argument(help: "A task file, or a folder of them.")
    var path: String

    @Flag(help: "Show every file, not just those that are refused.")
    var all = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let files = try Self.files(below: self.path)
        guard !files.isEmpty else {
            throw CommandFailure(
                "there are no .yaml files in '\(self.path)'", hint: "give a task file, or a folder of them")
        }
        let imported = files.map(ImportedFile.init)
        if self.options.json { return try Output.json(imported) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for file in imported where self.all || file.outcome == .refused { self.show(file, on: terminal) }
        for outcome in ImportedFile.Outcome.allCases {
            let count = imported.count { $0.outcome == outcome }
            if count > 0 { Output.line("\(Self.padded(count)) \(outcome.meaning)") }
        }
        let pure = imported.filter { $0.callsNoPython && [.pure, .refused].contains($0.outcome) }
        let running = pure.count { $0.outcome == .pure }
        if !pure.isEmpty {
            let share = (Double(running) * 1000 / Double(pure.count)).rounded(.down) / 10
            Output.line("of \(Format.counted(pure.count, "task")) without Python \(running) run (\(share) %)")
        }
    }

    private func show(_ file: ImportedFile, on terminal: Terminal) {
        if let reason = file.reason { return Output.line("\(lines: reason)") }
        let names = file.names.isEmpty ? "" : ": " + file.names.joined(separator: ", ")
        Output.line(terminal.styled(file.file, .bold) + "  \(file.outcome.rawValue)\(names)")
        for note in file.notes { Output.line("  \(note)") }
    }

    private static func padded(_ count: Int) -> String {
        let text = String(count)
        return String(repeating: " ", count: max(0, 6 - text.utf8.count)) + text
    }

    /// In the order of their paths.
    private static func files(below path: String) throws -> [String] {
        let manager = FileManager.default
        var isFolder = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CommandFailure("'\(path)' does not exist", hint: "give a task file, or a folder of them")
        }
        guard isFolder else { return [path] }
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        return try manager.subpathsOfDirectory(atPath: path)
            .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { "\(folder)/\($0)" }
    }
}

extension ImportedFile.Outcome {
    fileprivate var meaning: String {
        switch self {
        case .pure: "run as they are"
        case .native: "run as they are, with functions that are built in"
        case .group: "are groups of tasks"
        case .template: "have no task and are included by others"
        case .refused: "don't run"
        }
    }
}
