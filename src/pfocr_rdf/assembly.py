"""From the results of shards to the files of a build: things resolved, layers written, manifest and cache.

Layers that only papers speak in are written while the shared things are resolved. An update takes the same way,
with the subjects that go from each layer of the former build.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from pfocr_rdf import blocks, buildfolder, cache, facts, manifest, serialize, shards, state, storage, things, vocab
from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.blocks import Block, Cuts
from pfocr_rdf.errors import Problem, problem
from pfocr_rdf.escapes import unescape
from pfocr_rdf.extract import lists
from pfocr_rdf.facts import Fact
from pfocr_rdf.layers import QUADS_PART, Job, Old, Place, Written, filename, subjects_at, write
from pfocr_rdf.mapping import entities, ontology
from pfocr_rdf.model import ALWAYS, EVIDENCE, GENE_LINKS, Layer
from pfocr_rdf.plan import Options, Plan
from pfocr_rdf.serialize import block
from pfocr_rdf.shards import Result, Run, RunWriter
from pfocr_rdf.state import State
from pfocr_rdf.terms import Pair, iri
from pfocr_rdf.things import Things
from pfocr_rdf.workers import Engine, uncollected

log = logging.getLogger("pfocr_rdf")

OF_PAPERS = frozenset({*EVIDENCE.values(), *GENE_LINKS.values(), Layer.LINKS_CHEMICALS, Layer.LINKS_DISEASES})
"""Layers in which nothing but papers' own subjects stand."""


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
    """What many records say, resolved: runs of shared things and of constant layers, and all that is counted.

    The ledger has all accounts, and all problems but those of papers (`report_papers`).
    `touched` are the IRIs that an update takes out of the former build, but for those of papers.
    """

    runs: list[Run]
    touched: set[str]
    counts: Counter[str]
    ledger: Ledger


def resolve(
    prepared: Prepared, results: list[Result], work: Path, engine: Engine, options: Options, jobs: Jobs | None = None
) -> Resolved:
    """Resolve what many records say of one thing, of a state that knows all of them.

    Raises `TooManyRejected` when too much of the source was refused.
    """
    planned, known = prepared.plan, prepared.state
    more = _renew(prepared, results)
    ledger = Ledger()
    ledger.add(planned.ledger)
    ledger.add(known.totals.ledger())
    ledger.check(options.settings)
    sayings = known.all_sayings()
    found = Things(sayings, _places(prepared, engine))
    changed: set[str] = set()
    if prepared.before is not None:
        changed = _only_what_changed(found, known, sayings, more)
        found.kept = _kept(prepared, results, jobs)
    runs = _write_things(found, work, planned)
    counts = known.totals.counts + found.counts
    touched = changed | found.described
    known.conflicts = [old for old in known.conflicts if old.field.partition(" ")[0] not in touched] + found.problems
    touched |= {*known.groups, *found.groups}
    known.groups = found.groups
    ledger.report(*known.conflicts)
    runs += _constant(prepared, work, ledger, options)
    return Resolved(runs, touched, counts, ledger)


def _renew(prepared: Prepared, results: Iterable[Result]) -> Counter[str]:
    """Take the organism pages into the state; return by how many votes sayings have grown since the former build.

    What has gone and come again keeps its entry where its places are others.
    """
    planned, known = prepared.plan, prepared.state
    before = known.page_sayings()
    section = facts.Section()
    for page in planned.pages:
        section.add(f"{state.PAGES}{ids.slug(page.slug)}", entities.page_sayings(page))
    known.pages = section.to_bytes()
    if prepared.before is None:
        return Counter()
    more: Counter[str] = Counter()
    for result in results:
        more.update(facts.counted(result.section("facts")))
    more.subtract(known.forgotten)
    if (moved := known.sayings_moved()) is not None:
        more = Counter({saying: number for saying, number in more.items() if saying in moved})
    more.update(known.page_sayings())
    more.subtract(before)
    return more


def _only_what_changed(found: Things, known: State, sayings: things.Sayings, more: Mapping[str, int]) -> set[str]:
    """Let things be resolved of which other sayings are made than before; return the IRIs of those that changed."""
    now = known.tally.counts(more.keys()) | known.page_sayings()
    only: set[str] = set()
    maybe: set[str] = set()
    grown = found.grown
    for saying, number in more.items():
        votes = now.get(saying, 0)
        crossed = (votes > 0) != (votes > number)  # said by nobody before, or now
        for thing, name, value, _ in entities.expand(unescape(saying), ""):
            (only if crossed else maybe).add(thing)
            if number:
                of_thing = grown.get(thing)
                if of_thing is None:
                    of_thing = grown[thing] = {}
                of_thing[name, value] = of_thing.get((name, value), 0) + number
    found.only, found.maybe = only, maybe
    asked = things.asked_of(sayings, only | maybe)
    before = dict(asked)
    before.update((saying, now.get(saying, 0) - number) for saying, number in more.items())
    was = things.Summary.of(sorted(item for item in before.items() if item[1]))
    known.summary.add(was, -1)
    found.skipped = known.summary.copy()
    known.summary.add(things.Summary.of(asked))
    found.whole, found.tally = known.tally, asked
    return only


@dataclass(frozen=True, slots=True)
class _Search:
    """A search for dissenting places in one section; `asked` is the place of what is looked for."""

    section: state.Section
    number: int
    asked: str


@lru_cache(maxsize=1)
def _read_asked(place: str) -> things.Search:
    wanted, expected = json.loads(storage.get(place))
    return things.Search.of(wanted, {(iri, name): value for iri, name, value in expected})


def _search(task: _Search) -> tuple[int, list[Fact]]:
    return task.number, things.dissents(task.section.read(), _read_asked(task.asked))


def _places(prepared: Prepared, engine: Engine) -> things.Places:
    """Return what looks dissenting places up in the sections of a state."""
    known = prepared.state

    def look(wanted: frozenset[str], expected: things.Expected) -> Iterator[Fact]:
        yield from things.dissents(known.pages, things.Search.of(wanted & known.page_sayings().keys(), expected))
        data = json.dumps([sorted(wanted), sorted([*key, value] for key, value in expected.items())]).encode()
        asked = storage.join(prepared.place, f"context-asked-{hashlib.sha256(data).hexdigest()}.json")
        storage.put(asked, data)
        tasks = [_Search(section, number, asked) for number, section in enumerate(known.sections) if section.size]
        for number, found in engine.map(_search, tasks):
            # papers that were converted anew have their facts in a later section
            yield from (fact for fact in found if known.at.get(fact[3].partition("__")[0]) == number)

    return look


def _kept(prepared: Prepared, results: list[Result], jobs: Jobs | None) -> things.Kept:
    """Return what looks dissenting places up in the former build, but for those of papers that changed.

    Those are looked up in what was converted now; and organism pages are always read anew.
    """
    known = prepared.state
    gone = {*prepared.forget, *prepared.convert}

    def look(expected: things.Expected) -> Iterator[Fact]:
        for section in chain([known.pages], (result.section("facts") for result in results)):  # one at a time
            yield from things.dissents(section, things.Search.of(facts.sayings(section), expected))
        for subject, text in jobs.old_subjects({thing for thing, _ in expected}) if jobs else ():
            for value in serialize.objects(text, vocab.PFOCR_DISSENT):
                place, _, said = (json.loads(value) if "\\" in value else value[1:-1]).partition(" ")
                name, _, given = said.partition("=")
                at = place.partition("__")[0]
                if (subject, name) in expected and at not in gone and not place.startswith(state.PAGES):
                    yield subject, name, given, place

    return look


def report_papers(known: State, ledger: Ledger) -> None:
    """Add the problems of all papers, which are accounted for already."""
    aliases, problems = shards.aliases_and_problems(known.papers.values())
    ledger.problems += problems
    ledger.report(*duplicate_aliases(aliases))


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
    rules: dict[Layer, Cuts] = {layer: Cuts(layer, planned.context.settings.image_pattern) for layer in ALWAYS}
    writers: dict[tuple[Layer, str], RunWriter] = {}
    with path.open("wb", buffering=1 << 20) as out:
        for layer, items in found.describe():
            family, key = rules[layer].place(items[0][0])
            writer = writers.get((layer, family))
            if writer is None:
                writer = writers[layer, family] = RunWriter(rules[layer], out, None)
            writer.put(*items[0], key)
            for subject, text in items[1:]:
                writer.put(subject, text, subject)
        return [shards.run_from(str(path), run) for (layer, _), w in writers.items() for run in w.finish(layer)]


def _constant(prepared: Prepared, work: Path, ledger: Ledger, options: Options) -> list[Run]:
    """Write the runs of the layers that are made whole each time: the ontology, and links to PubMed if asked for."""
    layers = [Layer.ONTOLOGY]
    described = [(Layer.ONTOLOGY, description) for description in ontology.describe()]
    if options.pmc_ids is not None:
        layers.append(Layer.XREFS_PUBMED)
        papers = prepared.state.with_figures()
        for pmcid, pmids in lists.read_pmc_ids(options.pmc_ids, papers).items():
            if len(pmids) > 1:
                ledger.report(problem("ambiguous-pmid", options.pmc_ids.name, field=pmcid, value=", ".join(pmids)))
            else:
                same = [(vocab.SAME_AS, iri(ids.pubmed(pmids[0])))]
                described.append((Layer.XREFS_PUBMED, (ids.paper(pmcid), same)))
    path = work / "constant.data"
    pairs: dict[tuple[Layer, str], list[Pair]] = {}
    for layer, (subject, said) in described:
        pairs.setdefault((layer, subject), []).extend(said)
    runs: list[Run] = []
    with path.open("wb") as out:
        for layer in layers:
            writer = RunWriter(Cuts(layer, prepared.plan.context.settings.image_pattern), out, None)
            writer.loose = [(subject, block(subject, said)) for (of, subject), said in pairs.items() if of is layer]
            runs += [shards.run_from(str(path), run) for run in writer.finish(layer)]
    return runs


def _removed(prepared: Prepared, iris: Iterable[str]) -> dict[Layer, frozenset[Place]]:
    """Return the places whose subjects an update takes out of each layer: of papers, and of things."""
    pattern = prepared.plan.context.settings.image_pattern
    # what is no PMCID, nothing was written of
    pmcids = {pmcid for pmcid in (*prepared.forget, *prepared.convert) if ids.PMCID.fullmatch(pmcid)}
    papers = {(family, pmcid) for pmcid in pmcids for family in (ids.FIGURES, ids.MENTIONS, ids.PAPERS)}
    images = {(pattern.partition("{")[0], pmcid) for pmcid in pmcids}
    shared = {blocks.place(iri, "") for iri in iris}
    own = {
        Layer.CORE: papers | images | shared,
        Layer.COMPAT: papers | shared,
        Layer.XREFS: papers | shared,
        Layer.ENTITIES: shared,
    }
    return {layer: frozenset(own.get(layer, papers)) for layer in ALWAYS}


class Jobs:
    """Makes the jobs that write the layers of one build, from the runs of its papers and those of shared things."""

    def __init__(self, prepared: Prepared, results: Iterable[Result], folder: Path, work: Path) -> None:
        """Read the runs of all shards, and the index of the build that is brought up to date."""
        self._prepared, self._folder, self._work = prepared, folder, work
        self._before = blocks.indexed(prepared.before / blocks.INDEX) if prepared.before else []
        self._runs: dict[Layer, list[Run]] = {}
        for result in results:
            self.add(shards.read_runs(result))

    def add(self, runs: Iterable[Run]) -> None:
        """Take further runs."""
        for run in runs:
            self._runs.setdefault(run.layer, []).append(run)

    def old_subjects(self, iris: set[str]) -> Iterator[tuple[str, str]]:
        """Yield those of some things that the former build describes, with their Turtle."""
        for layer in (Layer.CORE, Layer.ENTITIES):
            job = self._job(layer, frozenset())
            if job.old:
                yield from subjects_at(job, iris)

    def of(self, layers: Iterable[Layer], touched: Iterable[str] = ()) -> list[Job]:
        """Return the jobs of some layers, the largest first, so that no core waits for it alone at the end."""
        removed = _removed(self._prepared, touched) if self._prepared.before else {}
        jobs = [self._job(layer, removed.get(layer, frozenset())) for layer in layers]
        return sorted(jobs, key=lambda job: -sum(found.size for run in job.runs for found in run.blocks))

    def _job(self, layer: Layer, removed: frozenset[Place]) -> Job:
        prepared, output = self._prepared, self._prepared.plan.output
        old = None
        if prepared.before and layer in self._before:
            quads = str(prepared.before / manifest.QUADS) if output.nquads else None
            index = str(prepared.before / blocks.INDEX)
            old = Old(layer, str(prepared.before / filename(layer, output)), quads, index)
        return Job(
            layer,
            str(self._folder / filename(layer, output)),
            str(self._work / QUADS_PART.format(layer=layer)) if output.nquads else None,
            output,
            prepared.plan.context.settings.image_pattern,
            str(self._work),
            self._runs.get(layer, []),
            old,
            removed,
            whole=layer in (Layer.ONTOLOGY, Layer.XREFS_PUBMED),
        )


def layers_of(options: Options) -> list[Layer]:
    """Return the layers of a build, in order."""
    return [layer for layer in Layer if layer in ALWAYS or options.pmc_ids is not None]


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
    with uncollected():
        return _finish(prepared, results, folder, options, engine, keep_cache=keep_cache)


def _finish(
    prepared: Prepared, results: list[Result], folder: Path, options: Options, engine: Engine, *, keep_cache: bool
) -> tuple[dict[str, Any], Ledger]:
    work = folder / buildfolder.WORK
    planned, output = prepared.plan, prepared.plan.output
    layers = layers_of(options)
    jobs = Jobs(prepared, results, folder, work)
    early = engine.map(write, jobs.of(layer for layer in layers if layer in OF_PAPERS))
    resolved = resolve(prepared, results, work, engine, options, jobs)
    jobs.add(resolved.runs)
    late = engine.map(write, jobs.of((layer for layer in layers if layer not in OF_PAPERS), resolved.touched))
    before = prepared.before / cache.FOLDER if prepared.before else None
    if prepared.before:
        prepared.state.keep_files(planned)
    elif keep_cache:
        prepared.state.summary = things.Summary.of(prepared.state.tally)
    about = cache.save(prepared.state, folder, planned.asked, before) if keep_cache else None
    ledger = resolved.ledger
    report_papers(prepared.state, ledger)
    buildfolder.write_lines(folder / buildfolder.REJECTED, (found.to_json() for found in ledger.rejected()))
    buildfolder.write_lines(folder / buildfolder.WARNINGS, (found.to_json() for found in ledger.warnings()))
    content = manifest.content_hash([*planned.hashes, *prepared.state.files.hashes()])
    done = {written.layer: written for written in chain(early, late)}
    written = [done[layer] for layer in layers]
    _write_index(folder, written)
    if output.nquads:
        _join_quads(folder, work, written)
    text = manifest.describe(
        source={**planned.source, "content_sha256": content},
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
    if about is not None:
        cache.seal(folder, about)
    return text, ledger


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
