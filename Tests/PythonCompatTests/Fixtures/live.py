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
    """What a call gives, behind an equals sign; an exclamation mark if it fails."""
    try:
        return "=" + str(function(*arguments))
    except (ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError, re.error):
        return "!"


# What has something to do with case, words, digits or white space, and what has not.
LETTERS = "aaabbbcABCikKsS01_ -\n\t" + "ßẞſKİıσςΣΐΐµμéÉ" + "٣²\x1c\x85\u00a0\u2028" + "𐐀𐐨𝟘ǅǆﬅﬆ語"


def word(length, letters=LETTERS):
    return "".join(chr_random.choice(letters) for _ in range(chr_random.randrange(length)))


class Patterns:
    """Random patterns that know which groups there are."""

    def __init__(self):
        self.groups = 0

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
            atom += chr_random.choice(["", "", "", "?", "?", "+"])
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
        if choice < 0.75 and self.groups:
            no = chr_random.choice(["", "|" + self.sequence(depth - 1)])
            return "(?(%d)%s%s)" % (chr_random.randrange(1, self.groups + 2), self.sequence(depth - 1), no)
        if choice < 0.86:
            opening = "(" if chr_random.random() < 0.7 else "(?P<g%d>" % (self.groups + 1)
            self.groups += 1
            return opening + self.alternatives(depth - 1) + ")"
        opening = chr_random.choice(
            ["(?:", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:", "(?s-i:", "(?a:", "(?x:", "(?#"])
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
            spans(whole) if whole else "", template, attempt(regex.sub, template, text),
            attempt(regex.split, text))


KINDS = {"patterns": patterns}

if __name__ == "__main__":
    kind, seed, count = sys.argv[1:]
    chr_random = random.Random(int(seed))
    out = []
    KINDS[kind](int(count))
    sys.stdout.buffer.write("".join(line + "\n" for line in out).encode())
