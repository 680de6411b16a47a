internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Datasets
internal import JSON
internal import JobQueue
internal import LMEval
internal import Planning
internal import PostgresQueue
internal import ResultStore
internal import TerminalText

struct DataSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Register data sets under the names that task files use.",
        discussion: """
            A task file with 'dataset_path: allenai/ai2_arc' and 'dataset_name: ARC-Easy' gets the rows that were
            registered under that name and configuration.
            Example:  assay dataset add allenai/ai2_arc --config ARC-Easy --split test=test.jsonl
            """,
        subcommands: [
            DataSetAddCommand.self, DataSetListCommand.self, DataSetShowCommand.self, DataSetRemoveCommand.self,
        ],
        defaultSubcommand: DataSetListCommand.self)
}

/// How a command names a data set.
struct DataSetArguments: ParsableArguments {
    @Argument(help: "The name: what task files have as dataset_path.")
    var name: String

    @Option(help: "The configuration: what task files have as dataset_name.")
    var config: String?

    var value: DataSetName {
        get throws(QueueError) { try DataSetName(self.name, config: self.config) }
    }

    func validate() throws {
        do {
            _ = try self.value
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

struct DataSetAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Copy files into the store and register them under a name; the same files again change nothing.",
        discussion: """
            Files: JSON Lines (.jsonl), CSV with a header row (.csv, .tsv), or a list of objects (.json), also packed with
            gzip. Splits can be added one after the other.
            Example:  assay dataset add allenai/ai2_arc --config ARC-Easy --split train=train.jsonl --split test=test.jsonl
            """)

    @OptionGroup var dataSet: DataSetArguments

    @Option(
        name: .customLong("split"),
        help: ArgumentHelp("A split and its file; may be repeated.", valueName: "SPLIT=FILE"))
    var files: [SplitFile]

    @Option(
        help: ArgumentHelp(
            "How values are read: 'datasets' types columns as lm-eval's loaders do, 'verbatim' keeps what the files say, "
                + "as it should be for what to_json wrote.", valueName: "TYPING"))
    var typing = DataReading.Typing.datasets.rawValue

    @Flag(help: "Let the splits mean these rows from now on, if they mean others; jobs submitted before keep theirs.")
    var replace = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dataSet: DataSetRecord
        /// The splits that are new or were replaced.
        var changed: [String]
        /// What typing changed of the files.
        var notes: [String]
    }

    func validate() throws {
        guard DataReading.Typing(rawValue: self.typing) != nil else {
            let known = DataReading.Typing.allCases.map(\.rawValue).joined(separator: " or ")
            throw ValidationError("--typing is '\(self.typing)'; it must be \(known)")
        }
        guard Set(self.files.map(\.split)).count == self.files.count else {
            throw ValidationError("a split is there twice; put its rows into one file")
        }
        guard !DataSetReference.fileFormats.contains(self.dataSet.name) else {
            throw ValidationError("'\(self.dataSet.name)' says in task files how files are read; choose another name")
        }
    }

    func run() async throws {
        let name = try self.dataSet.value
        let (addition, notes) = try await Session.with(self.options) { session in
            var (record, contents): (DataSetRecord, [DataSet]) = (DataSetRecord(name, splits: []), [])
            for file in self.files {
                let rows = try DataSet.load(
                    path: file.path,
                    reading: DataReading(typing: DataReading.Typing(rawValue: self.typing) ?? .datasets))
                contents.append(rows)
                record.splits.append(
                    DataSetRecord.Split(
                        name: file.split, sha256: rows.sha256, rows: rows.rowCount, columns: try rows.columns(),
                        source: file.path, user: session.userName))
            }
            // Everything is checked before anything is stored.
            try record.validate()
            let store = try await session.store()
            for rows in contents { _ = try await store.importDataSet(bytes: rows.jsonl) }
            let addition = try await session.queue.addDataSet(record, replacing: self.replace)
            // Garbage collection may have removed rows between the copy and the name.
            for rows in contents where try await !store.hasDataSet(sha256: rows.sha256) {
                _ = try await store.importDataSet(bytes: rows.jsonl)
            }
            let notes = zip(self.files, contents).flatMap { file, rows in rows.notes.map { "\(file.split): \($0)" } }
            return (addition, notes)
        }
        if self.options.json {
            return try Output.json(Answer(dataSet: addition.record, changed: addition.changed, notes: notes))
        }
        for file in self.files {
            guard let split = addition.record[file.split] else { continue }
            let what = addition.changed.contains(split.name) ? "" : "unchanged: "
            Output.line(
                "\(name) \(split.name): \(what)\(Format.counted(split.rows, "row")), "
                    + "\(Format.counted(split.columns.count, "column")), sha256 \(split.sha256.prefix(12))")
        }
        for note in notes { Output.note("\(note)") }
    }
}

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

struct DataSetShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the splits of a data set, with the first row of each.",
        discussion: "Example:  assay dataset show allenai/ai2_arc --config ARC-Easy")

    @OptionGroup var dataSet: DataSetArguments

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var dataSet: DataSetRecord
        /// By split, as JSON.
        var firstRows: [String: String]
    }

    func run() async throws {
        let name = try self.dataSet.value
        let answer = try await Session.with(self.options) { session in
            var answer = Answer(dataSet: try await session.queue.dataSet(name), firstRows: [:])
            for split in answer.dataSet.splits {
                let rows = try await session.dataSets.rows(of: answer.dataSet, split: split.name)
                answer.firstRows[split.name] = try rows.document(at: 0).value.text()
            }
            return answer
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(Format.field("name", name.name))
        Output.line(Format.field("config", name.config ?? "-"))
        for split in answer.dataSet.splits {
            Output.line()
            // Columns and rows are not trusted: in JSON nothing in them is a command to the terminal.
            for (name, value) in [
                ("split", split.name), ("rows", "\(split.rows)"), ("sha256", split.sha256),
                ("columns", JSONValue.array(split.columns.map(JSONValue.string)).text()), ("source", split.source),
                ("added", "\(Format.time(split.addedAt)) by \(split.user)"),
                ("first row", answer.firstRows[split.name] ?? ""),
            ] {
                Output.line(Format.field(name, value))
            }
        }
    }
}

struct DataSetRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Forget a data set's name; its rows stay in the store, and jobs that use them go on.",
        discussion: "Example:  assay dataset remove allenai/ai2_arc --config ARC-Easy")

    @OptionGroup var dataSet: DataSetArguments

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var removed: String
        var config: String?
    }

    func run() async throws {
        let name = try self.dataSet.value
        try await Session.with(self.options) { try await $0.queue.removeDataSet(name) }
        if self.options.json { return try Output.json(Answer(removed: name.name, config: name.config)) }
        Output.line("\(name) was removed")
    }
}

extension Session {
    /// The data sets that task files can name.
    var dataSets: RegisteredDataSets {
        RegisteredDataSets(self.queue) { () async throws(StoreError) in try await self.store(.read) }
    }
}

/// "test=data/test.jsonl": a split's name and the file with its rows.
struct SplitFile: ExpressibleByArgument, Equatable {
    var split: String
    var path: String

    init?(argument: String) {
        guard let mark = argument.firstIndex(of: "=") else { return nil }
        self.split = String(argument[..<mark])
        self.path = String(argument[argument.index(after: mark)...])
        if self.split.isEmpty || self.path.isEmpty { return nil }
    }
}
