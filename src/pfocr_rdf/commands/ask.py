"""`query`, `diff` and `changes`: what a build says, and what differs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from pfocr_rdf import printing
from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import (
    DEFAULT_BUILD,
    AsJson,
    ContextFile,
    DiffForm,
    DiffFormat,
    DiffOut,
    GeneInfo,
    ImagePattern,
    Limit,
    MaxRejected,
    MaxRejectedRows,
    Only,
    PmcIds,
    ResultFormat,
    Source,
    Workers,
)
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

app = typer.Typer()


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


def _read_query(text: str | None, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        return sys.stdin.read() if text == "-" else str(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file or 'standard input'}: cannot be read ({error})") from error
