"""The validation of a build beside the build itself: time, and the memory of all processes.

A corpus must hold no violation, so what `validate` says of it is looked at too: one violation ends with exit code 1.

    python benchmarks/bench_validate.py --figures 2000 10000
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure
from pfocr_rdf import buildfolder

MAX_RATIO, MAX_MEBIBYTES = 3.0, 2048
HEADER = ("figures", "triples", "build s", "validate s", "times", "CPU s", "peak MiB", "violations", "warnings")


def measured(source: Path, rounds: int) -> dict[str, Any]:
    """Build a source and validate the build some times; return what both cost and what was found."""
    builds: list[measure.Measured] = []
    costs: list[measure.Measured] = []
    figures = common.size_of(source)
    with tempfile.TemporaryDirectory(prefix="bench-validate-") as folder:
        out, reports = Path(folder) / "build", Path(folder) / "report"
        for number in range(rounds):
            words = common.program("build", source, "--out", out, "--no-cache")
            builds.append(measure.run(words, cwd=common.ROOT))
            # what is found is judged below; a violation is no failure of the program
            words = [*common.program("validate", out, "--out", reports)]
            costs.append(measure.run(["sh", "-c", '"$@" || [ $? -eq 4 ]', "sh", *words], cwd=common.ROOT))
            common.say(
                f"{figures:,} figures, round {number + 1}: {builds[-1].seconds:.1f} s, {costs[-1].seconds:.1f} s"
            )
        found = json.loads((reports / "validation.json").read_text(encoding="utf-8"))
        manifest = buildfolder.read_manifest(out)
    return {
        "figures": figures,
        "triples": sum(layer["triples"] for layer in manifest["layers"].values()),
        "build_seconds": [cost.seconds for cost in builds],
        "seconds": [cost.seconds for cost in costs],
        "cpu_seconds": [cost.cpu_seconds for cost in costs],
        "peak_bytes": [cost.peak_bytes for cost in costs],
        "violations": found["violations"],
        "warnings": found["warnings"],
        "wrong": [
            f"{c['check']}: {c['count']:,} findings"
            for c in found["checks"]
            if c["count"] and c["severity"] == "violation"
        ],
    }


def ratio(result: dict[str, Any]) -> float:
    """Return how many times a build a validation takes."""
    return float(statistics.median(result["seconds"]) / statistics.median(result["build_seconds"]))


def row(result: dict[str, Any]) -> list[str]:
    """Return the row of one size."""
    return [
        f"{result['figures']:,}",
        f"{result['triples']:,}",
        f"{statistics.median(result['build_seconds']):,.2f}",
        f"{statistics.median(result['seconds']):,.2f}",
        f"{ratio(result):,.2f}",
        f"{statistics.median(result['cpu_seconds']):,.2f}",
        common.mebibytes(statistics.median(result["peak_bytes"])),
        f"{result['violations']:,}",
        f"{result['warnings']:,}",
    ]


def goals(results: list[dict[str, Any]]) -> list[common.Goal]:
    """Return the goals for the time beside a build, and for memory; those are for the size that is judged alone."""
    found = []
    for result in results:
        judged = result["figures"] == common.JUDGED
        which = f"{result['figures']:,} figures"
        found.append(common.Goal(f"times a build, {which}", ratio(result), MAX_RATIO, math.inf, judged))
        peak = statistics.median(result["peak_bytes"]) / 2**20
        found.append(common.Goal(f"peak MiB, {which}", peak, MAX_MEBIBYTES, MAX_MEBIBYTES, judged))
    return found


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return table, goals and violations."""
    wrong = [f"{result['figures']:,} figures: {line}" for result in results for line in result["wrong"]]
    about = f"all cores, all checks that need nothing from outside; rounds: {options.rounds}, medians."
    grids = [common.Grid(HEADER, [row(result) for result in results])]
    return common.Report(about, grids, goals(results), wrong, {"rounds": options.rounds, "results": results})


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [2_000, 10_000], [2_000, common.JUDGED, common.FULL], 1)
    options = given.parse()
    results = []
    for source in sorted(common.sources(options), key=common.size_of):
        common.warm(source)
        results.append(measured(source, options.rounds))
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
