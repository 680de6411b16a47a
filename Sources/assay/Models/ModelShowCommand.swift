internal import ArgumentParser
internal import Console
internal import JobQueue

struct ModelShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything known of a model.",
        discussion: "Example:  assay model show smollm2-135m")

    @Argument(help: "The model's name.")
    var name: String

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let model = try await Session.with(self.options) { try await $0.queue.model(named: self.name) }
        if self.options.json { return try Output.json(model) }
        for (name, value) in [
            ("name", model.name), ("path", model.path), ("sha256", model.sha256), ("bytes", "\(model.bytes)"),
            ("architecture", model.architecture), ("parameters", "\(model.parameters)"),
            ("quantization", model.quantization), ("context length", "\(model.contextLength)"),
            ("vocabulary", "\(model.vocabularySize)"), ("tokenizer sha256", model.tokenizerSHA256),
            ("added", Format.time(model.addedAt)),
        ] {
            Output.line(Format.field(name, value))
        }
    }
}
