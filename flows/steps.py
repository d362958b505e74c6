"""The steps that the flows are made of: look, fetch, convert, publish, load. Each calls the package, as Prefect tasks.

A run holds the lock of the folder of releases from the first step to the last, so no other run, from the shell either,
comes between. What is kept between runs lies in its hidden folder `.work`: the build that the next night brings up to
date, and of what it was made. Nothing here is cached by Prefect: a shard that a killed run finished is known by its
content, a build by its manifest, a release and what a store holds by theirs.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=False)

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from prefect import task
from prefect.assets import materialize
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency

from pfocr_rdf import buildfolder, pipeline, resources
from pfocr_rdf.errors import PfocrError, TooManyRejected, UsageError
from pfocr_rdf.extract import git
from pfocr_rdf.release import changelog, folder
from pfocr_rdf.release import publish as publishing
from pfocr_rdf.release.folder import Releases
from pfocr_rdf.release.gate import Kept
from pfocr_rdf.release.info import ReleaseInfo
from pfocr_rdf.release.steps import Steps
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output
from pfocr_rdf.validation.options import Options as Checking

from . import telling
from .build import make
from .engine import Progress, logger
from .parameters import Converting, Load, Release, Stores
from .tries import WAITS, ended, passes, passes_or_hangs

WORK = ".work"
"""The folder of what is kept between runs, in the folder of releases."""

MADE = "made.json"
"""What the build in it was made of."""

WRITER = "store-writer"
"""Prefect's limit of runs that write to stores at the same time: one, unless somebody sets another."""

_HOUR = 3_600
_LONG = 6 * _HOUR
"""What takes longer hangs: the whole database is converted in minutes, and checked in less than an hour."""

_NOT_CONTENT = {
    "runner",
    "workers",
    "scheduler",
    "notify",
    "out",
    "accept",
    "keep",
    "to",
    "graphs",
    "max_drop",
    "version",
}
"""Parameters that change nothing in a build."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a release: its folder and `release.json`, whether it came just now, what was deleted for it."""

    place: Path
    release: Mapping[str, Any]
    new: bool
    deleted: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what the run gives back, as JSON values."""
        return {
            "version": self.release["version"],
            "previous": self.release["previous"],
            "new": self.new,
            "place": str(self.place),
            "revision": self.release["source"]["revision"],
            "figures": self.release["counts"]["figures"],
            "triples": sum(self.release["triples"].values()),
            "deleted": list(self.deleted),
        }


@contextmanager
def held(out: Path) -> Iterator[Releases]:
    """Yield the folder of releases, held by this run alone.

    Raises `UsageError` when another run is at work there.
    """
    with folder.opened(out) as releases:
        yield releases


def bring(asked: Release, releases: Releases) -> Outcome:
    """Publish what the source is by now, if it is not the current release; tell of it.

    Raises `Kept` when the gate kept it aside, `TooManyRejected` when too much of the source was refused, `TookTooLong`
    when a step hangs.
    """
    before = releases.current()
    try:
        with ended(git.without_secrets(asked.source)):
            if asked.accept is not None:
                return _accept(asked, releases, before)
            return _convert(asked, releases, before)
    except (Kept, TooManyRejected) as error:
        telling.rejected(error, before)
        raise


def _accept(asked: Release, releases: Releases, before: Path | None) -> Outcome:
    """Publish what was kept aside and looked at."""
    version = str(asked.accept)
    build = releases.root / folder.REJECTED / version / folder.BUILD
    if not build.is_dir():
        raise UsageError(f"{build}: there is no build; only the newest in {folder.REJECTED}/ can be accepted")
    return _publish(asked, releases, before, build, None, version)


def _convert(asked: Release, releases: Releases, before: Path | None) -> Outcome:
    work = releases.root / WORK
    revision = look(asked.source)
    wanted = _made_of(asked, revision)
    said = folder.read_release(before) if before else None
    if said and before and revision and _made(work) == {**wanted, "manifest": said["manifest"]}:
        logger().info("the source is at revision %s, as release %s is: nothing to do", revision, said["version"])
        return Outcome(before, said, new=False)
    source, revision = fetch(asked.source) if revision and not Path(asked.source).exists() else (asked.source, revision)
    build = work / "build"
    convert(source, build, asked)
    manifest = buildfolder.describe_file(build / buildfolder.MANIFEST)["sha256"]
    buildfolder.write_json(work / MADE, {**_made_of(asked, revision), "manifest": manifest})
    if said and before and manifest == said["manifest"] and _same_places(asked, said):
        logger().info("the build is that of release %s: nothing to publish", said["version"])
        return Outcome(before, said, new=False)
    return _publish(asked, releases, before, build, source, None)


def _made_of(asked: Release, revision: str | None) -> dict[str, Any]:
    """Return what a build depends on, beside the files of lists, which are known by size and time."""
    values = {name: str(value) for name, value in asked if name not in _NOT_CONTENT}
    lists = {name: _signature(Path(value)) for name, value in values.items() if isinstance(getattr(asked, name), Path)}
    text = json.dumps([values, lists], sort_keys=True)
    return {
        "revision": revision,
        "program": resources.converter(),
        "asked": hashlib.sha256(text.encode()).hexdigest(),
    }


def _signature(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _made(work: Path) -> Any:
    """Return what the build of the last run was made of; None when nobody knows."""
    try:
        return json.loads((work / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _same_places(asked: Release, said: Mapping[str, Any]) -> bool:
    """Whether a release is for the addresses that are asked for."""
    given = {"base_url": asked.base_url} if asked.base_url else {}
    info = ReleaseInfo(said["version"], endpoint=asked.endpoint, **given)
    return bool((said["base_url"], said["endpoint"]) == (info.base_url, info.endpoint))


@task(
    name="look at the source",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=len(WAITS),
    retry_delay_seconds=list(WAITS),
    retry_condition_fn=passes_or_hangs,
    timeout_seconds=300,
    tags=["pfocr-rdf", "source"],
)
def look(source: str) -> str | None:
    """Return the revision that a source is at, or None where it has none."""
    return git.tip(source)


@task(
    name="fetch the source",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=len(WAITS),
    retry_delay_seconds=list(WAITS),
    retry_condition_fn=passes,
    timeout_seconds=_HOUR,
    tags=["pfocr-rdf", "source"],
)
def fetch(source: str) -> tuple[str, str | None]:
    """Fetch a git source into the cache; return its address with the revision that is there now, and this alone."""
    with git.checkout(source, None) as (_, state):
        return f"{git.split(source)[0]}@{state.revision}", state.revision


@task(
    name="convert",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=[10, 60],
    retry_condition_fn=passes,
    timeout_seconds=_LONG,
    tags=["pfocr-rdf", "build"],
)
def convert(source: str, build: Path, asked: Converting) -> None:
    """Bring the build up to date with the source; each shard and each layer is a task of its own."""
    settings = Settings(asked.image_pattern, asked.max_rejected, asked.max_rejected_rows, asked.shard_records)
    options = pipeline.Options(
        settings,
        asked.gene_info,
        asked.pmc_ids,
        asked.context,
        limit=asked.limit,
        output=Output(asked.compress, asked.nquads),
    )
    manifest = make(source, build, options, asked)
    figures, triples = manifest["counts"]["figures"], sum(entry["triples"] for entry in manifest["layers"].values())
    logger().info("%d figures, %d triples", figures, triples)


def _publish(
    asked: Release, releases: Releases, before: Path | None, build: Path, source: str | None, accepted: str | None
) -> Outcome:
    """Publish a build through the gate, with the checks and the other long steps as tasks; tell of it."""
    former = folder.read_release(before) if before else None
    checking = {field.name for field in fields(Checking)} & set(type(asked).model_fields) - {"source"}
    progress = Progress("pfocr-rdf-checks-progress", "Checks")
    log = logger()

    def publish() -> publishing.Published:
        with _folder_of(None if asked.limit else source) as place:
            return publishing.publish(
                build,
                releases,
                version=accepted or asked.version,
                base_url=asked.base_url,
                endpoint=asked.endpoint,
                options=Checking(source=place, **{name: getattr(asked, name) for name in checking}),
                max_drop=asked.max_drop,
                accept=accepted is not None,
                workers=asked.workers,
                steps=_shown(Steps()),
                say=lambda what: log.info("%s", what),
                start=progress.start,
            )

    asset = telling.release_asset(releases.root)
    upstream: Any = [telling.source_asset(asked.source)]
    done = materialize(
        asset,
        by="pfocr-rdf",
        name="publish",
        asset_deps=upstream,
        cache_policy=NO_CACHE,
        persist_result=False,
        timeout_seconds=_LONG,
        tags=["pfocr-rdf", "release"],
    )(publish)()
    progress.end()
    deleted = tuple(releases.prune(asked.keep)) if asked.keep and done.new else ()
    if done.new:
        telling.published(done.release, former, _changes(done.place), done.place, deleted)
    return Outcome(done.place, done.release, done.new, deleted)


@contextmanager
def _folder_of(source: str | None) -> Iterator[str | None]:
    """Yield where the checks find a source on this machine: of a git address the clone, which stays as it is."""
    if source is None or Path(source).exists():
        yield source
        return
    with git.checkout(source, None) as (place, _):
        yield str(place)


def _shown(steps: Steps) -> Steps:
    """Return the steps of publishing as tasks, so that the run's page shows how long each takes."""
    return replace(
        steps,
        statistics=_as_task("statistics", steps.statistics),
        validate=_as_task("checks", steps.validate),
        write_report=_as_task("report", steps.write_report),
    )


def _as_task(name: str, function: Callable[..., Result]) -> Callable[..., Result]:
    """Return what does the same as a task; what it is given and returns is large, and none of Prefect's business."""

    @functools.wraps(function)
    def call(*given: Any) -> Result:
        found: list[Result] = []

        @task(name=name, cache_policy=NO_CACHE, persist_result=False, tags=["pfocr-rdf", "release"])
        def run() -> None:
            found.append(function(*given))

        run()
        return found[0]

    return call


def _changes(place: Path) -> Any:
    """Return the numbers of what changed since the release before; None for the first one."""
    path = place / changelog.FOLDER / "changes.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def load(asked: Load | Stores, place: Path, asset_of: Path) -> list[dict[str, Any]]:
    """Bring each store to the release in a folder, by what changed where it can; tell of it.

    A store that fails does not keep the others from it. Raises the error of the first one that failed.
    """
    if not asked.to:
        return []
    _limit()
    found: list[dict[str, Any]] = []
    failed: list[PfocrError] = []
    for address in asked.to:
        try:
            with ended(git.without_secrets(address)):
                found.append(_load(address, place, asset_of, asked.graphs))
        except PfocrError as error:
            logger().error("%s", error)
            failed.append(error)
    telling.stores(found)
    if failed:
        raise failed[0]
    return found


def _load(address: str, place: Path, asset_of: Path, graphs: list[str]) -> dict[str, Any]:
    """Bring one store to a release, as a task that is tried again while the store does not answer."""
    log = logger()

    def bring() -> dict[str, Any]:
        from .stores import bring as into

        with concurrency(WRITER, occupy=1):
            return into(address, place, graphs, lambda what: log.info("%s", what))

    upstream: Any = [telling.release_asset(asset_of)]
    return materialize(
        telling.store_asset(address),
        by="pfocr-rdf",
        name="load",
        asset_deps=upstream,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(WAITS),
        retry_delay_seconds=list(WAITS),
        retry_condition_fn=passes,
        timeout_seconds=_LONG,
        tags=["pfocr-rdf", "store"],
    )(bring)()


def _limit() -> None:
    """Make the limit of writers, if it is not there; the number that somebody set stays."""
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(WRITER)
        except ObjectNotFound:
            try:
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=WRITER, limit=1))
            except ObjectAlreadyExists:
                return
