"""Figures that an earlier release had and this one has not, with a tombstone for each.

`pfocr-withdrawn.ttl` stands beside the layers and is none of them: it is in no manifest, and a store keeps it in the
graph `https://w3id.org/pfocr/graph/withdrawn`. A tombstone bears no type, so that no query for figures finds it. It is
carried from release to release, and goes when the figure comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pfocr_rdf import blocks, buildfolder, codecs, serialize, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Source
from pfocr_rdf.diff import Change
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.terms import Pair, expand, iri, string

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
        return cls(ids.figid_of(change.subject), change.title, tuple(sorted(map(_text, found))), last)

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
            said: dict[str, list[str]] = {}
            for name, value in serialize.read_block(stanza)[1]:
                said.setdefault(name, []).append(value)
            aliases = tuple(map(_text, said.get(vocab.ALTERNATE_NAME, [])))
            last = expand(said[IN_DATASET][0]).removeprefix(DATASETS)
            tombstone = Tombstone(_text(said[vocab.IDENTIFIER][0]), _text(said[vocab.LABEL][0]), aliases, last)
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
    path = buildfolder.layer_files(release)[Layer.CORE]
    with closing(Source(str(path), codecs.of_file(path))) as source:
        for block in blocks.read_index(release / blocks.INDEX).get(Layer.CORE, []):
            if not block.first.startswith(ids.FIGURES):
                continue
            for subject, text in source.items(block):
                figid = ids.figid_of(subject)
                if figid in tombstones:
                    live.add(figid)
                elif figid in known:
                    replaced.setdefault(known[figid], set()).add(subject)
                if vocab.REPLACES in text or vocab.ALTERNATE_NAME in text:
                    for name, value in serialize.read_block(text)[1]:
                        gone = None
                        if name == vocab.REPLACES:
                            gone = pages.get(expand(value))
                        elif name == vocab.ALTERNATE_NAME:
                            gone = known.get(_text(value))
                        if gone is not None:
                            replaced.setdefault(gone, set()).add(subject)
    return live, replaced


def _text(token: str) -> str:
    """Return the text of a plain string's token; its escapes are those of JSON."""
    return str(json.loads(token))
