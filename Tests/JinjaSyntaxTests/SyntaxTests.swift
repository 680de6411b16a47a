import JinjaSyntax
import PythonCompat
import Testing

/// What the parser makes of a template's text, and what can be asked of it.
@Suite struct SyntaxTests {
    private func parse(_ source: String, _ options: SyntaxOptions = SyntaxOptions()) throws(SyntaxError) -> [Stmt] {
        try Parser.parse(source, options)
    }

    private func texts(_ statements: [Stmt]) -> [String] {
        statements.flatMap { statement in
            var texts: [String] = []
            if case .output(let parts) = statement.statement {
                for case .data(let text) in parts { texts.append(text) }
            }
            return texts + statement.bodies.flatMap { self.texts($0) }
        }
    }

    @Test(arguments: [
        ("{{ a", Place(line: 1, column: 1)), ("a\n é{{ b", Place(line: 2, column: 3)),
        ("{% for x in y %}\n", Place(line: 2, column: 1)), ("{{ 'a }}", Place(line: 1, column: 4)),
        ("{{ (1] }}", Place(line: 1, column: 6)), ("{# a", Place(line: 1, column: 1)),
        ("{{ 'a' 'b' + }}", Place(line: 1, column: 14)), ("{% break %}", Place(line: 1, column: 4)),
    ])
    func errorsHaveAPlace(source: String, place: Place) {
        let error = #expect(throws: SyntaxError.self) { try self.parse(source) }
        #expect(error?.kind == .syntax && error?.place == place, "\(source): \(error.debugDescription)")
    }

    @Test func whatIsTooLongOrTooDeepIsRefused() {
        for source in [
            "{{ " + String(repeating: "(", count: 10_000) + "a" + String(repeating: ")", count: 10_000) + " }}",
            "{{ " + String(repeating: "not ", count: 10_000) + "a }}", String(repeating: "{% if a %}", count: 10_000),
            String(repeating: "a", count: 5 << 20),
        ] {
            let error = #expect(throws: SyntaxError.self) { try self.parse(source) }
            #expect(error?.kind == .limit, "\(source.prefix(12)): \(error.debugDescription)")
        }
        let error = #expect(throws: SyntaxError.self) { try self.parse("{% include 'a' %}") }
        #expect(error?.kind == .unsupported)
    }

    @Test func optionsDecideAboutSpaceAndTags() throws {
        let source = "  {% if a %}\n b\n{% endif %}\nc\n"
        #expect(self.texts(try self.parse(source)) == ["  ", "\n b\n", "\nc\n"])
        #expect(self.texts(try self.parse(source, SyntaxOptions(trims: true))) == [" b\n", "c"])
        let loop = "{% for a in b %}{% break %}{% generation %}a{% endgeneration %}{% endfor %}"
        #expect(self.texts(try self.parse(loop, SyntaxOptions(hasChatTags: true))) == ["a"])
        #expect(throws: SyntaxError.self) { try self.parse(loop) }
    }

    @Test func namesAreKnownWhereTheyAreAssigned() throws {
        let scope = Scope(nil, Scope.Function(nil))
        scope.visit(
            try self.parse(
                "{% set a = b %}{{ a }}{% if c %}{% set d = 1 %}{% endif %}{% for e in f %}{{ g }}{% endfor %}"))
        var outside: Set<String> = []
        for load in scope.loads { if case .resolve(let name) = load.kind { outside.insert(name) } }
        // What only one branch assigns may come from outside; a loop's body is a scope of its own.
        #expect(outside == ["b", "c", "d", "f"])
        #expect(Set(scope.stores.map(\.text)) == ["a", "d"])
        let inner = Scope(scope, scope.function)
        inner.visit(try self.parse("{{ a }}{% set a = 2 %}{{ h }}"))
        #expect(inner.find(ExactText("a")) !== scope.find(ExactText("a")))
        #expect(inner.find(ExactText("b")) === scope.find(ExactText("b")))
        #expect(scope.find(ExactText("h")) == nil)
    }

    @Test func statementsCanBeAsked() throws {
        let names: Set<String> = ["loop", "caller"]
        #expect(try self.parse("{{ loop.index + x }}").undeclared(names) == ["loop"])
        #expect(try self.parse("{% set caller = 1 %}{{ caller }}").undeclared(names) == [])
        #expect(
            try self.parse("{% if x %}{% filter upper %}{{ caller() }}{% endfilter %}{% endif %}").undeclared(names)
                == ["caller"])
        let blocks = try self.parse("{% block a %}{% if x %}{% block b %}{% endblock %}{% endif %}{% endblock %}")
            .blocks
        #expect(blocks.map(\.block.name) == ["a", "b"])
        let declared = DeclaredNames(of: try self.parse("{% macro m(p) %}{% set n.q = {'r': 1} %}{% endmacro %}"))
        #expect(Set(declared.variables.map(\.text)) == ["m", "p"])
        #expect(Set(declared.members.map(\.text)) == ["q", "r"])
        for (source, column) in [
            ("{% for loop in a %}{% endfor %}", 8), ("{% for b in a %}{% set loop = 1 %}{% endfor %}", 24),
        ] {
            guard case .loop(let loop)? = try self.parse(source).first?.statement else {
                Issue.record("\(source) is a loop")
                continue
            }
            #expect(loop.storeOfLoop == Place(line: 1, column: Int32(column)))
        }
    }
}
