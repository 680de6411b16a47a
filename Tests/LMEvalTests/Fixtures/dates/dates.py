"""Prints random templates over two dates, and what Jinja2 gives for them, as JSON.

    python3 dates.py SEED COUNT

Needs the PyPI package jinja2. Each case is [d, e, template, text]; the text is null where Jinja2 has an error.
"""

import datetime
import json
import random
import sys

import jinja2

DIRECTIVES = "aAbBcdCDeFfgGhHIjklmMnpPrRStTuUVwWxXyYzZ%"
NUMBERS = "dCeGgHIjklmMSuUVwWyY"
ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined)
ATTRIBUTES = ["year", "month", "day", "hour", "minute", "second", "microsecond", "fold", "nothing"]
CALLS = ["isoformat()", "isoformat(' ')", "weekday()", "isoweekday()", "toordinal()", "ctime()", "date()", "weekday(1)"]
OTHERS = [
    "{{ d < e }}", "{{ d >= e }}", "{{ d == e }}", "{{ d != e }}", "{{ [d, e]|sort }}", "{{ [d, e, d]|unique|list }}",
    "{{ {d: 1}[e]|default(2) }}", "{{ [d, e]|max }}", "{{ d|string|length }}", "{{ '%s and %r'|format(d, e) }}",
    "{{ '{:%d.%m.%Y} {!r:>60}'.format(d, e) }}", "{{ '{:>5}'.format(d) }}", "{{ d is sameas d }}", "{{ d|upper }}",
    "{{ [{'a': d}, {'a': e}]|groupby('a')|map(attribute='grouper')|join(', ') }}", "{{ d in [e, d] }}", "{{ d and 1 }}",
]  # fmt: skip


def day(rng):
    year = rng.choice([rng.randrange(1, 10000), rng.randrange(1900, 2100)])
    date = datetime.date(year, 1, 1) + datetime.timedelta(days=rng.randrange(365))
    kind = rng.randrange(4)
    if kind == 0:
        return date
    time = datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60), rng.choice([0, rng.randrange(1000000)]))
    zone = datetime.timezone(datetime.timedelta(minutes=rng.choice([0, rng.randrange(-720, 720)]))) if kind == 3 else None
    return datetime.datetime.combine(date, time, zone)


def template(rng):
    kind = rng.randrange(4)
    if kind == 0:
        parts = []
        for _ in range(rng.randrange(1, 5)):
            directive = rng.choice(DIRECTIVES)
            parts.append("%" + rng.choice(["", "", "-", "_", "0"] if directive in NUMBERS else ["", "^"]) + directive)
            if parts[-1] in ["%^f", "%^z", "%^Z", "%^p"]:
                parts[-1] = parts[-1].replace("^", "")
        return "{{ d.strftime(%r) }}" % "é ".join(parts)
    if kind == 1:
        return "{{ d.%s }}" % rng.choice(ATTRIBUTES)
    if kind == 2:
        return "{{ d.%s }}" % rng.choice(CALLS)
    return rng.choice(OTHERS)


def main(seed, count):
    rng = random.Random(seed)
    cases = []
    for _ in range(count):
        d, text = day(rng), template(rng)
        e = d if rng.randrange(4) == 0 else day(rng)
        try:
            found = ENVIRONMENT.from_string(text).render(d=d, e=e)
        except Exception:
            found = None
        cases.append([str(d), str(e), text, found])
    print(json.dumps(cases))


main(int(sys.argv[1]), int(sys.argv[2]))
