"""`store`: servers of triple stores on this machine, for development."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import AsJson
from pfocr_rdf.stores.contract import Kind
from pfocr_rdf.stores.starting import PORTS

app = typer.Typer(no_args_is_help=True, help="Servers of triple stores on this machine, for development.")


def _megabytes(text: str) -> int:
    """Read a size such as `512m` or `4g`; raises `typer.BadParameter` for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mg])", text.lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size; write it as 512m or 4g")
    return int(found[1]) * (1024 if found[2] == "g" else 1)


@app.command(epilog="Example: pfocr-rdf store up fuseki --data pfocr-tdb2 --port 3030")
def up(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="fuseki, blazegraph, virtuoso or oxigraph.")],
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the database.", show_default="one for each kind, in your user's data"
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port at 127.0.0.1; 0 is any free one.", show_default="that of its manual"),
    ] = None,
    jar: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The jar of Fuseki or Blazegraph.", show_default="fetched once by your mvn"),
    ] = None,
    memory: Annotated[
        int | None, typer.Option(metavar="SIZE", parser=_megabytes, help="Memory, such as 4g.", show_default="2g")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only/--writable", help="Whether it takes no updates (Fuseki, Oxigraph).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a server over a database, new or old, and say where it answers; once it runs, only say so."""
    from pfocr_rdf.stores import local

    if kind not in PORTS:
        raise typer.BadParameter(f"{kind!r} is none of {', '.join(PORTS)}", param_hint="KIND")
    server, new = local.up(Kind(kind), data, port, jar=jar, memory=memory, writable=not read_only)
    if as_json:
        typer.echo(json.dumps({**server.to_json(), "new": new}, indent=2))
    else:
        printing.print_server(server, "started" if new else "runs already")


@app.command(epilog="Example: pfocr-rdf store status --json")
def status(as_json: AsJson = False) -> None:
    """Say which servers were started here, and whether they run."""
    from pfocr_rdf.stores import local

    servers = local.status()
    if as_json:
        typer.echo(json.dumps([server.to_json() for server in servers], indent=2))
    elif servers:
        for server in servers:
            printing.print_server(server, "runs" if server.running else "stopped by itself; see its log")
    else:
        typer.echo("no server was started here")


@app.command(epilog="Example: pfocr-rdf store down fuseki")
def down(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The server, as `store status` names it.", show_default="all")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Stop a server, or all, and wait until its data is on the disk."""
    from pfocr_rdf.stores import local

    stopped = local.down(name)
    if as_json:
        typer.echo(json.dumps([server.to_json() for server in stopped], indent=2))
    else:
        typer.echo("\n".join(f"{server.name}: stopped" for server in stopped) or "no server ran")
