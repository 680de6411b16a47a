"""Writes data/*.txt: the tables of langdetect 1.0.9 and of NLTK's English Punkt model, one kind of thing a line.

Run: <python with langdetect> language_data.py FOLDER
FOLDER keeps the wheel llama-index-core, which has NLTK's punkt_tab in it; it is downloaded if it is not there.
"""

import glob
import json
import os
import subprocess
import sys
import zipfile

import langdetect
from langdetect.utils.ngram import NGram

HERE = os.path.dirname(os.path.abspath(__file__))
PUNKT = "llama_index/core/_static/nltk_cache/tokenizers/punkt_tab/english/"


def write(name, lines):
    with open(os.path.join(HERE, "data", name), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def profiles():
    """A language, how many n-grams of each length it had, and for each length the n-grams without anything between
    them and how much larger the count of each is than the one before it."""
    folder = os.path.join(os.path.dirname(langdetect.__file__), "profiles")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            profile = json.load(file)
        fields = [profile["name"], " ".join(map(str, profile["n_words"]))]
        assert all(1 <= len(gram) <= 3 for gram in profile["freq"])
        for length in 1, 2, 3:
            grams = sorted((count, gram) for gram, count in profile["freq"].items() if len(gram) == length)
            assert not any("\t" in gram or "\n" in gram for _, gram in grams)
            counts = [0] + [count for count, _ in grams]
            fields.append("".join(gram for _, gram in grams))
            fields.append(" ".join(str(b - a) for a, b in zip(counts, counts[1:])))
        yield "\t".join(fields)


def characters():
    """Vietnamese letters, marks, and for each mark the letters with it; then Chinese characters that count as the
    first in their line."""
    yield "\t".join([NGram.TO_NORMALIZE_VI_CHARS, NGram.DMARK_CLASS, *NGram.NORMALIZED_VI_CHARS])
    seen = set()
    for characters in NGram.CJK_CLASS:
        assert not seen & set(characters)
        seen |= set(characters)
        yield characters


def punkt(folder):
    """Abbreviations, collocations, words that begin sentences, then words by their orthographic contexts."""
    wheels = glob.glob(os.path.join(folder, "llama_index_core-*.whl"))
    if not wheels:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "llama-index-core"]
        subprocess.run(command, check=True)
        wheels = glob.glob(os.path.join(folder, "llama_index_core-*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:

        def lines(name):
            return wheel.read(PUNKT + name).decode().removesuffix("\n").split("\n")

        yield "\t".join(sorted(lines("abbrev_types.txt")))
        pairs = [line.split("\t") for line in sorted(lines("collocations.tab"))]
        assert all(len(pair) == 2 and " " not in "".join(pair) for pair in pairs)
        yield "\t".join(" ".join(pair) for pair in pairs)
        yield "\t".join(sorted(lines("sent_starters.txt")))
        contexts = {}
        for line in lines("ortho_context.tab"):
            word, context = line.split("\t")
            contexts.setdefault(int(context), []).append(word)
        for context in sorted(contexts):
            yield "\t".join([str(context), *sorted(contexts[context])])


if __name__ == "__main__":
    os.makedirs(os.path.join(HERE, "data"), exist_ok=True)
    write("langdetect-profiles.txt", profiles())
    write("langdetect-characters.txt", characters())
    write("punkt-english.txt", punkt(sys.argv[1]))
