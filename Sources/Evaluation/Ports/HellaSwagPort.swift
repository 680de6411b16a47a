internal import PythonCompat

/// The Python functions of the task hellaswag.
enum HellaSwagPort {
    /// hellaswag `utils.process_docs`.
    static func process(_ document: JSONValue) throws(TaskError) -> JSONValue {
        let columns = ColumnReader(document)
        let context = try columns.string("ctx_a") + " " + PythonText.capitalize(try columns.string("ctx_b"))
        let endings = try columns.strings("endings")
        return try document.setting([
            "query": .string(Self.preprocess(try columns.string("activity_label") + ": " + context)),
            "choices": .strings(endings.map(Self.preprocess)),
            "gold": .int(try Self.label(columns)),
        ])
    }

    private static func label(_ columns: ColumnReader) throws(TaskError) -> Int {
        let wanted = "an integer or a string with one"
        switch try columns.value("label", mustBe: wanted) {
        case .int(let number): return number
        case .string(let text):
            if let number = PythonNumber.int(text) { return number }
            throw columns.error("label", mustBe: wanted, is: "another string")
        case let other: throw columns.error("label", mustBe: wanted, is: other.kind)
        }
    }

    private static func preprocess(_ text: String) -> String {
        let text = PythonText.replace(PythonText.strip(text), " [title]", with: ". ")
        return PythonText.replace(Self.withoutBrackets(text), "  ", with: " ")
    }

    /// Takes out each `[...]` that ends on its line.
    private static func withoutBrackets(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let open = rest.firstIndex(of: "["),
            let stop = rest[open...].firstIndex(where: { $0 == "]" || $0 == "\n" })
        {
            let isClosed = rest[stop] == "]"
            // Where a line ends first, no other [ before its end is closed either.
            result.append(contentsOf: rest[..<(isClosed ? open : stop)])
            rest = rest[stop...].dropFirst(isClosed ? 1 : 0)
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}
