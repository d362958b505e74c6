"""The steps from a source to a build folder, shared by the command line and the flow.

`plan` reads what all records need and cuts the records into batches; `convert_batch` turns one batch into
sorted chunks and facts; `write_build` merges them. `build` runs all three. Nothing is kept between them but
values and files, so batches may be converted anywhere, in any order.
"""

from __future__ import annotations

import json
import logging
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder, facts, jsonld, manifest, serialize, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.errors import Kind, Problem, UsageError, problem
from pfocr_rdf.extract import git, lists
from pfocr_rdf.extract.organisms import MapLine, OrganismPage, read_map, read_page
from pfocr_rdf.extract.records import RecordFiles, hash_file, read_figure, read_record
from pfocr_rdf.extract.source import Snapshot, open_source
from pfocr_rdf.facts import Fact
from pfocr_rdf.mapping import article, entities, mention, ontology
from pfocr_rdf.mapping import figure as figure_mapping
from pfocr_rdf.model import ALWAYS, Figure, Layer
from pfocr_rdf.normalize import Context, block_keywords, normalize
from pfocr_rdf.resources import common_organisms
from pfocr_rdf.serialize import Chunk
from pfocr_rdf.settings import Settings
from pfocr_rdf.terms import Description, iri

log = logging.getLogger("pfocr_rdf")

SPACE_FACTOR = 12
"""Bytes of disk that a build needs for each byte of its source, at the highest moment (`benchmarks/RESULTS.md`)."""

MAX_BATCHES = 256
"""So many files of each kind are open at a time when the batches are merged."""

Progress = Callable[[int], None]
"""Called with the number of records that were just done."""

_COUNTED = {
    vocab.GENE: "genes",
    vocab.CHEMICAL: "chemicals",
    vocab.MEDICAL_CONDITION: "diseases",
    vocab.TAXON: "taxa",
}


@dataclass(frozen=True, slots=True)
class Options:
    """What a build is asked for beside its source."""

    settings: Settings = field(default_factory=Settings)
    gene_info: Path | None = None
    pmc_ids: Path | None = None
    context: Path | None = None
    only: str | None = None
    limit: int | None = None
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of records in order of figid, with all records of each paper in it."""

    number: int
    records: tuple[RecordFiles, ...]


@dataclass(slots=True)
class Plan:
    """All that the batches of one source share, and the batches."""

    root: Path
    context: Context
    batches: list[Batch]
    ledger: Ledger
    pages: list[OrganismPage]
    hashes: list[tuple[str, str]]
    source: dict[str, Any]


@dataclass(slots=True)
class BatchResult:
    """What one batch became: files of chunks and facts, accounts, counts, hashes of what was read."""

    number: int
    chunks: list[tuple[Layer, Chunk]]
    facts: str
    ledger: Ledger
    counts: Counter[str]
    hashes: list[tuple[str, str]]
    papers: list[str]
    aliases: list[tuple[str, str]]


@dataclass(slots=True)
class Built:
    """A finished build: its folder, manifest and accounts."""

    folder: Path
    manifest: dict[str, Any]
    ledger: Ledger


def plan(snapshot: Snapshot, options: Options) -> Plan:
    """Read pages, maps and lists, and cut the records into batches."""
    ledger = Ledger()
    ledger.add(snapshot.ledger)
    settings = options.settings
    hashes: list[tuple[str, str]] = []
    pages: list[OrganismPage] = []
    hashes += [(path, hash_file(snapshot.root / path)) for path in snapshot.unread]
    for path in snapshot.pages:
        page, problems, digest = read_page(snapshot.root, path, settings.limits)
        hashes.append((path, digest))
        if snapshot.whole:
            ledger.report(*problems)
            ledger.accounts[Kind.ORGANISM_PAGE].emitted += page is not None
        if page:
            pages.append(page)
    organisms = dict(common_organisms())
    organisms.update((page.latin, page.ncbi) for page in reversed(pages) if page.ncbi)
    maps = _read_maps(snapshot, settings, ledger, hashes)
    context = Context(
        settings=settings,
        organisms=organisms,
        maps=maps,
        keywords_are_genes=not snapshot.has_data,
        jsonld_context=json.dumps(jsonld.read_context(options.context)) if options.context else None,
    )
    if options.gene_info is not None:
        wanted = _wanted_symbols(snapshot, context) if context.keywords_are_genes else frozenset()
        context = replace(context, symbols=lists.read_gene_info(options.gene_info, wanted))
    return Plan(
        root=snapshot.root,
        context=context,
        batches=list(_batches(snapshot.records, settings.batch_records)),
        ledger=ledger,
        pages=pages if snapshot.whole else [],
        hashes=hashes,
        source={"kind": snapshot.kind, "revision": snapshot.revision, "date": snapshot.date},
    )


def _read_maps(
    snapshot: Snapshot, settings: Settings, ledger: Ledger, hashes: list[tuple[str, str]]
) -> dict[str, list[MapLine]]:
    """Return the map lines of each figid that has a record; account for the others."""
    figids = {files.figid for files in snapshot.records}
    maps: dict[str, list[MapLine]] = {}
    for path in snapshot.maps:
        lines, problems, digest = read_map(snapshot.root, path, settings.limits)
        hashes.append((path, digest))
        if snapshot.whole:
            ledger.report(*problems)
        for line in lines:
            if line.figid in figids:
                maps.setdefault(line.figid, []).append(line)
            elif snapshot.whole:
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
            wanted.update((taxid, keyword) for taxid in taxids if taxid for keyword in block_keywords(block))
    return frozenset(wanted)


def _batches(records: list[RecordFiles], size: int) -> Iterator[Batch]:
    size = max(size, len(records) // MAX_BATCHES)
    number, batch = 0, list[RecordFiles]()
    for _, paper in groupby(records, key=lambda files: files.pmcid):
        group = list(paper)
        if batch and len(batch) + len(group) > size:
            yield Batch(number, tuple(batch))
            number, batch = number + 1, []
        batch += group
    if batch:
        yield Batch(number, tuple(batch))


def convert_batch(
    batch: Batch, root: Path, context: Context, work: Path, progress: Progress | None = None
) -> BatchResult:
    """Read, check and map the records of one batch; write its chunks and facts into `work`."""
    layers: dict[tuple[Layer, str], list[Description]] = {}
    found: list[Fact] = []
    result = BatchResult(batch.number, [], "", Ledger(), Counter(), [], [], [])
    for _, files_of_paper in groupby(batch.records, key=lambda files: files.pmcid):
        figures: list[Figure] = []
        for files in files_of_paper:
            raw = read_figure(root, files, context.settings.limits)
            result.hashes += raw.hashes
            figure = normalize(raw, context, result.ledger)
            if figure is not None:
                figures.append(figure)
            if progress:
                progress(1)
        for layer, (subject, pairs) in collect(describe_paper(figures, context), found, result.ledger):
            # one chunk for each kind of subject, so that chunks of a layer seldom overlap
            layers.setdefault((layer, subject[:24]), []).append((subject, pairs))
        result.counts["figures"] += len(figures)
        result.counts["mentions"] += sum(len(figure.mentions) for figure in figures)
        result.aliases += [(figure.alias, figure.path) for figure in figures if figure.alias]
        if figures:
            result.counts["papers"] += 1
            result.papers.append(figures[0].article.pmcid)
    for index, ((layer, _), descriptions) in enumerate(sorted(layers.items())):
        path = work / f"{batch.number:06d}-{index:03d}-{layer}.ttl"
        if chunk := serialize.write_chunk(descriptions, path):
            result.chunks.append((layer, chunk))
    result.facts = str(work / f"{batch.number:06d}-facts.jsonl")
    facts.write_run(found, Path(result.facts))
    return result


def describe_paper(figures: list[Figure], context: Context) -> Iterator[tuple[Layer, Description] | Fact | Problem]:
    """Yield all that the records of one paper say: descriptions by layer, facts, and problems of their blocks."""
    if not figures:
        return
    for figure in figures:
        block = jsonld.read(figure, context.jsonld_context)
        yield from block.problems
        yield from figure_mapping.describe(figure, block)
        yield from mention.describe(figure)
        yield from entities.facts(figure)
        if block.usual_creator:
            yield from entities.expand(article.CREATOR, "")
    yield from article.describe(figures)
    for figid, _, saying in article.sayings(figures):
        yield from entities.expand(saying, ids.slug(figid))


def collect(
    items: Iterable[tuple[Layer, Description] | Fact | Problem], found: list[Fact], ledger: Ledger
) -> Iterator[tuple[Layer, Description]]:
    """Yield the descriptions among what a paper says; put its facts into `found`, its problems into the ledger."""
    for item in items:
        match item:
            case Problem():
                ledger.report(item)
            case (layer, (subject, pairs)):
                yield layer, (subject, pairs)
            case (str(), str(), str(), str()):
                found.append(item)


def duplicate_aliases(results: Iterable[BatchResult]) -> Iterator[Problem]:
    """Yield a warning for each figure whose alias another one has too."""
    aliases = [alias for result in results for alias in result.aliases]
    times = Counter(alias for alias, _ in aliases)
    for alias, path in aliases:
        if times[alias] > 1:
            yield problem("duplicate-alias", path, field="figid_alias", value=alias)


def describe_things(runs: Iterable[Iterable[facts.Line]]) -> Iterator[tuple[Layer, Description] | Problem]:
    """Yield the descriptions of all things that several records speak of, each layer's in order of subject."""
    groups: dict[str, list[str]] = {}
    for subject, thing in facts.merge(runs):
        yield from entities.describe(subject, thing)
        if vocab.TAXON in thing["type"].values and (name := entities.group_of(thing)):
            groups.setdefault(name, []).append(subject)
    for name in sorted(groups, key=ids.group):
        yield Layer.ENTITIES, entities.describe_group(name, groups[name])


def write_build(
    plan: Plan, results: Iterable[BatchResult], folder: Path, options: Options
) -> tuple[dict[str, Any], Ledger]:
    """Merge the results of all batches into the files of a build folder; return manifest and accounts.

    Raises `TooManyRejected` when too much of the source was refused.
    """
    work = folder / buildfolder.WORK
    ledger, counts, papers = Ledger(), Counter[str](), set[str]()
    chunks: dict[Layer, list[Chunk]] = {layer: [] for layer in ALWAYS}
    hashes = list(plan.hashes)
    ledger.add(plan.ledger)
    runs = [facts.read_run(Path(work / _write_page_facts(plan, work)))]
    results = list(results)
    ledger.report(*duplicate_aliases(results))
    for result in results:
        ledger.add(result.ledger)
        counts.update(result.counts)
        papers.update(result.papers)
        hashes += result.hashes
        runs.append(facts.read_run(Path(result.facts)))
        for layer, chunk in result.chunks:
            chunks[layer].append(chunk)
    ledger.check(options.settings)
    log.info("merging %d chunks and the facts of %d runs", sum(map(len, chunks.values())), len(runs))
    for layer, chunk in _write_things(runs, work, ledger, counts):
        chunks[layer].append(chunk)
    ontology_chunk = serialize.write_chunk(ontology.describe(), work / "ontology.ttl")
    chunks[Layer.ONTOLOGY] += [ontology_chunk] if ontology_chunk else []
    if options.pmc_ids is not None:
        chunks[Layer.XREFS_PUBMED] = list(_write_pubmed(options.pmc_ids, papers, work, ledger))
    layers: dict[str, Any] = {}
    for layer, parts in chunks.items():
        path = folder / layer.filename
        with path.open("wb") as out:
            out.write(serialize.HEADER.encode())
            triples = serialize.merge_chunks(parts, out)
        layers[str(layer)] = {"file": layer.filename, "triples": triples, **buildfolder.describe_file(path)}
    buildfolder.write_lines(folder / buildfolder.REJECTED, (found.to_json() for found in ledger.rejected()))
    buildfolder.write_lines(folder / buildfolder.WARNINGS, (found.to_json() for found in ledger.warnings()))
    chosen = {"only": options.only, "limit": options.limit}
    text = manifest.describe(
        source={**plan.source, "content_sha256": manifest.content_hash(hashes)},
        inputs=_inputs(options),
        settings=manifest.describe_settings(options.settings, chosen),
        ledger=ledger,
        counts=counts,
        layers=layers,
        folder=folder,
    )
    buildfolder.write_json(folder / buildfolder.MANIFEST, text)
    return text, ledger


def _write_page_facts(plan: Plan, work: Path) -> str:
    name = "pages-facts.jsonl"
    facts.write_run((fact for page in plan.pages for fact in entities.page_facts(page)), work / name)
    return name


def _write_things(
    runs: list[Iterator[facts.Line]], work: Path, ledger: Ledger, counts: Counter[str]
) -> Iterator[tuple[Layer, Chunk]]:
    """Write the chunks of shared things, streaming; groups go to a chunk of their own, being out of order."""
    writers: dict[tuple[Layer, bool], serialize.ChunkWriter] = {}
    for item in describe_things(runs):
        if isinstance(item, Problem):
            ledger.report(item)
            continue
        layer, (subject, pairs) = item
        key = (layer, (vocab.A, vocab.COLLECTION) in pairs)
        if key not in writers:
            writers[key] = serialize.ChunkWriter(work / f"things-{layer}-{int(key[1])}.ttl")
        writers[key].write(subject, pairs)
        if layer is Layer.ENTITIES:
            counts.update(_COUNTED[cls] for predicate, cls in pairs if predicate == vocab.A and cls in _COUNTED)
    for (layer, _), writer in writers.items():
        yield layer, writer.close()


def _write_pubmed(path: Path, papers: set[str], work: Path, ledger: Ledger) -> Iterator[Chunk]:
    descriptions: list[Description] = []
    for pmcid, pmids in lists.read_pmc_ids(path, papers).items():
        if len(pmids) > 1:
            ledger.report(problem("ambiguous-pmid", path.name, field=pmcid, value=", ".join(pmids)))
        else:
            descriptions.append((ids.paper(pmcid), [(vocab.SAME_AS, iri(ids.pubmed(pmids[0])))]))
    if chunk := serialize.write_chunk(descriptions, work / "pubmed.ttl"):
        yield chunk


def _inputs(options: Options) -> dict[str, Path]:
    """Return the files beside the source that a build rests on."""
    named = {"gene_info": options.gene_info, "pmc_ids": options.pmc_ids, "context": options.context}
    return {name: path for name, path in named.items() if path is not None}


def build(source: str, out: Path, options: Options, *, start: Callable[[int], Progress] | None = None) -> Built:
    """Convert a source into the build folder `out`, which is replaced only when all went well.

    `start` is called with the number of records and returns what is called as they are done.
    Raises `UsageError` for a call that cannot work, `TooManyRejected` when too much was refused.
    """
    with making(source, out, options) as (snapshot, folder):
        planned = plan(snapshot, options)
        work = folder / buildfolder.WORK
        log.info("converting %d records in %d batches", len(snapshot.records), len(planned.batches))
        progress = start(len(snapshot.records)) if start else None
        results = [convert_batch(batch, planned.root, planned.context, work, progress) for batch in planned.batches]
        written, ledger = write_build(planned, results, folder, options)
    return Built(out, written, ledger)


@contextmanager
def making(source: str, out: Path, options: Options) -> Iterator[tuple[Snapshot, Path]]:
    """Yield the opened source and the folder to build in, with its work folder; `out` is replaced at the end.

    Raises `UsageError` when the source or the place is not there, or the disk is too full.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    with opened(source, options) as snapshot:
        buildfolder.need_space(out, snapshot.bytes * SPACE_FACTOR)
        with buildfolder.building(out) as folder:
            (folder / buildfolder.WORK).mkdir()
            yield snapshot, folder
            _write_run(folder, source, out, began, time.monotonic() - clock)


def check(source: str, options: Options, work: Path, *, start: Callable[[int], Progress] | None = None) -> Ledger:
    """Convert a source into the scratch folder `work` and return its accounts; nothing is kept."""
    with opened(source, options) as snapshot:
        planned = plan(snapshot, options)
        ledger = Ledger()
        ledger.add(planned.ledger)
        progress = start(len(snapshot.records)) if start else None
        runs = []
        results = []
        for batch in planned.batches:
            result = convert_batch(batch, planned.root, planned.context, work, progress)
            results.append(result)
            ledger.add(result.ledger)
            for _, chunk in result.chunks:
                Path(chunk.path).unlink()
            runs.append(facts.read_run(Path(result.facts)))
        ledger.report(*duplicate_aliases(results))
        page_facts = facts.read_run(work / _write_page_facts(planned, work))
        ledger.report(*(item for item in describe_things([page_facts, *runs]) if isinstance(item, Problem)))
    return ledger


@contextmanager
def opened(source: str, options: Options) -> Iterator[Snapshot]:
    """Open a source, with the selection that the options ask for.

    Raises `UsageError` when the source, or a list that the options name, is not there.
    """
    for path in (options.gene_info, options.pmc_ids, options.context):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: {'is no plain file' if path.exists() else 'no such file'}")
    with open_source(source, limits=options.settings.limits, cache=options.cache) as snapshot:
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
