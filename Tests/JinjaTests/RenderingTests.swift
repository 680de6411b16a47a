import Jinja
import Testing

@Suite struct RenderingTests {
    @Test(arguments: [
        ("plain text\n", "{}", "plain text\n"),
        ("Question: {{question}}\nAnswer:", #"{"question":"Why?"}"#, "Question: Why?\nAnswer:"),
        // No trim_blocks and no lstrip_blocks.
        ("a\n  {% if x %}\n b\n  {% endif %}\nc", #"{"x":true}"#, "a\n  \n b\n  \nc"),
        ("a \n{%- if x -%}\n b \n{%- endif -%}\n c", #"{"x":true}"#, "ab" + "c"),
        ("a {{- x -}} b", #"{"x":"-"}"#, "a-b"),
        ("a{# note #}b{#- note -#} c", "{}", "abc"),
        ("{% raw %}{{ x }}{% endraw %}", "{}", "{{ x }}"),
        ("{{ a }}|{{ b }}|{{ c }}|{{ d }}", #"{"a":null,"b":true,"c":1,"d":1.0}"#, "None|True|1|1.0"),
        ("{{ x }}", #"{"x":["a","it's",1,2.5,null,true]}"#, #"['a', "it's", 1, 2.5, None, True]"#),
        ("{{ x }}", #"{"x":{"a":1,"b":[1]}}"#, "{'a': 1, 'b': [1]}"),
        ("{{ x }} {{ 0.1 + 0.2 }} {{ 3 }}", #"{"x":1e22}"#, "1e+22 0.30000000000000004 3"),
        ("{{ 7 % 3 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 9007199254740993 + 0 }}", "{}", "1 2 3.5 9007199254740993"),
        ("{{ 'a' ~ 1 ~ 2.5 }}", "{}", "a12.5"),
        ("{{ 'ab' * 3 }} {{ [1] * 2 }} {{ [1] + ['x'] }}", "{}", "ababab [1, 1] [1, 'x']"),
        ("{{ 'é∂x'|length }} {{ 'éab'[1] }} {{ 'éab'[-1] }} {{ 'éab'[::-1] }}", "{}", "3 a b baé"),
        ("{{ [1,2,3,4][1:3] }} {{ [1,2,3][-2:] }} {{ [1,2,3][:-1] }}", "{}", "[2, 3] [2, 3] [1, 2]"),
        ("{% set a = 1 %}{% for x in [1,2] %}{% set a = a + x %}{{ a }}{% endfor %}{{ a }}", "{}", "231"),
        ("{% set ns = namespace(t=0) %}{% for x in [1,2] %}{% set ns.t = ns.t + x %}{% endfor %}{{ ns.t }}", "{}", "3"),
        ("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", #"{"d":{"b":1,"a":2}}"#, "b=1;a=2;"),
        ("{% for c in 'aé' %}{{ loop.index }}{{ c }}{% else %}none{% endfor %}", "{}", "1a2é"),
        ("{% for x in [] %}x{% else %}none{% endfor %}", "{}", "none"),
        ("{% for x in range(5) if x is odd %}{{ loop.index }}:{{ x }} {% endfor %}", "{}", "1:1 2:3 "),
        ("{{ ['A','B'].index('B') }} {{ ','.join(['a','b']) }} {{ ' a  b '.split() }}", "{}", "1 a,b ['a', 'b']"),
        ("{{ 'a### b### c'.split('### ')[-1].rstrip() }}", "{}", "c"),
        // Longer than what a string holds within itself: it was read after it had been freed.
        (
            "{{ tools|tojson }}", #"{"tools":[{"name":"get_weather","parameters":{"city":"it's <b> & 'c'"}}]}"#,
            #"[{"name": "get_weather", "parameters": {"city": "it\u0027s \u003cb\u003e \u0026 \u0027c\u0027"}}]"#
        ),
        ("{{ x|trim|replace('a','b')|upper }}", #"{"x":"  cat "}"#, "CBT"),
        ("{{ '12'|int + 1 }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ '3.9'|int }} {{ '1.5'|float }}", "{}", "13 0 -1 3 1.5"),
        ("{{ [3,1,2]|sort|join('-') }} {{ ['b','A']|sort }} {{ [1,2]|sum }}", "{}", "1-2-3 ['A', 'b'] 3"),
        (
            "{{ xs|map(attribute='n')|list }} {{ xs|selectattr('n','gt',1)|map(attribute='n')|list }}",
            #"{"xs":[{"n":1},{"n":2}]}"#, "[1, 2] [2]"
        ),
        ("{{ missing|default('d') }} {{ none|default('d') }} {{ ''|default('d', true) }}", "{}", "d None d"),
        ("{{ missing is defined }} {{ o.a is defined }} {{ o.b is defined }}", #"{"o":{"a":1}}"#, "False True False"),
        ("{{ 1 == 1.0 }} {{ [[1]] == [[1]] }} {{ 'a' in 'cat' }} {{ 2 not in [1] }}", "{}", "True True True True"),
        ("{{ 'yes' if x else 'no' }}", #"{"x":[]}"#, "no"),
        ("{{ d['items'] }} {{ d.k }}", #"{"d":{"items":1,"k":2}}"#, "1 2"),
        ("{{ 2.5|round }} {{ 0.125|round(2) }}", "{}", "2.0 0.12"),
        ("a\r\nb", "{}", "a\nb"),
        ("{%+ if true %}x{% endif +%}", "{}", "x"),
        ("{{ {'a': {}} }}", "{}", "{'a': {}}"),
        ("{% set t %}a{{ 1 }}{% endset %}{{ t }}", "{}", "a1"),
        ("{ {x} %}", "{}", "{ {x} %}"),
        ("", "{}", ""),
    ])
    func rendersAsPythonDoes(template: String, variables: String, expected: String) throws {
        #expect(try Template(template).render(variables) == expected)
    }

    @Test(arguments: [
        ("x\n {{ y }}", #"'y' is undefined"#, 2, 5),
        ("{{ a.b }}", "an object has no member 'b'", 1, 5),
        ("{{ a.b.c }}", "an object has no member 'b'", 1, 5),
        ("{{ y.z is defined }}", "'y' is undefined", 1, 4),
        ("{{ y + 1 }}", "'y' is undefined", 1, 4),
        ("{% if y %}a{% endif %}", "'y' is undefined", 1, 7),
        ("{% for q in y %}a{% endfor %}", "'y' is undefined", 1, 13),
        ("{{ y|length }}", "'y' is undefined", 1, 4),
        ("{{ [y] }}", "'y' is undefined", 1, 4),
        ("{{ y == 1 }}", "'y' is undefined", 1, 4),
        ("{{ [1][3] }}", "a list of length 1 has no element 3", 1, 7),
        ("{{ 'a' if false }}", "the condition is false and there is no else", 1, 8),
        ("{{ 'a' + 1 }}", "can't use + on a string and an integer", 1, 8),
        ("{{ 1/0 }}", "division by zero", 1, 5),
        ("{{ ['a'].index('b') }}", "index: 'b' is not in the list", 1, 15),
        ("{{ 'É'|lower }}", "lower works on ASCII text only, and this text has other letters", 1, 7),
        ("{{ 9223372036854775807 + 1 }}", "the result does not fit in 64 bits", 1, 24),
    ])
    func reportsWhereItFails(template: String, message: String, line: Int, column: Int) throws {
        let parsed = try Template(template)
        let error = #expect(throws: JinjaError.self) { try parsed.render(#"{"a":{}}"#) }
        #expect(error?.message == message)
        #expect(error?.code == .rendering)
        #expect(error?.line == line)
        if error?.column != column { Issue.record("column \(String(describing: error?.column)), not \(column)") }
    }

    @Test(arguments: [
        "{{ x", "{{ x }", "{% if x %}", "{% endif %}", "{{ 1 + }}", "{{ }}", "{% for x %}{% endfor %}", "{# x",
        "{% macro a() %}{% endmacro %}", "{% break %}", "{% include 'x' %}", "{{ x|nofilter }}", "{{ x is notest }}",
        "{{ 'a }}", "{% raw %}", "{{ 99999999999999999999 }}", "{{ a < b < c }}", "{{ f()() }}",
        "{% for 5 in x %}{% endfor %}",
        "{{ '\\q' }}", "{% generation", "{{ x", "{%", "{{", "{{}}", "{%%}", "{{-}}", "{{--}}",
    ])
    func refusesWhatItCannotParse(template: String) throws {
        let error = #expect(throws: JinjaError.self) { try Template(template) }
        #expect(error?.code == .syntax)
        #expect(error?.message.isEmpty == false)
    }
}
