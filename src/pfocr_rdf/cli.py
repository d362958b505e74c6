"""The command line: options to calls, results to tables or JSON, errors to one line and an exit code.

Exit codes: 0 well, 2 the call cannot work as given, 3 too much of the source was rejected.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperGroup

from pfocr_rdf import __version__
from pfocr_rdf.errors import PfocrError, Problem, UsageError
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

DEFAULT_BUILD = Path("output/build")
SHOWN = 20
"""Problems that are printed one by one; all of them stand in rejected.jsonl and warnings.jsonl."""

log = logging.getLogger("pfocr_rdf")
_quiet = False


class GraphFormat(StrEnum):
    """Forms in which a figure is shown."""

    TURTLE = "turtle"
    NTRIPLES = "ntriples"
    JSONLD = "jsonld"


class Compression(StrEnum):
    """How files are compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class DiffFormat(StrEnum):
    """Forms in which a difference is written."""

    NTRIPLES = "ntriples"
    PATCH = "patch"
    SPARQL = "sparql"
    FIGURES = "figures"


class ResultFormat(StrEnum):
    """Forms of a query's answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    TURTLE = "turtle"


def _share(text: str) -> float:
    """Read a share: `1%` or `0.01`."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no share; write 1% or 0.01") from None
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{text} is not between 0 and 100%")
    return value


Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A checkout of pfocr-database, a folder of records, one record, a .zip or .tar.gz, or a git address "
        "with an optional @REVISION.",
    ),
]
Release = Annotated[Path, typer.Argument(metavar="RELEASE", help="A build folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
GeneInfo = Annotated[
    Path | None, typer.Option(help="NCBI's gene_info (plain or .gz): ids for genes that are known by symbol only.")
]
PmcIds = Annotated[Path | None, typer.Option(help="NCBI's PMC-ids list (plain or .gz): adds the layer xrefs-pubmed.")]
ContextFile = Annotated[Path | None, typer.Option("--context", help="A JSON-LD context to use for schema.org's.")]
Only = Annotated[str | None, typer.Option(metavar="FIGID", help="Convert this figure alone.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Convert the first N figures.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that convert at the same time.", show_default="all cores")
]
ShardRecords = Annotated[
    int, typer.Option(min=1, help="Records that one process holds at a time: bounds memory, changes no byte.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Let the workers of this Dask scheduler convert, such as tcp://host:8786."),
]
Work = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Where the parts go meanwhile: a folder that all workers reach, or an address such as s3://bucket/prefix.",
        show_default="beside OUT",
    ),
]
ImagePattern = Annotated[str, typer.Option(help="Address of an image, with {pmcid} and {filename}.")]
MaxRejected = Annotated[
    float, typer.Option(parser=_share, metavar="SHARE", help="Share of records that may be rejected; one always may.")
]
MaxRejectedRows = Annotated[
    float, typer.Option(parser=_share, metavar="SHARE", help="Share of rows that may be rejected; one always may.")
]


DiffOut = Annotated[Path | None, typer.Option(help="A new folder for the difference in all its forms.")]
DiffForm = Annotated[list[DiffFormat] | None, typer.Option("--format", help="A form to write; give it again for more.")]


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
    global _quiet
    _quiet = quiet
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
    with _progress("figures") as start:
        built = pipeline.build(
            source, out, options, workers=workers, start=start, use_cache=use_cache, work=work, scheduler=scheduler
        )
    if as_json:
        typer.echo(json.dumps(built.manifest, ensure_ascii=False, indent=2))
        return
    _print_build(built.manifest, out)


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
    with _progress("figures") as start, tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as work:
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
        _print_accounts({str(kind): account.to_json() for kind, account in ledger.accounts.items()})
        _print_codes(rejected, warnings)
        _print_problems(ledger.rejected())
        _print_problems(ledger.warnings())
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
    _write_out(render(layers, form))
    for found in sorted(problems):
        log.warning("%s (%s)", _line(found), found.advice)


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
            _write_out(_graph_text(answer))
        elif form is ResultFormat.TURTLE:
            raise UsageError("--format turtle is for CONSTRUCT and DESCRIBE; use table, csv or json")
        elif form is ResultFormat.TABLE:
            _print_answer(answer)
        else:
            kind = ox.QueryResultsFormat.CSV if form is ResultFormat.CSV else ox.QueryResultsFormat.JSON
            if isinstance(answer, ox.QueryBoolean) and form is ResultFormat.CSV:
                _write_out(f"{bool(answer)}\n".lower())
            else:
                text = answer.serialize(format=kind).decode("utf-8").replace("\r\n", "\n")
                _write_out(text if text.endswith("\n") else f"{text}\n")


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
    _print_difference(found, as_json)


@app.command(
    epilog="Example: pfocr-rdf changes pfocr-database --since output/build --out changes. "
    "Give the options that the build was made with."
)
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
    """Say what a new build of SOURCE would change, without making it."""
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
    with _progress("figures") as start, tempfile.TemporaryDirectory(prefix="pfocr-rdf-") as work:
        found = comparing.write(
            pipeline.changes(source, build, options, Path(work), workers=workers, start=start),
            out,
            name,
            None,
            _forms(form),
        )
    _print_difference(found, as_json)


def _forms(chosen: list[DiffFormat] | None) -> list[Any]:
    from pfocr_rdf.diff import Form

    return [Form(form) for form in chosen or DiffFormat]


def _print_difference(found: Any, as_json: bool) -> None:
    from pfocr_rdf.diff import lines_of

    figures = sorted(found.figures.values(), key=lambda figure: (figure.how, figure.figid))
    if as_json:
        report = {**found.to_json(), "changes": [figure.to_json() for figure in figures]}
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    table = Table("layer", "added", "removed")
    for column in table.columns[1:]:
        column.justify = "right"
    for layer, (added, removed) in found.layers.items():
        table.add_row(layer, f"{added:,}", f"{removed:,}")
    _console().print(table)
    for line in list(lines_of(figures))[:SHOWN]:
        _write_out(f"{line}\n")
    if len(figures) > SHOWN:
        _write_out(f"... and {len(figures) - SHOWN:,} more; --out or --json give all\n")
    counts = found.to_json()["figures"]
    _write_out(", ".join(f"{number:,} figures {how}" for how, number in counts.items()) + "\n")


@export_app.command("records", epilog="Example: pfocr-rdf export records output/build --out records")
def export_records(
    release: Release,
    out: Annotated[Path, typer.Option(help="A new folder.")],
    as_json: AsJson = False,
) -> None:
    """Write the records and tables back, from the graph alone."""
    from pfocr_rdf.export import records

    with _progress("figures") as start:
        counts = records.export(release, out, start(0))
    _print_counts(counts, as_json)


@export_app.command("ntriples", epilog="Example: pfocr-rdf export ntriples output/build --out nt")
def export_ntriples(
    release: Release,
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
    as_json: AsJson = False,
) -> None:
    """Write each layer as N-Triples."""
    from pfocr_rdf.export import ntriples

    _print_counts(ntriples.export(release, out), as_json)


def _read_query(text: str | None, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.read() if text == "-" else str(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file or 'standard input'}: cannot be read ({error})") from error


def _graph_text(answer: Any) -> str:
    """Return the graph of a CONSTRUCT as Turtle: laid out as a build is, unless it has blank nodes."""
    import pyoxigraph as ox

    from pfocr_rdf.identifiers import PREFIXES
    from pfocr_rdf.mapping.ontology import token
    from pfocr_rdf.serialize import block
    from pfocr_rdf.show import turtle
    from pfocr_rdf.terms import Pair, expand
    from pfocr_rdf.vocab import A

    triples = list(answer)
    if any(isinstance(term, ox.BlankNode) for triple in triples for term in (triple.subject, triple.object)):
        return (ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b"").decode()
    pairs: dict[str, list[Pair]] = {}
    for triple in triples:
        predicate = A if triple.predicate.value == expand(A) else token(triple.predicate)
        pairs.setdefault(triple.subject.value, []).append((predicate, token(triple.object)))
    return turtle((subject, block(subject, said)) for subject, said in pairs.items())


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """Show a progress bar on a terminal; yields what begins it with a total."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=_quiet or not console.is_terminal) as bar:

        def start(total: int) -> Callable[[int], None]:
            task = bar.add_task(what, total=total or None)
            return lambda count: bar.advance(task, count)

        yield start


def _print_build(manifest: dict[str, Any], out: Path) -> None:
    if _quiet:
        return
    _print_accounts(manifest["accounts"])
    layers = Table("layer", "triples", "bytes")
    for column in layers.columns[1:]:
        column.justify = "right"
    for layer, entry in manifest["layers"].items():
        layers.add_row(layer, f"{entry['triples']:,}", f"{entry['bytes']:,}")
    layers.add_row("all", f"{sum(e['triples'] for e in manifest['layers'].values()):,}", "")
    _console().print(layers)
    counts = ", ".join(_number(number, name) for name, number in manifest["counts"].items())
    _print_codes(**manifest["problems"])
    _console().print(f"{out}: {counts}", soft_wrap=True, highlight=False)


def _print_accounts(accounts: dict[str, dict[str, int]]) -> None:
    if _quiet:
        return
    names = ("read", "emitted", "merged", "rejected", "unresolved")
    table = Table("input", *names)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, account in accounts.items():
        table.add_row(kind, *(f"{account[name]:,}" for name in names))
    _console().print(table)


def _print_codes(rejected: dict[str, int], warnings: dict[str, int]) -> None:
    if _quiet or not (rejected or warnings):
        return
    from pfocr_rdf.errors import REJECTIONS, WARNINGS

    table = Table("", "problem", "times", "what to do")
    table.columns[2].justify = "right"
    for kind, codes, advice in (("rejected", rejected, REJECTIONS), ("warned", warnings, WARNINGS)):
        for code, number in codes.items():
            table.add_row(kind, code, f"{number:,}", advice[code])
    _console().print(table)


def _print_problems(found: list[Problem]) -> None:
    if _quiet:
        return
    for problem in found[:SHOWN]:
        typer.echo(_line(problem))
    if len(found) > SHOWN:
        typer.echo(f"... and {len(found) - SHOWN:,} more; --json prints all")


def _line(problem: Problem) -> str:
    """Return a problem as one line: place, code, field, value."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    parts = (f"{place}:" if place else "", problem.code, problem.field, repr(problem.value) if problem.value else "")
    return " ".join(part for part in parts if part)


def _print_answer(answer: Any) -> None:
    import pyoxigraph as ox

    from pfocr_rdf import query as asking

    if isinstance(answer, ox.QueryBoolean):
        typer.echo(str(bool(answer)).lower())
        return
    result = asking.table(answer)
    table = Table(*result.variables)
    for row in result.rows:
        table.add_row(*(asking.short(term) for term in row))
    _console().print(table, markup=False)
    if not _quiet:
        _console().print(_number(len(result.rows), "rows"), highlight=False)


def _print_counts(counts: dict[str, int], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts, indent=2))
    elif not _quiet:
        typer.echo("\n".join(_number(number, name) for name, number in counts.items()))


def _number(number: int, name: str) -> str:
    """Return a number of things; one of them in the singular."""
    if number == 1 and (name.endswith("s") or name == "taxa"):
        name = "taxon" if name == "taxa" else name[:-1]
    return f"{number:,} {name}"


def _console() -> Console:
    console = Console(markup=False)
    if not console.is_terminal:
        console.width = 200
    return console


def _write_out(text: str) -> None:
    typer.echo(text, nl=False)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
