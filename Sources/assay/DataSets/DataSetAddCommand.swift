internal import ArgumentParser
internal import Console
internal import Evaluation
internal import JobQueue
internal import ResultStore

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
