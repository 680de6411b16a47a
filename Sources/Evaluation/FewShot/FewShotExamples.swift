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
