"""Writes reference.json: what lm-evaluation-harness gives for its own tasks and for odd ones, on models that transformers runs.

    python3 ../InferenceTests/Fixtures/huggingface/dequantise.py --huggingface SmolLM2-135M-Instruct.Q4_1.gguf MODELS/smollm2
    python3 random_models.py VOCABULARIES MODELS
    python3 reference_runs.py MODELS DATA

Needs the PyPI packages torch 2.15.0, transformers 5.24.0, lm-eval 0.4.13 and rouge-score 0.1.2. DATA has hellaswag.jsonl,
gsm8k.jsonl and truthfulqa_mc1.jsonl as infra/assets fetches them. Takes about half an hour on one core, most of it for smollm2.
Runs that reference.json has stay as they are while their files and the packages are the same; without it all are made.

Fills the folders in tasks/ with the task files and modules of lm-eval's wheel, in which only the data set is another, and
with rows of DATA under the columns that those want. The other rows there, and all of tasks/odd, were written for this
project. All numbers have nine digits.
"""

import contextlib
import gzip
import hashlib
import importlib.metadata
import json
import logging
import os
import re
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
temporary = tempfile.TemporaryDirectory()
os.environ["HF_DATASETS_CACHE"] = temporary.name
import datasets
import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(HERE, "reference.json")
WHEEL = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
PACKAGES = ["lm-eval", "torch", "transformers", "tokenizers", "datasets", "pandas", "sacrebleu", "numpy"]

# What is taken from lm-eval's folder of that name, and the files for its splits. The first file is the task; the others
# are what it includes or calls.
TASKS = {
    "arc": (["arc_easy.yaml"], {"train": "science.train.jsonl", "test": "science.test.jsonl"}),
    "blimp": (["adjunct_island.yaml", "_template_yaml"], {"train": "sentences.train.jsonl"}),
    "cola": (["default.yaml"], {"train": "sentences.train.jsonl", "validation": "sentences.validation.jsonl"}),
    "gsm8k": (["gsm8k.yaml"], {"train": "gsm8k.train.jsonl", "test": "gsm8k.test.jsonl"}),
    "hellaswag": (
        ["hellaswag.yaml", "utils.py"],
        {"train": "hellaswag.train.jsonl", "validation": "hellaswag.validation.jsonl"},
    ),
    "lambada": (["lambada_openai.yaml"], {"test": "passages.test.jsonl"}),
    "mmlu": (
        ["mmlu_high_school_biology.yaml", "_default_template_yaml"],
        {"dev": "biology.dev.jsonl", "test": "biology.test.jsonl"},
    ),
    "piqa": (["piqa.yaml"], {"train": "household.train.jsonl", "validation": "household.validation.jsonl"}),
    "translation": (
        ["wmt14_en-fr.yaml", "wmt_common_yaml"],
        {"validation": "phrases.validation.jsonl", "test": "phrases.test.jsonl"},
    ),
    "triviaqa": (["default.yaml"], {"train": "questions.train.jsonl", "validation": "questions.validation.jsonl"}),
    "truthfulqa": (
        ["truthfulqa_mc2.yaml", "truthfulqa_mc1.yaml", "utils.py"],
        {"validation": "truthfulqa.validation.jsonl"},
    ),
    "wikitext": (["wikitext.yaml", "preprocess_wikitext.py"], {"train": "pages.train.jsonl", "test": "pages.test.jsonl"}),
    "winogrande": (
        ["default.yaml", "preprocess_winogrande.py"],
        {"train": "pronouns.train.jsonl", "validation": "pronouns.validation.jsonl"},
    ),
}
ELSEWHERE = {"cola": "glue/cola", "mmlu": "mmlu/default"}

# (folder, file, options): `shots` are few-shot examples where not the task's own number, `limit` the rows, `chat` puts the
# prompts through the model's chat template with the examples as turns, `max_length` is another than the model's own.
RUNS = {
    "llama-2": [
        ("arc", "arc_easy.yaml", {"shots": 5, "limit": 10}),
        ("lambada", "lambada_openai.yaml", {"limit": 15}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("triviaqa", "default.yaml", {"shots": 2, "limit": 4}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "scripts.yaml", {}),
        ("odd", "cells.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "stops.yaml", {}),
        ("odd", "numbers.yaml", {}),
    ],
    "llama-3": [
        ("arc", "arc_easy.yaml", {"shots": 5, "limit": 10, "max_length": 96}),
        ("mmlu", "mmlu_high_school_biology.yaml", {"shots": 5, "limit": 10}),
        ("wikitext", "wikitext.yaml", {}),
        ("translation", "wmt14_en-fr.yaml", {"shots": 2, "limit": 6}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "dates.yaml", {"shots": 1}),
        ("odd", "jinja.yaml", {}),
        ("odd", "pages.yaml", {"max_length": 64}),
        ("odd", "lines.yaml", {}),
        ("odd", "shots.yaml", {"shots": 1}),
    ],
    "qwen2": [
        ("arc", "arc_easy.yaml", {"shots": 2, "limit": 10, "chat": True}),
        ("hellaswag", "hellaswag.yaml", {"shots": 0, "limit": 10}),
        ("lambada", "lambada_openai.yaml", {"limit": 15}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("triviaqa", "default.yaml", {"shots": 2, "limit": 4, "chat": True}),
        ("odd", "marks.yaml", {"chat": True}),
        ("odd", "spaces.yaml", {}),
        ("odd", "scripts.yaml", {"shots": 1}),
        ("odd", "answers.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "stops.yaml", {"shots": 1, "chat": True}),
        ("odd", "shots.yaml", {"shots": 2, "chat": True}),
    ],
    "phi-3": [
        ("arc", "arc_easy.yaml", {"shots": 2, "limit": 10, "chat": True}),
        ("piqa", "piqa.yaml", {"shots": 2, "limit": 10}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("triviaqa", "default.yaml", {"shots": 2, "limit": 4, "chat": True}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "scripts.yaml", {}),
        ("odd", "quirks.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "lines.yaml", {}),
        ("odd", "dates.yaml", {"shots": 2, "chat": True}),
    ],
    "gpt-2": [
        ("lambada", "lambada_openai.yaml", {"limit": 15}),
        ("winogrande", "default.yaml", {"shots": 0}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "contexts.yaml", {}),
        ("odd", "jinja.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "stops.yaml", {"shots": 2}),
        ("odd", "values.yaml", {}),
        ("odd", "cells.yaml", {}),
        ("odd", "numbers.yaml", {}),
    ],
    "gemma-4": [
        ("arc", "arc_easy.yaml", {"shots": 2, "limit": 10, "chat": True}),
        ("mmlu", "mmlu_high_school_biology.yaml", {"shots": 2, "limit": 10}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("triviaqa", "default.yaml", {"shots": 2, "limit": 4}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "scripts.yaml", {}),
        ("odd", "cells.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "lines.yaml", {}),
        ("odd", "shots.yaml", {"shots": 2, "chat": True}),
    ],
    "deepseek": [
        ("blimp", "adjunct_island.yaml", {"limit": 10}),
        ("wikitext", "wikitext.yaml", {"max_length": 256}),
        ("triviaqa", "default.yaml", {"shots": 5, "limit": 4, "max_length": 300}),
        ("odd", "marks.yaml", {}),
        ("odd", "spaces.yaml", {}),
        ("odd", "scripts.yaml", {}),
        ("odd", "answers.yaml", {}),
        ("odd", "pages.yaml", {}),
        ("odd", "stops.yaml", {}),
        ("odd", "jinja.yaml", {}),
    ],
    "smollm2": [
        ("arc", "arc_easy.yaml", {"shots": 0}),
        ("arc", "arc_easy.yaml", {"shots": 5}),
        ("arc", "arc_easy.yaml", {"shots": 2, "limit": 20, "chat": True}),
        ("blimp", "adjunct_island.yaml", {}),
        ("hellaswag", "hellaswag.yaml", {"shots": 0}),
        ("hellaswag", "hellaswag.yaml", {"shots": 5, "limit": 15}),
        ("lambada", "lambada_openai.yaml", {}),
        ("mmlu", "mmlu_high_school_biology.yaml", {"shots": 0}),
        ("mmlu", "mmlu_high_school_biology.yaml", {"shots": 5}),
        ("piqa", "piqa.yaml", {"shots": 0}),
        ("piqa", "piqa.yaml", {"shots": 5}),
        ("truthfulqa", "truthfulqa_mc1.yaml", {"limit": 30}),
        ("truthfulqa", "truthfulqa_mc2.yaml", {"limit": 10}),
        ("winogrande", "default.yaml", {"shots": 0}),
        ("wikitext", "wikitext.yaml", {}),
        ("wikitext", "wikitext.yaml", {"max_length": 512}),
        ("triviaqa", "default.yaml", {"shots": 0}),
        ("triviaqa", "default.yaml", {"shots": 5}),
        ("triviaqa", "default.yaml", {"shots": 0, "chat": True, "limit": 15}),
        ("translation", "wmt14_en-fr.yaml", {"shots": 0}),
        ("translation", "wmt14_en-fr.yaml", {"shots": 5}),
        ("gsm8k", "gsm8k.yaml", {"limit": 20}),
        ("cola", "default.yaml", {"shots": 5}),
        ("odd", "dates.yaml", {"shots": 2}),
        ("odd", "lines.yaml", {}),
        ("odd", "scripts.yaml", {"shots": 2}),
        ("odd", "pages.yaml", {}),
        ("odd", "stops.yaml", {"shots": 1}),
    ],
}


def rows(folder, name):
    with open(os.path.join(folder, name + ".jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_rows(folder, name, values):
    with open(os.path.join(HERE, "tasks", folder, name + ".jsonl"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def hellaswag_row(number, row):
    """The row with the columns of the original, where the last, unfinished sentence is on its own."""
    match = re.fullmatch(r"(.*[.!?]) ([a-z][^.!?]*)", row["ctx"], re.DOTALL)
    first, last = match.groups() if match else (row["ctx"], "")
    return {
        "ind": number, "activity_label": row["activity_label"], "ctx_a": first, "ctx_b": last, "ctx": row["ctx"],
        "endings": row["endings"], "label": str(row["expected_index"]),
    }


def truthfulqa_row(row):
    labels = [int(number == row["expected_index"]) for number in range(len(row["choices"]))]
    # The original has more right answers in mc2; here the first two answers count.
    both = [int(label or number == 1) for number, label in enumerate(labels)]
    return {
        "question": row["question"], "mc1_targets": {"choices": row["choices"], "labels": labels},
        "mc2_targets": {"choices": row["choices"], "labels": both},
    }


def write_tasks(data):
    for folder, (files, splits) in TASKS.items():
        target = os.path.join(HERE, "tasks", folder)
        os.makedirs(target, exist_ok=True)
        for file in files:
            source = os.path.join(WHEEL, ELSEWHERE.get(folder, folder), file)
            if file.endswith(".py"):
                shutil.copyfile(source, os.path.join(target, file))
                continue
            with open(source, encoding="utf-8") as opened:
                lines = [line for line in opened if not re.match(r'"?dataset_(path|name)"?:', line)]
            text = "".join(lines).rstrip("\n") + "\n"
            assert "dataset_kwargs" not in text
            if file.endswith(".yaml"):
                text += "dataset_path: json\ndataset_kwargs:\n  data_files:\n"
                text += "".join(f"    {split}: {name}\n" for split, name in splits.items())
            with open(os.path.join(target, file), "w", encoding="utf-8") as opened:
                opened.write(text)
    swag = [hellaswag_row(*row) for row in enumerate(rows(data, "hellaswag"))]
    write_rows("hellaswag", "hellaswag.validation", swag[:80])
    write_rows("hellaswag", "hellaswag.train", swag[80:])
    words = [{"question": row["prompt"], "answer": row["upstream_answer"]} for row in rows(data, "gsm8k")]
    write_rows("gsm8k", "gsm8k.test", words[:20])
    write_rows("gsm8k", "gsm8k.train", words[60:])
    write_rows("truthfulqa", "truthfulqa.validation", map(truthfulqa_row, rows(data, "truthfulqa_mc1")[:30]))
    lines = os.path.join(HERE, "tasks", "odd", "lines.tsv")
    with open(lines, "rb") as file, open(lines + ".gz", "wb") as packed:
        packed.write(gzip.compress(file.read(), mtime=0))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def rounded(value):
    if isinstance(value, (list, tuple)):
        return [rounded(member) for member in value]
    if hasattr(value, "tolist"):
        return rounded(value.tolist())
    return float(f"{value:.9g}") if isinstance(value, float) else value


class Watched(HFLM):
    """lm-eval's class, noting how certain the model was of the texts that it wrote."""

    margins = {}

    def _model_generate(self, context, *arguments, **options):
        made = super()._model_generate(context, *arguments, **options)
        start = context.shape[1]
        with torch.inference_mode():
            logits = self.model(made[:, :-1]).logits[0, start - 1 :].double()
        tokens = made[0, start:, None]
        leads = logits.gather(1, tokens)[:, 0] - logits.scatter(1, tokens, -torch.inf).max(1).values
        self.margins[tuple(context[0].tolist())] = leads.min().item()
        return made


def samples(lm, found, generated):
    """One entry for each row, however many filters there are."""
    entries = {}
    for sample in found:
        entry = entries.setdefault(sample["doc_id"], {"doc": sample["doc_id"]})
        asked = [list(arguments) for arguments in sample["arguments"]]
        if "requests" not in entry:
            texts = [[part for part in arguments if isinstance(part, str)] for arguments in asked]
            entry["requests"] = sha256(json.dumps(texts, ensure_ascii=False).encode())[:16]
            entry["responses"] = rounded([answer for (answer,) in sample["resps"]])
            if generated:
                tokens = lm.tok_batch_encode([texts[0][0]])[0][0].tolist()
                # A prompt that was cut is not found again.
                entry["margin"] = rounded(lm.margins.get(tuple(tokens)))
        if generated:
            text = rounded(sample["filtered_resps"][0])
            if text.strip() != entry["responses"][0].strip():
                entry.setdefault("filtered", {})[sample["filter"]] = text
        for metric in sample["metrics"]:
            entry.setdefault("metrics", {})[f"{metric},{sample['filter']}"] = rounded(sample[metric])
    return [entries[number] for number in sorted(entries)]


def run(lm, model, folder, file, shots=None, limit=None, chat=False, max_length=None):
    path = os.path.join(HERE, "tasks", folder)
    lm._max_length = max_length
    with contextlib.chdir(path):
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        name = re.search(r'^"?task"?: *"?([^"\n]+)"?$', text, re.MULTILINE).group(1)
        result = lm_eval.simple_evaluate(
            model=lm, tasks=[name], task_manager=TaskManager(include_path=path, include_defaults=False), num_fewshot=shots,
            limit=limit, apply_chat_template=chat, fewshot_as_multiturn=chat,
        )
    config = result["configs"][name]
    written = {
        "model": model, "file": f"{folder}/{file}", "task": name, "output_type": config["output_type"],
        "shots": result["n-shot"][name], "limit": limit, "chat": chat, "max_length": max_length,
        "results": {k: rounded(v) for k, v in result["results"][name].items() if "," in k and v != "N/A"},
        "samples": samples(lm, result["samples"][name], config["output_type"] == "generate_until"),
    }
    print(*(written[key] for key in ("model", "file", "shots", "limit", "chat", "max_length", "results")), flush=True)
    return written


def main(models, data):
    logging.disable(logging.WARNING)
    datasets.disable_progress_bars()
    # With more, PyTorch's threads wait for each other in busy loops: much slower beside other programs.
    torch.set_num_threads(1)
    write_tasks(data)
    hashes = file_hashes()
    known, runs = known_runs(hashes), []
    for name, wanted in RUNS.items():
        lm = None
        for folder, file, options in wanted:
            entry = next((entry for entry in known if is_of(entry, name, f"{folder}/{file}", options)), None)
            if entry is None:
                path = os.path.join(models, name)
                lm = lm or Watched(pretrained=path, device="cpu", dtype="float32", batch_size=1, attn_implementation="eager")
                entry = run(lm, name, folder, file, **options)
                # At once, so that what has been computed is not lost.
                write_reference(runs + [entry] + [old for old in known if old not in runs], hashes)
            runs.append(entry)
    write_reference(runs, hashes)


def is_of(entry, model, file, options):
    shots = options.get("shots", entry["shots"])
    found = [entry[key] for key in ("model", "file", "shots", "limit", "chat", "max_length")]
    return found == [model, file, shots, options.get("limit"), options.get("chat", False), options.get("max_length")]


def known_runs(hashes):
    """The runs of reference.json whose packages and files are those of now."""
    if not os.path.exists(REFERENCE):
        return []
    with open(REFERENCE, encoding="utf-8") as file:
        written = json.load(file)
    if written["packages"] != versions():
        return []
    return [e for e in written["runs"] if all(written["sha256"].get(f) == hashes[f] for f in files_of(e["file"], hashes))]


def files_of(file, hashes):
    """A task file, and what it names in its folder: data, modules and files that are included."""
    folder, _ = file.split("/")
    found, unread = {file}, [file]
    while unread:
        with open(os.path.join(HERE, "tasks", unread.pop()), encoding="utf-8") as opened:
            text = opened.read()
        for name in hashes:
            word = name.removeprefix(folder + "/").removesuffix(".py")
            if name not in found and "/" not in word and word in text:
                found.add(name)
                unread += [name] if name.endswith("yaml") else []
    return found


def versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def file_hashes():
    hashes = {}
    for folder in sorted([*TASKS, "odd"]):
        for name in sorted(os.listdir(os.path.join(HERE, "tasks", folder))):
            if name.endswith(("yaml", ".py", ".json", ".jsonl", "sv")):
                with open(os.path.join(HERE, "tasks", folder, name), "rb") as file:
                    hashes[f"{folder}/{name}"] = sha256(file.read())
    return hashes


def write_reference(runs, hashes):
    with open(REFERENCE, "w", encoding="utf-8") as file:
        # A line for each row.
        file.write('{"packages": ' + json.dumps(versions()) + ',\n"sha256": ' + json.dumps(hashes, indent=1) + ',\n"runs": [\n')
        for number, entry in enumerate(runs):
            head = json.dumps({k: v for k, v in entry.items() if k != "samples"}, ensure_ascii=False)
            file.write(head[:-1] + ', "samples": [\n')
            file.write(",\n".join(json.dumps(s, ensure_ascii=False, separators=(",", ":")) for s in entry["samples"]))
            file.write("]}" + (",\n" if number + 1 < len(runs) else "\n"))
        file.write("]}\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*(os.path.abspath(argument) for argument in sys.argv[1:]))
