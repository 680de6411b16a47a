internal import ArgumentParser
internal import Console

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything that can be wrong, and say what to do about it.",
        discussion: "Example:  assay doctor")

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var settings: [SettingLine]
        var checks: [Check]
    }

    struct SettingLine: Encodable {
        var name: String
        var value: String
        var source: SettingSource
    }

    func run() async throws {
        let (settings, logger) = try self.options.resolve(label: "assay")
        var lines = [
            SettingLine(name: "home", value: settings.home.value, source: settings.home.source),
            SettingLine(name: "store", value: settings.store.value, source: settings.store.source),
            SettingLine(name: "log", value: settings.logLevel.value, source: settings.logLevel.source),
        ]
        // The URL may hold a password.
        lines.append(
            settings.databaseURL.map {
                SettingLine(name: "database_url", value: "(set)", source: $0.source)
            } ?? SettingLine(name: "database_url", value: "(embedded server)", source: .default))
        lines.append(
            SettingLine(
                name: "database_pooler", value: settings.databasePooler.value, source: settings.databasePooler.source))
        let checks = await Checks(settings: settings, logger: logger).all()
        if self.options.json {
            try Output.json(Answer(settings: lines, checks: checks))
        } else {
            let terminal = Terminal.standardOutput(environment: self.options.environment)
            for line in lines { Output.line(Format.field(line.name, "\(line.value)  (\(line.source.rawValue))")) }
            Output.line()
            for check in checks {
                let mark = check.isGood ? terminal.styled("ok  ", .green) : terminal.styled("FAIL", .red)
                Output.line("\(mark)  \(check.name): \(check.finding)")
                if let remedy = check.remedy { Output.line("      \(remedy)") }
            }
        }
        let bad = checks.count { !$0.isGood }
        guard bad == 0 else {
            throw CommandFailure("\(bad) of \(checks.count) checks failed", hint: "what to do stands with each")
        }
    }
}
