"""A build's layers as streams of subjects, held against its manifest, and what exports take from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pfocr_rdf import buildfolder, subjects
from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.blocks import Item
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import ALWAYS, GENE_LINKS, Layer, Level
from pfocr_rdf.subjects import Said, Texts
from pfocr_rdf.terms import Token, expand


class Named(NamedTuple):
    """A gene, chemical, disease or taxon: its classes, accession, label and taxonomy id; a text is empty for none."""

    kinds: tuple[Token, ...]
    identifier: str
    label: str
    taxon: str


class Names(dict[str, Named]):
    """What is known of each gene, chemical, disease and taxon, by IRI, in code-point order."""

    def __missing__(self, iri: str) -> Named:
        """Raise `UsageError`: what is linked must be known."""
        raise UsageError(f"{iri}: is linked, but the layer {Layer.ENTITIES} does not know it; build again")


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a build: their files, and how many triples the manifest says each has."""

    files: Mapping[str, Path]
    triples: Mapping[str, int]
    figures: int

    def items(self, layer: Layer, start: str = "") -> Iterator[Item]:
        """Yield the subjects of a layer whose IRIs begin with `start`, with their Turtle, in code-point order.

        Of a layer that a build need not have there may be none. Raises `UsageError` for a file that is damaged, out
        of order or not what the manifest says.
        """
        path = self.files.get(layer)
        if path is None:
            if layer in ALWAYS:
                raise UsageError(f"the build lacks the layer {layer}; build again")
            return
        last, found = "", 0

        def add(triples: int) -> None:
            nonlocal found
            found += triples

        for subject, stanza in subjects.of_file(path, add):
            if subject <= last:
                raise UsageError(f"{path}: is not in order at {subject!r}; build again")
            last = subject
            if subject.startswith(start):
                yield subject, stanza
        if found != self.triples[layer]:
            said = f"{found:,} triples where {buildfolder.MANIFEST} says {self.triples[layer]:,}"
            raise UsageError(f"{path}: holds {said}; build again")

    def joined(self, layers: Sequence[Layer], start: str = ids.FIGURES) -> Iterator[tuple[str, Texts]]:
        """Yield each subject that begins with `start` with what the given layers say of it, in code-point order."""
        return subjects.joined({layer: self.items(layer, start) for layer in layers})


def open_layers(release: Path) -> Layers:
    """Return the layers of a build.

    Raises `UsageError` when the folder is no build.
    """
    build = buildfolder.find_build(release)
    manifest = buildfolder.read_manifest(build)
    try:
        triples = {layer: int(entry["triples"]) for layer, entry in manifest["layers"].items()}
        figures = int(manifest["counts"]["figures"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{build / buildfolder.MANIFEST}: cannot be read ({error}); build again") from error
    return Layers(buildfolder.layer_files(build), triples, figures)


def core(figure: str, texts: Texts) -> Said:
    """Return what the layer of figures and papers says of a figure.

    Raises `UsageError` when it does not know it.
    """
    try:
        return subjects.said(texts[Layer.CORE])
    except KeyError:
        raise UsageError(f"{figure}: is linked, but the layer {Layer.CORE} does not know it; build again") from None


def links(text: str) -> list[str]:
    """Return the IRIs that one subject's Turtle in a layer of links mentions; none for an empty text."""
    return [expand(value) for values in subjects.said(text).values() for value in values] if text else []


def gene_layers(level: Level) -> list[Layer]:
    """Return the layers that hold the links up to a level."""
    return [GENE_LINKS[each] for each in Level if each <= level]


def names(layers: Layers) -> Names:
    """Return what the layer of entities says.

    Held in memory: some 300 bytes for each thing, whose number grows far slower than that of figures.
    """
    found = Names()
    for subject, text in layers.items(Layer.ENTITIES):
        pairs = subjects.said(text)
        kinds = tuple(pairs.get(v.A, ()))
        taxon = ids.taxid_of(expand(pairs[v.TAXONOMIC_RANGE][0])) if v.TAXONOMIC_RANGE in pairs else ""
        found[subject] = Named(kinds, subjects.text(pairs, v.IDENTIFIER), subjects.text(pairs, v.LABEL), taxon)
    return found


class Evidence(NamedTuple):
    """A mention: its figure, the word, its lexicon's name, and the IRIs that it was taken for."""

    figure: str
    word: str
    lexicon: str
    bodies: list[str]


def mentions(layers: Layers, layer: Layer) -> Iterator[Evidence]:
    """Yield the mentions of a layer of evidence, paper by paper."""
    for _, text in layers.items(layer, ids.MENTIONS):
        pairs = subjects.said(text)
        lexicon = subjects.text(pairs, v.SOURCE).removeprefix(ids.LEXICONS)
        bodies = [expand(body) for body in pairs.get(v.HAS_BODY, ())]
        yield Evidence(subjects.text(pairs, v.HAS_TARGET), subjects.text(pairs, v.PFOCR_WORD), lexicon, bodies)


def paper_of(figure: str) -> str:
    """Return the start of a figure's IRI that all figures of its paper share, in the order of figures."""
    return figure[: figure.find("__") + 2]
