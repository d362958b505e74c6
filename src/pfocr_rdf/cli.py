"""The command line: options to calls, results to tables or JSON, errors to one line and an exit code.

Exit codes: 0 well, 2 the call cannot work as given, 3 too much of the source was rejected.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pfocr_rdf import __version__, printing
from pfocr_rdf.errors import PfocrError, UsageError
from pfocr_rdf.options import (
    DEFAULT_BUILD,
    AsJson,
    Compression,
    ContextFile,
    DiffForm,
    DiffFormat,
    DiffOut,
    GeneInfo,
    GraphFormat,
    ImagePattern,
    Limit,
    MaxRejected,
    MaxRejectedRows,
    Only,
    PmcIds,
    Release,
    ResultFormat,
    Scheduler,
    ShardRecords,
    Source,
    Work,
    Workers,
)
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

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
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
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
export_app = typer.Typer(
    help="From a build back to records, or to N-Triples.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(export_app, name="export")

log = logging.getLogger("pfocr_rdf")


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


@app.command(
    epilog="Examples: pfocr-rdf build seeds --out output/build | "
    "pfocr-rdf build pfocr-database --out build --json | "
    "pfocr-rdf build https://github.com/wikipathways/pfocr-database@main --out build --limit 100"
)
def build(
    source: Source,
    out: Annotated[
        Path, typer.Option(help="Folder to write; an earlier build there is replaced when all went well.")
    ] = DEFAULT_BUILD,
    only: Only = None,
    limit: Limit = None,
    gene_info: GeneInfo = None,
    pmc_ids: PmcIds = None,
    context: ContextFile = None,
    image_pattern: ImagePattern = IMAGE_PATTERN,
    max_rejected: MaxRejected = "1%",  # type: ignore[assignment]
    max_rejected_rows: MaxRejectedRows = "1%",  # type: ignore[assignment]
    workers: Workers = None,
    scheduler: Scheduler = None,
    work: Work = None,
    shard_records: ShardRecords = 1_000,
    compress: Annotated[Compression, typer.Option(help="How the layers' files are compressed.")] = Compression.NONE,
    nquads: Annotated[bool, typer.Option("--nquads", help="Write pfocr-all.nq.gz too: everything as N-Quads.")] = False,
    use_cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Take over what did not change since the build in OUT.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Convert a source to a folder of Turtle, one file for each layer."""
    from pfocr_rdf import pipeline
    from pfocr_rdf.shards import Output

    options = pipeline.Options(
        settings=Settings(
            image_pattern=image_pattern,
            max_rejected=max_rejected,
            max_rejected_rows=max_rejected_rows,
            shard_records=shard_records,
        ),
        output=Output(compress, nquads),
        gene_info=gene_info,
        pmc_ids=pmc_ids,
        context=context,
        only=only,
        limit=limit,
    )
    log.info("building %s into %s", source, out)
    with printing.progress("figures") as start:
        built = pipeline.build(
            source, out, options, workers=workers, start=start, use_cache=use_cache, work=work, scheduler=scheduler
        )
    if as_json:
        typer.echo(json.dumps(built.manifest, ensure_ascii=False, indent=2))
        return
    printing.print_build(built.manifest, out)


@app.command(epilog="Example: pfocr-rdf check pfocr-database")
def check(
    source: Source,
    only: Only = None,
    limit: Limit = None,
    gene_info: GeneInfo = None,
    context: ContextFile = None,
    max_rejected: MaxRejected = "1%",  # type: ignore[assignment]
    max_rejected_rows: MaxRejectedRows = "1%",  # type: ignore[assignment]
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Say what a build would reject, and why; write nothing."""
    from pfocr_rdf import pipeline

    settings = Settings(max_rejected=max_rejected, max_rejected_rows=max_rejected_rows)
    options = pipeline.Options(settings=settings, gene_info=gene_info, context=context, only=only, limit=limit)
    with printing.progress("figures") as start, tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as work:
        ledger = pipeline.check(source, options, Path(work), workers=workers, start=start)
    rejected, warnings = ledger.by_code()
    if as_json:
        report = {
            "accounts": {str(kind): account.to_json() for kind, account in ledger.accounts.items()},
            "rejected": [found.to_json() for found in ledger.rejected()],
            "warnings": [found.to_json() for found in ledger.warnings()],
        }
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        printing.print_accounts({str(kind): account.to_json() for kind, account in ledger.accounts.items()})
        printing.print_codes(rejected, warnings)
        printing.print_problems(ledger.rejected())
        printing.print_problems(ledger.warnings())
    ledger.check(settings)


@app.command(epilog="Example: pfocr-rdf show seeds/000_26657023af6d47af.txt --format jsonld")
def show(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="One record; its tables are found beside it.")],
    form: Annotated[GraphFormat, typer.Option("--format", help="Form of the graph.")] = GraphFormat.TURTLE,
    gene_info: GeneInfo = None,
    context: ContextFile = None,
    image_pattern: ImagePattern = IMAGE_PATTERN,
) -> None:
    """Print the graph of one figure."""
    from pfocr_rdf import pipeline
    from pfocr_rdf.show import read_layers, render

    settings = Settings(image_pattern=image_pattern)
    layers, problems = read_layers(record, pipeline.Options(settings=settings, gene_info=gene_info, context=context))
    printing.write_out(render(layers, form))
    for found in sorted(problems):
        log.warning("%s (%s)", printing.line(found), found.advice)


@app.command(
    epilog='Example: pfocr-rdf query "SELECT * WHERE { ?figure schema:mentions ?gene } LIMIT 5" --on output/build'
)
def query(
    text: Annotated[str | None, typer.Argument(metavar="TEXT|-", help="A SPARQL query; - reads it from input.")] = None,
    on: Annotated[Path, typer.Option(metavar="RELEASE", help="A build folder.")] = DEFAULT_BUILD,
    file: Annotated[Path | None, typer.Option(help="Read the query from a file.")] = None,
    form: Annotated[ResultFormat, typer.Option("--format", help="Form of the answer.")] = ResultFormat.TABLE,
) -> None:
    """Ask a build a question in SPARQL; the project's prefixes need no declaration."""
    import pyoxigraph as ox

    from pfocr_rdf import query as asking

    if (text is None) == (file is None):
        raise UsageError("give the query as TEXT, as - (standard input), or with --file; one of them")
    sparql = _read_query(text, file)
    with asking.open_store(on) as store, asking.one_line_errors():
        answer = asking.ask(store, sparql)
        if isinstance(answer, ox.QueryTriples):
            if form in (ResultFormat.CSV, ResultFormat.JSON):
                raise UsageError(f"--format {form} is for SELECT and ASK; this query makes a graph: use turtle")
            printing.write_out(printing.graph_text(answer))
        elif form is ResultFormat.TURTLE:
            raise UsageError("--format turtle is for CONSTRUCT and DESCRIBE; use table, csv or json")
        elif form is ResultFormat.TABLE:
            printing.print_answer(answer)
        else:
            kind = ox.QueryResultsFormat.CSV if form is ResultFormat.CSV else ox.QueryResultsFormat.JSON
            if isinstance(answer, ox.QueryBoolean) and form is ResultFormat.CSV:
                printing.write_out(f"{bool(answer)}\n".lower())
            else:
                text = answer.serialize(format=kind).decode("utf-8").replace("\r\n", "\n")
                printing.write_out(text if text.endswith("\n") else f"{text}\n")


@app.command(epilog="Example: pfocr-rdf diff releases/20250101 output/build --out changes")
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A build folder.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A later build folder.")],
    out: DiffOut = None,
    form: DiffForm = None,
    as_json: AsJson = False,
) -> None:
    """Say which triples and figures differ between two builds."""
    from pfocr_rdf import buildfolder
    from pfocr_rdf import diff as comparing

    names = [buildfolder.describe_file(buildfolder.find_build(b) / buildfolder.MANIFEST)["sha256"] for b in (old, new)]
    found = comparing.write(comparing.builds(old, new), out, names[0], names[1], _forms(form))
    printing.print_difference(found, as_json)


@app.command(epilog="Example: pfocr-rdf changes pfocr-database --since output/build --out changes")
def changes(
    source: Source,
    since: Annotated[Path, typer.Option(metavar="BUILD", help="The build to compare with; it needs its cache.")],
    out: DiffOut = None,
    form: DiffForm = None,
    only: Only = None,
    limit: Limit = None,
    gene_info: GeneInfo = None,
    pmc_ids: PmcIds = None,
    context: ContextFile = None,
    image_pattern: ImagePattern = IMAGE_PATTERN,
    max_rejected: MaxRejected = "1%",  # type: ignore[assignment]
    max_rejected_rows: MaxRejectedRows = "1%",  # type: ignore[assignment]
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Say what a new build of SOURCE would change, without making it; give the options of that build."""
    from pfocr_rdf import buildfolder, pipeline
    from pfocr_rdf import diff as comparing
    from pfocr_rdf.manifest import output_of

    build = buildfolder.find_build(since)
    manifest = buildfolder.read_manifest(build)
    options = pipeline.Options(
        settings=Settings(image_pattern=image_pattern, max_rejected=max_rejected, max_rejected_rows=max_rejected_rows),
        gene_info=gene_info,
        pmc_ids=pmc_ids,
        context=context,
        only=only,
        limit=limit,
        output=output_of(manifest),
    )
    name = buildfolder.describe_file(build / buildfolder.MANIFEST)["sha256"]
    with printing.progress("figures") as start, tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as work:
        found = comparing.write(
            pipeline.changes(source, build, options, Path(work), workers=workers, start=start),
            out,
            name,
            None,
            _forms(form),
        )
    printing.print_difference(found, as_json)


def _forms(chosen: list[DiffFormat] | None) -> list[Any]:
    from pfocr_rdf.diff import Form

    return [Form(form) for form in chosen or DiffFormat]


@export_app.command("records", epilog="Example: pfocr-rdf export records output/build --out records")
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


@export_app.command("ntriples", epilog="Example: pfocr-rdf export ntriples output/build --out nt")
def export_ntriples(
    release: Release,
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    as_json: AsJson = False,
) -> None:
    """Write each layer as N-Triples."""
    from pfocr_rdf.export import ntriples

    printing.print_counts(ntriples.export(release, out), as_json)


def _read_query(text: str | None, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.read() if text == "-" else str(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file or 'standard input'}: cannot be read ({error})") from error


def main() -> None:
    """Run the command line."""
    gc.set_threshold(100_000, 20, 50)  # lists of all files are made, and few cycles: the usual search costs a sixth
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
