import Jinja
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Templates that are filled in without Jinja give what Jinja gives.
@Suite struct SimpleTemplateTests {
    private static let document = JSONValue.object([
        "q": .string("é {{x}} \r\n\"'"), "n": .int(-7), "_a1": .string(""), "b": .bool(true), "z": .null,
        "f": .double(0.5),
        "l": .array([.int(1)]), "o": .object(["k": .string("v")]), "loop": .string("own"), "if": .string("word"),
        "s": .string(" \u{1c}\u{a0}x y\u{2003}\n"), "pick": .string("é"),
        "labels": .array([.string("e\u{301}"), .string("A"), .string("é"), .string("é")]),
    ])

    @Test(arguments: [
        "", "plain\n", "Question: {{q}}\nAnswer:", "{{ q }}{{n}}{{  _a1 }}|", "{{q}}", "a } b { c {{n}} }",
        "\n{{n}}\n\n",
        "{{o.k}}!", "<{{ s.strip() }}>", "{{q.strip()}}{{ o.k.strip() }}", "{{ labels.index(pick) }}",
        "{{labels.index( o.k )}}",
    ])
    func equalsJinja(source: String) throws {
        let simple = try #require(SimpleTemplate(source))
        // What Jinja refuses is left to it.
        #expect(simple.render(Self.document) == (try? Template(source).render { Self.document[$0].map { Value($0) } }))
    }

    @Test(arguments: [
        "{{ q.strip('x') }}", "{{ q.strip().lower() }}", "{{ .strip() }}", "{{ labels.index('A') }}",
        "{{ labels.index(pick, 1) }}", "{{ labels.index() }}", "{{ q|upper }}", "{% if q %}x{% endif %}", "{# c #}",
        "{{ 'q' }}", "{{- q }}", "{{ q -}}",
        "{{ 1 }}",
        "{{ o.items }}", "{{ o. k }}", "{{ .k }}", "{{ l[0] }}", "a\r\n", "{{ q", "}} x", "{{ true }}", "{{ loop }}",
        "{{ if }}", "{{}}", "{{ é }}",
        "{{ q\n}}",
    ])
    func whatDoesMoreIsLeftToJinja(source: String) { #expect(SimpleTemplate(source) == nil) }

    @Test func valuesOfOtherKindsAreLeftToJinja() throws {
        #expect(SimpleTemplate("{{ o }}")?.value(Self.document) == Self.document["o"])
        #expect(SimpleTemplate("{{ o.k }}")?.value(Self.document) == .string("v"))
        for source in ["{{ o.x }}", "{{ q.k }}", "{{ missing.k }}", "x{{ o }}", ""] {
            #expect(try #require(SimpleTemplate(source)).value(Self.document) == nil)
        }
        #expect(SimpleTemplate("{{ labels.index(pick) }}")?.value(Self.document) == .int(2))
        for name in ["b", "z", "f", "l", "o", "missing", "n.strip()", "l.index(pick)", "q.index(pick)"] {
            #expect(try #require(SimpleTemplate("{{\(name)}}")).render(Self.document) == nil)
        }
    }

    @Test func onlyColumnsThatAreNamedAreHandedOver() throws {
        let document = RenderedDocument(Document(row: 0, value: Self.document))
        #expect(try DocumentField("{{ q|length }} {{ o.k }} {{ b }}", key: "t").value(document) == .string("12 v True"))
        #expect(throws: TaskError.self) { try DocumentField("{{ missing|upper }}", key: "t").value(document) }
    }
}
