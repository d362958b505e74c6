"""Counting over the layers of a build: each layer is read once, subject by subject, and only sums are kept.

Layers are sorted by subject, so those that speak of the same subjects are read side by side. Memory grows with the
number of genes and papers (some hundred bytes each), not with the number of triples. What each number means is
said in `docs/report.md`; `tests/test_report.py` holds that SPARQL gives the same.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pfocr_rdf import identifiers as ids
from pfocr_rdf import subjects, vocab
from pfocr_rdf.model import EVIDENCE, GENE_LINKS, Layer, Level
from pfocr_rdf.terms import Token, expand, iri

LARGEST = 10
"""Figures with the most genes that are named."""

_PIECE = 1 << 20
_LEXICON = re.compile(rb"\n    dcterms:source (\S+)")
_CLASSES = {vocab.GENE: "genes", vocab.CHEMICAL: "chemicals", vocab.MEDICAL_CONDITION: "diseases", vocab.TAXON: "taxa"}
_NDEX, _PATHWAY = ids.ndex(""), ids.wikipathways("")
_LINKS = {
    **{layer: level.name.lower() for level, layer in GENE_LINKS.items()},
    Layer.LINKS_CHEMICALS: "chemicals",
    Layer.LINKS_DISEASES: "diseases",
}
_LEVELS = tuple(_LINKS[GENE_LINKS[level]] for level in Level)

Advance = Callable[[int], None]
Files = Mapping[str, Path]


@dataclass(slots=True)
class Counts:
    """All sums; things are Turtle tokens of their IRIs.

    `totals` counts things of each kind; `linked` has for (kind, predicate, namespace) the things with such a link;
    `having` counts figures (papers for DOI) that have something. `years`, `organisms` (of genes), `about` and
    `journals` count figures, "" standing for none; `figures_of` counts them for each gene, chemical, disease.
    `links` counts links by level or kind, `mentions` by kind and lexicon. `names` are those of taxa and journals.
    """

    totals: Counter[str] = field(default_factory=Counter)
    linked: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    having: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    organisms: Counter[Token] = field(default_factory=Counter)
    about: Counter[Token] = field(default_factory=Counter)
    journals: Counter[Token] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    figures_of: dict[str, Counter[Token]] = field(default_factory=dict)
    genes_per_figure: Counter[int] = field(default_factory=Counter)
    largest: list[tuple[int, str, str]] = field(default_factory=list)
    mentions: Counter[tuple[str, str]] = field(default_factory=Counter)
    names: dict[Token, str] = field(default_factory=dict)
    taxon_of: dict[Token, Token] = field(default_factory=dict)


def count(files: Files, advance: Advance) -> Counts:
    """Count over the layers' files; `advance` is told of the triples that were read.

    Raises `UsageError` for a file that is damaged.
    """
    counts = Counts()
    _entities(files, counts, advance)
    _figures(files, counts, advance)
    for kind, layer in EVIDENCE.items():
        for piece in subjects.pieces(files[layer], advance):
            for lexicon in _LEXICON.findall(piece):
                counts.mentions[str(kind).removesuffix("-rows"), lexicon.decode()] += 1
    return counts


def labels(file: Path, wanted: set[Token]) -> dict[Token, str]:
    """Return the labels of some things, as far as the layer of entities has them."""
    found: dict[Token, str] = {}
    for stanza in subjects.stanzas(file):
        token, said = subjects.read(stanza)
        if token in wanted:
            found[token] = subjects.text(said, vocab.LABEL)
    return found


def namespace(token: Token) -> str:
    """Return the IRI of a token without its last part, which is what follows a slash, or in a prefixed name `_`."""
    return _namespace(token[: token.rfind("/" if token[0] == "<" else "_") + 1])


@cache
def _namespace(stem: str) -> str:
    return stem[1:] if stem.startswith("<") else expand(stem)


def _entities(files: Files, counts: Counts, advance: Advance) -> None:
    """Count the entities and those that have links to other namespaces; note the taxon of each gene."""
    shared: dict[Token, Token] = {}
    chosen = [layer for layer in (Layer.ENTITIES, Layer.XREFS, Layer.XREFS_PUBMED) if layer in files]
    for subject, texts in _joined(files, chosen, advance):
        kinds = ["papers"] if subject.startswith(ids.PAPERS) else []
        if text := texts.pop(Layer.ENTITIES, ""):
            token, said = subjects.read(text)
            kinds = [_CLASSES[cls] for cls in said.get(vocab.A, []) if cls in _CLASSES]
            counts.totals.update(kinds)
            if "genes" in kinds and vocab.TAXONOMIC_RANGE in said:
                taxon = said[vocab.TAXONOMIC_RANGE][0]
                counts.taxon_of[token] = shared.setdefault(taxon, taxon)
            if "taxa" in kinds:
                counts.names[token] = subjects.text(said, vocab.LABEL)
        found = [pair for more in texts.values() for pair in subjects.said(more).items()]
        targets = {(verb, namespace(value)) for verb, values in found for value in values}
        counts.linked.update((kind, *target) for kind in kinds for target in targets)


def _figures(files: Files, counts: Counts, advance: Advance) -> None:
    """Count papers, figures, journals and what figures link to."""
    counts.figures_of = {name: Counter() for name in ("genes", "chemicals", "diseases")}
    journal_of: dict[Token, Token] = {}
    for subject, texts in _joined(files, [Layer.CORE, *_LINKS], advance):
        links = {_LINKS[layer]: subjects.said(text)[vocab.MENTIONS] for layer, text in texts.items() if layer in _LINKS}
        for name, found in links.items():
            counts.links[name] += len(found)
            counts.figures_of["genes" if name in _LEVELS else name].update(found)
        said = subjects.said(texts[Layer.CORE]) if Layer.CORE in texts else {}
        types = said.get(vocab.A, ())
        if vocab.FIGURE in types:
            _figure(subject, said, links, counts)
            counts.journals[journal_of.get(subjects.first(said, vocab.IS_PART_OF), "")] += 1
        elif vocab.ACADEMIC_ARTICLE in types:
            counts.totals["papers"] += 1
            counts.having["DOI"] += int(vocab.DOI in said)
            journal_of[iri(subject)] = subjects.first(said, vocab.IS_PART_OF)
        elif vocab.JOURNAL in types:
            counts.names[iri(subject)] = subjects.text(said, vocab.SHORT_TITLE) or subjects.text(said, vocab.TITLE)


def _figure(subject: str, said: dict[str, list[Token]], links: dict[str, list[Token]], counts: Counts) -> None:
    """Count one figure."""
    genes = [gene for level in _LEVELS for gene in links.get(level, ())]
    counts.totals["figures"] += 1
    counts.years[subjects.text(said, vocab.DATE_PUBLISHED)] += 1
    counts.organisms.update({counts.taxon_of[gene] for gene in genes if gene in counts.taxon_of})
    counts.about.update(said.get(vocab.ABOUT, ()))
    counts.genes_per_figure[len(genes)] += 1
    has = {
        "genes": bool(genes),
        **{name: name in links for name in _LINKS.values()},
        "about": vocab.ABOUT in said,
        "NDEx": any(expand(value).startswith(_NDEX) for value in said.get(vocab.SEE_ALSO, ())),
        "WikiPathways": any(expand(value).startswith(_PATHWAY) for value in said.get(vocab.RELATION, ())),
    }
    counts.having.update(name for name, yes in has.items() if yes)
    if genes:
        named = (-len(genes), subject, subjects.text(said, vocab.LABEL))
        counts.largest = heapq.nsmallest(LARGEST, [*counts.largest, named])


def _joined(files: Files, layers: list[Layer], advance: Advance) -> Iterator[tuple[str, subjects.Texts]]:
    return subjects.joined({layer: subjects.of_file(files[layer], advance) for layer in layers})
