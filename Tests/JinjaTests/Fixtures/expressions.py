"""The templates of expected.json: every filter, test, method, operator and statement, in both set-ups."""

ROW = {
    "question": "Wie heißt der Fluss?", "choices": ["Rhein", "Spree's", "Elbe\u00a0x"], "label": 1, "f": 2.0, "g": 0.1,
    "big": 1e22, "b": True, "n": None, "ctx": "  Line one\nLine two\r\nthird\ttab  ",
    "d": {"A": "eins", "C": "drei", "B": "zwei"}, "l2": [{"t": "x", "v": 3}, {"t": "y", "v": 1}, {"t": "X", "v": 2}],
    "e": [], "emoji": "a👍🏽b", "q2": "He said \"no\" & <b>left</b>", "num": "12", "neg": -7,
    "text": {"label": ["A", "B"], "text": ["u", "v"]}, "s": "hello world", "u": "ÄÖÜ straße ﬁ İstanbul",
    "nested": [[1, 2], [3, [4.5, "z"]]], "题目": "一", "größe": 5, "users": [
        {"name": "ann", "city": "Bonn", "age": 30}, {"name": "Bob", "city": "bonn", "age": 25}, {"name": "Cy", "city": "Ulm"}],
    "tree": [{"name": "a", "kids": [{"name": "b", "kids": []}, {"name": "c", "kids": [{"name": "d", "kids": []}]}]}],
    "marks": "\u200f\u3000\u200b\u2028\ue000👩‍💻\u00ad", "html": "<p>x &amp; <!-- c --> y&eacute;&#x41;&nosuch;</p>  z",
}

PLAIN = r"""
{{ question|upper }} {{ u|lower }} {{ choices|min }} {{ "İ"|lower|length }} {{ "ŉ"|upper }} {{ emoji|upper }}
{{ choices | map("trim") | map("lower") | join(" / ") }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ 2 ** 10 }} {{ '\u00e9' }} {{ 1e3 }} {{ 1e16 }} {{ ("a",) }} {{ 1e2|string if false else "k" }}
{% with z = 5 %}{{ z }}{% endwith %}
{{ s|title }} {{ "%d %s"|format(label, s) }} {{ [1,2,3,4,5]|batch(2)|list }} {{ q2|e }} {{ "<p>x</p>"|striptags }} {{ s|indent(4) }}
{{ "a b c d e f g h"|wordwrap(5) }}
{{ s|truncate(8) }} {{ "a&b=ü"|urlencode }} {{ "x"|pprint }} {{ "ǆ"|title }} {{ u.title() }} {{u.casefold()}}
{{ "{} {} {x}".format(s, label, x=f) }} {{ s.zfill(15) }} {{ s.rjust(13,"*") }} {{ "abc".removeprefix("a") }} {{ s.isupper() }}
{{ "Ab1".isalnum() }} {{ "½".isnumeric() }}
{% for c in choices %}{{ loop.cycle('a','b') }}{% endfor %}
{{ "0x1A"|int(0, 16) }} {{ 42|round(-1) }} {{ 1 < 2 < 3 }} {{ "a" == "a" == true }} {{ 9223372036854775807 + 1 }}
{{ [[1,2],[3]]|sum(start=[]) }}
{% filter upper %}abc{% endfilter %}
{{ l.0.1 if false else 1 }}
{{ "%s has %d and %.2f and %5s|%-5s|" % (s, label, g, "ab", "cd") }}
{{ "%s" % n }} {{ "%5.1f%%" % 45.678 }} {{ "%03d" % 7 }} {{ "%s, %s" % (choices[0], choices[1]) }} {{ "%s" % "x" ~ "y" }}
{{ 题目 }}{{ größe + 1 }}
{{ marks }} {{ [marks] }} {{ marks|tojson }} {{ marks|pprint }}
{{ html|striptags }} {{ html|escape }} {{ html|escape|striptags }} {{ html|safe|upper }} {{ html|forceescape }} {{ html|e|e }}
plain text
{{ ctx }}|{{ ctx|trim }}|{{ ctx.strip() }}|{{ ctx|wordcount }}|{{ ctx|indent }}|{{ ctx|indent(2, true, true) }}|{{ ctx.splitlines() }}|{{ ctx.split() }}
{{ ctx|indent('> ', first=true) }}|{{ ctx|wordwrap(6) }}|{{ ctx.expandtabs(4) }}
{{ a or 'x' }}
{{ missing|default('d') }} {{ missing is defined }} {{ missing is undefined }} {{ none|default('d') }} {{ ''|default('d', true) }} {{ d.x|default(0) }}
{{ missing }}
{{ missing.a }}
{{ missing.a is defined }}
{{ d.x.y }}
{{ 'a' if false }}|{{ ('a' if false) is defined }}|{{ [('a' if false)] }}
{{ missing + 1 }}
{{ missing == 1 }}
{{ [missing] }}
{{ missing ~ 'x' }}
{% if missing %}a{% else %}b{% endif %}
{% for x in missing %}a{% else %}b{% endfor %}
{{ missing|length }} {{ missing|list }} {{ missing|upper }} {{ missing|join }}
{{ missing|int }}
{{ not missing }}
{{ missing in [1] }}
{{ 1 in missing }}
{{ d.items is defined }}{{ d['items'] is defined }}{{ d.A }}{{ d['A'] }}{{ d.get('Z') }}{{ d.get('Z', 1) }}{{ d|length }}
{{ d }}{{ d.keys() }}{{ d.values() }}{{ d.items() }}{{ d|dictsort }}{{ d|dictsort(by='value') }}{{ d|dictsort(reverse=true) }}{{ d|items|list }}
{{ {1: 'a', 1.0: 'b', true: 'c'} }}{{ {1: 'a'}[true] }}{{ {(1, 2): 3}[(1, 2)] }}{{ {none: 1} }}
{{ {[1]: 2} }}
{{ 1 == 1.0 == true }} {{ 1 is sameas true }} {{ true + true }} {{ true|int }} {{ false|string }} {{ [true, none, 1.0, 'x', "it's"] }}
{{ 0.1 + 0.2 }} {{ 1/3 }} {{ 2/1 }} {{ 1e22 }} {{ 123456789012345680.0 }} {{ 1e-5 }} {{ 0.0001 }} {{ -0.0 }} {{ 100000.0 }} {{ 5e-324 }} {{ big }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 0.125|round(2) }} {{ 42.55|round(1, 'floor') }} {{ 42.51|round(1, 'ceil') }} {{ 42|round }} {{ 1234.5|round(-2) }} {{ 42|round(0, 'ceil') }}
{{ 1|round(method='x') }}
{{ 12345678901234567890 * 98765432109876543210 }} {{ 2 ** 100 }} {{ -2 ** 3 }} {{ 2 ** -1 }} {{ (2 ** 100) // 7 }} {{ (2 ** 100) % 7 }} {{ (2 ** 100) / 7 }} {{ -(2 ** 64) }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 / 0 }}
{{ 0 ** -1 }}
{{ 10.0 ** 400 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % -2 }} {{ -7.5 % 2 }} {{ 1e308 * 10 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [] + () }}
{{ none + 1 }}
{{ -'a' }}
{{ 'a' < 1 }}
{{ [1] < ['a'] }}
{{ none < 1 }}
{{ {} < {} }}
{{ 'é' < 'z' }} {{ 'Z' < 'a' }} {{ '\uffff' < '\U0001F44D' }} {{ [1, 2] < [1, 3] }} {{ (1,) < (1, 2) }} {{ 'a' <= 'a' }} {{ 2 >= 1 > 0 }}
{{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ [1] * 2 }} {{ (1,) * 2 }} {{ 'a' * -1 }} {{ 'a' * true }}
{{ 'a' * 1.5 }}
{{ 'abc'[1] }} {{ 'abc'[-1] }} {{ 'abc'[5] is defined }} {{ 'abc'[::-1] }} {{ 'abcdef'[1:5:2] }} {{ 'abc'[10:] }} {{ 'abc'[-2:] }} {{ 'abc'[:-1] }} {{ 'abc'[:] }} {{ emoji[1:3] }}
{{ nested[1][1][0] }} {{ nested.1.1.0 }} {{ nested[-1] }} {{ nested[0:1] }} {{ (1, 2, 3)[1:] }} {{ range(10)[2:8:3] }} {{ range(5)[1] }} {{ range(3) }} {{ range(1, 10, 2)|list }} {{ range(5, 0, -2)|list }}
{{ 'abc'[1:2:0] }}
{{ 'abc'['x'] is defined }} {{ 'abc'['upper']() }} {{ nested['append'] is defined }} {{ 5[0] is defined }} {{ none.x is defined }}
{{ 5[0:1] }}
{{ d[0:1] }}
{{ 'abc'[1.5] is defined }} {{ nested[true] }} {{ d[[1]] is defined }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range(3, x=1) }}
{{ 'a' in 'abc' }} {{ '' in 'abc' }} {{ 1 in [1.0] }} {{ 'A' in d }} {{ 'x' not in d }} {{ 2 in range(3) }} {{ (1, 2) in [(1, 2)] }} {{ none in [none] }}
{{ 1 in 'abc' }}
{{ 1 in 5 }}
{{ 1 and 0 or 'x' }} {{ not 1 == 2 }} {{ '' or [] or 'z' }} {{ 1 and 2 }} {{ none and x.y }} {{ true or missing }}
{{ 1 if true else 2 if false else 3 }} {{ (1 if false else 2) if true else 3 }} {{ 'x' if d else 'y' }}
{{ 'a' 'b' "c" }} {{ 'a\tb\n\\\'\"\x41\101\u0041\U00000041\q' }} {{ "\é" }} {{ 'multi
line' }}
{{ 1_000 }} {{ 0x_ff }} {{ 0b101 }} {{ 0o17 }} {{ 1_0.5_0e1_0 }} {{ 00 }} {{ 1.5e-3 }} {{ 1.real }} {{ 1.e is defined }}
{{ [1, 2,] }} {{ (1, 2,) }} {{ {'a': 1,} }} {{ () }} {{ [] }} {{ {} }} {{ 1, 2 }} {{ (1) }} {{ 1, }}
{{ 'a'|upper|lower|title }} {{ 'a b'.split()|join('-') }} {{ -1|abs }} {{ (-1)|abs }} {{ -5.5|abs }} {{ 2 + 3|string|length }}
{{ 'a' ~ 1 ~ 2.5 ~ none ~ [1] ~ {'a': 'b'} }} {{ 1 ~ 2 + 3 }}
{{ "%s|%r|%a|%5s|%-5s|%.2s" % ('é', 'é', 'é', 'é', 'é', 'éab') }} {{ "%d|%i|%5d|%-5d|%05d|%+d|% d" % (1, 2.7, 3, 4, 5, 6, 7) }} {{ "%x|%X|%o|%#x|%#o" % (255, 255, 8, 255, 8) }}
{{ "%f|%.0f|%5.1f|%e|%.2E|%g|%G|%g|%g" % (1.5, 2.5, 3.14, 12345.678, 0.00012, 1e10, 1e-10, 100000, 1234567) }} {{ "%c%c" % (65, 'é') }} {{ "%%" % () }} {{ "%(A)s" % d }} {{ "%*d|%.*f" % (5, 1, 2, 3.14159) }} {{ "x" % [1] }}
{{ "%d" % 'a' }}
{{ "%s %s" % 'a' }}
{{ "%s" % (1, 2) }}
{{ "%q" % 1 }}
{{ "%(x)s" % d }}
{{ "%(x)s" % 1 }}
{{ "%s"|format(1) }} {{ "%(a)s"|format(a=1) }}
{{ "%s"|format(1, a=2) }}
{{ "{} {1}".format(1, 2) }}
{{ "{0} {1} {0}".format(1, 'x') }} {{ "{a} {b[0]} {c[k]}".format(a=1, b=[2], c={'k': 3}) }} {{ "{!r} {!s} {!a}".format('é', 'é', 'é') }} {{ "{:>5}|{:<5}|{:^5}|{:*^5}|{:05}|{:+}|{:,}|{:_}|{:.2f}|{:e}|{:%}|{:x}|{:#b}|{:c}".format('a', 'b', 'c', 'd', 5, 6, 1234567, 1234567, 3.14159, 12345.678, 0.25, 255, 5, 65) }} {{ "{:{}}|{:{w}.{p}f}".format('a', 5, 3.14159, w=8, p=2) }} {{ "{{}}{}".format(1) }} {{ '{:g}|{:G}|{:n}|{:10.3}|{:.3}|{}'.format(1e10, 1e-10, 5, 'abcdef', 1234.5, 1.0) }}
{{ "{".format() }}
{{ "{0}".format() }}
{{ "{x}".format() }}
{{ "{:d}".format('a') }}
{{ "{:s}".format(1) }}
{{ "{:5}".format([1]) }}
{{ "{.x}".format(1) }}
{{ '{a}'.format_map(d) }}
{{ '{A}-{B}'.format_map(d) }}
{{ s.upper() }}{{ s.capitalize() }}{{ s.swapcase() }}{{ s.title() }}{{ 'ΑΣ'.lower() }}{{ 'ß'.upper() }}{{ 'ﬁ'.title() }}{{ "they're bill's".title() }}
{{ ' a '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcba'.lstrip('ab') }}|{{ 'abcba'.rstrip('ab') }}|{{ '\u00a0a\u3000'.strip() }}|{{ '\x1ca\x85'.strip() }}|
{{ 'a,b,,c'.split(',') }} {{ 'a b  c '.split(' ') }} {{ ' a  b '.split() }} {{ 'a b c'.split(none, 1) }} {{ 'a b c'.rsplit(' ', 1) }} {{ 'a b c'.rsplit(maxsplit=1) }} {{ 'aXbXc'.split('X', maxsplit=1) }} {{ ''.split() }} {{ ''.split(',') }}
{{ 'a'.split('') }}
{{ 'a'.split(1) }}
{{ 'a\nb\r\nc\rd\x0be\x1cf\u2028g'.splitlines() }} {{ 'a\nb\n'.splitlines(true) }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'abc'.partition('x') }}
{{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }} {{ 'abc'.replace('', '-', 2) }} {{ 'e\u0301'.replace('e', 'x') }} {{ 'aaa'|replace('a', 'b', 1) }} {{ 123|replace(2, 'x') }} {{ 'aaaa'.replace('aa', 'b') }}
{{ 'abcabc'.find('c') }} {{ 'abcabc'.rfind('c') }} {{ 'abcabc'.find('c', 3) }} {{ 'abc'.find('x') }} {{ 'abc'.find('', 5) }} {{ 'abcabc'.count('bc') }} {{ 'aaa'.count('aa') }} {{ 'abc'.count('') }} {{ emoji.find('b') }} {{ 'abc'.index('b') }} {{ 'abcabc'.rindex('b', 0, 3) }}
{{ 'abc'.index('x') }}
{{ 'abc'.startswith('ab') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('c', 0, 2) }} {{ 'abc'.startswith('b', 1) }} {{ 'abc'.startswith('') }}
{{ 'abc'.startswith(['a']) }}
{{ 'a'.center(4, '*') }} {{ 'ab'.center(5, '*') }} {{ 'a'.ljust(3, '-') }} {{ 'a'.rjust(3) }} {{ '-5'.zfill(4) }} {{ '+5'.zfill(4) }} {{ 'é'.zfill(3) }} {{ 'a'|center(6) }}|
{{ 'a'.center(4, 'xx') }}
{{ ','.join(['a', 'b']) }} {{ ''.join('abc') }} {{ '-'.join(d) }}
{{ ','.join([1]) }}
{{ ','.join(1) }}
{{ 'abc'.translate({97: 'X', 98: none}) }} {{ 'abc'.translate('abc'.maketrans('ab', 'xy')) }} {{ 'abc'.maketrans({'a': 1}) }} {{ 'abc'.maketrans('a', 'b', 'c') }}
{{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ '٣'.isdecimal() }} {{ 'a1_'.isidentifier() }} {{ '1a'.isidentifier() }} {{ ' '.isspace() }} {{ 'Ab Cd'.istitle() }} {{ 'é'.isascii() }} {{ '\n'.isprintable() }} {{ ''.isalpha() }} {{ ''.isascii() }} {{ 'ǅ'.istitle() }} {{ 'a'.islower() }} {{ '1'.islower() }}
{{ 'a'.nosuch() }}
{{ 'a'.upper(1) }}
{{ 'a'.upper }}{{ 1 }}
{{ (5).bit_length() }} {{ (5.0).is_integer() }} {{ (0.5).as_integer_ratio() }} {{ (255).bit_count() }} {{ (1.5).hex() }} {{ 5 .real }} {{ (2.5).imag }} {{ true.real }} {{ (5).conjugate() }} {{ 5 .numerator }}
{{ [1, 2, 1].count(1) }} {{ [1, 2, 1].index(1, 1) }} {{ (1, 2).index(2) }} {{ [3, 1].copy() }}
{{ [1].index(2) }}
{{ d.copy() }} {{ {}.fromkeys([1, 2], 0) }} {{ dict(a=1, b=2) }} {{ dict([('a', 1)], c=3) }} {{ dict(d, A=1) }} {{ dict() }}
{{ dict(1) }}
{{ dict([1]) }}
{{ dict([(1, 2, 3)]) }}
{{ {'a': 1} == {'a': 1.0} }} {{ [1, [2]] == [1, [2]] }} {{ (1,) == [1] }} {{ d.keys() == {'A': 1, 'B': 2, 'C': 3}.keys() }} {{ range(3) == range(0, 3, 1) }} {{ 'a' == 'a'|e }} {{ 1 != 1.5 }} {{ none == false }}
{{ nested|first }} {{ nested|last }} {{ e|first is defined }} {{ 'abc'|first }} {{ 'abc'|last }} {{ d|first }} {{ d|last }} {{ range(5)|last }}
{{ 5|first }}
{{ nested|length }} {{ 'é👍🏽'|length }} {{ d|count }} {{ range(7)|length }}
{{ 5|length }}
{{ 'abc'|list }} {{ d|list }} {{ range(3)|list }} {{ (1, 2)|list }}
{{ 5|list }}
{{ [3, 1, 2]|sort }} {{ ['b', 'A', 'c']|sort }} {{ ['b', 'A', 'c']|sort(case_sensitive=true) }} {{ [3, 1, 2]|sort(reverse=true) }} {{ users|sort(attribute='age,name')|map(attribute='name')|list if false else '' }} {{ l2|sort(attribute='v')|map(attribute='t')|list }} {{ l2|sort(attribute='t,v')|map(attribute='v')|list }} {{ d|sort }} {{ 'cab'|sort }}
{{ [1, 'a']|sort }}
{{ [none, 1]|sort }}
{{ users|sort(attribute='age') }}
{{ [1, 2, 2, 3, 1]|unique|list }} {{ ['a', 'A', 'b']|unique|list }} {{ ['a', 'A']|unique(true)|list }} {{ users|unique(attribute='city')|map(attribute='name')|list }}
{{ [[1], [1]]|unique|list }}
{{ [1, 3, 2]|min }} {{ [1, 3, 2]|max }} {{ ['b', 'A']|min }} {{ ['b', 'A']|max(case_sensitive=true) }} {{ l2|max(attribute='v') }} {{ []|min is defined }} {{ 'hello'|max }}
{{ [1, 'a']|min }}
{{ [1, 2, 3]|sum }} {{ [1.5, 2]|sum }} {{ l2|sum(attribute='v') }} {{ [1]|sum(start=10) }} {{ []|sum }}
{{ ['a']|sum }}
{{ ['a']|sum(start='') }}
{{ [1, 2, 3]|reverse|list }} {{ 'abc'|reverse }} {{ d|reverse|list }} {{ range(3)|reverse|list }} {{ (1, 2)|reverse|list }} {{ [1, 2]|map('string')|reverse }}
{{ 5|reverse }}
{{ ['a', 'b']|join }} {{ ['a', 1, none]|join('-') }} {{ users|join(', ', attribute='name') }} {{ 'abc'|join('.') }} {{ d|join(',') }} {{ [1]|join(2) }}
{{ 5|join }}
{{ ['a', 'b']|map('upper')|list }} {{ users|map(attribute='name')|list }} {{ users|map(attribute='age', default=0)|list }} {{ [' a ']|map('trim')|map('upper')|first }} {{ ['ab']|map('replace', 'a', 'x')|list }} {{ nested|map('first')|list }} {{ [1, 2]|map('string')|join }} {{ ['a']|map('default', 'x')|list }} {{ nested|map(attribute=0)|list }}
{{ [1]|map('nosuch')|list }}
{{ [1]|map|list }}
{{ [1]|map(attribute='a', x=1)|list }}
{{ 5|map('upper')|list }}
{% set m = [1, 2]|map('string') %}{{ m|list }}{{ m|list }}
{{ [1, 2, 3, 4]|select('even')|list }} {{ [1, 2, 3]|reject('odd')|list }} {{ [0, 1, '', 'a']|select|list }} {{ [1, 2, 3]|select('gt', 1)|list }} {{ users|selectattr('age')|map(attribute='name')|list }} {{ l2|selectattr('v', 'gt', 1)|map(attribute='t')|list }} {{ l2|rejectattr('t', 'equalto', 'x')|list }} {{ users|selectattr('age', 'defined')|list|length }} {{ ['a', 'b']|select('in', ['a'])|list }} {{ l2|selectattr('t', '==', 'x')|first }} {{ users|rejectattr('age', 'undefined')|list|length }}
{{ [1]|select('nosuch')|list }}
{{ [1]|selectattr|list }}
{{ [1, 2, 3, 4, 5]|batch(2, 'x')|list }} {{ [1, 2, 3]|batch(5, 0)|list }} {{ [1, 2, 3, 4, 5]|slice(2)|list }} {{ [1, 2, 3, 4, 5]|slice(3, 'x')|list }} {{ 'abcde'|batch(2)|map('join')|list }}
{{ [1]|slice(0)|list }}
{{ [1]|batch }}
{{ users|groupby('city') }} {{ users|groupby('age', default=0)|map(attribute=0)|list }} {% for city, items in users|groupby('city') %}{{ city }}:{{ items|length }};{% endfor %} {% for g in users|groupby('city', case_sensitive=true) %}{{ g.grouper }}={{ g.list|map(attribute='name')|join('+') }};{% endfor %} {{ l2|groupby('v')|first|first }}
{{ users|groupby('age') }}
{{ users|groupby('age')|list if false else users|groupby('name')|length }}
{{ '12'|int + 1 }} {{ '12.7'|int }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ 'ff'|int(base=16) }} {{ '0b11'|int(0, 2) }} {{ '0x1f'|int(base=0) }} {{ ' 7 '|int }} {{ '1_000'|int }} {{ none|int }} {{ 3.9|int }} {{ true|int }} {{ [1]|int }} {{ '٣'|int }} {{ '1e3'|int }} {{ '99999999999999999999'|int }}
{{ '1.5'|float }} {{ 'x'|float }} {{ 'x'|float(1.5) }} {{ none|float }} {{ 3|float }} {{ 'inf'|float }} {{ ' 1e3 '|float }} {{ 'nan'|float }} {{ '1_0.5'|float }} {{ [1]|float }}
{{ (big ** 20)|int }}
{{ -3|abs }} {{ true|abs }}
{{ 'a'|abs }}
{{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1000|filesizeformat }} {{ 1234567|filesizeformat }} {{ 1234567|filesizeformat(true) }} {{ '5000'|filesizeformat }} {{ 1e30|filesizeformat }} {{ 0|filesizeformat }}
{{ 'x'|filesizeformat }}
{{ s|capitalize }} {{ 'ÉA'|capitalize }} {{ 5|upper }} {{ none|lower }} {{ 'foo-bar (baz) [x]'|title }} {{ "o'neil ΑΣ"|title }} {{ 'ﬁsh'|title }}
{{ s|truncate(5) }} {{ s|truncate(5, true) }} {{ s|truncate(8, false, '…') }} {{ s|truncate(8, leeway=0) }} {{ 'short'|truncate }} {{ s|truncate(7, true, '', 0) }} {{ [1, 2]|truncate(10) }}
{{ s|truncate(2) }}
{{ 'abcdefghij klm'|wordwrap(4) }}|{{ 'abcdefghij klm'|wordwrap(4, false) }}|{{ 'foo-bar-baz qux'|wordwrap(5) }}|{{ 'a b'|wordwrap(1, wrapstring='/') }}|{{ 'foo--bar well-known x'|wordwrap(6, break_on_hyphens=false) }}|{{ 'a—b e.g. --option'|wordwrap(4) }}
{{ s|wordwrap(0) }}
{{ 'http://a.de/x?y=1 www.b.com, (c.org) x@y.z mailto:q@r.st <https://d.e>. ftp://x'|urlize }}|{{ 'http://example.com/long'|urlize(10, true, '_blank') }}|{{ 'see ftp://x.y'|urlize(extra_schemes=['ftp://']) }}|{{ 'a.com/(b) "c.net"'|urlize(rel='me') }}
{{ 'x y/z?ü'|urlencode }} {{ {'a b': 'c&d', 'e': 1}|urlencode }} {{ [('k', 'v w'), (1, none)]|urlencode }} {{ 5|urlencode }} {{ none|urlencode }}
{{ {'class': 'a b', 'id': none, 'x': 1, 'q': '"<'}|xmlattr }}|{{ {'a': 1}|xmlattr(false) }}
{{ {'a b': 1}|xmlattr }}
{{ q2|tojson }} {{ d|tojson }} {{ nested|tojson }} {{ [none, true, 1.0, 1e22, 'é\u2028"\\\n\x01👍🏽']|tojson }} {{ {'b': 1, 'a': [1, {}], 'c': []}|tojson(indent=2) }} {{ {1: 2, none: 3, 1.5: 4}|tojson if false else '' }} {{ (1, 2)|tojson }} {{ ''|tojson }} {{ {}|tojson(2) }}
{{ {(1, 2): 3}|tojson }}
{{ range(3)|tojson }}
{{ missing|tojson }}
{{ d|pprint }} {{ nested|pprint }} {{ users|pprint }} {{ ('word ' * 30)|pprint }} {{ {'b': 1, 'a': ('x' * 50, 'y' * 50)}|pprint }} {{ 1.5|pprint }} {{ none|pprint }}
{{ s|attr('upper')() }} {{ d|attr('A') is defined }} {{ d|attr('items') is callable }} {{ 5|attr('real') }}
{{ 'x'|e }} {{ '<'|e ~ '<' }} {{ ('<'|e) + '<' }} {{ '<' + ('<'|e) }} {{ ('<'|e) * 2 }} {{ ('%s'|e) % '<' }} {{ ('{}'|e).format('<') }} {{ (','|e).join(['<', '>']) }} {{ ('<a>'|safe).replace('a', '<') }} {{ ('<a>'|e)[0:4] }} {{ ['<'|e] }} {{ ('<'|e) is escaped }} {{ 'a' is escaped }} {{ ('a b'|e).split() }} {{ ('&lt;'|safe).unescape() }} {{ ('<b>x</b>'|safe).striptags() }} {{ ('a'|safe)|upper is escaped }} {{ ('a'|e)|replace('a', '<') }} {{ 5|e }} {{ none|e }}
{% autoescape true %}{{ '<' }}{{ '<'|safe }}{{ '<' ~ '>' }}{{ '<'|e }}{{ ['<']|join('&') }}{{ ('<'|safe) ~ '<' }}{% set x %}<{{ '<' }}{% endset %}{{ x }}{% filter upper %}<a>{{ '<' }}{% endfilter %}{% endautoescape %}{{ '<' }}{% autoescape b %}{{ '<' }}{% endautoescape %}{% autoescape false %}{{ '<' }}{% endautoescape %}
{% autoescape true %}{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('<') }}{% call m('a') %}b{% endcall %}{{ 'a<b'|replace('<', '>') }}{{ '<a>'|safe|replace('a', '<') }}{{ {'a': '<'}|xmlattr }}{{ 'x.com'|urlize }}{% endautoescape %}
{{ 1 is odd }} {{ 2 is even }} {{ 6 is divisibleby 3 }} {{ 6 is divisibleby(4) }} {{ 'a' is string }} {{ 1 is number }} {{ 1.5 is float }} {{ 1 is integer }} {{ true is integer }} {{ true is boolean }} {{ true is true }} {{ false is false }} {{ none is none }} {{ d is mapping }} {{ nested is sequence }} {{ d is sequence }} {{ 'a' is iterable }} {{ 5 is iterable }} {{ range is callable }} {{ 'a' is lower }} {{ 'A' is upper }} {{ 'upper' is filter }} {{ 'odd' is test }} {{ 1 is eq 1 }} {{ 1 is ne(2) }} {{ 1 is lt 2 }} {{ 2 is ge 2 }} {{ 1 is in [1] }} {{ 1 is not in [1] }} {{ none is sameas none }} {{ d is sameas d }} {{ not 1 is odd }} {{ 1 is not odd }} {{ s is defined and s is string }} {{ 3 is equalto 3.0 }} {{ 3 is greaterthan 2 }} {{ 1 is lessthan 2 }} {{ 1 is number and not 1 is string }}
{{ 'a' is odd }}
{{ 5 is divisibleby 0 }}
{{ 1 is lt 'a' }}
{{ 1 is in 5 }}
{{ 5|sum is foo }}
{% for x in [1, 2, 3] %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }}{{ loop.previtem if not loop.first }}{{ loop.nextitem if not loop.last }}{{ loop.cycle('a', 'b') }}{{ loop.changed(x // 2) }};{% endfor %}
{% for x in [1, 2, 3, 4] if x is even %}{{ loop.index }}:{{ x }}/{{ loop.length }}{{ loop.last }} {% else %}none{% endfor %}{% for x in [] %}a{% else %}none{% endfor %}{% for x in [1] %}{% else %}none{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }}{% if not loop.last %}, {% endif %}{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'aé' %}{{ c }}.{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for x in range(3) %}{{ x }}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a, b in [(1,)] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for item in tree recursive %}{{ loop.depth }}{{ item.name }}{% if item.kids %}({{ loop(item.kids) }}){% endif %}{% endfor %}
{% for x in [1] %}{{ loop([2]) }}{% endfor %}
{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.index }}{{ x }}{{ y }} {% endfor %}{{ loop.index }}{% endfor %}{% for x in [[1, 2], [3]] %}{% set outer = loop %}{% for y in x %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% for x in [1, 2] %}{{ loop }}{{ loop|length }}{% endfor %}{% for x in [1, 1, 2] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}{% for x in [1, 2]|map('string') %}{{ loop.length }}{{ loop.last }}{{ x }}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set y = 2 %}{% endif %}{{ y }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}
{% set ns = namespace(t=0, l=[]) %}{% for i in [1, 2, 3] %}{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}{{ ns }}{{ ns.x is defined }}{% set ns.x = 'new' %}{{ ns.x }}{% set ns.a, ns.b = 1, 2 %}{{ ns.a + ns.b }}
{% set q = d %}{% set q.x = 1 %}
{% set nope.x = 1 %}
{% set x %}a{{ 1 }}b{% endset %}{{ x }}{{ x|length }}{% set y | upper | trim %} abc {% endset %}[{{ y }}]{% set z | length %}abc{% endset %}{{ z + 1 }}
{% if 0 %}a{% elif [] %}b{% elif '' %}c{% elif none %}d{% elif 0.0 %}e{% elif {} %}f{% else %}g{% endif %}{% if d and not e %}yes{% endif %}{% if 1, 2 %}t{% endif %}
{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(*[1, 2, 3]) }} {{ m(**{'a': 5}) }} {{ m.name }}{{ m.arguments }}{{ m }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}
{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}
{% macro m() %}{{ varargs }}{{ kwargs }}{{ caller() if caller else '-' }}{% endmacro %}{{ m(1, 2, x=3) }}{% call m(4) %}body{% endcall %}
{% macro m(x) %}<{{ caller(x, y=2) }}>{% endmacro %}{% call(a, y=1) m(5) %}{{ a }}{{ y }}{{ s }}{% endcall %}
{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{% set x = 2 %}{{ m() }}{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(3) }}{% macro o(a, b=a) %}{{ b }}{% endmacro %}{{ o(7) }}
{% call range(3) %}x{% endcall %}
{% filter upper %}a{{ 'b' }}{% endfilter %}{% filter trim | replace('a', 'b') %} aaa {% endfilter %}{% filter indent(2) %}a
b{% endfilter %}
{% filter length %}abc{% endfilter %}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% with %}{% set zz = 1 %}{{ zz }}{% endwith %}{{ zz is defined }}{% with a = s %}{% with a = a|upper %}{{ a }}{% endwith %}{{ a }}{% endwith %}
{% raw %}{{ x }}{% if %}{# c #}{% endraw %}{%- raw -%} a {%- endraw -%} b
{# comment #}a{#- b -#} c {# {{ x }} #}{{ '{#' }}
{% block a %}x{{ s }}{% endblock %}{{ self.a() }}{% block b %}{% set q = 1 %}{{ q }}{% endblock b %}{{ q is defined }}{% for i in [1, 2] %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}{% set top = 5 %}{% block e1 %}{{ top }}{% endblock %}{% block inner %}{% block deep %}d{% endblock %}{% endblock %}
{% block a %}{{ super() }}{% endblock %}
{% block r required %}{% endblock %}
{% for i in [1] %}{% block c2 %}{{ i }}{% endblock %}{% endfor %}
{% print 1, 'a' %}{% print s %}
a {%- if true -%} b {%- endif -%} c
  {% if true %}
 x
  {% endif %}
y
  {%+ if true %}x{% endif +%}
 z
{%- for i in [1, 2] -%}
  {{ i }}
{%- endfor %}
end
{{- 1 -}}  {{ 2 }}
{{ 1 }}
 {{ 2 }}

{{ cycler('a', 'b').next() }}{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}
{{ cycler() }}
{{ dict }}{{ namespace }}{{ cycler }}{{ joiner }}{{ namespace(a=1) }}{{ namespace({'b': 2}) }}
{{ 1(2) }}
{{ 'a'() }}
{{ none() }}
{{ missing() }}
{{ d.A() }}
{{ d.nosuch() }}
{{ [1, 2].nosuch }}|{{ 5 }}
{{ 'abc'|default(x) }}
{{ (1, 2)|first + (3,)|last }} {{ [1, 2][0] + [3][-1] }} {{ {'a': {'b': [1, 2]}}.a.b[1] }} {{ ([1, 2, 3]|last)|string ~ 'x' }} {{ (s|upper)[0:2] }}
{{ s | replace('o', '0') | upper | length * 2 }} {{ 'x' if s|length > 5 and 'w' in s else 'y' }} {{ choices.index("Spree's") }} {{ choices[label] }} {{ text.label.index('B') }} {{ text['text'][text['label'].index('A')] }}
{{ [choices[0], choices[1]] }} {{ choices|join('\n') }} {{ question.split('?')[0] }} {{ '%s' % choices }} {{ choices[:2] + ['x'] }}
{% for c in choices %}{{ 'ABC'[loop.index0] }}. {{ c }}
{% endfor %}Answer:
"""

SYNTAX = r"""
{{ [1 2] }}
{{ {'a': 1 'b': 2} }}
{{ range(1 3) }}
{{ 1 + }}
{{ }}
{{ x
{{ x }
{% if x %}
{% endif %}
{% for x %}{% endfor %}
{# x
{% macro a() %}
{% set 1 = 2 %}
{% set true = 1 %}
{% set a.b.c = 1 %}
{% for loop in [1] %}{% endfor %}
{% for x in [1] %}{% set loop = 1 %}{% endfor %}
{{ x|nofilter }}
{{ x is notest }}
{% if x is notest %}{% endif %}
{% if false %}{{ x|nofilter }}{% endif %}ok
{{ 'a' if true else x|nofilter }}
{% if true %}{{ s|nofilter }}{% endif %}
{{ 'a }}
{% raw %}
{{ 1.2.3 }}
{{ a b }}
{{ (1 }}
{{ 1) }}
{{ [1) }}
{{ $ }}
{{ a ! b }}
{% nosuch %}
{{ f(a=1, 2) }}
{{ f(**a, *b) }}
{{ f(a=1, a=2) }}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(a, a) %}{% endmacro %}
{% macro m(caller) %}{{ caller() }}{% endmacro %}
{% call 1 %}{% endcall %}
{% block a %}{% endblock %}{% block a %}{% endblock %}
{% block a-b %}{% endblock %}
{% block a required %}x{% endblock %}
{% break %}
{% if true %}{% elif %}{% endif %}
{% else %}
{{ x is is y }}
{{ x is string is string }}
{{ '\x4' }}
{{ '\u12' }}
{{ 08 }}
{{ 1__0 }}
{{ x.'a' }}
{{ x.1.5 }}
{{ not }}
{{ 1 if }}
{% with a %}{% endwith %}
{% filter %}{% endfilter %}
{% set %}
{% set x %}
{{ a | }}
{{ a |b. }}
{% do 1 %}
{{ x is }}
{{ [1, , 2] }}
{{ 1 == == 2 }}
{{ for }}{{ if }}
{{ in }}
"""

TASK = r"""
{{ question|regex_replace("ß", "ss") }} {{ s|regex_replace("(?P<a>w)", "\\g<a>\\g<a>", 1) }} {{ s|regex_replace('(\\w+) (\\w+)', '\\2 \\1') }} {{ 'aaa'|regex_replace('a', 'b', count=2) }} {{ 'a.b'|regex_replace('\\.', '') }}
{{ 'a'|regex_replace('(', '') }}
{{ 5|regex_replace('a', '') }}
{% set l = [1] %}{{ l.append(2) }}{{ l }}{{ l.extend([3, 4]) }}{{ l.insert(0, 0) }}{{ l.pop() }}{{ l.remove(1) }}{{ l.reverse() }}{{ l }}{{ l.sort() }}{{ l }}{{ l.clear() }}{{ l }}
{% set l = ['b', 'A'] %}{{ l.sort(reverse=true) }}{{ l }}{{ l.sort(key=dict) }}
{% set l = [] %}{{ l.pop() }}
{% set l = [1] %}{{ l.pop(5) }}
{% set l = [1] %}{{ l.remove(5) }}
{% set q = {'a': 1} %}{{ q.update(b=2) }}{{ q.pop('a') }}{{ q.setdefault('c', 3) }}{{ q }}{{ q.popitem() }}{{ q.clear() }}{{ q }}{{ q.update({'x': 1}) }}{{ q.update([('y', 2)]) }}{{ q }}
{{ {}.pop('a') }}
{{ {}.popitem() }}
{% set l = [1] %}{{ l.append(l) }}{{ l }}{% set q = {} %}{{ q.update(a=q) }}{{ q }}
{% set l = [1] %}{{ l.append(l) }}{{ l|tojson }}
{% set q = {'a': 1} %}{% for k in q %}{{ q.update(b=2) }}{% endfor %}
{% set l = [1, 2] %}{% for x in l %}{% if x < 3 %}{{ l.append(x + 2) or x }}{% endif %}{% endfor %}{{ l }}
{{ range }}{{ ''.x is defined }}{{ d._p is defined }}
{{ raise_exception is defined }}{{ s|tojson|length }}{{ '{0.real} {0[0]}'.format(5) if false else '{0[0]}'.format('ab') }}
{{ '{0.x}'.format(5) }}
{{ '{0[5]}'.format('ab') }}
{{ '{0[x]}'.format(d) }}
{{ range(200000)|length }}
trailing

"""

CHAT = r"""
{{ raise_exception('no ' ~ s) }}
{{ d|tojson }} {{ q2|tojson }} {{ nested|tojson(indent=2) }} {{ d|tojson(sort_keys=true) }} {{ d|tojson(separators=(',', ':')) }} {{ 'é'|tojson(ensure_ascii=true) }} {{ d|tojson(indent=4, separators=(',', ': ')) }} {{ {1: 2, none: 3, 1.5: 4, true: 5}|tojson }} {{ '\x7f\u2028'|tojson }} {{ [1.0, 1e22, -0.0]|tojson }} {{ d|tojson(true) }} {{ []|tojson(indent=1) }}
{{ {'b': 1, 1: 2}|tojson(sort_keys=true) }}
{% generation %}a{{ s }}{% set inside = 1 %}{% endgeneration %}{{ inside is defined }}
{% for x in [1, 2, 3, 4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{% break %}{% endif %}{{ x }}{% else %}none{% endfor %}
{% for x in [1] %}{% continue %}{% else %}else{% endfor %}{% for x in [1] %}{% break %}{% else %}else{% endfor %}{% for x in [1, 2] %}{% for y in [1, 2] %}{% if y == 2 %}{% break %}{% endif %}{{ x }}{{ y }}{% endfor %}{% endfor %}
{{ missing }}|{{ missing is defined }}|{{ missing|length }}|{{ missing|upper }}|{{ not missing }}|{{ missing == other }}|{{ missing ~ 'x' }}|{{ [missing] }}|{% for x in missing %}a{% endfor %}|{{ missing in [1] }}|{{ missing|default('d') }}|{{ missing|first is defined }}|{{ missing|join }}|{{ missing|list }}|{{ {missing: 1} }}
{{ missing.a }}
{{ missing + 1 }}
{{ missing() }}
{{ missing|int }}
{{ missing|tojson }}
{{ missing < 1 }}
{{ [1].append(2) }}
{{ [1].append is defined }}{{ d.update is defined }}{{ d.pop }}{{ s.__class__ is defined }}{{ s._x is defined }}{{ s|attr('__class__') is defined }}
{{ s.__class__ }}|x
{{ s.__class__.mro }}
{{ d.pop('A') }}
{{ d.clear() }}
{{ '{0.__class__}'.format(s) }}
{{ '{0.x}|{0[0]}'.format(s) }}{{ '{a.A}'.format(a=d) }}{{ '{:>5}'.format(s[0]) }}
{{ '{}{0}'.format(1) }}
{{ '{.x}'.format(1) }}
{{ range(100001) }}
{% set ns = namespace(a=1) %}{% set ns.a = 2 %}{{ ns.a }}{{ ns._b is defined }}
  {% if true %}
a
    {% endif %}
  {# c #}
b
  {%- if true %}  c {%- endif %}
 {%+ if true +%}
d{% endif %}
{% raw %}
 {{ x }}
{% endraw %}
x  {% set y = 1 %}
z

{{ '\n' }}{{ 'a\n' }}

last line

"""

LINES = """
'a\\r\\nb' a\\r\\nb{{ 'x\\r\\ny' }}\\rz
'trail' x\\n
'trail2' x\\n\\n
'crlf' {% if true %}\\r\\nx\\r\\n{% endif %}\\r\\n
'raw' {% raw %}\\n  a  \\n{% endraw %}\\n
'rawtrim' a {%- raw %} b {% endraw -%} c
'lstrip'    {% if true %}x{% endif %}    {# c #}    {{ 1 }}
'lstrip2' a\\n    {% if true %}x\\n    {% endif %}\\n    b
'lstrip3' \\n\\t {#- c #}\\n x {#- d -#} y
'empty'
'tags' {{1}}{{'}}'}}{{ {'a':{'b':1}}['a']['b'] }}{{ "{{" }}{{ '%}' }}
'nested' {{ {'a': {}} }}{{ [[[]]] }}
'newlines' {{\\n1\\n+\\n2\\n}}{%\\nif 1\\n%}x{%\\nendif\\n%}
'tabs' {{\\t1\\t}}{%\\tif\\t1\\t%}x{%endif%}
'minus' {{-1}}{{- 1}}{{ -1 }}{{+1}}{{ 3-1 }}{{ 3 -1 }}{%-if 1-%} x {%-endif-%}
'plus' {{+ 1 }}{%+ if 1 %} x {%+ endif %}
'comment' a{# multi\\nline #}b{#- #}c {#--#} d {#+ #}
'unicode' \\u00e9{{ '\\u00e9' }}\\u2028{% if '\\u00e9' %}\\u3000{% endif %}
'sep' {{ 'a\\x1cb'|length }}\\x0b{{ 1 }}\\x0c
'brace' { {x} } {% raw %}{{% endraw %} }} %}
"""


def templates(block):
    """Each line is a template; one that opens what it does not close goes on in the next line."""
    lines = block.strip("\n").split("\n")
    return [line for line in lines if line]


def cases():
    for dialect in ["task", "chat"]:
        current = ""
        for line in PLAIN.strip("\n").split("\n"):
            current = current + "\n" + line if current else line
            if current.count("{%") and any(line.rstrip().endswith(end) for end in ("%}a", "{% filter indent(2) %}a", "-%}\n")):
                continue
            if line in ("{{ 'multi", "{% for c in choices %}{{ 'ABC'[loop.index0] }}. {{ c }}") or line.endswith("{% filter indent(2) %}a") or line.endswith("'multi"):
                continue
            yield dialect, current, ROW
            # What stands side by side is tried alone, too.
            parts = [part + "}}" for part in current.split("}}") if part.strip().startswith("{{")]
            if len(parts) > 1 and "{%" not in current:
                for part in parts:
                    yield dialect, part.strip(), ROW
            current = ""
        for line in templates(SYNTAX):
            yield dialect, line, {"s": "x", "x": 1}
        for line in LINES.strip("\n").split("\n"):
            text = line.split(" ", 1)[1] if " " in line else ""
            yield dialect, text.encode("ascii").decode("unicode-escape"), {}
        for keep in ["  {% if true %}\n x\n  {% endif %}\ny\n", "a\n  {%+ if true %}x{% endif +%}\n z\n", "{%- for i in [1, 2] -%}\n  {{ i }}\n{%- endfor %}\nend\n",
                     "{{- 1 -}}  {{ 2 }}\n{{ 1 }}\n {{ 2 }}\n\n", "{% for x in [1, 2] %}\n  {{ x }}\n{% endfor %}\n\n", "\n\n{{ 1 }}\n\n\n"]:
            yield dialect, keep, {}
    for dialect, block in [("task", TASK), ("chat", CHAT)]:
        for line in templates(block):
            yield dialect, line, ROW
            parts = [part + "}}" for part in line.split("}}") if part.strip().startswith("{{")]
            if len(parts) > 1 and "{%" not in line:
                for part in parts:
                    yield dialect, part.strip(), ROW
