public import Datasets
public import Evaluation
public import LMEval

/// Where the prompts of two tasks differ.
public struct PromptDifference: Sendable, Hashable, Encodable {
    /// How many each task has.
    public let rows: [Int]
    /// Rows that only one task has are among them.
    public let differing: Int
    /// From 0; nil if nothing differs.
    public let firstDifferingRow: Int?
    /// Lines of the first differing row's requests, with "-", "+" or a space before them; empty if only one task has the row.
    public let lines: [String]

    /// Prepares every row of both tasks and compares what a model would be asked.
    ///
    /// - Throws: `TaskError` if a row can't be prepared.
    public init(
        _ first: (task: EvaluationTask, rows: DataSet), _ second: (task: EvaluationTask, rows: DataSet),
        style: PromptStyle
    ) throws(TaskError) {
        var differing = 0
        var found: (row: Int, lines: [String])?
        let common = min(first.rows.rowCount, second.rows.rowCount)
        for row in 0..<common {
            let before = try first.task.prepare(try first.rows.document(at: row), style: style)
            let after = try second.task.prepare(try second.rows.document(at: row), style: style)
            guard !before.asksTheSame(as: after) else { continue }
            differing += 1
            if found == nil { found = (row, Self.lines(before, after)) }
        }
        self.rows = [first.rows.rowCount, second.rows.rowCount]
        self.differing = differing + abs(first.rows.rowCount - second.rows.rowCount)
        self.firstDifferingRow = found?.row ?? (first.rows.rowCount == second.rows.rowCount ? nil : common)
        self.lines = found?.lines ?? []
    }

    private static func lines(_ before: PreparedSample, _ after: PreparedSample) -> [String] {
        let (old, new) = (Self.text(before), Self.text(after))
        var removed: Set<Int> = []
        var inserted: [Int: String] = [:]
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, let line, _): inserted[offset] = line
            }
        }
        var lines: [String] = []
        var place = 0
        for (index, line) in old.enumerated() {
            if removed.contains(index) {
                lines.append("-" + line)
                continue
            }
            while let line = inserted[place] {
                lines.append("+" + line)
                place += 1
            }
            lines.append(" " + line)
            place += 1
        }
        while let line = inserted[place] {
            lines.append("+" + line)
            place += 1
        }
        return Self.shortened(lines)
    }

    /// Requests as lines; a context is shown once for all choices that share it.
    private static func text(_ sample: PreparedSample) -> [String] {
        var lines: [String] = []
        var shown: String?
        for request in sample.requests {
            switch request {
            case .loglikelihood(let context, let continuation):
                if context != shown {
                    lines += context.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                }
                shown = context
                lines.append("continuation \(Self.quoted(continuation))")
            case .rolling(let text):
                lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            case .generate(let prompt, let stop, let maxTokens, let sampling, let constraint):
                if prompt != shown {
                    lines += prompt.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                }
                shown = prompt
                let drawing = sampling.map { "temperature \($0.rule.temperature), top_p \($0.rule.topP)" } ?? "greedy"
                lines.append(
                    "at most \(maxTokens) tokens, \(drawing), stops at \(stop.map(Self.quoted).joined(separator: " "))"
                )
                if let constraint {
                    lines += [constraint.key] + constraint.text.split(separator: "\n").map { "  \($0)" }
                }
            }
        }
        return lines
    }

    /// Equal lines far from any change are left out.
    private static func shortened(_ lines: [String]) -> [String] {
        let changed = lines.indices.filter { !lines[$0].hasPrefix(" ") }
        var kept: [String] = []
        var last = -1
        for index in lines.indices where changed.contains(where: { abs($0 - index) <= 2 }) {
            if index > last + 1 { kept.append(" …") }
            kept.append(lines[index])
            last = index
        }
        return kept
    }

    /// In quotes, so that white space at the ends shows.
    public static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\""))\""
    }
}
