"""`validate`: what a release must be before it is published."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.errors import NotValid
from pfocr_rdf.options import AsJson, Release
from pfocr_rdf.validation.options import Options, Parser

app = typer.Typer()


class FailOn(StrEnum):
    """Which findings end the command with exit code 4."""

    VIOLATION = "violation"
    WARNING = "warning"


@app.command(epilog="Example: pfocr-rdf validate output/build --out output/validation")
def validate(
    release: Release,
    fail_on: Annotated[FailOn, typer.Option(help="Findings that end with exit code 4.")] = FailOn.VIOLATION,
    out: Annotated[
        Path | None, typer.Option(help="Folder for validation.ttl (a SHACL report), validation.json, validation.md.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="What the release was built from, to compare it with.")] = None,
    previous: Annotated[Path | None, typer.Option(help="The release before, to compare counts with.")] = None,
    gene_info: Annotated[Path | None, typer.Option(help="NCBI's gene_info: current symbols.")] = None,
    gene_history: Annotated[Path | None, typer.Option(help="NCBI's gene_history: ids that were replaced.")] = None,
    retired: Annotated[Path | None, typer.Option(help="Ids of MeSH, ChEBI and DO that are no longer used.")] = None,
    retractions: Annotated[Path | None, typer.Option(help="Papers that were retracted.")] = None,
    words: Annotated[Path | None, typer.Option(help="Plain English words, one a line.")] = None,
    parser: Annotated[
        Parser | None, typer.Option(help="A second parser, which is installed, to read each file.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that check at the same time.", show_default="all cores")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a release against the data model; options give what some checks need from outside."""
    from pfocr_rdf import buildfolder
    from pfocr_rdf.validation import report as reporting
    from pfocr_rdf.validation import run
    from pfocr_rdf.validation.checks import Severity

    buildfolder.find_build(release)
    if out is not None:
        buildfolder.ready(out)  # the checks take long
    options = Options(source, previous, gene_info, gene_history, retired, retractions, words, parser)
    with printing.progress("triples") as start:
        found = run.validate(release, options, workers=workers, start=start)
    if out is not None:
        reporting.write(found, out)
    printing.print_validation(found, as_json)
    violations, warnings = (found.count(severity) for severity in Severity)
    if violations or (warnings and fail_on is FailOn.WARNING):
        raise NotValid(f"{release}: {violations:,} violations, {warnings:,} warnings")
