"""Prints Sources/PythonCompat/HTMLEntities.swift: the named characters that Python's html.unescape knows."""

from html.entities import html5

entries = []
for name in sorted(html5):
    if name.endswith(";"):
        mark = "," if name[:-1] in html5 else ";"
        entries.append(name[:-1] + mark + "+".join("%x" % ord(character) for character in html5[name]))

lines = [""]
for entry in entries:
    if len(lines[-1]) + len(entry) > 108:
        lines.append("")
    lines[-1] += (" " if lines[-1] else "") + entry

print('''/// The named characters of HTML 5, for `html.unescape`; Tests/PythonCompatTests/Fixtures/entities.py prints this file.
///
/// A comma in place of the semicolon: the name also stands without one.
enum HTMLEntities {
    static let table = """''')
for line in lines:
    print("        " + line)
print('        """\n}')
