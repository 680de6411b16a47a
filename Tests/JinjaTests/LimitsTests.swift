import Foundation
import Jinja
import Testing

/// Templates are not trusted: whatever they do ends soon, in little memory and little stack.
@Suite(.timeLimit(.minutes(10))) struct LimitsTests {
    /// On a thread with the stack that Swift's own threads have at least.
    private static func onSmallStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: body()) }
            thread.stackSize = 512 << 10
            thread.start()
        }
    }

    private static func outcome(_ source: String, _ dialect: Template.Dialect = .task) async -> JinjaError? {
        await Self.onSmallStack {
            do throws(JinjaError) {
                _ = try Template(source, dialect: dialect).render { _ in nil }
                return nil
            } catch {
                return error
            }
        }
    }

    @Test(arguments: [
        "{{ range(1000000000)|list }}", "{{ range(0, 2000000000, 1)|map('string')|join }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{{ j }}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000000 }}", "{{ [1] * 1000000000000 }}", "{{ 'ab' * 9000000 }}", "{{ 10 ** 1000000000 }}",
        "{{ 7 ** (7 ** (9 ** 9)) }}",
        "{% set ns = namespace(n=3) %}{% for i in range(60) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|pprint }}",
        "{% set ns = namespace(s=(1,)) %}{% for i in range(500) %}{% set ns.s = (ns.s,) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(s=(1,), t=(1,)) %}{% for i in range(500) %}{% set ns.s = (ns.s,) %}{% set ns.t = (ns.t,) %}{% endfor %}{{ ns.s < ns.t }}",
        "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns }}", "{% set s = 'a' * 1000000 %}{{ s.replace('a', s) }}",
        "{% set s = 'a' * 1000000 %}{{ s.join(s|list) }}", "{{ 'x'|center(1000000000) }}",
        "{{ 'x'.ljust(100000000000) }}",
        "{{ 'x'.zfill(1000000000) }}", "{{ '%1000000000d' % 1 }}", "{{ '{:1000000000}'.format(1) }}",
        "{{ '%.1000000000f' % 1 }}",
        "{{ '{:.1000000000f}'.format(1.5) }}", "{{ ('a\n' * 10000)|indent(100000) }}",
        "{{ 'x'|indent(100000000, true) }}",
        "{{ '\t'.expandtabs(1000000000) }}", "{{ [1]|batch(1000000000, 0)|list }}", "{{ [1]|slice(1000000000)|list }}",
        "{{ [1]|tojson(indent=1000000000) }}", "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% macro a(x) %}{{ x }}{% call a(1) %}{{ caller() }}{% endcall %}{% endmacro %}{{ a(1) }}",
        "{% macro a(x=a()) %}{% endmacro %}{{ a() }}", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% block b %}{{ self.b() }}{% endblock %}",
        "{% set l = [1] %}{% for x in l %}{{ l.append(x) or '' }}{% endfor %}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(1000) %}{% set ns.g = ns.g|map('abs') %}{% endfor %}{{ ns.g|list }}",
        "{% set d = {} %}{% for i in range(10000000) %}{{ d.update({i: i}) or '' }}{% endfor %}",
        "{{ ('a' * 100000)|regex_replace('(a+)+$b', '') }}",
    ])
    func stopsWhatRunsAway(template: String) async {
        let error = await Self.outcome(template)
        #expect(error?.code == .limit || error?.code == .value, "\(String(describing: error))")
    }

    /// What is heavy and still within the limits comes to an end.
    @Test(arguments: [
        "{% set s = 'a' * 8000000 %}{{ s.find(('a' * 4000000) + 'b') }}", "{{ ('ab' * 100000)|wordwrap(7)|length }}",
        "{% set l = [] %}{{ l.append(l) or '' }}{{ l }}{{ l|length }}",
        "{% set d = {} %}{{ d.update(a=d) or '' }}{{ d }}",
        "{% set ns = namespace() %}{% set ns.a = ns %}", "{% macro m() %}{% endmacro %}{{ m }}{% set x = [m] %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}",
        "{% set ns = namespace(s=(1,)) %}{% for i in range(100000) %}{% set ns.s = (ns.s,) %}{% endfor %}",
        "{% set ns = namespace(s=none) %}{% for i in range(100000) %}{% set ns.s = {'a': ns.s} %}{% endfor %}",
        "{% set ns = namespace(s=none) %}{% for i in range(100000) %}{% set ns.s = namespace(a=ns.s) %}{% endfor %}",
        "{% set ns = namespace(s=[]) %}{% for i in range(100000) %}{% set x = [] %}{{ ns.s.append(x) or '' }}{% set ns.s = x %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(20000) %}{% set ns.s = cycler(ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(20000) %}{% set ns.s = joiner(ns.s) %}{% endfor %}",
        "{% for i in [1] %}{{ loop.changed(loop) }}{{ loop.changed([loop]) }}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(20000) %}{% set ns.s = ([ns.s]).count %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(20000) %}{% set ns.s = {'a': ns.s}.values() %}{% endfor %}",
        "{% set ns = namespace(s=[]) %}{% for i in range(20000) %}{% set ns.s = [ns.s]|map('list') %}{% endfor %}",
    ])
    func releasesWhatIsDeepOrContainsItself(template: String) async {
        let error = await Self.outcome(template)
        #expect(error == nil || error?.code == .limit, "\(String(describing: error))")
    }

    @Test func boundsTheOutput() throws {
        let template = try Template("{% for i in range(100) %}{{ 'aaaaaaaaaa' }}{% endfor %}")
        #expect(try template.render(limits: Limits(bytes: 1000)) { _ in nil }.utf8.count == 1000)
        #expect(throws: JinjaError.self) { try template.render(limits: Limits(bytes: 999)) { _ in nil } }
    }

    @Test(arguments: [
        "(", "[", "{1: ", "-", "+", "not ", "1 if 2 else ", "a.b.", "1 + ", "1 ** ", "1 and ", "1 or ", "a|length|",
        "a(", "a[",
        "1 is defined is ", "f(x=", "a if b if ", "(1, ", "'a' ~ (", "x is eq (", "x|default(", "1 < (", "a[1:",
    ])
    func boundsRecursionInTheParser(piece: String) async {
        let source = "{{ " + String(repeating: piece, count: 50_000) + "1 }}"
        let error = await Self.outcome(source)
        #expect(error?.code == .limit || error?.code == .syntax, "\(String(describing: error))")
    }

    /// As deep as is allowed, everything at once, on a small stack.
    @Test(arguments: [
        ("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("1 + (", ")"), ("1 if (", ") else 2"), ("x|default(", ")"),
        ("[1][0 * (", ")]"), ("'a' ~ (", ")"), ("1 and (", ")"), ("dict(a=", ")"), ("(1 < ", ")"), ("(x is eq ", ")"),
        ("{1: ", "}"),
    ])
    func whatIsAllowedNeedsNoMoreStack(before: String, behind: String) async {
        for depth in [10, 30, 45, 60, 80, 95, 99, 120, 190] {
            let expression = String(repeating: before, count: depth) + "1" + String(repeating: behind, count: depth)
            let macro = "{% macro m(x) %}{% if x %}{{ \(expression) }}{{ [m(x - 1)] }}{% endif %}{% endmacro %}"
            for source in [
                "{{ \(expression) }}", macro + "{{ m(100) }}",
                "{% for i in [\(expression)] %}{{ \(expression) }}{% endfor %}",
            ] {
                _ = await Self.outcome(source)
            }
        }
    }

    @Test(arguments: [
        "{% if 1 %}", "{% for i in [1] %}", "{% with %}", "{% set x %}", "{% filter upper %}", "{% call f() %}",
        "{% macro m() %}",
        "{% autoescape true %}", "{% generation %}", "{% for i in [1] recursive %}", "{% block b %}",
    ])
    func boundsTheNestingOfStatements(piece: String) async {
        let error = await Self.outcome(String(repeating: piece, count: 10_000), .chat)
        #expect(error?.code == .limit, "\(String(describing: error))")
        let end = piece.split(separator: " ")[1]
        for depth in [20, 60, 99] {
            let source =
                String(repeating: piece, count: depth) + "x" + String(repeating: "{% end\(end) %}", count: depth)
            _ = await Self.outcome(source, .chat)
        }
    }

    @Test func manyBranchesAreNotDeep() async {
        let source = "{% if 0 %}" + String(repeating: "{% elif 0 %}", count: 10_000) + "{% else %}x{% endif %}"
        #expect(await Self.outcome(source) == nil)
        let long = "{{ " + String(repeating: "1 ~ ", count: 20_000) + "1 }}"
        #expect(await Self.outcome(long) == nil)
        let list = "{{ [" + String(repeating: "1, ", count: 20_000) + "]|length }}"
        #expect(await Self.outcome(list) == nil)
    }

    @Test func refusesSourcesThatAreTooLong() {
        let error = #expect(throws: JinjaError.self) { try Template(String(repeating: "x", count: 5 << 20)) }
        #expect(error?.code == .limit)
    }

    /// No input may end the process.
    @Test func survivesMutilatedTemplates() {
        let source = Array(
            ("{% for k, v in d.items() if v recursive %}{{ k[1:]|upper ~ '{}' }}{%- else -%}{# c #}{{ {'a': [1]} }}{% endfor %}"
                + "{% macro m(a, b=1) %}{{ caller(a) if caller }}{% endmacro %}{% call(x) m(*[1], **{}) %}{{ x is eq 1 }}{% endcall %}"
                + "{% set ns = namespace(a=0x1f) %}{% set ns.a = '%5.2f|{:>8}' % 1 %}{% raw %}{{{% endraw %}{% filter title %}é{% endfilter %}")
                .utf8)
        for start in 0..<source.count {
            for length in [1, 2, 7] where start + length <= source.count {
                var bytes = source
                bytes.removeSubrange(start..<start + length)
                let text = String(decoding: bytes, as: UTF8.self)
                for dialect in [Template.Dialect.task, .chat] {
                    guard let template = try? Template(text, dialect: dialect) else { continue }
                    _ = try? template.render { _ in Value(dict: [(.string("abc"), .int(1))]) }
                    _ = try? template.evaluate { _ in nil }
                    _ = try? template.probe()
                }
            }
        }
    }
}
