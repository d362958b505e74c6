"""`export`: from a build to other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import (
    AsJson,
    Release,
)

app = typer.Typer(help="From a build back to records, or to N-Triples.", no_args_is_help=True, rich_markup_mode=None)


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
