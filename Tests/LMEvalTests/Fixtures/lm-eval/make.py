"""Makes expected.json beside this file from lm-evaluation-harness itself.

    python3 -m venv venv && venv/bin/pip install lm-eval==0.4.13 && venv/bin/python make.py

For each task file here: the prompts and continuations that lm-eval builds, and the scores that it gives the answers in
answers.json. Then tokens and windows with a toy tokenizer, regular expressions, and Jinja templates.
"""

import json
import os
import random
import re
import sys

import jinja2
import numpy as np
import yaml
from lm_eval.api import metrics as lm_metrics
from lm_eval.api.instance import Instance
from lm_eval.api.metrics import bits_per_byte, exact_match_hf_evaluate, perplexity, weighted_perplexity
from lm_eval.api.model import TemplateLM
from lm_eval.api.samplers import ContextSampler
from lm_eval.api.task import ConfigurableTask
from lm_eval.utils import apply_template, get_rolling_token_windows, make_disjoint_window

os.chdir(os.path.dirname(os.path.abspath(__file__)))
answers = json.load(open("answers.json"))


def run_task(name):
    task = ConfigurableTask(config=yaml.safe_load(open(f"{name}.yaml")))
    documents = list(task.eval_docs)
    task.build_all_requests()
    by_document = {}
    for instance in task.instances:
        by_document.setdefault(instance.doc_id, []).append(instance)
    samples = []
    for number, document in enumerate(documents):
        instances = by_document[number]
        answer = answers[name][number]
        for index, instance in enumerate(instances):
            if task.OUTPUT_TYPE == "generate_until":
                instance.resps = [answer]
            elif task.OUTPUT_TYPE == "loglikelihood_rolling":
                instance.resps = [answer]
            else:
                value = answer[index] if isinstance(answer, list) else answer
                instance.resps = [(value, value > -3)]
    task.apply_filters()
    for number, document in enumerate(documents):
        instances = by_document[number]
        scores = {}
        for key in instances[0].filtered_resps:
            results = task.process_results(document, [i.filtered_resps[key] for i in instances])
            for metric, value in results.items():
                column = metric if key == "none" else f"{metric},{key}"
                scores[column] = list(map(float, value)) if isinstance(value, tuple) else [float(value), 1.0]
        arguments = [list(i.args) for i in instances]
        if task.OUTPUT_TYPE == "generate_until":
            arguments = [[a[0]] for a in arguments]
        samples.append({"requests": arguments, "scores": scores})
    return samples


class ToyTokenizer:
    """The longest entry of the vocabulary that fits, else one token for each code point."""

    words = ["the", " the", "he", " c", "cat", " cat", "at", "s ", " s", "  ", "\n", "\n\n", "a:", ": ", ":", "ar", " a"]
    prefix = 1

    def encode(self, text, special):
        tokens = [self.prefix] if special else []
        while text:
            word = max((w for w in self.words if text.startswith(w)), key=len, default=None)
            if word is None:
                tokens.append(1000 + ord(text[0]))
                text = text[1:]
            else:
                tokens.append(10 + self.words.index(word))
                text = text[len(word):]
        return tokens


class ToyModel(TemplateLM):
    def __init__(self, adds_prefix):
        super().__init__()
        self.adds_prefix = adds_prefix
        self.pairs = []

    eot_token_id = 2
    prefix_token_id = 1

    def tok_encode(self, string, add_special_tokens=None, **kwargs):
        return ToyTokenizer().encode(string, self.adds_prefix if add_special_tokens is None else add_special_tokens)

    def _loglikelihood_tokens(self, requests, **kwargs):
        self.pairs = [(context, continuation) for _, context, continuation in requests]
        return []

    def loglikelihood_rolling(self, requests, disable_tqdm=False):
        raise NotImplementedError

    def generate_until(self, requests, disable_tqdm=False):
        raise NotImplementedError


def tokenized():
    cases = []
    texts = [
        ("the cat", " sat"), ("the ca", "t"), ("the cat ", "s"), ("the\n\n", " the"), ("", "the cat"), ("", " the"),
        ("Question: a", ": the"), ("x \u00a0 ", "y"), ("the cat " * 6, "at the"), ("é", "ü"),
    ]
    for adds_prefix in (False, True):
        for context, continuation in texts:
            model = ToyModel(adds_prefix)
            model.loglikelihood([Instance("loglikelihood", {}, (context, continuation), 0)], disable_tqdm=True)
            ((head, tail),) = model.pairs
            for length in (4, 64):
                if not 0 < len(tail) <= length:
                    continue
                # What models/huggingface.py feeds, with the last token, which it predicts.
                tokens = (head + tail)[-(length + 1) :]
                cases.append({
                    "adds_prefix": adds_prefix, "context": context, "continuation": continuation, "length": length,
                    "tokens": tokens, "scored": len(tail),
                })
    return cases


def windows():
    cases = []
    for count in range(0, 24):
        for length in (1, 2, 3, 5, 8, 30):
            found = []
            for pair in get_rolling_token_windows(list(range(100, 100 + count)), 1, length, 1):
                head, tail = make_disjoint_window(pair)
                found.append({"tokens": head + tail, "scored": len(tail)})
            cases.append({"count": count, "length": length, "windows": found})
    return cases


def regexes():
    patterns = [
        r"#### (\-?[0-9\.\,]+)", r"(-?[$0-9.,]{2,})|(-?[0-9]+)", r"(?s).*#### ", r"\.$", r"\$", ",", r"\b(\w+)\b", r"a*",
        r"(a|ab)(c|bcd)(d*)", r"(?i)answer:\s*\(?([A-D])\)?", r"^(.*)$", r"(?m)^(.*)$", r"[^\W\d_]+", r"(?<=\$)\d+",
        r"(?<!\d)-?\d+(?!\d)", r"(\w)\1", r"(?P<x>a+)(?P=x)", r"x{2,3}?", r"x{,2}y", r"{x}", r"[]a-]+", r"(a*)*b", r"(|a)+",
        r"\d+\Z", r"[\s\S]", r".", r"(?:the|it) answer is (.+?)\.", r"\\boxed\{(.*)\}", r"é+", r"[à-ü]", r"(?i)É",
        r"(a)|(b)", r"\A\s*", r"[\d,]+(?:\.\d+)?", r"(?=(\d\d))", r"[.,;:!?]+$",
    ]
    texts = [
        "", "The answer is 42.", "#### -1,234.5\n", "#### 1 #### 2", "$12 and $3.50, or 7", "aaabbb", "abcd", "Answer: (b)",
        "answer:C\nANSWER: d", "line one\nline two\n", "xxxxy {x} []-a", "été É éé", "12,345.67 089", "\\boxed{a{b}c} .",
        "a.b.c.", "tail.\n", "日本 の 12", "no digits", "-5--6", "aab", "  lead\u00a0\u2003x",
    ]
    return [
        {
            "pattern": pattern, "text": text,
            "found": [list(m) if isinstance(m, tuple) else [m] for m in re.findall(pattern, text)],
            "removed": re.sub(pattern, "", text),
        }
        for pattern in patterns for text in texts
    ]


def templates():
    document = {
        "s": "  The é Cat\n", "n": 3, "f": 0.5, "big": 1e16, "b": True, "z": None, "l": ["x", "y's", 1, 2.0, None],
        "o": {"k": "v", "items": [1]}, "rows": [{"n": 2, "t": "b"}, {"n": 1, "t": "a"}], "e": [], "d": "12",
    }
    sources = [
        "{{ s }}|{{ n }}|{{ f }}|{{ big }}|{{ b }}|{{ z }}|{{ l }}|{{ o }}", "{{ s.strip() }}", "{{ s|trim|length }}",
        "a\n  {% if b %}\n  yes\n  {% endif %}\n", "a\n  {%- if b -%}\n  yes\n  {%- endif %} b\n\n", "{# c #}x{#- d -#} y",
        "{{ l[0] }}{{ l[-1] }}{{ l[1:3] }}{{ l[::-1] }}{{ s[2:5] }}{{ s[-3:] }}", "{{ n + 1 }}{{ n / 2 }}{{ n * 'ab' }}{{ -n % 2 }}",
        "{% for r in rows|sort(attribute='n') %}{{ loop.index }}{{ r.t }}{% if not loop.last %},{% endif %}{% endfor %}",
        "{% for k, v in o.items() %}{{ k }}:{{ v }} {% endfor %}", "{% for x in e %}x{% else %}empty{% endfor %}",
        "{% set a = 1 %}{% for x in [1, 2] %}{% set a = a + x %}{{ a }}{% endfor %}{{ a }}",
        "{% set ns = namespace(t=0) %}{% for r in rows %}{% set ns.t = ns.t + r.n %}{% endfor %}{{ ns.t }}",
        "{{ rows|map(attribute='t')|join('-') }} {{ rows|selectattr('n', 'gt', 1)|map(attribute='t')|list }}",
        "{{ missing|default('none') }}{{ missing is defined }}{{ o.k is defined }}{{ o.q is defined }}",
        "{{ 'yes' if n > 2 and b else 'no' }}", "{{ 'x' in l }}{{ 'z' not in l }}{{ 'C' in s }}{{ 'k' in o }}",
        "{{ d|int + 1 }}{{ 'q'|int }}{{ d|float }}{{ '3.7'|int }}", "{{ [1, 2] + [3] }}{{ (1, 2) }}{{ {'a': 1} }}",
        "{{ 'a' ~ n ~ f ~ z }}", "{{ l|string }}{{ n|string + 'x' }}", "{{ 'a,b,c'.split(',')[1] }}{{ 'a  b'.split() }}",
        "{{ 'aXbX'.replace('X', '-') }}{{ 'aXbX'|replace('X', '-', 1) }}", "{{ ['A', 'B'].index('B') }}{{ 'hello'.find('l') }}",
        "{{ o['items'] }}{{ o.k }}", "{{ 2.5|round }}{{ 3.14159|round(2) }}{{ 7|abs }}", "{{ range(5)|list }}{{ range(1, 9, 3)|list }}",
        "{{ 'abc'|upper }}{{ 'ABC'.lower() }}{{ 'hELLO'|capitalize }}", "{{ [3, 1, 2]|sort }}{{ ['b', 'A']|sort }}{{ [1, 2]|sum }}",
        "{{ n is odd }}{{ n is divisibleby 3 }}{{ z is none }}{{ s is string }}{{ l is iterable }}", "{{ 'x'.startswith('x') }}",
        "{% set t %}in {{ n }}{% endset %}{{ t }}", "{% raw %}{{ n }}{% endraw %}", "{{ l|first }}{{ l|last }}{{ l|length }}",
        "{% if n == 3 %}a{% elif n == 4 %}b{% else %}c{% endif %}", "{{ 1 == 1.0 }}{{ '1' == 1 }}{{ [1] == [1] }}{{ none == z }}",
        "{{ rows[0]['t'] }}{{ rows[0].t }}", "{{ '%' }}{{ 'it\\'s' }}{{ \"q\\\"\" }}", "{{ 0.1 + 0.2 }} {{ 1 / 3 }} {{ 2 }}",
    ]
    cases = []
    for source in sources:
        try:
            cases.append({"template": source, "expected": apply_template(source, document)})
        except Exception as error:  # Left out: what Jinja refuses needs no parity.
            print(f"left out {source!r}: {error}", file=sys.stderr)
    return {"document": document, "cases": cases}


def exact_matches():
    cases = []
    options = [
        {}, {"ignore_case": True}, {"ignore_punctuation": True}, {"ignore_numbers": True},
        {"regexes_to_ignore": [",", "\\$", "(?s).*#### ", "\\.$"], "ignore_case": True},
    ]
    for prediction, target in [
        ("a", "a"), ("A", "a"), ("a!", "a"), ("a1", "a"), ("1,234", "1234"), ("$5.", "5"), ("5.0", "5"), (" a", "a"), ("É", "é"),
        ("x #### 5", "#### 5"), ("e\u0301", "\u00e9"), ("", ""),
    ]:
        for option in options:
            score = exact_match_hf_evaluate(predictions=[prediction], references=[target], **option)["exact_match"]
            cases.append({"prediction": prediction, "target": target, "options": option, "score": float(score)})
    return cases


def random_numbers():
    cases = []
    for seed in (0, 1234, 2**32 - 1, 2**40 + 5):
        rnd = random.Random(seed)
        case = {"seed": seed, "words": [rnd.getrandbits(32) for _ in range(700)], "units": [rnd.random() for _ in range(5)]}
        sizes = [(0, 0), (1, 1), (5, 21), (5, 22), (5, 1000), (6, 85), (6, 86), (21, 300), (22, 30), (25, 25), (3, 100000)]
        case["samples"] = [[count, size, rnd.sample(range(size), count)] for count, size in sizes]
        case["choices"] = rnd.choices(range(7), k=20)
        cases.append(case)
    return cases


def draws():
    cases = []
    for pool in ([f"t{i}" for i in range(40)], ["a", "b", "a", "c", "a", "d", "b"], [f"t{i % 9}" for i in range(60)]):
        for drops_own in (False, True):
            documents = [{"q": text} for text in pool]
            sampler = ContextSampler(documents, rnd=1234)
            drawn = [sampler.sample(3, eval_doc=document if drops_own else None) for document in documents]
            cases.append({
                "pool": pool, "count": 3, "drops_own": drops_own, "drawn": [[d["q"] for d in shots] for shots in drawn],
            })
    return cases


def metric_values():
    os.environ["DISABLE_MULTIPROC"] = "1"
    rnd = random.Random(5)
    classes = lambda count, end: [(rnd.randrange(end), rnd.randrange(end)) for _ in range(count)]
    words = "the cat sat on a mat with two big dogs , while it rained .".split()
    sentences = [
        (" ".join(rnd.choices(words, k=rnd.randint(3, 12))), " ".join(rnd.choices(words, k=rnd.randint(3, 12))))
        for _ in range(20)
    ]
    cases = []
    for aggregation, rows, iterations in [
        ("median", [rnd.random() for _ in range(30)], 2000), ("perplexity", [-9 * rnd.random() for _ in range(30)], 3000),
        ("f1", classes(40, 2), 2000), ("matthews_corrcoef", classes(40, 2), 2000), ("matthews_corrcoef", classes(50, 4), 1000),
        ("bleu", sentences, 100), ("chrf", sentences, 100), ("chrf++", sentences, 100), ("ter", sentences, 100),
    ]:
        function = lm_metrics.AGGREGATION_REGISTRY[aggregation] if hasattr(lm_metrics, "AGGREGATION_REGISTRY") else None
        function = function or getattr(lm_metrics, {"f1": "f1_score", "chrf++": "chrfpp"}.get(aggregation, aggregation))
        error = lm_metrics.bootstrap_stderr(function, rows, iterations)
        cases.append({
            "aggregation": aggregation, "rows": rows, "score": float(function(rows)), "stderr": float(error),
            "iterations": iterations,
        })
    return cases


def calibration():
    cases = []
    rnd = random.Random(3)
    for count in (4, 15, 16, 100):
        samples = [(rnd.random(), rnd.randrange(2)) for _ in range(count)]
        ordered = np.array(sorted(samples))
        bins = np.array_split(ordered, min(15, count))
        error = sum(abs(b[:, 0].mean() - b[:, 1].mean()) * len(b) for b in bins) / count
        cases.append({"samples": samples, "ece": float(error)})
    return cases


def chat_templates():
    """As transformers compiles chat templates: trim_blocks, lstrip_blocks, undefined values are empty."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    messages = [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "  Hi\n"},
        {"role": "assistant", "content": "Hello <b>"}, {"role": "user", "content": "é?"},
    ]
    variables = {"messages": messages, "add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>"}
    sources = [
        "{% for m in messages %}\n  {{ m.role }}: {{ m.content | trim }}\n  {% endfor %}\nend\n",
        "{{ bos_token }}{% for m in messages %}\n{% if m['role'] == 'user' %}\n[INST] {{ m['content'] }} [/INST]\n"
        "{% elif loop.first %}\n<<SYS>>{{ m.content }}<</SYS>>\n{% else %}\n {{ m.content }}{{ eos_token }}\n{% endif %}\n"
        "{% endfor %}",
        "  {%- if tools %}tools{% endif -%}  x {{ tools }}|{{ missing }}|{{ missing is defined }}|{{ tools is not none }}",
        "a\n    {%+ if true %}kept{% endif +%}\n  b\n", "\t{# comment #}\n\tafter\n", "x {{ bos_token }}\n  {% set y = 1 %}\n{{ y }}\n",
        "{%- macro turn(m, mark='#') %}\n  {{ mark }}{{ m.role }}\n{% endmacro %}\n{% for m in messages %}{{ turn(m) }}"
        "{{ turn(m, mark='!') }}{% endfor %}",
        "{% set ns = namespace(system='') %}{% for m in messages if m.role == 'system' %}{% set ns.system = m.content %}"
        "{% endfor %}{{ ns.system }}{% for m in messages[1:] %}{{ loop.index0 }}{{ m.content }}{% endfor %}",
        "{% raw %}{{ x }}\n{% endraw %}\n  {% if not missing %}  yes  {% endif %}\n", "{% for x in missing %}x{% else %}none{% endfor %}",
        "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ ('a' ~ missing) == 'a' }}",
        "{% if messages[0]['role'] == 'system' %}\n    {% set rest = messages[1:] %}\n{% endif %}\n{{ rest | length }}",
    ]
    return {
        "variables": variables,
        "cases": [{"template": s, "expected": environment.from_string(s).render(**variables)} for s in sources],
    }


values, weights = [-3.5, -12.25, -0.5, -7.75], [4, 11, 1, 9]
pairs = list(zip(values, weights))
expected = {
    "tasks": {name: run_task(name) for name in answers},
    "tokenized": tokenized(),
    "windows": windows(),
    "regexes": regexes(),
    "templates": templates(),
    "exact_matches": exact_matches(),
    "chat_templates": chat_templates(),
    "random": random_numbers(),
    "draws": draws(),
    "metrics": metric_values(),
    "calibration": calibration(),
    "aggregations": {
        "values": values, "weights": weights, "perplexity": perplexity(values),
        "weighted_perplexity": weighted_perplexity(pairs), "bits_per_byte": bits_per_byte(pairs),
    },
}
with open("expected.json", "w") as file:
    json.dump(expected, file, ensure_ascii=False)
    file.write("\n")
