"""Describing a release: one pass that counts everything (`statistics`, with `description`), and check Q30, by SPARQL.

The build is made before and not measured. Time is given for the whole program, its start included. The goal is for
the 33 million triples of the whole database: smaller runs are multiplied up by their triples. Q30 loads a store and
is not run with `--full`.

    python benchmarks/bench_describe.py --figures 10000 --rounds 3
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure
from pfocr_rdf import buildfolder
from pfocr_rdf.release import description
from pfocr_rdf.release import statistics as counting
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT, FileInfo, ReleaseInfo
from pfocr_rdf.validation.description import CHECKS
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from pfocr_rdf.workers import Processes

TRIPLES = 33_000_000
"""Triples of the whole database."""
GOAL, FAILS = 60.0, 120.0
MEMORY_GOAL, MEMORY_FAILS = 1024.0, 1536.0
HEADER = ("figures", "triples", "way", "s", "CPU s", "peak MiB", "triples/s")


def describe(build: Path, workers: int) -> None:
    """Count and describe a build."""
    files = buildfolder.read_manifest(build)["files"]
    with Processes(workers) as engine:
        counts = counting.count(build, engine)
    known = {name: FileInfo(entry["bytes"], entry["sha256"]) for name, entry in files.items()}
    found = description.describe(build, known, ReleaseInfo("20230907"), counts)
    (build / VOID).write_text(found.void, encoding="utf-8")
    (build / VOID_ENDPOINT).write_text(found.endpoint, encoding="utf-8")


def check(build: Path, _workers: int) -> None:
    """Check the description of a build."""
    release = Release.open(build)
    findings = CHECKS["Q30"](release, Options())
    release.close()
    if wrong := list(findings):
        sys.exit(f"{len(wrong)} numbers are wrong, the first: {wrong[0]}")


WAYS: dict[str, Callable[[Path, int], None]] = {"describe": describe, "check Q30": check}


def measured(source: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Build, then run each way in each round; return seconds, CPU seconds and peak bytes of each round by way."""
    ways = [way for way in WAYS if way == "describe" or not options.full]
    results: dict[str, dict[str, list[float]]] = {
        way: {"seconds": [], "cpu_seconds": [], "peak_bytes": []} for way in ways
    }
    folder = Path(tempfile.mkdtemp(prefix="bench-describe-", dir=common.work()))
    try:
        build = folder / "build"
        measure.run(common.program("build", source, "--out", build, "--workers", options.workers), cwd=common.ROOT)
        layers = buildfolder.read_manifest(build)["layers"].values()
        for number in range(options.rounds):
            for way in ways:
                words: list[str | Path] = [
                    sys.executable,
                    "-m",
                    "benchmarks.bench_describe",
                    "--run",
                    way,
                    build,
                    str(options.workers),
                ]
                cost = measure.run(words, cwd=common.ROOT)
                for name, numbers in results[way].items():
                    numbers.append(getattr(cost, name))
                common.say(f"{source.name}, round {number + 1}, {way}: {cost.seconds:.1f} s")
    finally:
        shutil.rmtree(folder)
    triples = sum(entry["triples"] for entry in layers)
    return {"figures": common.size_of(source), "triples": triples, "ways": results}


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return tables and goals."""
    rows, goals = [], []
    for result in results:
        figures, triples = result["figures"], result["triples"]
        for way, costs in result["ways"].items():
            seconds, cpu, peak = (statistics.median(costs[name]) for name in ("seconds", "cpu_seconds", "peak_bytes"))
            numbers = [f"{seconds:,.2f}", f"{cpu:,.2f}", common.mebibytes(peak), f"{triples / seconds:,.0f}"]
            rows.append([f"{figures:,}", f"{triples:,}", way, *numbers])
            if way == "describe":
                judged = figures >= common.JUDGED
                name = f"seconds to describe {TRIPLES:,} triples, from {figures:,} figures"
                goals.append(common.Goal(name, seconds * TRIPLES / triples, GOAL, FAILS, judged))
                name = f"MiB to describe {figures:,} figures"
                goals.append(common.Goal(name, peak / 2**20, MEMORY_GOAL, MEMORY_FAILS, judged))
    about = f"{options.workers} processes, rounds: {options.rounds}, medians."
    measured = {"workers": options.workers, "rounds": options.rounds, "results": results}
    return common.Report(about, [common.Grid(HEADER, rows)], goals, [], measured)


def main() -> int:
    """Measure and report; return the exit code."""
    if sys.argv[1:2] == ["--run"]:
        way, build, workers = sys.argv[2:]
        WAYS[way](Path(build), int(workers))
        return 0
    options = common.Arguments(__doc__, [10_000], [common.FULL], 3).parse()
    return report([measured(source, options) for source in common.sources(options)], options).give(options)


if __name__ == "__main__":
    sys.exit(main())
