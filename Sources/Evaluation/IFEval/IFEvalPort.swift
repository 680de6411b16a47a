internal import PythonCompat

/// The Python functions of the task ifeval.
enum IFEvalPort {
    /// ifeval `utils.process_results`.
    ///
    /// The metrics of single instructions weigh as much as there are instructions, as `utils.agg_inst_level_acc` has it.
    static func results(_ document: JSONValue, _ responses: [String]) throws(TaskError) -> [NativeResult] {
        guard let response = responses.first.map({ IFEvalResponse($0) }) else {
            throw TaskError(.invalidResponse, "ifeval needs a response, but there is none")
        }
        var (strict, loose) = (0, 0)
        let instructions = try IFEvalInstruction.all(ColumnReader(document))
        for instruction in instructions {
            let isFollowed = try response.follows(instruction)
            if isFollowed { strict += 1 }
            if isFollowed {
                loose += 1
            } else if try response.followsLoosely(instruction) {
                loose += 1
            }
        }
        func results(_ kind: String, _ followed: Int) -> [NativeResult] {
            [
                NativeResult(name: "prompt_level_\(kind)_acc", value: followed == instructions.count ? 1 : 0),
                NativeResult(
                    name: "inst_level_\(kind)_acc", value: Double(followed), weight: Double(instructions.count)),
            ]
        }
        return results("strict", strict) + results("loose", loose)
    }
}

/// A response and what is left of it when it is read leniently.
struct IFEvalResponse {
    private let text: [Unicode.Scalar]

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    /// ifeval `utils.test_instruction_following_strict` for one instruction.
    func follows(_ instruction: IFEvalInstruction) throws(TaskError) -> Bool {
        if PythonText.isBlank(self.text[...]) { return false }
        return try instruction.isFollowed(by: self.text)
    }

    /// ifeval `utils.test_instruction_following_loose` for one instruction, without the response as it is.
    func followsLoosely(_ instruction: IFEvalInstruction) throws(TaskError) -> Bool {
        for part in self.parts {
            let isWhole = part.count == self.text.count
            if !isWhole, !part.isEmpty {
                if try instruction.isFollowed(by: Array(part)) { return true }
            }
            guard part.contains("*") else { continue }
            let plain = part.filter { $0 != "*" }
            if PythonText.isBlank(plain[...]) { continue }
            if try instruction.isFollowed(by: Array(plain)) { return true }
        }
        return false
    }

    /// All of it, and without its first line, its last line and both.
    private var parts: [CodePoints] {
        let (first, last) = (self.text.firstIndex(of: "\n"), self.text.lastIndex(of: "\n"))
        guard let first, let last else { return [self.text[...]] }
        let shorter = [self.text[(first + 1)...], self.text[..<last], self.text[min(first + 1, last)..<last]]
        return [self.text[...]] + shorter.map(PythonText.strip)
    }
}
