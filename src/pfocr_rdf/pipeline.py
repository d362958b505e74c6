"""The steps from a source to a build folder, shared by the command line, the flow and other engines.

`plan` (in `plan`) reads what all papers need; `prepare` finds out which papers must be converted, all of them or
those that changed since the build that is to be replaced; shards of them are converted anywhere, in any order;
`finish` resolves what many records say, and writes the files. Between the steps there are only values and files.
"""

from __future__ import annotations

import hashlib
import logging
import platform
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pfocr_rdf import blocks, buildfolder, facts, manifest, shards, state, storage, things, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.blocks import Block, Cuts
from pfocr_rdf.diff import Change
from pfocr_rdf.errors import Problem, UsageError, problem
from pfocr_rdf.extract import git, lists
from pfocr_rdf.extract.source import Snapshot, open_source
from pfocr_rdf.facts import Fact
from pfocr_rdf.layers import QUADS_PART, Job, Old, Place, Written, filename, write
from pfocr_rdf.layers import changes as layer_changes
from pfocr_rdf.mapping import entities, ontology
from pfocr_rdf.model import ALWAYS, Layer
from pfocr_rdf.plan import Options as Options
from pfocr_rdf.plan import Plan, cut, plan
from pfocr_rdf.serialize import block
from pfocr_rdf.shards import Progress, Result, Run, RunWriter, Shard, convert
from pfocr_rdf.state import State
from pfocr_rdf.terms import Pair, iri
from pfocr_rdf.things import Things
from pfocr_rdf.workers import Engine, Processes, cores

log = logging.getLogger("pfocr_rdf")

SPACE_FACTOR = 16
"""Bytes of disk that a build needs for each byte of its source, at the highest moment (`benchmarks/RESULTS.md`)."""

SMALL = 16_000_000
"""A source of fewer bytes is converted by one process when nobody says how many: starting more takes longer."""

SHARDS = "shards"
"""Folder of shards' results in the work folder."""

Start = Callable[[int], Progress]
"""Called with the number of records to convert; returns what is called as they are done."""


@dataclass(slots=True)
class Prepared:
    """What is to be done: papers to convert and to forget (escaped PMCIDs), and the state to begin from.

    `before` is the build that is brought up to date, or None when everything is converted.
    """

    plan: Plan
    state: State
    convert: list[str]
    forget: list[str] = field(default_factory=list)
    before: Path | None = None
    place: str = ""


@dataclass(slots=True)
class Resolved:
    """A source's whole content, ready to be written: runs and removed places by layer, and what is counted."""

    state: State
    runs: dict[Layer, list[Run]]
    removed: dict[Layer, frozenset[Place]]
    counts: Counter[str]
    ledger: Ledger


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
) -> Built:
    """Convert a source into the build folder `out`, which is replaced only when all went well.

    Of an earlier build there, what did not change is taken over, unless `use_cache` is false; the bytes are the same
    in any case, and for any number of workers (None: one for each core, but for a small source one).
    Raises `UsageError` for a call that cannot work, `TooManyRejected` when too much was refused.
    """
    with (
        making(source, out, options, use_cache=use_cache) as (prepared, folder),
        _processes(workers, prepared.plan) as engine,
    ):
        results = run_shards(prepared, engine, start)
        written, ledger = finish(prepared, results, folder, options, engine, keep_cache=use_cache)
        converted = sum(len(prepared.plan.papers[pmcid]) for pmcid in prepared.convert)
    return Built(out, written, ledger, converted)


def _processes(workers: int | None, planned: Plan) -> Processes:
    return Processes(workers or (1 if planned.bytes < SMALL else cores()))


@contextmanager
def making(source: str, out: Path, options: Options, *, use_cache: bool = True) -> Iterator[tuple[Prepared, Path]]:
    """Yield what is to be done and the folder to build in; `out` is replaced at the end.

    Raises `UsageError` when the source or the place is not there, or the disk is too full.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    known = state.known_figids(out) if use_cache else {}
    with ExitStack() as stack:
        snapshot = stack.enter_context(opened(source, options, known=known))
        wanted = snapshot.bytes * SPACE_FACTOR
        if not out.exists():
            buildfolder.need_space(out, wanted)
        folder = stack.enter_context(buildfolder.building(out, keep=buildfolder.WORK))
        work = folder / buildfolder.WORK
        planned = plan(snapshot, options)
        prepared = prepare(planned, out if use_cache else None, _shards_in(work), work)
        if prepared.before:
            wanted = 2 * sum(path.stat().st_size for path in prepared.before.iterdir() if path.is_file())
        buildfolder.need_space(out, wanted)
        yield prepared, folder
        _write_run(folder, source, out, began, time.monotonic() - clock)


def _shards_in(work: Path) -> str:
    """Make the folder of the shards' results; return its place."""
    (work / SHARDS).mkdir(parents=True, exist_ok=True)
    return str(work / SHARDS)


def prepare(planned: Plan, out: Path | None, place: str, scratch: Path) -> Prepared:
    """Find out which papers must be converted, with the cache of the build at `out` if it fits.

    `place` is where the results of shards go; what does not fit in memory goes to the folder `scratch`.
    """
    before = (
        state.load(out, planned.asked, scratch)
        if out is not None and blocks.can_update(planned.context.settings.image_pattern)
        else None
    )
    everything = list(planned.papers)
    if before is None or out is None:
        known = State(facts.Tally(scratch), organisms=planned.context.organisms)
        return Prepared(planned, known, everything, place=place)
    changed = before.changed(planned)
    gone = [pmcid for pmcid in before.papers if pmcid not in planned.papers]
    before.organisms = planned.context.organisms
    return Prepared(planned, before, [p for p in everything if p in changed], [*changed, *gone], out, place)


def run_shards(prepared: Prepared, engine: Engine, start: Start | None = None) -> list[Result]:
    """Convert all papers that must be, with the engine; return the results in order."""
    made = cut(prepared.plan, prepared.convert, prepared.place)
    log.info("converting %d papers in %d shards", len(prepared.convert), len(made))
    if not storage.is_remote(prepared.place):
        _sweep(Path(prepared.place), made)
    progress = start(sum(len(shard.records) for shard in made)) if start else None
    results: list[Result] = []
    for result in engine.map(convert, made):
        results.append(result)
        if progress:
            progress(len(made[result.number].records))
    return sorted(results, key=lambda result: result.number)


def _sweep(folder: Path, made: list[Shard]) -> None:
    """Remove what a killed run left behind and this one does not use."""
    used = {shard.key for shard in made}
    for path in folder.iterdir():
        if path.name.partition(".")[0] not in used and not path.name.startswith("context-"):
            path.unlink()


def resolve(prepared: Prepared, results: list[Result], work: Path, engine: Engine, options: Options) -> Resolved:
    """Bring the results of shards and the state before together, and resolve what many records say of one thing.

    Raises `TooManyRejected` when too much of the source was refused.
    """
    planned, known = prepared.plan, prepared.state
    touched = _renew(prepared, results)
    ledger = Ledger()
    ledger.add(planned.ledger)
    counts: Counter[str] = Counter()
    aliases: list[tuple[str, str]] = []
    for paper in known.all_papers():
        paper.add_to(ledger)
        counts.update(figures=paper.figures, mentions=paper.mentions, papers=int(paper.figures > 0))
        aliases += paper.aliases
    ledger.report(*duplicate_aliases(aliases))
    ledger.check(options.settings)
    found = Things(known.all_sayings(), _places(known, engine))
    if prepared.before is not None:
        found.only, found.maybe = touched
    runs: dict[Layer, list[Run]] = {layer: [] for layer in ALWAYS}
    for run in _write_things(found, work, planned):
        runs[run.layer].append(run)
    counts.update(found.counts)
    for result in results:
        for run in shards.read_runs(result):
            runs[run.layer].append(run)
    removed: dict[Layer, frozenset[Place]] = {}
    if prepared.before is not None:
        removed = _removed(prepared, touched[0] | found.described | {*known.groups, *found.groups})
        known.conflicts = [
            problem
            for problem in known.conflicts
            if problem.field.partition(" ")[0] not in found.described | touched[0]
        ]
    known.groups = found.groups
    known.conflicts += found.problems
    ledger.report(*known.conflicts)
    return Resolved(known, runs, removed, counts, ledger)


def _renew(prepared: Prepared, results: Iterable[Result]) -> tuple[set[str], set[str]]:
    """Bring the state up to date; return the IRIs of things that changed, and of those that may have."""
    planned, known = prepared.plan, prepared.state
    before = known.remove(prepared.forget)
    before.update(known.page_sayings())
    section = facts.Section()
    for page in planned.pages:
        section.add(f"{state.PAGES}{ids.slug(page.slug)}", entities.page_sayings(page))
    known.pages = section.to_bytes()
    after = Counter(known.page_sayings())
    for result in results:
        known.add(result, planned.signatures, planned.figids)
        if prepared.before is not None:
            after.update(facts.counted(result.section("facts")))
    if prepared.before is None:
        return set(), set()
    known.keep_files(path for records in planned.papers.values() for files in records for path in files.paths)
    both = before.keys() | after.keys()
    now = known.tally.counts(both) | known.page_sayings()
    crossed = {s for s in both if (now.get(s, 0) > 0) != (now.get(s, 0) - after[s] + before[s] > 0)}
    return things.spoken_of(crossed), things.spoken_of(both - crossed)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search for dissenting places in one section."""

    section: state.Section
    number: int
    wanted: frozenset[str]
    expected: things.Expected


def _search(task: _Search) -> tuple[int, list[Fact]]:
    return task.number, things.dissents(task.section.read(), task.wanted, task.expected)


def _places(known: State, engine: Engine) -> things.Places:
    """Return what looks dissenting places up in the sections of a state."""

    def look(wanted: frozenset[str], expected: things.Expected) -> Iterator[Fact]:
        yield from things.dissents(known.pages, wanted, expected)
        tasks = [
            _Search(section, number, wanted, expected) for number, section in enumerate(known.sections) if section.size
        ]
        for number, found in engine.map(_search, tasks):
            # papers that were converted anew have their facts in a later section
            yield from (fact for fact in found if known.at.get(fact[3].partition("__")[0]) == number)

    return look


def duplicate_aliases(aliases: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    """Yield a warning for each figure whose alias another one has too, from pairs of alias and path."""
    aliases = list(aliases)
    times = Counter(alias for alias, _ in aliases)
    for alias, path in aliases:
        if times[alias] > 1:
            yield problem("duplicate-alias", path, field="figid_alias", value=alias)


def _write_things(found: Things, work: Path, planned: Plan) -> list[Run]:
    """Write the runs of shared things, streaming, to one file in the work folder."""
    path = work / "things.data"
    pattern = planned.context.settings.image_pattern
    writers: dict[tuple[Layer, str], RunWriter] = {}
    with path.open("wb", buffering=1 << 20) as out:
        for layer, subject, text in found.describe():
            family, key = blocks.place(subject, pattern)
            writer = writers.get((layer, family))
            if writer is None:
                writer = writers[layer, family] = RunWriter(Cuts(layer, pattern), out, None)
            writer.put(subject, text, key)
        return [shards.run_from(str(path), run) for (layer, _), w in writers.items() for run in w.finish(layer)]


def _removed(prepared: Prepared, iris: Iterable[str]) -> dict[Layer, frozenset[Place]]:
    """Return the places whose subjects an update takes out of each layer: of papers, and of things."""
    pattern = prepared.plan.context.settings.image_pattern
    pmcids = {facts.unescape(pmcid) for pmcid in (*prepared.forget, *prepared.convert)}
    papers = {(family, pmcid) for pmcid in pmcids for family in (ids.FIGURES, ids.MENTIONS, ids.PAPERS)}
    images = {(pattern.partition("{")[0], pmcid) for pmcid in pmcids}
    shared = {blocks.place(iri, pattern) for iri in iris}
    own = {
        Layer.CORE: papers | images | shared,
        Layer.COMPAT: papers | shared,
        Layer.XREFS: papers | shared,
        Layer.ENTITIES: shared,
    }
    return {layer: frozenset(own.get(layer, papers)) for layer in ALWAYS}


def finish(
    prepared: Prepared,
    results: list[Result],
    folder: Path,
    options: Options,
    engine: Engine,
    *,
    keep_cache: bool = True,
) -> tuple[dict[str, Any], Ledger]:
    """Write all files of a build into its folder; return manifest and accounts.

    Raises `TooManyRejected` when too much of the source was refused.
    """
    work = folder / buildfolder.WORK
    planned, output = prepared.plan, prepared.plan.output
    resolved = resolve(prepared, results, work, engine, options)
    _add_constant(resolved, work, planned, options)
    jobs = _jobs(prepared, resolved, folder, work)
    log.info("writing %d layers", len(jobs))
    # the largest first, so that no core waits for it alone at the end
    jobs.sort(key=lambda job: -sum(block.size for run in job.runs for block in run.blocks))
    done = {written.layer: written for written in engine.map(write, jobs)}
    written = [done[layer] for layer in Layer if layer in done]
    _write_index(folder, written)
    if output.nquads:
        _join_quads(folder, work, written)
    ledger = resolved.ledger
    buildfolder.write_lines(folder / buildfolder.REJECTED, (found.to_json() for found in ledger.rejected()))
    buildfolder.write_lines(folder / buildfolder.WARNINGS, (found.to_json() for found in ledger.warnings()))
    hashes = [*planned.hashes, *((path, file.sha256) for path, file in resolved.state.files.items())]
    text = manifest.describe(
        source={**planned.source, "content_sha256": manifest.content_hash(hashes)},
        inputs=_inputs(options),
        settings=manifest.describe_settings(options.settings, {"only": options.only, "limit": options.limit}),
        ledger=ledger,
        counts=resolved.counts,
        layers={
            str(layer.layer): {
                "file": filename(layer.layer, output),
                "triples": layer.triples,
                "bytes": layer.size,
                "sha256": layer.sha256,
            }
            for layer in written
        },
        folder=folder,
    )
    buildfolder.write_json(folder / buildfolder.MANIFEST, text)
    if keep_cache:
        digest = hashlib.sha256((folder / buildfolder.MANIFEST).read_bytes()).hexdigest()
        before = prepared.before / state.FOLDER if prepared.before else None
        state.save(resolved.state, folder, digest, planned.asked, before)
    return text, ledger


def _add_constant(resolved: Resolved, work: Path, planned: Plan, options: Options) -> None:
    """Add the layers that are written whole each time: the ontology, and the links to PubMed if asked for."""
    described = [(Layer.ONTOLOGY, description) for description in ontology.describe()]
    if options.pmc_ids is not None:
        papers = {paper.pmcid for paper in resolved.state.all_papers() if paper.figures}
        for pmcid, pmids in lists.read_pmc_ids(options.pmc_ids, papers).items():
            if len(pmids) > 1:
                found = problem("ambiguous-pmid", options.pmc_ids.name, field=pmcid, value=", ".join(pmids))
                resolved.ledger.report(found)
            else:
                same = [(vocab.SAME_AS, iri(ids.pubmed(pmids[0])))]
                described.append((Layer.XREFS_PUBMED, (ids.paper(pmcid), same)))
    path = work / "constant.data"
    pattern = planned.context.settings.image_pattern
    pairs: dict[tuple[Layer, str], list[Pair]] = {}
    for layer, (subject, said) in described:
        pairs.setdefault((layer, subject), []).extend(said)
    with path.open("wb") as out:
        for layer in (Layer.ONTOLOGY, *([Layer.XREFS_PUBMED] if options.pmc_ids is not None else [])):
            writer = RunWriter(Cuts(layer, pattern), out, None)
            writer.loose = [(subject, block(subject, said)) for (of, subject), said in pairs.items() if of is layer]
            resolved.runs.setdefault(layer, []).extend(shards.run_from(str(path), run) for run in writer.finish(layer))


def _jobs(prepared: Prepared, resolved: Resolved, folder: Path, work: Path) -> list[Job]:
    """Return what must be known to write each layer."""
    output, before = prepared.plan.output, prepared.before
    index = blocks.read_index(before / blocks.INDEX) if before else {}
    jobs: list[Job] = []
    for layer, runs in resolved.runs.items():
        old = None
        if before and str(layer) in index:
            quads = str(before / manifest.QUADS) if output.nquads else None
            old = Old(str(before / filename(layer, output)), quads, index[str(layer)])
        jobs.append(
            Job(
                layer,
                str(folder / filename(layer, output)),
                str(work / QUADS_PART.format(layer=layer)) if output.nquads else None,
                output,
                prepared.plan.context.settings.image_pattern,
                str(work),
                runs,
                old,
                resolved.removed.get(layer, frozenset()),
                whole=layer in (Layer.ONTOLOGY, Layer.XREFS_PUBMED),
            )
        )
    return jobs


def _write_index(folder: Path, written: Iterable[Written]) -> None:
    """Write the index of blocks, with places in `pfocr-all.nq.gz` where there is one."""
    layers: list[tuple[Layer, list[Block]]] = []
    at = 0
    for layer in written:
        moved = [
            found._replace(quads_offset=found.quads_offset + at if found.quads_size else 0) for found in layer.blocks
        ]
        at += sum(found.quads_size for found in layer.blocks)
        layers.append((layer.layer, moved))
    blocks.write_index(folder / blocks.INDEX, layers)


def _join_quads(folder: Path, work: Path, written: Iterable[Written]) -> None:
    """Put the N-Quads of all layers one after the other."""
    with (folder / manifest.QUADS).open("wb") as out:
        for layer in written:
            part = work / QUADS_PART.format(layer=layer.layer)
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, out, 1 << 20)
            part.unlink()


def _inputs(options: Options) -> dict[str, Path]:
    """Return the files beside the source that a build rests on."""
    named = {"gene_info": options.gene_info, "pmc_ids": options.pmc_ids, "context": options.context}
    return {name: path for name, path in named.items() if path is not None}


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

    Raises `UsageError` when the build has no cache that fits the options, `TooManyRejected` when too much of the
    source was refused.
    """
    with opened(source, options, known=state.known_figids(build)) as snapshot, ExitStack() as stack:
        prepared = prepare(plan(snapshot, options), build, _shards_in(work), work)
        if prepared.before is None:
            raise UsageError(
                f"{build}: has no cache of this version and these options; build it again with them, then ask"
            )
        engine = stack.enter_context(_processes(workers, prepared.plan))
        results = run_shards(prepared, engine, start)
        resolved = resolve(prepared, results, work, engine, options)
        _add_constant(resolved, work, prepared.plan, options)
        jobs = {job.layer: job for job in _jobs(prepared, resolved, work, work)}
        for layer in Layer:
            if layer in jobs:
                yield from (Change(layer, *change) for change in layer_changes(jobs[layer]))


def check(
    source: str, options: Options, work: Path, *, workers: int | None = None, start: Start | None = None
) -> Ledger:
    """Convert a source into the scratch folder `work` and return its accounts; nothing is kept."""
    lenient = replace(options, settings=replace(options.settings, max_rejected=1.0, max_rejected_rows=1.0))
    with opened(source, options) as snapshot:
        prepared = prepare(plan(snapshot, options), None, _shards_in(work), work)
        with _processes(workers, prepared.plan) as engine:
            results = run_shards(prepared, engine, start)
            return resolve(prepared, results, work, engine, lenient).ledger


@contextmanager
def opened(source: str, options: Options, *, known: Mapping[str, tuple[str, str]] | None = None) -> Iterator[Snapshot]:
    """Open a source, with the selection that the options ask for.

    Raises `UsageError` when the source, or a list that the options name, is not there.
    """
    for path in (options.gene_info, options.pmc_ids, options.context):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: {'is no plain file' if path.exists() else 'no such file'}")
    limits = options.settings.limits
    with open_source(source, limits=limits, cache=options.clones, known=known) as snapshot:
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
            "platform": platform.platform(),
        },
    )
