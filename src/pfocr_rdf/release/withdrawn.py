"""Figures that an earlier release had and this one has not, with a tombstone for each.

`pfocr-withdrawn.ttl` stands beside the layers and is none of them: it is in no manifest, and a store keeps it in the
graph `https://w3id.org/pfocr/graph/withdrawn`. A tombstone bears no type, so that no query for figures finds it. It is
carried from release to release, and goes when the figure comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pfocr_rdf import blocks, serialize, subjects, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.diff import Change
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import Pair, expand, iri, string, value_of

NAME = "pfocr-withdrawn.ttl"
GRAPH = ids.graph("withdrawn")
DATASETS = f"{ids.PFD}dataset/pfocr/"
"""Begins the IRIs of releases."""

DEPRECATED = "owl:deprecated"
IN_DATASET = "void:inDataset"
IS_REPLACED_BY = "dcterms:isReplacedBy"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A figure that is gone: its figid, title and aliases, and the version of the last release that had it."""

    figid: str
    title: str
    aliases: tuple[str, ...]
    last: str

    @classmethod
    def of(cls, change: Change, last: str) -> Self:
        """Return the tombstone of a figure that goes, from the change in the layer `core`."""
        mark = f" <{expand(vocab.ALTERNATE_NAME)}> "
        found = (line.partition(mark)[2].rpartition(" .")[0] for line in change.removed if mark in line)
        return cls(ids.figid_of(change.subject), change.title, tuple(sorted(map(value_of, found))), last)

    @property
    def names(self) -> set[str]:
        """All figids that the figure had."""
        return {self.figid, *self.aliases}

    def turtle(self, replaced_by: Iterable[str]) -> str:
        """Return what is said of the figure; it was replaced by the figures of some IRIs."""
        pairs: list[Pair] = [
            (DEPRECATED, "true"),
            (vocab.IDENTIFIER, string(self.figid)),
            (vocab.LABEL, string(self.title)),
            (IN_DATASET, iri(f"{DATASETS}{self.last}")),
            *((vocab.ALTERNATE_NAME, string(alias)) for alias in self.aliases),
            *((IS_REPLACED_BY, iri(other)) for other in replaced_by),
        ]
        return serialize.block(ids.figure(self.figid), pairs)


def read(release: Path) -> dict[str, Tombstone]:
    """Return the tombstones of a release, by figid.

    Raises `UsageError` when their file is there and cannot be read.
    """
    path = release / NAME
    found: dict[str, Tombstone] = {}
    if not path.exists():
        return found
    try:
        for stanza in blocks.stanzas(path.read_text(encoding="utf-8").partition("\n\n")[2]):
            said = subjects.said(stanza)
            figid, title = (value_of(said[name][0]) for name in (vocab.IDENTIFIER, vocab.LABEL))
            aliases = tuple(map(value_of, said.get(vocab.ALTERNATE_NAME, [])))
            tombstone = Tombstone(figid, title, aliases, expand(said[IN_DATASET][0]).removeprefix(DATASETS))
            found[tombstone.figid] = tombstone
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); the release is damaged") from error
    return found


def write(release: Path, tombstones: Mapping[str, Tombstone]) -> int:
    """Write the tombstones of those figures that a release has not; return the number of triples.

    Raises `UsageError` when its layer `core` is damaged.
    """
    live, replaced = _look_up(release, tombstones) if tombstones else (set(), {})
    kept = [tombstone for figid, tombstone in sorted(tombstones.items()) if figid not in live]
    texts = {
        ids.figure(tombstone.figid): tombstone.turtle(sorted(replaced.get(tombstone.figid, ()))) for tombstone in kept
    }
    body = "".join(texts[subject] for subject in sorted(texts))
    (release / NAME).write_text(serialize.HEADER + body, encoding="utf-8", newline="\n")
    return blocks.count(body.encode())


def _look_up(release: Path, tombstones: Mapping[str, Tombstone]) -> tuple[set[str], dict[str, set[str]]]:
    """Return those figids that a release has, and for the others the IRIs of the figures that replace them."""
    known = {name: figid for figid, tombstone in tombstones.items() for name in tombstone.names}
    pages = {page: figid for name, figid in known.items() for page in (ids.figure(name), ids.FIGURES + ids.slug(name))}
    live: set[str] = set()
    replaced: dict[str, set[str]] = {}
    for subject, text in subjects.indexed(release)[Layer.CORE].beginning(ids.FIGURES):
        figid = ids.figid_of(subject)
        if figid in tombstones:
            live.add(figid)
        elif figid in known:
            replaced.setdefault(known[figid], set()).add(subject)
        if vocab.REPLACES in text or vocab.ALTERNATE_NAME in text:
            said = subjects.said(text)
            gone = {pages.get(expand(value)) for value in said.get(vocab.REPLACES, ())}
            gone |= {known.get(value_of(value)) for value in said.get(vocab.ALTERNATE_NAME, ())}
            for other in gone - {None}:
                replaced.setdefault(str(other), set()).add(subject)
    return live, replaced
