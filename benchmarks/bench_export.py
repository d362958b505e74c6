"""Exports from the graph: seconds, peak memory and size of what is written, for each kind of export.

Builds are made before and not measured, or given ready with `--build`. In each round all exports run once, in turn; the
table gives medians. The goal: memory grows with the number of different things, not with that of triples, so that the
whole database is exported within 1 GiB.

    python benchmarks/bench_export.py --figures 10000 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure
from pfocr_rdf import buildfolder

EXPORTS: dict[str, tuple[str, ...]] = {
    "gmt": ("gmt",),
    "words": ("words",),
    "pairs": ("pairs",),
    "pairs, family": ("pairs", "--level", "family"),
    "kgx": ("kgx",),
    "jsonld": ("jsonld",),
    "jsonld, lines": ("jsonld", "--lines"),
}
GOAL, FAILS = 1024.0, 2048.0
"""MiB."""
HEADER = ("figures", "export", "s", "CPU s", "peak MiB", "MiB written", "counts")


def measured(build: Path, names: list[str], rounds: int) -> dict[str, Any]:
    """Run the exports of a build in turn in each round; return what each cost, wrote and counted."""
    figures = int(buildfolder.read_manifest(build)["counts"]["figures"])
    found: dict[str, dict[str, Any]] = {
        name: {"seconds": [], "cpu_seconds": [], "peak_bytes": [], "written": 0, "counts": {}} for name in names
    }
    for number in range(rounds):
        for name in names:
            with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
                out = Path(folder) / "out"
                kind, *options = EXPORTS[name]
                command = common.program("export", kind, build, "--out", out, "--json", *options)
                cost = measure.run(command, cwd=common.ROOT)
                files = [out] if out.is_file() else [path for path in out.rglob("*") if path.is_file()]
                found[name]["written"] = sum(path.stat().st_size for path in files)
            for part in ("seconds", "cpu_seconds", "peak_bytes"):
                found[name][part].append(getattr(cost, part))
            found[name]["counts"] = json.loads(cost.stdout)
            common.say(f"{figures:,} figures, round {number + 1}, {name}: {cost.seconds:.1f} s")
    return {"figures": figures, "exports": found}


def builds(options: argparse.Namespace, folder: Path) -> list[Path]:
    """Return the builds to export: those that were given, else ones of the corpora, made in `folder`."""
    if options.build:
        return [build.resolve() for build in options.build]
    made = []
    for source in common.sources(options):
        out = folder / source.name
        measure.run(common.program("build", source, "--out", out, "--no-cache"), cwd=common.ROOT)
        made.append(out)
    return made


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return the table and the goals."""
    rows, goals = [], []
    for result in results:
        for name, found in result["exports"].items():
            cost = {part: statistics.median(found[part]) for part in ("seconds", "cpu_seconds", "peak_bytes")}
            counts = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in found["counts"].items())
            numbers = [f"{cost['seconds']:,.1f}", f"{cost['cpu_seconds']:,.1f}"]
            sizes = [common.mebibytes(cost["peak_bytes"]), f"{found['written'] / 2**20:,.1f}"]
            rows.append([f"{result['figures']:,}", name, *numbers, *sizes, counts])
        peak = max(statistics.median(found["peak_bytes"]) for found in result["exports"].values()) / 2**20
        judged = result["figures"] >= common.JUDGED
        goals.append(
            common.Goal(f"peak MiB of any export, {result['figures']:,} figures", peak, GOAL, FAILS, judged, "{:,.0f}")
        )
    about = f"rounds: {options.rounds}, medians."
    measured_all = {"rounds": options.rounds, "results": results}
    return common.Report(about, [common.Grid(HEADER, rows)], goals, [], measured_all)


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [10_000], [common.FULL], 3)
    given.parser.add_argument("--exports", nargs="+", choices=EXPORTS, default=list(EXPORTS), metavar="EXPORT")
    given.parser.add_argument("--build", type=Path, nargs="+", metavar="DIR", help="ready builds in place of corpora")
    options = given.parse()
    folder = Path(tempfile.mkdtemp(prefix="bench-export-builds-"))
    try:
        results = [measured(build, options.exports, options.rounds) for build in builds(options, folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
