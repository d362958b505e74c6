"""Checks that compare what is said of one figure in several layers: links against mentions, words against words.

They look at every link and mention, which the embedded store is too slow for at the size of the whole database (an
anti-join of 17 million triples), so they walk through the layers, which are sorted, once for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import GENE_LINKS, LEXICONS, Layer
from pfocr_rdf.terms import Token, iri, value_of
from pfocr_rdf.validation import papers
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.papers import Figure
from pfocr_rdf.validation.release import Function, Release

MANY_GENES = 300
"""Genes that a figure may have before it deserves a look."""

FLOOD = 20
"""Genes that one word of a figure may stand for."""

SHORT = 2
"""Characters of a word that is too short to mean anything by itself."""

UNITS = frozenset(
    (
        *("kDa", "KDa", "kda", "Da", "bp", "kb", "wt%", "mmHg"),
        *("mM", "nM", "µM", "μM", "mmol", "nmol", "ng/ml", "mg/kg", "ml", "mL", "µl", "μl"),
        *("mm", "cm", "nm", "µm", "μm", "Hz", "kHz", "MHz", "mV", "°C"),
        *("min", "sec", "hrs", "hour", "hours", "day", "days", "weeks"),
    )
)
"""Units and words for times that stand in figures."""

_GENE_LAYERS = tuple(GENE_LINKS.values())
_GENES = f"<{ids.GENES}"
_LEVELS = {iri(ids.lexicon(value)): level for value, level in LEXICONS.items()}
_OTHERS = {Layer.EVIDENCE_CHEMICALS: Layer.LINKS_CHEMICALS, Layer.EVIDENCE_DISEASES: Layer.LINKS_DISEASES}


class _Known(NamedTuple):
    """Labels and taxa of genes, and all taxa, from `entities`."""

    labels: dict[Token, list[Token]]
    taxa: dict[Token, list[Token]]
    described: set[Token]


def linked_as_mentioned(figure: Figure, _: _Known) -> Iterator[Finding]:
    """Yield links without mention, mentions without link, and mentions that are not of their figure (Q12)."""
    if not figure.said:
        yield Finding(figure.iri, message="has links or mentions, but is not described", layer=Layer.CORE)
    bodies: dict[Layer, set[Token]] = {layer: set() for layer in papers.EVIDENCE}
    for mention in figure.mentions:
        bodies[mention.layer].update(mention.bodies)
        if [target[1:-1] for target in mention.values(vocab.HAS_TARGET)] != [figure.iri]:
            value = " ".join(map(papers.bare, mention.values(vocab.HAS_TARGET)))
            yield Finding(mention.iri, value, "its target is not the figure that its address names", mention.layer)
    genes = {gene for layer in _GENE_LAYERS for gene in figure.links.get(layer, ()) if gene.startswith(_GENES)}
    yield from _unequal(figure, genes, bodies[Layer.EVIDENCE_GENES], "links-genes", Layer.EVIDENCE_GENES)
    shared = bodies[Layer.EVIDENCE_CHEMICALS] & bodies[Layer.EVIDENCE_DISEASES]
    for evidence, layer in _OTHERS.items():
        links, elsewhere = set(figure.links.get(layer, ())), shared if layer is Layer.LINKS_DISEASES else set()
        yield from _unequal(figure, links - elsewhere, bodies[evidence] - elsewhere, layer, evidence)
        for token in links & elsewhere:
            yield Finding(figure.iri, papers.bare(token), f"belongs in {Layer.LINKS_CHEMICALS}, as both kinds", layer)


def _unequal(figure: Figure, links: set[Token], bodies: set[Token], layer: str, evidence: str) -> Iterator[Finding]:
    for token in links - bodies:
        yield Finding(figure.iri, papers.bare(token), "is linked, but no mention has it as body", evidence)
    for token in bodies - links:
        yield Finding(figure.iri, papers.bare(token), "is the body of a mention, but not linked", layer)


def best_level(figure: Figure, _: _Known) -> Iterator[Finding]:
    """Yield gene links that stand in another layer than that of the best lexicon, or in several (Q13)."""
    best: dict[Token, int] = {}
    for mention in figure.mentions:
        if mention.layer is Layer.EVIDENCE_GENES:
            for level in [_LEVELS[lexicon] for lexicon in mention.values(vocab.SOURCE) if lexicon in _LEVELS]:
                for gene in mention.bodies:
                    if level < best.get(gene, level + 1):
                        best[gene] = level
    places: defaultdict[Token, list[Layer]] = defaultdict(list)
    for layer in _GENE_LAYERS:
        for gene in figure.links.get(layer, ()):
            places[gene].append(layer)
    for gene, found in places.items():
        if len(found) > 1:
            yield Finding(figure.iri, papers.bare(gene), f"is linked in {' and '.join(found)}", found[-1])
        elif gene in best and found[0] is not (right := _GENE_LAYERS[best[gene]]):
            yield Finding(figure.iri, papers.bare(gene), f"belongs in {right}, the level of its best lexicon", found[0])


def odd_number(figure: Figure, _: _Known) -> Iterator[Finding]:
    """Yield figures without entity, with one gene, or very many, and words that stand for many genes (Q17)."""
    if not figure.said:
        return
    genes = {gene for layer in _GENE_LAYERS for gene in figure.links.get(layer, ())}
    others = [entity for layer in _OTHERS.values() for entity in figure.links.get(layer, ())]
    if not genes and not others:
        yield Finding(figure.iri, "0", "no gene, chemical or disease was found", Layer.CORE)
    elif len(genes) == 1:
        yield Finding(figure.iri, "1", "a single gene was found", Layer.CORE)
    elif len(genes) > MANY_GENES:
        yield Finding(figure.iri, str(len(genes)), f"more than {MANY_GENES} genes were found", Layer.CORE)
    words: defaultdict[Token, set[Token]] = defaultdict(set)
    for mention in figure.mentions:
        if mention.layer is Layer.EVIDENCE_GENES:
            for word in mention.words:
                words[word].update(mention.bodies)
    for word, found in words.items():
        if len(found) > FLOOD:
            yield Finding(
                figure.iri, papers.bare(word), f"this word stands for {len(found)} genes", Layer.EVIDENCE_GENES
            )


def strange_organisms(figure: Figure, known: _Known) -> Iterator[Finding]:
    """Yield organisms of a figure that none of its genes is of (Q18)."""
    taxa = {
        taxon for layer in _GENE_LAYERS for gene in figure.links.get(layer, ()) for taxon in known.taxa.get(gene, ())
    }
    taxa.update(taxon for mention in figure.mentions for taxon in mention.values(vocab.TAXONOMIC_RANGE))
    if not taxa:
        return
    for taxon in figure.said.get(vocab.MENTIONS, ()):
        if taxon not in taxa:
            yield Finding(figure.iri, papers.bare(taxon), "none of the figure's genes is of this organism", Layer.CORE)
    about = figure.said.get(vocab.ABOUT, ())
    if about and taxa.isdisjoint(about):
        value = " ".join(sorted(map(papers.bare, about)))
        yield Finding(figure.iri, value, "no gene is of any organism that was found in the paper", Layer.CORE)


def either_kind(figure: Figure, known: _Known) -> Iterator[Finding]:
    """Yield mentions of a chemical whose word is a gene's symbol in the figure, and the reverse (Q28)."""
    kinds = (Layer.EVIDENCE_GENES, Layer.EVIDENCE_CHEMICALS)
    genes, chemicals = ([m for m in figure.mentions if m.layer is layer and m.bodies] for layer in kinds)
    if not chemicals:
        return
    linked = (gene for layer in _GENE_LAYERS for gene in figure.links.get(layer, ()))
    symbols = {label for gene in linked for label in known.labels.get(gene, ())}
    names = {word for mention in chemicals for word in mention.words}
    for mentions, others, what in ((chemicals, symbols, "gene's symbol"), (genes, names, "chemical")):
        for mention in mentions:
            for word in others.intersection(mention.words):
                message = f"the word is a {what} in the same figure"
                yield Finding(mention.iri, papers.bare(word), message, mention.layer)


def organism_described(figure: Figure, known: _Known) -> Iterator[Finding]:
    """Yield mentions of organisms that are not described (Q65)."""
    for mention in figure.mentions:
        for taxon in mention.values(vocab.TAXONOMIC_RANGE):
            if taxon not in known.described:
                yield Finding(mention.iri, papers.bare(taxon), "is no taxon that entities describes", mention.layer)


class _Words:
    """Counts words, for those that are too short or are units, and as common as in one of 1,000 figures (Q27)."""

    def __init__(self) -> None:
        self._figures = 0
        self._times: dict[tuple[Layer, Token], int] = {}
        self._first: dict[tuple[Layer, Token], str] = {}

    def add(self, figure: Figure) -> None:
        """Take the words of a figure."""
        self._figures += bool(figure.said)
        for mention in figure.mentions:
            for word in mention.words:
                key = mention.layer, word
                self._times[key] = self._times.get(key, 0) + 1
                if self._first.setdefault(key, mention.iri) > mention.iri:
                    self._first[key] = mention.iri

    def findings(self) -> Iterator[Finding]:
        """Yield one finding for each such word of a layer: the first of its mentions."""
        for (layer, token), times in self._times.items():
            if times * 1000 >= self._figures:
                word = value_of(token)
                if len(word) <= SHORT or word in UNITS:
                    yield Finding(self._first[layer, token], word, f"{times} mentions", layer)


_RULES: dict[str, Callable[[Figure, _Known], Iterator[Finding]]] = {
    "Q12": linked_as_mentioned,
    "Q13": best_level,
    "Q17": odd_number,
    "Q18": strange_organisms,
    "Q28": either_kind,
    "Q65": organism_described,
}
_WORDS = "Q27"
_NEED_ENTITIES = ("Q18", "Q28", "Q65")

_Files = tuple[tuple[str, Path, int, int], ...]


def _run(id_: str, release: Release, _: Options) -> list[Finding] | NotRun:
    wanted = [Layer.CORE, *papers.LINKS, *papers.EVIDENCE, *([Layer.ENTITIES] if id_ in _NEED_ENTITIES else [])]
    if missing := [layer for layer in wanted if layer not in release.layers]:
        return NotRun(f"the release lacks {', '.join(missing)}")
    states = [(layer, path, path.stat()) for layer, path in release.layers.items()]
    try:
        return _walk(tuple((layer, path, state.st_size, state.st_mtime_ns) for layer, path, state in states))[id_]
    except UsageError as error:
        return NotRun(str(error))


@lru_cache(maxsize=1)
def _walk(files: _Files) -> dict[str, list[Finding]]:
    """Return the findings of all checks of this module: one walk for all; files are known by size and time."""
    layers = {layer: path for layer, path, _, _ in files}
    known = _Known({}, {}, set())
    if Layer.ENTITIES in layers:
        for gene, said in papers.things(layers[Layer.ENTITIES], vocab.GENE):
            known.labels[gene], known.taxa[gene] = said.get(vocab.LABEL, []), said.get(vocab.TAXONOMIC_RANGE, [])
        known.described.update(taxon for taxon, _ in papers.things(layers[Layer.ENTITIES], vocab.TAXON))
    found: dict[str, list[Finding]] = {id_: [] for id_ in _RULES}
    words = _Words()
    for paper in papers.walk(layers):
        for figure in paper:
            words.add(figure)
            for id_, rule in _RULES.items():
                found[id_] += rule(figure, known)
    return {**found, _WORDS: list(words.findings())}


CHECKS: dict[str, Function] = {id_: partial(_run, id_) for id_ in (*_RULES, _WORDS)}
"""The checks of this module, by id."""
