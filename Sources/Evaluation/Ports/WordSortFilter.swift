internal import PythonCompat

/// bbh `utils.WordSortFilter`: the words of the task's list in the order in which a response has them last.
enum WordSortFilter {
    static func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        let columns = ColumnReader(document)
        let words = try Self.words(columns)
        let regex: PythonRegex
        do throws(PatternError) {
            // The words stand in the pattern as they are.
            regex = try PythonRegex(words.map { "\\b\($0)\\b" }.joined(separator: "|"))
        } catch {
            throw columns.error("input", mustBe: "a list of plain words", is: "no pattern: \(error.message)")
        }
        guard regex.groupCount <= 1 else {
            throw columns.error("input", mustBe: "a list of plain words", is: "a pattern with groups")
        }
        return try responses.map { response throws(TaskError) in
            let matches = try ExtendedRegexFilter.matching { () throws(PatternError) in try regex.findAll(response) }
            return Self.lastOfEach(matches.map { $0[0] }).joined(separator: " ")
        }
    }

    private static func words(_ columns: ColumnReader) throws(TaskError) -> [String] {
        let input = Array(try columns.string("input").unicodeScalars)
        let mark = Array("List:".unicodeScalars)
        guard let start = input.firstRange(of: mark)?.upperBound else {
            throw columns.error("input", mustBe: "a string with \"List:\" in it", is: "one without")
        }
        let rest = input[start...]
        let list = rest[..<(rest.firstRange(of: mark)?.lowerBound ?? rest.endIndex)]
        return PythonText.split(String(String.UnicodeScalarView(list)))
    }

    private static func lastOfEach(_ words: [String]) -> [String] {
        var seen: Set<ExactText> = []
        return words.reversed().filter { seen.insert(ExactText($0)).inserted }.reversed()
    }
}
