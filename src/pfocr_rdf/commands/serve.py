"""`serve` and `proxy`: a read-only endpoint, and a proxy in front of two stores."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import DEFAULT_BUILD
from pfocr_rdf.serve.proxy import Colour

app = typer.Typer()

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/%\-]*)?")


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


@app.command(
    epilog="Example: pfocr-rdf proxy --blue http://127.0.0.1:3030/a/query --green http://127.0.0.1:3030/b/query "
    "--live green --out /etc/nginx/conf.d/pfocr.conf"
)
def proxy(
    blue: Annotated[str, typer.Option(metavar="ADDRESS", help="Where one store answers queries.")],
    green: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the other one does.")],
    live: Annotated[Colour, typer.Option(help="Which of them gets the queries.")],
    listen: Annotated[str, typer.Option(metavar="ADDRESS", help="Where nginx listens.")] = "127.0.0.1:8080",
    seconds: Annotated[float, typer.Option(min=1, max=86400, help="How long an answer may take.")] = 90,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there.", show_default="print it")] = None,
) -> None:
    """Write a configuration of nginx by which one of two stores gets the queries, while the other one is loaded."""
    from pfocr_rdf import printing
    from pfocr_rdf.serve import proxy as switching

    text = switching.configuration({Colour.BLUE: blue, Colour.GREEN: green}, live, listen, seconds)
    if out is None:
        printing.write_out(text)
        return
    new = out.with_name(f".{out.name}.new")
    new.write_text(text, encoding="utf-8", newline="\n")
    new.replace(out)
