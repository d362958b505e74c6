"""The command line: options to calls, results to tables or JSON, errors to one line and an exit code.

Exit codes: 0 well, 1 stopped on the way (a full disk, a lost worker), 2 the call cannot work as given,
3 too much of the source was rejected, 4 a check found violations, 5 a store refused or failed.
"""

from __future__ import annotations

import gc
import logging
import sys
import tempfile
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pfocr_rdf import __version__, printing
from pfocr_rdf.commands import (
    ask,
    convert,
    export,
    publish,
    query,
    release,
    report,
    run,
    serve,
    store,
    store_load,
)
from pfocr_rdf.errors import PfocrError

_WrongCall: type[Exception] = typer.BadParameter.__bases__[0]
"""What the command-line library raises for any wrong call."""


class _Commands(TyperGroup):
    """Ends errors of this package in one line and their exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        code: Any
        try:
            code = super().main(args, prog_name or "pfocr-rdf", complete_var, False, windows_expand_args, **extra)
        except PfocrError as error:
            code = _fail(str(error), error.exit_code)
        except typer.Abort:
            code = _fail("stopped", 1)
        except BrokenPipeError:
            raise
        except OSError as error:
            place = error.filename or tempfile.gettempdir()
            code = _fail(f"{place}: {error.strerror or error}; see that it can be used, and that its disk has space", 1)
        except _WrongCall as error:
            code = _explain(error)
        if standalone_mode:
            raise SystemExit(code if isinstance(code, int) else 0)
        return code


def _explain(error: Any) -> int:
    """Print a wrong call as one line, or the help where nothing was asked for; return the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return 2
    command = error.ctx.command_path if error.ctx else "pfocr-rdf"
    return _fail(f"{error.format_message().rstrip('.')}; see `{command} --help`", 2)


def _fail(message: str, code: int) -> int:
    """Print one line on standard error; return the exit code."""
    typer.echo(f"pfocr-rdf: {' '.join(message.split())}", err=True)
    return code


app = typer.Typer(
    name="pfocr-rdf",
    cls=_Commands,
    help="The Pathway Figure OCR database as an RDF knowledge graph.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(convert.app)
app.add_typer(query.app)
app.add_typer(ask.app)
app.add_typer(release.app)
app.add_typer(publish.app)
app.add_typer(store_load.app)
app.add_typer(export.app, name="export")
app.add_typer(report.app)
app.add_typer(run.app)
app.add_typer(store.app, name="store")
app.add_typer(serve.app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"pfocr-rdf {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print nothing but results and errors.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say what is done.")] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    printing.be_quiet(quiet)
    level = logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells whole addresses, which may hold a key


def main() -> None:
    """Run the command line."""
    gc.set_threshold(100_000, 20, 50)  # lists of all files are made, and few cycles: the usual search costs a sixth
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
