import Jinja
import Testing

/// Templates tried without knowing what they get.
@Suite struct ProbeTests {
    @Test(arguments: [
        "{{ a }}{{ a.b.c[0] }}{{ a['x'].strip().split(' ')[1:] | join(' ') }}",
        "{% for x in rows %}{{ loop.index }}{{ x.name | upper }}{% endfor %}", "{{ ['a', 'b'].index(c) + 1 - d }}",
        "{{ a[b] }}{{ (a | int) * 2 }}{{ a ~ b }}{{ -a }}{{ range(n) | list }}", "{% set x, y = pair %}{{ x }}{{ y }}",
        "{% if a in b and b is string or a > 3 %}{{ a.get('k', b) }}{% endif %}",
        "{{ a.items() | length }}{{ d // 2 }}",
        "{% set ns = namespace(t=0) %}{% for r in rows %}{% set ns.t = ns.t + r.n %}{% endfor %}{{ ns.t }}",
    ])
    func whatSomeVariablesSuitPasses(source: String) throws {
        // An operator that is not there can't be parsed.
        guard let template = try? Template(source) else { return }
        try template.probe()
    }

    @Test(arguments: ["{{ a.explode() }}", "{% for x in a %}{{ x.explode() }}{% endfor %}", "{{ now() }}"])
    func whatNoVariablesHelpIsAnError(source: String) throws {
        let template = try Template(source)
        #expect(throws: JinjaError.self) { try template.probe() }
    }

    @Test func loopsEnd() throws {
        let nested = String(repeating: "{% for i in range(9999) %}", count: 4)
        let template = try Template(nested + "x" + String(repeating: "{% endfor %}", count: 4))
        #expect(throws: JinjaError.self) { try template.probe() }
    }
}
