"""Writes what CPython knows of each code point: the tables of the module and what its tests compare.

    python3.11 Tests/PythonCompatTests/Fixtures/characters.py

CharacterData.swift (in Sources/PythonCompat) has records of properties, as runs over the code points. characters.txt
(beside this file) has the answers of CPython's functions, asked one by one. The version of Python that writes them is
the one that Assay is equal to.
"""

import _sre
import itertools
import os
import sys
import textwrap
import unicodedata
from re import _casefix

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "..", "..", "Sources", "PythonCompat")
POINTS = range(0x110000)
VERSION = "%d.%d" % sys.version_info[:2]

# In the order of their bits; CharacterTable.swift has the same.
PREDICATES = {
    "isalpha": str.isalpha,
    "isdecimal": str.isdecimal,
    "isdigit": str.isdigit,
    "isnumeric": str.isnumeric,
    "isspace": str.isspace,
    "isupper": str.isupper,
    "islower": str.islower,
    "isprintable": str.isprintable,
    "isidentifier": str.isidentifier,
    "continues an identifier": lambda c: ("a" + c).isidentifier(),
    "ends a line": lambda c: ("a" + c + "b").splitlines() != ["a" + c + "b"],
}
MAPPINGS = {"lower": str.lower, "upper": str.upper, "title": str.title, "casefold": str.casefold}
CATEGORIES = sorted({unicodedata.category(chr(point)) for point in POINTS})


def is_title(c):
    """An upper-case letter is in title case, too; what is meant is neither."""
    return c.istitle() and not c.isupper()


def is_cased(c):
    return (c + "A").title().endswith("a")


def is_ignorable(c):
    """A final sigma is looked for over such characters."""
    return ("A" + c + "\u03a3").lower().endswith("\u03c2") and not ("1" + c + "\u03a3").lower().endswith("\u03c2")


FLAGS = [
    *PREDICATES.values(),
    is_title,
    is_cased,
    is_ignorable,
    lambda c: bool(_sre.unicode_iscased(ord(c))),
]


def record(point):
    """Flags, category and decimal digit, then what is added for the lower, upper, title and folded forms."""
    c = chr(point)
    flags = sum(flag(c) << bit for bit, flag in enumerate(FLAGS))
    simple = chr(_sre.unicode_tolower(point))
    single = simple == c.lower()
    deltas = [ord(simple) - point]
    for mapping in (str.upper, str.title, str.casefold):
        mapped = mapping(c)
        single = single and len(mapped) == 1
        deltas.append(ord(mapped) - point if len(mapped) == 1 else 0)
    flags |= (not single) << len(FLAGS)
    flags |= CATEGORIES.index(unicodedata.category(c)) << 16
    flags |= unicodedata.decimal(c, 0) << 24
    assert c.isalnum() == (c.isalpha() or c.isdecimal() or c.isdigit() or c.isnumeric())
    return (flags, *deltas)


def wrapped(words):
    return textwrap.indent(textwrap.fill(" ".join(map(str, words)), 110), "        ")


def write_tables():
    numbers = {}
    runs = []
    specials = []
    for value, points in itertools.groupby(POINTS, record):
        points = list(points)
        runs += [len(points), numbers.setdefault(value, len(numbers))]
        if value[0] >> len(FLAGS) & 1:
            for point in points:
                specials.append(point)
                for mapping in MAPPINGS.values():
                    mapped = mapping(chr(point))
                    specials += [len(mapped), *map(ord, mapped)]
    extras = [word for lower, others in _casefix._EXTRA_CASES.items() for word in (lower, len(others), *others)]
    records = "\n".join("        " + " ".join(map(str, value)) for value in numbers)
    with open(os.path.join(SOURCES, "CharacterData.swift"), "w", encoding="utf-8") as file:
        file.write(f'''\
// Tests/PythonCompatTests/Fixtures/characters.py wrote this file; change it there.

/// What CPython {VERSION} (Unicode {unicodedata.unidata_version}) knows of each code point, as numbers that CharacterTable reads.
enum CharacterData {{
    /// The version of CPython whose answers these are.
    static let python = "{VERSION}"
    /// The version of Unicode that it has.
    static let unicode = "{unicodedata.unidata_version}"
    /// The general categories, in the order of their numbers.
    static let categories = "{" ".join(CATEGORIES)}"

    /// One record a line: flags, then what is added to a code point for its lower, upper, title and folded form.
    static let records = """
{records}
        """

    /// How many code points, and the number of their record, from 0 on.
    static let runs = """
{wrapped(runs)}
        """

    /// Code points with forms of several code points: for each form its length, then its code points.
    static let specials = """
{wrapped(specials)}
        """

    /// `re._casefix._EXTRA_CASES`: a lower-case code point, how many have the same upper case, then those.
    static let extraCases = """
{wrapped(extras)}
        """
}}
''')


def answers(point):
    c = chr(point)
    text = "".join("01"[predicate(c)] for predicate in PREDICATES.values()) + "01"[c.istitle()] + unicodedata.category(c)
    mapped = [mapping(c) for mapping in MAPPINGS.values()]
    lower = _sre.unicode_tolower(point)
    if any(form != c for form in mapped) or lower != point:
        forms = [*([ord(d) for d in form] for form in mapped), [lower]]
        return text + " " + " ".join(".".join(format(d, "x") for d in form) for form in forms)
    return text


def write_answers():
    with open(os.path.join(HERE, "characters.txt"), "w", encoding="utf-8") as file:
        file.write(f"CPython {VERSION}, Unicode {unicodedata.unidata_version}: first, last, {' '.join(PREDICATES)}, istitle "
                   f"and category; {' '.join(MAPPINGS)} and the lower case of re, unless the code point is all of these\n")
        points = (point for point in POINTS if not 0xD800 <= point < 0xE000)
        start = 0
        for value, run in itertools.groupby(points, answers):
            run = list(run)
            if run[-1] - run[0] + 1 == len(run):
                file.write(f"{run[0]:x} {run[-1]:x} {value}\n")
            else:
                file.write(f"{run[0]:x} {0xD7FF:x} {value}\n{0xE000:x} {run[-1]:x} {value}\n")


if __name__ == "__main__":
    write_tables()
    write_answers()
