"""What the compiled kernels save: builds with them and in Python alone, by turns, of the same corpus.

Both must write the same bytes. CPU seconds count, of all processes; the best round is given beside the median, for
other programs on the machine only ever add. The cost of a figure is what remains without the build of one figure.

    python benchmarks/bench_native.py --figures 10000 --rounds 5 --workers 1
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure
from pfocr_rdf import native

WAYS = ("python", "compiled")
HEADER = ("figures", "kernels", "s", "CPU s", "best CPU s", "CPU ms a figure", "of python")


def build(way: str, source: Path, folder: Path, workers: int, *more: str) -> measure.Measured:
    """Build with the kernels, or in Python alone."""
    command = common.program("build", source, "--out", folder / way, "--no-cache", "--workers", str(workers), *more)
    return measure.run(command, env={**os.environ, native.PURE: "1" if way == "python" else "0"})


def main() -> int:
    """Measure, print, and return the exit code."""
    options = common.Arguments(__doc__, [2_000, 10_000], [common.FULL], 3).parse()
    rows: list[list[str]] = []
    wrong = [] if native.in_use() else ["the kernels are not compiled, so both ways are Python"]
    results = []
    for source in common.sources(options):
        common.warm(source)
        figures = common.size_of(source)
        costs: dict[str, list[measure.Measured]] = {way: [] for way in WAYS}
        starts: dict[str, list[float]] = {way: [] for way in WAYS}
        with tempfile.TemporaryDirectory(dir=common.work()) as name:
            folder = Path(name)
            for _ in range(options.rounds):
                for way in WAYS:
                    starts[way].append(build(way, source, folder, options.workers, "--limit", "1").cpu_seconds)
                    costs[way].append(build(way, source, folder, options.workers))
            if common.contents(folder / WAYS[0]) != common.contents(folder / WAYS[1]):
                wrong.append(f"{figures:,} figures: the bytes of the two ways differ")
        best = {way: min(cost.cpu_seconds for cost in costs[way]) for way in WAYS}
        each = {way: max(0.0, best[way] - min(starts[way])) * 1000 / figures for way in WAYS}
        for way in WAYS:
            seconds = statistics.median(cost.seconds for cost in costs[way])
            cpu = statistics.median(cost.cpu_seconds for cost in costs[way])
            share = f"{best[way] / best[WAYS[0]]:.2f}"
            cells = [f"{seconds:.2f}", f"{cpu:.2f}", f"{best[way]:.2f}", f"{each[way]:.3f}", share]
            rows.append([f"{figures:,}", way, *cells])
        results.append({"figures": figures, "best_cpu_seconds": best, "cpu_ms_a_figure": each})
    about = f"{options.workers} processes, rounds: {options.rounds}, medians and best."
    report = common.Report(about, [common.Grid(HEADER, rows)], [], wrong, {"results": results})
    return report.give(options)


if __name__ == "__main__":
    raise SystemExit(main())
