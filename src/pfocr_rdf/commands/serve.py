"""`serve` and `proxy`: a read-only endpoint, and the proxy in front of two stores."""

from __future__ import annotations

import os
import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import DEFAULT_BUILD

app = typer.Typer()

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/%\-]*)?")


class Colour(StrEnum):
    """The two stores behind a proxy."""

    BLUE = "blue"
    GREEN = "green"


@app.command(epilog="Example: pfocr-rdf serve output/site --port 7880 --seconds 30")
def serve(
    place: Annotated[
        Path,
        typer.Argument(metavar="RELEASE|DIR", help="A release, a folder of releases, a build or an Oxigraph folder."),
    ] = DEFAULT_BUILD,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of 127.0.0.1.")] = 7880,
    seconds: Annotated[float, typer.Option(min=0.1, max=86400, help="Time that a query may take.")] = 60,
    rows: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Rows or triples that an answer may have.")
    ] = 100_000,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address under which a proxy shows this server.",
            show_default="http://127.0.0.1:PORT",
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="An endpoint that queries may call by SERVICE; again for more."),
    ] = None,
) -> None:
    """Answer SPARQL queries over HTTP, on this machine alone and read only; a new release is taken up without a gap."""
    try:
        from pfocr_rdf.serve import app as web
    except ImportError as error:
        raise UsageError(f"serve needs the extra `serve`: pip install 'pfocr-rdf[serve]' ({error.name})") from error
    from pfocr_rdf.serve.pool import Limits
    from pfocr_rdf.serve.served import Server

    address = url or f"http://127.0.0.1:{port}"
    for each in (address, *(service or [])):
        if not _ADDRESS.fullmatch(each):
            raise UsageError(f"{each!r}: is no address; give one such as https://example.org/pfocr")
    limits = Limits(seconds, rows, max(2, os.cpu_count() or 2), tuple(service or ()))
    server = Server(place, address, limits)
    with tempfile.TemporaryDirectory(prefix="pfocr-rdf-serve-") as folder:
        web.run(server, port, Path(folder), lambda: typer.echo(f"{server.endpoint} (page: {address}/)", err=True))
