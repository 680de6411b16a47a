"""What the tokenizers library makes of a corpus, with the tokenizer of a vocabulary-only GGUF of llama.cpp.

Usage: peer.py VOCABULARY.gguf [--no-space-prefix | --first-space-prefix] > answers.json

The tokenizer is made anew from tokens, merges, scores and types of the GGUF. Normalizer, pre-tokenizer and decoder are those
that the family's tokenizer.json has; llama.cpp's own expected ids (VOCABULARY.gguf.out) are compared with it here, so that a
wrong one is noticed. The corpus is made by this script, with numbers from a fixed seed.
"""

import json
import random
import struct
import sys
import unicodedata
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = (
    CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN35 = (
    CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated", invert=False)


def byte_level(use_regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def digits_and_words():
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])


# Letters of scripts that have two cases.
CASED = "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
HAN = "[一-龥ࠀ-一가-\ud7ff]+"


def words_apart(*patterns):
    """DeepSeek's: each kind of word by a pattern of its own, one after the other, and digits alone."""
    digits = pre_tokenizers.Digits(individual_digits=True)
    return pre_tokenizers.Sequence([split(pattern) for pattern in patterns] + [digits, byte_level(False)])


# By tokenizer.ggml.pre: normalizer, pre-tokenizer, and whether words of the vocabulary are taken without merging.
FAMILIES = {
    "gpt-2": (None, byte_level, False),
    "mpt": (normalizers.NFC, byte_level, False),
    "starcoder": (None, digits_and_words, False),
    "refact": (None, digits_and_words, False),
    "smollm": (None, digits_and_words, False),
    "command-r": (normalizers.NFC, digits_and_words, False),
    "llama-bpe": (None, lambda: pre_tokenizers.Sequence([split(LLAMA3), byte_level(False)]), True),
    "qwen2": (normalizers.NFC, lambda: pre_tokenizers.Sequence([split(QWEN2), byte_level(False)]), False),
    "qwen35": (normalizers.NFC, lambda: pre_tokenizers.Sequence([split(QWEN35), byte_level(False)]), False),
    "deepseek-coder": (None, lambda: words_apart("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", HAN), False),
    "deepseek-llm": (
        None,
        lambda: words_apart("[\r\n]", rf"\s?[{CASED}]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", HAN),
        False,
    ),
    "falcon": (
        None,
        lambda: pre_tokenizers.Sequence(
            [
                pre_tokenizers.Punctuation(behavior="contiguous"),
                byte_level(),
                pre_tokenizers.Digits(individual_digits=False),
                split("[0-9][0-9][0-9]"),
            ]
        ),
        False,
    ),
}


def metadata(path):
    """What stands before the tensors; the gguf package takes 20 seconds for half a million texts."""
    data = Path(path).read_bytes()
    place = 24
    numbers = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def take(form, count=1):
        nonlocal place
        values = struct.unpack_from(f"<{count}{form}", data, place)
        place += struct.calcsize(f"<{count}{form}")
        return values

    def text():
        nonlocal place
        (length,) = take("Q")
        place += length
        return data[place - length : place].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            element, count = take("I")[0], take("Q")[0]
            return [text() for _ in range(count)] if element == 8 else list(take(numbers[element], count))
        return take(numbers[kind])[0]

    (count,) = struct.unpack_from("<Q", data, 16)
    return {text(): value(take("I")[0]) for _ in range(count)}


class Vocabulary:
    def __init__(self, path, space_prefix):
        fields = metadata(path)

        def value(key, default=None):
            return fields.get(f"tokenizer.ggml.{key}", default)

        self.kind = value("model")
        self.pre = value("pre", "")
        self.tokens = value("tokens")
        self.types = value("token_type")
        self.scores = value("scores")
        self.merges = value("merges")
        self.bos = value("bos_token_id")
        self.eos = value("eos_token_id")
        self.unknown = value("unknown_token_id")
        self.adds_bos = value("add_bos_token", self.kind == "llama")
        if self.pre in ("qwen2", "qwen35"):
            # Qwen's own tokenizers have none.
            self.bos = None
        if self.pre == "llama-bpe":
            # The file says nothing; Llama 3's tokenizer adds one, and so does llama.cpp.
            self.adds_bos = True
        self.space_prefix = self.kind == "llama" and space_prefix
        # As LlamaTokenizer of transformers 5 has it.
        self.first_only = "--first-space-prefix" in sys.argv
        self.strips_right = "phi3" in fields.get("general.name", "").lower()


def merges_of(tokens, scores):
    """SentencePiece's order of merging, as transformers makes a list of it."""
    ids = {token: index for index, token in enumerate(tokens)}
    merges = []
    for index, token in enumerate(tokens):
        pairs = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        known = [pair for pair in pairs if pair[0] in ids and pair[1] in ids]
        known.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        merges += [(pair, scores[index]) for pair in known]
    merges.sort(key=lambda merge: (merge[1], len(merge[0][0]), len(merge[0][1])), reverse=True)
    return [pair for pair, _ in merges]


def split_merge(merge):
    """Two texts; the first may itself be a space."""
    cut = merge.index(" ", 1)
    return merge[:cut], merge[cut + 1 :]


def tokenizer_of(vocabulary):
    ids = {token: index for index, token in enumerate(vocabulary.tokens)}
    if vocabulary.kind == "gpt2":
        normalizer, words, ignores_merges = FAMILIES[vocabulary.pre]
        model = models.BPE(
            vocab=ids, merges=[split_merge(merge) for merge in vocabulary.merges], ignore_merges=ignores_merges
        )
        tokenizer = Tokenizer(model)
        if normalizer:
            tokenizer.normalizer = normalizer()
        tokenizer.pre_tokenizer = words()
        tokenizer.decoder = decoders.ByteLevel()
    elif vocabulary.kind == "llama":
        model = models.BPE(
            vocab=ids, merges=merges_of(vocabulary.tokens, vocabulary.scores),
            unk_token=vocabulary.tokens[vocabulary.unknown], fuse_unk=True, byte_fallback=True,
        )
        tokenizer = Tokenizer(model)
        steps = [normalizers.Replace(" ", "▁")]
        ends = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        if vocabulary.space_prefix:
            steps.insert(0, normalizers.Prepend("▁"))
            ends.append(decoders.Strip(" ", 1, 0))
        if vocabulary.first_only:
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
        else:
            tokenizer.normalizer = normalizers.Sequence(steps)
        tokenizer.decoder = decoders.Sequence(ends)
    elif vocabulary.kind == "gemma4":
        model = models.BPE(
            vocab=ids, merges=[split_merge(merge) for merge in vocabulary.merges],
            unk_token=vocabulary.tokens[vocabulary.unknown], fuse_unk=True, byte_fallback=True,
        )
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.Replace(" ", "▁")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
        tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    else:
        sys.exit(f"no peer for a vocabulary of kind {vocabulary.kind}")

    special, added = [], []
    for index, token in enumerate(vocabulary.tokens):
        kind = vocabulary.types[index]
        if kind == CONTROL or index == vocabulary.unknown:
            right = vocabulary.strips_right and token not in ("<unk>", "<s>", "<|endoftext|>")
            special.append(AddedToken(token, special=True, normalized=False, rstrip=right))
        elif kind == USER_DEFINED and not token.startswith("[PAD"):
            added.append(AddedToken(token, special=False, normalized=False, rstrip=vocabulary.strips_right))
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(added)
    return tokenizer


def corpus(specials):
    """Texts of every kind that prompts and answers have, and more."""
    texts = ["", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n ", "a", " a", "a ", "  a  b   c    d", "\n a\n\n b"]
    texts += [f"{'x' if lead else ''}{' ' * count}y" for count in range(1, 26) for lead in (0, 1)]
    texts += ["Question: What is 2 + 2?\nAnswer:", "The quick brown fox doesn't jump; it's lazy, I'd say we'll SEE'S IT'LL."]
    texts += ["½ cup, ¼ tsp, ⅔ of 1⁄2, 3½ km², x³ ≈ 10⁻⁶, Ⅷ ①②③", "1 12 123 1234 12345 1,234.56 1e-10 0x1F 3.14159 ٣٤٥ १२३ ４５６"]
    texts += ["Größe, Straße, naïve café, Čeština, Ελληνικά, Русский, עברית, العربية, हिन्दी, ไทย, 한국어, 日本語, 中文。"]
    texts += ["cafe\u0301 cafe\u0301s A\u030a \u1e69 s\u0323\u0307 \u212b \u2126 \uac00 \u1100\u1161 \u0958 \u0041\u0300b"]
    texts += ["👍 👩‍🚀 🏳️‍🌈 👨‍👩‍👧‍👦 🇩🇪 ✌🏽 😀😀😀 ❤️", "a\u200db\u200cc\u200e\u200f\u2060\ufeff\u00ad\u00a0d\u2003e\u3000f\u2028g\u2029h"]
    texts += ["".join(map(chr, range(1, 32))) + "\x7f\x80\x85\x9f", "nul\x00in the middle", "\x1b[31mred\x1b[0m"]
    texts += ["def f(x):\n\treturn {'a': [x ** 2 for _ in range(10)]}  # comment\n\n\nif __name__ == '__main__':\n    f(1)"]
    texts += ["<html><body class=\"a\">&amp;&nbsp;</body></html>", "$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$", "https://example.org/a?b=c&d=%20#e"]
    texts += ["▁▁ under ▁x▁", "ĠtheĊ Ģ", "<0x0A><0xFF> </0x0A>", "[PAD] [UNK] <pad> </s> <s> <unk> <|endoftext|> <bos> <eos>"]
    texts += ["ﬁ ﬂ Ǆ ß ẞ İ ı ſ \u0345", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 𐍈 𠜎𠜱", "\ue000\uf8ff\ufffd\uffff\U0010ffff"]
    texts += ["A" * 300, "ab" * 150, "1" * 100, "!" * 77, "-" * 64 + "=" * 64, "\n" * 20, "\t" * 20, "哈" * 50]
    for token in specials:
        texts += [token, f"a{token}b", f" a {token} b ", f"{token}\n x", f"{token}{token}", f"x\u0301{token}\u0338y", token[:-1], f"\n\n{token}  \n\tz"]
    random.seed(20261129)
    pool = "".join(texts)
    for _ in range(120):
        pieces = []
        for _ in range(random.randint(1, 12)):
            kind = random.random()
            if kind < 0.3:
                start = random.randrange(len(pool) - 40)
                pieces.append(pool[start : start + random.randint(1, 40)])
            elif kind < 0.6:
                pieces.append(random.choice(["the", " and", "\n", " ", "  ", "12", "'s", ". ", "é", "e\u0301", "…", "。"]))
            elif kind < 0.8:
                pieces.append(chr(random.choice([random.randrange(0x20, 0x250), random.randrange(0x300, 0xD800), random.randrange(0x1F300, 0x1FAFF)])))
            elif specials:
                pieces.append(random.choice(specials))
        texts.append("".join(pieces))
    # No surrogates, which no UTF-8 holds.
    return [text for text in texts if not any(0xD800 <= ord(letter) < 0xE000 for letter in text)]


class Model:
    """What lm-eval 0.4.13 does with a tokenizer (models/huggingface.py, api/model.py), without its model."""

    def __init__(self, tokenizer, vocabulary):
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.prefix = vocabulary.eos if vocabulary.bos is None else vocabulary.bos

    def encode(self, text, add_special=None):
        begins = text.startswith(self.tokenizer.decode([self.prefix], skip_special_tokens=False))
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        adds = self.vocabulary.adds_bos and self.vocabulary.bos is not None
        if add_special is None and adds and not begins:
            ids = [self.vocabulary.bos] + ids
        return ids

    def pair(self, context, continuation):
        if context == "":
            scored = self.encode(continuation, add_special=False)
            if scored and scored[0] == self.prefix:
                return scored[:1], scored[1:]
            return [self.prefix], scored
        spaces = len(context) - len(context.rstrip())
        if spaces > 0:
            continuation = context[-spaces:] + continuation
            context = context[:-spaces]
        whole = self.encode(context + continuation)
        head = self.encode(context)
        return head, whole[len(head) :]


def check_expected(path, tokenizer):
    """llama.cpp's expected ids are Hugging Face's, but for texts that are normalized, which llama.cpp does not do."""
    inputs, outputs = Path(path + ".inp"), Path(path + ".out")
    if not inputs.exists():
        return 0
    # The last text ends where the file does, but for the separator's line break.
    texts = inputs.read_bytes().decode().split("\n__ggml_vocab_test__\n")
    lines = outputs.read_text().split("\n")
    count = 0
    for text, line in zip(texts, lines):
        if not unicodedata.is_normalized("NFC", text):
            continue
        expected = [int(number) for number in line.split()]
        found = tokenizer.encode(text, add_special_tokens=False).ids
        if found != expected:
            sys.exit(f"{path}: the peer gives {found} for {text!r}, but {expected} is expected")
        count += 1
    return count


def main():
    path = sys.argv[1]
    vocabulary = Vocabulary(path, space_prefix="--no-space-prefix" not in sys.argv)
    tokenizer = tokenizer_of(vocabulary)
    expected = check_expected(path, tokenizer) if len(sys.argv) == 2 else 0
    model = Model(tokenizer, vocabulary)
    specials = [token for token, kind in zip(vocabulary.tokens, vocabulary.types) if kind == CONTROL]
    random.seed(7)
    chosen = [vocabulary.tokens[vocabulary.eos]] + random.sample(specials, min(4, len(specials)))
    texts = corpus(list(dict.fromkeys(chosen)))

    pairs = []
    endings = [" yes", "no", " ", "\n", " 3½", "\u0301", "é", " 👍", "  two", chosen[0], "."]
    for index, text in enumerate(texts):
        for ending in (endings[index % len(endings)], endings[(index * 7 + 3) % len(endings)]):
            head, scored = model.pair(text, ending)
            pairs.append({"context": text, "continuation": ending, "head": head, "scored": scored})

    answers = []
    size = len(vocabulary.tokens)
    usable = [index for index in range(size) if vocabulary.types[index] in (NORMAL, CONTROL, BYTE)]
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        answers.append(ids)
        # A generation begins and ends anywhere.
        answers += [ids[1:], ids[: len(ids) // 2]] if len(ids) > 1 else []
    answers += [[random.choice(usable) for _ in range(random.randint(1, 12))] for _ in range(300)]
    json.dump(
        {
            "expected": expected,
            "prefix": model.prefix,
            "texts": [
                {
                    "text": text,
                    "ids": tokenizer.encode(text, add_special_tokens=False).ids,
                    "prompt": model.encode(text),
                }
                for text in texts
            ],
            "pairs": pairs,
            "answers": [
                {
                    "ids": ids,
                    "text": tokenizer.decode(ids, skip_special_tokens=True),
                    "with_special": tokenizer.decode(ids, skip_special_tokens=False),
                }
                for ids in answers
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
