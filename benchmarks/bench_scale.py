"""The build over sizes of the source: rates and memory, how time grows, and whether it finds what is there.

Each build is one of all layers as plain Turtle, by 1 and by 2 processes. What it finds (accounts, counts, triples
of each layer) must be what the corpus's generator counted, exactly; a difference ends with exit code 1.

    python benchmarks/bench_scale.py --figures 2000 10000
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

PROCESSES = (1, 2)
WHOLE = 100_000
"""From so many figures on a corpus stands for the whole database."""
MAX_SECONDS, MAX_MEBIBYTES, MAX_GROWTH = 60, 1024, 1.15
COSTS = ("s", "CPU s", "ms a figure", "figures/s", "triples", "triples/s", "peak MiB")
HEADER = ("figures", "processes", *COSTS, "counts")


def differences(manifest: dict[str, Any], counts: dict[str, Any]) -> list[str]:
    """Return what a build says otherwise than the generator of its source."""
    found = {
        "accounts": manifest["accounts"],
        "counts": {"all": manifest["counts"]},
        "triples": {name: {"triples": layer["triples"]} for name, layer in manifest["layers"].items()},
    }
    expected = {
        "accounts": counts["accounts"],
        "counts": {"all": counts["counts"]},
        "triples": {name: {"triples": triples} for name, triples in counts["layers"].items()},
    }
    found["triples"].pop("ontology", None)  # the same for all sources
    lines = []
    for part in expected:
        for name in sorted({*expected[part], *found[part]}):
            wanted, got = expected[part].get(name, {}), found[part].get(name, {})
            for key in sorted({*wanted, *got}):
                if wanted.get(key) != got.get(key):
                    lines.append(f"{part} {name} {key}: {got.get(key)}, expected {wanted.get(key)}")
    return lines


def measured(source: Path, processes: int, rounds: int) -> dict[str, Any]:
    """Build a source some times; return what it cost and what differs from the counts."""
    costs: list[measure.Measured] = []
    manifest: dict[str, Any] = {}
    figures = common.size_of(source)
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
            out = Path(folder) / "build"
            words = common.program("build", source, "--out", out, "--workers", str(processes))
            costs.append(measure.run(words, cwd=common.ROOT))
            manifest = buildfolder.read_manifest(out)
        common.say(f"{figures:,} figures, {processes} processes, round {number + 1}: {costs[-1].seconds:.1f} s")
    counts = common.counts_of(source)
    known = json.loads(counts.read_text(encoding="utf-8")) if counts.is_file() else None
    return {
        "figures": figures,
        "processes": processes,
        "triples": sum(layer["triples"] for layer in manifest["layers"].values()),
        "seconds": [cost.seconds for cost in costs],
        "cpu_seconds": [cost.cpu_seconds for cost in costs],
        "peak_bytes": [cost.peak_bytes for cost in costs],
        "counted": known is not None,
        "differences": differences(manifest, known) if known else [],
    }


def row(result: dict[str, Any]) -> list[str]:
    """Return the row of one size and number of processes."""
    seconds = statistics.median(result["seconds"])
    equal = "different" if result["differences"] else "equal" if result["counted"] else "not known"
    return [
        f"{result['figures']:,}",
        str(result["processes"]),
        f"{seconds:,.2f}",
        f"{statistics.median(result['cpu_seconds']):,.2f}",
        f"{1000 * seconds / result['figures']:.3f}",
        f"{result['figures'] / seconds:,.0f}",
        f"{result['triples']:,}",
        f"{result['triples'] / seconds:,.0f}",
        common.mebibytes(statistics.median(result["peak_bytes"])),
        equal,
    ]


def goals(results: list[dict[str, Any]]) -> list[common.Goal]:
    """Return the goals for time and memory of the largest source, and for how time grows."""
    found = []
    for processes in sorted({result["processes"] for result in results}):
        own = [result for result in results if result["processes"] == processes]
        large = own[-1]
        seconds = statistics.median(large["seconds"])
        whole = large["figures"] >= WHOLE
        which = f"{large['figures']:,} figures, {processes} processes"
        if processes == max(PROCESSES):
            found.append(common.Goal(f"seconds, {which}", seconds, MAX_SECONDS, math.inf, whole))
            peak = statistics.median(large["peak_bytes"]) / 2**20
            found.append(common.Goal(f"peak MiB, {which}", peak, MAX_MEBIBYTES, MAX_MEBIBYTES, whole))
        if len(own) > 1:
            small = own[-2]
            growth = seconds / large["figures"] / (statistics.median(small["seconds"]) / small["figures"])
            name = f"time per figure, {which} / {small['figures']:,}"
            judged = whole and small["figures"] >= common.JUDGED
            found.append(common.Goal(name, growth, MAX_GROWTH, MAX_GROWTH, judged))
    return found


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return table, goals and what differs."""
    wrong = [f"{found['figures']:,} figures: {line}" for found in results for line in found["differences"]]
    return common.Report(
        f"plain Turtle; rounds: {options.rounds}, medians.",
        [common.Grid(HEADER, [row(result) for result in results])],
        goals(results),
        wrong,
        {"rounds": options.rounds, "results": results},
    )


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [2_000, 10_000], [2_000, common.JUDGED, common.FULL], 3)
    given.parser.add_argument("--processes", type=int, nargs="+", default=list(PROCESSES), metavar="N")
    options = given.parse()
    results = []
    for source in sorted(common.sources(options), key=common.size_of):
        common.warm(source)
        results += [measured(source, processes, options.rounds) for processes in options.processes]
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
