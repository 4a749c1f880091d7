"""What both scripts share: rounds of a measurement, and the JSON that `weft bench engine --json` prints as well."""

import argparse
import json
import os
import statistics
import sys
import time


def arguments(engine: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"The engine workloads of docs/benchmarks.md on {engine}.")
    parser.add_argument("--database-url", help="postgres://…; without it a new SQLite file in --data-dir")
    parser.add_argument("--data-dir", default="weft-data", help="where the SQLite file goes")
    parser.add_argument("--steps", type=int, default=400, help="steps of the chain")
    parser.add_argument("--runs", type=int, default=1000, help="one-step runs")
    parser.add_argument("--items", type=int, default=1000, help="items of the map, 50 at a time")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken, after one to warm up")
    parser.add_argument("--only", help="the names of the figures to take, with commas between")
    return parser.parse_args()


class Report:
    """Takes figures and prints them; a workload that fails is named and does not end the others."""

    def __init__(self, engine: str, version: str, options: argparse.Namespace) -> None:
        self.options = options
        self.head = {
            "engine": engine,
            "version": version,
            "database": "PostgreSQL" if options.database_url else "SQLite",
            "cores": os.cpu_count(),
        }
        self.figures: list[dict] = []

    def take(self, name: str, unit: str, once, rounds: int | None = None) -> None:
        """`once` performs the workload and returns the figure."""
        if self.options.only and name not in self.options.only.split(","):
            return
        rounds = rounds or self.options.rounds
        try:
            if rounds > 1:
                once()
            taken = [once() for _ in range(rounds)]
        except Exception as error:  # noqa: BLE001: whatever a peer does, the others are still measured
            print(f"{self.head['engine']}: {name}: {error!r}", file=sys.stderr)
            return
        self.figures.append(
            {
                "name": name,
                "unit": unit,
                "rounds": len(taken),
                "min": min(taken),
                "median": statistics.median(taken),
                "max": max(taken),
            }
        )
        print(f"{self.head['engine']}: {name}: {statistics.median(taken):.3f} {unit}", file=sys.stderr)

    def print(self) -> None:
        print(json.dumps({**self.head, "figures": self.figures}, indent=2))


def seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
