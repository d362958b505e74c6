"""Gene sets of figures as GMT: name, description and genes, one set for each figure and organism.

The rule of the site's own files: genes found by their current symbol, three of them at least, the title as description.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from pfocr_rdf import identifiers as ids
from pfocr_rdf import subjects
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import UsageError
from pfocr_rdf.export import stream, tsv
from pfocr_rdf.export.choices import MIN_GENES, GeneIds
from pfocr_rdf.export.stream import Layers, Names
from pfocr_rdf.model import Layer, Level
from pfocr_rdf.subjects import Said, Texts

UNKNOWN = "unknown"
"""Stands for the organism of genes that have none."""


def export(
    release: Path,
    out: Path,
    *,
    gene_ids: GeneIds = GeneIds.SYMBOL,
    organisms: Collection[str] = (),
    level: Level = Level.SYMBOL,
    min_genes: int = MIN_GENES,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write the sets of a build to the new file `out`; return how many there are, and of how many figures.

    `organisms` are taxonomy ids (all, when there are none). Raises `UsageError` when `release` is no build, `out` is
    there, or an id is no taxonomy id.
    """
    check_organisms(organisms)
    layers = stream.open_layers(release)
    known = stream.names(layers)
    repeated = _repeated_names(layers)
    counts = {"figures": 0, "sets": 0, "genes": 0}
    wanted = [Layer.CORE, *stream.gene_layers(level)]
    with tsv.new_file(out) as lines:
        for figure, texts in layers.joined(wanted):
            name, title = _name_and_title(figure, texts, repeated)
            sets = gene_sets(texts, known, gene_ids, organisms, min_genes)
            for taxon, genes in sets.items():
                lines.write(tsv.row([name if len(organisms) == 1 else f"{name}_{taxon}", title, *genes]))
                counts["genes"] += len(genes)
            counts["sets"] += len(sets)
            counts["figures"] += bool(sets)
            if progress:
                progress(1)
    return counts


def check_organisms(organisms: Collection[str]) -> None:
    """Raise `UsageError` for what is no taxonomy id."""
    for taxid in organisms:
        if not ids.TAXON_ID.fullmatch(taxid):
            raise UsageError(f"--organism {taxid!r}: a taxonomy id is a positive whole number, such as 9606")


def gene_sets(
    texts: Texts, known: Names, gene_ids: GeneIds, organisms: Collection[str], min_genes: int
) -> dict[str, list[str]]:
    """Return the genes of one figure by taxonomy id, both in order: ids by number, symbols by code point."""
    found: dict[str, set[str]] = {}
    for layer, text in texts.items():
        if layer is Layer.CORE:
            continue
        for gene in stream.links(text):
            label, taxon = known[gene].label, known[gene].taxon or UNKNOWN
            written = label if gene_ids is GeneIds.SYMBOL else gene.removeprefix(ids.GENES)
            if written.startswith(ids.PFD) or not written.strip() or (organisms and taxon not in organisms):
                continue  # a gene that is known by symbol only has no id
            found.setdefault(taxon, set()).add(tsv.cell(written).strip())
    by_number = sorted(found.items(), key=lambda pair: (len(pair[0]), pair[0]))
    return {taxon: sorted(genes, key=_order) for taxon, genes in by_number if len(genes) >= min_genes}


def _order(gene: str) -> tuple[int, str]:
    """Put ids by number, and symbols, whose length says nothing, by code point."""
    return (len(gene) if gene.isdecimal() else 0), gene


def _name_and_title(figure: str, texts: Texts, repeated: Collection[str]) -> tuple[str, str]:
    """Return the name of a figure's sets, which no other figure has, and their description."""
    pairs = stream.core(figure, texts)
    alias, figid = _alias(pairs), ids.figid_of(figure)
    name = alias if alias and alias not in repeated else figid
    return name, subjects.text(pairs, v.LABEL) or figure


def _alias(pairs: Said) -> str:
    """Return the alias of a figure as it is written, empty for none."""
    return tsv.cell(subjects.text(pairs, v.ALTERNATE_NAME)).strip()


def _repeated_names(layers: Layers) -> set[str]:
    """Return the aliases that several figures have, or that are another figure's figid."""
    seen: Counter[str] = Counter()
    for figure, text in layers.items(Layer.CORE, ids.FIGURES):
        seen.update({ids.figid_of(figure), _alias(subjects.said(text))} - {""})
    return {name for name, number in seen.items() if number > 1}
