"""Releases for tests of checks: small sources written on the spot, builds of them, layers changed afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import build, identifiers
from pfocr_rdf.pipeline import Options as BuildOptions
from pfocr_rdf.query import PREFIXES
from pfocr_rdf.settings import Settings
from pfocr_rdf.validation import checks, figurewise, lists, reconcile, sparql, spellings
from pfocr_rdf.validation.checks import Check, Way
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
GENES = (
    "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource"
    "\tcount_direct\tcount_synonym\tcount_match"
)
CHEMICALS = "word\tmesh\tmatch\tname\tchebi"
TITLE = "A title that says what the figure shows"


def gene(word: str, symbol: str, gene_id: str, *, source: str = "ncbigene_symbol", taxid: str = "9606") -> str:
    """A row of a gene table, whose totals are those of a table of one row."""
    counts = "1\tNA\t1" if source == "ncbigene_symbol" else "NA\t1\t1"
    return f"{taxid}\tHomo sapiens\tPrimates\t{word}\t{word.upper()}\t{symbol}\t{gene_id}\t{source}\t{counts}"


def figure(figid: str, *, title: str = TITLE, caption: str = "What it shows.", more: str = "") -> str:
    """A record with one organism."""
    pmcid = figid.partition("__")[0]
    return (
        f"---\nfigid: {figid}\npmcid: {pmcid}\nfigtitle: {title!r}\ncaption: {caption!r}\norganisms:\n- Homo sapiens\n"
        f"organisms_ner:\n- Homo sapiens\n{more}---\n"
    )


def source(folder: Path, records: Mapping[str, str], tables: Mapping[str, Iterable[str]] | None = None) -> Path:
    """A checkout of some records by figid, and tables (lines) by name without suffix."""
    (folder / "_figures").mkdir(parents=True)
    (folder / "_data").mkdir()
    for figid, text in records.items():
        (folder / "_figures" / f"{figid}.md").write_text(text, encoding="utf-8")
    for name, lines in (tables or {}).items():
        (folder / "_data" / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def built(place: Path, folder: Path) -> Release:
    """The release of a source, whatever it refuses."""
    options = BuildOptions(settings=Settings(max_rejected=1, max_rejected_rows=1))
    return Release.open(build(str(place), folder, options, workers=1).folder)


def changed(release: Release, folder: Path, layer: str, old: str, new: str) -> Release:
    """A copy of a release with a text in one layer replaced, which must stand there."""
    shutil.copytree(release.folder, folder)
    path = folder / release.layers[layer].name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return Release.open(folder)


def check(name: str) -> Check:
    """A check by its id."""
    return next(check for check in checks.all_checks() if check.id == name)


def findings(name: str, release: Release, options: Options | None = None) -> set[Finding]:
    """All that a check finds in a release."""
    asked = check(name)
    if asked.way is Way.SPARQL:
        return set(sparql.findings(release.store(), asked.body))
    found = function(name)(release, options or Options())
    assert not isinstance(found, NotRun), found
    return set(found)


def function(name: str) -> Function:
    """The function of a check without body."""
    known: dict[str, Function] = {}
    for module in (figurewise, lists, reconcile, spellings):
        known |= module.CHECKS
    return known[name]


def store_with(release: Release, layer: str, add: str = "", remove: str = "") -> ox.Store:
    """The store of a release with triples (Turtle) more or less in a layer."""
    store = ox.Store()
    store.extend(release.store(whole=True))
    graph = ox.NamedNode(identifiers.graph(layer))
    turtle = PREFIXES.replace("PREFIX ", "@prefix ").replace(">\n", "> .\n")
    for triple in ox.parse(turtle + add, format=ox.RdfFormat.TURTLE):
        store.add(ox.Quad(triple.subject, triple.predicate, triple.object, graph))
    for triple in ox.parse(turtle + remove, format=ox.RdfFormat.TURTLE):
        quad = ox.Quad(triple.subject, triple.predicate, triple.object, graph)
        assert quad in store
        store.remove(quad)
    return store
