import Jinja
import Testing

extension Template {
    /// With variables as a JSON object's text.
    func render(json: String, limits: Limits = Limits()) throws(JinjaError) -> String {
        let variables = JSONReader.value(json) ?? .null
        return try self.render(limits: limits) { variables[$0] }
    }
}

/// What the module gives beside the text that Jinja2 gives: values, names, places of errors, probing.
@Suite struct TemplateTests {
    @Test(arguments: [
        ("{{ choices }}", #"{"choices":["a","b"]}"#, "['a', 'b']"), ("{{ [x, x + 1] }}", #"{"x":1}"#, "[1, 2]"),
        ("{% set c = ['a'] %}\n{{ c + [x] }}\n", #"{"x":"é\n"}"#, #"['a', 'é\n']"#),
        ("{% if x %}{{ 1 }}{% else %}{{ 'one' }}{% endif %}", #"{"x":false}"#, "'one'"),
        ("{{ {'a': none, 'b': (1.5,)} }}", "{}", "{'a': None, 'b': (1.5,)}"),
        ("{% macro m() %}{{ 1 }}{% endmacro %}{{ m() }}", "{}", "'1'"),
        ("{% set l = [[1], [2]] %}{{ l[0] + l }}", "{}", "[1, [1], [2]]"),
        ("{{ range(3) }}", "{}", "'range(0, 3)'"), ("{{ x|map('upper')|list }}", #"{"x":["a"]}"#, "['A']"),
    ])
    func evaluateGivesTheValue(template: String, variables: String, expected: String) throws {
        let variables = try #require(JSONReader.value(variables))
        let value = try Template(template).evaluate { variables[$0] }
        let shown = try Template("{{ [v]|string }}").render { _ in value }
        #expect(shown == "[\(expected)]")
    }

    @Test(arguments: ["a {{ 1 }}", "{{ 1 }}{{ 2 }}", "", "{{ [missing] }}", "{{ [nothing] }}", "{{ missing }}"])
    func whatIsNotOneValueIsRefused(template: String) throws {
        let parsed = try Template(template)
        #expect(throws: JinjaError.self) { try parsed.evaluate { _ in nil } }
    }

    @Test func namesAreThoseTakenFromOutside() throws {
        let template = try Template(
            "{% set a = b %}{{ a }}{% for c in d %}{{ c + e + loop.index }}{% endfor %}{{ range(f) }}{{ 题目 }}"
                + "{% macro m(g, h=i) %}{{ g ~ varargs }}{% endmacro %}{{ m(j) }}{% if k %}{% set l = 1 %}{% endif %}{{ l }}"
        )
        #expect(Set(template.names) == ["b", "d", "e", "f", "题目", "i", "j", "k", "l"])
    }

    @Test func aVariableIsLookedUpOnce() throws {
        let template = try Template("{% for i in range(5) %}{{ x }}{% endfor %}{{ x }}{{ y is defined }}")
        var asked: [String] = []
        let text = try template.render { name in
            asked.append(name)
            return name == "x" ? .int(1) : nil
        }
        #expect(text == "111111False")
        #expect(asked.filter { $0 == "x" }.count == 1)
    }

    /// Canonically equivalent names, keys and texts are different ones.
    @Test func textsAreComparedByCodePoints() throws {
        let variables = Value(dict: [(.string("e\u{301}"), .int(1)), (.string("\u{E9}"), .int(2))])
        let template = try Template(
            "{{ d['\u{E9}'] }}{{ d['e\u{301}'] }}{{ '\u{E9}' == 'e\u{301}' }}{{ 'e' in 'e\u{301}' }}")
        #expect(try template.render { _ in variables } == "21FalseTrue")
        #expect(try Template("{{ \u{E9} }}").render { $0.unicodeScalars.count == 1 ? .string("one") : nil } == "one")
    }

    @Test func whatATemplateDoesToTheCallersValuesIsUndone() throws {
        let list = Value.List([.int(1)])
        let dict = Value.Dict([(.string("a"), .int(1))])
        let template = try Template("{{ l.append(l) }}{{ l|length }}{{ d.update(b=2) }}{{ d }}")
        #expect(try template.render { $0 == "l" ? .list(list) : .dict(dict) } == "None2None{'a': 1, 'b': 2}")
        #expect(list.items.count == 1 && dict.entries.count == 1)
    }

    @Test(arguments: [
        ("x\n {{ y }}", "'y' is undefined", JinjaError.Code.undefined, 2, 5),
        ("{{ a.b }}", "a dict object has no attribute 'b'", .undefined, 1, 6),
        ("{{ é + y }}", "'é' is undefined", .undefined, 1, 6), ("{{ é + y.z }}", "'y' is undefined", .undefined, 1, 10),
        ("{% for q in y %}a{% endfor %}", "'y' is undefined", .undefined, 1, 13),
        ("{{ y|length }}", "'y' is undefined", .undefined, 1, 6),
        ("{{ [1][3] }}", "a list object has no element 3", .undefined, 1, 7),
        ("{{ 'a' + 1 }}", "unsupported operand type(s) for +: 'str' and 'int'", .type, 1, 8),
        ("{{ 1/0 }}", "division by zero", .division, 1, 5),
        ("{{ ['a'].index('b') }}", "'b' is not in list", .value, 1, 15),
        (
            "{{ lipsum() }}", "lipsum gives another text each time, so that no prompt with it can be reproduced",
            .unsupported, 1, 10
        ),
        ("{{ [1]|map('string') }}", "", .unsupported, 1, 8), ("{{ 'x'.encode() }}", "", .unsupported, 1, 14),
    ])
    func errorsSayWhatAndWhere(
        template: String, message: String, code: JinjaError.Code, line: Int, column: Int
    ) throws {
        let parsed = try Template(template)
        let error = #expect(throws: JinjaError.self) { try parsed.render(json: #"{"a":{}}"#) }
        if !message.isEmpty { #expect(error?.message == message) }
        #expect(error?.code == code && error?.line == line)
        if error?.column != column { Issue.record("column \(String(describing: error?.column)), not \(column)") }
    }

    @Test(arguments: [
        ("{{ x", 1, 1, "not closed"), ("\n {{ x }", 2, 7, "unexpected '}'"), ("{% if x %}", 1, 11, "'endif'"),
        ("{{ a b }}", 1, 6, "'}}'"),
        ("{% include 'x' %}", 1, 4, "other templates"), ("{% extends 'x' %}", 1, 4, "other templates"),
        ("{% import 'x' as y %}", 1, 4, "other templates"),
        ("{{ x|nofilter }}", 1, 6, "no filter 'nofilter'"), ("{{ x is notest }}", 1, 9, "no test 'notest'"),
        ("{% break %}", 1, 4, "no tag 'break'"),
        ("{{ [1 2] }}", 1, 7, "','"), ("{{ {'a': 1 'b': 2} }}", 1, 12, "','"), ("{{ range(1 3) }}", 1, 12, "','"),
    ])
    func whatCanNotBeParsedIsSaid(template: String, line: Int, column: Int, message: String) {
        let error = #expect(throws: JinjaError.self) { try Template(template) }
        #expect(error?.line == line && error?.message.contains(message) == true, "\(String(describing: error))")
        if error?.column != column { Issue.record("column \(String(describing: error?.column)), not \(column)") }
    }

    @Test func strftimeIsRefusedButMayBeAskedFor() throws {
        let asked = try Template("{% if strftime_now is defined %}now{% else %}fixed{% endif %}", dialect: .chat)
        #expect(try asked.render { _ in nil } == "fixed")
        let used = try Template("{{ strftime_now('%Y') }}", dialect: .chat)
        let error = #expect(throws: JinjaError.self) { try used.render { _ in nil } }
        #expect(error?.code == .unsupported && error?.message.contains("reproduced") == true)
    }

    // MARK: Probing

    @Test(arguments: [
        "{{ a }}{{ a.b.c[0] }}{{ a['x'].strip().split(' ')[1:] | join(' ') }}",
        "{% for x in rows %}{{ loop.index }}{{ x.name | upper }}{% endfor %}", "{{ ['a', 'b'].index(c) + 1 - d }}",
        "{{ a[b] }}{{ (a | int) * 2 }}{{ a ~ b }}{{ -a }}{{ range(n) | list }}", "{% set x, y = pair %}{{ x }}{{ y }}",
        "{% if a in b and b is string or a > 3 %}{{ a.get('k', b) }}{% endif %}",
        "{{ a.items() | length }}{{ d // 2 }}",
        "{% set ns = namespace(t=0) %}{% for r in rows %}{% set ns.t = ns.t + r.n %}{% endfor %}{{ 1 / ns.t }}",
        "{% set l = [] %}{{ l.append(a) or '' }}{{ l[0].x }}",
        "{% set x = 1 %}{% if a %}{% set x = 'b' %}{% endif %}{{ x + 1 }}",
        "{% macro f(x) %}{{ x.y }}{% endmacro %}{{ f(a) }}", "{% set ns = namespace(f=none) %}{{ ns.f(1) if a }}",
    ])
    func whatSomeVariablesSuitPassesTheProbe(source: String) throws { try Template(source).probe() }

    @Test(arguments: [
        "{{ a.explode() }}", "{% for x in a %}{{ x.explode() }}{% endfor %}", "{{ now() }}", "{{ 1 / 0 }}",
        "{{ a }}{{ 'a' + 1 }}",
        "{% if a %}{{ b|nofilter }}{% endif %}", "{% if a %}{{ b is nosuchtest }}{% endif %}", "{{ a|random }}",
        "{{ lipsum() }}",
    ])
    func whatNoVariablesHelpFailsTheProbe(source: String) throws {
        let template = try Template(source)
        #expect(throws: JinjaError.self) { try template.probe() }
    }

    @Test func probesEnd() throws {
        let nested = String(repeating: "{% for i in range(9999) %}", count: 4)
        let template = try Template(nested + "x" + String(repeating: "{% endfor %}", count: 4))
        let error = #expect(throws: JinjaError.self) { try template.probe() }
        #expect(error?.code == .limit)
    }

    @Test func isUsedFromManyTasksAtOnce() async throws {
        let template = try Template(
            "{% set ns = namespace(t=0) %}{% for i in range(n) %}{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}")
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for n in 0..<64 {
                group.addTask { try template.render { $0 == "n" ? .int(n) : nil } == String(n * (n - 1) / 2) }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
