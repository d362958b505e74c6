"""What the benchmark programs share: corpora that are made once, builds, tables, goals and the machine they ran on."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import pfocr_rdf
from benchmarks import corpus_build, corpus_mutate
from benchmarks.peers import environments
from pfocr_rdf import buildfolder
from pfocr_rdf.workers import cores

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ROOT / "build" / "bench" / "corpora"
SEED = 1
FULL = 110_000
"""Figures in the whole database."""
JUDGED = 10_000
"""Goals are for sources of so many figures; with fewer, starting processes is most of what is measured."""
_OWN = {buildfolder.RUN, ".cache"}
"""What two equal builds may have differently."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its header and rows, all of them text."""

    header: Sequence[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Return the table as Markdown; columns of numbers stand to the right."""
        rules = [self._is_numbers(number) for number in range(len(self.header))]
        lines = [
            f"| {' | '.join(self.header)} |",
            f"|{'|'.join('---:' if numbers else '---' for numbers in rules)}|",
            *(f"| {' | '.join(row)} |" for row in self.rows),
        ]
        return "\n".join(lines) + "\n"

    def show(self) -> None:
        """Print the table."""
        table = Table(*self.header)
        for number, column in enumerate(table.columns):
            column.justify = "right" if self._is_numbers(number) else "left"
        for row in self.rows:
            table.add_row(*row)
        Console(width=None if sys.stdout.isatty() else 160).print(table)

    def _is_numbers(self, column: int) -> bool:
        cells = [row[column] for row in self.rows if row[column]]
        return bool(cells) and all(cell[0].isdigit() for cell in cells)


@dataclass(frozen=True, slots=True)
class Goal:
    """A number and what it should be at most; above `limit`, if there is one, it is a failure.

    Too small a run is not `judged`.
    """

    name: str
    value: float
    goal: float
    limit: float
    judged: bool = True
    form: str = "{:,.2f}"

    @property
    def verdict(self) -> str:
        """One word on it."""
        if not self.judged:
            return "not judged"
        if self.value <= self.goal:
            return "met"
        return "missed" if self.value <= self.limit else "failed"

    def row(self) -> list[str]:
        """Return name, value, goal, limit and verdict."""
        numbers = [
            self.form.format(number) if number < math.inf else "" for number in (self.value, self.goal, self.limit)
        ]
        return [self.name, *numbers, self.verdict]


GOALS = ("goal", "measured", "at most", "fails above", "verdict")


@dataclass(slots=True)
class Report:
    """What one program has to say: its tables, its goals, what is wrong, and all that it measured."""

    about: str
    grids: list[Grid]
    goals: list[Goal]
    wrong: list[str]
    measured: dict[str, Any]

    @property
    def failed(self) -> bool:
        """Whether something is wrong, or a goal is missed by far."""
        return bool(self.wrong) or any(goal.verdict == "failed" for goal in self.goals)

    def markdown(self) -> str:
        """Return what stands in RESULTS.md under the program's heading."""
        grids = [*self.grids, *([Grid(GOALS, [goal.row() for goal in self.goals])] if self.goals else [])]
        wrong = "".join(f"\nWrong: {text}\n" for text in self.wrong)
        return "\n".join([f"{machine()}; {self.about}\n", *(grid.markdown() for grid in grids)]) + wrong

    def document(self) -> dict[str, Any]:
        """Return everything, for `--json`."""
        return {
            "machine": environments.machine(),
            "versions": versions(),
            **self.measured,
            "goals": [asdict(goal) | {"verdict": goal.verdict} for goal in self.goals],
            "wrong": self.wrong,
        }

    def give(self, options: argparse.Namespace) -> int:
        """Print and write what the options ask for; return the exit code."""
        if options.json:
            options.json.write_text(json.dumps(self.document(), indent=2) + "\n", encoding="utf-8")
        if options.markdown:
            print(self.markdown(), end="")
        else:
            for grid in self.grids:
                grid.show()
            if self.goals:
                Grid(GOALS, [goal.row() for goal in self.goals]).show()
            for text in self.wrong:
                print(f"wrong: {text}")
        return int(self.failed)


def versions() -> dict[str, str]:
    """Return the versions of what is measured."""
    return {"pfocr-rdf": pfocr_rdf.__version__, "PyYAML": metadata.version("pyyaml")}


def machine() -> str:
    """Return the machine and the versions in one line."""
    about = environments.machine()
    names = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"{about['processor']}, {about['cores']} cores, {about['memory']}, {about['system']}, "
        f"Python {about['python']}, {names}"
    )


class Arguments:
    """The options of a program: `--figures`, `--full`, `--corpus`, `--rounds`, `--workers`, `--json`, `--markdown`."""

    def __init__(self, description: str | None, figures: Sequence[int], full: Sequence[int], rounds: int) -> None:
        """Begin with the options that all programs have."""
        self.parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self._figures, self._full, self._rounds = figures, full, rounds
        add = self.parser.add_argument
        sizes = " ".join(f"{size:,}" for size in figures)
        add("--figures", type=int, nargs="+", metavar="N", help=f"sizes of the corpora (default: {sizes})")
        whole = " ".join(f"{size:,}" for size in full)
        add("--full", action="store_true", help=f"at the size of the whole database: {whole} figures, one round")
        ready = "ready corpora, each with its counts beside it (DIR.counts.json), in place of made ones"
        add("--corpus", type=Path, nargs="+", metavar="DIR", help=ready)
        add("--rounds", type=int, help=f"default: {rounds}")
        add("--workers", type=int, default=cores(), help="processes of each build (default: all cores)")
        add("--json", type=Path, metavar="FILE", help="write all that was measured")
        add("--markdown", action="store_true", help="print what stands in RESULTS.md")

    def parse(self) -> argparse.Namespace:
        """Return the options, with sizes and rounds filled in."""
        options = self.parser.parse_args()
        options.figures = options.figures or list(self._full if options.full else self._figures)
        options.rounds = options.rounds or (1 if options.full else self._rounds)
        return options


def sources(options: argparse.Namespace) -> list[Path]:
    """Return the corpora that the options ask for: those that were given, else made ones, smallest first."""
    if options.corpus:
        return [folder.resolve() for folder in options.corpus]
    return [corpus(size) for size in sorted(set(options.figures))]


def corpus(figures: int, seed: int = SEED) -> Path:
    """Return the corpus of so many figures, which is made if it is not there."""
    folder = CORPORA / f"{figures}-{seed}"
    counts = counts_of(folder)
    if not counts.is_file():
        CORPORA.mkdir(parents=True, exist_ok=True)
        part = CORPORA / f".{folder.name}.part"
        for left in (part, folder):
            shutil.rmtree(left, ignore_errors=True)
        say(f"making a corpus of {figures:,} figures")
        found = corpus_build.build(part, figures, seed, cores())
        part.rename(folder)
        counts.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return folder


def work() -> Path:
    """Return the folder for what is made beside the corpora, on one disk with them: hard links need that."""
    CORPORA.mkdir(parents=True, exist_ok=True)
    return CORPORA


def counts_of(source: Path) -> Path:
    """Return the place of a corpus's counts."""
    return source.with_name(f"{source.name}.counts.json")


def mutated(source: Path, place: Path) -> Path:
    """Return the later state of a corpus: 1 % changed, 0.1 % added and 0.1 % removed; made at `place` each time."""
    shutil.rmtree(place, ignore_errors=True)
    corpus_mutate.mutate(source, place, seed=SEED)
    return place


def size_of(source: Path) -> int:
    """Return the number of figures of a corpus."""
    return sum(path.suffix == ".md" for path in (source / "_figures").iterdir())


def program(*words: str | Path) -> list[str]:
    """Return the command that runs our program with these words."""
    return [sys.executable, "-c", "from pfocr_rdf.cli import main; main()", "-q", *map(str, words)]


def contents(build: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a build, without those that differ between runs."""
    found = {}
    for path in sorted(build.rglob("*")):
        name = path.relative_to(build).as_posix()
        if path.is_file() and name.partition("/")[0] not in _OWN:
            with path.open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def warm(source: Path) -> None:
    """Read all files of a corpus once, so that what comes first does not pay for the disk."""
    for folder in corpus_build.FOLDERS:
        for path in (source / folder).iterdir():
            path.read_bytes()


def mebibytes(size: float) -> str:
    """Return a size in MiB as it stands in a table."""
    return f"{size / 2**20:,.0f}"


def say(text: str) -> None:
    """Tell how far it is, beside the output."""
    Console(stderr=True, highlight=False).print(text)
