internal import PythonCompat

/// The Python functions of the task wikitext.
enum WikiTextPort {
    /// wikitext `preprocess_wikitext.wikitext_detokenizer`.
    static func detokenized(_ document: JSONValue) throws(TaskError) -> String {
        var text = try ColumnReader(document).string("page")
        text = Self.replacing(text, [("s '", "s'")])
        text = PythonText.substituting(text) { scalars, start in
            guard scalars[start...].starts(with: "/' ".unicodeScalars), start + 4 < scalars.count,
                ("0"..."9").contains(scalars[start + 3]), scalars[start + 4] == "/"
            else { return nil }
            return (start + 5, "/'[0-9]/")
        }
        text = Self.replacing(text, [(" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", ".")])
        for mark in ":;.!?," { text = PythonText.replace(text, " \(mark) ", with: "\(mark) ") }
        let brackets: [(open: Unicode.Scalar, close: Unicode.Scalar)] = [
            ("(", ")"), ("[", "]"), ("{", "}"), ("\"", "\""), ("'", "'"),
        ]
        for (open, close) in brackets { text = Self.tightened(text, open, close) }
        return Self.replacing(
            text,
            [
                ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" ° ", "°"), (" \n", "\n"), ("\n ", "\n"),
                (" N ", " 1 "), (" 's", "'s"),
            ])
    }

    /// wikitext `preprocess_wikitext.process_results`; words and bytes are those of the page as it was.
    static func results(
        _ document: JSONValue, logLikelihood: Double
    ) throws(TaskError) -> [(name: String, value: Double, weight: Double)] {
        let page = try ColumnReader(document).string("page")
        let (words, bytes) = (Double(PythonText.wordCount(page)), Double(page.utf8.count))
        return [
            ("word_perplexity", logLikelihood, words), ("byte_perplexity", logLikelihood, bytes),
            ("bits_per_byte", logLikelihood, bytes),
        ]
    }

    private static func replacing(_ text: String, _ pairs: [(old: String, new: String)]) -> String {
        pairs.reduce(text) { PythonText.replace($0, $1.old, with: $1.new) }
    }

    /// Takes out the white space behind each opening mark and before the next closing one.
    private static func tightened(_ text: String, _ open: Unicode.Scalar, _ close: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(of: open) {
            let inside = rest.index(after: start)
            guard let end = rest[inside...].firstIndex(of: close) else { break }
            result.append(contentsOf: rest[..<inside])
            result.append(contentsOf: PythonText.strip(String(rest[inside..<end])).unicodeScalars)
            result.append(close)
            rest = rest[rest.index(after: end)...]
        }
        result.append(contentsOf: rest)
        return String(result)
    }
}
