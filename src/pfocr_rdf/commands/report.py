"""`report`: what a release holds, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import Release

app = typer.Typer()


@app.command(
    epilog="Example: pfocr-rdf report output/build --previous releases/20250101 --validation validation.json --out site"
)
def report(
    release: Release,
    out: Annotated[
        Path, typer.Option(metavar="DIR|FILE", help="Folder for report.html and report.json, or the name of an .html.")
    ],
    previous: Annotated[
        Path | None, typer.Option(metavar="RELEASE", help="The release before, to compare with.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What the checks found: the JSON of `pfocr-rdf validate`.")
    ] = None,
) -> None:
    """Write a page that says what a release holds: numbers, plots, checks, what was refused."""
    from pfocr_rdf import buildfolder
    from pfocr_rdf.report import data, outcomes, page

    folder = out.parent if out.suffix == ".html" else out
    if folder.resolve() == release.resolve():
        raise UsageError(f"{out}: is the build itself, which holds no other files; give another folder with --out")
    page.need_extra()
    found = outcomes.read(validation) if validation else None
    buildfolder.find_build(release)
    buildfolder.ready(folder)
    with printing.progress("triples") as start:
        gathered = data.gather(release, validation=found, previous=previous, start=start)
    written = page.write(gathered, out)
    printing.write_out("".join(f"{path}\n" for path in written))
