"""The counts of the graph, asked by SPARQL, against those of the source, read a second time by other code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from pfocr_rdf import buildfolder, workers
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation import recount, secondsource, sparql
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.recount import Tally
from pfocr_rdf.validation.release import Function, Release
from pfocr_rdf.validation.secondsource import Refused

_KINDS = {"genes": "gene-rows", "chemicals": "chemical-rows", "diseases": "disease-rows"}
_ACCOUNTS = {"records": "records", **_KINDS, "maps": "map-lines", "pages": "organism-pages"}
_NO_SOURCE = "the source is no folder, record or archive of this machine; give its path"
_OUTCOMES = ("emitted", "merged", "rejected")


def _triples(layer: str, pattern: str) -> str:
    """Return a query for the number of answers to a pattern in one layer."""
    return f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH <{ids.graph(layer)}> {{ {pattern} }} }}"


_MENTIONS = {"genes": "evidence-genes", "chemicals": "evidence-chemicals", "diseases": "evidence-diseases"}
_BODILESS = {
    "genes": "?m schema:taxonomicRange ?taxon",  # which mentions without body have instead
    "chemicals": "?m a oa:Annotation MINUS { ?m oa:hasBody ?b }",
    "diseases": "?m a oa:Annotation MINUS { ?m oa:hasBody ?b }",
}

_QUERIES = {
    "figures": _triples("core", "?s a sio:SIO_000080"),
    "papers": _triples("core", "?s a bibo:AcademicArticle"),
    "images": _triples("core", "?s a schema:ImageObject"),
    "papers with a DOI": _triples("core", "?s bibo:doi ?o"),
    "figures with a title": _triples("core", "?s a sio:SIO_000080 ; schema:name ?o"),
    "figures with a caption": _triples("core", "?s schema:description ?o"),
    "figures with an alias": _triples("core", "?s schema:alternateName ?o"),
    "figures with a number": _triples("core", "?s schema:position ?o"),
    "figures with a type": _triples("core", "?s schema:genre ?o"),
    "figures with a year": _triples("core", "?s schema:datePublished ?o"),
    "figures with a score": _triples("core", "?s pfocr:pathwayScore ?o"),
    "figures with a network": _triples("core", "?s rdfs:seeAlso ?o"),
    "figures with a redrawn pathway": _triples("core", "?s a sio:SIO_000080 ; dcterms:relation ?o"),
    "genes": _triples("entities", "?s a schema:Gene"),
    "chemicals": _triples("entities", "?s a schema:ChemicalSubstance"),
    "diseases": _triples("entities", "?s a schema:MedicalCondition"),
    "taxa": _triples("entities", "?s a schema:Taxon"),
    "organism pages": _triples("entities", "?s pfocr:organismPage ?o"),
    "gene bodies": _triples("evidence-genes", "?s oa:hasBody ?o"),
    **{f"links {n}": _triples(f"links-genes-{n}", "?s schema:mentions ?o") for n in ("symbol", "synonym", "family")},
    **{f"links {n}": _triples(f"links-{n}", "?s schema:mentions ?o") for n in ("chemicals", "diseases")},
    **{f"{kind} mentions": _triples(layer, "?s a oa:Annotation") for kind, layer in _MENTIONS.items()},
    **{f"{kind} mentions without body": _triples(layer, _BODILESS[kind]) for kind, layer in _MENTIONS.items()},
}
"""What is counted in the graph, by the name that a finding gives it."""


def expected(tally: Tally) -> dict[str, int]:
    """Return what the graph should hold, by the names of the queries."""
    numbers, things = tally.numbers, tally.things
    texts = {"title": "titles", "caption": "captions", "alias": "aliases", "number": "numbers", "type": "types"}
    return {
        "figures": numbers["records emitted"],
        "papers": len(things["papers"]),
        "images": len(things["images"]),
        "papers with a DOI": len(things["dois"]),
        **{f"figures with a{'n' * (word == 'alias')} {word}": numbers[name] for word, name in texts.items()},
        "figures with a year": numbers["years"],
        "figures with a score": numbers["scores"],
        "figures with a network": sum(map(bool, tally.mapped["ndex"].values())),
        "figures with a redrawn pathway": sum(map(bool, tally.mapped["wpid"].values())),
        "genes": len(things["genes"]) + len(things["symbols"]),
        "chemicals": len(things["chemicals"]),
        "diseases": len(things["diseases"]),
        "taxa": len(things["taxa"]),
        "organism pages": numbers["pages emitted"],
        "gene bodies": numbers["gene bodies"],
        **{f"links {n}": numbers[f"links {n}"] for n in ("symbol", "synonym", "family", "chemicals", "diseases")},
        "genes mentions": numbers["gene mentions"],
        **{f"{kind} mentions": numbers[f"{kind} mentions"] for kind in ("chemicals", "diseases")},
        **{f"{kind} mentions without body": numbers[f"{kind} unresolved"] for kind in _MENTIONS},
    }


def reconciled(release: Release, options: Options) -> Iterable[Finding] | NotRun:
    """Return each count that differs between graph, accounts and source (Q40); or why they cannot be compared."""
    if reason := _incomparable(release, options):
        return NotRun(reason)
    return _differences(release, options)


def _differences(release: Release, options: Options) -> Iterator[Finding]:
    refused, listed = _refused(release.folder / buildfolder.REJECTED)
    with ExitStack() as stack:
        path = stack.enter_context(secondsource.opened(str(options.source)))
        if path.is_dir():
            engine = stack.enter_context(workers.default_engine(None))
            tally = recount.count(path, refused, engine)
        else:
            tally = recount.count_one(path, refused)
    yield from compare(release, tally)
    for file, line in tally.wrongly:
        yield Finding(file, f"line {line}" if line else "", "was refused, though it is sound")
    yield from _accounts(release.manifest["accounts"], tally, listed, whole=path.is_dir())


def compare(release: Release, tally: Tally) -> Iterator[Finding]:
    """Yield each count of the graph that is not that of a tally of its source."""
    right = expected(tally)
    for name, text in _QUERIES.items():
        found = int(next(sparql.rows(release.store(whole=True), text, "n"))[0])
        if found != right[name]:
            yield Finding(name, str(found), f"the source has {right[name]}, the graph {found}")


def _accounts(
    accounts: Mapping[str, Mapping[str, int]], tally: Tally, listed: Counter[str], *, whole: bool
) -> Iterator[Finding]:
    """Yield each number of the build's accounts that is not that of the tally, or of the list of what was refused."""
    for kind, name in _ACCOUNTS.items():
        if name not in accounts or (not whole and kind in ("maps", "pages")):
            continue  # that an account is missing is found by Q35
        account = accounts[name]
        found = {outcome: tally.numbers[f"{kind} {outcome}"] for outcome in _OUTCOMES}
        found["read"] = sum(found.values())
        for outcome, number in sorted(found.items()):
            if account[outcome] != number:
                message = f"the source gives {number}, the accounts say {account[outcome]}"
                yield Finding(f"{name} {outcome}", str(account[outcome]), message)
        if account["rejected"] != listed[name]:
            message = f"{listed[name]} are listed, the accounts say {account['rejected']}"
            yield Finding(f"{name} rejected", str(account["rejected"]), message)


def _refused(path: Path) -> tuple[Refused, Counter[str]]:
    """Return what a build lists as refused, and its numbers by kind."""
    codes: dict[tuple[str, str], dict[int, str]] = {}
    listed: Counter[str] = Counter()
    try:
        with path.open(encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                codes.setdefault((line["kind"], line["file"]), {})[line["line"] or 0] = line["code"]
                listed[line["kind"]] += line["count"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); build again") from error
    return Refused(codes), listed


def _incomparable(release: Release, options: Options) -> str:
    """Return why release and source cannot be compared, or nothing."""
    chosen = release.manifest["settings"]
    if chosen["only"] is not None or chosen["limit"] is not None:
        return "the build holds a part of its source"
    if release.missing:
        return f"the release lacks {', '.join(release.missing)}"
    if options.source is None or not Path(options.source).exists():
        return _NO_SOURCE
    accounts = release.manifest["accounts"]
    if "gene-info" in release.manifest["inputs"] and not any(
        accounts[name]["read"] for name in _KINDS.values() if name in accounts
    ):
        return "the build found genes by a list, which is not read again"
    return ""


def totals(_: Release, options: Options) -> Iterator[Finding] | NotRun:
    """Return totals in gene tables, and keywords of records, that do not fit the rows (Q21)."""
    if options.source is None or not Path(options.source).exists():
        return NotRun(_NO_SOURCE)
    return _totals(options.source)


def _totals(source: str) -> Iterator[Finding]:
    with secondsource.opened(source) as path, workers.default_engine(None) as engine:
        if path.is_dir():
            place = secondsource.layout(path, Refused())
            folder = path / place.records if place.records else path
            names = secondsource.files(folder, ".md") if place.checkout else secondsource.files(folder, ".md", ".txt")
        else:
            place, names = recount.beside(path, Refused()), [path.name]
        for part in engine.map(recount.totals, recount.tasks(place, names)):
            for each in part:
                yield Finding(ids.figure(each.figid), each.value, each.message)


CHECKS: dict[str, Function] = {"Q21": totals, "Q40": reconciled}
"""The checks of this module, by id."""
