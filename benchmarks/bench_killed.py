"""A build that is killed at random moments, and one to which the disk refuses: what the next run makes of it.

Each time a build is started over an earlier build and its process is killed (SIGKILL) at a moment drawn by a seed,
spread over the time that an undisturbed run takes. Its workers must end by themselves, and the earlier build must be
whole, or the new one. The next run must succeed, take over all shards that were finished, give the same bytes as an
undisturbed run, and leave nothing behind. Then the disk refuses: by a limit on the size of files, and (as root) by
a small file system. Anything that is not so ends with exit code 1.

    python benchmarks/bench_killed.py --figures 2000 --kills 100
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, killed
from benchmarks.killed import OVER, STAGES, Bed, Fate, Refusal
from pfocr_rdf.pipeline import SPACE_FACTOR

SHARDS = 20
"""A run is cut into so many shards, so that there is something to take over."""
BEFORE_THE_END = 0.8
"""Share of the kills that must come before the end."""
MANY = 100
"""With so many kills each stage must be hit."""
HEADER = ("stage", "kills", "shards finished", "taken over", "s of the next run", "same bytes, nothing left")
REFUSED = ("the disk refuses", "exit code", "it says", "in lines", "s of the next run", "same bytes, nothing left")
EACH = ("moment, s", "stage", "shards finished", "taken over", "s of the next run", "wrong")


def moments(kills: int, seconds: float, seed: int) -> list[float]:
    """Return moments spread over a run: one at random in each of so many equal parts."""
    rng = random.Random(seed)  # noqa: S311
    return [seconds * (number + rng.random()) / kills for number in range(kills)]


def kills(bed: Bed, drawn: list[float]) -> list[Fate]:
    """Kill a run at each of the moments."""
    fates = []
    for number, moment in enumerate(drawn, 1):
        with tempfile.TemporaryDirectory(prefix="bench-killed-") as folder:
            fates.append(killed.kill(bed, Path(folder), moment))
        last = fates[-1]
        about = "; ".join(last.wrong) or f"{last.reused} of {last.finished} finished shards taken over"
        common.say(f"kill {number} of {len(drawn)} after {moment:.2f} s, {last.stage}: {about}")
    return fates


def refusals(bed: Bed) -> list[Refusal]:
    """Let the disk refuse in all ways that can be had here."""
    size = sum(path.stat().st_size for path in bed.source.rglob("*") if path.is_file())
    found: list[Refusal | None] = []
    for number in range(4):
        with tempfile.TemporaryDirectory(prefix="bench-killed-") as name:
            folder = Path(name)
            if number == 0:
                found.append(killed.file_limit(bed, folder, "files of at most 4 KiB", 4096))
            elif number == 1:
                case = "files of at most 90 % of the largest layer"
                found.append(killed.file_limit(bed, folder, case, bed.largest * 9 // 10))
            elif number == 2:
                found.append(killed.small_disk(bed, folder, size * SPACE_FACTOR // 2))
            else:
                found.append(killed.filled_disk(bed, folder, size * SPACE_FACTOR + (8 << 20)))
        if last := found[-1]:
            common.say(f"{last.case}: {last.said}")
    return [refusal for refusal in found if refusal]


def measured(source: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run everything on one source."""
    figures = common.size_of(source)
    common.warm(source)
    with tempfile.TemporaryDirectory(prefix="bench-killed-") as name:
        folder = Path(name)
        bed = Bed(source, options.workers, max(1, figures // SHARDS), folder / "earlier")
        seconds = bed.prepare(folder, options.rounds)
        common.say(f"{figures:,} figures, {bed.shards} shards, undisturbed {statistics.median(seconds):.2f} s")
        fates = kills(bed, moments(options.kills, statistics.median(seconds), common.SEED))
        refused = refusals(bed)
    return {
        "figures": figures,
        "shards": bed.shards,
        "undisturbed_seconds": seconds,
        "kills": [asdict(fate) for fate in fates],
        "refusals": [asdict(refusal) for refusal in refused],
    }


def by_stage(found: dict[str, Any]) -> list[list[str]]:
    """Return one row for each stage."""
    rows = []
    for stage in (*STAGES, OVER):
        own = [fate for fate in found["kills"] if fate["stage"] == stage]
        if not own:
            rows.append([stage, "0", "", "", "", ""])
            continue
        finished = [fate["finished"] for fate in own]
        rows.append(
            [
                stage,
                str(len(own)),
                f"{min(finished)} to {max(finished)}",
                "all" if all(fate["reused"] == fate["finished"] for fate in own) else "not all",
                f"{statistics.median(fate['seconds'] for fate in own):.2f}",
                f"{sum(not fate['wrong'] for fate in own)} of {len(own)}",
            ]
        )
    return rows


def wrong(found: dict[str, Any]) -> list[str]:
    """Return all that is not as it must be."""
    lines = [f"killed after {fate['moment']:.2f} s: {text}" for fate in found["kills"] for text in fate["wrong"]]
    lines += [f"{case['case']}: {text}" for case in found["refusals"] for text in case["fate"]["wrong"]]
    stages = Counter(fate["stage"] for fate in found["kills"])
    number = len(found["kills"])
    if number >= MANY:
        if number - stages[OVER] < BEFORE_THE_END * number:
            lines.append(f"only {number - stages[OVER]} of {number} kills came before the end")
        lines += [f"no kill in the stage {stage}" for stage in STAGES if not stages[stage]]
    return lines


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return tables and what is wrong."""
    grids = []
    for found in results:
        grids.append(common.Grid(HEADER, by_stage(found)))
        rows = [
            [
                case["case"],
                str(case["code"]),
                case["said"].removeprefix("pfocr-rdf: ").replace("|", "\\|"),
                str(case["lines"]),
                f"{case['fate']['seconds']:.2f}",
                "no" if case["fate"]["wrong"] else "yes",
            ]
            for case in found["refusals"]
        ]
        grids.append(common.Grid(REFUSED, rows))
    seconds = ", ".join(
        f"{found['figures']:,} figures in {found['shards']} shards, "
        f"undisturbed {statistics.median(found['undisturbed_seconds']):.2f} s"
        for found in results
    )
    return common.Report(
        f"{options.workers} processes, {seconds}; {options.kills} kills.",
        grids,
        [],
        [text for found in results for text in wrong(found)],
        {"workers": options.workers, "results": results},
    )


def main() -> int:
    """Kill, measure and report; return the exit code."""
    given = common.Arguments(__doc__, [2_000], [2_000], 3)
    given.parser.add_argument("--kills", type=int, metavar="N", help="default: 20, with --full 100")
    options = given.parse()
    options.kills = options.kills or (100 if options.full else 20)
    results = [measured(source, options) for source in common.sources(options)]
    if not options.markdown:
        for found in results:
            rows = [
                [
                    f"{fate['moment']:.2f}",
                    fate["stage"],
                    str(fate["finished"]),
                    str(fate["reused"]),
                    f"{fate['seconds']:.2f}",
                    "; ".join(fate["wrong"]),
                ]
                for fate in found["kills"]
            ]
            common.Grid(EACH, rows).show()
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
