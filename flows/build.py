"""The build as a Prefect flow: the steps of `pfocr_rdf.pipeline`, one task for each shard of papers and each layer.

Makes the same bytes as `pfocr-rdf build`. Run as a program, it needs no Prefect server: an embedded one serves
the run. Nothing is retried: data and calls that are wrong stay wrong.

Annotations are not postponed here: a served flow is sent to a process of its own without the names that only
annotations use.
"""

from .environment import prepare

prepare(program=__name__ == "__main__")

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import ParameterTypeError
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote, unmapped
from pydantic import Field

from pfocr_rdf import pipeline
from pfocr_rdf.errors import PfocrError
from pfocr_rdf.settings import IMAGE_PATTERN, Settings
from pfocr_rdf.shards import Output

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
T = TypeVar("T")
Done = TypeVar("Done")


def whole(value: T) -> T:
    """Spare Prefect the search for futures in a large value; the task gets the value itself."""
    return cast(T, quote(value))


@task(cache_policy=NO_CACHE, persist_result=False, task_run_name="{name}")
def work(name: str, function: Callable[[Any], Any], part: Any) -> Any:
    """Do one part of a step: convert a shard, write a layer, search a section."""
    del name  # what Prefect shows
    return function(part)


class TaskEngine:
    """Runs the parts of a step as Prefect tasks."""

    def __init__(self, runner: TaskRunner[Any]) -> None:
        """Submit to `runner`, which was entered."""
        self.runner = runner

    @property
    def size(self) -> int:
        """How many tasks run at the same time."""
        return int(getattr(self.runner, "_max_workers", 1) or 1)

    def map(self, function: Callable[[T], Done], tasks: Sequence[T]) -> Iterator[Done]:
        """Yield the result of each task, in order."""
        names = [f"{function.__name__.strip('_')} {number} of {len(tasks)}" for number in range(1, len(tasks) + 1)]
        parameters = {"name": names, "function": unmapped(function), "part": [whole(task) for task in tasks]}
        futures: Any = self.runner.map(cast(Any, work), parameters)  # typed for asynchronous tasks alone
        return iter([future.result() for future in futures])


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
        shard_records: Records in a shard; each shard is one task.
        workers: Processes that convert shards, each with a start of seconds; with 1 the flow's own does.
        compress: How the layers' files are compressed.
        nquads: Write pfocr-all.nq.gz too: everything as N-Quads.
        use_cache: Take over what did not change since the build in `out`.
    """
    settings = Settings(image_pattern, max_rejected, max_rejected_rows, shard_records)
    output = Output(compress, nquads)
    options = pipeline.Options(settings, gene_info, pmc_ids, context, only, limit, output=output)
    with (
        pipeline.making(source, out, options, use_cache=use_cache) as (prepared, folder),
        # Inside `making`: no task may still write when a failure removes the folder.
        ProcessPoolTaskRunner(workers) if workers > 1 else ThreadPoolTaskRunner(max_workers=1) as runner,
    ):
        engine = TaskEngine(runner)
        results = pipeline.run_shards(prepared, engine)
        manifest, _ = pipeline.finish(prepared, results, folder, options, engine, keep_cache=use_cache)
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
