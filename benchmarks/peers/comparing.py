"""Whether two outputs say the same: sorted N-Triples lines, with the name of the layer where a way has layers.

A decimal is compared by its value (`1` is `1.0`), everything else letter for letter.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from benchmarks.peers.records import canonical_decimal

DISSENT = "https://w3id.org/pfocr/vocab#dissent"
_DECIMAL = "http://www.w3.org/2001/XMLSchema#decimal"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Distinct triples of both sides, how many stand on one side alone, and some of those."""

    triples: int
    expected: int
    only_here: int
    only_expected: int
    examples: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both sides say the same."""
        return not self.only_here and not self.only_expected


def layer_files(build: Path, without: Collection[str] = ()) -> dict[str, Path]:
    """Return the files of a folder of layers by layer, but for those of the named layers."""
    files = {path.stem.removeprefix("pfocr-"): path for path in sorted(build.glob("pfocr-*.*")) if path.is_file()}
    return {layer: path for layer, path in files.items() if layer not in without}


def sorted_lines(files: dict[str, Path], out: Path, *, layered: bool, without: Collection[str] = ()) -> Path:
    """Write the distinct triples of the files, sorted, to `out`; predicates in `without` are left out."""
    plain = out.with_suffix(".plain")
    with plain.open("w", encoding="utf-8", newline="\n") as stream:
        for layer, path in files.items():
            end = f" <{layer}> .\n" if layered else " .\n"
            form = ox.RdfFormat.N_TRIPLES if path.suffix == ".nt" else ox.RdfFormat.TURTLE
            for triple in ox.parse(path=path, format=form):
                if triple.predicate.value not in without:
                    stream.write(f"{triple.subject} {triple.predicate} {_spelled(triple.object)}{end}")
    command = ["sort", "--unique", "--output", str(out), str(plain)]
    subprocess.run(command, check=True, env={**os.environ, "LC_ALL": "C"})
    plain.unlink()
    return out


def compare(here: Path, expected: Path) -> Comparison:
    """Compare two files of sorted lines."""
    alone = {flag: _lines(["comm", flag, str(here), str(expected)], lambda line: line[:300]) for flag in ("-23", "-13")}
    return Comparison(
        _count(here),
        _count(expected),
        alone["-23"][0],
        alone["-13"][0],
        tuple(f"+ {line}" for line in alone["-23"][1]) + tuple(f"- {line}" for line in alone["-13"][1]),
    )


def _spelled(term: object) -> str:
    if isinstance(term, ox.Literal) and term.datatype.value == _DECIMAL:
        return f'"{canonical_decimal(term.value)}"^^<{_DECIMAL}>'
    return str(term)


def _count(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _lines(command: Iterable[str], short: Callable[[str], str]) -> tuple[int, list[str]]:
    """Run a program; return the number of lines that it prints and the first three."""
    number, first = 0, []
    with subprocess.Popen(
        list(command), stdout=subprocess.PIPE, encoding="utf-8", env={**os.environ, "LC_ALL": "C"}
    ) as process:
        for line in process.stdout or ():
            number += 1
            if number <= 3:
                first.append(short(line.rstrip("\n")))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return number, first
