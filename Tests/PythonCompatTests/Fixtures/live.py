"""Asks CPython for what Swift has to answer, too.

    python3.11 live.py KIND SEED COUNT

Prints one case a line: fields with tabs between them, in which a backslash, a tab and line ends are escaped.
"""

import ast
import random
import re
import struct
import sys
import unicodedata
import warnings

warnings.simplefilter("ignore")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def put(*fields):
    out.append("\t".join(str(field).translate(ESCAPES) for field in fields))


def attempt(function, *arguments):
    """What a call gives, after an equals sign; an exclamation mark if it fails."""
    try:
        return "=" + str(function(*arguments))
    except (ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError, re.error):
        return "!"


# What has something to do with case, words, digits or white space, and what has not.
LETTERS = "aaabbbcABCikKsS01_ -\n\t" + "ßẞſKİıσςΣΐΐµμéÉ" + "٣²\x1c\x85\u00a0\u2028" + "𐐀𐐨𝟘ǅǆﬅﬆ語"


def word(length, letters=LETTERS):
    return "".join(chr_random.choice(letters) for _ in range(chr_random.randrange(length)))


class Patterns:
    """Random patterns that know which groups there are.

    Not asked is what CPython 3.11 gets wrong: groups that a failed attempt leaves set, which it sees in conditions on a group
    that is still open and in possessive repetition, and the search for a class at the beginning of (?a:...), which has the
    flags from outside."""

    def __init__(self):
        self.groups = 0
        self.closed = []

    def pattern(self):
        flags = chr_random.choice(["", "", "(?i)", "(?i)", "(?s)", "(?m)", "(?a)", "(?ai)", "(?x)", "(?im)"])
        text = flags + self.alternatives(3)
        if chr_random.random() < 0.06:
            place = chr_random.randrange(len(text) + 1)
            text = text[:place] + chr_random.choice("()[]{}*+?|\\^$-,:<=!P>#1") + text[place + chr_random.randrange(2):]
        return text

    def alternatives(self, depth):
        count = chr_random.choice([1, 1, 1, 2, 2, 3])
        return "|".join(self.sequence(depth) for _ in range(count))

    def sequence(self, depth):
        return "".join(self.repeated(depth) for _ in range(chr_random.choice([0, 1, 1, 2, 2, 3])))

    def repeated(self, depth):
        atom = self.atom(depth)
        if chr_random.random() < 0.35:
            atom += chr_random.choice(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{,2}", "{1,}", "{,}", "{0}", "{3}", "{2,4}"] * 3 + ["{2,1}"])
            atom += chr_random.choice(["", "", "", "?", "?", "" if re.search(r"\((?!\?)|\?P<", atom) else "+"])
        return atom

    def literal(self):
        return re.escape(chr_random.choice(LETTERS))

    def member(self):
        choice = chr_random.random()
        if choice < 0.2:
            return chr_random.choice([r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\n", r"\x41", r"\u0131", r"\b", r"\101"])
        low = chr_random.choice(LETTERS)
        if choice < 0.4:
            high = chr_random.choice(LETTERS)
            return re.escape(min(low, high)) + "-" + re.escape(max(low, high))
        return re.escape(low)

    def atom(self, depth):
        choice = chr_random.random()
        if depth == 0 or choice < 0.4:
            return self.literal()
        if choice < 0.48:
            return chr_random.choice([".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"])
        if choice < 0.56:
            return chr_random.choice(["^", "$", r"\A", r"\Z", r"\b", r"\B"])
        if choice < 0.66:
            members = "".join(self.member() for _ in range(chr_random.randrange(1, 4)))
            return "[" + chr_random.choice(["", "", "^"]) + members + "]"
        if choice < 0.70 and self.groups:
            return "\\" + str(chr_random.randrange(1, self.groups + 1))
        if choice < 0.72 and self.groups:
            return "(?P=g%d)" % chr_random.randrange(1, self.groups + 1)
        if choice < 0.75 and self.closed:
            no = chr_random.choice(["", "|" + self.sequence(depth - 1)])
            return "(?(%d)%s%s)" % (chr_random.choice(self.closed), self.sequence(depth - 1), no)
        if choice < 0.86:
            opening = "(" if chr_random.random() < 0.7 else "(?P<g%d>" % (self.groups + 1)
            self.groups += 1
            number = self.groups
            inside = self.alternatives(depth - 1)
            self.closed.append(number)
            return opening + inside + ")"
        opening = chr_random.choice(
            ["(?:", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?s-i:", "(?x:", "(?#"])
        return opening + self.alternatives(depth - 1) + ")"


def spans(match):
    return " ".join("-" if start < 0 else f"{start}.{end}" for start, end in match.regs)


def patterns(count):
    for _ in range(count):
        pattern, text = Patterns().pattern(), word(14)
        try:
            regex = re.compile(pattern)
        except (re.error, OverflowError, RecursionError, ValueError, IndexError):
            put(pattern, text, "!")
            continue
        first, whole = regex.match(text), regex.fullmatch(text)
        template = chr_random.choice(["<\\g<0>>", "", "\\\\n\\n", "[\\1]", "\\g<1>-", "\\012\\x", "é\\."])
        put(pattern, text, ";".join(spans(match) for match in regex.finditer(text)), spans(first) if first else "",
            spans(whole) if whole else "", *([template, attempt(regex.sub, template, text), attempt(regex.split, text)]
                                             if chr_random.random() < 0.25 else []))


CLASSES = [
    r"(?i)[^\W\d_]", r"(?i)[k-t\u0130-\u0131\U00010400-\U00010410]", r"(?i)[^a-\u03c3\W]",
    r"(?ai)[k-t\u0130-\u0131]", r"(?i)[^s\u1e9e]", r"(?a)\w", r"(?a)\d", r"(?a)\s", r"(?a)\W", r"\W\w",
]


def characters(_):
    """Every code point: which are of a class or kind, then what others are or match."""
    everything = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
    assigned = "".join(c for c in everything if unicodedata.category(c) not in ("Cn", "Co"))

    def runs(pattern, text):
        return " ".join("%x-%x" % match.span() for match in re.finditer(pattern + "+", text))

    for pattern in r"\w", r"\d", r"\s":
        put("class", pattern, runs(pattern, everything))
    put("assigned", assigned)
    for pattern in CLASSES:
        put("class", pattern, runs(pattern, assigned))
    put("split", " ".join(str(len(part)) for part in everything.split()))
    put("lines", " ".join(str(len(line)) for line in everything.splitlines()))
    put("strip", "".join(c for c in everything if (c + "x" + c).strip() == "x"))
    put("int", "".join(c for c in everything if attempt(int, c) != "!"))
    put("int inside", "".join(c for c in assigned if attempt(int, "1" + c + "1") != "!"))
    put("float", "".join(c for c in assigned if attempt(float, c + "1.5" + c) != "!"))
    for start in range(0, len(everything), 4096):
        text = everything[start:start + 4096]
        put("repr", start, repr(text))
        put("swapcase", start, "" if text.swapcase() == text else text.swapcase())
    put("digits", "".join(str(int(c)) for c in everything if c.isdecimal()))


def cases(_):
    """Every letter that has another case: which ones it matches, and for some of them which a class with it does."""
    cased = "".join(c for c in map(chr, range(0x110000)) if c.lower() != c or c.upper() != c)
    put("cased", cased)
    for c in cased:
        members = ["".join(re.findall(f"(?i)[{c}\0]", cased))] if chr_random.random() < 0.2 else []
        put("(?i)", c, "".join(re.findall("(?i)" + c, cased)), *members)


def numeral():
    """What looks like a number, more or less."""
    text = "".join(chr_random.choice("0011259" * 4 + "__..eE+-٣𝟘") for _ in range(chr_random.randrange(1, 7)))
    edge = [""] * 18 + [" ", "\n", "\u3000", "\x1c", "x", "0x", "0b", "0o", "-", "inf", "nan", "Infinity", "j"]
    return chr_random.choice(edge) + text + chr_random.choice(edge)


def texts(count):
    for _ in range(count):
        text, characters, width = word(10), word(4), chr_random.randrange(-2, 14)
        part = word(3) or "a"
        put(text, characters, width, part, text.lower(), text.upper(), text.title(), text.capitalize(), text.casefold(),
            text.swapcase(), text.strip(), text.lstrip(), text.rstrip(), text.strip(characters),
            text.lstrip(characters), text.rstrip(characters), text.split(), text.splitlines(), text.splitlines(True),
            text.expandtabs(width), text.zfill(width), text.center(width, "é"), text.ljust(width), text.rjust(width),
            repr(text), ascii(text), text.split(part), text.replace(part, "<>"), text.count(part),
            "".join("01"[holds(text)] for holds in (
                str.isalpha, str.isdecimal, str.isdigit, str.isnumeric, str.isalnum, str.isspace, str.isupper,
                str.islower, str.istitle, str.isidentifier, str.isprintable, str.isascii)),
            re.escape(text))


def narrow(*arguments):
    """int(), as far as 64 bits go."""
    result = int(*arguments)
    if not -2**63 <= result < 2**63:
        raise ValueError
    return result


def numerals(count):
    for _ in range(count):
        text, base = numeral(), chr_random.choice([0, 2, 8, 10, 16, 36])
        put(text, base, attempt(narrow, text), attempt(narrow, text, base), attempt(lambda: repr(float(text))))


def number():
    choice = chr_random.random()
    if choice < 0.3:
        return struct.unpack("<d", chr_random.randbytes(8))[0]
    if choice < 0.5:
        return round(chr_random.uniform(-1000, 1000), chr_random.randrange(6))
    if choice < 0.6:
        return chr_random.choice([-1, 1]) * 2.0 ** chr_random.randrange(-1074, 1024)
    if choice < 0.8:
        return float("%d.%de%d" % (chr_random.randrange(100), chr_random.randrange(1000), chr_random.randrange(-25, 25)))
    if choice < 0.95:
        return chr_random.randrange(-1000, 1000) / 2 ** chr_random.randrange(8)
    return chr_random.choice([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1e16, 1e15, 5e-324, 0.1, 2.5, 1e23])


def bits(value):
    return struct.pack(">d", value).hex()


def whole():
    return chr_random.choice([chr_random.randrange(-100, 100), chr_random.randrange(-2**63, 2**63)])


def value():
    choice = chr_random.random()
    if choice < 0.5:
        result = number()
        return result, "f" + bits(result)
    if choice < 0.8:
        result = whole()
        return result, "i%d" % result
    if choice < 0.95:
        result = word(6)
        return result, "s" + result
    result = chr_random.choice([True, False, None])
    return result, "b%d" % result if result is not None else "n"


def in_64_bits(given):
    return given if -(2**63) <= given < 2**63 else ""


def numbers(count):
    for _ in range(count):
        given, digits, integer = number(), chr_random.randrange(-12, 20), whole()
        put(bits(given), digits, integer, repr(given), attempt(lambda: bits(round(given, digits))),
            attempt(lambda: in_64_bits(round(given))), attempt(lambda: in_64_bits(round(integer, digits))))


def specification():
    pick = chr_random.choice
    align = pick(["", "", "", "<", ">", "^", "=", "é<", "*^", "0>", "0="])
    return (align + pick(["", "", "+", "-", " "]) + pick([""] * 8 + ["z"]) + pick(["", "", "", "#"])
            + pick(["", "", "0"]) + pick(["", "", "5", "12", "30"]) + pick(["", "", "", ",", "_"])
            + pick(["", "", ".0", ".1", ".2", ".5", ".17", ".40"]) + pick(["", *"defgsxncobXEFG%", *"ddffggs", "q"]))


def formats(count):
    for _ in range(count):
        given, code = value()
        spec = specification()
        percent = ("%" + chr_random.choice(["", "", "-", "0", "+", " ", "#", "0#", "-+", " 0"])
                   + chr_random.choice(["", "", "4", "15"]) + chr_random.choice(["", "", ".0", ".3", ".20", "."])
                   + chr_random.choice(list("ddfffegsrxXoiucaEGq%")) + chr_random.choice(["", " é", "%%"]))
        template = "".join(chr_random.choice(
            ["{}", "{0}", "{1}", "{x}", "{:5}", "{0!r}", "{!s:>6}", "{x:{y}}", "{{", "}}", "é", "{", "}", "{0[0]}", "{y[1]}",
             "{x!a}", "{:{}}", "{2}"]) for _ in range(chr_random.randrange(1, 4)))
        text = word(4)
        put(code, spec, attempt(format, given, spec), percent, attempt(lambda: percent % (given,)), template, text,
            attempt(lambda: template.format(given, text, x=given, y=5)))


def canonical(given):
    """As repr, but sets in order; fails for what Swift has no value for."""
    if isinstance(given, int) and not -2**63 <= given < 2**63 or given is Ellipsis:
        raise NotImplementedError
    if isinstance(given, str):
        given.encode()
    if isinstance(given, list):
        return "[" + ", ".join(map(canonical, given)) + "]"
    if isinstance(given, tuple):
        return "(" + ", ".join(map(canonical, given)) + ("," if len(given) == 1 else "") + ")"
    if isinstance(given, set):
        return "{" + ", ".join(sorted(map(canonical, given))) + "}" if given else "set()"
    if isinstance(given, dict):
        return "{" + ", ".join(canonical(key) + ": " + canonical(item) for key, item in given.items()) + "}"
    return repr(given)


def space(inside=True):
    return chr_random.choice(["", "", "", " ", "  ", "\t"] + (["\n", " # é\n", "\\\n", "\r\n", "\f"] if inside else []))


def string_literal():
    mark = chr_random.choice(["'", '"', "\'\'\'", '"""'])
    body = "".join(chr_random.choice(
        [*"abcé \t語", "\n", "'", '"', "\\", r"\n", r"\t", r"\\", r"\'", r'\"', r"\x41", r"\xe9", r"\x4", r"\u00e9",
         r"\U0001f600", r"\101", r"\0", r"\777", r"\q", r"\ud800", "\\\n",
         r"\a", r"\8", "#", "\r"] + ["a", "b", "c"] * 12)
        for _ in range(chr_random.randrange(5)))
    return chr_random.choice([""] * 8 + ["b", "r", "u", "R", "B", "br", "Rb", "f", "ub"]) + mark + body + mark


def literal(depth):
    choice = chr_random.random()
    if depth == 0 or choice < 0.3:
        return chr_random.choice(["", "", "", "-", "+", "- ", "--"]) + chr_random.choice(
            ["0", "1", "12", "00", "007", "1_000", "1__0", "1_", "0x1F", "0o17", "0b101", "0xg", "1.", ".5", "1.5e3", "1e5",
             "1e400", "1E-5", "2j", "1.5J", "1+2j", "1 - 2j", "3+4", "07.5", "09j", "1e", "1e+", "9223372036854775808",
             "99999999999999999999", "1a", "(1)", "(-1)", "(1+2j)"])
    if choice < 0.4:
        return chr_random.choice(["True", "False", "None", "set()", "set( )", "...", "a", "nan", "true", "Noneé"])
    if choice < 0.6:
        return space().join(string_literal() for _ in range(chr_random.choice([1, 1, 1, 2, 3])))
    items = [literal(depth - 1) for _ in range(chr_random.randrange(4))]
    comma = lambda: space() + chr_random.choice([","] * 20 + ["", ";", ",,"]) + space()
    if choice < 0.7:
        opening, closing = "{", "}"
        items = [item + space() + ":" + space() + literal(depth - 1) for item in items]
    else:
        opening, closing = chr_random.choice(["[]", "[]", "()", "()", "{}"])
    text = "".join(item + comma() for item in items[:-1]) + "".join(items[-1:])
    return opening + space() + text + chr_random.choice(["", "", "", comma()]) + space() + closing


def literals(count):
    for _ in range(count):
        text = space(False) + literal(3) + space()
        if chr_random.random() < 0.05:
            text += chr_random.choice([",", ", 1", " 1", "\n1", "\n # é", "\n ", "]", "\\", "\u00a0"])
        try:
            result = "=" + canonical(ast.literal_eval(text))
        except (NotImplementedError, UnicodeEncodeError):
            result = "?"
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            result = "!"
        put(text, result)


KINDS = {
    "characters": characters, "cases": cases, "patterns": patterns, "texts": texts, "numerals": numerals, "numbers": numbers,
    "formats": formats, "literals": literals,
}

if __name__ == "__main__":
    kind, seed, count = sys.argv[1:]
    chr_random = random.Random(int(seed))
    out = []
    KINDS[kind](int(count))
    sys.stdout.buffer.write("".join(line + "\n" for line in out).encode())
