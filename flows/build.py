"""The build as a Prefect flow: the steps of `pfocr_rdf.pipeline`, some shards of papers or some layers to a task.

Makes the same bytes as `pfocr-rdf build`. Run as a program, it needs no Prefect server: an embedded one serves
the run. Nothing is retried: data and calls that are wrong stay wrong.

Annotations are not postponed here: a served flow is sent to a process of its own without the names that only
annotations use.
"""

from .environment import prepare

prepare(program=__name__ == "__main__")

import argparse
import sys
from pathlib import Path
from typing import Any, Literal

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError

from pfocr_rdf import pipeline
from pfocr_rdf.errors import PfocrError
from pfocr_rdf.settings import IMAGE_PATTERN, Settings
from pfocr_rdf.shards import Output

from .engine import Progress, engines
from .parameters import Positive, Running, Share


def make(
    source: str, out: Path, options: pipeline.Options, running: Running, *, use_cache: bool = True
) -> dict[str, Any]:
    """Convert a source into the build folder `out` and return its manifest; the parts are tasks of the run."""
    progress = Progress("pfocr-rdf-figures", "Figures that are converted")
    with (
        # Outside `making`: the processes start while the source is opened. They are stopped when their parts are done.
        engines(running) as given,
        pipeline.making(source, out, options, use_cache=use_cache, engine=given.early) as (prepared, folder),
        given.idle(),
    ):
        results = pipeline.run_shards(prepared, given.shards, progress.start)
        progress.end()
        manifest, _ = pipeline.finish(prepared, results, folder, options, given.rest, keep_cache=use_cache)
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
    shard_records: Positive = 1_000,
    workers: Positive = 1,
    compress: Literal["none", "gzip", "zstd"] = "none",
    nquads: bool = False,
    use_cache: bool = True,
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
        shard_records: Records in a shard, the part that a process does at a time.
        workers: Processes that convert shards, each with a start of seconds; with 1 the flow's own does.
        compress: How the layers' files are compressed.
        nquads: Write pfocr-all.nq.gz too: everything as N-Quads.
        use_cache: Take over what did not change since the build in `out`.
    """
    settings = Settings(image_pattern, max_rejected, max_rejected_rows, shard_records)
    output = Output(compress, nquads)
    options = pipeline.Options(settings, gene_info, pmc_ids, context, only, limit, output=output)
    running = Running(runner="processes" if workers > 1 else "threads", workers=workers)
    manifest = make(source, out, options, running, use_cache=use_cache)
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
