import Testing

@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Filters give what lm-evaluation-harness's Python classes give.
@Suite struct FilterPortTests {
    private func options(_ value: JSONValue) -> ExtendedRegexFilter.Options {
        var options = ExtendedRegexFilter.Options()
        if let pattern = value["regex_pattern"]?.string { options.regexPattern = pattern }
        if let group = value["group_select"] { options.groupSelect = group.integer }
        if let fallback = value["fallback"]?.string { options.fallback = fallback }
        options.ignoreCase = value["ignore_case"] == .bool(true)
        options.ignorePunctuation = value["ignore_punctuation"] == .bool(true)
        options.regexesToIgnore = value[at: "regexes_to_ignore"].texts
        return options
    }

    /// Where lm-eval stops, the fallback is expected, or an error about the document.
    private func check(
        _ cases: JSONValue, fallback: String, _ apply: ([String], JSONValue) throws(TaskError) -> [String]
    ) throws {
        for example in cases.items {
            let (document, responses) = (example[at: "document"], example[at: "responses"].texts)
            let values: [String]
            do throws(TaskError) {
                values = try apply(responses, document)
            } catch {
                #expect(error.code == .invalidSample)
                #expect(example[at: "values"].items.contains(.null), "\(document): \(error)")
                continue
            }
            #expect(values.count == responses.count)
            for (index, value) in values.enumerated() {
                let expected = example[at: "values"][index].string ?? fallback
                #expect(Array(value.utf8) == Array(expected.utf8), "\(responses[index].debugDescription): \(document)")
            }
        }
    }

    @Test(arguments: ["mmlu", "built_in", "bbh"])
    func multiChoice(name: String) throws {
        let options = PortFixture.value("filters", "options").items
        let choices: [String: MultiChoiceRegexFilter.Choices] = [
            "mmlu": .columnInOrder, "built_in": .column, "bbh": .input,
        ]
        let cases = PortFixture.value("filters", "multi_choice", name).items
        #expect(cases.count == options.count && cases.first?.items.count ?? 0 > 15)
        for (options, cases) in zip(options.map(self.options), cases) {
            let filter = try MultiChoiceRegexFilter(options, choices: try #require(choices[name]))
            try self.check(cases, fallback: options.fallback) { responses, document throws(TaskError) in
                try filter.apply(responses, document: document)
            }
        }
    }

    @Test func mapping() throws {
        let examples = PortFixture.value("filters", "maps").items
        #expect(examples.count == 12)
        for example in examples {
            let options = self.options(example[at: "options"])
            let filter = try MapRegexFilter(
                options, values: example[at: "patterns"].items.map { ($0[0].text, $0[1].text) })
            try self.check(example[at: "cases"], fallback: options.fallback) { responses, document throws(TaskError) in
                try filter.apply(responses, document: document)
            }
        }
    }

    @Test func numbers() throws {
        let filter = try NumberParseRegexFilter(.init(regexPattern: "([-0-9]+)"))
        #expect(PortFixture.value("numbers")[0][at: "responses"].items.count > 150)
        try self.check(PortFixture.value("numbers"), fallback: "[invalid]") { responses, document throws(TaskError) in
            try filter.apply(responses, document: document)
        }
    }

    @Test func wordSorting() throws {
        #expect(PortFixture.value("word_sorts").items.count > 15)
        try self.check(PortFixture.value("word_sorts"), fallback: "?") { responses, document throws(TaskError) in
            try WordSortFilter.apply(responses, document: document)
        }
    }

    @Test func wrongPatternsAreErrors() {
        #expect(throws: TaskError.self) { try NumberParseRegexFilter(.init(regexPattern: "(")) }
        #expect(throws: TaskError.self) { try MapRegexFilter(.init(), values: [("a", "1"), ("b)", "2")]) }
        #expect(throws: TaskError.self) { try ExtendedRegexFilter(.init(regexesToIgnore: ["*"])) }
    }

    /// Where lm-eval stops at a response, the fallback stands in.
    @Test func missingMatchesFallBack() throws {
        let filter = try NumberParseRegexFilter(.init(regexPattern: "zz", groupSelect: 5, fallback: "none"))
        #expect(try filter.apply(["zz", "thousand five", "two"], document: .null) == ["none", "none", "none"])
    }
}
