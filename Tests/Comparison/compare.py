"""Runs Assay on what reference_runs.py ran, and prints both scores as a Markdown table.

    python3 reference_runs.py FOLDER DATA    # writes tasks/ and reference.json beside itself, see there
    python3 compare.py PROGRAMS MODEL.gguf   # PROGRAMS: where assay and assay-worker are; MODEL: what dequantise.py wrote

Needs the PyPI package h5py. Columns: lm-eval's score and standard error, Assay's, the differences of both, samples whose
value of the metric is another, and the largest difference of a log-likelihood in nat per token.
"""

import json
import os
import subprocess
import sys
import tempfile

import h5py

HERE = os.path.dirname(os.path.abspath(__file__))


def job_file(runs):
    """One job for each run, in their order."""
    tasks = []
    for run in runs:
        settings = {"max_length": run["max_length"]}
        if run["chat"]:
            settings |= {"chat_template": True, "fewshot_as_multiturn": True}
        entry = {"task": os.path.join(HERE, "tasks", run["file"]), "num_fewshot": run["shots"], "settings": settings}
        if run["limit"]:
            entry["limit"] = run["limit"]
        tasks.append(entry)
    return {"name": "comparison", "model": "reference", "tasks": tasks}


def largest_difference(path, run):
    """Of a sum of log-likelihoods, in nat per token; None where nothing was scored."""
    with h5py.File(path) as file:
        if "choices" not in file:
            return None
        starts, sums = file["index/choices"][:], file["choices/logprob_sum"][:]
        tokens = file["choices/n_tokens"][:]
    largest = None
    for number, sample in enumerate(run["samples"]):
        for place, answer in enumerate(sample["responses"]):
            if isinstance(answer, str):
                continue
            expected = answer[0] if isinstance(answer, list) else answer
            row = starts[number] + place
            difference = abs(sums[row] - expected) / tokens[row]
            largest = max(largest or 0, difference)
    return largest


def values(path, column):
    with h5py.File(path) as file:
        return file["samples"][column][:]


def number(value):
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.1f}"


def main(programs, model):
    with open(os.path.join(HERE, "reference.json"), encoding="utf-8") as file:
        runs = json.load(file)["runs"]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"ASSAY_HOME": home, "ASSAY_STORE": f"{home}/store"}

        def assay(*arguments):
            command = [os.path.join(programs, "assay"), *arguments]
            return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

        assay("up")
        try:
            assay("model", "add", "reference", model)
            path = os.path.join(home, "job.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(job_file(runs), file)
            answer = json.loads(assay("run", path, "--json"))
            with open(os.path.join(answer["report"], "report.json"), encoding="utf-8") as file:
                report = json.load(file)
            show(runs, report, f"{home}/store")
        finally:
            assay("down")


def show(runs, report, store):
    print("| task | metric | lm-eval | ours | difference | SE: lm-eval | ours | other samples | nat per token |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    scores = {}
    for score in report["scores"]:
        metric = score["column"] if "," in score["column"] else score["column"] + ",none"
        scores[int(score["job"].split(".")[1]), metric] = score
    files = {int(job["job"].split(".")[1]): os.path.join(store, job["results"]) for job in report["jobs"]}
    for number_of_run, run in enumerate(runs):
        name = f"{run['task']}, {run['shots']}-shot" + (", chat" if run["chat"] else "")
        if run["max_length"] != 8192:
            name += f", windows of {run['max_length']}"
        path = files[number_of_run]
        largest = largest_difference(path, run)
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
                other = sum(abs(sample["metrics"][metric] - value) > 1e-3 * max(1, abs(value)) for sample, value in pairs)
            spread = ["-", "-"] if error in (None, "N/A") else [number(error), number(ours) if ours is not None else "-"]
            likelihood = "-" if largest is None else f"{largest:.1e}"
            filter_shown = "" if filter_name == "none" else f" ({filter_name})"
            print(
                f"| {name} | {title}{filter_shown} | {number(expected)} | {number(score['value'])} "
                f"| {score['value'] - expected:+.1e} | {spread[0]} | {spread[1]} | {other} | {likelihood} |")


main(*sys.argv[1:])
