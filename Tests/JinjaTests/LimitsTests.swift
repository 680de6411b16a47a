import Jinja
import Testing

@Suite struct LimitsTests {
    @Test(
        .timeLimit(.minutes(10)),
        arguments: [
            "{{ range(1000000000) }}",
            "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
            "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}",
            "{{ 'a' * 1000000000000 }}",
            "{{ [1] * 1000000000000 }}",
            "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}",
            "{% set ns = namespace() %}{% set ns.a = [ns] %}",
            "{% set s = 'a' * 1000000 %}{{ s.replace('a', s) }}",
            "{% set s = 'a' * 8000000 %}{{ s.find(('a' * 4000000) + 'b') }}",
            "{% set s = 'a' * 1000000 %}{{ s.join(s|list) }}",
            "{{ '%s' % 'x' }}",
        ])
    func stopsWhatRunsAway(template: String) throws {
        let parsed = try Template(template)
        let error = #expect(throws: JinjaError.self) { try parsed.render("{}") }
        #expect(error?.code == .rendering)
    }

    @Test func boundsTheOutput() throws {
        let template = try Template("{% for i in range(100) %}{{ 'aaaaaaaaaa' }}{% endfor %}")
        #expect(try template.render("{}", limits: Limits(bytes: 1000)).utf8.count == 1000)
        #expect(throws: JinjaError.self) { try template.render("{}", limits: Limits(bytes: 999)) }
    }

    @Test(arguments: ["(", "[", "-", "not ", "1 if 2 else ", "a.b.", "1 + ", "a|length|", "a(", "a["])
    func boundsRecursionInTheParser(piece: String) {
        #expect(throws: JinjaError.self) { try Template("{{ " + String(repeating: piece, count: 50_000) + "1 }}") }
    }

    @Test(arguments: ["{% if 1 %}", "{% for i in [1] %}"])
    func boundsTheNestingOfStatements(piece: String) {
        #expect(throws: JinjaError.self) { try Template(String(repeating: piece, count: 10_000)) }
    }

    @Test func boundsElif() {
        let source = "{% if 0 %}" + String(repeating: "{% elif 0 %}", count: 10_000) + "{% endif %}"
        #expect(throws: JinjaError.self) { try Template(source) }
    }

    @Test func refusesDeeplyNestedVariables() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let template = try Template("{{ x }}")
        #expect(throws: JinjaError.self) { try template.render(#"{"x":\#(deep)}"#) }
        #expect(throws: JinjaError.self) { try template.render("[1]") }
        #expect(throws: JinjaError.self) { try template.render("{") }
    }

    @Test func isUsedFromManyTasksAtOnce() async throws {
        let template = try Template(
            "{% set ns = namespace(t=0) %}{% for i in range(n) %}{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}")
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for n in 0..<64 {
                group.addTask { try template.render(#"{"n":\#(n)}"#) == String(n * (n - 1) / 2) }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    /// No input may end the process.
    @Test func survivesMutilatedTemplates() {
        let source = Array(
            "{% for k, v in d.items() if v %}{{ k[1:]|upper ~ '{}' }}{%- else -%}{# c #}{{ {'a': [1]} }}{% endfor %}"
                .utf8)
        for start in 0..<source.count {
            for length in [1, 2, 7] where start + length <= source.count {
                var bytes = source
                bytes.removeSubrange(start..<start + length)
                let text = String(decoding: bytes, as: UTF8.self)
                guard let template = try? Template(text) else { continue }
                _ = try? template.render(#"{"d":{"abc":1}}"#)
                _ = try? template.evaluate(#"{"d":{}}"#)
            }
        }
    }
}
