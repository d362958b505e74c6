"""`run` and `config`: the flows from the shell, and the configuration that they use.

The flows are another package, which needs an extra: it is imported by its name, when a command asks for it.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pfocr_rdf import printing
from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import AsJson

FLOWS = "pfocr_rdf_flows"

app = typer.Typer()
running = typer.Typer(
    help="Run a flow here and now, as it runs every night.", no_args_is_help=True, rich_markup_mode=None
)

From = Annotated[str | None, typer.Option("--source", metavar="SOURCE", help="What is converted.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of builds and releases.")]
To = Annotated[
    list[str] | None,
    typer.Option(metavar="STORE", help="A store to bring up to date: an address, or a name of the configuration."),
]
Work = Annotated[int | None, typer.Option("--workers", min=1, help="Processes that work at the same time.")]
Accept = Annotated[
    str | None,
    typer.Option(metavar="VERSION", help="Publish this version of DIR/rejected, which somebody has looked at."),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another parameter of the flow; VALUE is text or JSON."),
]


@running.command(epilog="Example: pfocr-rdf run nightly --source pfocr-database --out output/site")
def nightly(
    source: From = None,
    out: Out = None,
    to: To = None,
    workers: Work = None,
    accept: Accept = None,
    parameters: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Build, check, publish and load what is new in the source; nothing where it has not changed."""
    _run("nightly", parameters, as_json, source=source, out=out, to=to, workers=workers, accept=accept)


@running.command(epilog="Example: pfocr-rdf run release --source pfocr-database --out output/site --workers 2")
def release(
    source: From = None,
    out: Out = None,
    workers: Work = None,
    accept: Accept = None,
    parameters: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Build, check and publish."""
    _run("release", parameters, as_json, source=source, out=out, workers=workers, accept=accept)


@running.command(epilog="Example: pfocr-rdf run load --out output/site --to http://localhost:3030/ds")
def load(out: Out = None, to: To = None, parameters: Parameters = None, as_json: AsJson = False) -> None:
    """Bring stores to the current release, by what changed where they can."""
    _run("load", parameters, as_json, out=out, to=to)


@running.command(
    epilog="Example: pfocr-rdf run backfill --source pfocr-database --out output/site --revision v1 --revision v2"
)
def backfill(
    source: From = None,
    out: Out = None,
    revisions: Annotated[
        list[str] | None, typer.Option("--revision", metavar="REVISION", help="A revision; the oldest first.")
    ] = None,
    workers: Work = None,
    parameters: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Publish past revisions of a source one after the other, to make the history."""
    _run("backfill", parameters, as_json, source=source, out=out, revisions=revisions, workers=workers)


@app.command(epilog="Example: pfocr-rdf config --json")
def config(as_json: AsJson = False) -> None:
    """Show each setting of the flows, and where its value comes from; secrets are hidden."""
    rows = _flows("config").load().rows()
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        printing.print_settings(rows)


def _run(flow: str, parameters: list[str] | None, as_json: bool, **flags: Any) -> None:
    """Run a flow with the parameters that were given, and print what came of it."""
    given = {name: value for name, value in flags.items() if value not in (None, [])}
    done = _flows("shell").run(flow, given | dict(map(_pair, parameters or [])))
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
    else:
        printing.print_run(done)


def _pair(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE; raises `UsageError` where it is none.

    A list, a quoted text and `null` are JSON; all else is text, of which a parameter that is a number makes one.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--set {name}: write NAME=VALUE")
    try:
        return name, json.loads(value) if value.startswith(("[", '"')) or value == "null" else value
    except ValueError:
        return name, value


def _flows(module: str) -> Any:
    """Return a module of the flows; raises `UsageError` where their extra is missing."""
    try:
        return importlib.import_module(f"{FLOWS}.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith((FLOWS, "pfocr_rdf.")):
            raise
        raise UsageError(f"this needs the extra `flows` ({error.name}): pip install 'pfocr-rdf[flows]'") from None


app.add_typer(running, name="run")
