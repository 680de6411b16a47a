internal import ArgumentParser
internal import Console
internal import JobQueue

struct ModelListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the registered models.", discussion: "Example:  assay model list")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let models = try await Session.with(self.options) { try await $0.queue.models() }
        if self.options.json { return try Output.json(models) }
        guard !models.isEmpty else {
            return Output.note("no models yet; register one with `assay model add NAME FILE.gguf`")
        }
        var table = Table("name", "architecture", ">parameters", "quantization", ">context", "sha256", "path")
        for model in models {
            table.add(
                model.name, model.architecture, Format.count(model.parameters), model.quantization,
                "\(model.contextLength)", String(model.sha256.prefix(12)), model.path)
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
    }
}
