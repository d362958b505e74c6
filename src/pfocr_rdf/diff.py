"""The difference of two builds: triples added and removed, figures added, removed and changed.

Blocks that are equal by their hash are never read, and everything else streams, so two builds of the whole database
need little memory. The triples come as sorted N-Triples for each layer, as one RDF Patch (for Jena, one
transaction), and as SPARQL Update in batches; the figures as text, JSON and RDF.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pfocr_rdf import blocks, buildfolder, codecs, layers, serialize, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Source
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import Pair, iri, string

UPDATE_TRIPLES = 10_000
"""Triples in one file of SPARQL Update, at most."""

_SORTED_IN_MEMORY = 400_000
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
"""What ends a cell or a line for one reader or another, and what a terminal obeys."""


class Change(NamedTuple):
    """A subject of a layer that differs: whether it was and is there, its title, triples added and removed.

    The triples are lines of N-Triples, in any order; only figures in the layer `core` have a title.
    """

    layer: Layer
    subject: str
    was: bool
    now: bool
    title: str
    added: list[str]
    removed: list[str]

    @classmethod
    def of(cls, layer: Layer, subject: str, old: str, new: str) -> Change:
        """Compare a subject's Turtle before and after, empty where it is not there."""
        added, removed = serialize.differences(old, new)
        title = _title(new or old) if layer is Layer.CORE and subject.startswith(ids.FIGURES) else ""
        return cls(layer, subject, bool(old), bool(new), title, added, removed)


class Form(StrEnum):
    """A form in which a difference is written."""

    NTRIPLES = "ntriples"
    PATCH = "patch"
    SPARQL = "sparql"
    FIGURES = "figures"


@dataclass(slots=True)
class FigureChange:
    """What happened to one figure: triples added and removed in each layer; `how` is added, removed or changed."""

    figid: str
    how: str = "changed"
    title: str = ""
    layers: dict[str, list[int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        numbers = {name: {"added": added, "removed": removed} for name, (added, removed) in sorted(self.layers.items())}
        return {
            "figid": self.figid,
            "figure": ids.figure(self.figid),
            "change": self.how,
            "title": self.title,
            "layers": numbers,
        }


@dataclass(slots=True)
class Difference:
    """Counts of triples added and removed for each layer, and the figures."""

    layers: dict[str, list[int]] = field(default_factory=dict)
    figures: dict[str, FigureChange] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return {
            "layers": {name: {"added": added, "removed": removed} for name, (added, removed) in self.layers.items()},
            "figures": {
                how: sum(f.how == how for f in self.figures.values()) for how in ("added", "removed", "changed")
            },
        }


def builds(old: Path, new: Path, only: Iterable[Layer] = Layer) -> Iterator[Change]:
    """Yield what differs between two builds, layer by layer (in some layers only), subjects in order.

    Raises `UsageError` when a folder is no build, or is damaged.
    """
    before, after = _Build(old), _Build(new)
    for layer in only:
        if layer in before.files or layer in after.files:
            yield from _layer(layer, before, after)


class _Build:
    """A build's layers and their blocks."""

    def __init__(self, folder: Path) -> None:
        build = buildfolder.find_build(folder)
        self.files = {Layer(name): path for name, path in buildfolder.layer_files(build).items()}
        self.index = blocks.read_index(build / blocks.INDEX)

    def of(self, layer: Layer) -> list[blocks.Block]:
        return self.index.get(str(layer), []) if layer in self.files else []

    def items(self, layer: Layer, kept: list[blocks.Block]) -> Iterator[blocks.Item]:
        if not kept:
            return
        path = self.files[layer]
        with closing(Source(str(path), codecs.of_file(path))) as source:
            yield from chain.from_iterable(source.items(block) for block in kept)


def _layer(layer: Layer, before: _Build, after: _Build) -> Iterator[Change]:
    old, new = before.of(layer), after.of(layer)
    same = {(block.first, block.digest) for block in old} & {(block.first, block.digest) for block in new}
    left = [block for block in old if block.first and (block.first, block.digest) not in same]
    right = [block for block in new if block.first and (block.first, block.digest) not in same]
    for subject, was, now in layers.compare(before.items(layer, left), after.items(layer, right)):
        yield Change.of(layer, subject, was, now)


def spool(job: layers.Job) -> tuple[Layer, str]:
    """Write what an update would change in a layer to a file in the work folder; return the layer and the path.

    Any process can do it; `read_spooled` reads the file.
    """
    path = Path(job.work) / f"changes-{job.layer}.jsonl"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{json.dumps(Change.of(job.layer, *found)[1:])}\n" for found in layers.changes(job))
    return job.layer, str(path)


def read_spooled(layer: Layer, path: str) -> Iterator[Change]:
    """Yield the changes that `spool` wrote."""
    with Path(path).open(encoding="utf-8", newline="\n") as lines:
        yield from (Change(layer, *json.loads(line)) for line in lines)


def write(
    changes: Iterable[Change], out: Path | None, old: str, new: str | None, forms: Iterable[Form] = Form
) -> Difference:
    """Write a difference into the new folder `out` (None: only count) and return its numbers.

    `old` and `new` are the SHA-256 of the two manifests; they name the difference. Without `new`, the old one and the
    changes make its name.
    Raises `UsageError` when `out` holds anything, or the disk refuses.
    """
    found = Difference()
    if out is None:
        for change in changes:
            _count(found, change)
        return _in_order(found)
    wanted = set(forms)
    with buildfolder.new_folder(out) as folder, tempfile.TemporaryDirectory(dir=folder, prefix=".sort") as scratch:
        sorted_lines: dict[tuple[str, str], _Sorted] = {}
        spelled = new is None or wanted - {Form.FIGURES}
        for change in changes:
            _count(found, change)
            if not spelled:
                continue
            for kind, lines in (("added", change.added), ("removed", change.removed)):
                if lines:
                    key = (str(change.layer), kind)
                    if key not in sorted_lines:
                        sorted_lines[key] = _Sorted(Path(scratch), "-".join(key))
                    sorted_lines[key].add(lines)
        _in_order(found)
        parts = {key: lines.write(folder / f"{key[1]}-{key[0]}.nt") for key, lines in sorted_lines.items()}
        new = new or _name(old, parts)
        if Form.PATCH in wanted:
            _write_patch(parts, folder / "changes.rdfp", old, new)
        if Form.SPARQL in wanted:
            _write_updates(parts, folder)
        if Form.FIGURES in wanted:
            _write_figures(found, folder, old, new)
        if Form.NTRIPLES not in wanted:
            for path in parts.values():
                path.unlink()
        buildfolder.write_json(folder / "changes.json", {"old": old, "new": new, **found.to_json()})
    return found


def _name(old: str, parts: dict[tuple[str, str], Path]) -> str:
    digest = hashlib.sha256(old.encode())
    for key, path in sorted(parts.items()):
        digest.update(f"{key}\n{buildfolder.describe_file(path)['sha256']}\n".encode())
    return digest.hexdigest()


def _in_order(found: Difference) -> Difference:
    """Bring the layers, which may come in any order, into theirs."""
    found.layers = {str(layer): found.layers[layer] for layer in Layer if layer in found.layers}
    return found


def _count(found: Difference, change: Change) -> None:
    """Count a change, and take down which figure it concerns."""
    numbers = found.layers.setdefault(str(change.layer), [0, 0])
    numbers[0] += len(change.added)
    numbers[1] += len(change.removed)
    figid = figid_of(change.subject)
    if not figid:
        return
    figure = found.figures.get(figid)
    if figure is None:
        figure = found.figures[figid] = FigureChange(figid)
    numbers = figure.layers.setdefault(str(change.layer), [0, 0])
    numbers[0] += len(change.added)
    numbers[1] += len(change.removed)
    if change.layer is Layer.CORE:
        figure.how = "changed" if change.was and change.now else "added" if change.now else "removed"
        figure.title = change.title


def figid_of(subject: str) -> str:
    """Return the figid of a figure or of a mention in it, or an empty text for any other subject."""
    if subject.startswith(ids.MENTIONS):
        return ids.decode(subject[len(ids.MENTIONS) :].partition("/")[0])
    if subject.startswith(ids.FIGURES):
        return ids.figid_of(subject.partition("#")[0])
    return ""


def _title(text: str) -> str:
    """Return the label that stands in a figure's Turtle, as a JSON string would have it read."""
    _, found, rest = text.partition(f"\n    {vocab.LABEL} ")
    return str(json.loads(rest.partition("\n")[0][:-2])) if found else ""


class _Sorted:
    """Lines that are sorted by their bytes; runs that are too long for memory go to disk."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._lines: list[str] = []
        self._runs: list[Path] = []

    def add(self, lines: Iterable[str]) -> None:
        self._lines += lines
        if len(self._lines) >= _SORTED_IN_MEMORY:
            path = self._folder / f"{self._name}-{len(self._runs)}"
            self._write(path, sorted(self._lines))
            self._runs.append(path)
            self._lines = []

    def write(self, path: Path) -> Path:
        runs = [_read(run) for run in self._runs]
        self._write(path, heapq.merge(*runs, sorted(self._lines)))
        for run in self._runs:
            run.unlink()
        self._lines = []
        return path

    @staticmethod
    def _write(path: Path, lines: Iterable[str]) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(lines)


def _read(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        yield from stream


def _parts(parts: dict[tuple[str, str], Path], kind: str) -> Iterator[tuple[str, Path]]:
    """Yield graph and file of all layers that have triples of a kind, in the order of the layers."""
    for layer in Layer:
        if path := parts.get((str(layer), kind)):
            yield ids.graph(layer), path


def _write_patch(parts: dict[tuple[str, str], Path], target: Path, old: str, new: str) -> None:
    """Write one RDF Patch (Jena's text format): all in one transaction, removals first."""
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"H id <{_named(new)}> .\nH prev <{_named(old)}> .\nTX .\n")
        for kind, sign in (("removed", "D"), ("added", "A")):
            for graph, path in _parts(parts, kind):
                out.writelines(f"{sign} {line[:-2]}<{graph}> .\n" for line in _read(path))
        out.write("TC .\n")


def _write_updates(parts: dict[tuple[str, str], Path], folder: Path) -> None:
    """Write SPARQL Updates, each with a part of the triples of one graph, removals first."""
    number = 0
    for kind, verb in (("removed", "DELETE"), ("added", "INSERT")):
        for graph, path in _parts(parts, kind):
            lines = _read(path)
            while batch := "".join(islice(lines, UPDATE_TRIPLES)):
                number += 1
                text = f"{verb} DATA {{ GRAPH <{graph}> {{\n{batch}}} }}\n"
                (folder / f"update-{number:05d}.ru").write_text(text, encoding="utf-8", newline="\n")


def _write_figures(found: Difference, folder: Path, old: str, new: str) -> None:
    """Write the figures as text, JSON lines and Turtle."""
    figures = sorted(found.figures.values(), key=lambda figure: (figure.how, figure.figid))
    with (folder / "figures.txt").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in lines_of(figures))
    buildfolder.write_lines(folder / "figures.jsonl", (figure.to_json() for figure in figures))
    difference = f"{ids.PFD}difference/{old[:16]}-{new[:16]}"
    described: dict[str, list[Pair]] = {
        difference: [
            (vocab.A, "prov:Activity"),
            ("prov:used", iri(_named(old))),
            ("prov:generated", iri(_named(new))),
        ]
    }
    for how, cls in (
        ("added", "schema:AddAction"),
        ("changed", "schema:UpdateAction"),
        ("removed", "schema:DeleteAction"),
    ):
        touched = [iri(ids.figure(figure.figid)) for figure in figures if figure.how == how]
        if touched:
            action = f"{difference}/{how}"
            described[difference].append(("dcterms:hasPart", iri(action)))
            described[action] = [
                (vocab.A, cls),
                (vocab.NAME, string(f"figures {how}")),
                *(("schema:object", figure) for figure in touched),
            ]
    with (folder / "figures.ttl").open("w", encoding="utf-8", newline="\n") as out:
        out.write(serialize.HEADER)
        out.writelines(serialize.block(subject, described[subject]) for subject in sorted(described))


def lines_of(figures: Iterable[FigureChange]) -> Iterator[str]:
    """Yield one line of text for each figure: four cells, in which white space and controls are one blank."""
    for figure in figures:
        numbers = ", ".join(f"{name} +{a} -{r}" for name, (a, r) in sorted(figure.layers.items()))
        yield f"{figure.how}\t{figure.figid}\t{_BREAKS.sub(' ', figure.title).strip()}\t{numbers}"


def _named(sha256: str) -> str:
    """Return the name of something by its hash (RFC 6920)."""
    try:
        digest = urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    except ValueError as error:
        raise UsageError(f"{sha256!r} is no SHA-256") from error
    return f"ni:///sha-256;{digest}"
