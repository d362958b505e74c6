"""What all papers of a source share, read once; and the papers cut into shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby, islice
from operator import attrgetter, lt
from pathlib import Path
from typing import Any

from pfocr_rdf import jsonld, shards
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, Problem, problem
from pfocr_rdf.escapes import escape_all
from pfocr_rdf.extract import lists
from pfocr_rdf.extract.known import Unchanged
from pfocr_rdf.extract.organisms import MapLine, OrganismPage, read_map, read_page
from pfocr_rdf.extract.records import RecordFiles, hash_file, read_record
from pfocr_rdf.extract.source import Snapshot
from pfocr_rdf.normalize import Context, gene_keywords
from pfocr_rdf.resources import common_organisms
from pfocr_rdf.settings import Limits, Settings
from pfocr_rdf.shards import Output, Shard
from pfocr_rdf.workers import Engine, Serial


@dataclass(frozen=True, slots=True)
class Options:
    """What a build is asked for beside its source.

    `gene_info` and `pmc_ids` are NCBI's lists, `context` a JSON-LD context that stands for schema.org's; `only`
    (a figid) and `limit` select figures; `clones` is where clones of git sources are kept.
    """

    settings: Settings = field(default_factory=Settings)
    gene_info: Path | None = None
    pmc_ids: Path | None = None
    context: Path | None = None
    only: str | None = None
    limit: int | None = None
    clones: Path | None = None
    output: Output = field(default_factory=Output)


@dataclass(slots=True)
class Plan:
    """All that the shards of one source share.

    `papers` maps each PMCID (escaped) to its records, in order of figid; `hashes` are of the files that are no
    paper's; `signatures` of all files and `figids` of records by path; `maps` are the paths of map files, `bytes` is
    the size of all files; `asked` names what else the build depends on.
    Where papers are `unchanged` since an earlier build, they are left out; `everything` plans those as well.
    """

    root: str
    context: Context
    papers: dict[str, tuple[RecordFiles, ...]]
    ledger: Ledger
    pages: list[OrganismPage]
    hashes: list[tuple[str, str]]
    source: dict[str, Any]
    signatures: Mapping[str, str]
    figids: Mapping[str, str]
    maps: frozenset[str]
    output: Output
    asked: str
    bytes: int
    unchanged: Unchanged | None = None
    everything: Callable[[], Plan] | None = None


MIN_RECORDS = 100
"""Fewer records are not worth a shard of their own."""

ROUNDS = 4
"""So many shards or more are there for each that runs at a time: the last ones end together, and while some run,
what others found is taken in."""


@dataclass(frozen=True, slots=True)
class _Small:
    """Files to be read at once: pages or maps."""

    root: Path
    paths: list[str]
    limits: Limits


def _read_pages(task: _Small) -> list[tuple[OrganismPage | None, list[Problem], str]]:
    return [read_page(task.root, path, task.limits) for path in task.paths]


def _read_all_maps(task: _Small) -> list[tuple[list[MapLine], list[Problem], str]]:
    return [read_map(task.root, path, task.limits) for path in task.paths]


def plan(snapshot: Snapshot, options: Options, engine: Engine | None = None) -> Plan:
    """Read pages, maps and lists, and group the records by paper; an engine that has started reads some of them."""
    ledger = Ledger()
    ledger.add(snapshot.ledger)
    settings = options.settings
    root = str(snapshot.root)
    reading = engine or Serial()
    read_pages = reading.map(_read_pages, [_Small(snapshot.root, snapshot.pages, settings.limits)])
    read_maps = reading.map(_read_all_maps, [_Small(snapshot.root, snapshot.maps, settings.limits)])
    if engine:  # meanwhile, processes that have nothing to do load what each needs to convert
        engine.map(jsonld.warm, [None] * engine.size)
    papers = _papers(snapshot.records)
    hashes: list[tuple[str, str]] = [(path, hash_file(snapshot.root / path)) for path in snapshot.unread]
    pages: list[OrganismPage] = []
    for path, (page, problems, digest) in zip(snapshot.pages, next(read_pages), strict=True):
        hashes.append((path, digest))
        if snapshot.whole:
            ledger.report(*problems)
            ledger.accounts[Kind.ORGANISM_PAGE].emitted += page is not None
        if page:
            pages.append(page)
    organisms = dict(common_organisms())
    organisms.update((page.latin, page.ncbi) for page in reversed(pages) if page.ncbi)
    context = Context(
        settings=settings,
        organisms=organisms,
        maps=_maps(snapshot, next(read_maps), ledger, hashes),
        keywords_are_genes=not snapshot.has_data,
        jsonld_context=json.dumps(jsonld.read_context(options.context)) if options.context else None,
    )
    if options.gene_info is not None:
        wanted = _wanted_symbols(snapshot, context) if context.keywords_are_genes else frozenset()
        context = replace(context, symbols=lists.read_gene_info(options.gene_info, wanted))
    return Plan(
        root=root,
        context=context,
        papers=papers,
        ledger=ledger,
        pages=pages if snapshot.whole else [],
        hashes=hashes,
        source={"kind": snapshot.kind, "revision": snapshot.revision, "date": snapshot.date},
        signatures=snapshot.signatures,
        maps=frozenset(snapshot.maps),
        figids={files.path: files.figid for files in snapshot.records},
        output=options.output,
        asked=_asked(context, options, whole=snapshot.whole),
        bytes=snapshot.bytes,
        unchanged=snapshot.unchanged,
        everything=_of_all(snapshot.everything, options, engine) if snapshot.everything else None,
    )


def _of_all(everything: Callable[[], Snapshot], options: Options, engine: Engine | None) -> Callable[[], Plan]:
    return lambda: plan(everything(), options, engine)


def _papers(records: Iterable[RecordFiles]) -> dict[str, tuple[RecordFiles, ...]]:
    """Return the records, which come in order of figid, of each paper, papers in the order of their figures' IRIs."""
    groups = [(pmcid, tuple(group)) for pmcid, group in groupby(records, attrgetter("pmcid"))]
    pmcids = escape_all([pmcid for pmcid, _ in groups])
    keys = [f"{pmcid}__" for pmcid in pmcids]
    if all(map(lt, keys, islice(keys, 1, None))):  # as nearly always
        return dict(zip(pmcids, [records for _, records in groups], strict=True))
    papers: dict[str, tuple[RecordFiles, ...]] = {}
    for pmcid, (_, found) in zip(pmcids, groups, strict=True):
        papers[pmcid] = papers.get(pmcid, ()) + found
    return {pmcid: papers[pmcid] for pmcid in sorted(papers, key=lambda pmcid: f"{pmcid}__")}


def _asked(context: Context, options: Options, *, whole: bool) -> str:
    """Return a hash of all but the source and the organisms that a build's triples and files depend on."""
    settings = asdict(context.settings)
    for name in ("max_rejected", "max_rejected_rows", "shard_records"):
        del settings[name]
    symbols = sorted(context.symbols.items()) if context.symbols is not None else None
    value: list[Any] = [settings, symbols, context.keywords_are_genes, context.jsonld_context]
    value += [asdict(options.output), options.only, options.limit, whole]
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _maps(
    snapshot: Snapshot,
    found: list[tuple[list[MapLine], list[Problem], str]],
    ledger: Ledger,
    hashes: list[tuple[str, str]],
) -> dict[str, list[MapLine]]:
    """Return the map lines of each figid that has a record; account for the others."""
    figids = {files.figid for files in snapshot.records} if snapshot.maps else set()
    unchanged = snapshot.unchanged
    maps: dict[str, list[MapLine]] = {}
    for path, (lines, problems, digest) in zip(snapshot.maps, found, strict=True):
        hashes.append((path, digest))
        if snapshot.whole:
            ledger.report(*problems)
        for line in lines:
            if line.figid in figids:
                maps.setdefault(line.figid, []).append(line)
            elif snapshot.whole and not (unchanged and unchanged.has(line.figid)):
                ledger.report(
                    problem(
                        "map-line-without-record",
                        path,
                        line=line.line,
                        field=line.figid,
                        value=line.value,
                        kind=Kind.MAP_LINE,
                    )
                )
    return maps


def _wanted_symbols(snapshot: Snapshot, context: Context) -> frozenset[tuple[str, str]]:
    """Return (taxonomy id, keyword) of all records whose keywords may be genes."""
    wanted: set[tuple[str, str]] = set()
    for files in snapshot.records:
        front, _, _ = read_record(snapshot.root, files.path, context.settings.limits)
        block = front.fields.get("schema-jsonld") if front else None
        names = front.fields.get("organisms_ner") if front else None
        if isinstance(block, dict) and names:
            taxids = [
                context.organisms.get(n) for n in (names if isinstance(names, list) else [names]) if isinstance(n, str)
            ]
            wanted.update((taxid, keyword) for taxid in taxids if taxid for keyword in gene_keywords(block))
    return frozenset(wanted)


def cut(plan: Plan, pmcids: Sequence[str], folder: str, at_once: int = 1, *, packed: bool = True) -> list[Shard]:
    """Cut papers (escaped PMCIDs, in the order of the plan) into shards, whose results go to `folder`.

    All records of a paper are in one shard; but for that, a shard has at most as many records as the settings say.
    Where `at_once` shards run at a time, there are `ROUNDS` times as many, if there is work for them all.
    Blocks are packed that will be copied, unless they are to be taken apart (not `packed`) among those of a build.
    """
    context = shards.write_context(plan.context, plan.output if packed else None, folder)
    made: list[Shard] = []
    wanted = -(-len(pmcids) // (ROUNDS * at_once))
    size = min(plan.context.settings.shard_records, max(MIN_RECORDS, wanted))
    for records in _groups((plan.papers[pmcid] for pmcid in pmcids), size):
        maps = tuple(line for files in records for line in plan.context.maps.get(files.figid, ()))
        key = _key(context, plan, records, maps)
        made.append(Shard(len(made), key, plan.root, records, maps, context, folder))
    return made


def _groups(papers: Iterable[tuple[RecordFiles, ...]], size: int) -> Iterator[tuple[RecordFiles, ...]]:
    group: list[RecordFiles] = []
    for records in papers:
        if group and len(group) + len(records) > size:
            yield tuple(group)
            group = []
        group += records
    if group:
        yield tuple(group)


def _key(context: str, plan: Plan, records: Iterable[RecordFiles], maps: Iterable[MapLine]) -> str:
    """Return the name of a shard's result: equal when all its files are known to be the same, else never again."""
    digest = hashlib.sha256(f"{context.rpartition('/')[2]}\n{plan.root}\n".encode())
    for files in records:
        for path in (files.path, *(path for _, path in files.tables)):
            signature = plan.signatures.get(path, "")
            digest.update(f"{files.figid}\t{path}\t{signature or _content(plan.root, path)}\n".encode())
    digest.update(repr(list(maps)).encode())
    return digest.hexdigest()[:32]


def _content(root: str, path: str) -> str:
    try:
        return hash_file(Path(root) / path)
    except OSError as error:
        return f"unreadable: {error.strerror}"
