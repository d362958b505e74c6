"""`export`: from a build to other forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.export.choices import MAX_FIGURES, MAX_GENES, MAX_LISTED, MIN_FIGURES, MIN_GENES, GeneIds, PairKind
from pfocr_rdf.model import Level
from pfocr_rdf.options import AsJson, LevelName, NewFile, NewFolder, Organisms, Release, UpTo

app = typer.Typer(
    help="From a build to other forms: records, N-Triples, gene sets, tables, JSON-LD.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("records", epilog="Example: pfocr-rdf export records output/build --out records")
def export_records(
    release: Release,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    as_json: AsJson = False,
) -> None:
    """Write the records and tables back, from the graph alone."""
    from pfocr_rdf.export import records

    with printing.progress("figures") as start:
        counts = records.export(release, out, start(0))
    printing.print_counts(counts, as_json)


@app.command("ntriples", epilog="Example: pfocr-rdf export ntriples output/build --out nt")
def export_ntriples(
    release: Release,
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    as_json: AsJson = False,
) -> None:
    """Write each layer as N-Triples."""
    from pfocr_rdf.export import ntriples

    printing.print_counts(ntriples.export(release, out), as_json)


@app.command("gmt", epilog="Example: pfocr-rdf export gmt output/build --organism 9606 --out human.gmt")
def export_gmt(
    release: Release,
    out: NewFile,
    gene_ids: Annotated[GeneIds, typer.Option("--ids", help="How genes are written.")] = GeneIds.SYMBOL,
    organism: Organisms = None,
    level: UpTo = LevelName.SYMBOL,
    min_genes: Annotated[int, typer.Option(min=1, help="Genes that a set has at least.")] = MIN_GENES,
    as_json: AsJson = False,
) -> None:
    """Write the gene sets of figures: one for each figure and organism."""
    from pfocr_rdf.export import gmt

    with _progress(release) as step:
        counts = gmt.export(
            release,
            out,
            gene_ids=gene_ids,
            organisms=organism or (),
            level=Level[level.name],
            min_genes=min_genes,
            progress=step,
        )
    printing.print_counts(counts, as_json)


@app.command("kgx", epilog="Example: pfocr-rdf export kgx output/build --out kgx")
def export_kgx(release: Release, out: NewFolder, level: UpTo = LevelName.FAMILY, as_json: AsJson = False) -> None:
    """Write nodes and edges for the Knowledge Graph Exchange, in the terms of the Biolink model."""
    from pfocr_rdf.export import kgx

    with _progress(release) as step:
        counts = kgx.export(release, out, level=Level[level.name], progress=step)
    printing.print_counts(counts, as_json)


@app.command("jsonld", epilog="Example: pfocr-rdf export jsonld output/build --out pages")
def export_jsonld(
    release: Release,
    out: Annotated[Path, typer.Option(help="A new folder; with --lines a new file.")],
    only: Annotated[str | None, typer.Option(metavar="FIGID", help="Write this figure alone.")] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Write one file with a line for each figure.")] = False,
    level: UpTo = LevelName.SYMBOL,
    as_json: AsJson = False,
) -> None:
    """Write the repaired schema.org block of each figure's page."""
    from pfocr_rdf.export import pages

    with _progress(release) as step:
        counts = pages.export(release, out, only=only, in_lines=lines, level=Level[level.name], progress=step)
    printing.print_counts(counts, as_json)


@app.command("pairs", epilog="Example: pfocr-rdf export pairs output/build --organism 9606 --out pairs")
def export_pairs(
    release: Release,
    out: NewFolder,
    kind: Annotated[list[PairKind] | None, typer.Option(help="A kind of pairs; give it again for more.")] = None,
    organism: Organisms = None,
    level: UpTo = LevelName.SYMBOL,
    min_figures: Annotated[int, typer.Option(min=1, help="Figures that a pair shares at least.")] = MIN_FIGURES,
    max_figures: Annotated[int, typer.Option(min=0, help="Figures that are listed of a pair.")] = MAX_FIGURES,
    max_genes: Annotated[int, typer.Option(min=1, help="Figures with more genes are left out.")] = MAX_GENES,
    as_json: AsJson = False,
) -> None:
    """Write which genes share figures with which chemicals, diseases and genes."""
    from pfocr_rdf.export import pairs

    with _progress(release) as step:
        counts = pairs.export(
            release,
            out,
            kinds=kind or tuple(PairKind),
            organisms=organism or (),
            level=Level[level.name],
            min_figures=min_figures,
            max_figures=max_figures,
            max_genes=max_genes,
            progress=step,
        )
    printing.print_counts(counts, as_json)


@app.command("words", epilog="Example: pfocr-rdf export words output/build --min-genes 6 --out words.tsv")
def export_words(
    release: Release,
    out: NewFile,
    min_genes: Annotated[int, typer.Option(min=0, help="Genes that a word stands for at least.")] = 1,
    max_genes: Annotated[int, typer.Option(min=0, help="Genes that are listed of a word.")] = MAX_LISTED,
    as_json: AsJson = False,
) -> None:
    """Write which words stand for which genes, the most ambiguous first."""
    from pfocr_rdf.export import words

    with _progress(release) as step:
        counts = words.export(release, out, min_genes=min_genes, max_listed=max_genes, progress=step)
    printing.print_counts(counts, as_json)


@contextmanager
def _progress(release: Path) -> Iterator[Callable[[int], None]]:
    """Show the figures that are done, of all that a build has."""
    from pfocr_rdf.export import stream

    total = stream.open_layers(release).figures
    with printing.progress("figures") as start:
        yield start(total)
