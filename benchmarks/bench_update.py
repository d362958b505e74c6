"""Bringing a build up to date, and telling what would change, beside building everything.

A corpus is built in full, compressed. Of its later state (1 % of the records changed, 0.1 % added, 0.1 % removed)
the same build is brought up to date, what would change is written without building (`pfocr-rdf changes`), and
everything is built anew without the cache: the updated build must have the same bytes. Then the two full builds are
compared (`pfocr-rdf diff`), and one is brought up to date with nothing changed. Wrong bytes end with exit code 1.

At a smaller size the same is done for two commits of a git repository, which is fetched.

    python benchmarks/bench_update.py --figures 10000 --git-figures 2000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure

QUADS = "+nq"
CODECS = ("gzip", "zstd", f"gzip{QUADS}")
"""How the files are compressed; with all as N-Quads beside the layers, as a release has it, or without."""
FULL, UPDATE, CHANGES, COUNTED, NOTHING, ANEW, DIFF = STEPS = (
    "full build",
    "update",
    "changes, written",
    "changes, counted",
    "update, nothing changed",
    "later state in full",
    "diff of two builds",
)
UPDATE_GOAL, UPDATE_FAILS = 15, 30
CHANGES_GOAL, CHANGES_FAILS = 5, 10
DIFF_MEBIBYTES = 1024
_NAMED = ("changes.json", "changes.rdfp", "figures.ttl")
"""Files of a difference that name it by the later build, which only `diff` knows."""
HEADER = ("source", "figures", "files", "step", "s", "CPU s", "peak MiB", "% of the full build")


class Rounds:
    """Runs the steps on one source and its later state, and remembers what they cost."""

    def __init__(self, earlier: str, later: str, codec: str, workers: int, git_cache: Path) -> None:
        """Take two sources as the command line takes them."""
        self.earlier, self.later = earlier, later
        self.workers = ["--workers", str(workers)]
        self.options = ["--compress", codec.removesuffix(QUADS), *self.workers]
        self.options += ["--nquads"] if codec.endswith(QUADS) else []
        self.costs: dict[str, list[measure.Measured]] = {step: [] for step in STEPS}
        self.wrong: list[str] = []
        self.changed: dict[str, Any] = {}
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(git_cache)}

    def run(self, folder: Path, about: str) -> None:
        """Run all steps once, in an empty folder, and say how far it is."""

        def step(name: str, *words: str | Path) -> str:
            cost = measure.run(common.program(*words), cwd=common.ROOT, env=self.environment)
            self.costs[name].append(cost)
            common.say(f"{about}, {name}: {cost.seconds:.1f} s")
            return cost.stdout

        old, updated, anew, same = (folder / name for name in ("old", "updated", "anew", "same"))
        step(FULL, "build", self.earlier, "--out", old, *self.options)
        for copy in (updated, same):
            shutil.copytree(old, copy, copy_function=os.link)
        step(UPDATE, "build", self.later, "--out", updated, *self.options)
        since: list[str | Path] = ["--since", old, *self.workers]
        told = step(CHANGES, "changes", self.later, *since, "--out", folder / "changes", "--json")
        self.changed = json.loads(told)["figures"]
        step(COUNTED, "changes", self.later, *since, "--json")
        step(NOTHING, "build", self.earlier, "--out", same, *self.options)
        step(ANEW, "build", self.later, "--out", anew, *self.options, "--no-cache")
        step(DIFF, "diff", old, anew, "--out", folder / "diff", "--json")
        self._compare("the updated build", updated, "a full one", anew)
        self._compare("the build with nothing changed", same, "the first", old)
        self._compare("what changes wrote", folder / "changes", "what diff wrote", folder / "diff")

    def _compare(self, what: str, one: Path, than: str, other: Path) -> None:
        left, right = common.contents(one), common.contents(other)
        for name in _NAMED:
            left.pop(name, None)
            right.pop(name, None)
        names = [name for name in sorted({*left, *right}) if left.get(name) != right.get(name)]
        if names:
            self.wrong.append(f"{what} differs from {than}: {', '.join(names)}")


def measured(
    kind: str, figures: int, earlier: str, later: str, codec: str, options: argparse.Namespace
) -> dict[str, Any]:
    """Run the rounds for one source and codec; return costs and what is wrong."""
    with tempfile.TemporaryDirectory(prefix="bench-update-clones-") as clones:
        rounds = Rounds(earlier, later, codec, options.workers, Path(clones))
        for number in range(options.rounds):
            with tempfile.TemporaryDirectory(prefix="bench-update-") as folder:
                rounds.run(Path(folder), f"{kind}, {figures:,} figures, {codec}, round {number + 1}")
    return {
        "source": kind,
        "figures": figures,
        "codec": codec,
        "changed": rounds.changed,
        "steps": {
            step: {name: [getattr(cost, name) for cost in costs] for name in ("seconds", "cpu_seconds", "peak_bytes")}
            for step, costs in rounds.costs.items()
        },
        "wrong": rounds.wrong,
    }


def median(result: dict[str, Any], step: str, name: str = "seconds") -> float:
    """Return the median of a step over the rounds."""
    return float(statistics.median(result["steps"][step][name]))


def share(result: dict[str, Any], step: str) -> float:
    """Return the time of a step in percent of that of the full build."""
    return 100 * median(result, step) / median(result, FULL)


def repository(earlier: Path, later: Path, place: Path) -> tuple[str, str]:
    """Make a git repository of two commits; return the addresses of both."""

    def git(*words: str | Path) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", *map(str, words)],
            cwd=place,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    place.mkdir()
    git("init", "--quiet", ".")
    revisions = []
    for source in (earlier, later):
        for folder in source.iterdir():
            shutil.rmtree(place / folder.name, ignore_errors=True)
            shutil.copytree(folder, place / folder.name)
        git("add", "--all", ".")
        git("commit", "--quiet", "--message", source.name)
        revisions.append(git("rev-parse", "HEAD"))
    return f"file://{place}@{revisions[0]}", f"file://{place}@{revisions[1]}"


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return table, goals and what is wrong."""
    rows = []
    goals = []
    wrong = []
    for result in results:
        about = [result["source"], f"{result['figures']:,}", result["codec"]]
        for step in STEPS:
            costs = [f"{median(result, step, name):,.2f}" for name in ("seconds", "cpu_seconds")]
            size = common.mebibytes(median(result, step, "peak_bytes"))
            rows.append([*about, step, *costs, size, f"{share(result, step):.1f}"])
        judged = result["figures"] >= common.FULL  # with fewer, starting and opening weigh more than what changed
        name = ", ".join(about)
        goals += [
            common.Goal(f"update, %: {name}", share(result, UPDATE), UPDATE_GOAL, UPDATE_FAILS, judged),
            common.Goal(f"changes, %: {name}", share(result, CHANGES), CHANGES_GOAL, CHANGES_FAILS, judged),
            common.Goal(
                f"peak MiB of diff: {name}", median(result, DIFF, "peak_bytes") / 2**20, DIFF_MEBIBYTES, DIFF_MEBIBYTES
            ),
        ]
        wrong += [f"{name}: {text}" for text in result["wrong"]]
    return common.Report(
        f"{options.workers} processes, rounds: {options.rounds}, medians.",
        [common.Grid(HEADER, rows)],
        goals,
        wrong,
        {"workers": options.workers, "rounds": options.rounds, "results": results},
    )


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [common.JUDGED], [common.FULL], 3)
    given.parser.add_argument("--codecs", nargs="+", choices=CODECS, default=list(CODECS), metavar="CODEC")
    git_help = "size of the git repository; 0 for none (default: %(default)s)"
    given.parser.add_argument("--git-figures", type=int, default=2_000, metavar="N", help=git_help)
    options = given.parse()
    results = []
    with tempfile.TemporaryDirectory(prefix="bench-later-", dir=common.work()) as place:
        for source in common.sources(options):
            later = common.mutated(source, Path(place) / "later")
            figures = common.size_of(source)
            common.warm(later)
            for codec in options.codecs:
                results.append(measured("folder", figures, str(source), str(later), codec, options))
        if options.git_figures:
            source = common.corpus(options.git_figures)
            later = common.mutated(source, Path(place) / "later")
            earlier_at, later_at = repository(source, later, Path(place) / "repository")
            for codec in options.codecs:
                results.append(measured("git", options.git_figures, earlier_at, later_at, codec, options))
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
