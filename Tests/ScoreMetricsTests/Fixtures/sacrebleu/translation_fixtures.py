"""Writes translation.json: what sacrebleu 2.6.0 gives for sentences and corpora, called as lm-eval 0.4.13 does.

    python3 translation_fixtures.py > translation.json

With a seed and a number it writes so many random samples and no corpora instead: more than one wants to keep.
"""

import json
import logging
import random
import sys

import sacrebleu
from sacrebleu.metrics import BLEU, TER

logging.disable(logging.WARNING)
assert sacrebleu.__version__ == "2.6.0"

# Tokens, numbers and entities: (hypothesis, references...).
MARKS = [
    ("Hello, world!", "Hello world !"),
    ("It costs $3.50, or 3,50 EUR.", "It costs 3.50 $ , or 3,50 EUR ."),
    ("1.000.000,00 - 5-6 a-b 7-x", "1.000.000 , 00 - 5 - 6 a-b 7 -x"),
    ("1..2 1.,.2 ..5 5.. .,.,. a..b a.,b", "1 . . 2 1 . , .2 . .5 5 . . a . . b"),
    ("...", "… . . ."),
    ("a.b,c a. b. .c ,d e,", "a . b , c a. b . .c , d e ,"),
    ("wait...what?!", "wait ... what ?!"),
    ("3.14.15 v1.2.3-beta 10-20-30", "3.14.15 v1.2.3 - beta 10 - 20 - 30"),
    ("٣.١٤ १,२ １.５ ²,³", "٣ . ١٤ १ , २ １ . ５ ² , ³"),
    ("\u00a0.\u3000,\u2003.5 5.\u2028x", ". , .5 5 . x"),
    ("don't 'quote' \u2019tis it's dogs'", "do n't ' quote ' tis it 's dogs '"),
    ("a_b c@d.e f/g h\\i [j] {k} <l> ~m` ^n| #o %p &q *r +s =t", "a b c d e f g h i j k l m n o p q r s t"),
    ("R&amp;D &lt;b&gt; &quot;x&quot; &apos;", "R&D <b> \"x\" &apos;"),
    ("&amp;lt; &amp;amp;quot; &amp;quot; &ampamp; &am&amp;p; &;", "< &quot; &quot; & &"),
    ("<skipped>a<skip<skipped>ped>b", "a < skipped > b"),
    ("hyphen-\nated line-<skipped>\nbreak &qu-\not; -\n", "hyphenated linebreak \" -"),
    ("over\nlines\r\nand\ttabs\x0b\x0c", "over lines and tabs"),
    ("trailing-\n \t", "trailing-"),
    ("trailing space   ", "   leading space"),
    ("a\x1cb\x1dc\x1ed\x1fe\x85f\u200bg\ufeffh", "a b c d e f g h"),
    ("nul\x00byte \x01\x02 \x7f del", "nul byte \x01 del"),
    ("(hi) \"hi\" hi! !hi !hi! !! ! ?", "( hi ) \" hi \" hi ! ! hi ! hi !"),
    ("-1 --1 1-1 1--1 -", "- 1 - - 1 1 - 1 1 - - 1"),
    ("$5,000.00", "$ 5,000.00"), ("5,.5", "5 , .5"), ("5.,5", "5 . ,5"), (".5.", ". 5 ."), ("x,5", "x , 5"),
]

EMPTY = [
    ("", ""), ("", "a reference"), ("a hypothesis", ""), (" \n\t\u3000", "\u2028"), ("\u00a0", "a"), ("a", "\x1c"),
    ("", "", ""), ("a b c", "", "a b"), ("", "a", "b c"), ("a", "a"), ("a b", "a b"), ("a b c", "a b c"),
    ("a b c d", "a b c d"), ("a b c d", "a b d c"), (".", "."), ("x", "y"),
]

# Case: final sigma, dotted I, letters whose lower case is longer, letters after Unicode 14.
CASE = [
    ("ΟΔΟΣ ΟΔΟΣ. ΟΔΟΣΑ Σ ΑΣ' ΣΑΣ-ΣΑΣ", "οδος οδος. οδοσα σ ας' σας-σας"),
    ("ΑΣ\u0301 Α\u0301Σ ΑΣ\u00adΑ ΑΣ\u00ad :Σ Α:Σ ΑΣ:Α ΑΣ1 1Σ", "ας\u0301 α\u0301ς ας\u00ada"),
    ("İSTANBUL I ı İ", "i\u0307stanbul i ı i\u0307"),
    ("STRASSE STRAẞE ǅ Ǆ ǆ ΐ ﬁ Ω K Å", "strasse straße ǆ ǆ ǆ ΐ fi ω k å"),
    ("ÀÉÎ Ж Ա Ⴀ Ꭰ Ⅷ Ⓐ 𐐀 𞤀 Ɡ", "àéî ж ա ⴀ ꭰ ⅷ ⓐ 𐐨 𞤢 ɡ"),
    ("\u1c89 \ua7cb \U00010d50 x", "\u1c8a \u0264 \U00010d70 x"),
    ("Caf\u00e9 CAFE\u0301 café", "cafe\u0301 caf\u00e9 cafe"),
]

LANGUAGES = [
    ("The cat sat quietly on the old mat.", "The cat was sitting on the old mat.", "A cat sat on that mat."),
    ("Der schnelle braune Fuchs springt über den faulen Hund.", "Der flinke braune Fuchs springt über einen Hund."),
    ("Le vif renard brun saute par-dessus le chien paresseux, n'est-ce pas ?", "Le renard brun saute sur le chien."),
    ("¿Dónde está la biblioteca? ¡No lo sé!", "¿Dónde queda la biblioteca? No sé."),
    ("Съешь же ещё этих мягких французских булок, да выпей чаю.", "Съешь ещё этих мягких булок и выпей же чаю."),
    ("今日はいい天気ですね。散歩に行きましょう。", "今日は天気がいいですね。散歩しましょう。"),
    ("我们明天早上八点，在北京见面。", "我们明天八点在北京碰面。", "明天早上八点我们北京见。"),
    ("오늘 날씨가 정말 좋습니다.", "오늘은 날씨가 아주 좋네요."),
    ("ذهب الولد إلى المدرسة صباحًا، ثم عاد.", "ذهب الولد صباحا إلى المدرسة ثم عاد."),
    ("הילד הלך לבית הספר בבוקר.", "בבוקר הלך הילד לבית הספר."),
    ("मैं कल सुबह दिल्ली जाऊँगा।", "कल सुबह मैं दिल्ली जाऊंगा।"),
    ("ฉันชอบกินข้าวผัดมาก", "ฉันชอบข้าวผัดมากๆ"),
    ("Tôi thích uống cà phê sữa đá.", "Tôi thích cà phê đá."),
    ("Ο γρήγορος ΣΚΥΛΟΣ τρέχει στους ΔΡΟΜΟΥΣ.", "Ο ΓΡΉΓΟΡΟΣ σκύλος τρέχει στους δρόμους."),
    ("Hızlı İSTANBUL vapuru ışıl ışıl.", "HIZLI istanbul vapuru IŞIL ışıl."),
    ("👩‍👩‍👧 said 👍🏽 to 🇩🇪🇫🇷 🎉🎉", "👩‍👧 said 👍 to 🇩🇪 🎉"),
    ("a\u0301\u0302\u0303 e\u0301 é ü u\u0308", "á\u0302 é e\u0301 u\u0308 ü"),
    ("Žluťoučký kůň úpěl ďábelské ódy", "Příliš žluťoučký kůň úpěl ódy"),
]

# What Tercom's search has to shift, and where its limits show.
SHIFTS = [
    ("b a", "a b"), ("c a b", "a b c"), ("d e f a b c", "a b c d e f"), ("a x b y c z", "x a y b z c"),
    ("a a a b a a", "a b a a a a"), ("the the the cat", "cat the the the"), ("a b c d", "d c b a"),
    ("this week the saudis denied information published in the new york times",
     "saudi arabia denied this week information published in the american new york times"),
    (" ".join("abcdefghijklmnopqrstuvwxyz"), " ".join("nopqrstuvwxyzabcdefghijklm")),
    (" ".join(f"w{i}" for i in range(120)), " ".join(f"w{(i + 40) % 120}" for i in range(120))),
    (" ".join(f"w{i}" for i in range(120)), " ".join(f"w{(i + 60) % 120}" for i in range(120))),
    ("x", " ".join(["y"] * 60 + ["x"])), (" ".join(["y"] * 60 + ["x"]), "x"), ("x", " ".join(["y"] * 50)),
    (" ".join(["a"] * 45), " ".join(["a", "b"] * 40)), (" ".join(["a", "b"] * 40), " ".join(["b", "a"] * 40)),
    ("x y", " ".join(f"w{i}" for i in range(130)) + " y x"), ("a b c", " ".join(["c", "b", "a"] * 70)),
]

WORDS = (
    "the a of to and in is that it for on was as with at by from this be not are Paris Ärger naïve 3.5 1,000 (yes) "
    "no! U.S. e.g. 50% \"x\" don't well-known état Σίσυφος ΛΌΓΟΣ мир 世界 نعم 😀 & &amp; - -- , . ... ? 7-8"
).split()


def salad(generator, longest, words=WORDS):
    pool = generator.sample(words, generator.randint(1, len(words)))
    return [generator.choice(pool) for _ in range(generator.randint(0, longest))]


def changed(generator, words, pool=WORDS):
    """The words with some of them moved, replaced, dropped, doubled or joined."""
    words = list(words)
    for _ in range(generator.randint(0, 6)):
        if not words:
            break
        at, to = generator.randrange(len(words)), generator.randrange(len(words))
        kind = generator.randrange(6)
        if kind <= 2:
            length = generator.randint(1, 6)
            block = words[at:at + length]
            del words[at:at + length]
            words[to:to] = block
        elif kind == 3:
            words[at] = generator.choice(pool)
        elif kind == 4:
            del words[at]
        else:
            words[at] = generator.choice([words[at].upper(), words[at] + generator.choice(".,-;'/"), words[at] * 2])
    return words


def soup(generator, longest):
    """Characters in which tokenizers can go wrong."""
    characters = "  ..,,--0159ab'&;<>/\n\t\u00a0é世Σσς\u0301"
    return "".join(generator.choice(characters) for _ in range(generator.randint(0, longest)))


def random_sample(generator, longest):
    count = generator.choice([1, 1, 2, 3])
    kind = generator.randrange(4)
    if kind == 0:
        reference = soup(generator, 2 * longest)
        return [reference[generator.randint(0, 3):] + soup(generator, 8)] + [
            reference + soup(generator, 8) for _ in range(count)]
    if kind == 1:
        # Few words, so that much repeats and the search for shifts finds many candidates.
        pool = ["a", "b", "C", "d."][:generator.randint(1, 4)]
        words = salad(generator, longest, pool)
        texts = [generator.sample(words, len(words))] + [changed(generator, words, pool) for _ in range(count)]
    else:
        words = salad(generator, longest)
        texts = [changed(generator, words) for _ in range(count + 1)]
    return [" ".join(text) for text in texts]


def scores(hypotheses, references):
    streams = list(zip(*references))
    return [
        sacrebleu.corpus_bleu(hypotheses, streams).score,
        sacrebleu.corpus_chrf(hypotheses, streams).score,
        sacrebleu.corpus_chrf(hypotheses, streams, word_order=2).score,
        sacrebleu.corpus_ter(hypotheses, streams).score,
    ]


def sample(texts):
    hypothesis, *references = texts
    streams = [[reference] for reference in references]
    return {
        "hypothesis": hypothesis, "references": references, "scores": scores([hypothesis], [references]),
        "bleu": BLEU()._extract_corpus_statistics([hypothesis], streams)[0],
        "ter": TER()._extract_corpus_statistics([hypothesis], streams)[0],
    }


def corpus(samples, indices):
    return {
        "samples": indices,
        "scores": scores([samples[i]["hypothesis"] for i in indices], [samples[i]["references"] for i in indices]),
    }


def lowercase_digest():
    """FNV-1a over the lower case of every code point that has another one."""
    digest = 0xCBF29CE484222325
    for value in range(0x110000):
        if not 0xD800 <= value <= 0xDFFF and chr(value).lower() != chr(value):
            for part in [value] + [ord(character) for character in chr(value).lower()]:
                digest = (digest ^ part) * 0x100000001B3 % 2**64
    return f"{digest:016x}"


def main():
    if len(sys.argv) > 1:
        seed, count = map(int, sys.argv[1:])
        generator = random.Random(seed)
        texts = [random_sample(generator, generator.choice([5, 10, 20, 40])) for _ in range(count)]
    else:
        generator = random.Random(2024)
        texts = MARKS + EMPTY + CASE + LANGUAGES + SHIFTS
        texts += [random_sample(generator, 14) for _ in range(460)]
        texts += [random_sample(generator, 70) for _ in range(30)]
    samples = [sample(text) for text in texts]
    corpora = []
    for count in () if len(sys.argv) > 1 else (1, 2, 3):
        fitting = [i for i, sample in enumerate(samples) if len(sample["references"]) == count]
        corpora.append(corpus(samples, fitting))
        for _ in range(12):
            size = generator.randint(1, 30)
            corpora.append(corpus(samples, [generator.choice(fitting) for _ in range(size)]))
    json.dump(
        {"lowercase": lowercase_digest(), "samples": samples, "corpora": corpora}, sys.stdout, ensure_ascii=False,
        separators=(",", ":"))


if __name__ == "__main__":
    main()
