"""The steps from a source to a build folder, shared by the command line, the flow and other engines.

`plan` (in `plan`) reads what all papers need; `prepare` finds out which papers must be converted, all of them or
those that changed since the build that is to be replaced; shards of them are converted anywhere, in any order;
`finish` (in `assembly`) resolves what many records say, and writes the files. Between the steps there are only
values and files.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from pfocr_rdf import blocks, buildfolder, diff, facts, native, storage
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.assembly import OF_PAPERS, Jobs, Prepared, layers_of, report_papers, resolve
from pfocr_rdf.assembly import finish as finish
from pfocr_rdf.cache import Former
from pfocr_rdf.diff import Change
from pfocr_rdf.errors import UsageError
from pfocr_rdf.extract import git
from pfocr_rdf.extract.known import Files
from pfocr_rdf.extract.listing import FIGURES
from pfocr_rdf.extract.source import Snapshot, open_source
from pfocr_rdf.plan import Options as Options
from pfocr_rdf.plan import Plan, cut, plan
from pfocr_rdf.shards import Progress, Result, Shard, convert
from pfocr_rdf.state import State, maps_of
from pfocr_rdf.workers import Engine, Processes, cores, uncollected

log = logging.getLogger("pfocr_rdf")

SPACE_FACTOR = 16
"""Bytes of disk that a build needs for each byte of its source, at the highest moment (`benchmarks/RESULTS.md`)."""

SMALL = 16_000_000
"""A source of fewer bytes is converted by one process when nobody says how many: starting more takes longer."""

LARGE_INDEX = 1_000_000
"""With an index of so many bytes, worker processes are started while the source is being opened."""

LARGE_FOLDER = 200_000
"""The same for the size that the file system gives for the folder of records, which grows with their names."""

SHARDS = "shards"
"""Folder of shards' results in the work folder."""

Start = Callable[[int], Progress]
"""Called with the number of records to convert; returns what is called as they are done."""


@dataclass(slots=True)
class Built:
    """A finished build: its folder, manifest and accounts, and how many records were converted for it."""

    folder: Path
    manifest: dict[str, Any]
    ledger: Ledger
    converted: int = 0


def build(
    source: str,
    out: Path,
    options: Options,
    *,
    workers: int | None = None,
    start: Start | None = None,
    use_cache: bool = True,
    work: str | None = None,
    scheduler: str | None = None,
) -> Built:
    """Convert a source into the build folder `out`, which is replaced only when all went well.

    Of an earlier build there, what did not change is taken over, unless `use_cache` is false; the bytes are the same
    in any case, for any number of workers (None: one for each core, but for a small source one), and wherever these
    are: with `scheduler`, the address of a Dask scheduler, its workers convert the shards. `work` is where the parts
    go meanwhile (see `making`).
    Raises `UsageError` for a call that cannot work, `TooManyRejected` when too much was refused.
    """
    if work is not None and storage.is_private(work):
        if scheduler is not None or (workers or 1) > 1:
            raise UsageError(f"{work}: is seen by one process alone; give a folder or s3://, or --workers 1")
        workers = 1
    with ExitStack() as stack:
        cluster: Engine | None = None
        if scheduler is not None:
            from pfocr_rdf.dask_engine import DaskEngine

            cluster = stack.enter_context(DaskEngine(scheduler))
        early = stack.enter_context(_early(workers, source, out if use_cache else None))
        made = making(source, out, options, use_cache=use_cache, work=work, engine=early or None)
        prepared, folder = stack.enter_context(made)
        # Left before `making` is: nothing may still write when a failure removes the folder.
        engine = stack.enter_context(early or _processes(workers, prepared.plan))
        results = run_shards(prepared, cluster or engine, start)
        written, ledger = finish(prepared, results, folder, options, engine, keep_cache=use_cache)
        converted = sum(len(prepared.plan.papers[pmcid]) for pmcid in prepared.convert)
    return Built(out, written, ledger, converted)


def _early(workers: int | None, source: str, before: Path | None) -> Processes:
    """Return an engine that is started already where the source or the build to be updated is large; else none."""
    index = before / blocks.INDEX if before else None
    large = _size(Path(source, FIGURES)) > LARGE_FOLDER or (index is not None and _size(index) > LARGE_INDEX)
    if workers == 1 or not large:
        return Processes(0)
    engine = Processes(workers or cores())
    if engine.workers > 1:
        engine.start(engine.workers)
    return engine


def _size(place: Path) -> int:
    """Return the bytes of a folder's own list or of a file; 0 for what is not there or cannot be."""
    try:
        return place.stat().st_size
    except (OSError, ValueError):
        return 0


def _processes(workers: int | None, planned: Plan) -> Processes:
    return Processes(workers or (1 if planned.bytes < SMALL else cores()))


@contextmanager
def making(
    source: str,
    out: Path,
    options: Options,
    *,
    use_cache: bool = True,
    work: str | None = None,
    engine: Engine | None = None,
) -> Iterator[tuple[Prepared, Path]]:
    """Yield what is to be done and the folder to build in; `out` is replaced at the end.

    The results of shards go to a folder of this build's own below `work` (a folder or an address, see `storage`),
    else beside `out`. It is removed when the build went well; below `work` it is kept when not, and a later build of
    the same `out` takes over what is finished there. An `engine` that has started already helps to open the source.
    Raises `UsageError` when the source or the place is not there, or the disk is too full.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    former = Former(out) if use_cache else None
    with ExitStack() as stack:
        with uncollected():
            snapshot = stack.enter_context(opened(source, options, former=former, engine=engine))
        wanted = snapshot.bytes * SPACE_FACTOR
        if not out.exists():
            buildfolder.need_space(out, wanted)
        folder = stack.enter_context(buildfolder.building(out, keep=buildfolder.WORK))
        scratch = folder / buildfolder.WORK
        scratch.mkdir(exist_ok=True)
        place = str(scratch / SHARDS) if work is None else _own_place(work, out)
        storage.make_folder(place)
        with uncollected():
            prepared = prepare(plan(snapshot, options, engine), former, place, scratch)
        if prepared.before:
            wanted = 2 * sum(path.stat().st_size for path in prepared.before.iterdir() if path.is_file())
        buildfolder.need_space(out, wanted)
        yield prepared, folder
        _write_run(folder, source, out, began, time.monotonic() - clock)
        if work is not None:
            storage.remove(place)


def _own_place(work: str, out: Path) -> str:
    """Return the place of a build's own below `work`, named by the real path of `out`."""
    name = hashlib.sha256(os.path.realpath(out).encode()).hexdigest()[:16]
    return storage.join(storage.normal(work), f"pfocr-rdf-{name}")


def _shards_in(work: Path) -> str:
    """Make the folder of the shards' results in a scratch folder; return its place."""
    place = str(work / SHARDS)
    storage.make_folder(place)
    return place


def prepare(planned: Plan, former: Former | None, place: str, scratch: Path) -> Prepared:
    """Find out which papers must be converted, with the cache of the former build if it fits.

    `place` is where the results of shards go; what does not fit in memory goes to the folder `scratch`.
    """
    before = (
        former.state(planned.asked, scratch)
        if former is not None and blocks.can_update(planned.context.settings.image_pattern)
        else None
    )
    if planned.everything and (before is None or before.asks_all(planned)):
        planned = planned.everything()
    everything = list(planned.papers)
    if before is None or former is None:
        fresh = State(facts.Tally(scratch), organisms=planned.context.organisms)
        fresh.maps = maps_of(planned)
        return Prepared(planned, fresh, everything, place=place)
    changed = before.changed(planned)
    gone = before.gone(planned)
    before.organisms = planned.context.organisms
    return Prepared(planned, before, [p for p in everything if p in changed], [*changed, *gone], former.build, place)


def run_shards(prepared: Prepared, engine: Engine, start: Start | None = None) -> list[Result]:
    """Convert all papers that must be, with the engine, and take each into the state; return the results in order."""
    packed = prepared.before is None
    made = cut(prepared.plan, prepared.convert, prepared.place, at_once=engine.size, packed=packed)
    log.info("converting %d papers in %d shards", len(prepared.convert), len(made))
    _sweep(prepared.place, made)
    progress = start(sum(len(shard.records) for shard in made)) if start else None
    results: list[Result] = []
    coming = engine.map(convert, made)
    if prepared.before is not None:
        prepared.state.remove(prepared.forget)  # meanwhile
    for result in coming:
        results.append(result)
        prepared.state.add(result, prepared.plan.signatures, prepared.plan.figids)
        if progress:
            progress(len(made[result.number].records))
    return sorted(results, key=lambda result: result.number)


def _sweep(place: str, made: list[Shard]) -> None:
    """Remove what a killed run left behind and this one does not use."""
    used = {shard.key for shard in made}
    for name in storage.names(place):
        if name.partition(".")[0] not in used and not name.startswith("context-"):
            storage.remove(storage.join(place, name))


def changes(
    source: str,
    build: Path,
    options: Options,
    work: Path,
    *,
    workers: int | None = None,
    start: Start | None = None,
) -> Iterator[Change]:
    """Yield what a build of a source would change in an earlier build, without making it; `work` is a scratch folder.

    Layer by layer, in any order; subjects in theirs.
    Raises `UsageError` when the build has no cache that fits the options, `TooManyRejected` when too much of the
    source was refused.
    """
    former = Former(build)
    with ExitStack() as stack:
        early = stack.enter_context(_early(workers, source, build))
        with uncollected():
            snapshot = stack.enter_context(opened(source, options, former=former, engine=early or None))
            prepared = prepare(plan(snapshot, options, early or None), former, _shards_in(work), work)
        if prepared.before is None:
            raise UsageError(
                f"{build}: has no cache of this version and these options; build it again with them, then ask"
            )
        engine = stack.enter_context(early or _processes(workers, prepared.plan))
        results = run_shards(prepared, engine, start)
        layers = layers_of(options)
        jobs = Jobs(prepared, results, work, work)
        first = engine.map(diff.spool, jobs.of(layer for layer in layers if layer in OF_PAPERS))
        with uncollected():
            resolved = resolve(prepared, results, work, engine, options, jobs)
        jobs.add(resolved.runs)
        others = engine.map(
            diff.spool, jobs.of((layer for layer in layers if layer not in OF_PAPERS), resolved.touched)
        )
        for layer, path in chain(first, others):  # what is there is read while the rest comes
            yield from diff.read_spooled(layer, path)


def check(
    source: str, options: Options, work: Path, *, workers: int | None = None, start: Start | None = None
) -> Ledger:
    """Convert a source into the scratch folder `work` and return its accounts; nothing is kept."""
    lenient = replace(options, settings=replace(options.settings, max_rejected=1.0, max_rejected_rows=1.0))
    with opened(source, options) as snapshot:
        prepared = prepare(plan(snapshot, options), None, _shards_in(work), work)
        with _processes(workers, prepared.plan) as engine:
            results = run_shards(prepared, engine, start)
            ledger = resolve(prepared, results, work, engine, lenient).ledger
            report_papers(prepared.state, ledger)
            return ledger


@contextmanager
def opened(
    source: str,
    options: Options,
    *,
    former: Former | None = None,
    engine: Engine | None = None,
) -> Iterator[Snapshot]:
    """Open a source, with the selection that the options ask for.

    Of papers that did not change since the `former` build nothing is read, unless all must be known anyway.

    Raises `UsageError` when the source, or a list that the options name, is not there.
    """
    for path in (options.gene_info, options.pmc_ids, options.context):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: {'is no plain file' if path.exists() else 'no such file'}")
    limits = options.settings.limits
    known = former.known if former else Files
    some = former is not None and options.only is None and options.limit is None and options.gene_info is None
    lines = former.lines if former and some else None
    with open_source(source, limits=limits, cache=options.clones, known=known, lines=lines, engine=engine) as snapshot:
        yield snapshot.select(only=options.only, limit=options.limit)


def _write_run(folder: Path, source: str, out: Path, began: datetime, seconds: float) -> None:
    """Write what differs between runs: times, paths, machine."""
    buildfolder.write_json(
        folder / buildfolder.RUN,
        {
            "source": git.without_secrets(source),
            "out": str(out),
            "started": began.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "python": platform.python_version(),
            "kernels": "compiled" if native.in_use() else "python",
            "platform": platform.platform(),
        },
    )
