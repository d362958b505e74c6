"""Which words of figures stand for which genes: the list of ambiguous words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pfocr_rdf import identifiers as ids
from pfocr_rdf.export import stream, tsv
from pfocr_rdf.export.choices import MAX_LISTED
from pfocr_rdf.export.curies import curie
from pfocr_rdf.export.stream import Layers, Names
from pfocr_rdf.model import SEPARATOR, Layer

COLUMNS = ("word", "genes", "organisms", "genes_of_one_organism", "figures", "lexicons", "gene_ids", "gene_labels")
_DIGITS = 10


def export(
    release: Path,
    out: Path,
    *,
    min_genes: int = 1,
    max_listed: int = MAX_LISTED,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write the words of a build to the new file `out`, those with most genes first; return their number.

    Raises `UsageError` when `release` is no build or `out` is there.
    """
    layers = stream.open_layers(release)
    known = stream.names(layers)
    with (
        tsv.new_file(out) as lines,
        tsv.Sorter(out.parent) as by_word,
        tsv.Sorter(out.parent) as by_genes,
    ):
        mentions = 0
        for line in _uses(layers, progress):
            by_word.add(line)
            mentions += 1
        for word, uses in groupby(by_word, key=lambda line: line.partition(SEPARATOR)[0]):
            found = _described(word, uses, known, max_listed)
            if found and int(found[1]) >= min_genes:
                by_genes.add("\t".join([_descending(found[1]), _descending(found[4]), *found]))
        lines.write(tsv.row(COLUMNS))
        for line in by_genes:
            lines.write(line.split("\t", 2)[2] + "\n")
        return {"mentions": mentions, "words": lines.written - 1}


def _descending(number: str) -> str:
    """Return a key by which large numbers come first."""
    return f"{10**_DIGITS - int(number):0{_DIGITS}d}"


def _uses(layers: Layers, progress: Callable[[int], None] | None) -> Iterator[str]:
    """Yield a line for each mention: word, number of its figure, lexicon, genes."""
    numbers = -1
    last = ""
    for mention in stream.mentions(layers, Layer.EVIDENCE_GENES):
        if mention.figure != last:
            last = mention.figure
            numbers += 1
            if progress:
                progress(1)
        genes = " ".join(body.removeprefix(ids.GENES) for body in mention.bodies)
        yield SEPARATOR.join((tsv.cell(mention.word), f"{numbers:0{_DIGITS}d}", mention.lexicon, genes))


def _described(word: str, uses: Iterable[str], known: Names, max_listed: int) -> list[str]:
    """Return the cells of a word; none where it stands for no gene."""
    genes: set[str] = set()
    by_lexicon: dict[str, set[str]] = {}
    figures, last = 0, ""
    for line in uses:
        _, figure, lexicon, bodies = line.split(SEPARATOR)
        figures += figure != last
        last = figure
        found = set(map(ids.gene, bodies.split()))  # a mention's genes all have an id
        genes |= found
        by_lexicon.setdefault(lexicon, set()).update(found)
    per_organism = Counter(known[gene].taxon for gene in genes)
    listed = sorted(genes)[:max_listed]
    lexicons = [f"{lexicon}={len(found)}" for lexicon, found in sorted(by_lexicon.items())]
    return [
        word,
        str(len(genes)),
        str(len(per_organism)),
        str(max(per_organism.values(), default=0)),
        str(figures),
        tsv.items(lexicons),
        tsv.items(map(curie, listed)),
        tsv.items(tsv.cell(known[gene].label) for gene in listed),
    ]
