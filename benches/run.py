#!/usr/bin/env python3
"""Everything that docs/benchmarks.md shows, on this machine, in one go: Weft on both databases, and the peers beside it.

    scripts/with-postgres benches/run.py [--binary target/release/weft] [--peers VENV] [--full] [--json FILE]

Without --peers only Weft is measured; VENV is a virtual environment with benches/peers/requirements.txt. The workloads
run one after the other and never beside one another. --full maps over a million lines on Postgres too.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

# How long an idle server is watched: what follows a start, and the counting itself, must not weigh.
IDLE_SECONDS = 120

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def psql(url: str, statement: str) -> str:
    """One statement with the client that came with the server."""
    done = subprocess.run(["psql", "-XAtq", url, "-c", statement], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def database(url: str, name: str) -> str:
    """An empty database of the cluster."""
    psql(url, f"drop database if exists {name} with (force)")
    psql(url, f"create database {name}")
    return url.rsplit("/", 1)[0] + "/" + name


def flush_us(folder: str) -> float:
    """The median of fdatasync after an overwritten page: what no durable step can be faster than."""
    path = os.path.join(folder, "flush")
    file = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(file, b"\0" * 4096 * 64)
    os.fsync(file)
    taken = []
    for number in range(400):
        os.pwrite(file, b"\1" * 4096, 4096 * (number % 64))
        began = time.perf_counter()
        os.fdatasync(file)
        taken.append((time.perf_counter() - began) * 1e6)
    os.close(file)
    os.remove(path)
    return statistics.median(taken)


def machine(folder: str) -> dict:
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) / 1024 / 1024
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "memory_gib": round(memory, 1),
        "system": platform.system() + " " + platform.release(),
        "fdatasync_us": round(flush_us(folder)),
        "load_before": os.getloadavg()[0],
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def run_json(command: list[str], **environment: str) -> dict | None:
    say("==> " + " ".join(command))
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        say(f"    failed with {done.returncode}")
        return None
    return json.loads(done.stdout)


WORKLOADS = ("pure", "effects", "runs", "branches", "map", "file", "long", "hooks")


def engine(binary: str, scratch: str, url: str | None, lines: int) -> dict | None:
    """Each workload by itself, on a new database: one that fails is named and leaves the others."""
    whole = None
    for workload in WORKLOADS:
        command = [binary, "bench", "engine", "--json", "--only", workload, "--lines", str(lines), "--data-dir", scratch]
        command += ["--database-url", database(url, "weft_bench")] if url else []
        report = run_json(command)
        if report is not None:
            figures = (whole["figures"] if whole else []) + report["figures"]
            whole = {**report, "figures": figures}
    return whole


def figure(name: str, unit: str, taken: list[float], bar: float | None = None, at_most: bool = True) -> dict:
    worst = max(taken) if at_most else min(taken)
    met = None if bar is None else (worst <= bar if at_most else worst >= bar)
    middle = statistics.median(taken)
    return {
        "name": name, "unit": unit, "rounds": len(taken),
        "min": min(taken), "median": middle, "max": max(taken), "bar": bar, "met": met,
    }  # fmt: skip


@contextlib.contextmanager
def served(binary: str, folder: str, url: str | None):
    """A server; gives its process and how long it took until it was ready, in seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary, "serve", "--addr", f"127.0.0.1:{port}", "--data-dir", folder]
    command += ["--database-url", url] if url else []
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.perf_counter() - began > 30:
                    raise RuntimeError("the server did not start") from None
                time.sleep(0.005)
        yield process, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def resident_mib(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


def server(binary: str, scratch: str, url: str | None, seconds: int) -> list[dict]:
    """Start-up, and what the server takes while nobody asks for anything."""
    say(f"==> start-up and idle server on {'Postgres' if url else 'SQLite'}")
    folder = os.path.join(scratch, "server")
    shutil.rmtree(folder, ignore_errors=True)
    with served(binary, folder, url):  # makes the tables
        pass
    ready = []
    for _ in range(5):
        with served(binary, folder, url) as (_, taken):
            ready.append(taken)
    figures = [figure("start", "s to ready", ready, 1.0)]
    with served(binary, folder, url) as (process, _):
        time.sleep(10)  # what a start does is over
        count = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        before = int(psql(url, count)) if url else 0
        began = time.perf_counter()
        time.sleep(seconds)
        figures.append(figure("idle_memory", "MiB", [resident_mib(process.pid)], 60.0))
        if url:
            time.sleep(1)
            # The question itself is one.
            asked = int(psql(url, count)) - before - 1
            minutes = (time.perf_counter() - began) / 60
            figures.append(figure("idle_queries", "transactions a minute", [asked / minutes], 10.0))
    return figures


@contextlib.contextmanager
def held_snapshot(url: str):
    """A transaction that sees the database as it is now, for as long as it is wanted."""
    process = subprocess.Popen(["psql", "-XAtq", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write("begin isolation level repeatable read;\nselect count(*) from pg_class;\n")
    process.stdin.flush()
    process.stdout.readline()
    try:
        yield
    finally:
        process.stdin.close()
        process.wait(10)


def snapshot(binary: str, scratch: str, url: str) -> list[dict]:
    """Short runs with and without a snapshot held on the database, in turns."""
    say("==> a snapshot that is held")
    lost = []
    for _ in range(3):
        rates = {}
        for held in (False, True):
            empty = database(url, "weft_snapshot")
            command = [binary, "bench", "engine", "--json", "--only", "runs", "--rounds", "5", "--data-dir", scratch]
            with held_snapshot(empty) if held else contextlib.nullcontext():
                report = run_json([*command, "--database-url", empty])
            if report is None:
                return []
            rates[held] = report["figures"][0]["median"]
        lost.append((1 - rates[True] / rates[False]) * 100)
    return [figure("snapshot", "% of runs a second lost", lost, 5.0)]


def table(reports: list[dict]) -> None:
    names: dict[str, dict] = {}
    heads = [f"{report['engine']} {report['database']}" for report in reports]
    for head, report in zip(heads, reports, strict=True):
        for entry in report["figures"]:
            names.setdefault(f"{entry['name']} ({entry['unit']})", {})[head] = entry

    def show(entry: dict | None) -> str:
        if entry is None:
            return "–"
        number = lambda value: f"{value:.3f}" if value < 10 else f"{value:,.0f}"  # noqa: E731
        spread = f" ({number(entry['min'])}–{number(entry['max'])})" if entry["rounds"] > 1 else ""
        met = {True: " ✓", False: " ✗", None: ""}[entry.get("met")]
        return number(entry["median"]) + spread + met

    bars = {name: list(dict.fromkeys(f"{e['bar']:g}" for e in entries.values() if e.get("bar") is not None)) for name, entries in names.items()}
    print("| work | " + " | ".join(heads) + " | bar |")
    print("|---|" + "---|" * (len(heads) + 1))
    for name, entries in names.items():
        print(f"| {name} | " + " | ".join(show(entries.get(head)) for head in heads) + f" | {', '.join(bars[name])} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "target/release/weft"))
    parser.add_argument("--peers", help="a virtual environment with benches/peers/requirements.txt")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", help="where to write all figures")
    options = parser.parse_args()
    url = os.environ.get("WEFT_TEST_POSTGRES_URL")
    if not url:
        parser.error("run it behind scripts/with-postgres")
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as scratch:
        about = machine(scratch)
        say(json.dumps(about))
        reports = [
            engine(options.binary, scratch, None, 1_000_000),
            engine(options.binary, scratch, url, 1_000_000 if options.full else 100_000),
        ]
        for report, place in zip(reports, (None, "weft_server"), strict=True):
            if report is not None:
                report["figures"] += server(options.binary, scratch, place and database(url, place), IDLE_SECONDS)
        if reports[1] is not None:
            reports[1]["figures"] += snapshot(options.binary, scratch, url)
        if options.peers:
            python = os.path.join(options.peers, "bin", "python")
            for script, sizes in (
                ("langgraph_bench.py", ["--runs", "200", "--items", "500"]),
                ("dbos_bench.py", ["--runs", "200", "--items", "200", "--rounds", "3"]),
            ):
                for place in (None, "peer_" + script.split("_")[0]):
                    command = [python, str(HERE / "peers" / script), *sizes, "--data-dir", scratch]
                    command += ["--database-url", database(url, place)] if place else []
                    reports.append(run_json(command))
        about["load_after"] = os.getloadavg()[0]
        reports = [report for report in reports if report is not None]
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps({"machine": about, "reports": reports}, indent=2) + "\n", encoding="utf-8")
        print(f"{about['at']}: {about['cores']} cores of {about['processor']}, {about['memory_gib']} GiB, {about['system']}, "
              f"fdatasync {about['fdatasync_us']} µs, load {about['load_before']:.1f} before and {about['load_after']:.1f} after")
        table(reports)


if __name__ == "__main__":
    main()
