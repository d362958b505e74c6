"""The build against the limit: reading all files, parsing the YAML with PyYAML's C loader and splitting the tables.

The limit (`limit.py`) makes no triple and checks nothing. It runs on as many processes as the build. In each round
all ways run once, in turn; the table gives medians. All files are read once before, so that none pays for the disk.
The goal: a whole build, all layers as plain Turtle with the cache for the next one, in at most twice that time.

    python benchmarks/bench_limit.py --figures 10000 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure

LIMIT = "limit"
MAIN = "turtle"
BUILDS = {
    MAIN: ("--compress", "none"),
    "gzip": ("--compress", "gzip"),
    "zstd": ("--compress", "zstd"),
    "turtle, nquads": ("--compress", "none", "--nquads"),
    "gzip, nquads": ("--compress", "gzip", "--nquads"),
    "zstd, nquads": ("--compress", "zstd", "--nquads"),
}
LOADERS = {LIMIT: "CSafeLoader", "limit, base loader": "CBaseLoader"}
GOAL, FAILS = 2.0, 3.0
HEADER = ("figures", "way", "s", "CPU s", "peak MiB", "times the limit", "CPU, times")


def command(way: str, source: Path, out: Path, workers: int) -> list[str]:
    """Return what runs a way."""
    if way in LOADERS:
        given = [str(source), "--workers", str(workers), "--loader", LOADERS[way]]
        return [sys.executable, "-m", "benchmarks.limit", *given]
    return common.program("build", source, "--out", out, "--workers", str(workers), *BUILDS[way])


def measured(source: Path, ways: list[str], rounds: int, workers: int) -> dict[str, Any]:
    """Run all ways in turn in each round; return seconds, CPU seconds and peak bytes of each round by way."""
    common.warm(source)
    figures = common.size_of(source)
    results: dict[str, dict[str, list[float]]] = {
        way: {"seconds": [], "cpu_seconds": [], "peak_bytes": []} for way in ways
    }
    read: dict[str, int] = {}
    for number in range(rounds):
        for way in ways:
            with tempfile.TemporaryDirectory(prefix="bench-limit-") as folder:
                cost = measure.run(command(way, source, Path(folder) / "build", workers), cwd=common.ROOT)
            if way in LOADERS:
                read = json.loads(cost.stdout)
            for name, numbers in results[way].items():
                numbers.append(getattr(cost, name))
            common.say(f"{figures:,} figures, round {number + 1}, {way}: {cost.seconds:.1f} s")
    return {"figures": figures, "read": read, "ways": results}


def median(result: dict[str, Any], way: str, name: str = "seconds") -> float:
    """Return the median of a way over the rounds."""
    return float(statistics.median(result["ways"][way][name]))


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return tables and goals."""
    rows = []
    goals = []
    for result in results:
        limit, limit_cpu = median(result, LIMIT), median(result, LIMIT, "cpu_seconds")
        for way in result["ways"]:
            costs = [f"{median(result, way, name):,.2f}" for name in ("seconds", "cpu_seconds")]
            size = common.mebibytes(median(result, way, "peak_bytes"))
            times = [f"{median(result, way) / limit:.2f}", f"{median(result, way, 'cpu_seconds') / limit_cpu:.2f}"]
            rows.append([f"{result['figures']:,}", way, *costs, size, *times])
        if MAIN in result["ways"]:
            name = f"plain Turtle, {result['figures']:,} figures, times the limit"
            judged = result["figures"] >= common.JUDGED
            goals.append(common.Goal(name, median(result, MAIN) / limit, GOAL, FAILS, judged))
    about = f"{options.workers} processes, rounds: {options.rounds}, medians."
    return common.Report(
        about,
        [common.Grid(HEADER, rows)],
        goals,
        [],
        {"workers": options.workers, "rounds": options.rounds, "results": results},
    )


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [10_000], [common.FULL], 3)
    given.parser.add_argument("--builds", nargs="+", choices=BUILDS, default=list(BUILDS), metavar="BUILD")
    options = given.parse()
    ways = [*LOADERS, *options.builds]
    results = [measured(source, ways, options.rounds, options.workers) for source in common.sources(options)]
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
