"""`publish`: a checked build as the newest release in a folder that anybody can serve."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import AsJson, Workers, share

log = logging.getLogger("pfocr_rdf")

app = typer.Typer()


@app.command(epilog="Example: pfocr-rdf publish output/build --to output/site --base-url https://example.org/releases")
def publish(
    build: Annotated[Path, typer.Argument(metavar="BUILD", help="A build folder; it is not changed.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder of releases; it is made if it is not there.")],
    version: Annotated[
        str | None,
        typer.Option(help="Name of the release.", show_default="date of the source's commit"),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address of DIR/releases for the world, for the description.",
            show_default="one of w3id.org",
        ),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of a SPARQL service over the release.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="What the build was made from, for the checks against it.")
    ] = None,
    gene_info: Annotated[Path | None, typer.Option(help="NCBI's gene_info, for the checks.")] = None,
    gene_history: Annotated[Path | None, typer.Option(help="NCBI's gene_history, for the checks.")] = None,
    retired: Annotated[Path | None, typer.Option(help="Retired ids of MeSH, ChEBI and DO, for the checks.")] = None,
    retractions: Annotated[Path | None, typer.Option(help="Retracted papers, for the checks.")] = None,
    words: Annotated[Path | None, typer.Option(help="Plain words, for the checks.")] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(
            parser=share,
            metavar="SHARE",
            help="Keep it aside when figures, papers, genes, mentions or triples fell by more than this.",
            show_default="any drop is taken",
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Publish it whatever is found; for what was kept aside and looked at.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Releases that stay, the newest; older ones are deleted.", show_default="all"),
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Publish a build as the newest release in DIR, if the checks find no violation and counts did not fall."""
    from pfocr_rdf.release import publish as publishing
    from pfocr_rdf.release.folder import RELEASES, opened
    from pfocr_rdf.validation.options import Options

    options = Options(
        source=source,
        gene_info=gene_info,
        gene_history=gene_history,
        retired=retired,
        retractions=retractions,
        words=words,
    )
    with opened(to) as releases, printing.progress("checks") as start:
        done = publishing.publish(
            build,
            releases,
            version=version,
            base_url=base_url,
            endpoint=endpoint,
            options=options,
            max_drop=max_drop,
            accept=accept,
            workers=workers,
            say=lambda what: log.info("%s", what),
            start=start,
        )
        for gone in releases.prune(keep) if keep else ():
            log.info("%s was deleted", releases.place(gone))
    place = to / RELEASES / done.place.name
    if as_json:
        said: dict[str, Any] = {"place": str(place), "new": done.new, **done.release}
        typer.echo(json.dumps(said, ensure_ascii=False, indent=2))
    else:
        printing.print_release(place, done.release, new=done.new)
