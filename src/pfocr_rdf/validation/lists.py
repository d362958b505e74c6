"""Checks against lists of other authorities: which ids, symbols and papers of the graph are no longer what they were.

Each list is read line by line, plain or gzipped, and only lines about what the graph holds are kept.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation import sparql
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

_ENTITIES = "https://w3id.org/pfocr/graph/entities"
_GENES = f"""SELECT ?gene ?id ?symbol WHERE {{ GRAPH <{_ENTITIES}> {{
  ?gene a schema:Gene ; dcterms:identifier ?id OPTIONAL {{ ?gene rdfs:label ?symbol }} }} }}"""
_TERMS = f"""SELECT ?term WHERE {{ GRAPH <{_ENTITIES}> {{
  {{ ?term a schema:ChemicalSubstance }} UNION {{ ?term a schema:MedicalCondition }} }} }}"""
_PAPERS = """SELECT ?paper ?id ?doi WHERE { GRAPH <https://w3id.org/pfocr/graph/core> {
  ?paper a bibo:AcademicArticle ; dcterms:identifier ?id OPTIONAL { ?paper bibo:doi ?doi } } }"""
_PUBMED = (
    """SELECT ?paper ?same WHERE { GRAPH <https://w3id.org/pfocr/graph/xrefs-pubmed> { ?paper owl:sameAs ?same } }"""
)
_WORDS = """SELECT ?word ?times (MIN(?m) AS ?mention) WHERE {
  { SELECT ?word ?times WHERE {
    { SELECT ?word (COUNT(*) AS ?times) WHERE { GRAPH ?graph { ?m pfocr:word ?word } } GROUP BY ?word }
    { SELECT (COUNT(*) AS ?figures) WHERE { GRAPH <https://w3id.org/pfocr/graph/core> { ?f a sio:SIO_000080 } } }
    FILTER(?times * 1000 >= ?figures && STRLEN(?word) > 2) } }
  ?m pfocr:word ?word } GROUP BY ?word ?times"""

_CURIES = {"MESH": ids.MESH, "CHEBI": ids.CHEBI, "DOID": ids.DOID}
_GZIP = b"\x1f\x8b"
_PMCID_COLUMNS = ("pmcid", "accessionid")
_DOI_COLUMNS = ("doi", "originalpaperdoi")
_PMID_COLUMNS = ("pmid", "originalpaperpubmedid")
_RETRACTED = ("retractionnature", "retracted")
"""Columns that say whether a line is about a retraction: the Retraction Watch list and PubMed Central's file lists."""


@contextmanager
def _lines(path: Path) -> Iterator[IO[str]]:
    """Open a plain or gzipped text.

    Raises `UsageError` when it cannot be read, also while it is.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
        with (gzip.open if zipped else open)(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as stream:
            yield stream
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _table(path: Path, stream: IO[str], *columns: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of some columns of a tab-separated list whose first line names them."""
    names = stream.readline().rstrip("\r\n").removeprefix("#").split("\t")
    if missing := [column for column in columns if column not in names]:
        raise UsageError(f"{path}: its first line does not name {', '.join(missing)}; give NCBI's own list")
    at = [names.index(column) for column in columns]
    for line in stream:
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) > max(at):
            yield tuple([cells[place] for place in at])


def withdrawn_genes(release: Release, options: Options) -> Iterator[Finding]:
    """Yield genes of the graph that NCBI withdrew or gave another id (Q19)."""
    genes = {id_: gene for gene, id_, _ in _genes(release)}
    path = _given(options.gene_history)
    with _lines(path) as stream:
        for new, old in _table(path, stream, "GeneID", "Discontinued_GeneID"):
            if old in genes:
                yield Finding(genes[old], "" if new == "-" else ids.gene(new), _replaced(new != "-"), "entities")


def renamed_genes(release: Release, options: Options) -> Iterator[Finding]:
    """Yield genes of the graph whose symbol is not that of NCBI's list (Q43)."""
    genes = {id_: (gene, symbol) for gene, id_, symbol in _genes(release)}
    path = _given(options.gene_info)
    with _lines(path) as stream:
        for id_, today in _table(path, stream, "GeneID", "Symbol"):
            gene, symbol = genes.get(id_, ("", today))
            if symbol and symbol != today:
                yield Finding(gene, symbol, f"NCBI's symbol is {today}", "entities")


def retired_terms(release: Release, options: Options) -> Iterator[Finding]:
    """Yield chemicals and diseases whose id is no longer in use (Q20)."""
    terms = {term for (term,) in sparql.rows(release.store(), _TERMS, "term")}
    path = _given(options.retired)
    with _lines(path) as stream:
        for number, line in enumerate(stream, 1):
            old, _, new = line.rstrip("\r\n").partition("\t")
            if not old.strip() or old.startswith("#"):
                continue
            term, successor = _term(old), _term(new) if new.strip() else ""
            if term is None or successor is None:
                raise UsageError(
                    f"{path}: line {number} is not old id, tab, new id or nothing; ids are MESH:, CHEBI: or DOID:"
                )
            if term in terms:
                yield Finding(term, successor, _replaced(bool(successor)), "entities")


def retracted_papers(release: Release, options: Options) -> Iterator[Finding]:
    """Yield papers of the graph that a list of retractions names (Q26)."""
    papers: dict[str, str] = {}
    for paper, pmcid, doi in sparql.rows(release.store(), _PAPERS, "paper", "id", "doi"):
        papers |= {pmcid: paper} | ({doi.lower(): paper} if doi else {})
    for paper, same in sparql.rows(release.store(), _PUBMED, "paper", "same"):
        papers[f"PMID:{same.rpartition('/')[2]}"] = paper
    path = _given(options.retractions)
    found: dict[str, str] = {}
    with _lines(path) as stream:
        for id_ in _retractions(path, stream):
            if id_ in papers:
                found.setdefault(papers[id_], id_)
    for paper, id_ in found.items():
        yield Finding(paper, id_, "was retracted", "core")


def plain_words(release: Release, options: Options) -> Iterator[Finding]:
    """Yield words that are plain English and were taken for genes, chemicals or diseases (Q42)."""
    spellings: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for word, mention, times in sparql.rows(release.store(whole=True), _WORDS, "word", "mention", "times"):
        spellings[word.lower()].append((word, mention, times))
    with _lines(_given(options.words)) as stream:
        for line in stream:
            word = line.strip()
            for spelling, mention, times in spellings.get(word, ()):
                yield Finding(mention, spelling, f"{times} mentions")


def _genes(release: Release) -> Iterable[tuple[str, ...]]:
    found = sparql.rows(release.store(), _GENES, "gene", "id", "symbol")
    return (row for row in found if row[0].startswith(ids.GENES))


def _replaced(replaced: bool) -> str:
    return "the id was replaced" if replaced else "the id was withdrawn"


def _term(curie: str) -> str | None:
    """Return the IRI of a CURIE of MeSH, ChEBI or DO in any letter case, or None for another text."""
    prefix, _, local = curie.strip().partition(":")
    return _CURIES[prefix.upper()] + local if prefix.upper() in _CURIES and re.fullmatch(r"\w+", local) else None


def _retractions(path: Path, stream: IO[str]) -> Iterator[str]:
    """Yield PMCIDs, DOIs in lower case and `PMID:` ids of a list: one on each line, or a CSV that names its columns."""
    rows = csv.reader(stream)
    first = next(rows, [])
    names = {re.sub(r"[^a-z]", "", name.lower()): place for place, name in enumerate(first)}
    at = {
        kind: [names[name] for name in columns if name in names]
        for kind, columns in (("PMC", _PMCID_COLUMNS), ("DOI", _DOI_COLUMNS), ("PMID", _PMID_COLUMNS))
    }
    if not any(at.values()):
        yield from _ids_of_lines(path, chain([first], rows))
        return
    flags = [names[name] for name in _RETRACTED if name in names]
    for row in rows:
        if len(row) == len(first) and all(row[flag].strip().lower() in ("retraction", "yes") for flag in flags):
            yield from (row[place].strip() for place in at["PMC"])
            yield from (row[place].strip().lower() for place in at["DOI"])
            yield from (f"PMID:{row[place].strip()}" for place in at["PMID"])


def _ids_of_lines(path: Path, rows: Iterable[list[str]]) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        text = ",".join(row).strip()
        if text and not text.startswith("#"):
            id_ = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:)", "", text, flags=re.IGNORECASE)
            if not (ids.PMCID.fullmatch(id_) or ids.DOI.fullmatch(id_)):
                raise UsageError(
                    f"{path}: line {number} is no PMCID or DOI, and no line of a CSV that names its columns"
                )
            yield id_ if ids.PMCID.fullmatch(id_) else id_.lower()


def _given(path: Path | None) -> Path:
    """Return a list that was given; checks that need one are not run without."""
    if path is None:
        raise UsageError("the check needs a list that was not given")
    return path


CHECKS: Mapping[str, Function] = {
    "Q19": withdrawn_genes,
    "Q20": retired_terms,
    "Q26": retracted_papers,
    "Q42": plain_words,
    "Q43": renamed_genes,
}
"""The checks of this module, by id."""
