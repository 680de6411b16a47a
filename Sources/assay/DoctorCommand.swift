internal import ArgumentParser
internal import AssayRuntime
internal import Calendar
internal import Console
internal import Doctor
internal import Evaluation
internal import Foundation
internal import FoundationEssentials
internal import Inference
internal import JobQueue
internal import Llama
internal import Logging
internal import PostgresQueue
internal import ResultStore
internal import TerminalText
internal import UVEventLoop

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything that can be wrong, and say what to do about it.",
        discussion: """
            Example:  assay doctor
                      assay doctor --engine --model smollm2

            With --engine it computes made-up requests in many ways on this machine, one by one, together, in other orders, sizes
            of batches and numbers of threads, and compares the bits: what `invariance: strict` promises. It takes about two
            minutes, and needs no database where --model is a file.
            """)

    @Flag(help: "Check that strict results depend on their requests alone, on this machine.")
    var engine = false

    @Option(help: "The model for it: a registered name or a GGUF file; the smallest registered one if not given.")
    var model: String?

    @Option(help: "Threads on the CPU; one per processor if not given.")
    var threads: Int?

    @Flag(help: "With --engine: turn the weights into every type that is known, and check each.")
    var everyWeightType = false

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

    func validate() throws {
        guard self.engine || (self.model == nil && self.threads == nil && !self.everyWeightType) else {
            throw ValidationError("--model, --threads and --every-weight-type go with --engine")
        }
        guard (1...512).contains(self.threads ?? 1) else { throw ValidationError("--threads is from 1 to 512") }
    }

    func run() async throws {
        if self.engine { return try await self.checkEngine() }
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
            throw UserError("\(bad) of \(checks.count) checks failed", hint: "each of them says what to do")
        }
    }

    private func checkEngine() async throws {
        let check = EngineCheck(path: try await self.modelPath(), device: .cpu, threads: self.threads)
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        let isJSON = self.options.json
        func show(_ name: String, isPromised: Bool, _ way: EngineCheck.Way) {
            guard !isJSON else { return }
            let mark =
                !isPromised ? "    " : way.isEqual ? terminal.styled("ok  ", .green) : terminal.styled("FAIL", .red)
            let difference =
                way.isEqual
                ? "" : way.largestDifference.map { ", up to \(Format.fixed($0, 6)) nat apart" } ?? ", texts differ"
            Output.line("\(mark)  \(name), \(way.way): \(way.equal) of \(way.compared) of equal bits\(difference)")
        }
        let answers: [EngineCheck.Answer]
        if self.everyWeightType {
            answers = try await check.runEveryType { type, _, way in show(type.rawValue, isPromised: true, way) }
            if isJSON { try Output.json(answers) }
        } else {
            answers = [try await check.run { level, way in show(level, isPromised: level == "strict", way) }]
            if isJSON { try Output.json(answers[0]) }
        }
        for answer in answers where answer.levels.first?.isEqual != true {
            throw UserError(
                "on this machine (\(answer.deviceKind), \(answer.engineBuild)) strict results of \(answer.model)"
                    + "\(answer.weights.map { " with \($0) weights" } ?? "") depend on what else is computed",
                hint: "use `invariance: plan` here, and report this: it is a fault of Assay")
        }
        guard !isJSON, let answer = answers.first else { return }
        Output.line()
        Output.line(
            "\(answer.model) on \(answer.deviceKind): strict results depend on their requests alone."
                + (self.everyWeightType ? "" : " What plan gives is shown for comparison."))
        if self.model == nil {
            Output.line("This is the smallest model that is registered; others are checked with --model NAME.")
        }
    }

    private func modelPath() async throws -> String {
        if let model = self.model, model.contains("/") || model.hasSuffix(".gguf") { return model }
        let models = try await Session.with(self.options) { session in try await session.queue.models() }
        if let name = self.model {
            guard let model = models.first(where: { $0.name == name }) else {
                throw UserError(
                    "no model is registered as '\(name)'",
                    hint: "`assay model list` shows them; a file is named by its path")
            }
            return model.path
        }
        guard let smallest = models.min(by: { $0.bytes < $1.bytes }) else {
            throw UserError(
                "no model is registered", hint: "name a GGUF file: assay doctor --engine --model PATH")
        }
        return smallest.path
    }
}
