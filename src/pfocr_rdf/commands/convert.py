"""`build`, `check` and `show`: from a source to RDF."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import (
    DEFAULT_BUILD,
    AsJson,
    Compression,
    ContextFile,
    GeneInfo,
    GraphFormat,
    ImagePattern,
    Limit,
    MaxRejected,
    MaxRejectedRows,
    Only,
    PmcIds,
    Scheduler,
    ShardRecords,
    Source,
    Work,
    Workers,
)
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

log = logging.getLogger("pfocr_rdf")

app = typer.Typer()


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
