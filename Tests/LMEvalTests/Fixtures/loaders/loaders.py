"""Writes random data files and task files, and what Python reads in them.

Usage: loaders.py FOLDER SEED COUNT
Writes FOLDER/<n>.jsonl, .csv and .yaml, COUNT of each, and FOLDER/expected.json: file -> the repr of what is read, or null
where Python refuses. JSON and CSV are read by pyarrow and pandas, called as the loaders of datasets 5.2 call them; YAML by
PyYAML's CSafeLoader, as lm-eval does.
"""

import io
import json
import random
import sys

import pandas
import pyarrow
import pyarrow.json
import yaml

loads, dumps = pandas.io.json.ujson_loads, pandas.io.json.ujson_dumps


# MARK: what datasets does


def several_shapes(rows):
    """Paths of fields whose mappings have different keys, or that are mappings or lists only in some rows."""
    found, queue = [], [([], [row for row in rows if row is not None])]
    while queue:
        path, values = queue.pop(0)
        if not values:
            continue
        if all(isinstance(value, dict) for value in values):
            if path and (not values[0] or any(value.keys() != values[0].keys() for value in values)):
                found.append(path)
                continue
            for key in {key for value in values for key in value}:
                queue.append((path + [key], [value[key] for value in values if value.get(key) is not None]))
        elif all(isinstance(value, list) for value in values):
            queue.append((path + [0], [item for value in values for item in value if item is not None]))
        elif any(isinstance(value, (dict, list)) for value in values):
            found.append(path)
    return found


def at(value, path, change):
    """The value with what stands at a path changed; missing values stay."""
    if value is None:
        return None
    if not path:
        return change(value)
    if path[0] == 0:
        return [at(item, path[1:], change) for item in value]
    return {**value, path[0]: at(value.get(path[0]), path[1:], change)}


def as_json(value):
    try:
        loads(value)
    except Exception:
        return dumps(value)
    return value


def from_json(value):
    try:
        return loads(value)
    except Exception:
        return value


def read_json(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if data.startswith(b"["):
        data = "\n".join(dumps(row) for row in loads(data)).encode()
    paths = []
    try:
        paths = several_shapes([loads(line) for line in data.splitlines()])
    except ValueError:
        pass
    while True:
        encoded = data
        if paths:
            rows = [loads(line) for line in data.splitlines()]
            if len({path[0] for path in paths} - set(rows[0] or {})) > 1:
                raise ValueError("datasets goes through a set here, so that columns come in another order in each run")
            for path in paths:
                rows = [at(row, path, as_json) for row in rows]
            encoded = "\n".join(dumps(row) for row in rows).encode()
        try:
            options = pyarrow.json.ReadOptions(block_size=max(len(encoded), 1 << 14))
            table = pyarrow.json.read_json(io.BytesIO(encoded), read_options=options)
            break
        except pyarrow.ArrowInvalid as error:
            text = str(error)
            if "JSON parse error: Column(" not in text or ") changed from" not in text:
                raise
            column = text.split("Column(", 1)[1].rsplit(") changed from", 1)[0]
            path = [0 if part == "[]" else part for part in column.removeprefix("/").split("/")]
            if path in paths:
                raise
            paths = [other for other in paths if other[: len(path)] != path] + [path]
    try:
        table.validate()
    except pyarrow.ArrowInvalid:
        # Arrow loses missing values at the beginning of lists.
        rows = [loads(line) for line in encoded.splitlines()]
        if {} in rows:
            raise ValueError("from_pylist would leave empty rows out")
        rows = [pyarrow.Table.from_pylist([row]) for row in rows]
        table = pyarrow.concat_tables(rows, promote_options="default")
    rows = table.to_pylist()
    for path in paths:
        rows = [at(row, path, from_json) for row in rows]
    return rows


def read_csv(data):
    # Numbers as pandas 3 reads them, which pip installs with lm-eval; an older one does that only where it is told to, and
    # takes what is beyond the doubles for a text.
    options = {}
    if pandas.__version__ < "3":
        options["float_precision"] = "round_trip"
        if b"1E400" in data:
            raise ValueError("read in another way by pandas 3")
    reader = pandas.read_csv(io.BytesIO(data), iterator=True, chunksize=10_000, **options)
    return [row for frame in reader for row in pyarrow.Table.from_pandas(frame).to_pylist()]


def read_yaml(data):
    return [printed(yaml.load(io.BytesIO(data), Loader=yaml.CSafeLoader))]


def printed(value):
    """As a task file's values are kept: keys are texts, and what JSON has no like of is a text."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): printed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printed(item) for item in value]
    if isinstance(value, bytes):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def texts_of_large_integers(value):
    if isinstance(value, dict):
        return {key: texts_of_large_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [texts_of_large_integers(item) for item in value]
    return str(value) if type(value) is int and value >= 2**63 else value


# MARK: random files

scalars = {
    "int": [0, 1, -5, 7, 2**53 + 1, 2**62, 10**17],
    "num": [0, 1, 1.5, -2.25, 1e-7, 0.3, 0.1 + 0.2, 1e300, 1e16, 123456789.123456789, -0.0, 1e-15, 5e-324],
    "date": ["2020-01-01", "1969-07-20T20:17:40Z", "2001-12-31 23:59", "1999-02-28T10+02:00", "1600-02-29"],
    "text": ["", "x", "5", "null", "true", "2020-01-01", "é", 'a"b', "[1]", "1.10"],
    "bool": [True, False, None],
    "mix": [1, "x", None, True, 2.5, "5", "null", [1], {"k": 1}, 1.00000000000123],
    "null": [None],
}
rarely = {
    "int": [None, 1.5, 10**25, float("inf")],
    "date": ["2020-13-01", "x", None, "2020-01-01T00:00:00.5", "2020-01-01T24:00:00", "2020-1-1"],
}


def json_value(draw, kind):
    if isinstance(kind, str):
        return draw.choice(rarely[kind] if kind in rarely and draw.random() < 0.03 else scalars[kind])
    shape, inner, drop = kind
    if draw.random() < 0.07:
        return None
    if shape == "list":
        return [json_value(draw, inner) for _ in range(draw.choice([0, 1, 2, 3]))]
    keys = list(inner)
    if draw.random() < 0.1:
        draw.shuffle(keys)
    return {key: json_value(draw, inner[key]) for key in keys if draw.random() >= drop}


def json_kind(draw, depth=0):
    chance = draw.random()
    if depth < 3 and chance < 0.15:
        return ("list", json_kind(draw, depth + 1), 0)
    if depth < 3 and chance < 0.32:
        keys = draw.sample(["x", "y", "zz"], draw.randint(0, 3))
        return ("object", {key: json_kind(draw, depth + 1) for key in keys}, draw.choice([0, 0, 0, 0.3]))
    return draw.choice(["int", "num", "date", "text", "bool", "mix", "null", "int", "date"])


def json_file(draw):
    kinds = {key: json_kind(draw) for key in draw.sample(["a", "b", "q", "é", "", "x y"], draw.randint(1, 4))}
    drop = draw.choice([0, 0, 0.2])
    rows = []
    for _ in range(draw.randint(1, 6)):
        keys = list(kinds)
        if draw.random() < 0.1:
            draw.shuffle(keys)
        rows.append({key: json_value(draw, kinds[key]) for key in keys if draw.random() >= drop})
    if not any(rows):
        rows[0] = {"a": 1}
    ascii = draw.random() < 0.5
    if draw.random() < 0.15:
        return json.dumps(rows, ensure_ascii=ascii)
    end = draw.choice(["\n", "\n", "\n", "\r\n"])
    text = end.join(json.dumps(row, ensure_ascii=ascii) for row in rows) + draw.choice(["", end])
    if draw.random() < 0.08:
        text = text.replace(end, end + end, 1)
    return ("\ufeff" if draw.random() < 0.05 else "") + text


cells = {
    "int": ["0", "1", "-5", "007", "+3", " 4", "12345678901234567"],
    "num": ["1.50", "0.1", "1e3", "-2.5", "3", ".5", "5.", "1e-7", "0.30000000000000004", "123456789.123456789", "1E400",
            "9007199254740993", "2.2250738585072014e-308", "1.7976931348623157e308"],
    "bool": ["true", "False", "TRUE"],
    "null": ["", "NA", "null", "None", "n/a", "NaN", "-nan", "<NA>"],
    "text": ["x", "é", "a b", "q y", "null", "None", "2020-01-01", '"q,r"', '"l\nm"', '"d""q"', '"a"b', 'c"d', "", "N/A",
             "na", "1"],
}
rare_cells = {
    "int": ["", "NA", "1.5", "9223372036854775808", "18446744073709551616", "-9223372036854775809", "x", "1_0"],
    "num": ["", "NaN", "inf", "-Infinity", "x", "1e", "--1"],
    "bool": ["", "NA", "1", "x"],
}


def cell(draw, kind):
    if kind in rare_cells and draw.random() < 0.06:
        return draw.choice(rare_cells[kind])
    if kind == "num" and draw.random() < 0.3:
        number = draw.random()
        return draw.choice([repr(number), "%.20g" % number, "%d.%d" % (draw.getrandbits(40), draw.getrandbits(40))])
    return draw.choice(cells[kind])


def csv_file(draw):
    count = draw.randint(1, 4)
    names = [draw.choice(["a", "b", "c", "", "a", "é", " x"]) for _ in range(count)]
    if count == 1:
        names = ["a"]
    kinds = [draw.choice(["int", "num", "bool", "null", "text", "int", "text"]) for _ in names]
    end = draw.choice(["\n", "\n", "\r\n", "\r"])
    lines = [",".join(names)]
    for _ in range(draw.randint(1, 5)):
        row = [cell(draw, kind) for kind in kinds]
        # pandas goes wrong where only \r ends lines and one begins with a space.
        row[0] = row[0].lstrip()
        lines.append(",".join(row[:-1] if draw.random() < 0.05 and count > 1 else row))
        if draw.random() < 0.05 and end != "\r":
            lines.append(draw.choice(["", " ", "\t "]))
    return end.join(lines) + draw.choice(["", end])


yaml_scalars = (
    "yes No on OFF true y n ~ null 1:30 1:30.5 -1:30 0:30 12:30:45 010 0o10 0x1F 0b101 1_000 1e3 1.0e+3 1.0e3 .5 -.5 1. .inf "
    "-.Inf .NaN +.inf 2020-01-01 2020-1-1 2001-12-14t21:59:43.10-05:00 2020-01-01T00:00:00Z 2020-13-01 12345678901234567890 "
    "-99999999999999999999999 0xFFFFFFFFFFFFFFFFFF 1:30:30:30:30:30:30:30:30:30:30:30 << = 08 0_7 1__0 +1 -0 00 0.0 1e400 "
    "1.0e+400 é 0b_ 0x_ 1_ ._5 1.5_5 Norway"
).split(" ") + [
    "", "2001-12-14 21:59:43.10 -5", "2001-12-15 2:59:43.10", "!!str 5", '!!int "7"', "!!float 1", "!!bool yes", "!!null x",
    "!!binary aGk=", "'q''s'", '"a\\tb\\u00e9"', "a b", "2020-01-01 x", "!!timestamp 2020-01-01",
]


def yaml_scalar(draw):
    if draw.random() < 0.5:
        return draw.choice(yaml_scalars)
    text = "".join(draw.choice("0123456789_:.-+eExXbBoOfFnNaiI ~<=") for _ in range(draw.randint(1, 8))).strip() or "x"
    if text.endswith(":") or ": " in text or (text[0] in "-?:" and text[1:2] in (" ", "")) or text[0] in "!&":
        return "'" + text + "'"
    return text


def yaml_key(draw):
    return draw.choice(["a", "b", "cc", "dd", "'a'", '"cc"', "k1", "key two"])


def yaml_value(draw, depth=0):
    chance = draw.random()
    if depth < 3 and chance < 0.15:
        return "[" + ", ".join(yaml_value(draw, depth + 1) for _ in range(draw.randint(0, 3))) + "]"
    if depth < 3 and chance < 0.3:
        pairs = [f"{yaml_key(draw)}: {yaml_value(draw, depth + 1)}" for _ in range(draw.randint(0, 3))]
        return "{" + ", ".join(pairs) + "}"
    return yaml_scalar(draw)


def yaml_file(draw):
    lines, anchors = [], []
    for number in range(draw.randint(1, 6)):
        chance = draw.random()
        if chance < 0.12:
            anchors.append(f"m{number}")
            pairs = [f"{yaml_key(draw)}: {yaml_value(draw, 2)}" for _ in range(draw.randint(0, 3))]
            lines.append(f"z{number}: &m{number} " + "{" + ", ".join(pairs) + "}")
        elif chance < 0.25 and anchors:
            names = ["*" + draw.choice(anchors) for _ in range(draw.randint(1, 3))]
            lines.append("<<: " + (names[0] if draw.random() < 0.5 else "[" + ", ".join(names) + "]"))
        elif chance < 0.35:
            lines.append(f"{yaml_key(draw)}:")
            lines += [f"  - {yaml_value(draw, 1)}" for _ in range(draw.randint(1, 3))]
        elif chance < 0.45:
            lines.append(f"{yaml_key(draw)}:")
            lines += [f"  {yaml_key(draw)}: {yaml_value(draw, 1)}" for _ in range(draw.randint(1, 3))]
        elif chance < 0.5:
            lines += [f"{yaml_key(draw)}: {draw.choice(['|', '>', '|-', '>+'])}", "  one", "   two", "", "  three"]
        elif chance < 0.55:
            lines.append(f"o{number}: !!omap [{yaml_key(draw)}: 1, {yaml_key(draw)}: x]")
        else:
            lines.append(f"{yaml_key(draw)}: {yaml_value(draw)}")
        if draw.random() < 0.02:
            lines.append("\tx: 1")
    text = "".join(line + end for end in [draw.choice(["\n", "\n", "\r\n", "\r"])] for line in lines)
    return ("\ufeff" if draw.random() < 0.1 else "") + text


def main():
    folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(seed)
    expected = {}
    for kind, make, read in [
        ("jsonl", json_file, read_json), ("csv", csv_file, read_csv), ("yaml", yaml_file, read_yaml)
    ]:
        for number in range(count):
            name = f"{number}.{kind}"
            data = make(draw).encode()
            if kind == "yaml" and draw.random() < 0.05:
                data = data.decode("utf-8-sig").encode("utf-16")
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
            try:
                expected[name] = repr(texts_of_large_integers(read(data)))
            except Exception:
                expected[name] = None
    with open(f"{folder}/expected.json", "w") as file:
        json.dump(expected, file)


if __name__ == "__main__":
    main()
