"""What the report says of a release, as values: `gather` makes them from the build folder, in one streaming pass.

What each number means is said in `docs/report.md`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import INPUT_KINDS, REJECTIONS, WARNINGS, UsageError
from pfocr_rdf.model import ALWAYS, LEXICONS, Layer, Level
from pfocr_rdf.report import counts as counting
from pfocr_rdf.report.counts import Counts
from pfocr_rdf.terms import Token, expand
from pfocr_rdf.validation.findings import Report

FORMAT = 1
TOP_GENES = 50
TOP_JOURNALS = 30
TOP_ORGANISMS = 20
TOP_OTHERS = 20
EXAMPLES = 3
"""Problems of one reason that are quoted: the first by place."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NOT_COUNTED = (Layer.COMPAT, Layer.ONTOLOGY)
"""Layers that no number is taken from, but for their size."""

_UNREADABLE: tuple[type[Exception], ...] = (*codecs.DAMAGED, ValueError)

Start = Callable[[int], Callable[[int], None]]
"""Called with the number of triples to read; returns what is called as they are read."""


@dataclass(frozen=True, slots=True)
class Release:
    """Which release: its version, and the source that it was made from. Empty texts are not known."""

    version: str
    date: str
    revision: str
    kind: str
    content: str
    tool: str

    @classmethod
    def of(cls, manifest: dict[str, Any], version: str | None = None) -> Release:
        """Return what a manifest says; the version, unless given, is the day of the source's commit."""
        source, tool = manifest["source"], manifest["tool"]
        date = source["date"] or ""
        day = re.match(r"(\d{4})-(\d\d)-(\d\d)", date)
        return cls(
            version or ("".join(day.groups()) if day else ""),
            date,
            source["revision"] or "",
            source["kind"],
            source["content_sha256"],
            f"{tool['name']} {tool['version']}",
        )


@dataclass(frozen=True, slots=True)
class Number:
    """A number now, and what it was in the release before (None without one)."""

    name: str
    now: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A thing and the number of its figures; `note` is a gene's taxon."""

    iri: str
    label: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Organism:
    """A taxon: figures with a gene of it, and figures whose record names it as organism of the paper."""

    iri: str
    label: str
    genes: int
    about: int


@dataclass(frozen=True, slots=True)
class Journals:
    """Figures by journal: those with the most, the number and figures of the others, figures of none."""

    top: tuple[Item, ...]
    others: int
    others_figures: int
    without: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Figures with `low` to `high` genes."""

    low: int
    high: int
    count: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Genes per figure; a quantile is the least number that so large a share of the figures does not exceed."""

    mean: float
    most: int
    quantiles: tuple[tuple[float, int], ...]
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Mentions:
    """Mentions of a kind that a lexicon gave; only lexicons of genes have a level."""

    kind: str
    lexicon: str
    level: str
    count: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Things of a kind that have a link of a predicate to a namespace (or, of figures, something else)."""

    kind: str
    what: str
    predicate: str
    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A code of `rejected.jsonl` or `warnings.jsonl`: lines, inputs that they stand for, the first of them."""

    code: str
    advice: str
    kinds: tuple[str, ...]
    times: int
    inputs: int
    before: int | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that the report shows. `checks` is None when no checks were run."""

    release: Release
    previous: Release | None
    counts: tuple[Number, ...]
    layers: tuple[Number, ...]
    accounts: dict[str, dict[str, int]]
    years: tuple[tuple[str, int], ...]
    organisms: tuple[Organism, ...]
    other_organisms: int
    journals: Journals
    genes: tuple[Item, ...]
    chemicals: tuple[Item, ...]
    diseases: tuple[Item, ...]
    genes_per_figure: Distribution
    largest: tuple[Item, ...]
    levels: tuple[tuple[str, int], ...]
    mentions: tuple[Mentions, ...]
    coverage: tuple[Coverage, ...]
    pubmed: bool
    rejected: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    checks: Report | None

    def count(self, name: str) -> int:
        """Return one of the counts of the manifest.

        Raises `KeyError` for another name.
        """
        return {number.name: number.now for number in self.counts}[name]

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["checks"] = self.checks.to_json() if self.checks else None
        return {"format": FORMAT, **{name: _plain(value) for name, value in fields.items()}}


def gather(
    release: Path,
    *,
    validation: Report | None = None,
    previous: Path | None = None,
    version: str | None = None,
    start: Start | None = None,
) -> ReportData:
    """Return what there is to say of a release (a build folder).

    `validation` is what the checks found, `previous` the release before; `version` is given where it is not the day
    of the source's commit. Raises `UsageError` when a folder is no build, or is damaged.
    """
    build = buildfolder.find_build(release)
    manifest, files = buildfolder.read_manifest(build), buildfolder.layer_files(build)
    if missing := [str(layer) for layer in ALWAYS if layer not in files]:
        raise UsageError(f"{build}: layers are missing ({', '.join(missing)}); the report needs the whole build")
    before = buildfolder.read_manifest(buildfolder.find_build(previous)) if previous else None
    accounts = manifest["accounts"]
    layers = {name: int(entry["triples"]) for name, entry in manifest["layers"].items()}
    read = sum(layers[layer] for layer in layers if layer in files and layer not in NOT_COUNTED)
    counts = _count(build, files, read, start)
    top = {name: _top(found, TOP_GENES if name == "genes" else TOP_OTHERS) for name, found in counts.figures_of.items()}
    label_of = counting.labels(files[Layer.ENTITIES], {token for chosen in top.values() for token, _ in chosen})
    return ReportData(
        release=Release.of(manifest, version),
        previous=Release.of(before) if before else None,
        counts=_numbers(manifest["counts"], before and before["counts"]),
        layers=_numbers(layers, before and {name: entry["triples"] for name, entry in before["layers"].items()}),
        accounts={str(kind): dict(accounts[kind]) for kind in INPUT_KINDS if kind in accounts},
        years=tuple(sorted(counts.years.items())),
        organisms=_organisms(counts),
        other_organisms=max(0, len({*counts.organisms, *counts.about}) - TOP_ORGANISMS),
        journals=_journals(counts),
        genes=tuple(_item(t, n, label_of, _named(counts.taxon_of.get(t, ""), counts.names)) for t, n in top["genes"]),
        chemicals=tuple(_item(token, number, label_of) for token, number in top["chemicals"]),
        diseases=tuple(_item(token, number, label_of) for token, number in top["diseases"]),
        genes_per_figure=distribution(counts.genes_per_figure),
        largest=tuple(Item(iri, label or ids.figid_of(iri), -number) for number, iri, label in counts.largest),
        levels=tuple((level.name.lower(), counts.links[level.name.lower()]) for level in Level),
        mentions=_mentions(counts),
        coverage=tuple(_coverage(counts)),
        pubmed=Layer.XREFS_PUBMED in files,
        rejected=_reasons(build / buildfolder.REJECTED, REJECTIONS, before and before["problems"]["rejected"]),
        warnings=_reasons(build / buildfolder.WARNINGS, WARNINGS, before and before["problems"]["warnings"]),
        checks=validation,
    )


def _count(build: Path, files: dict[str, Path], expected: int, start: Start | None) -> Counts:
    """Count, and hold the number of triples against the manifest: a file that was cut off may read well."""
    advance = start(expected) if start else None
    read = 0

    def count(triples: int) -> None:
        nonlocal read
        read += triples
        if advance:
            advance(triples)

    counts = counting.count(files, count)
    if read != expected:
        raise UsageError(
            f"{build}: its layers hold {read:,} triples where {buildfolder.MANIFEST} says {expected:,}; build again"
        )
    return counts


def distribution(figures: Counter[int]) -> Distribution:
    """Return the distribution of a number, given how many figures have each: bins from powers of two, 0 apart."""
    total = sum(figures.values())
    most = max(figures, default=0)
    quantiles, reached = [], 0
    wanted = list(QUANTILES)
    for number in sorted(figures):
        reached += figures[number]
        while wanted and reached >= wanted[0] * total:
            quantiles.append((wanted.pop(0), number))
    edges = [(0, 0), *((1 << power, (2 << power) - 1) for power in range(most.bit_length()))]
    bins = tuple(Bin(low, high, sum(figures[n] for n in figures if low <= n <= high)) for low, high in edges)
    mean = sum(number * times for number, times in figures.items()) / total if total else 0.0
    return Distribution(round(mean, 2), most, tuple(quantiles), bins)


def _plain(value: Any) -> Any:
    """Return data classes as maps, also inside tuples."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _numbers(now: dict[str, int], before: dict[str, int] | None) -> tuple[Number, ...]:
    """Return numbers beside those of the release before; what is gone by now comes last."""
    names = [*now, *(name for name in before or () if name not in now)]
    return tuple(Number(name, now.get(name, 0), before.get(name, 0) if before is not None else None) for name in names)


def _top(found: Counter[Token], number: int | None) -> list[tuple[Token, int]]:
    """Return the most frequent, those of equal number by IRI."""
    return sorted(found.items(), key=lambda item: (-item[1], expand(item[0])))[:number]


def _named(token: Token, names: dict[Token, str]) -> str:
    """Return the name of a thing, or the last part of its IRI."""
    return names.get(token, "") or ids.decode(expand(token).rpartition("/")[2]) if token else ""


def _item(token: Token, number: int, names: dict[Token, str], note: str = "") -> Item:
    return Item(expand(token), _named(token, names), number, note)


def _organisms(counts: Counts) -> tuple[Organism, ...]:
    taxa = sorted({*counts.organisms, *counts.about}, key=lambda t: (-counts.organisms[t], -counts.about[t], expand(t)))
    return tuple(
        Organism(expand(taxon), _named(taxon, counts.names), counts.organisms[taxon], counts.about[taxon])
        for taxon in taxa[:TOP_ORGANISMS]
    )


def _journals(counts: Counts) -> Journals:
    ranked = _top(Counter({token: number for token, number in counts.journals.items() if token}), None)
    top, others = ranked[:TOP_JOURNALS], ranked[TOP_JOURNALS:]
    items = tuple(_item(token, number, counts.names) for token, number in top)
    return Journals(items, len(others), sum(number for _, number in others), counts.journals[""])


def _mentions(counts: Counts) -> tuple[Mentions, ...]:
    order = ("gene", "chemical", "disease")
    found = [
        Mentions(kind, lexicon, LEXICONS[lexicon].name.lower() if lexicon in LEXICONS else "", number)
        for (kind, lexicon), number in (
            ((kind, expand(token).removeprefix(ids.LEXICONS)), number)
            for (kind, token), number in counts.mentions.items()
        )
    ]
    return tuple(sorted(found, key=lambda m: (order.index(m.kind), -m.count, m.lexicon)))


def _coverage(counts: Counts) -> Iterable[Coverage]:
    totals = counts.totals
    for what, name, predicate in (
        ("a gene, at any level", "genes", "schema:mentions"),
        ("a gene by symbol", "symbol", "schema:mentions"),
        ("a chemical", "chemicals", "schema:mentions"),
        ("a disease", "diseases", "schema:mentions"),
        ("an organism of the paper", "about", "schema:about"),
        ("an NDEx network", "NDEx", "rdfs:seeAlso"),
        ("a pathway at WikiPathways", "WikiPathways", "dcterms:relation"),
    ):
        yield Coverage("figures", what, predicate, counts.having[name], totals["figures"])
    yield Coverage("papers", "https://doi.org/", "owl:sameAs", counts.having["DOI"], totals["papers"])
    pubmed = ("papers", "owl:sameAs", ids.pubmed(""))
    order = ("papers", "genes", "chemicals", "diseases", "taxa")
    for kind, predicate, target in sorted({*counts.linked, pubmed}, key=lambda key: (order.index(key[0]), key)):
        yield Coverage(kind, target, predicate, counts.linked[kind, predicate, target], totals[kind])


def _reasons(path: Path, advice: dict[str, str], before: dict[str, int] | None) -> tuple[Reason, ...]:
    """Return the reasons that a list of problems gives, the most frequent first."""
    times: Counter[str] = Counter(dict.fromkeys(before or (), 0))
    inputs: Counter[str] = Counter()
    kinds: dict[str, set[str]] = {}
    examples: dict[str, list[str]] = {}
    for found in _lines(path):
        code = found["code"]
        times[code] += 1
        inputs[code] += found["count"]
        kinds.setdefault(code, set()).add(found["kind"])
        quoted = examples.setdefault(code, [])
        if len(quoted) < EXAMPLES:
            quoted.append(_line(found))
    return tuple(
        Reason(
            code,
            advice.get(code, ""),
            tuple(sorted(kinds.get(code, ()))),
            number,
            inputs[code],
            before.get(code, 0) if before is not None else None,
            tuple(examples.get(code, ())),
        )
        for code, number in sorted(times.items(), key=lambda item: (-item[1], item[0]))
    )


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    try:
        with codecs.of_file(path).open(path) as lines:
            yield from map(json.loads, lines)
    except _UNREADABLE as error:
        raise UsageError(f"{path}: cannot be read ({error}); build again") from error


def _line(found: dict[str, Any]) -> str:
    """Return a problem as one line: place, field, value."""
    place = f"{found['file']}:{found['line']}" if found["line"] else found["file"]
    return " ".join(part for part in (place, found["field"], found["value"]) if part)
