"""Makes prompts.json beside this file: what lm-evaluation-harness asks a model, for its own tasks on rows made here.

    python3 -m venv venv && venv/bin/pip install lm-eval==0.4.13 && venv/bin/python prompts.py

For each task: its configuration with everything it includes, rows of our own with the columns of its data set, and for 0
and 5 examples, in plain text and through a chat template (examples as turns and in one message), all prompts and
continuations. Strings that come several times are stored once.
"""

import importlib.util
import json
import os
import random

import datasets
import jinja2
import lm_eval
import yaml
from lm_eval.api.task import ConfigurableTask

os.chdir(os.path.dirname(os.path.abspath(__file__)))
TASKS = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
WORDS = (
    "the of river stone quick amber does is a window seven and running über café naïve 12 3.5% (maybe) \"quoted\" it's "
    "日本 Москва\u00a0x — end. why? no, yes; [header] a/b <tag> {brace} 1,000 $5 tab\there"
).split(" ")
CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SYSTEM = "Answer briefly."

rng = random.Random(7)


def text(least=1, most=5):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(least, most)))


def some(count, make=text):
    return lambda: [make() for _ in range(count)]


def number(end):
    return lambda: rng.randrange(end)


def letter(letters):
    return lambda: rng.choice(letters)


def options(letters="ABCD"):
    return lambda: {"text": [text(1, 4) for _ in letters], "label": list(letters)}


def columns(**makers):
    return lambda: {name: make() if callable(make) else make for name, make in makers.items()}


arc = columns(question=text, choices=options(), answerKey=letter("ABCD"))
boolean = dict(label=number(2))
story = {f"input_sentence_{i}": text for i in range(1, 5)}
ROWS = {
    "arc/arc_easy.yaml": arc,
    "arc/arc_challenge.yaml": arc,
    "arc/arc_challenge_chat.yaml": arc,
    "piqa/piqa.yaml": columns(goal=text, sol1=text, sol2=text, **boolean),
    "super_glue/boolq/default.yaml": columns(passage=lambda: text(5, 12), question=text, **boolean),
    "sciq/sciq.yaml": columns(
        support=lambda: " " + text(), question=text, distractor1=text, distractor2=text, distractor3=text, correct_answer=text
    ),
    "openbookqa/openbookqa.yaml": columns(question_stem=text, choices=options(), answerKey=lambda: " " + rng.choice("ABCD")),
    "glue/rte/default.yaml": columns(sentence1=text, sentence2=text, **boolean),
    "glue/qqp/default.yaml": columns(question1=text, question2=text, **boolean),
    "glue/sst2/default.yaml": columns(sentence=text, **boolean),
    "glue/cola/default.yaml": columns(sentence=text, **boolean),
    "glue/wnli/default.yaml": columns(sentence1=text, sentence2=text, **boolean),
    "anli/anli_r1.yaml": columns(premise=text, hypothesis=text, label=number(3)),
    "headqa/headqa_en.yaml": columns(
        qtext=text, ra=lambda: 1 + rng.randrange(4), answers=lambda: [{"aid": i, "atext": text()} for i in range(4)]
    ),
    "swag/swag.yaml": columns(startphrase=text, ending0=text, ending1=text, ending2=text, ending3=text, label=number(4)),
    "siqa/siqa.yaml": columns(
        context=text, question=text, answerA=text, answerB=text, answerC=text, label=letter("123")
    ),
    "commonsense_qa/default.yaml": columns(question=text, choices=options("ABCDE"), answerKey=letter("ABCDE")),
    "mmlu/default/mmlu_abstract_algebra.yaml": columns(question=text, choices=some(4), answer=number(4), subject="s"),
    "storycloze/storycloze_2016.yaml": columns(
        **story, sentence_quiz1=text, sentence_quiz2=text, answer_right_ending=lambda: 1 + rng.randrange(2)
    ),
    "mc_taco/default.yaml": columns(sentence=text, question=text, answer=text, **boolean),
    "truthfulqa/truthfulqa_mc1.yaml": columns(
        question=text, mc1_targets=lambda: {"choices": [text() for _ in range(5)], "labels": [1, 0, 0, 0, 0]}
    ),
    "blimp/adjunct_island.yaml": columns(sentence_good=text, sentence_bad=text),
    "xnli/xnli_en.yaml": columns(premise=text, hypothesis=text, label=number(3)),
    "lambada/lambada_openai.yaml": columns(text=lambda: text(4, 9)),
    "lambada_cloze/lambada_standard_cloze.yaml": columns(text=lambda: text(4, 9)),
    "asdiv/default.yaml": columns(body=text, question=text, answer=lambda: f"{rng.randrange(99)} (apples)"),
    "pile/pile_arxiv.yaml": columns(text=lambda: text(5, 20), meta=lambda: {"pile_set_name": "x"}),
    "gsm8k/gsm8k.yaml": columns(question=text, answer=lambda: f"{text()}\n#### {rng.randrange(999)}"),
    "gsm8k/gsm8k-cot.yaml": columns(question=text, answer=lambda: f"{text()}\n#### {rng.randrange(999)}"),
    "gsm8k/gsm8k-cot-llama.yaml": columns(question=text, answer=lambda: f"{text()}\n#### {rng.randrange(999)}"),
    "triviaqa/default.yaml": columns(question=text, answer=lambda: {"aliases": [text(1, 3) for _ in range(3)], "value": "v"}),
    "nq_open/nq_open.yaml": columns(question=text, answer=some(2)),
    "unscramble/anagrams1.yaml": columns(context=text, completion=text),
    "bbh/cot_fewshot/boolean_expressions.yaml": columns(input=text, target=letter(["True", "False"])),
    "bbh/fewshot/causal_judgement.yaml": columns(input=text, target=letter(["Yes", "No"])),
    "translation/wmt14_en-fr.yaml": columns(translation=lambda: {"en": text(), "fr": text()}),
    "mmlu/generative/mmlu_abstract_algebra.yaml": columns(question=text, choices=some(4), answer=number(4), subject="s"),
}


# Tasks that call Python functions which are built into Assay.
answer_letters = "ABCDEFGHIJ"
ROWS |= {
    "hellaswag/hellaswag.yaml": columns(
        ind=number(9), activity_label=text, ctx_a=lambda: text() + " [title] x", ctx_b=lambda: "he [step] " + text(),
        endings=some(4, lambda: " " + text() + " [substeps]  z"), label=letter("0123"),
    ),
    "winogrande/default.yaml": columns(
        sentence=lambda: text() + " _ " + text(), option1=text, option2=text, answer=letter("12")
    ),
    "mmlu_pro/mmlu_pro_biology.yaml": columns(
        question=text, options=some(10), answer=letter(answer_letters), answer_index=number(10),
        cot_content=lambda: "A: Let's think step by step. " + text(), category="biology",
    ),
    "wikitext/wikitext.yaml": columns(page=lambda: " = " + text(5, 20) + " = \n it 's @-@ \" quoted \" ; , . " + text()),
    "truthfulqa/truthfulqa_mc2.yaml": columns(
        question=text, mc2_targets=lambda: {"choices": [text() for _ in range(3)], "labels": [1, 1, 0]}
    ),
    "bbh/zeroshot/boolean_expressions.yaml": columns(input=text, target=letter(["True", "False"])),
    "bbh/cot_zeroshot/snarks.yaml": columns(
        input=lambda: text() + "\nOptions:\n(A) " + text() + "\n(B) " + text(), target=letter(["(A)", "(B)"])
    ),
}

# What lm-eval's own pure files do not show.
OWN = {
    "own: the choices are contexts": (
        dict(
            task="contexts", test_split="test", training_split="train", output_type="multiple_choice", doc_to_text="label",
            doc_to_choice="{{[a ~ ' so', b ~ ' so']}}", doc_to_target="{{rest}}",
        ),
        columns(a=text, b=text, rest=text, label=number(2)),
    ),
    "own: contexts from a template, no own example": (
        dict(
            task="contexts2", test_split="test", fewshot_split="test", output_type="multiple_choice",
            doc_to_text="{{label}}", doc_to_choice=["one", "two"], doc_to_target="rest", target_delimiter="",
            description="Choose: {{rest}}",
        ),
        columns(rest=text, label=number(2)),
    ),
    "own: several right choices": (
        dict(
            task="golds", test_split="test", training_split="train", output_type="multiple_choice", doc_to_text="{{q}}",
            doc_to_choice="{{opts}}", doc_to_target="golds", num_fewshot=0,
        ),
        columns(q=text, opts=some(4), golds=lambda: [0, 2]),
    ),
    "own: the answer's beginning is given": (
        dict(
            task="prefix", test_split="test", training_split="train", output_type="multiple_choice", doc_to_text="q",
            doc_to_choice=["A", "B"], doc_to_target="label", gen_prefix="The answer is{{' '}}",
            description="Be exact.\n",
        ),
        columns(q=text, label=number(2)),
    ),
    "own: examples read differently": (
        dict(
            task="other", test_split="test", validation_split="validation", output_type="generate_until",
            doc_to_text="Q: {{q}}", doc_to_target="{{a}}", gen_prefix="A:", description="{{q}}",
            fewshot_config=dict(
                split="validation", doc_to_text="Example {{q}}", doc_to_target="{{a}}!", gen_prefix="", target_delimiter="=>",
                fewshot_delimiter="\n--\n",
            ),
            generation_kwargs=dict(until=["\n"]), metric_list=[dict(metric="exact_match")],
        ),
        columns(q=text, a=text),
    ),
}


class Function(str):
    """What stands behind !function, with the folder of its file."""

    folder = ""


def function(loader, node):
    made = Function(loader.construct_scalar(node))
    made.folder = os.path.dirname(loader.name)
    return made


yaml.SafeLoader.add_constructor("!function", function)


def configuration(path):
    with open(path) as file:
        config = yaml.safe_load(file)
    include = config.pop("include", None)
    for name in [include] if isinstance(include, str) else include or []:
        config = {**configuration(os.path.join(os.path.dirname(path), name)), **config}
    return config


def replacing(value, change):
    """The value with `change` of each function in it."""
    if isinstance(value, dict):
        return {key: replacing(member, change) for key, member in value.items()}
    if isinstance(value, list):
        return [replacing(item, change) for item in value]
    return change(value) if isinstance(value, Function) else value


def loaded(reference):
    module, name = reference.rsplit(".", 1)
    specification = importlib.util.spec_from_file_location(module, os.path.join(reference.folder, module + ".py"))
    made = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(made)
    return getattr(made, name)


def written(reference):
    # Both of bbh's folders have the same file.
    return {"function": os.path.relpath(reference.folder, TASKS).split("/")[0] + "." + reference}


def chat_template(messages, add_generation_prompt=True):
    """As transformers renders a conversation, its last message continued unless a new one is to begin."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    rendered = environment.from_string(CHAT).render(messages=messages, add_generation_prompt=add_generation_prompt)
    if not add_generation_prompt:
        last = messages[-1]["content"]
        place = rendered.rindex(last.strip())
        if rendered[place : place + len(last.lstrip())] == last:
            rendered = rendered[: place + len(last.lstrip())]
        else:
            rendered = rendered[: place + len(last.strip())]
    return rendered


strings = {}


def known(value):
    return strings.setdefault(value, len(strings))


def requests(config, splits, shots, **chat):
    config = {**config, "num_fewshot": shots}
    ConfigurableTask.download = lambda self, *_, **__: setattr(
        self, "dataset", datasets.DatasetDict({name: datasets.Dataset.from_list(rows) for name, rows in splits.items()})
    )
    task = ConfigurableTask(config=replacing(config, loaded))
    task.set_fewshot_seed(1234)
    task.build_all_requests(**chat)
    found = {}
    for instance in task.instances:
        arguments = [a for a in instance.args if isinstance(a, str)]
        found.setdefault(instance.doc_id, []).append([known(a) for a in arguments])
    return [found[number] for number in sorted(found)]


cases = []
tasks = [(name, configuration(os.path.join(TASKS, name)), make) for name, make in ROWS.items()]
for name, config, make in tasks + [(name, *parts) for name, parts in OWN.items()]:
    for key in ("dataset_path", "dataset_name", "dataset_kwargs"):
        config.pop(key, None)
    evaluated = config.get("test_split") or config.get("validation_split")
    named = {config.get(f"{key}_split") for key in ("training", "validation", "test", "fewshot")} - {None}
    # Where the evaluated split is also the one that examples come from, it needs rows enough.
    splits = {split: [make() for _ in range(3 if split == evaluated and len(named) > 1 else 20)] for split in sorted(named)}
    listed = (config.get("fewshot_config") or {}).get("samples")
    variants = []
    for shots in (0, 5):
        if shots and config.get("num_fewshot") == 0:
            continue
        if isinstance(listed, list):
            shots = min(shots, len(listed))
        for chat in (None, "turns", "message"):
            if chat and config["output_type"] == "loglikelihood_rolling":
                continue
            style = {}
            if chat:
                style = dict(apply_chat_template=True, chat_template=chat_template, system_instruction=SYSTEM)
                style["fewshot_as_multiturn"] = chat == "turns"
            found = requests(config, splits, shots, **style)[:3]
            variants.append({"shots": shots, "chat": chat, "requests": found})
    config = replacing(config, written)
    cases.append({"name": name, "config": config, "evaluated": evaluated, "splits": splits, "variants": variants})

with open("prompts.json", "w") as file:
    json.dump({"chat_template": CHAT, "system": SYSTEM, "strings": list(strings), "cases": cases}, file, ensure_ascii=False)
    file.write("\n")
print(len(cases), "tasks,", sum(len(c["variants"]) for c in cases), "variants")
