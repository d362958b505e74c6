"""`load` and `update`: a release into a triple store, whole or by what changed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import AsJson
from pfocr_rdf.stores.contract import How, Kind

log = logging.getLogger("pfocr_rdf")

app = typer.Typer()

Release = Annotated[
    Path, typer.Argument(metavar="RELEASE", help="A release, a folder of releases (its newest one), or a build.")
]
To = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Address of a store, or folder of an Oxigraph database (made if it is not there).",
    ),
]
Store = Annotated[
    Kind | None, typer.Option("--store", help="Which kind of store it is.", show_default="the store is asked")
]
Updates = Annotated[
    str, typer.Option("--update", metavar="URL", help="Where the server takes updates.", show_default="found out")
]
GraphStore = Annotated[
    str, typer.Option(metavar="URL", help="Where it speaks the Graph Store Protocol.", show_default="found out")
]
Jar = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Jar of Jena or Blazegraph, for a folder of theirs.", show_default="fetched"),
]
Compact = Annotated[
    bool, typer.Option("--compact/--no-compact", help="Give space back that former states take, where it pays.")
]


@app.command(epilog="Example: pfocr-rdf load output/site --to http://localhost:3030/pfocr")
def load(
    release: Release,
    to: To,
    layers: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Load these alone, such as core,entities.", show_default="all layers"),
    ] = None,
    store: Store = None,
    updates: Updates = "",
    graph_store: GraphStore = "",
    jar: Jar = None,
    compact: Compact = True,
    as_json: AsJson = False,
) -> None:
    """Load a release into a store, each layer in its graph; what is there already stays. The result is counted."""
    from pfocr_rdf.stores import load as loading

    names = [name.strip() for name in layers.split(",") if name.strip()] if layers else []
    how: How = {"kind": store, "update": updates, "graph_store": graph_store, "jar": jar}
    with printing.progress("triples") as start:
        done = loading.load(release, to, layers=names, compact=compact, say=_say, start=start, **how)
    if as_json:
        typer.echo(json.dumps(done.to_json(), indent=2))
    else:
        printing.print_loaded(done)


@app.command(epilog="Example: pfocr-rdf update output/site --to http://localhost:3030/pfocr")
def update(
    release: Release,
    to: To,
    base: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the release lies that the store holds.", show_default="beside RELEASE"),
    ] = None,
    store: Store = None,
    updates: Updates = "",
    graph_store: GraphStore = "",
    jar: Jar = None,
    compact: Compact = True,
    as_json: AsJson = False,
) -> None:
    """Bring a store to a release by what differs from the one that it holds, or by all, and compare a sample."""
    from pfocr_rdf.stores import update as updating

    how: How = {"kind": store, "update": updates, "graph_store": graph_store, "jar": jar}
    done = updating.update(release, to, base=base, compact=compact, say=_say, **how)
    if as_json:
        typer.echo(json.dumps(done.to_json(), indent=2))
    else:
        printing.print_updated(done)


def _say(what: str) -> None:
    log.info("%s", what)
