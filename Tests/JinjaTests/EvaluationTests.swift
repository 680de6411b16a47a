import Jinja
import Testing

@Suite struct EvaluationTests {
    @Test(arguments: [
        ("{{ choices }}", #"{"choices":["a","b"]}"#, #"["a", "b"]"#),
        ("{{ [x, x + 1] }}", #"{"x":1}"#, "[1, 2]"),
        ("{% set c = ['a'] %}\n{{ c + [x] }}\n", #"{"x":"é\"\n"}"#, #"["a", "é\"\n"]"#),
        ("{% if x %}{{ 1 }}{% else %}{{ 'one' }}{% endif %}", #"{"x":false}"#, #""one""#),
        ("{{ {'a': none, 'b': 1.5} }}", "{}", #"{"a": null, "b": 1.5}"#),
    ])
    func givesTheValue(template: String, variables: String, expected: String) throws {
        #expect(try Template(template).evaluate(variables) == expected)
    }

    @Test(arguments: ["a {{ 1 }}", "{{ 1 }}{{ 2 }}", "", "{{ [missing] }}"])
    func refusesWhatIsNotOneValue(template: String) throws {
        let parsed = try Template(template)
        #expect(throws: JinjaError.self) { try parsed.evaluate("{}") }
    }
}
