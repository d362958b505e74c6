"""The build as a Prefect flow: the steps of `pfocr_rdf.pipeline`, one task for each batch of records.

Makes the same bytes as `pfocr-rdf build`. Run as a program, it needs no Prefect server: an embedded one serves
the run. Nothing is retried: data and calls that are wrong stay wrong.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=__name__ == "__main__")

import argparse
import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote, unmapped
from pydantic import Field

from pfocr_rdf import buildfolder, pipeline
from pfocr_rdf.errors import PfocrError
from pfocr_rdf.extract.source import Snapshot
from pfocr_rdf.normalize import Context
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
T = TypeVar("T")


def whole(value: T) -> T:
    """Spare Prefect the search for futures in a large value; the task gets the value itself."""
    return cast(T, quote(value))


@task(cache_policy=NO_CACHE, persist_result=False)
def extract(snapshot: Snapshot, options: pipeline.Options) -> pipeline.Plan:
    """Read what all records need, and cut the records into batches."""
    return pipeline.plan(snapshot, options)


@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="convert batch {batch.number}")
def convert(batch: pipeline.Batch, root: Path, context: Context, work: Path) -> pipeline.BatchResult:
    """Convert the records of one batch into chunks and facts."""
    return pipeline.convert_batch(batch, root, context, work)


@task(cache_policy=NO_CACHE, persist_result=False)
def write(
    plan: pipeline.Plan, results: list[pipeline.BatchResult], folder: Path, options: pipeline.Options
) -> dict[str, Any]:
    """Merge all batches into the files of the build folder; return its manifest."""
    manifest, _ = pipeline.write_build(plan, results, folder, options)
    return manifest


@task(cache_policy=NO_CACHE, persist_result=False)
def report(manifest: dict[str, Any]) -> None:
    """Show the counts of a build as tables in Prefect."""
    accounts = [{"input": kind, **account} for kind, account in manifest["accounts"].items()]
    layers = [{"layer": name, "triples": entry["triples"]} for name, entry in manifest["layers"].items()]
    problems = [
        {"problem": code, "kind": kind, "times": times}
        for kind, codes in manifest["problems"].items()
        for code, times in codes.items()
    ]
    create_table_artifact(accounts, key="build-accounts", description="Inputs: read = emitted + merged + rejected")
    create_table_artifact(layers, key="build-layers", description="Triples of each layer")
    create_table_artifact(problems, key="build-problems", description="Problems by code")


@flow(name="pfocr-rdf-build", flow_run_name="build {out}", persist_result=False)
def build(
    source: str = "seeds",
    out: Path = Path("output/build"),
    only: str | None = None,
    limit: Positive | None = None,
    gene_info: Path | None = None,
    pmc_ids: Path | None = None,
    context: Path | None = None,
    image_pattern: str = IMAGE_PATTERN,
    max_rejected: Share = 0.01,
    max_rejected_rows: Share = 0.01,
    batch_records: Positive = 2_000,
    workers: Positive = 1,
) -> dict[str, Any]:
    """Convert a source into a build folder and return its manifest.

    Args:
        source: A checkout of pfocr-database, a folder of records, one record, an archive, or a git address[@REVISION].
            Prefect stores it: leave passwords to git's credential helper.
        out: Folder to write; an earlier build there is replaced when all went well.
        only: The figid of the one figure to convert.
        limit: Convert the first N figures.
        gene_info: NCBI's gene_info (plain or .gz): ids for genes that are known by symbol only.
        pmc_ids: NCBI's PMC-ids list (plain or .gz): adds the layer xrefs-pubmed.
        context: A JSON-LD context to use for schema.org's.
        image_pattern: Address of an image, with {pmcid} and {filename}.
        max_rejected: Share of records that may be rejected, 0 to 1; one always may.
        max_rejected_rows: Share of rows that may be rejected, 0 to 1; one always may.
        batch_records: Records in a batch; each batch is one task.
        workers: Processes that convert batches, each with a start of seconds; with 1 the flow's own does.
    """
    settings = Settings(image_pattern, max_rejected, max_rejected_rows, batch_records)
    options = pipeline.Options(settings, gene_info, pmc_ids, context, only, limit)
    with pipeline.making(source, out, options) as (snapshot, folder):
        plan = extract(whole(snapshot), options)
        # Inside `making`: no task may still write when a failure removes the folder.
        with ProcessPoolTaskRunner(workers) if workers > 1 else ThreadPoolTaskRunner(max_workers=1) as runner:
            same = {"root": plan.root, "context": whole(plan.context), "work": folder / buildfolder.WORK}
            parameters = {"batch": plan.batches, **{name: unmapped(value) for name, value in same.items()}}
            futures: Any = runner.map(cast(Any, convert), parameters)  # typed for asynchronous tasks alone
            results: list[pipeline.BatchResult] = [future.result() for future in futures]
        manifest = write(whole(plan), whole(results), folder, options)
    report(manifest)
    return manifest


def main() -> int:
    """Run the flow with the options of the command line; return the exit code of `pfocr-rdf build`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}.build",
        description="Convert a source to a folder of Turtle, as a Prefect flow.",
        epilog=f"Example: python -m {__package__}.build --source seeds --out output/build",
    )
    for name, schema in build.parameters.properties.items():
        default = "" if schema.get("default") is None else f" (default: {schema['default']})"
        text = f"{schema['description']}{default}".replace("%", "%%")
        parser.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, metavar="VALUE", help=text)
    try:
        manifest = build(**vars(parser.parse_args()))
    except (PfocrError, ParameterTypeError) as error:
        print(f"pfocr-rdf: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code if isinstance(error, PfocrError) else 2
    triples = sum(layer["triples"] for layer in manifest["layers"].values())
    print(f"{manifest['counts']['figures']:,} figures, {triples:,} triples")
    return 0


if __name__ == "__main__":
    sys.exit(main())
