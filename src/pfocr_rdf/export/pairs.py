"""Pairs of things that share a figure: gene and chemical, gene and disease, gene and gene.

The links are held as numbers, four bytes for each end of a link, which is some 40 MB for the whole database; so pairs
are counted gene by gene and nothing needs to be sorted on disk.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.export import stream, tsv
from pfocr_rdf.export.choices import MAX_FIGURES, MAX_GENES, MIN_FIGURES, PairKind
from pfocr_rdf.export.curies import curie
from pfocr_rdf.export.gmt import check_organisms
from pfocr_rdf.export.stream import Layers, Names
from pfocr_rdf.model import Layer, Level

COLUMNS = ("id1", "label1", "taxon1", "id2", "label2", "taxon2", "figures", "papers", "figids")
COUNTS = "counts.json"
_SECOND = {PairKind.GENE_CHEMICAL: Layer.LINKS_CHEMICALS, PairKind.GENE_DISEASE: Layer.LINKS_DISEASES}


@dataclass(slots=True)
class Table:
    """Lists of numbers, one for each figure or thing: list `n` is `values[starts[n]:starts[n + 1]]`, in order."""

    starts: array[int] = field(default_factory=lambda: array("Q", [0]))
    values: array[int] = field(default_factory=lambda: array("I"))

    def add(self, values: Sequence[int]) -> None:
        """Add a list, which is in order."""
        self.values.extend(values)
        self.starts.append(len(self.values))

    def __len__(self) -> int:
        """Return the number of lists."""
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> array[int]:
        """Return a list."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    def turned(self, size: int) -> Table:
        """Return for each of `size` values the numbers of the lists that hold it."""
        starts = array("Q", bytes(8 * (size + 1)))
        for value in self.values:
            starts[value + 1] += 1
        for value in range(size):
            starts[value + 1] += starts[value]
        ends, turned = starts[:], array("I", bytes(4 * len(self.values)))
        for number in range(len(self)):
            for value in self[number]:
                turned[ends[value]] = number
                ends[value] += 1
        return Table(starts, turned)


@dataclass(slots=True)
class Links:
    """What figures show: numbers of genes, chemicals and diseases by number of a figure; all in order of IRIs."""

    things: list[str]
    figids: list[str] = field(default_factory=list)
    papers: array[int] = field(default_factory=lambda: array("I"))
    genes: Table = field(default_factory=Table)
    others: dict[PairKind, Table] = field(default_factory=lambda: {kind: Table() for kind in _SECOND})
    left_out: int = 0


def export(
    release: Path,
    out: Path,
    *,
    kinds: Collection[PairKind] = tuple(PairKind),
    organisms: Collection[str] = (),
    level: Level = Level.SYMBOL,
    min_figures: int = MIN_FIGURES,
    max_figures: int = MAX_FIGURES,
    max_genes: int = MAX_GENES,
    progress: Callable[[int], None] | None = None,
) -> dict[str, int]:
    """Write `{kind}.tsv` and `counts.json` into the new folder `out`; return the counts.

    `organisms` are taxonomy ids of genes (all, when there are none). Raises `UsageError` when `release` is no build,
    `out` holds anything, or an id is no taxonomy id.
    """
    check_organisms(organisms)
    layers = stream.open_layers(release)
    known = stream.names(layers)
    found = _read(layers, known, level, organisms, max_genes, progress)
    counts = {"figures": len(found.figids), "figures_left_out": found.left_out}
    with buildfolder.new_folder(out) as folder:
        for kind in PairKind:
            if kind not in kinds:
                continue
            with tsv.writing(folder / f"{kind}.tsv") as lines:
                lines.write(tsv.row(COLUMNS))
                for first, second, figures in _pairs(found, kind):
                    if len(figures) >= min_figures:
                        lines.write(_line(found, known, (first, second), figures, max_figures))
            counts[f"{kind.replace('-', '_')}_pairs"] = lines.written - 1
        options = {
            "organisms": sorted(organisms),
            "level": level.name.lower(),
            "min_figures": min_figures,
            "max_figures": max_figures,
            "max_genes": max_genes,
        }
        buildfolder.write_json(folder / COUNTS, {"settings": options, "counts": counts})
    return counts


def _read(
    layers: Layers,
    known: Names,
    level: Level,
    organisms: Collection[str],
    max_genes: int,
    progress: Callable[[int], None] | None,
) -> Links:
    """Return the links of all figures that have genes, and not too many."""
    number_of = {iri: number for number, iri in enumerate(known)}
    found = Links(list(known))
    last = ""
    gene_layers = stream.gene_layers(level)
    for figure, texts in layers.joined([*gene_layers, *_SECOND.values()]):
        if progress:
            progress(1)
        genes = [gene for layer in gene_layers for gene in stream.links(texts.get(layer, ""))]
        if len(genes) > max_genes:
            found.left_out += 1
            continue
        genes = [gene for gene in genes if not organisms or known[gene].taxon in organisms]
        if not genes:
            continue
        paper = stream.paper_of(figure)
        found.papers.append((found.papers[-1] if found.papers else 0) + (paper != last))
        last = paper
        found.figids.append(ids.figid_of(figure))
        found.genes.add(sorted(number_of[gene] for gene in genes))
        for kind, layer in _SECOND.items():
            linked = stream.links(texts.get(layer, ""))
            found.others[kind].add(sorted(number_of[entity] for entity in linked))
    return found


def _pairs(found: Links, kind: PairKind) -> Iterator[tuple[int, int, list[int]]]:
    """Yield each pair of numbers with the numbers of its figures, all in order."""
    figures_of = found.genes.turned(len(found.things))
    seconds = found.others.get(kind)
    for gene in range(len(found.things)):
        shared: dict[int, list[int]] = {}
        for figure in figures_of[gene]:
            if seconds is None:
                beside = found.genes[figure]
                beside = beside[bisect_right(beside, gene) :]
            else:
                beside = seconds[figure]
            for other in beside:
                if other in shared:
                    shared[other].append(figure)
                else:
                    shared[other] = [figure]
        for other in sorted(shared):
            yield gene, other, shared[other]


def _line(found: Links, known: Names, pair: tuple[int, int], figures: list[int], max_figures: int) -> str:
    cells: list[str] = []
    for number in pair:
        iri = found.things[number]
        cells += [curie(iri), known[iri].label, known[iri].taxon]
    papers = len({found.papers[figure] for figure in figures})
    listed = [found.figids[figure] for figure in figures[:max_figures]]
    return tsv.row([*cells, str(len(figures)), str(papers), tsv.items(listed)])
