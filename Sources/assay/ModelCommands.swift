internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Evaluation
internal import FoundationEssentials
internal import Inference
internal import JobQueue
internal import Llama
internal import Planning
internal import PostgresQueue
internal import ScoreMetrics
internal import TerminalText

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Register models and look at them.",
        subcommands: [ModelAddCommand.self, ModelListCommand.self, ModelShowCommand.self],
        defaultSubcommand: ModelListCommand.self)
}

struct ModelAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Register a GGUF file under a name; its sha256 becomes part of every result.",
        discussion: "Example:  assay model add smollm2-135m /models/SmolLM2-135M-Instruct.Q4_1.gguf")

    @Argument(help: "The name that job files use: letters, digits, '.', '_' and '-'.")
    var name: String

    @Argument(help: "The GGUF file, on storage that the workers see too.")
    var file: String

    @Flag(help: "Let the name mean this file from now on, if it means another one.")
    var replace = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        let allowed = self.name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, !self.name.isEmpty, self.name.utf8.count <= 100 else {
            throw ValidationError(
                "a model's name has 1 to 100 letters, digits, '.', '_' or '-'; this is '\(self.name)'")
        }
    }

    func run() async throws {
        let path =
            self.file.hasPrefix("/") ? self.file : "\(FileManager.default.currentDirectoryPath)/\(self.file)"
        let gguf: GGUFFile
        let sha256: String
        do {
            gguf = try GGUFFile(path: path)
            sha256 = try await ModelHashing.sha256(path: path)
        } catch {
            throw UserError("\(error)")
        }
        let record = ModelRecord(
            name: self.name, path: path, sha256: sha256, bytes: Int64(gguf.byteCount),
            architecture: gguf.architecture, parameters: Int64(gguf.parameterCount),
            contextLength: gguf.contextLength, vocabularySize: gguf.vocabularySize,
            tokenizerSHA256: gguf.tokenizerSHA256, quantization: gguf.quantization ?? "unknown")
        let model = try await Session.with(self.options) { session in
            try await session.queue.addModel(record, replacing: self.replace)
        }
        if let doubt = gguf.tokenizer.doubt { Output.note("\(model.name): \(doubt)") }
        for note in gguf.tokenizer.notes { Output.note("\(model.name): \(note)") }
        if self.options.json { return try Output.json(model) }
        Output.line(
            "\(model.name): \(model.architecture), \(Format.count(model.parameters)) parameters, "
                + "\(model.quantization), \(model.contextLength) tokens of context, sha256 \(model.sha256.prefix(12))")
    }
}

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

/// The chat template that a model's file holds.
enum ModelTemplate {
    static func chat(_ model: ModelRecord) throws(PlanningError) -> JobSpecification.Chat {
        let source: String?
        let vocabulary: Vocabulary
        do {
            source = try GGUFFile(path: model.path).chatTemplate
            vocabulary = try LlamaTokenizer(modelPath: model.path).vocabulary
        } catch {
            throw PlanningError(
                .model, at: model.path, "the chat template of model '\(model.name)' can't be read: \(error)")
        }
        guard let source, !source.isEmpty else {
            throw PlanningError(
                .model, at: model.path,
                "model '\(model.name)' has no chat template; leave out chat_template, or take a model made for conversations"
            )
        }
        return JobSpecification.Chat(
            template: source, bos: vocabulary.beginningOfText.map(vocabulary.name) ?? "",
            eos: vocabulary.endOfText.map(vocabulary.name) ?? "")
    }
}
