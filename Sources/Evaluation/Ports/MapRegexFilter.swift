internal import PythonCompat

/// bbh `utils.MapRegexFilter`: looks for one of several patterns and gives the text that belongs to it.
struct MapRegexFilter: Sendable {
    private let filter: ExtendedRegexFilter
    private let values: [(regex: PythonRegex, value: String)]

    /// - Parameters:
    ///   - options: `regexPattern` doesn't count: all patterns of `values` are looked for at once.
    ///   - values: The key `regex_pattern_to_value`; lm-eval gives the fallback in place of an empty text.
    init(
        _ options: ExtendedRegexFilter.Options, values: [(pattern: String, value: String)]
    ) throws(TaskError) {
        var options = options
        options.regexPattern = values.map(\.pattern).joined(separator: "|")
        self.filter = try ExtendedRegexFilter(options)
        self.values = try values.map { value throws(TaskError) in
            (try ExtendedRegexFilter.regex(value.pattern), value.value)
        }
    }

    func apply(_ responses: [String], document: JSONValue) throws(TaskError) -> [String] {
        try responses.map { response throws(TaskError) in
            let match = try self.filter.found(self.filter.regex, in: try self.filter.withoutIgnored(response))
            let value = match.isEmpty ? "" : try self.value(of: try self.filter.withoutIgnored(match))
            return value.isEmpty ? self.filter.options.fallback : value
        }
    }

    /// The first pattern's value that is found in a match.
    private func value(of match: String) throws(TaskError) -> String {
        for (regex, value) in self.values {
            if !(try self.filter.found(regex, in: match)).isEmpty { return value }
        }
        return ""
    }
}
