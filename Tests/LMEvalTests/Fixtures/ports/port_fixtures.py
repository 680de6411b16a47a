"""Writes ports.json: what lm-evaluation-harness 0.4.13's own task functions give for documents made up here.

Run: <python with lm_eval> port_fixtures.py SQUAD_METRICS
SQUAD_METRICS is transformers/data/metrics/squad_metrics.py of the wheel transformers 4.44.2: it has the functions of
the official SQuAD v2 script, which lm-eval gets through evaluate.load("squad_v2") from the network. SQuAD v1's F1,
pass@k and drop's alignment have their references in here (from the papers' formulas) or in SciPy.
"""

import importlib.metadata
import importlib.util
import json
import math
import os
import random
import re
import sys
import types
from fractions import Fraction

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
import datasets
import numpy as np
import sacrebleu
from scipy.optimize import linear_sum_assignment

import lm_eval
from lm_eval.filters.extraction import MultiChoiceRegexFilter

datasets.disable_progress_bars()
TASKS = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
R = random.Random(20240817)


def stub(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


def load(path):
    spec = importlib.util.spec_from_file_location(re.sub(r"\W", "_", path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def task(path):
    return load(os.path.join(TASKS, path))


# What the functions ported here don't use: SymPy and friends, and metrics from the network.
for name in ["antlr4", "sympy", "sympy.parsing"]:
    stub(name)
stub("math_verify", parse=None, verify=None)
stub("sympy.parsing.latex", parse_latex=None)
real_version = importlib.metadata.version
importlib.metadata.version = lambda name: "4.11" if name.startswith("antlr4") else real_version(name)


class NoMetric:
    def compute(self, **_):
        return None


sys.modules["evaluate"] = types.SimpleNamespace(load=lambda _: NoMetric())
for name in ["official", "official.models", "official.data", "official.data.metrics"]:
    stub(name, __path__=[])
stub("official.models.bert", BasicTokenizer=None)
stub("official.utils", logging=types.SimpleNamespace(get_logger=lambda _: None))


def load_squad(path):
    spec = importlib.util.spec_from_file_location("official.data.metrics.squad_metrics", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SQUAD = load_squad(sys.argv[1])
OUT = {}

WORDS = (
    "a an the The THE And cat dog house e\u0301clair éclair naïve Straße İstanbul ΣΊΣΥΦΟΣ Kelvin ﬁn K ſun "
    "x-ray state-of-the-art U.S. 1,000 1.5 3 ٣ -7 1e5 nan inf 50% $20 (b) [c] {d} \"q\" 'q' don't ... ? ! , . ; : "
    "_ a_b – — „x“ 中文 日本 🙂 👩‍👩‍👧 no-comment 1st 2_0 \\frac12 yes no"
).split()


def text(count, joiners=(" ", " ", " ", " ", "  ", "\n", "\t", "\u00a0", "")):
    return "".join(R.choice(WORDS) + R.choice(joiners) for _ in range(count))


def noise(alphabet, length):
    return "".join(R.choice(alphabet) for _ in range(length))


def attempt(function, *arguments):
    try:
        return {"value": function(*arguments)}
    except Exception as error:  # noqa: BLE001
        return {"error": type(error).__name__}


def each(function, documents):
    return [{"document": document, **attempt(function, document)} for document in documents]


def mapped(process, documents):
    """process_docs on data sets of one document each; [] for a document that is filtered out."""

    def one(document):
        return list(process(datasets.Dataset.from_list([document])))

    return [{"document": document, **attempt(one, document)} for document in documents]


# hellaswag
def hellaswag():
    bracket = "[]ab \n[] .]["
    documents = [
        {
            "ind": index, "activity_label": text(2), "ctx_a": text(R.randint(0, 6)),
            "ctx_b": R.choice(["", "ǆ eh", "ßX", "ΑΣ", "HeLLo [title] ", text(3)]), "ctx": "",
            "endings": [
                text(3) + R.choice([" [title]", " [header] x [substeps]", "", "  two   three  "]) + noise(bracket, 12)
                for _ in range(4)
            ],
            "source_id": "wikihow~1", "split": "val", "split_type": "indomain",
            "label": R.choice(["0", "3", " 2 ", "٣", "+1", "1_0", "", "x", "2.0"]),
        }
        for index in range(24)
    ]
    documents.append({**documents[0], "label": "1", "query": "old", "ctx_a": "[[a]b] [c\n] [] [title] [title]"})
    return mapped(task("hellaswag/utils.py").process_docs, documents)


OUT["hellaswag"] = hellaswag()


# winogrande
def winogrande():
    module = task("winogrande/preprocess_winogrande.py")
    documents = [
        {
            "sentence": text(R.randint(0, 4)) + R.choice(["_", " _ ", "_ _", "", "_\n", "e_\u0301"]) + text(R.randint(0, 4)),
            "option1": text(1), "option2": R.choice(["", "the \u0301x", text(1)]),
            "answer": R.choice(["1", "2", "1", "2", "", "3", "１"]),
        }
        for _ in range(24)
    ]
    return {
        name: each(getattr(module, name), documents) for name in ["doc_to_text", "doc_to_target", "doc_to_choice"]
    }


OUT["winogrande"] = winogrande()


# mmlu_pro and mmlu-pro-plus
def mmlu_pro():
    documents = [
        {
            "question_id": index, "question": text(R.randint(0, 5)),
            "options": [text(R.randint(0, 2)) for _ in range(count)], "answer": "A", "answer_index": 0,
            "cot_content": R.choice(
                [
                    "A: Let's think step by step. " + text(4) + "The answer is (B).", "",
                    "A: Let's think step by step.x A: Let's think step by step. A: Let's think step by step. ",
                ]
            ),
            "category": R.choice(["law", "computer science", "Law", "math", "", "law "]), "src": "x",
        }
        for index, count in enumerate([0, 1, 3, 10, 10, 11, 16, 17, 4, 10, 2, 9, 5, 12, 10, 3])
    ]
    result = {"documents": documents}
    for folder in ["mmlu_pro", "mmlu-pro-plus"]:
        module = task(folder + "/utils.py")
        result[folder] = {
            name: [attempt(getattr(module, name), document) for document in documents]
            for name in ["doc_to_text", "fewshot_to_text", "fewshot_to_target"]
        }
        result[folder]["subjects"] = [
            [len(list(process(datasets.Dataset.from_list([document])))) for document in documents]
            for process in [module.process_law, module.process_computer_science, module.process_math]
        ]
    return result


OUT["mmlu_pro"] = mmlu_pro()


# Filters: a response at which lm-eval stops has null.
def filtered(make, documents, responses):
    cases = []
    for document, answers in zip(documents, responses):
        values = attempt(lambda: make().apply([answers], [document])[0]).get("value")
        if values is None:
            values = [attempt(lambda: make().apply([[answer]], [document])[0][0]).get("value") for answer in answers]
        cases.append({"document": document, "responses": answers, "values": values})
    return cases


OPTIONS = [
    {"regex_pattern": "(\\([A-Z]\\))", "group_select": 0, "ignore_case": True, "ignore_punctuation": True},
    {"regex_pattern": "(\\([A-Z]\\))", "group_select": -1, "ignore_case": True, "ignore_punctuation": True},
    {"regex_pattern": "answer is (\\([A-D]\\))|Answer: ([A-D])", "group_select": 0},
    {},
    {"regex_pattern": "zzz", "group_select": 1, "fallback": "?", "ignore_case": True, "regexes_to_ignore": ["\\s+", "[,']"]},
    {"regex_pattern": "x*", "group_select": -1, "ignore_punctuation": True, "regexes_to_ignore": ["the "]},
]


def choice_responses(choices):
    answers = [
        "", "(C)", "The answer is (B). No: (A)", "answer is (D)", "Answer: A", "It is: B", "It is: \n\u00a0 A.", "::: C :A",
        "ANSWER: B", "#### 1,000.5", "I think it is Z", ":A:B:C", "xx (a) xx",
    ]
    for _ in range(4):
        choice = R.choice(choices or [""])
        answers.append(text(1) + R.choice([choice, choice.upper(), choice.strip() + "ly", choice[:-1]]) + " " + text(1))
    return answers


def choice_lists():
    lists = [
        ["Guilty", "Guilty of Romance", "guilty", "Not"], ["", "a", "b.", "..."], [], ["x"], ["- yes", "no!", " maybe "],
        ["1,000", "1000", "10", "(1)"], ["Σ", "ΑΣ", "σ", "ς"], ["a|b", "c*", "[d]", "\\e"], ["aa", "a", "aaa", "aa"],
        [str(n) for n in range(26)], [str(n) for n in range(27)],
    ]
    return lists + [[text(R.randint(1, 3)) for _ in range(4)] for _ in range(6)]


def filters():
    result = {"options": OPTIONS, "multi_choice": {}}
    bbh = task("bbh/zeroshot/utils.py")
    lists = choice_lists()
    responses = [choice_responses(choices) for choices in lists]
    columns = [{"choices": choices} for choices in lists]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZA"
    inputs = [
        {"input": "What?\nOptions:\n" + R.choice(["\n", " ", ""]).join(f"({a}) {c}" for a, c in zip(letters, choices))}
        for choices in lists
    ] + [{"input": noise("(A)(B)x^\n ", 60)} for _ in range(6)]
    makers = {
        "mmlu": (task("mmlu/flan_cot_zeroshot/utils.py").MultiChoiceRegexFilter, columns),
        "built_in": (MultiChoiceRegexFilter, columns),
        "bbh": (bbh.MultiChoiceRegexFilter, inputs),
    }
    for name, (make, documents) in makers.items():
        result["multi_choice"][name] = []
        for index, options in enumerate(OPTIONS):
            # Each set of options sees a third of the documents, the first one all.
            chosen = [d for d in range(len(documents)) if index == 0 or (d + index) % 3 == 0]
            result["multi_choice"][name].append(
                filtered(
                    lambda: make(**options), [documents[d] for d in chosen],
                    [responses[d % len(responses)][index % 2 :: 2] if index else responses[d % len(responses)] for d in chosen],
                )
            )
    maps = [
        {r"\b(yes|tells the truth|is telling the truth)\b": "yes", r"\b(no|does not tell the truth|is not telling the truth)\b": "no"},
        {r"\b(yes|plausible)\b": "yes", r"\b(no|not plausible)\b": "no"},
        {"a": "", "b+": "bees", "c(d)?(e)?": "sea"},
        {},
    ]
    answers = [
        "", "Yes", "YES, no", "no yes", "It is not plausible.", "plausible", "implausible", "He is telling the truth!",
        "she is not telling the truth", "does not tell the truth", "no_yes", "abc", "bbb", "c", "cd", "ce", "Y-e-s", "n o", "ſeß",
        "nÖ no", "tells the\ntruth",
    ]
    map_options = [{"group_select": 0, "ignore_case": True}, {"group_select": -1, "ignore_case": True, "ignore_punctuation": True}, {"group_select": 1}]
    result["maps"] = [
        {
            "patterns": [list(item) for item in patterns.items()], "options": options,
            "cases": filtered(lambda: bbh.MapRegexFilter(regex_pattern_to_value=patterns, **options), [{}], [answers]),
        }
        for patterns in maps
        for options in map_options
    ]
    return result


def numbers():
    bbh = task("bbh/cot_zeroshot/utils.py")
    units = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million "
        "billion trillion and & , point"
    ).split()
    answers = [
        "", "-", "12", "The answer is -5-3", "1,000", "٣", "one million two thousand", "Two Hundred and Five apples",
        "one billion two million three thousand", "fourteen", "eighteen eight", "six", "seven hundred", "seventy seven hundred",
        "five\u001dsix", "five\u00a0hundred", "one\nhundred", "FOUR HUNDRED", "hundred", "thousand", "thousand thousand",
        "twenty-one", "twenty one", "two,three", "oneone", "one & two", "eight", "eighty", "eighteen",
    ]
    for _ in range(110):
        answers.append(" ".join(R.choice(units) for _ in range(R.randint(1, 7))))
    for _ in range(60):
        answers.append(" ".join(R.choice("one two three five ten twenty hundred hundred thousand million billion".split()) for _ in range(R.randint(2, 8))))
    return filtered(lambda: bbh.NumberParseRegexFilter(regex_pattern="([-0-9]+)", group_select=0), [{}], [answers])


def word_sorts():
    bbh = task("bbh/zeroshot/utils.py")
    documents, responses = [], []
    for words in [
        ["syndrome", "therefrom"], ["a", "b", "a", "c"], [], ["é", "e\u0301", "naïve"], ["a.c", "x+"], ["the", "them", "he"],
        ["(a)"], ["(a)", "(b)"], ["*"], ["日本", "中文"], ["o'clock", "x-ray", "ray"], ["A", "a"], ["1,000", "1"], ["[ab]", "c"],
        ["one"], ["List"],
    ]:
        documents.append({"input": "Sort the following words alphabetically: List: " + " ".join(words), "target": ""})
        shuffled = [R.choice(words or ["x"]) for _ in range(6)]
        responses.append(["", " ".join(shuffled), ", ".join(words) + ". " + text(2), "abc aXc xx ab c them the.he", "\n".join(reversed(words))])
    documents += [{"input": "no list here"}, {"input": "List: b a List: c"}, {"input": "List:\n b\ta \u00a0c"}]
    responses += [["x"], ["a b c b"], ["c b a"]]
    return filtered(bbh.WordSortFilter, documents, responses)


OUT["filters"] = filters()
OUT["numbers"] = numbers()
OUT["word_sorts"] = word_sorts()


# truthfulqa
def truthfulqa():
    module = task("truthfulqa/utils.py")
    mc2 = []
    for count in [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 40, 140, 300]:
        document = {"mc2_targets": {"choices": ["x"], "labels": [R.choice([0, 1]) for _ in range(count)]}}
        results = [[R.choice([-R.random() * 60, -R.random(), -1000.0]), False] for _ in range(count)]
        value = attempt(lambda: float(module.process_results_mc2(document, results)["acc"]))
        if isinstance(value.get("value"), float) and math.isnan(value["value"]):
            value = {"value": None}
        mc2.append({"document": document, "log_probs": [r[0] for r in results], **value})
    answers = ["", " ", "I have no comment", "I have no comment.", " x. ", "x .", "…", "Yes.", "e\u0301", "é.", "no\n"]
    documents = [
        {
            "type": "A", "category": "b", "question": R.choice([" Why?\n", "", text(4)]), "best_answer": "x",
            "correct_answers": [R.choice(answers + [text(3)]) for _ in range(R.randint(1, 4))],
            "incorrect_answers": [R.choice(answers + [text(3)]) for _ in range(R.randint(1, 4))], "source": "s",
        }
        for _ in range(20)
    ]
    documents.append({**documents[0], "incorrect_answers": ["", " "]})
    processed = mapped(module.process_docs_gen, documents)
    sentences = [
        "The cat sat on the mat . It was a K\u0130Kelvin cat .", "the cat\n\nsat . on mat", "No comment, I have no comment.",
        "x", "", "1,000 cats; 1000 dogs", "a b a b a b c . a b . b a", "straße ΣΑΣ 42nd", "." * 5, "a . b . c\nd . e",
    ]
    gen = []
    for index in range(26):
        pick = lambda: R.choice(sentences) if R.random() < 0.5 else " ".join(R.choice("a b c d the cat . sat".split()) for _ in range(R.randint(1, 14)))
        document = {"correct_answers": [pick() for _ in range(R.randint(1, 3))], "incorrect_answers": [pick() for _ in range(0 if index == 7 else R.randint(1, 3))]}
        completion = pick() if index else ""
        references = document["correct_answers"] + document["incorrect_answers"]
        bleus = [module.bleu([[reference]], [completion]) for reference in references]
        value = attempt(module.process_results_gen, document, [completion])
        if "value" in value:
            value["value"] = [[name, float(number)] for name, number in value["value"].items()]
        gen.append({"document": document, "completion": completion, "bleus": bleus, **value})
    return {"mc2": mc2, "documents": processed, "gen": gen}


OUT["truthfulqa"] = truthfulqa()


# wikitext
def wikitext():
    module = task("wikitext/preprocess_wikitext.py")
    pieces = [
        " ( ", " ) ", "(", ")", "[ ", " ]", "{", " }", '"', ' " ', " ' ", "'", " 's", "s '", " @-@ ", " @,@ ", " @.@ ", " : ", " ; ",
        " . ", " ! ", " ? ", " , ", " = = = = ", "= = =", " = ", " ° ", " \n", "\n ", " N ", "/' 5/", "/' 1/' 2/", "the", "1",
        " ", "\u00a0", "\u001c", "é", "\t",
    ]
    documents = [{"page": "".join(R.choice(pieces) for _ in range(length))} for length in [0, 1, 2, 5, 8] + [30] * 25]
    documents.append({"page": " = Robert Boulter = \n \n Robert Boulter is an English film , television and theatre actor . He had a guest @-@ starring role ( \" Herons \" ) in 2 @,@ 000 . \n"})
    cases = each(module.wikitext_detokenizer, documents)
    for case in cases:
        results = module.process_results(case["document"], (-12.5,))
        case["results"] = [[name, value, weight] for name, (value, weight) in results.items()]
    return cases


OUT["wikitext"] = wikitext()


# drop
def drop():
    module = task("drop/utils.py")
    date = lambda: {"day": R.choice(["", "3", " 1"]), "month": R.choice(["", "May"]), "year": R.choice(["", "1999", " "])}

    def answer(kind):
        return {
            "number": R.choice(["1,000", "8", "0.5", "٣"]) if kind == 0 else "", "date": date(),
            "spans": [R.choice(["é", "e\u0301", "the cat", "1999"]) for _ in range(R.randint(1, 3))] if kind == 1 else [],
        }

    documents = []
    for index in range(24):
        validated = [answer(R.randint(0, 2)) for _ in range(R.randint(1, 4))]
        documents.append(
            {
                "section_id": "s", "query_id": str(index), "passage": text(4), "question": text(2),
                "answer": {**answer(R.randint(0, 2)), "hit_id": "", "worker_id": ""},
                "validated_answers": {key: [v[key] for v in validated] for key in ["number", "date", "spans"]},
            }
        )
    scored = []
    vocabulary = WORDS + "one 5 5.0 50 1000 1,000 -5 1e400 1e-7 1_0 .5 $5 5% infinity 12345678901234567890 0.1 a-b the-cat an".split()
    pick = lambda n: " ".join(R.choice(vocabulary) for _ in range(n))
    for index in range(70):
        answers = [[pick(R.randint(1, 4)) for _ in range(R.choice([1, 1, 2, 3, 9]))] for _ in range(R.randint(1, 3))]
        if index % 7 == 0:
            answers[0][0] = R.choice(["", " ", "the"])
        results = [R.choice([pick(R.randint(0, 5)), R.choice(R.choice(answers)), ""]) for _ in range(R.choice([1, 1, 1, 2, 4]))]
        if index % 3 == 0:
            # Words in common give values between 0 and 1.
            results = [" ".join(R.choice(" ".join(sum(answers, [])).split() or ["x"]) for _ in range(3)) for _ in results]
        document = {"answers": answers}
        scores = module.process_results(document, results)
        scored.append({"document": document, "responses": results, "value": [[name, float(value)] for name, value in scores.items()]})
    normalized = [[t, module._normalize(t)] for t in vocabulary + [text(4) for _ in range(30)] + ["\n5", "--", "\u00a05 ", "+.5", "0x10", "1e16", "123456789012345678", "-0", "-nan"]]
    return {"documents": mapped(module.process_docs, documents), "scored": scored, "normalized": normalized}


OUT["drop"] = drop()


# Sums, assignments, numbers and cases
def basics():
    assignments = []
    for index in range(60):
        rows, columns = R.randint(1, 7), R.randint(1, 7)
        number = (lambda: R.randint(-3, 3)) if index % 2 else (lambda: -round(R.random(), 2))
        costs = [[float(number()) for _ in range(columns)] for _ in range(rows)]
        assignments.append({"costs": costs, "pairs": [[int(r), int(c)] for r, c in zip(*linear_sum_assignment(np.array(costs)))]})
    sums = []
    for count in [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 127, 128, 129, 130, 137, 255, 256, 257, 300]:
        values = [round(R.random() * 10 ** R.randint(-4, 4), 5) for _ in range(count)]
        sums.append({"values": values, "sum": float(np.sum(np.array(values, dtype=float)))})
    texts = [
        "\x1c5", "5\x1f", "\u20035", "\x855", "\xa05\u2028", "1__0", "_1", "1_", "1_0.5_0", "1e1_0", "1_e5", "+.5", "5.", ".", " 1 ",
        "+Infinity", "infin", "1e", "0x10", "٣.٥", "1\x00", "²", "１２", "1 2", "+-1", "1e+٣", "", " ", "-0", "1e400", "1e-400", "00012",
        "9223372036854775807", "-9223372036854775808", "0.1", "1e16", "1e22", "123456789012345680", "1e-5", "0.0001", "5e-324", "2.5e-07",
        "1._5", "1_.5", "-inf", "--1", "1e5.5", "௩", "𝟗", "1,5", "9007199254740993", "1.7976931348623157e308",
    ]
    parsed = []
    for t in texts:
        number = attempt(float, t).get("value")
        parsed.append({"text": t, "int": attempt(int, t).get("value"), "float": None if number is None else str(number)})
    cases = [
        "", "ΑΣ", "Σ", "ΑΣΑ", "Α\u0301Σ\u0301", "ΑΣ.", "ΑΣ.Β", "İ", "ǆx", "ǅX", "ßX", "ﬁX", "ŉA", "ΐ", "ᾳΑ", "HELLO wORLD", "ÀÉ", "ª", "ʰΣ", "AʰΣʰ",
        "K", "Å", "Ⅷ", "ⓐB", "ა", "Ა", "ꭰ", "Ꭰ", "𐐨𐐀", "1A", "\u0345Α",
    ] + [text(3) for _ in range(15)]
    lower = [[t, t.lower(), t.capitalize()] for t in cases]
    search = re.search
    characters = "iıİIsſSßẞKkKåÅÅµμσςΣθϑϴΘﬅﬆǆǅǄΐΐιͅιEe\u0301é1_ -.*[Ω"
    contains = []
    for a in characters:
        matches = "".join(b for b in characters if search(re.escape(b), a, re.IGNORECASE))
        contains.append([a, matches])
    return {"assignments": assignments, "sums": sums, "numbers": parsed, "cases": lower, "characters": characters, "contains": contains}


OUT["basics"] = basics()


# SQuAD
def squad():
    completion = task("squad_completion/task.py").SQUADCompletion
    bare = object.__new__(completion)
    documents = [
        {"doc_id": "1", "title": "t", "context": "c", "question": "q", "text": text(R.randint(0, 4)), "value": R.choice(["", " x ", "the Cat", "a.c", "ſun", text(1), text(1)])}
        for _ in range(24)
    ]
    contains = []
    for document in documents:
        value = document["value"].strip()
        answer = R.choice([text(2) + value.upper() + text(2), text(3), "", "abc", value.lower()])
        contains.append(
            {
                "document": document, "response": answer, "prompt": bare.doc_to_text(document), "target": bare.doc_to_target(document),
                "contains": completion.process_results(bare, document, [answer])["contains"],
            }
        )
    module = task("squadv2/task.py")
    bare = object.__new__(module.SQuAD2)

    def metric(predictions, references):
        # The data type of the metric squad_v2.
        probabilities = {p["id"]: float(np.float32(p["no_answer_probability"])) for p in predictions}
        examples = [types.SimpleNamespace(qas_id=r["id"], answers=[{"text": t} for t in r["answers"]["text"]]) for r in references]
        return SQUAD.squad_evaluate(examples, {p["id"]: p["prediction_text"] for p in predictions}, probabilities)

    module._squad_metric = metric
    groups = []
    for size in [1, 1, 2, 3, 5, 8, 13, 20, 6, 6, 6, 6, 4, 4, 4, 30]:
        kind = R.choice(["both", "both", "both", "has", "not"])
        cases, items = [], []
        for index in range(size):
            count = 0 if kind == "not" or (kind == "both" and R.random() < 0.4) else R.randint(1, 3)
            answers = [R.choice(["the", "Norman", "the Normans'", "10th and 11th", "e\u0301", "", text(2)]) for _ in range(count)]
            document = {"id": f"q{index if size != 30 else index % 20}", "title": text(1), "context": text(2), "question": text(1), "answers": {"text": answers, "answer_start": [0] * count}}
            continuation = R.choice(["", " ", "unanswerable", " Normans", "10th 11th the", "the a an", text(2)] + answers)
            log_prob = R.choice([-0.1, -0.1000000001, -2.0, 0.0, 0.5, -50.0, -R.random()])
            result = bare.process_results(document, [continuation, (log_prob, False)])
            items.append(result)
            cases.append({"document": document, "continuation": continuation, "log_prob": log_prob, "prompt": bare.doc_to_text(document), "target": bare.doc_to_target(document)})
        aggregates = [[key, float(function([item[key] for item in items]))] for key, function in bare.aggregation().items()]
        groups.append({"cases": cases, "value": aggregates})
    pairs = []
    for _ in range(40):
        a = R.choice(["", "the", "The Normans!", "e\u0301 x", text(4)])
        b = R.choice([a, a.upper(), "normans the", text(2), ""])
        same = sum((SQUAD.collections.Counter(x := SQUAD.normalize_answer(a).split()) & SQUAD.collections.Counter(y := SQUAD.normalize_answer(b).split())).values())
        old = float(2 * Fraction(same, len(x)) * Fraction(same, len(y)) / (Fraction(same, len(x)) + Fraction(same, len(y)))) if same else 0.0
        pairs.append([a, b, SQUAD.normalize_answer(a), SQUAD.compute_exact(b, a), SQUAD.compute_f1(b, a), old])
    return {"completion": contains, "version2": groups, "pairs": pairs}


OUT["squad"] = squad()


# humaneval
def humaneval():
    module = task("humaneval/utils.py")
    cases = []
    for _ in range(16):
        document = {"task_id": "HumanEval/0", "prompt": "def f(x):\n" + text(2), "entry_point": "f"}
        responses = [R.choice(["    return x\n", "```", "x```python\ny```", "``", "é```", text(3), ""]) for _ in range(3)]
        cases.append(
            {
                "document": document, "responses": responses, "plain": module.build_predictions([responses], [document])[0],
                "instruct": module.build_predictions_instruct([responses], [document])[0],
            }
        )
    passes = []
    for n, k in [(1, 1), (10, 1), (10, 5), (64, 2), (64, 32), (64, 64), (200, 100), (3, 3)]:
        for c in sorted({0, 1, n // 3, n // 2, n - 1, n}):
            passes.append([n, c, k, float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))])
    return {"cases": cases, "passes": passes}


OUT["humaneval"] = humaneval()


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ports.json")
with open(path, "w", encoding="utf-8") as file:
    json.dump(OUT, file, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    file.write("\n")
print(os.path.getsize(path), {key: len(json.dumps(value, ensure_ascii=False)) for key, value in OUT.items()})
