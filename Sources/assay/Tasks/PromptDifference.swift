internal import Console
internal import Evaluation

/// Where the prompts of two tasks differ.
struct PromptDifference {
    struct Answer: Encodable {
        var rows: [Int]
        var differing: Int
        var firstDifferingRow: Int?
        /// Lines of the first differing row's requests, with "-", "+" or a space before them.
        var lines: [String]
    }

    private let answer: Answer

    init(
        _ first: (task: EvaluationTask, rows: DataSet), _ second: (task: EvaluationTask, rows: DataSet),
        style: PromptStyle
    ) throws {
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
        self.answer = Answer(
            rows: [first.rows.rowCount, second.rows.rowCount],
            differing: differing + abs(first.rows.rowCount - second.rows.rowCount),
            firstDifferingRow: found?.row ?? (first.rows.rowCount == second.rows.rowCount ? nil : common),
            lines: found?.lines ?? [])
    }

    /// Both files' names go before the lines; nothing but a sentence if nothing differs.
    func show(_ first: String, _ second: String, _ options: GlobalOptions) throws {
        if options.json { return try Output.json(self.answer) }
        guard let row = self.answer.firstDifferingRow else {
            return Output.line("the prompts are the same (\(Format.counted(self.answer.rows[0], "row")))")
        }
        let terminal = Terminal.standardOutput(environment: options.environment)
        Output.line(
            "\(Format.counted(self.answer.differing, "row")) of \(self.answer.rows.max() ?? 0) differ; row \(row) is the first"
        )
        if self.answer.rows[0] != self.answer.rows[1] {
            Output.line("\(first) has \(self.answer.rows[0]) rows, \(second) has \(self.answer.rows[1])")
        }
        guard !self.answer.lines.isEmpty else { return }
        Output.line(terminal.styled("--- \(first)", .bold))
        Output.line(terminal.styled("+++ \(second)", .bold))
        for line in self.answer.lines {
            switch line.first {
            case "-": Output.line(terminal.styled(line, .red))
            case "+": Output.line(terminal.styled(line, .green))
            default: Output.line("\(line)")
            }
        }
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
                lines.append("continuation \(PromptPreview.quoted(continuation))")
            case .rolling(let text):
                lines += text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            case .generate(let prompt, let stop, let maxTokens, let sampling, let constraint):
                if prompt != shown {
                    lines += prompt.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                }
                shown = prompt
                let drawing = sampling.map { "temperature \($0.rule.temperature), top_p \($0.rule.topP)" } ?? "greedy"
                lines.append(
                    "at most \(maxTokens) tokens, \(drawing), stops at \(stop.map(PromptPreview.quoted).joined(separator: " "))"
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
}
