internal import Crypto
internal import Datasets
internal import Evaluation
internal import JSON
internal import PythonCompat
internal import Synchronization

/// The few-shot examples of a task: which stand before a row, and how they read.
///
/// What was rendered is kept, since most examples stand before many rows.
final class FewShotExamples: Sendable {
    private enum Choice: Sendable {
        case none
        /// The first ones, without the row's own copies where `dropsOwn`.
        case first(dropsOwn: Bool)
        case drawn(FewShotDraws)
    }

    /// Messages are kept up to so many bytes.
    private static let memory = 64 << 20

    private struct Kept {
        var messages: [Int: [ChatMessage]] = [:]
        /// The documents with sorted keys, to be compared with a row.
        var texts: [Int: String] = [:]
        var bytes = 0
    }

    private let count: Int
    private let pool: FewShotPool
    private let choice: Choice
    private let format: ExampleFormat
    private let kept = Mutex(Kept())

    /// - Parameters:
    ///   - rows: How many rows will be asked for, from the first.
    ///   - evaluated: The data set that these are of; needed where a row's own copies are left out of drawn examples.
    init(
        _ configuration: TaskConfiguration, pool: FewShotPool, rows: Int, evaluated: DataSet?
    ) throws(TaskError) {
        let fewShot = configuration.fewShot
        self.count = fewShot.count
        self.pool = pool
        self.format = try ExampleFormat(configuration)
        switch fewShot.sampler {
        case _ where fewShot.count == 0: self.choice = .none
        case .firstN: self.choice = .first(dropsOwn: configuration.dropsOwnDocument)
        case .random:
            self.choice = .drawn(
                try FewShotDraws(
                    fewShot.count, seed: fewShot.seed, from: pool, rows: rows,
                    droppingOwn: configuration.dropsOwnDocument ? evaluated : nil))
        }
    }

    /// The messages of all examples before a row.
    func messages(for document: RenderedDocument) throws(TaskError) -> [ChatMessage] {
        switch self.choice {
        case .none: return []
        case .first(let dropsOwn): return try self.first(dropsOwn ? document.value.text(sortingKeys: true) : nil)
        case .drawn(let draws):
            guard let indices = draws.indices(for: document.row) else {
                throw document.error("no few-shot examples were drawn for it")
            }
            var messages: [ChatMessage] = []
            for index in indices { messages += try self.example(index) }
            return messages
        }
    }

    /// The first examples but those equal to `own`.
    private func first(_ own: String?) throws(TaskError) -> [ChatMessage] {
        var messages: [ChatMessage] = []
        var left = self.count
        var index = 0
        while left > 0 {
            guard index < self.pool.count else {
                throw TaskError(
                    .invalidData, "num_fewshot is \(self.count), but only \(self.pool.count) rows can be examples")
            }
            if try own.map({ own throws(TaskError) in !PythonText.equal(try self.text(index), own) }) ?? true {
                messages += try self.example(index)
                left -= 1
            }
            index += 1
        }
        return messages
    }

    private func text(_ index: Int) throws(TaskError) -> String {
        if let text = self.kept.withLock({ $0.texts[index] }) { return text }
        let text = try self.pool.document(at: index).text(sortingKeys: true)
        self.kept.withLock {
            $0.texts[index] = text
        }
        return text
    }

    private func example(_ index: Int) throws(TaskError) -> [ChatMessage] {
        if let messages = self.kept.withLock({ $0.messages[index] }) { return messages }
        let document = RenderedDocument(Document(row: index, value: try self.pool.document(at: index)))
        let messages: [ChatMessage]
        do throws(TaskError) {
            messages = try self.format.messages(document)
        } catch {
            throw TaskError(error.code, "few-shot example: \(error.message)", file: error.file)
        }
        let bytes = messages.reduce(64) { $0 + $1.content.utf8.count }
        self.kept.withLock { kept in
            guard kept.bytes + bytes <= Self.memory else { return }
            kept.messages[index] = messages
            kept.bytes += bytes
        }
        return messages
    }
}

/// Where few-shot examples come from.
enum FewShotPool: Sendable {
    case listed([JSONValue])
    /// The rows of a data set, or those of them that `rows` names.
    case dataSet(DataSet, rows: [Int]?)

    var count: Int {
        switch self {
        case .listed(let documents): documents.count
        case .dataSet(let dataSet, let rows): rows?.count ?? dataSet.rowCount
        }
    }

    /// An example's document.
    func document(at index: Int) throws(TaskError) -> JSONValue {
        switch self {
        case .listed(let documents):
            guard documents.indices.contains(index) else {
                throw TaskError(.invalidData, "there is no few-shot example \(index)")
            }
            return documents[index]
        case .dataSet(let dataSet, let rows):
            guard let rows else { return try dataSet.document(at: index).value }
            guard rows.indices.contains(index) else {
                throw TaskError(.invalidData, "there is no few-shot example \(index)")
            }
            return try dataSet.document(at: rows[index]).value
        }
    }
}

/// Which examples lm-eval's default sampler puts before each row.
///
/// One random stream serves all rows of a task in their order, so what a row gets depends on the rows before it; a rank of
/// lm-eval starts a stream of its own, and these are the draws of a single one.
struct FewShotDraws: Sendable {
    /// What `--seed` of lm-eval gives to few-shot sampling.
    static let defaultSeed: UInt64 = 1234

    private let count: Int
    /// `count` for each row.
    private let picked: [UInt32]

    /// - Parameters:
    ///   - rows: How many rows of `evaluated` get examples, from the first.
    ///   - evaluated: The rows to be left out of their own examples; `nil` if they may be among them.
    init(
        _ count: Int, seed: UInt64, from pool: FewShotPool, rows: Int, droppingOwn evaluated: DataSet?
    ) throws(TaskError) {
        let size = pool.count
        guard size >= count + (evaluated == nil ? 0 : 1) else { throw Self.tooFew(size, count, evaluated != nil) }
        self.count = count
        var random = PythonRandom(seed: seed)
        var picked: [UInt32] = []
        picked.reserveCapacity(rows * count)
        let classes = evaluated == nil ? nil : try DocumentClasses(pool)
        for row in 0..<rows {
            var indices: [Int]
            if let evaluated, let classes {
                indices = random.sample(count + 1, of: size) ?? []
                let own = classes.number(of: try evaluated.document(at: row).value)
                indices = Array(indices.filter { !classes.isEqual($0, to: own) }.prefix(count))
                // Equal copies of the row were drawn: lm-eval draws again from the rest.
                if indices.count < count {
                    let others = (0..<size).filter { !classes.isEqual($0, to: own) }
                    guard let again = random.sample(count, of: others.count) else {
                        throw Self.tooFew(others.count, count, true)
                    }
                    indices = again.map { others[$0] }
                }
            } else {
                indices = random.sample(count, of: size) ?? []
            }
            picked += indices.map(UInt32.init)
        }
        self.picked = picked
    }

    /// The examples of a row, as places in the pool; `nil` for a row beyond those that were asked for.
    func indices(for row: Int) -> [Int]? {
        guard row >= 0, (row + 1) * self.count <= self.picked.count else { return nil }
        return self.picked[row * self.count..<(row + 1) * self.count].map(Int.init)
    }

    private static func tooFew(_ size: Int, _ count: Int, _ dropsOwn: Bool) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(count), but the few-shot examples are taken from only \(size)"
                + "\(dropsOwn ? ", the row itself left out" : ""); lower it or add rows")
    }
}

/// Which documents of a pool are equal to each other, and to others.
///
/// Two documents are equal if they have the same columns with the same values, in any order.
struct DocumentClasses: Sendable {
    private struct Key: Hashable {
        let high: UInt64
        let low: UInt64

        /// The first half of the sha256 of the document with sorted keys.
        init(_ document: JSONValue) {
            let digest = Array(SHA256.hash(data: Array(document.text(sortingKeys: true).utf8)))
            func word(_ range: Range<Int>) -> UInt64 { digest[range].reduce(0) { $0 << 8 | UInt64($1) } }
            self.high = word(0..<8)
            self.low = word(8..<16)
        }
    }

    private var classes: [Key: Int32] = [:]
    /// The class of each document of the pool.
    private var members: [Int32] = []
    private var sizes: [Int32] = []

    init(_ pool: FewShotPool) throws(TaskError) {
        for index in 0..<pool.count {
            let key = Key(try pool.document(at: index))
            let number = self.classes[key] ?? Int32(self.sizes.count)
            if number == self.sizes.count {
                self.classes[key] = number
                self.sizes.append(0)
            }
            self.sizes[Int(number)] += 1
            self.members.append(number)
        }
    }

    func isEqual(_ index: Int, to number: Int32?) -> Bool { self.members[index] == number }

    /// The class that a document is in; `nil` if nothing in the pool is equal to it.
    func number(of document: JSONValue) -> Int32? { self.classes[Key(document)] }

    /// The most members that a class has.
    var largest: Int { Int(self.sizes.max() ?? 0) }
}

/// How a document becomes a few-shot example; each part is as for the question unless fewshot_config gives it.
struct ExampleFormat: Sendable {
    private let format: DocumentFormat
    private let prefix: DocumentField?
    private let targetDelimiter: String
    private let delimiter: String

    init(_ configuration: TaskConfiguration) throws(TaskError) {
        let fewShot = configuration.fewShot
        self.format = try DocumentFormat(
            text: fewShot.docToText ?? configuration.docToText,
            target: fewShot.docToTarget ?? configuration.docToTarget,
            choices: fewShot.docToChoice ?? configuration.docToChoice,
            // As lm-eval, which asks the task for its choices here, and not the examples.
            readsNumbers: configuration.docToChoice != nil, multipleInput: configuration.multipleInput)
        self.prefix = try (fewShot.genPrefix ?? configuration.genPrefix).map { text throws(TaskError) in
            try DocumentField(text, key: "gen_prefix")
        }
        self.targetDelimiter = fewShot.targetDelimiter ?? configuration.targetDelimiter
        self.delimiter = fewShot.delimiter ?? configuration.fewShotDelimiter
    }

    func messages(_ document: RenderedDocument) throws(TaskError) -> [ChatMessage] {
        let options = try self.format.options(document)
        let question: String
        var answer: String?
        switch (try self.format.question(document), try self.format.answer(document)) {
        case (.number(let number), let target):
            // The choices are contexts: the right one is the question.
            guard options.indices.contains(number) else {
                throw document.error("doc_to_text gives \(number), but there are \(options.count) choices (from 0)")
            }
            question = options[number]
            answer = PythonText.str(target)
            if answer == "" { answer = nil }
        case (.text(let text), .array(let targets)):
            question = text
            answer = targets.first.map(PythonText.str)
            if !options.isEmpty, case .int(let number)? = targets.first, options.indices.contains(number) {
                answer = options[number]
            }
        case (.text(let text), let target):
            question = text
            // An example without an answer is a question.
            answer = target == .null || target == .string("") ? nil : PythonText.str(target)
            if !options.isEmpty, case .int = target {
                answer = options[try self.format.gold(document, among: options)]
            }
        }
        return PromptTurn(
            question: question, answer: answer, prefix: try self.prefix?.text(document),
            targetDelimiter: self.targetDelimiter, fewShotDelimiter: self.delimiter
        ).messages
    }
}

extension TaskConfiguration {
    /// The pool that the task's examples come from, reduced to what it needs.
    ///
    /// - Parameter split: The rows of the few-shot split; not needed if the task lists its samples.
    /// - Throws: `TaskError` if there are too few.
    func examplePool(_ split: DataSet?) throws(TaskError) -> FewShotPool {
        guard self.fewShot.count > 0 else { return .listed([]) }
        let pool: FewShotPool
        if let samples = self.fewShot.samples {
            pool = .listed(samples)
        } else if let split {
            if let row = self.fewShot.indices?.first(where: { $0 >= split.rowCount }) {
                throw TaskError(
                    .invalidData, "fewshot_indices names row \(row), but the split has only \(split.rowCount)",
                    file: self.file)
            }
            pool = .dataSet(split, rows: self.fewShot.indices)
        } else {
            throw TaskError(
                .invalidData, "the rows that few-shot examples are drawn from are not here", file: self.file)
        }
        return self.fewShot.sampler == .firstN ? .listed(try self.firstSamples(of: pool)) : pool
    }

    /// The shortest start of `pool` that has enough examples for every row.
    ///
    /// A row's own copies are left out, so that may be more than one row more.
    private func firstSamples(of pool: FewShotPool) throws(TaskError) -> [JSONValue] {
        var samples: [JSONValue] = []
        var copies: [String: Int] = [:]
        var most = 0
        while samples.count - most < self.fewShot.count {
            guard samples.count < pool.count else { throw self.tooFewSamples(pool.count) }
            let document = try pool.document(at: samples.count)
            samples.append(document)
            guard self.dropsOwnDocument else { continue }
            copies[document.text(sortingKeys: true), default: 0] += 1
            most = max(most, copies[document.text(sortingKeys: true)] ?? 0)
        }
        return samples
    }

    private func tooFewSamples(_ count: Int) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(self.fewShot.count), but \(self.fewShotSplit.map { "the few-shot split \($0)" } ?? "the list of samples") "
                + "has too few rows (\(count)); lower it or add rows", file: self.file)
    }
}
