"""What Jinja2 3.1.6 makes of templates, in the set-ups of lm-eval ("task") and of transformers ("chat").

    oracle.py fuzz SEED COUNT       random templates with their results, a JSON object a line
    oracle.py chat STEP PATH...     chat templates found in folders or archives, with conversations and results, likewise;
                                    of the cases every STEP-th, and a template only where it is another one
    oracle.py fixture               writes expected.json beside this file from expressions.py

Needs jinja2==3.1.6 and markupsafe==3.0.2. A result is {"text": ...} or {"error": kind, "message": ...}.
"""

import ast
import functools
import json
import os
import random
import re
import signal
import sys
import tarfile
import warnings

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox
from jinja2 import exceptions

warnings.simplefilter("ignore")


def regex_replace(string, pattern, repl, count=0):
    return re.sub(pattern, repl, string, count=count)


def task_environment():
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["regex_replace"] = regex_replace
    return environment


class Generation(jinja2.ext.Extension):
    """The tag around what the model said, which prints what is within."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def chat_environment():
    def raise_exception(message):
        raise exceptions.TemplateError(message)

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    return environment


ENVIRONMENTS = {"task": task_environment(), "chat": chat_environment()}

KINDS = [
    (exceptions.SecurityError, "security"),
    (exceptions.UndefinedError, "undefined"),
    (exceptions.TemplateSyntaxError, "syntax"),
    (exceptions.TemplateRuntimeError, "runtime"),
    (exceptions.TemplateError, "raised"),
    (SyntaxError, "syntax"),
    (RecursionError, "limit"),
    (MemoryError, "limit"),
    (ZeroDivisionError, "division"),
    (OverflowError, "overflow"),
    (AssertionError, "value"),
    (ValueError, "value"),
    (re.error, "value"),
    (LookupError, "lookup"),
    (AttributeError, "attribute"),
    (TypeError, "type"),
    (RuntimeError, "runtime"),
]


@functools.lru_cache(maxsize=8)
def compiled(dialect, template):
    return ENVIRONMENTS[dialect].from_string(template)


class TooLong(Exception):
    pass


def alarm(*_):
    raise TooLong()


def result(dialect, template, variables):
    """What a template gives; None for what takes too long or shows an address in memory."""
    signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        try:
            parsed = compiled(dialect, template)
        except (exceptions.TemplateSyntaxError, SyntaxError, TooLong):
            raise
        except Exception:
            # Jinja's optimizer runs into what the template might never have come to.
            return None
        text = parsed.render(**json.loads(json.dumps(variables)))
        text.encode()
    except TooLong:
        return None
    except NameError:
        # Jinja's compiler writes infinity as a name that Python does not know.
        return None
    except Exception as error:
        for type_, kind in KINDS:
            if isinstance(error, type_):
                return {"error": kind, "message": str(error)[:200]}
        return {"error": type(error).__name__, "message": str(error)[:200]}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if len(text) > 1_000_000:
        return None
    return {"text": text}


# Random templates

STRINGS = [
    "", "a", "b", "A", "abc", "ABC", "Hello World", "hello world", " pad ", "\tx\n", "a,b,,c", "a b  c", "line1\nline2\r\nline3",
    "é", "e\u0301", "straße", "İstanbul", "ΑΣ", "ΑΣ b", "ǆ", "ﬁ", "日本語", "👍🏽", "a\u200bb", "\u2028", "x\u00a0y", "٣", "½", "²",
    "12", "-7", "3.5", "1e3", "0x1A", "1_000", "inf", "nan", "True", "none", "key", "<b>x</b>", "a & b", "\"q\"", "it's", "'",
    "%s", "%d items", "{} and {}", "{0}", "{a}", "foo-bar baz", "a/b?c=d", "http://example.com/x", "me@example.com", "\\", "a\\nb",
    "the quick brown fox jumps over the lazy dog", "aaaa", "abab", "Title Case", "UPPER", "x" * 30, "one two three four five six",
]
NAMES = ["s", "t", "u", "n", "m", "f", "g", "b", "z", "l", "k", "d", "e", "o", "r", "q"]
MISSING = ["nope", "w"]
NUMBERS = [0, 1, 2, 3, -1, -2, 5, 7, 10, 42, -17, 100, 255, 1000, 2**31, 2**53 + 1, 2**63 - 1, -2**63, 2**64, 10**20, -10**25]
FLOATS = [0.0, -0.0, 0.5, 1.0, 2.0, 1.5, 2.5, -2.5, 0.1, 3.14159, 1e16, 1e22, 1e-5, 1e-7, 123456.789, -0.001, 1e100, 2.675, 1.005]
KEYS = ["a", "b", "name", "role", "items", "x", "key", "é", "A", "10", "_p", "update"]


class Fuzzer:
    def __init__(self, seed, dialect):
        self.random = random.Random(seed)
        self.dialect = dialect
        self.local = []
        self.loops = 0
        self.macros = []
        self.namespaces = []

    def pick(self, *options):
        return self.random.choice(options)

    def chance(self, probability):
        return self.random.random() < probability

    # Variables

    def value(self, depth=0):
        roll = self.random.random()
        if depth < 3 and roll < 0.18:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if depth < 3 and roll < 0.3:
            return {self.random.choice(KEYS): self.value(depth + 1) for _ in range(self.random.randrange(4))}
        if roll < 0.6:
            return self.random.choice(STRINGS)
        if roll < 0.8:
            return self.random.choice(NUMBERS[:12]) if self.chance(0.8) else self.random.choice(NUMBERS)
        if roll < 0.9:
            return self.random.choice(FLOATS)
        return self.pick(True, False, None)

    def strings(self):
        return [self.random.choice(STRINGS) for _ in range(self.random.randrange(5))]

    def rows(self):
        return [
            {"name": self.random.choice(STRINGS[:30]), "n": self.random.choice(NUMBERS[:9]), "tags": self.strings()[:2],
             **({"x": self.value(2)} if self.chance(0.3) else {})}
            for _ in range(self.random.randrange(5))
        ]

    def variables(self):
        return {
            "s": self.random.choice(STRINGS), "t": self.random.choice(STRINGS), "u": self.random.choice(STRINGS[23:33]),
            "n": self.random.choice(NUMBERS[:12]), "m": self.random.choice(NUMBERS), "f": self.random.choice(FLOATS),
            "g": self.random.choice(FLOATS[:8]), "b": self.pick(True, False), "z": None,
            "l": [self.random.choice(NUMBERS[:9]) for _ in range(self.random.randrange(6))], "k": self.strings(),
            "d": {key: self.value(2) for key in self.random.sample(KEYS, self.random.randrange(5))},
            "e": [self.value(1) for _ in range(self.random.randrange(4))], "o": {"a": {"b": [1, {"c": "deep"}]}, "k": self.value(1)},
            "r": self.rows(), "q": self.value(),
        }

    # Expressions

    def literal_string(self):
        text = self.random.choice(STRINGS) if self.chance(0.8) else self.random.choice(KEYS)
        quote = self.pick("'", '"')
        out = []
        for c in text:
            if c == quote or c == "\\":
                out.append("\\" + c)
            elif c == "\n" and self.chance(0.7):
                out.append("\\n")
            elif ord(c) > 127 and self.chance(0.2):
                out.append("\\u%04x" % ord(c) if ord(c) < 0x10000 else "\\U%08x" % ord(c))
            elif self.chance(0.01) and ord(c) < 256:
                out.append("\\x%02x" % ord(c))
            else:
                out.append(c)
        return quote + "".join(out) + quote

    def literal_number(self):
        if self.chance(0.8):
            number = self.random.choice(NUMBERS[:12])
            return str(number) if number >= 0 else f"({number})"
        return self.pick("0x1f", "0b101", "0o17", "1_000", "1e3", "2.5e-3", "0.5", "1.0", "3.14", "10000000000000000000000", "00", "1e300")

    def name(self):
        if self.local and self.chance(0.4):
            return self.random.choice(self.local)
        if self.chance(0.03):
            return self.random.choice(MISSING)
        return self.random.choice(NAMES)

    def any(self, depth):
        return self.pick(self.string, self.string, self.number, self.list, self.dict, self.boolean, self.other)(depth)

    def maybe(self, depth, good):
        """Mostly what fits; sometimes anything."""
        return self.any(depth) if self.chance(0.06) else good(depth)

    def string(self, depth):
        if depth <= 0:
            return self.pick(self.literal_string, lambda: self.pick("s", "t", "u"))()
        return self.pick(
            lambda: self.literal_string(), lambda: self.pick("s", "t", "u"), lambda: self.pick("s", "t", "u"),
            lambda: self.string_method(depth - 1), lambda: self.string_method(depth - 1),
            lambda: self.string_filter(depth - 1), lambda: self.string_filter(depth - 1), lambda: self.string_filter(depth - 1),
            lambda: f"({self.any(depth - 1)} ~ {self.any(depth - 1)})",
            lambda: f"({self.maybe(depth - 1, self.string)} + {self.maybe(depth - 1, self.string)})",
            lambda: f"({self.string(depth - 1)} * {self.small()})",
            lambda: f"{self.wrapped(self.string, depth - 1)}[{self.small()}]",
            lambda: f"{self.wrapped(self.string, depth - 1)}[{self.slice()}]",
            lambda: self.percent(depth - 1), lambda: self.format(depth - 1), lambda: f"k[{self.small()}]",
            lambda: f"{self.wrapped(self.any, depth - 1)}|string", lambda: self.join(depth - 1),
            lambda: f"r[{self.pick('0', '1', '-1')}].name", lambda: self.condition(self.string, depth - 1),
            lambda: f"{self.literal_string()} {self.literal_string()}",
        )()

    def small(self):
        return self.pick("0", "1", "2", "3", "-1", "-2", "n", "5", "True", "l|length", "10") if self.chance(0.97) else self.any(0)

    def slice(self):
        part = lambda: self.pick("0", "1", "2", "3", "-1", "-2", "n", "5", "True", "l|length", "10", "none") if self.chance(0.6) else ""
        return part() + ":" + part() + (":" + part() if self.chance(0.4) else "")

    def wrapped(self, make, depth):
        return "(" + make(depth) + ")"

    def percent(self, depth):
        spec = "".join(
            self.pick("", "x", " ", "é") + "%" + self.pick("", "", "-", "0", "+", " ", "#") + self.pick("", "", "5", "10", "*" if self.chance(.1) else "2")
            + self.pick("", "", ".2", ".0", ".5") + self.pick("s", "s", "d", "i", "f", "e", "g", "x", "X", "o", "r", "a", "c", "G", "E", "%", "q" if self.chance(.1) else "s")
            for _ in range(self.random.randrange(1, 3)))
        if self.chance(0.1):
            return f"'%({self.random.choice(KEYS)})s' % {self.dict(depth)}"
        values = [self.pick(self.number, self.number, self.string, self.any)(depth) for _ in range(spec.count("%"))]
        text = "'" + spec + "'"
        if self.chance(0.3):
            return f"({text}|format({', '.join(values)}))"
        if len(values) == 1 and self.chance(0.5):
            return f"({text} % {self.wrapped(lambda _: values[0], 0)})"
        return f"({text} % ({', '.join(values)}{',' if len(values) == 1 else ''}))"

    def format(self, depth):
        def spec():
            if self.chance(0.5):
                return ""
            return ":" + self.pick("", "", "<", ">", "^", "*^", "é>", "=", "0") + self.pick("", "+", "-", " ") + self.pick("", "#", "z" if self.chance(.1) else "") \
                + self.pick("", "8", "08", "12", "3") + self.pick("", ",", "_" if self.chance(0.3) else "") + self.pick("", ".2", ".0", ".3") \
                + self.pick("", "", "s", "d", "f", "e", "g", "x", "b", "o", "X", "%", "c", "n", "G")
        fields = []
        for i in range(self.random.randrange(1, 4)):
            fields.append("{" + self.pick("", "", str(i), "a", "0", ".a" if self.chance(.1) else "", "0[a]" if self.chance(0.2) else "", "0.real" if self.chance(0.2) else "",
                                          "0[0]" if self.chance(0.2) else "") + self.pick("", "", "", "!r", "!s", "!a") + spec() + "}")
        values = [self.pick(self.number, self.string, self.any)(depth) for _ in range(3)]
        return f"'{' '.join(fields)}'.format({', '.join(values)}, a={self.any(depth)})"

    def join(self, depth):
        return self.pick(
            lambda: f"{self.wrapped(self.list, depth)}|join({self.literal_string()})", lambda: f"{self.wrapped(self.list, depth)}|join",
            lambda: f"r|join(', ', attribute='name')", lambda: f"{self.literal_string()}.join({self.maybe(depth, self.string_list)})",
            lambda: f"{self.literal_string()}.join({self.string_list(depth)}|map('upper'))")()

    def string_list(self, depth):
        return self.pick("k", "k", f"{self.wrapped(self.string, depth - 1)}.split()", f"{self.wrapped(self.string, depth - 1)}.split({self.literal_string()})",
                         "d.keys()", f"[{self.string(depth - 1)}, {self.string(depth - 1)}]", "s|list", "(s.splitlines())",
                         f"{self.wrapped(self.any, depth - 1)}|map('string')|list", f"{self.wrapped(self.string, depth-1)}.rsplit({self.literal_string()}, {self.small()})",
                         f"{self.wrapped(self.string, depth-1)}.partition({self.literal_string()})")

    def string_method(self, depth):
        subject = self.wrapped(self.string, depth)
        string = lambda: self.maybe(depth - 1, self.string)
        return subject + self.pick(
            lambda: "." + self.pick("upper", "lower", "title", "capitalize", "swapcase", "casefold", "strip", "lstrip", "rstrip") + "()",
            lambda: "." + self.pick("strip", "lstrip", "rstrip") + f"({string()})",
            lambda: f".replace({string()}, {string()}{self.pick('', '', ', ' + self.small())})",
            lambda: "." + self.pick("center", "ljust", "rjust") + f"({self.pick('5', '10', '7', 'n')}{self.pick('', '', ', ' + self.literal_string())})",
            lambda: f".zfill({self.pick('5', '10', 'n')})", lambda: f".expandtabs({self.pick('', '4', '0')})",
            lambda: "." + self.pick("removeprefix", "removesuffix") + f"({string()})",
            lambda: f".split({self.pick('', string())})[{self.small()}]",
            lambda: "." + self.pick("partition", "rpartition") + f"({string()})[{self.pick('0', '1', '2')}]",
            lambda: f".translate({{97: 'X', 98: none, 0x43: 100}})", lambda: f".format({string()}, {string()})",
        )()

    def string_filter(self, depth):
        subject = self.wrapped(self.string, depth) if self.chance(0.85) else self.wrapped(self.any, depth)
        string = lambda: self.maybe(depth - 1, self.string)
        regex = [f"|regex_replace({self.pick(repr('a'), repr('[a-z]+'), repr('x*'), repr('(.)(.)'), repr(chr(92) + 's+'))}, {self.pick(repr('X'), repr(''), repr('<' + chr(92)*2 + '1>'))}{self.pick('', ', 1')})"]
        return subject + self.pick(
            lambda: "|" + self.pick("upper", "lower", "title", "capitalize", "trim", "string", "e", "escape", "safe", "forceescape", "striptags", "urlencode", "reverse", "pprint", "urlize"),
            lambda: f"|replace({string()}, {string()}{self.pick('', ', 1', ', count=2')})", lambda: f"|center({self.pick('10', '11', 'width=6')})",
            lambda: f"|indent({self.pick('', '2', 'n', 'first=true', '3, true', 'blank=True', chr(39) + '> ' + chr(39))})",
            lambda: f"|truncate({self.pick('5', '10', '8, true', '10, end=' + repr('!'), '6, False, ' + repr('..') + ', 0', '3', 'leeway=0, length=7')})",
            lambda: f"|wordwrap({self.pick('5', '10', '3, false', '8, wrapstring=' + repr('|'), '4, true, none, false')})",
            lambda: f"|trim({string()})", lambda: f"|default({self.any(depth - 1)}{self.pick('', ', true')})", lambda: f"|d({self.string(0)})",
            lambda: self.random.choice(regex) if self.dialect == "task" else "|upper", lambda: f"|first", lambda: "|last",
            lambda: f"|filesizeformat{self.pick('', '(true)')}" if self.chance(0.2) else "|lower",
            lambda: f"|tojson{self.pick('', '', '(indent=2)', '(2)') }" if self.chance(0.5) else "|trim",
            lambda: f"|attr({self.literal_string()})" if self.chance(0.1) else "|title",
        )()

    def number(self, depth):
        if depth <= 0:
            return self.pick(self.literal_number, self.literal_number, lambda: self.pick("n", "m", "f", "g"))()
        number = lambda: self.maybe(depth - 1, self.number)
        return self.pick(
            self.literal_number, lambda: self.pick("n", "m", "f", "g", "b"), lambda: self.pick("n", "f", "g"),
            lambda: f"({number()} {self.pick('+', '-', '*', '/', '//', '%')} {number()})", lambda: f"({number()} {self.pick('+', '-', '*')} {number()})",
            lambda: f"({self.number(0)} ** {self.pick('0', '1', '2', '3', '-1', '0.5', 'n' if self.chance(0.1) else '2')})",
            lambda: f"(-{number()})", lambda: f"(+{number()})", lambda: f"{self.wrapped(self.any, depth - 1)}|{self.pick('length', 'count')}",
            lambda: f"{self.wrapped(self.any, depth - 1)}|int{self.pick('', '', '(-1)', '(0, 16)', '(base=8)', '(default=5)')}",
            lambda: f"{self.wrapped(self.any, depth - 1)}|float{self.pick('', '(1.5)')}",
            lambda: f"{self.wrapped(self.number, depth - 1)}|round{self.pick('', '(1)', '(2)', '(-1)', '(0, ' + repr('ceil') + ')', '(1, ' + repr('floor') + ')', '(method=' + repr('common') + ')', '(3)')}",
            lambda: f"{self.wrapped(self.number, depth - 1)}|abs", lambda: f"{self.wrapped(self.list, depth - 1)}|sum{self.pick('', '(start=10)')}", lambda: "r|sum(attribute='n')",
            lambda: f"{self.wrapped(self.list, depth - 1)}|{self.pick('min', 'max')}", lambda: f"{self.wrapped(self.string, depth - 1)}|wordcount",
            lambda: f"{self.wrapped(self.string, depth - 1)}.{self.pick('find', 'rfind', 'count', 'index', 'rindex')}({self.string(0)}{self.pick('', '', ', 1', ', 1, -1')})",
            lambda: f"{self.wrapped(self.list, depth - 1)}.{self.pick('count', 'index')}({self.any(0)})", lambda: self.condition(self.number, depth - 1),
            lambda: f"{self.wrapped(self.list, depth - 1)}[{self.small()}]", lambda: "r[0].n", lambda: f"(n).{self.pick('bit_length()', 'real', 'numerator', 'bit_count()')}",
            lambda: f"(f).{self.pick('is_integer()', 'real', 'imag', 'hex()', 'as_integer_ratio()')}", lambda: self.pick("loop.index", "loop.index0", "loop.revindex", "loop.length", "loop.depth") if self.loops else "n",
        )()

    def boolean(self, depth):
        if depth <= 0:
            return self.pick("true", "false", "b", "True", "none")
        return self.pick(
            lambda: "b", lambda: f"({self.any(depth - 1)} {self.pick('==', '!=')} {self.any(depth - 1)})",
            lambda: f"({self.number(depth - 1)} {self.pick('<', '<=', '>', '>=')} {self.maybe(depth - 1, self.number)})",
            lambda: f"({self.string(depth - 1)} {self.pick('<', '<=', '>', '>=')} {self.maybe(depth - 1, self.string)})",
            lambda: f"({self.number(0)} < {self.number(0)} {self.pick('<', '<=', '==')} {self.number(0)})",
            lambda: f"(not {self.any(depth - 1)})", lambda: f"({self.any(depth - 1)} {self.pick('and', 'or')} {self.any(depth - 1)})",
            lambda: f"({self.string(depth - 1)} {self.pick('in', 'not in')} {self.maybe(depth - 1, self.string)})",
            lambda: f"({self.any(depth - 1)} {self.pick('in', 'not in')} {self.pick(self.list, self.dict)(depth - 1)})",
            lambda: f"({self.test(depth - 1)})", lambda: f"({self.test(depth - 1)})",
            lambda: f"{self.wrapped(self.string, depth - 1)}.{self.pick('startswith', 'endswith')}({self.pick(self.string(0), '(' + self.string(0) + ', ' + self.string(0) + ')')})",
            lambda: f"{self.wrapped(self.string, depth - 1)}.is{self.pick('alnum', 'alpha', 'ascii', 'decimal', 'digit', 'identifier', 'lower', 'numeric', 'printable', 'space', 'title', 'upper')}()",
            lambda: self.pick("loop.first", "loop.last", "loop.changed(n)", f"loop.changed({self.any(0)})") if self.loops else "b",
        )()

    def test(self, depth):
        subject = self.name() if self.chance(0.3) else self.wrapped(self.any, depth)
        return subject + " is " + self.pick("", "", "not ") + self.pick(
            lambda: self.pick("defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number", "string", "mapping", "sequence", "iterable", "callable", "escaped"),
            lambda: self.pick("odd", "even", "lower", "upper"), lambda: f"divisibleby {self.pick('2', '3', 'n', '0')}", lambda: f"divisibleby({self.number(0)})",
            lambda: f"{self.pick('eq', 'ne', 'equalto', '==' if False else 'eq')} {self.pick('n', 's', '1', repr('a'))}", lambda: f"{self.pick('gt', 'ge', 'lt', 'le', 'greaterthan', 'lessthan')}({self.any(0)})",
            lambda: f"in {self.pick('k', 'l', 'd', '[1, 2]', 's')}", lambda: f"sameas {self.pick('none', 'true', 'false', 'd', 'l')}", lambda: self.pick("filter", "test"),
        )()

    def condition(self, make, depth):
        text = f"({make(depth)} if {self.boolean(depth)}"
        return text + (")" if self.chance(0.15) else f" else {make(depth)})")

    def list(self, depth):
        if depth <= 0:
            return self.pick("l", "k", "e", "[1, 2, 3]", "[]", "['b', 'a']", "(1, 'x')", "r")
        subject = lambda: self.wrapped(self.list, depth - 1)
        return self.pick(
            lambda: self.pick("l", "k", "e", "r"), lambda: "[" + ", ".join(self.any(depth - 1) for _ in range(self.random.randrange(4))) + "]",
            lambda: "(" + ", ".join(self.any(depth - 1) for _ in range(self.random.randrange(2, 4))) + ")", lambda: f"({self.list(depth - 1)} + {self.maybe(depth - 1, self.list)})",
            lambda: f"{subject()}[{self.slice()}]", lambda: f"{subject()}|list", lambda: f"{subject()}|sort{self.pick('', '(reverse=true)', '(true)', '(case_sensitive=True)')}",
            lambda: f"r|sort(attribute='{self.pick('name', 'n', 'n,name', 'tags.0', 'zz')}')", lambda: f"{subject()}|reverse|list", lambda: f"{subject()}|unique{self.pick('', '(true)')}|list",
            lambda: f"{subject()}|map('{self.pick('upper', 'string', 'int', 'length', 'trim', 'abs', 'float', 'first', 'nofilter', 'list')}'){self.pick('|list', '|list', '')}",
            lambda: f"r|map(attribute='{self.pick('name', 'n', 'zz', 'tags.0')}'{self.pick('', ', default=' + self.any(0))})|list", lambda: f"{subject()}|map('default', {self.any(0)})|list",
            lambda: f"{subject()}|{self.pick('select', 'reject')}({self.pick('', repr('odd'), repr('string'), repr('defined'), repr('gt') + ', 1', repr('in') + ', l', repr('none'), repr('eq') + ', n')})|list",
            lambda: f"r|{self.pick('selectattr', 'rejectattr')}('{self.pick('n', 'name', 'x')}'{self.pick('', ', ' + repr('gt') + ', 1', ', ' + repr('equalto') + ', 2', ', ' + repr('defined'), ', ' + repr('string'))})|list",
            lambda: f"{subject()}|batch({self.pick('2', '3', '1')}{self.pick('', ', ' + self.any(0))})|list", lambda: f"{subject()}|slice({self.pick('2', '3', '1', '0')}{self.pick('', ', none', ', ' + self.any(0))})|list",
            lambda: f"range({self.pick('3', '1, 4', '5, 0, -2', 'n' if self.chance(0.3) else '2', '0, 10, 3')}){self.pick('|list', '', '')}", lambda: self.string_list(depth - 1),
            lambda: f"d.{self.pick('keys', 'values', 'items')}(){self.pick('|list', '|list', '')}", lambda: f"d|dictsort{self.pick('', '(true)', '(by=' + repr('value') + ')', '(reverse=true)')}", lambda: "d|items|list",
            lambda: f"{self.pick('r', subject())}|groupby('{self.pick('n', 'name', 'zz')}'{self.pick('', ', default=' + self.any(0), ', case_sensitive=True')})", lambda: f"({self.list(depth - 1)} * {self.pick('0', '1', '2')})",
            lambda: self.condition(self.list, depth - 1), lambda: f"{subject()}[{self.small()}]" if self.chance(0.2) else "l",
        )()

    def dict(self, depth):
        if depth <= 0:
            return self.pick("d", "o", "{}", "{'a': 1}", "r[0]", "{'b': 1, 'a': 'x'}")
        return self.pick(
            lambda: self.pick("d", "o"), lambda: "{" + ", ".join(f"{self.pick(self.literal_string, self.literal_number, lambda: self.pick('true', 'none', 's', 'n', '(1, 2)'))()}: {self.any(depth - 1)}" for _ in range(self.random.randrange(4))) + "}",
            lambda: f"dict(a={self.any(depth - 1)}, b=2)", lambda: f"dict({self.dict(depth - 1)}, x={self.any(0)})", lambda: "dict(d|items)", lambda: "dict([('a', 1), ('b', s)])", lambda: "d.copy()",
            lambda: f"o.a", lambda: f"{{}}.fromkeys(k{self.pick('', ', ' + self.any(0))})", lambda: "dict(k|map('upper')|list|batch(2))" if self.chance(0.1) else "d",
        )()

    def other(self, depth):
        return self.pick(
            lambda: self.name(), lambda: f"d.{self.random.choice(KEYS)}", lambda: f"d[{self.literal_string()}]", lambda: f"d.get({self.literal_string()}{self.pick('', ', ' + self.any(0))})",
            lambda: f"o.a.b[{self.small()}]", lambda: "o.a.b.1.c", lambda: f"{self.wrapped(self.any, depth - 1)}.{self.random.choice(KEYS)}" if depth > 0 else "q", lambda: f"{self.wrapped(self.any, depth - 1)}[{self.any(0)}]" if depth > 0 else "q",
            lambda: f"{self.wrapped(self.list, depth - 1)}|{self.pick('first', 'last')}", lambda: self.pick("loop.cycle('a', 'b', 1)", "loop.previtem", "loop.nextitem", "loop.previtem is defined", "loop") if self.loops else "z",
            lambda: f"{self.random.choice(self.macros)}({self.arguments(depth - 1)})" if self.macros and depth > 0 else "z", lambda: f"{self.random.choice(self.namespaces)}.{self.pick('a', 'b', 'c')}" if self.namespaces else "z",
            lambda: f"{self.wrapped(self.any, depth - 1)}|default({self.any(0)})" if depth > 0 else "q", lambda: f"(nope|default({self.any(0)}))", lambda: f"{self.pick('d', 'o', 'q')}|tojson",
            lambda: f"{self.wrapped(self.dict, depth - 1)}|xmlattr" if self.chance(0.2) else "z", lambda: f"{self.wrapped(self.any, depth - 1)}|tojson{self.pick('', '(indent=1)', '(sort_keys=true)' if self.dialect == 'chat' else '')}",
            lambda: f"{self.wrapped(self.any, depth - 1)}|pprint", lambda: f"d.{self.pick('pop', 'setdefault', 'update', 'popitem', 'clear')}({self.pick('', self.literal_string(), self.literal_string() + ', 1')})" if self.chance(0.3) else "z",
            lambda: f"l.{self.pick('append', 'extend', 'insert', 'remove', 'pop', 'reverse', 'sort')}({self.pick('', self.any(0), self.any(0))})" if self.chance(0.3) else "z",
            lambda: f"{self.wrapped(self.any, depth - 1)}({self.any(0)})" if self.chance(0.05) else "z", lambda: "raise_exception('no')" if self.chance(0.05) else "q", lambda: "caller()" if self.chance(0.05) else "b",
            lambda: f"'x' is filter and {self.any(0)}", lambda: self.pick("cycler('a', 'b').next()", "joiner('|')()", "namespace(a=1).a", "varargs", "kwargs") if self.chance(0.3) else "s",
            lambda: f"{self.literal_string()}.{self.pick('__class__', '_x', '__len__')}" if self.chance(0.05) else "t",
        )()

    def arguments(self, depth):
        arguments = [self.any(depth) for _ in range(self.random.randrange(3))]
        if self.chance(0.3):
            arguments.append(f"{self.pick('a', 'b', 'c')}={self.any(depth)}")
        if self.chance(0.05):
            arguments.append("*l")
        if self.chance(0.05):
            arguments.append("**d")
        return ", ".join(arguments)

    # Statements

    def open(self):
        return "{%" + self.pick("", "", "", "-", "+") + " "

    def close(self):
        return " " + self.pick("", "", "", "-", "+" if self.chance(.5) else "") + "%}"

    def tag(self, text):
        return self.open() + text + self.close()

    def text(self):
        return self.pick("", " ", "\n", "x", "text ", "\n  ", "  \n", "a\nb", "é ", "{ ", "}} " if self.chance(.1) else "} ", "{# c #}", "{#- c -#}\n", "\t", "\r\n")

    def output(self, depth):
        return "{{" + self.pick("", "-" if self.chance(.5) else "", "+" if self.chance(.2) else "") + " " + self.any(depth) + " " + self.pick("", "-" if self.chance(.5) else "") + "}}"

    def body(self, depth, count=3):
        saved = (list(self.local), list(self.macros), list(self.namespaces))
        text = self.statements(depth, count)
        self.local, self.macros, self.namespaces = saved
        return text

    def statements(self, depth, count=4):
        return "".join(self.text() + self.statement(depth) for _ in range(self.random.randrange(1, count + 1))) + self.text()

    def statement(self, depth):
        if depth <= 0:
            return self.output(2)
        return self.pick(
            lambda: self.output(3), lambda: self.output(3), lambda: self.output(2), lambda: self.for_(depth), lambda: self.for_(depth), lambda: self.if_(depth), lambda: self.if_(depth), lambda: self.set(depth),
            lambda: self.set(depth), lambda: self.namespace(depth), lambda: self.with_(depth), lambda: self.macro(depth), lambda: self.call(depth), lambda: self.filter(depth), lambda: self.rare(depth),
        )()

    def for_(self, depth):
        target = self.pick("x", "x", "y", "i", "x, y" if self.chance(.5) else "x")
        items = self.pick("d.items()", "d|items", "d|dictsort", "[(1, 2), ('a', s)]") if "," in target and self.chance(0.9) else self.list(2) if self.chance(0.85) else self.any(1)
        test = f" if {self.boolean(1)}" if self.chance(0.2) else ""
        recursive = " recursive" if self.chance(0.07) else ""
        saved = list(self.local)
        self.local += target.split(", ")
        self.loops += 1
        body = self.body(depth - 1)
        if recursive and self.chance(0.7):
            body += "{{ loop(" + self.pick("[1]", "[]", "x") + ") if loop.depth < 3 }}"
        if self.dialect == "chat" and self.chance(0.15):
            body += self.tag(f"if {self.boolean(1)}") + self.tag(self.pick("break", "continue")) + self.tag("endif") + self.text()
        self.loops -= 1
        self.local = saved
        other = self.tag("else") + self.body(depth - 1, 1) if self.chance(0.2) else ""
        return self.tag(f"for {target} in {items}{test}{recursive}") + body + other + self.tag("endfor")

    def if_(self, depth):
        text = self.tag(f"if {self.boolean(2)}") + self.statements(depth - 1, 2)
        if self.chance(0.3):
            text += self.tag(f"elif {self.any(1)}") + self.statements(depth - 1, 2)
        if self.chance(0.4):
            text += self.tag("else") + self.statements(depth - 1, 2)
        return text + self.tag("endif")

    def set(self, depth):
        name = self.pick("x", "y", "v", "s", "n", "ü")
        if self.chance(0.2):
            text = self.tag(f"set {name}{self.pick('', '', ' | upper', ' | trim | length')}") + self.body(depth - 1, 2) + self.tag("endset")
        elif self.chance(0.1):
            text = self.tag(f"set {name}, y = {self.pick('1, 2', self.list(1), '(s, n)')}")
        else:
            text = self.tag(f"set {name} = {self.any(3)}")
        self.local.append(name)
        return text

    def namespace(self, depth):
        if self.namespaces and self.chance(0.7):
            name = self.random.choice(self.namespaces)
            return self.tag(f"set {name}.{self.pick('a', 'b')} = {self.any(2)}")
        self.namespaces.append("ns")
        return self.tag(f"set ns = namespace({self.pick('', 'a=1', 'a=0, b=' + self.any(1), 'd', '{' + repr('a') + ': 2}')})")

    def with_(self, depth):
        if self.chance(0.2):
            return self.tag("with") + self.body(depth - 1, 2) + self.tag("endwith")
        name = self.pick("x", "y", "s")
        head = f"with {name} = {self.any(2)}" + (f", y = {self.any(1)}" if self.chance(0.3) else "")
        self.local.append(name)
        text = self.tag(head) + self.body(depth - 1, 2) + self.tag("endwith")
        self.local.pop()
        return text

    def macro(self, depth):
        name = self.pick("mac", "mac2")
        signature = self.pick("", "a", "a, b=1", "a=s, b=n", "a, b, c=none", "x", "caller=none" if self.chance(.3) else "b=2")
        saved = (self.loops, list(self.local))
        self.loops = 0
        self.local += [part.split("=")[0].strip() for part in signature.split(",") if part.strip()]
        extra = self.pick("", "", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}", "{{ caller(1) if caller is defined else 'no caller' }}")
        body = self.body(depth - 1, 2) + extra
        self.loops, self.local = saved
        self.macros.append(name)
        return self.tag(f"macro {name}({signature})") + body + self.tag("endmacro")

    def call(self, depth):
        if not self.macros:
            return self.output(3)
        return self.tag(f"call{self.pick('', '', '(x)', '(x, y=1)')} {self.random.choice(self.macros)}({self.arguments(1)})") + self.body(depth - 1, 2) + self.tag("endcall")

    def filter(self, depth):
        return self.tag(f"filter {self.pick('upper', 'trim', 'indent(2)', 'replace(s, t)', 'title | trim', 'length', 'escape', 'center(20)')}") + self.body(depth - 1, 2) + self.tag("endfilter")

    def rare(self, depth):
        return self.pick(
            lambda: self.tag("raw") + self.pick("{{ x }}", "{% if %}", " {# ", "a\n") + self.tag("endraw"), lambda: "{% print " + self.any(2) + ", " + self.any(1) + " %}",
            lambda: self.tag(f"autoescape {self.pick('true', 'true', 'false', 'b')}") + self.body(depth - 1, 2) + self.tag("endautoescape"),
            lambda: (lambda name: self.tag(f"block {name}{self.pick('', ' scoped')}") + self.body(depth - 1, 2) + self.tag(f"endblock{self.pick('', ' ' + name)}") + self.pick("", "{{ self." + name + "() }}"))("blk%d" % self.random.randrange(1000)),
            lambda: self.tag("generation") + self.body(depth - 1, 2) + self.tag("endgeneration") if self.dialect == "chat" else self.output(3),
            lambda: self.tag("if n is divisibleby 2") + "even" + self.tag("endif"), lambda: self.pick("{% nosuch %}", "{{ s|nofilter }}", "{{ 1 + }}", "{% if %}", "{{ [1 2] }}", "{{ s is nosuch }}", "{{ 'a' if b else }}", "{% endfor %}", "{{ $ }}", "{% set 1 = 2 %}", "{{ f(a=1, 2) }}", "{% break %}"),
        )()

    def template(self):
        return self.statements(2, 3) if self.chance(0.4) else self.text() + self.output(4) + self.text()


def fuzz(seed, count):
    number = 0
    produced = 0
    while produced < count:
        case_seed = f"{seed}/{number}"
        number += 1
        dialect = "task" if number % 2 else "chat"
        fuzzer = Fuzzer(case_seed, dialect)
        template = fuzzer.template()
        if len(template) > 5000:
            continue
        variables = fuzzer.variables()
        outcome = result(dialect, template, variables)
        if outcome is None or " at 0x" in outcome.get("text", "") or len(outcome.get("text", "")) > 20000:
            continue
        yield {"name": case_seed, "dialect": dialect, "template": template, "variables": variables, **outcome}
        produced += 1


# Chat templates

def tool(name, **parameters):
    return {"type": "function", "function": {
        "name": name, "description": f"What {name} does: \"quotes\", ünïcode & <tags>",
        "parameters": {"type": "object", "properties": parameters, "required": list(parameters)[:1]}}}


TOOLS = [
    tool("get_weather", city={"type": "string", "description": "Where"}, unit={"type": "string", "enum": ["C", "F"], "default": "C"}),
    tool("search", query={"type": "string", "description": "What to look for"}, limit={"type": "integer", "minimum": 1}, options={
        "type": "object", "properties": {"deep": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}}}}),
]


def call(name, arguments, id="call_00001"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversations():
    message = lambda role, content, **more: {"role": role, "content": content, **more}
    answer = message("tool", "{\"temperature\": 21.5}", name="get_weather", tool_call_id="call_00001")
    yield [message("user", "Hi")]
    yield [message("system", "You are kind."), message("user", "Hi")]
    yield [message("developer", "Be brief."), message("user", "Hi")]
    yield [message("user", "One"), message("assistant", "Two"), message("user", "Three")]
    yield [message("system", "S"), message("user", "One"), message("assistant", "Two"), message("user", "Three"), message("assistant", "Four")]
    yield [message("user", "Größe 日本語 👍🏽 e\u0301 \u200b\u2028"), message("assistant", "ÄÖÜ «ok» \u00a0")]
    yield [message("user", "  spaces \n\n"), message("assistant", "\n answer \t"), message("user", "")]
    yield [message("user", "")]
    yield [message("user", None)]
    yield [message("system", ""), message("user", "x")]
    yield [message("user", "<|im_start|>user\n<b>&amp;</b> {{ x }} {% if %} [INST] </s>")]
    yield [message("user", "think"), message("assistant", "<think>\nhmm\n</think>\n\nDone."), message("user", "again")]
    yield [message("user", "think"), message("assistant", "Done.", reasoning_content="because\nof this"), message("user", "again")]
    yield [message("user", "think"), message("assistant", "<think>open only"), message("user", "again"), message("assistant", "a</think>b")]
    yield [message("user", [{"type": "text", "text": "part one"}, {"type": "text", "text": "part two"}])]
    yield [message("user", [{"type": "image"}, {"type": "text", "text": "what is it?"}]), message("assistant", [{"type": "text", "text": "a cat"}]), message("user", [])]
    yield [message("system", [{"type": "text", "text": "sys"}]), message("user", "q")]
    yield [message("user", "w?"), message("assistant", "", tool_calls=[call("get_weather", {"city": "Köln"})])]
    yield [message("user", "w?"), message("assistant", None, tool_calls=[call("get_weather", {"city": "Köln", "unit": "C"})]), answer]
    yield [message("user", "w?"), message("assistant", None, tool_calls=[call("get_weather", "{\"city\": \"Köln\"}")]), answer, message("assistant", "21.5 °C")]
    yield [message("system", "S"), message("user", "w?"), message("assistant", "Let me see.", tool_calls=[call("get_weather", {"city": "A"}), call("search", {"query": "b", "limit": 3, "options": {"deep": True, "tags": ["x", None, 1.5]}}, "call_00002")]),
           answer, message("tool", "[1, 2]", name="search", tool_call_id="call_00002"), message("assistant", "Both."), message("user", "Thanks")]
    yield [message("user", "w?"), {"role": "assistant", "tool_calls": [call("get_weather", {})]}, message("tool", "none", tool_call_id="call_00001")]
    yield [message("user", "w?"), message("assistant", "", tool_calls=[{"function": {"name": "get_weather", "arguments": {"city": "x"}}}]), message("tool", "ok")]
    yield [message("user", "w?"), message("assistant", "", tool_calls=[call("search", {"n": 10**20, "f": 1e16, "t": (True), "o": {"a": []}, "quote": "it's \"x\"\n"}, "abcdefghi")]), message("tool", {"a": 1}, tool_call_id="abcdefghi")]
    yield [message("user", "w?"), message("assistant", "", tool_calls=[]), message("user", "more")]
    yield [message("user", "w?"), message("assistant", "", function_call={"name": "f", "arguments": "{}"}), message("function", "1", name="f")]
    yield [message("user", "1"), message("user", "2"), message("assistant", "3"), message("assistant", "4")]
    yield [message("assistant", "first"), message("user", "second")]
    yield [message("system", "a"), message("system", "b"), message("user", "c")]
    yield [message("user", "hi"), message("system", "late"), message("user", "go")]
    yield [message("weird", "x"), message("user", "y")]
    yield [message("user", "q", name="Ann"), message("assistant", "r", name="Bot", thinking="t", reasoning="why"), message("user", "s")]
    yield [message("user", "line\r\nend\ttab"), message("assistant", "x" * 3000)]
    yield [message("user", 5), message("assistant", 1.5), message("user", True)]
    yield []
    yield [{"role": "user"}]
    yield [{"content": "no role"}]


def options():
    documents = [{"title": "T", "text": "Body ü"}, {"title": "U", "text": "x", "doc_id": 2}]
    yield {"add_generation_prompt": True}
    yield {"add_generation_prompt": False}
    yield {"add_generation_prompt": True, "tools": TOOLS}
    yield {"add_generation_prompt": True, "enable_thinking": False, "thinking": False}
    yield {"add_generation_prompt": True, "enable_thinking": True, "tools": TOOLS[:1], "thinking": True, "reasoning_effort": "high"}
    yield {"add_generation_prompt": False, "documents": documents, "tools": None}
    yield {"add_generation_prompt": True, "tools": [], "documents": [], "custom_tools": TOOLS, "builtin_tools": ["code_interpreter"], "date_string": "1 Jan 2024", "preserve_thinking": True}


def files(path):
    """Names and bytes of the files of a folder or of an archive that may hold templates."""
    wanted = (".jinja", ".jinja2", ".cpp", ".py", "tokenizer_config.json")
    if os.path.isdir(path):
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                full = os.path.join(folder, name)
                if name.endswith(wanted) and os.path.getsize(full) < 2_000_000:
                    with open(full, "rb") as file:
                        yield full, file.read()
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(wanted) and member.size < 2_000_000:
                    yield member.name, archive.extractfile(member).read()


def chat(step, paths):
    sources = []
    for path in paths:
        for name, content in files(path):
            text = content.decode("utf-8", "ignore")
            if name.endswith((".jinja", ".jinja2")):
                sources.append((name, text))
            elif name.endswith("tokenizer_config.json"):
                template = json.loads(text).get("chat_template")
                if isinstance(template, str):
                    sources.append((name, template))
            else:
                sources += [(f"{name}:{number}", found) for number, found in enumerate(embedded(name, text))]
    seen = set()
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    for name, source in sources:
        if source in seen:
            continue
        seen.add(source)
        template = {"template": source}
        cases = [(n, m, i, o) for n, m in enumerate(conversations()) for i, o in enumerate(options())]
        for number, messages, index, option in cases[len(seen) % step::step]:
            variables = {**tokens, "tools": None, "documents": None, "messages": messages, **option}
            outcome = result("chat", source, variables)
            if outcome is not None:
                yield {"name": f"{name} conversation {number} options {index}", "dialect": "chat", **template,
                       "variables": variables, **outcome}
                template = {}


def embedded(file, text):
    """Templates that stand in sources as strings."""
    found = []
    if file.endswith(".cpp"):
        for match in re.finditer(r'"((?:[^"\\\n]|\\.)*)"(?:\s*"((?:[^"\\\n]|\\.)*)")*', text):
            parts = re.findall(r'"((?:[^"\\\n]|\\.)*)"', match.group())
            try:
                found.append("".join(json.loads('"' + part.replace("\\'", "'") + '"') for part in parts))
            except ValueError:
                pass
        found += re.findall(r'R"\w*\((.*?)\)\w*"', text, re.S)
    else:
        try:
            found = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        except (SyntaxError, ValueError):
            pass
    return [text for text in found if "messages" in text and "{%" in text and "endfor" in text]


def fixture():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    import expressions
    cases = []
    shared = []
    for dialect, template, variables in expressions.cases():
        outcome = result(dialect, template, variables)
        assert outcome is not None, template
        if " at 0x" in outcome.get("text", ""):
            # Addresses in memory are others in each run; the module refuses to print any.
            outcome = {"error": "unsupported"}
        if variables not in shared:
            shared.append(variables)
        outcome.pop("message", None)
        cases.append({"dialect": dialect, "template": template, "variables": shared.index(variables), **outcome})
    with open(os.path.join(here, "expected.json"), "w", encoding="utf-8") as f:
        def lines(values):
            return ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)

        f.write('{"variables": [\n' + lines(shared) + '\n],\n"cases": [\n' + lines(cases) + "\n]}\n")
    print(f"{len(cases)} cases")


def main(arguments):
    if arguments[:1] == ["fixture"]:
        return fixture()
    if arguments[:1] == ["fuzz"] and len(arguments) == 3:
        cases = fuzz(arguments[1], int(arguments[2]))
    elif arguments[:1] == ["chat"] and len(arguments) > 2:
        cases = chat(int(arguments[1]), arguments[2:])
    else:
        sys.exit(__doc__)
    for case in cases:
        print(json.dumps(case, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
