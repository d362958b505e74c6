"""The layers of a release side by side, paper by paper: what is said of its figures, links and mentions.

Subjects are sorted in every layer, but a figure's address and those of its mentions go on differently behind the
figid. All of a paper's begin with its PMCID and two underscores, so papers are in one order everywhere, and a merge of
the layers needs no more memory than one paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pfocr_rdf import identifiers as ids
from pfocr_rdf import subjects, vocab
from pfocr_rdf.model import Layer
from pfocr_rdf.subjects import Said
from pfocr_rdf.terms import Token, expand

LINKS = tuple(layer for layer in Layer if layer.startswith("links-"))
EVIDENCE = tuple(layer for layer in Layer if layer.startswith("evidence-"))
_OF_PAPERS = (f"<{ids.FIGURES}", f"<{ids.MENTIONS}")


_NOTHING: list[Token] = []


class Mention(NamedTuple):
    """A mention as its layer describes it."""

    iri: str
    layer: Layer
    said: Said

    def values(self, predicate: Token) -> list[Token]:
        """Return the objects of a predicate, as tokens."""
        return self.said.get(predicate, _NOTHING)

    @property
    def bodies(self) -> list[Token]:
        """Genes, chemicals or diseases that the word stands for."""
        return self.said.get(vocab.HAS_BODY, _NOTHING)

    @property
    def words(self) -> list[Token]:
        """The word (one, if all is well)."""
        return self.said.get(vocab.PFOCR_WORD, _NOTHING)


@dataclass(slots=True)
class Figure:
    """A figure: what `core` says of it, its links by layer (tokens), its mentions."""

    iri: str
    said: Said = field(default_factory=dict)
    links: dict[Layer, list[Token]] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)


def walk(files: Mapping[str, Path]) -> Iterator[list[Figure]]:
    """Yield the figures of each paper that any of the layers speaks of, papers in order.

    Raises `UsageError` when a layer cannot be read.
    """
    heads = [(layer, _by_paper(files[layer])) for layer in (Layer.CORE, *LINKS, *EVIDENCE) if layer in files]
    current = {layer: next(papers, None) for layer, papers in heads}
    rest = dict(heads)
    while waiting := [paper[0] for paper in current.values() if paper is not None]:
        first = min(waiting)
        figures: dict[str, Figure] = {}
        for layer, papers in rest.items():
            paper = current[layer]
            if paper is not None and paper[0] == first:
                for stanza in paper[1]:
                    _take(figures, layer, stanza)
                current[layer] = next(papers, None)
        yield [figures[iri] for iri in sorted(figures)]


def _by_paper(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the stanzas of figures and mentions, those of a paper together."""
    found = (stanza for stanza in subjects.stanzas(path) if stanza.startswith(_OF_PAPERS))
    for pmcid, group in groupby(found, key=_pmcid):
        yield pmcid, list(group)


def _pmcid(stanza: str) -> str:
    """Return the PMCID in the address of a figure or mention, with what ends it: so papers sort as their figures do."""
    start = len(_OF_PAPERS[0] if stanza.startswith(_OF_PAPERS[0]) else _OF_PAPERS[1])
    end = stanza.find("__", start, stanza.index("\n"))
    return stanza[start : end + 2] if end > 0 else stanza[start : stanza.index("\n")]


def _take(figures: dict[str, Figure], layer: Layer, stanza: str) -> None:
    token, said = subjects.read(stanza)
    subject = token[1:-1]
    of_mention = subject.startswith(ids.MENTIONS)
    iri = figure_of(subject) if of_mention else subject
    figure = figures.get(iri)
    if figure is None:
        figure = figures[iri] = Figure(iri)
    if of_mention:
        figure.mentions.append(Mention(subject, layer, said))
    elif layer is Layer.CORE:
        figure.said = said
    else:
        figure.links[layer] = said.get(vocab.MENTIONS, _NOTHING)


def figure_of(mention: str) -> str:
    """Return the address of the figure that a mention's address names."""
    return f"{ids.FIGURES}{mention[len(ids.MENTIONS) :].partition('/')[0]}.html"


def things(path: Path, cls: Token) -> Iterator[tuple[Token, Said]]:
    """Yield each thing of a class that the layer `entities` describes, and what it says."""
    for stanza in subjects.stanzas(path):
        if stanza.find(cls, 0, 400) > 0:
            thing, said = subjects.read(stanza)
            if cls in said.get(vocab.A, ()):
                yield thing, said


def bare(token: Token) -> str:
    """Return what a token says, for people: an IRI, or the text of a plain string without escapes undone."""
    return token[1:-1] if token[0] == '"' else expand(token)
