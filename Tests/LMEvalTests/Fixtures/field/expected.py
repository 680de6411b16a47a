"""Asks lm-eval for the prompts of cases.json, in place: task files and rows from the field on which tools like this one failed.

    python3 expected.py

Needs the PyPI packages lm-eval 0.4.13 and datasets 5.2.0. Each case is {"name", "task", "files": {name: text}}, to which
"prompts" is added, or "refused" with the kind of error.
"""

import contextlib
import io
import json
import logging
import os
import tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
temporary = tempfile.TemporaryDirectory()
os.environ["HF_DATASETS_CACHE"] = temporary.name
import datasets

datasets.disable_progress_bar()
datasets.disable_caching()
logging.disable(logging.CRITICAL)
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

HERE = os.path.dirname(os.path.abspath(__file__))


def prompts(folder, name):
    config = load_yaml(os.path.join(folder, name), resolve_func=True)
    config.pop("include", None)
    where = lambda given: [os.path.join(folder, file) for file in ([given] if isinstance(given, str) else given)]
    options = config.get("dataset_kwargs") or {}
    if "data_dir" in options:
        options["data_dir"] = os.path.join(folder, options["data_dir"])
    if isinstance(files := options.get("data_files"), dict):
        options["data_files"] = {split: where(given) for split, given in files.items()}
    elif files is not None:
        options["data_files"] = where(files)
    task = ConfigurableTask(config=config)
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    found = {}
    for request in task.instances:
        # The first request of each row, with what is scored.
        text = request.args[0] if request.request_type == "generate_until" else "".join(request.args)
        found.setdefault(request.doc_id, text)
    return [found[row] for row in sorted(found)]


def main():
    path = os.path.join(HERE, "cases.json")
    with open(path) as file:
        cases = json.load(file)
    for case in cases:
        case.pop("prompts", None), case.pop("refused", None)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(
            io.StringIO()
        ):
            for name, text in case["files"].items():
                with open(os.path.join(folder, name), "w", newline="") as file:
                    file.write(text)
            try:
                case["prompts"] = prompts(folder, case["task"])
            except Exception as error:
                while error.__cause__ is not None:
                    error = error.__cause__
                case["refused"] = type(error).__name__
    with open(path, "w") as file:
        json.dump(cases, file, indent=1, ensure_ascii=True)
        file.write("\n")


main()
