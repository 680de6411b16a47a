"""Writes likelihoods.json: what transformers, with 32-bit weights, and lm-evaluation-harness say about texts.

    python3 dequantise.py --huggingface SmolLM2-135M-Instruct.Q4_1.gguf FOLDER
    python3 likelihoods.py FOLDER DATA > likelihoods.json

Needs the PyPI packages torch 2.15.0, transformers 5.24.0 and lm-eval 0.4.13. DATA has hellaswag.jsonl, truthfulqa_mc1.jsonl
and gsm8k.jsonl as infra/assets fetches them. Takes a few minutes on one core.

For each pair: the tokens as lm-eval cuts them, the natural logarithm of each continuation token's probability (softmax
in 64 bits), lm-eval's own sum and whether it calls the continuation greedy. `margin` is how far the least certain token
is ahead of the best other one, in nats: positive exactly if the continuation is greedy. For each text: lm-eval's rolling
sum, and tokens and values for each of its windows.

lm-eval's sums are about 1e-5 nat per token too high: PyTorch's 32-bit softmax loses that in adding up 49152 numbers.
"""

import importlib.metadata
import json
import logging
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

PACKAGES = ["torch", "transformers", "tokenizers", "lm-eval"]

CODE = '''def mean(values):
    """The arithmetic mean of a list of numbers."""
    total = 0
    for value in values:
        total += value
    return'''
SWIFT = """struct Point {
    var x: Double
    var y: Double

    func distance(to other: Point) -> Double {
        let dx = x - other.x
"""

# (name, context, continuation)
PAIRS = [
    ("capital", "The capital of France is", " Paris"),
    ("capital, several tokens", "The capital of France is", " the city of Paris."),
    ("capital, wrong", "The capital of France is", " a banana"),
    ("greedy list", "Monday, Tuesday, Wednesday, Thursday,", " Friday, Saturday, Sunday"),
    ("greedy count", "1, 2, 3, 4, 5, 6, 7, 8,", " 9, 10, 11, 12"),
    ("empty context", "", "The quick brown fox jumps over the lazy dog."),
    ("empty context, one token", "", "The"),
    ("context of one letter", "I", " am here."),
    ("space at the end of the context", "The sun rises in the ", "east"),
    ("spaces at the end of the context", "Name:   ", "Anna"),
    ("line end at the end of the context", "Question: What is two plus two?\nAnswer:\n", "Four."),
    ("cut inside a word", "The quick bro", "wn fox"),
    ("no space before the continuation", "The sun rises in the", "east"),
    (
        "continuation with line ends", "A haiku about rain:",
        "\n\nRain on the tin roof\nthe cat turns around once more\nand goes back to sleep",
    ),
    ("digits", "The number pi is about", " 3.14159265358979"),
    ("large numbers", "In 2021 the city had 1,234,567 people and in 2022", " 1,240,001."),
    ("tabs and spaces", "a\tb\t\tc   d", "\te    f \n\n g"),
    ("punctuation", "He said: \"Don't!\" -- and then?", " \"It's...\" (she'd say) [sic]; 100%!"),
    ("tags", "She wrote <b>bold</b> and", " <i>italics</i> in HTML."),
    ("code", CODE, " total / len(values)\n"),
    ("code, unlikely", CODE, " None # TODO: divide\n"),
    ("code in Swift", SWIFT, "        let dy = y - other.y\n        return (dx * dx + dy * dy).squareRoot()\n    }\n}\n"),
    ("JSON", '{"name": "Anna", "age": 31, "children": [', '{"name": "Ben", "age": 4}]}'),
    ("German", "Die Hauptstadt von Deutschland ist", " Berlin, und sie liegt an der Spree."),
    ("French", "Le petit garçon a mangé une", " pomme à l'école, près de la forêt."),
    ("Russian", "Москва — столица", " России, а Париж — столица Франции."),
    ("Japanese", "日本の首都は", "東京です。"),
    ("Arabic", "عاصمة مصر هي", " القاهرة"),
    ("Hindi", "भारत की राजधानी", " नई दिल्ली है।"),
    ("emoji", "I love my dog", " 🐶❤️ and my family 👨‍👩‍👧!"),
    ("decomposed accents", "Cafe\u0301 and", " nai\u0308ve re\u0301sume\u0301"),
    ("unusual spaces", "one\u00a0two\u3000three", "\u2003four\u2028five\r\nsix"),
]

LIGHTHOUSE = (
    "A lighthouse is a tower with a bright light at the top, built on the coast to guide ships at night. Before there were "
    "electric lamps, keepers burned oil or gas, and they had to climb the stairs several times a night to keep the flame "
    "alive. Today almost all lighthouses work by themselves, and many of the old towers have become museums or small hotels."
)


def rows(folder, name):
    with open(os.path.join(folder, name + ".jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def cases(data):
    hellaswag, truthfulqa, gsm8k = (rows(data, name) for name in ("hellaswag", "truthfulqa_mc1", "gsm8k"))
    pairs = list(PAIRS)
    for row in hellaswag[:3] + hellaswag[-2:]:
        context = f"{row['activity_label']}: {row['ctx']}"
        pairs += [(f"{row['id']}, ending {i}", context, " " + ending) for i, ending in enumerate(row["endings"])]
    for row in truthfulqa[:3]:
        context = f"Q: {row['question']}\nA:"
        pairs += [(f"{row['id']}, choice {i}", context, " " + choice) for i, choice in enumerate(row["choices"])]
    worked = [f"Question: {row['prompt']}\nAnswer: {row['upstream_answer']}" for row in gsm8k]
    for row, text in zip(gsm8k[:2], worked):
        pairs.append((row["id"], text[: -len(row["upstream_answer"]) - 1], " " + row["upstream_answer"]))
    # About 1500 tokens before the question.
    last = "\n\nQuestion: " + gsm8k[30]["prompt"] + "\nAnswer:"
    pairs.append(("long context", "\n\n".join(worked[10:17]) + last, " " + gsm8k[30]["upstream_answer"]))
    stories = "\n\n".join(row["ctx"] + " " + row["endings"][row["expected_index"]] for row in hellaswag[20:40])
    last = hellaswag[50]
    for i in (0, 1):
        pairs.append((f"long context, ending {i}", stories + "\n\n" + last["ctx"], " " + last["endings"][i]))
    pairs.append(("long continuation", LIGHTHOUSE, "\n\n" + "\n\n".join(worked[17:19])))
    questions = "\n\n".join(row["prompt"] for row in gsm8k[40:52])
    texts = [
        ("paragraph", LIGHTHOUSE, None),
        ("one token", "The", None),
        ("code", CODE + " total / len(values)\n", None),
        ("Russian", "Москва — столица России, а Париж — столица Франции.", None),
        ("questions", questions, None),
        ("questions, in windows", questions, 256),
        ("questions, in small windows", questions[:1500], 50),
    ]
    return pairs, texts


class Listening(HFLM):
    """lm-eval's class, keeping the tokens that it scores."""

    def _loglikelihood_tokens(self, requests, **options):
        self.heard += [(context, continuation) for _, context, continuation in requests]
        return super()._loglikelihood_tokens(requests, **options)

    def ask(self, kind, *arguments):
        self.heard = []
        (answer,) = getattr(self, kind)([Instance(kind, {}, arguments, 0)], disable_tqdm=True)
        return answer, self.heard


def token_log_probs(model, context, continuation):
    """Of each token of the continuation: the logarithm of its probability and its lead over the best other token."""
    with torch.inference_mode():
        logits = model(torch.tensor([(context + continuation)[:-1]])).logits[0, len(context) - 1 :].double()
    targets = torch.tensor(continuation)[:, None]
    own = logits.gather(1, targets)
    others = logits.scatter(1, targets, -torch.inf).max(1).values
    return logits.log_softmax(1).gather(1, targets)[:, 0].tolist(), (own[:, 0] - others).tolist()


def rounded(value):
    return float(f"{value:.9g}")


def main(folder, data):
    logging.disable(logging.WARNING)
    # With more, PyTorch's threads wait for each other in busy loops: much slower beside other programs.
    torch.set_num_threads(1)
    lm = Listening(
        pretrained=folder, device="cpu", dtype="float32", batch_size=1, attn_implementation="eager", trust_remote_code=False
    )
    pairs, texts = cases(data)
    written_pairs, written_texts = [], []
    for name, context, continuation in pairs:
        (total, greedy), [(context_tokens, tokens)] = lm.ask("loglikelihood", context, continuation)
        log_probs, leads = token_log_probs(lm.model, context_tokens, tokens)
        assert abs(sum(log_probs) - total) < 2e-5 * len(tokens) and greedy == (min(leads) > 0), name
        written_pairs.append({
            "name": name, "context": context, "continuation": continuation, "context_tokens": context_tokens,
            "tokens": tokens, "token_log_probs": list(map(rounded, log_probs)), "sum": rounded(total),
            "is_greedy": greedy, "margin": rounded(min(leads)),
        })
    longest = lm.max_length
    for name, text, length in texts:
        lm._max_length = length or longest
        total, windows = lm.ask("loglikelihood_rolling", text)
        written = [
            {"context_tokens": c, "tokens": t, "token_log_probs": list(map(rounded, token_log_probs(lm.model, c, t)[0]))}
            for c, t in windows
        ]
        written_texts.append({
            "name": name, "text": text, "max_length": lm.max_length, "sum": rounded(total), "windows": written,
        })
        count = sum(len(window["tokens"]) for window in written)
        assert abs(sum(sum(window["token_log_probs"]) for window in written) - total) < 2e-5 * count, name
        print(f"{name}: {count} tokens, perplexity {torch.tensor(-total / count).exp():.1f}", file=sys.stderr)
    # A line for each pair and text.
    print('{"packages": ' + json.dumps({p: importlib.metadata.version(p) for p in PACKAGES}) + ",")
    for key, values, end in (("pairs", written_pairs, "],"), ("texts", written_texts, "]}")):
        print(f'"{key}": [')
        print(",\n".join(json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values))
        print(end)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
