"""Runs Assay on what reference_runs.py ran, and prints both scores as a Markdown table.

    python3 reference_runs.py MODELS DATA    # writes tasks/ and reference.json beside itself, see there
    python3 compare.py PROGRAMS MODELS       # PROGRAMS: where assay and assay-worker are

Needs the PyPI package h5py. MODELS has the files that random_models.py writes, and smollm2.gguf, which dequantise.py writes;
names of models behind it choose those. Columns: lm-eval's score, Assay's, their difference (in percent from 1000 on), both
standard errors, samples whose value of the metric or generated text is another, and the largest difference of a
log-likelihood in nat per token. A second table adds them up, with the largest differences (as a share of scores above 1); the
exit status is 1 where a sample is another, or a difference is more than rounding.
"""

import json
import os
import subprocess
import sys
import tempfile

import h5py

HERE = os.path.dirname(os.path.abspath(__file__))


def job_file(model, runs):
    """One job for each run, in their order."""
    tasks = []
    for run in runs:
        settings = {"max_length": run["max_length"]} if run["max_length"] else {}
        if run["chat"]:
            settings |= {"chat_template": True, "fewshot_as_multiturn": True}
        entry = {"task": os.path.join(HERE, "tasks", run["file"]), "num_fewshot": run["shots"], "settings": settings}
        if run["limit"]:
            entry["limit"] = run["limit"]
        tasks.append(entry)
    return {"name": "comparison", "model": model, "tasks": tasks}


def largest_difference(path, run):
    """Of a sum of log-likelihoods, in nat per token; None where nothing was scored."""
    with h5py.File(path) as file:
        if "choices" not in file:
            return None
        starts, sums = file["index/choices"][:], file["choices/logprob_sum"][:]
        tokens = file["choices/n_tokens"][:]
    largest = None
    for number, sample in enumerate(run["samples"]):
        # Those of acc_mutual_info without their contexts come last in lm-eval, and are not among the results.
        count = starts[number + 1] - starts[number]
        for place, answer in enumerate(sample["responses"][:count]):
            expected = answer[0] if isinstance(answer, list) else answer
            row = starts[number] + place
            difference = abs(sums[row] - expected) / max(1, tokens[row])
            largest = max(largest or 0, difference)
    return largest


def values(path, column):
    with h5py.File(path) as file:
        return file["samples"][column][:]


def other_texts(path, run):
    """The samples whose generated text is another; none where nothing was generated."""
    if run["output_type"] != "generate_until":
        return set()
    with h5py.File(path) as file:
        ends, data = file["text/generation_offsets"][:], file["text/generation"][:].tobytes()
    texts = [data[start:end].decode() for start, end in zip(ends, ends[1:])]
    return {place for place, sample in enumerate(run["samples"]) if texts[place] != sample["responses"][0]}


class Totals:
    """What the rows of one model come to."""

    def __init__(self):
        self.runs = self.samples = self.scores = self.others = 0
        self.score = self.error = self.likelihood = 0

    def add(self, expected, ours, error, our_error, other):
        self.scores += 1
        self.others += other
        self.score = max(self.score, relative(ours, expected))
        if error is not None:
            self.error = max(self.error, relative(our_error, error))

    def row(self, name):
        return (
            f"| {name} | {self.runs} | {self.samples} | {self.scores} | {self.others} | {self.score:.1e} | {self.error:.1e} "
            f"| {self.likelihood:.1e} |")

    @property
    def is_equal(self):
        return self.others == 0 and self.score < 1e-4 and self.error < 1e-4 and self.likelihood < 5e-5


def relative(ours, expected):
    """The difference, as a share of what is more than 1."""
    return float("inf") if ours is None else abs(ours - expected) / max(1, abs(expected))


def number(value):
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.1f}" if abs(value) < 1e6 else f"{value:.4e}"


def main(programs, models, *names):
    with open(os.path.join(HERE, "reference.json"), encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"ASSAY_HOME": home, "ASSAY_STORE": f"{home}/store"}

        def assay(*arguments):
            command = [os.path.join(programs, "assay"), *arguments]
            return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

        totals = {}
        print("| model | task | metric | lm-eval | ours | difference | SE: lm-eval | ours | other samples | nat per token |")
        print("|---|---|---|---:|---:|---:|---:|---:|---:|---:|")
        assay("up")
        try:
            assay("store", "create", f"{home}/store")
            for name in names or dict.fromkeys(run["model"] for run in runs):
                chosen = [run for run in runs if run["model"] == name]
                assay("model", "add", name, os.path.join(models, f"{name}.gguf"))
                path = os.path.join(home, "job.json")
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(job_file(name, chosen), file)
                answer = json.loads(assay("run", path, "--json"))
                with open(os.path.join(answer["report"], "report.json"), encoding="utf-8") as file:
                    report = json.load(file)
                totals[name] = show(chosen, report, f"{home}/store")
        finally:
            assay("down")
    print("\n| model | runs | samples | scores | other samples | score | standard error | nat per token |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, total in totals.items():
        print(total.row(name))
    raise SystemExit(0 if all(total.is_equal for total in totals.values()) else 1)


def show(runs, report, store):
    totals, scores = Totals(), {}
    for score in report["scores"]:
        metric = score["column"] if "," in score["column"] else score["column"] + ",none"
        scores[int(score["job"].split(".")[1]), metric] = score
    files = {int(job["job"].split(".")[1]): os.path.join(store, job["results"]) for job in report["jobs"]}
    for number_of_run, run in enumerate(runs):
        name = f"{run['task']}, {run['shots']}-shot" + (", chat" if run["chat"] else "")
        if run["max_length"]:
            name += f", {'windows of' if run['output_type'] == 'loglikelihood_rolling' else 'at most'} {run['max_length']} tokens"
        path = files[number_of_run]
        texts = other_texts(path, run)
        largest = largest_difference(path, run)
        totals.runs += 1
        totals.samples += len(run["samples"])
        totals.likelihood = max(totals.likelihood, largest or 0)
        for metric, expected in run["results"].items():
            if "_stderr" in metric:
                continue
            score = scores[number_of_run, metric]
            title, filter_name = metric.split(",")
            error = run["results"].get(f"{title}_stderr,{filter_name}")
            ours = score["standard_error"]
            found = values(path, score["column"])
            other = "-"
            if all(isinstance(sample["metrics"].get(metric), (int, float)) for sample in run["samples"]):
                pairs = zip(run["samples"], found)
                differ = [abs(sample["metrics"][metric] - value) > 1e-3 * max(1, abs(value)) for sample, value in pairs]
                other = sum(is_other or place in texts for place, is_other in enumerate(differ))
            elif run["output_type"] == "generate_until":
                other = len(texts)
            error = None if error == "N/A" else error
            totals.add(expected, score["value"], error, ours, 0 if other == "-" else other)
            spread = ["-", "-"] if error is None else [number(error), "-" if ours is None else number(ours)]
            likelihood = "-" if largest is None else f"{largest:.1e}"
            filter_shown = "" if filter_name == "none" else f" ({filter_name})"
            difference = score["value"] - expected
            shown = f"{difference:+.1e}" if abs(expected) < 1000 else f"{100 * difference / expected:+.1e} %"
            print(
                f"| {run['model']} | {name} | {title}{filter_shown} | {number(expected)} | {number(score['value'])} | {shown} "
                f"| {spread[0]} | {spread[1]} | {other} | {likelihood} |")
    return totals


main(*sys.argv[1:])
