"""`diff` and `changes`: what differs between builds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from pfocr_rdf import printing
from pfocr_rdf.options import (
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
    Source,
    Workers,
)
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

app = typer.Typer()


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
