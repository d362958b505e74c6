"""The unit of work: a shard of papers goes in as a small description, files of sorted runs and facts come out.

`convert` needs nothing but its description: the source's files and a place for the result, which all workers
reach (a folder, or a store by fsspec). The result is one data file and a few numbers, so that any engine can run
shards anywhere and in any order. A result that is there already, of the same content, is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from pfocr_rdf import facts, jsonld, resources, serialize, storage
from pfocr_rdf import identifiers as ids
from pfocr_rdf.accounts import Account, Ledger
from pfocr_rdf.blocks import Cuts
from pfocr_rdf.errors import INPUT_KINDS, Kind, Problem, UsageError
from pfocr_rdf.escapes import escape, unescape
from pfocr_rdf.extract.organisms import MapLine
from pfocr_rdf.extract.records import RecordFiles, read_figure
from pfocr_rdf.mapping import article, entities, mention
from pfocr_rdf.mapping import figure as figure_mapping
from pfocr_rdf.model import EVIDENCE, Figure, Layer, Piece
from pfocr_rdf.normalize import Context, normalize
from pfocr_rdf.runs import Chunks, moved
from pfocr_rdf.runs import Output as Output
from pfocr_rdf.runs import Run as Run
from pfocr_rdf.runs import RunWriter as RunWriter
from pfocr_rdf.runs import run_from as run_from
from pfocr_rdf.settings import Limits, Settings

Progress = Callable[[int], None]
"""Called with the number of records that were just done."""

_OF_MENTIONS = frozenset(EVIDENCE.values())


@dataclass(frozen=True, slots=True)
class Shard:
    """What a worker needs to know: files of a run of papers, where they lie, where the result goes.

    `context` is the place of what all shards share (`write_context`); `maps` are the map lines of these figures;
    `key` names the content, and so the result.
    """

    number: int
    key: str
    root: str
    records: tuple[RecordFiles, ...]
    maps: tuple[MapLine, ...]
    context: str
    folder: str

    @property
    def data(self) -> str:
        """Place of the data file."""
        return storage.join(self.folder, f"{self.key}.data")

    @property
    def result(self) -> str:
        """Place of the numbers about it, which is written last."""
        return storage.join(self.folder, f"{self.key}.json")


@dataclass(slots=True)
class Result:
    """What a shard became: the place of its data file, where its sections lie in it, their hash, and counts.

    The sections are the end of the file; that of the runs has the hash of each finished block before them.
    """

    number: int
    data: str
    sections: dict[str, tuple[int, int]]
    sha256: str
    counts: dict[str, int]
    reused: bool = False

    def section(self, name: str) -> bytes:
        """Return a section of the data file: `facts`, `papers`, `files` or `runs`."""
        start, size = self.sections[name]
        return storage.get(self.data, start, size) if size else b""


@dataclass(slots=True)
class Paper:
    """What is kept of one paper beside its triples: hash of its files, counts, accounts, aliases and problems."""

    pmcid: str
    fingerprint: str
    figures: int
    mentions: int
    accounts: list[tuple[int, int, int, int]]
    aliases: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def to_line(self) -> str:
        """Return the paper as one line."""
        accounts = " ".join(f"{a},{b},{c},{d}" for a, b, c, d in self.accounts)
        aliases = "\x1f".join(escape(text) for pair in self.aliases for text in pair)
        problems = json.dumps([problem_parts(p) for p in self.problems], ensure_ascii=False) if self.problems else ""
        return "\t".join(
            [self.pmcid, self.fingerprint, str(self.figures), str(self.mentions), accounts, aliases, f"{problems}\n"]
        )


@dataclass(slots=True)
class Totals:
    """What many papers have together: counts, and accounts by kind of input."""

    counts: Counter[str] = field(default_factory=Counter)
    accounts: dict[Kind, list[int]] = field(default_factory=lambda: {kind: [0] * 4 for kind in INPUT_KINDS})

    def add(self, lines: Iterable[str], times: int = 1) -> None:
        """Add papers as `Paper.to_line` wrote them, or take them away, `times` -1."""
        columns = list(zip(*(line.split("\t", 5) for line in lines), strict=True)) or [()] * 6
        _, _, figures, mentions, accounts, _ = columns
        for kind, parts in zip(INPUT_KINDS, zip(*(text.split(" ") for text in accounts), strict=True), strict=False):
            mine = self.accounts[kind]
            for part, number in Counter(parts).items():
                for place, value in enumerate(part.split(",")):
                    mine[place] += times * number * int(value)
        papers = len(figures) - figures.count("0")
        found = {"figures": sum(map(int, figures)), "mentions": sum(map(int, mentions)), "papers": papers}
        self.counts.update({name: times * number for name, number in found.items()})

    def ledger(self) -> Ledger:
        """Return the accounts."""
        return Ledger({kind: Account(*numbers) for kind, numbers in self.accounts.items()})

    def to_json(self) -> list[Any]:
        """Return the totals as JSON values."""
        return [self.counts, list(self.accounts.values())]

    @classmethod
    def from_json(cls, value: list[Any]) -> Totals:
        """Return the totals that `to_json` took apart."""
        counts, accounts = value
        return cls(Counter(counts), dict(zip(INPUT_KINDS, accounts, strict=True)))


def aliases_and_problems(lines: Iterable[str]) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Return the aliases of figures with the paths of their records, and the problems, of papers."""
    aliases: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for line in lines:
        *_, texts, found = line.split("\t")
        if texts:
            parts = texts.split("\x1f")
            aliases += zip(map(unescape, parts[::2]), map(unescape, parts[1::2]), strict=True)
        if found:
            problems += map(problem_from, json.loads(found))
    return aliases, problems


def problem_parts(found: Problem) -> list[Any]:
    """Return a problem as JSON values."""
    return [found.file, found.line, found.field, found.code, found.value, str(found.kind), found.count]


def problem_from(parts: Sequence[Any]) -> Problem:
    """Return the problem that `problem_parts` took apart."""
    file, line, name, code, value, kind, count = parts
    return Problem(file, line, name, code, value, Kind(kind), count)


def write_context(context: Context, output: Output | None, folder: str) -> str:
    """Write what all shards share (not the maps) as JSON, named by its hash; return its place.

    Without `output` no block is packed.

    The version of the program is a part of it: what another one converted is neither reused nor mixed in.
    """
    symbols = context.symbols
    value = {
        "converter": resources.converter(),
        "settings": asdict(context.settings),
        "organisms": dict(context.organisms),
        "symbols": None if symbols is None else [[*key, *genes] for key, genes in sorted(symbols.items())],
        "keywords_are_genes": context.keywords_are_genes,
        "jsonld_context": context.jsonld_context,
        "output": asdict(output) if output else None,
    }
    data = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    place = storage.join(folder, f"context-{hashlib.sha256(data).hexdigest()}.json")
    storage.put(place, data)
    return place


@lru_cache(maxsize=2)
def _read_context(place: str) -> tuple[Context, Output | None]:
    value = json.loads(storage.get(place))
    if value["converter"] != resources.converter():
        raise UsageError(
            f"the worker on {platform.node()} has another version of pfocr-rdf; install the same one everywhere"
        )
    settings = value["settings"]
    symbols = value["symbols"]
    context = Context(
        settings=Settings(**{**settings, "limits": Limits(**settings["limits"])}),
        organisms=value["organisms"],
        symbols=None if symbols is None else {(taxid, symbol): tuple(genes) for taxid, symbol, *genes in symbols},
        keywords_are_genes=value["keywords_are_genes"],
        jsonld_context=value["jsonld_context"],
    )
    return context, Output(**value["output"]) if value["output"] else None


def convert(shard: Shard, progress: Progress | None = None) -> Result:
    """Read, check and map the records of one shard; write its runs and facts to one data file.

    Raises `OSError` or `PfocrError` when the place of the result refuses, `UsageError` when this is another version
    of the program than the one that cut the shard, or when the source is not there.
    """
    finished = _finished(shard)
    if finished:
        if progress:
            progress(len(shard.records))
        return finished
    if not any(os.path.lexists(f"{shard.root}/{path}") for files in shard.records for path in files.paths):
        raise UsageError(
            f"{shard.root}: the records are not there for the worker on {platform.node()}; all workers must see the "
            "source under this path, so give a folder of a shared file system"
        )
    shared, output = _read_context(shard.context)
    maps: dict[str, list[MapLine]] = {}
    for line in shard.maps:
        maps.setdefault(line.figid, []).append(line)
    context = Context(
        shared.settings, shared.organisms, maps, shared.symbols, shared.keywords_are_genes, shared.jsonld_context
    )
    making = _Making(context, output)
    for pmcid, files in groupby(shard.records, key=attrgetter("pmcid")):
        making.paper(pmcid, list(files), shard.root)
        if progress:
            progress(making.read)
            making.read = 0
    return making.write(shard)


def _finished(shard: Shard) -> Result | None:
    """Return the result that an earlier run left, if it is whole."""
    try:
        found = Result(**{**json.loads(storage.get(shard.result)), "number": shard.number, "reused": True})
        start, end = found.sections["facts"][0], sum(found.sections["runs"])
        whole = found.data == shard.data and storage.size(shard.data) == end
        sections = storage.get(shard.data, start, end - start) if whole else b""
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return found if hashlib.sha256(sections).hexdigest() == found.sha256 else None


class _Making:
    """What grows while a shard is converted."""

    def __init__(self, context: Context, output: Output | None) -> None:
        self.context, self.output = context, output
        self.section = facts.Section()
        self.papers: list[str] = []
        self.files: list[str] = []
        self.figures = self.mentions = self.with_figures = 0
        self.runs: dict[tuple[Layer, str], tuple[RunWriter, Chunks]] = {}
        self.read = 0

    def paper(self, pmcid: str, records: Sequence[RecordFiles], root: str) -> None:
        """Convert all records of one paper."""
        ledger = Ledger()
        figures: list[Figure] = []
        hashes: list[tuple[str, str]] = []
        limits = self.context.settings.limits
        for files in records:
            raw = read_figure(root, files, limits)
            hashes += raw.hashes
            figure = normalize(raw, self.context, ledger)
            if figure is not None:
                figures.append(figure)
        self.read += len(records)
        self.files += [f"{escape(path)}\t{digest}\n" for path, digest in hashes]
        mentions = sum(len(figure.gene_mentions) + len(figure.mentions) for figure in figures)
        if figures:
            self._emit(pmcid, figures, ledger)
            self.figures += len(figures)
            self.mentions += mentions
            self.with_figures += 1
        maps = (
            [line for files in records for line in self.context.maps.get(files.figid, ())] if self.context.maps else []
        )
        paper = Paper(
            escape(pmcid),
            fingerprint(hashes, maps),
            len(figures),
            mentions,
            [_amounts(account) for account in ledger.accounts.values()],
            [(figure.alias, figure.path) for figure in figures if figure.alias],
            ledger.problems,
        )
        self.papers.append(paper.to_line())

    def _emit(self, pmcid: str, figures: list[Figure], ledger: Ledger) -> None:
        """Put the subjects of a paper into their runs, and what it says of other things into the facts."""
        found: dict[tuple[Layer, str], list[Piece]] = {}
        said: dict[str, list[facts.Placed]] = {figure.figid: [] for figure in figures}
        for piece in describe_paper(figures, self.context, said, ledger):
            family = ids.MENTIONS if piece.layer in _OF_MENTIONS else _family(piece.first)
            pieces = found.get((piece.layer, family))
            if pieces is None:
                found[piece.layer, family] = [piece]
            else:
                pieces.append(piece)
        for at, pieces in found.items():
            run = self.runs.get(at)
            if run is None:
                run = self.runs[at] = self._run(*at)
            writer, _ = run
            if at[1]:
                pieces.sort(key=itemgetter(1))
                writer.add(pieces[0].first, pieces[-1].last, b"".join([piece.data for piece in pieces]), pmcid)
            else:
                writer.loose += [(piece.first, piece.data.decode()) for piece in pieces]
        for figid, what in said.items():
            self.section.add(ids.slug(figid), what)

    def _run(self, layer: Layer, family: str) -> tuple[RunWriter, Chunks]:
        cuts, chunks = Cuts(layer, self.context.settings.image_pattern), Chunks()
        return RunWriter(cuts, chunks, self.output if family else None), chunks

    def write(self, shard: Shard) -> Result:
        """Write the data file, in which each run is one piece, and the numbers about it."""
        whole = Chunks()
        runs: list[dict[str, Any]] = []
        for layer, family in sorted(self.runs):
            run, chunks = self.runs.pop((layer, family))
            runs += [{**found, "blocks": moved(found["blocks"], whole.tell())} for found in run.finish(layer)]
            whole.extend(chunks)
        sections: dict[str, tuple[int, int]] = {}
        digest = hashlib.sha256()
        for name, part in (
            ("facts", self.section.to_bytes()),
            ("papers", "".join(self.papers).encode()),
            ("files", "".join(self.files).encode()),
            ("runs", json.dumps(runs).encode()),
        ):
            sections[name] = (whole.tell(), len(part))
            digest.update(part)
            whole.write(part)
        storage.put(shard.data, *whole.parts)
        counts = {"figures": self.figures, "mentions": self.mentions, "papers": self.with_figures}
        result = Result(shard.number, shard.data, sections, digest.hexdigest(), counts, reused=False)
        storage.put(shard.result, json.dumps(asdict(result)).encode())
        return result


def _family(subject: str) -> str:
    """Return the family of a subject where its subjects come in the order of the papers, else an empty text.

    Runs of different shards never overlap in such a family.
    """
    if subject.startswith(ids.FIGURES):
        return ids.FIGURES
    return ids.MENTIONS if subject.startswith(ids.MENTIONS) else ""


def _amounts(account: Account) -> tuple[int, int, int, int]:
    return account.emitted, account.merged, account.rejected, account.unresolved


def fingerprint(hashes: Iterable[tuple[str, str]], maps: Iterable[MapLine]) -> str:
    """Return one hash for a paper's files and map lines."""
    text = "\n".join([f"{path}\t{digest}" for path, digest in hashes])
    lines = "".join(f"\n{line.path}\t{line.line}\t{line.figid}\t{line.value}" for line in maps)
    return hashlib.blake2b(f"{text}{lines}".encode(), digest_size=12).hexdigest()


def describe_paper(
    figures: list[Figure], context: Context, said: Mapping[str, list[facts.Placed]], ledger: Ledger
) -> Iterator[Piece]:
    """Yield the Turtle of all that the records of one paper say of themselves.

    What they say of other things goes to `said`, by figid; the problems of their blocks to the ledger.
    """
    for figure in figures:
        block = jsonld.read(figure, context.jsonld_context)
        ledger.report(*block.problems)
        yield from mention.pieces(figure)
        yield from figure_mapping.links(figure)
        own = said[figure.figid]
        own += entities.sayings(figure)
        if block.usual_creator:
            own.append(("", [article.CREATOR]))
        described = figure_mapping.describe(figure, block)
        for layer, (subject, pairs) in _gathered(described) if block.nodes else described:
            if layer is Layer.COMPAT and not subject.startswith(ids.FIGURES):
                own.append(("", [f"N\x1f{subject}\x1f{predicate}\x1f{value}" for predicate, value in pairs]))
            else:
                yield Piece(layer, subject, subject, serialize.block(subject, pairs).encode())
    for found in article.describe(figures):
        if isinstance(found, Problem):
            ledger.report(found)
        else:
            layer, (subject, pairs) = found
            yield Piece(layer, subject, subject, serialize.block(subject, pairs).encode())
    for figid, place, saying in article.sayings(figures):
        said[figid].append((place, [saying]))


def _gathered(described: Iterable[tuple[Layer, Any]]) -> Iterator[tuple[Layer, Any]]:
    """Yield descriptions with those of one layer and subject brought together (a block may speak of one twice)."""
    found: dict[tuple[Layer, str], list[Any]] = {}
    for layer, (subject, pairs) in described:
        known = found.get((layer, subject))
        if known is None:
            found[layer, subject] = pairs
        else:
            found[layer, subject] = [*known, *pairs]
    return ((layer, (subject, pairs)) for (layer, subject), pairs in found.items())


def read_runs(result: Result) -> list[Run]:
    """Return the runs of a shard."""
    return [run_from(result.data, found) for found in json.loads(result.section("runs"))]
