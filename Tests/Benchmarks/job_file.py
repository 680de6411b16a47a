#!/usr/bin/env python3
"""Reads a job's file beside one contiguous file with the same content, and prints medians and ratios.

Usage: Tests/Benchmarks/job_file.py [--samples 1000000] [--shards 10000] [--rounds 21] [--folder /tmp] [--assay PROGRAM]

Needs h5py, and `swift build -c release`. `assay bench store` makes the job; the other file holds the same column, or all of
/samples, as h5py writes it contiguously. Both are in the page cache, each round opens both anew, in turn; the limit on
open files is 256.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

import h5py

ROOT = pathlib.Path(__file__).resolve().parents[2]


def columns(file):
    """The data sets of /samples."""
    found = []
    file["samples"].visititems(
        lambda name, item: found.append("samples/" + name) if isinstance(item, h5py.Dataset) else None)
    return found


def seconds(path, names):
    start = time.perf_counter()
    with h5py.File(path) as file:
        for name in names:
            file[name][:]
    return time.perf_counter() - start


def compare(job, plain, names, rounds):
    """Medians of both, in milliseconds; a first reading of each is not counted."""
    times = ([], [])
    for round in range(rounds + 1):
        for place, path in enumerate((job, plain)):
            taken = seconds(path, names)
            if round > 0:
                times[place].append(1000 * taken)
    return [statistics.median(values) for values in times]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--assay", default=ROOT / ".build/release/assay")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-job-file-", dir=options.folder))
    try:
        answer = json.loads(
            subprocess.run(
                [options.assay, "bench", "store", folder / "store", "--keep", "--json", "--samples", str(options.samples),
                 "--shards", str(options.shards)], check=True, text=True, stdout=subprocess.PIPE).stdout)
        print(json.dumps({name: answer[name] for name in answer if name != "jobFile"}))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        job, plain = answer["jobFile"], folder / "plain.h5"
        with h5py.File(job) as file, h5py.File(plain, "w") as copy:
            names = columns(file)
            for name in names:
                copy.create_dataset(name, data=file[name][:])
            mean = file["samples/acc"][:].mean()
        os.sync()
        print(f"mean of acc over {options.samples} samples: {mean:.6f}")
        for title, chosen in (("acc", ["samples/acc"]), ("all of /samples", names)):
            ours, theirs = compare(job, plain, chosen, options.rounds)
            print(f"{title}: {ours:.2f} ms, contiguous {theirs:.2f} ms, ratio {ours / theirs:.3f}")
    finally:
        shutil.rmtree(folder)


main()
