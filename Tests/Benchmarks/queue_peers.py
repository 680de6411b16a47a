#!/usr/bin/env python3
"""Drains the same number of jobs through Assay, pgqueuer and procrastinate, on one stock PostgreSQL in one run.

Usage: Tests/Benchmarks/queue_peers.py [--jobs 30000] [--rounds 5]

Makes a virtual environment with pinned peers and a private cluster with initdb's settings (fsync on) in a temporary
folder; needs `swift build -c release`. Every result of Assay is a fenced, durable commit of a row per shard; pgqueuer runs
its own tools/benchmark.py (strategy drain, batch 10) from its sdist; procrastinate gets one worker over a deferred batch,
a tenth of the jobs because it is that much slower. 30,000 jobs suit pgqueuer best: at 50,000 its rate falls to a third.
Rounds are interleaved; medians and ratios are printed.
"""

import argparse
import asyncio
import json
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

PEERS = ["pgqueuer[asyncpg]==1.6.0", "procrastinate==3.10.0", "psycopg[binary,pool]", "typer", "tabulate", "tqdm", "uvloop"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH = 10


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


def peers(folder):
    """An interpreter that has the peers, and pgqueuer's own benchmark."""
    python = folder / "venv/bin/python"
    run(sys.executable, "-m", "venv", folder / "venv")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS)
    run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, PEERS[0].replace("[asyncpg]", ""))
    with tarfile.open(next(folder.glob("pgqueuer-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return python, next(folder.glob("pgqueuer-*/tools/benchmark.py"))


class Server:
    """A private cluster as initdb makes it, on a Unix socket; run as postgres when started by root."""

    def __init__(self, folder):
        self.folder = folder
        self.programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        self.call("initdb", "-D", folder / "data", "-A", "trust", "-U", self.user)
        self.call("pg_ctl", "-D", folder / "data", "-o", f"-k {folder} -c listen_addresses=''", "-l", folder / "log", "-w", "start")

    def call(self, program, *arguments):
        as_owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        run(*as_owner, self.programs / program, *arguments, stdout=subprocess.DEVNULL, cwd=self.folder)

    def environment(self, database):
        self.call("createdb", "-h", self.folder, "-U", self.user, database)
        return os.environ | {
            "PGHOST": str(self.folder), "PGUSER": self.user, "PGDATABASE": database,
            "ASSAY_DATABASE_URL": f"host={self.folder} user={self.user} dbname={database}",
        }

    def stop(self):
        self.call("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")


def assay(binary, environment, jobs, claimers):
    out = run(
        binary, "bench", "queue", "--shards", jobs, "--jobs", 100, "--projects", 20, "--batch", BATCH, "--claimers", claimers,
        "--drain", "--rounds", 1, "--json", env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.loads(out)[0]["drainedPerSecond"]


def pgqueuer(python, script, environment, jobs, folder):
    result = folder / "pgqueuer.json"
    run(python, script, "-d", "apg", "-s", "drain", "--jobs", jobs, "--dequeue-batch-size", BATCH, "--output-json", result,
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(result.read_text())["rate"]


PROCRASTINATE = """
import asyncio, sys, time
import procrastinate
app = procrastinate.App(connector=procrastinate.PsycopgConnector())
@app.task(name="nothing")
async def nothing(): pass
async def main(count):
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        for start in range(0, count, 1000):
            await nothing.batch_defer_async(*[{} for _ in range(min(1000, count - start))])
        begun = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=10, install_signal_handlers=False, listen_notify=False)
        print(count / (time.perf_counter() - begun))
asyncio.run(main(int(sys.argv[1])))
"""


def procrastinate(python, environment, jobs):
    return float(run(python, "-c", PROCRASTINATE, jobs, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--claimers", type=int, default=8)
    options = parser.parse_args()
    binary = ROOT / ".build/release/assay"
    if not binary.exists():
        sys.exit(f"{binary} is missing: run `swift build -c release` first")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-peers-", dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "server").mkdir()
    server = None
    try:
        python, script = peers(folder)
        server = Server(folder / "server")
        environments = {name: server.environment(name) for name in ["assay", "pgqueuer", "procrastinate"]}
        run(python, "-m", "pgqueuer", "install", env=environments["pgqueuer"], stdout=subprocess.DEVNULL)
        run(python, "-m", "pgqueuer", "autovac", env=environments["pgqueuer"], stdout=subprocess.DEVNULL)
        rates = {name: [] for name in environments}
        for number in range(options.rounds):
            rates["assay"].append(assay(binary, environments["assay"], options.jobs, options.claimers))
            rates["pgqueuer"].append(pgqueuer(python, script, environments["pgqueuer"], options.jobs, folder))
            rates["procrastinate"].append(procrastinate(python, environments["procrastinate"], options.jobs // 10))
            print(f"round {number + 1}: " + ", ".join(f"{name} {values[-1]:,.0f} jobs/s" for name, values in rates.items()), flush=True)
        own = statistics.median(rates["assay"])
        for name, values in rates.items():
            middle = statistics.median(values)
            print(f"{name:14} median {middle:10,.0f} jobs/s   assay is {own / middle:6.2f} times as fast")
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
