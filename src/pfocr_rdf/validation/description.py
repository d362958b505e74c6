"""Checks of a release's description: Q30, every number and file in it is true; Q31, it follows the HCLS profile.

What is counted here is counted by SPARQL in the store, not by the code that made the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs, query, resources
from pfocr_rdf import identifiers as ids
from pfocr_rdf.release import description, spaces
from pfocr_rdf.release.files import ALL, read_name
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT
from pfocr_rdf.release.void import SD
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Function, Release

Key = tuple[str, ...]
"""What a number counts: a property of VoID, and the class, property or linkset that it is of."""

Numbers = dict[Key, int]

SHAPES = "hcls.ttl"
"""The shapes of the HCLS profile, in `ontologies/`."""

_UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, *codecs.DAMAGED)
_NO_DESCRIPTION = f"the folder has no {VOID}; `pfocr-rdf publish` writes it"
_SD = f"PREFIX sd: <{SD}>\n"
_FILES = """SELECT ?d ?url ?size ?sum WHERE { ?d a dcat:Distribution
  OPTIONAL { ?d dcat:downloadURL ?url } OPTIONAL { ?d dcat:byteSize ?size }
  OPTIONAL { ?d spdx:checksum / spdx:checksumValue ?sum } }"""
_GRAPHS = """SELECT ?d ?name WHERE { { ?d a sd:NamedGraph ; sd:name ?name } UNION { ?set sd:defaultGraph ?d } }"""
_VERSIONS = "SELECT ?d ?text WHERE { ?d dcterms:isVersionOf ?set ; dcterms:description ?text }"
_SAID = """SELECT ?what ?name ?from ?to ?n WHERE { VALUES ?d { <%s> }
  { ?d ?p ?n FILTER(isNumeric(?n) && STRSTARTS(STR(?p), STR(void:))) BIND(STRAFTER(STR(?p), "#") AS ?what) }
  UNION { ?d void:classPartition ?c . ?c void:class ?name ; ?p ?n
    FILTER(isNumeric(?n)) BIND(CONCAT("class ", STRAFTER(STR(?p), "#")) AS ?what) }
  UNION { ?d void:propertyPartition ?c . ?c void:property ?name ; ?p ?n
    FILTER(isNumeric(?n)) BIND(CONCAT("property ", STRAFTER(STR(?p), "#")) AS ?what) }
  UNION { ?d void:subset ?c . ?c a void:Linkset ; void:linkPredicate ?name ; void:triples ?n ;
    void:subjectsTarget / void:uriSpace ?from ; void:objectsTarget / void:uriSpace ?to BIND("links" AS ?what) } }"""


def described(release: Release, _: Options) -> Iterable[Finding] | NotRun:
    """Check Q30: numbers and files of both descriptions."""
    if not (release.folder / VOID).is_file():
        return NotRun(_NO_DESCRIPTION)
    return _described(release)


def _described(release: Release) -> Iterator[Finding]:
    real = _Real(release)
    read = {name: _load(release.folder / name) for name in _descriptions(release)}
    if VOID_ENDPOINT not in read:
        yield Finding(VOID_ENDPOINT, "", f"is not there, but {VOID} is")
    for name, found in read.items():
        if isinstance(found, Finding):
            yield found
            continue
        yield from _sentences(release, found)
        if name == VOID:
            yield from _files(release, found, real)
        else:
            yield from _graphs(release, found, real)


def _descriptions(release: Release) -> list[str]:
    """Return the names of the descriptions that are there."""
    return [name for name in (VOID, VOID_ENDPOINT) if (release.folder / name).is_file()]


def _sentences(release: Release, store: ox.Store) -> Iterator[Finding]:
    """Yield each text on a version that does not end with the counts of the manifest."""
    counts = description.sentence(release.manifest)
    for dataset, text in query.ask(store, _VERSIONS):
        if not text.value.endswith(f" {counts}"):
            yield Finding(dataset.value, text.value, f"does not end with what {buildfolder.MANIFEST} counts: {counts}")


def _files(release: Release, by_file: ox.Store, real: _Real) -> Iterator[Finding]:
    """Yield what is wrong with the description of files."""
    yield from _dumps(release, by_file)
    told = set()
    for row in query.ask(by_file, _FILES):
        dataset, url, size, digest = (term.value if term is not None else "" for term in row)
        name = url.rpartition("/")[2]
        told.add(name)
        wrong = list(_file(release.folder / name if name else None, dataset, name, size, digest))
        yield from wrong
        if not wrong:
            try:
                numbers = real.of_file(release.folder / name)
            except _UNREADABLE as error:
                yield Finding(dataset, name, f"cannot be read: {error}")
                continue
            yield from _numbers(by_file, dataset, numbers)
    for path in sorted(release.folder.iterdir()):
        if read_name(path.name) and path.name not in told:
            yield Finding(path.name, "", f"a data file that {VOID} does not tell of")


def _graphs(release: Release, by_graph: ox.Store, real: _Real) -> Iterator[Finding]:
    """Yield what is wrong with the description of a store."""
    yield from _dumps(release, by_graph)
    missing = {ids.graph(layer) for layer in release.layers} | {""}
    for dataset, name in query.ask(by_graph, _SD + _GRAPHS):
        graph = name.value if name is not None else ""
        missing.discard(graph)
        yield from _numbers(by_graph, dataset.value, real.of_graph(graph))
    for graph in sorted(missing):
        yield Finding(graph or "the default graph", "", f"a graph that {VOID_ENDPOINT} does not tell of")


def _load(path: Path) -> ox.Store | Finding:
    """Return a description as a store, or that it is no Turtle."""
    store = ox.Store()
    try:
        store.load(path=str(path), format=ox.RdfFormat.TURTLE)
    except _UNREADABLE as error:
        return Finding(path.name, "", f"cannot be read: {error}")
    return store


def _dumps(release: Release, store: ox.Store) -> Iterator[Finding]:
    """Yield each dump that a description tells of and that is no file of the release."""
    names = {path.name for path in release.folder.iterdir() if path.is_file()}
    for dataset, url in query.ask(store, "SELECT ?d ?url WHERE { ?d void:dataDump ?url }"):
        if (name := url.value.rpartition("/")[2]) not in names:
            yield Finding(dataset.value, name, "is a dump, but there is no such file")


def _file(path: Path | None, dataset: str, name: str, size: str, digest: str) -> Iterator[Finding]:
    """Yield what is wrong with what is said of a file."""
    if path is None or path.name != name or not path.is_file():
        yield Finding(dataset, name, "is described, but there is no such file")
        return
    found = buildfolder.describe_file(path)
    if str(found["bytes"]) != size:
        yield Finding(dataset, size, f"is said to be the size of {name}, which has {found['bytes']} bytes")
    if found["sha256"] != digest:
        yield Finding(dataset, digest, f"is said to be the SHA-256 of {name}, which is {found['sha256']}")


def _numbers(store: ox.Store, dataset: str, real: Numbers) -> Iterator[Finding]:
    """Yield each number of a description that is not the real one, and each that is not said."""
    said: dict[Key, set[str]] = {}
    for row in query.ask(store, _SAID % dataset):
        *key, number = (term.value if term is not None else "" for term in row)
        said.setdefault(tuple(part for part in key if part), set()).add(number)
    for each in sorted(said.keys() | real.keys()):
        is_said, is_there = said.get(each, set()), real.get(each, 0)
        if is_said != {str(is_there)}:
            value = ", ".join(sorted(is_said)) or "no number"
            yield Finding(dataset, value, f"is said of {' '.join(each)}, but there are {is_there}")


class _Real:
    """The real numbers of graphs and files, each counted once."""

    def __init__(self, release: Release) -> None:
        """Count nothing yet."""
        self._release = release
        self._known: dict[str, Numbers] = {}

    def of_file(self, path: Path) -> Numbers:
        """Return the numbers of a file: of a layer or of all layers every one, of other RDF the triples."""
        name = read_name(path.name)
        if name is None or not name.format.rdf:
            return {}
        if name.part in self._release.layers:
            return self.of_graph(ids.graph(name.part))
        if name.part == ALL:
            return self.of_graph("") | {("triples",): _triples(path, name.format.media_type)}
        return {("triples",): _triples(path, name.format.media_type)}

    def of_graph(self, graph: str) -> Numbers:
        """Return the numbers of a named graph, or of the union of all (an empty text)."""
        if graph not in self._known:
            self._known[graph] = _count(self._release.store(whole=True), graph, len(self._release.layers))
        return self._known[graph]


def _triples(path: Path, media_type: str) -> int:
    """Return the number of triples in a file."""
    with codecs.of_file(path).open(path) as stream:
        return sum(1 for _ in ox.parse(stream, format=ox.RdfFormat.from_media_type(media_type)))


def _count(store: ox.Store, graph: str, graphs: int) -> Numbers:
    """Return the numbers of a graph as SPARQL counts them; one question at a time, so that memory holds one answer."""

    def select(what: str, where: str, after: str = "") -> Any:
        pattern = f"GRAPH <{graph}> {{ {where} }}" if graph else where
        return query.ask(store, f"SELECT {what} WHERE {{ {pattern} }} {after}")

    def numbers(where: str, **what: str) -> Numbers:
        [row] = select(" ".join(f"({expression} AS ?{name})" for name, expression in what.items()), where)
        return {(name,): int(row[name].value) for name in what}

    subjects, objects = "COUNT(DISTINCT ?s)", "COUNT(DISTINCT ?o)"
    found = numbers("?s ?p ?o", triples="COUNT(*)", distinctSubjects=subjects, distinctObjects=objects)
    found |= numbers("?s a ?c", entities=subjects)
    classes = [
        (row["c"].value, int(row["n"].value)) for row in select(f"?c ({subjects} AS ?n)", "?s a ?c", "GROUP BY ?c")
    ]
    properties = sorted(row["p"].value for row in select("DISTINCT ?p", "?s ?p ?o"))
    found[("classes",)] = len(classes)
    found[("properties",)] = len(properties)
    [literals] = numbers("?s ?p ?o FILTER(isLiteral(?o))", literals=objects).values()
    kinds = f"{ids.PREFIXES['rdfs']}Class", f"{ids.PREFIXES['rdfs']}Literal", f"{SD}Graph"
    for kind, many in zip(kinds, (len(classes), literals, 0 if graph else graphs), strict=True):
        if many:
            found["class distinctSubjects", kind] = many
    found |= {("class entities", name): many for name, many in classes}
    for name in properties:
        of_one = numbers(f"?s <{name}> ?o", triples="COUNT(*)", distinctSubjects=subjects, distinctObjects=objects)
        found |= {(f"property {what}", name): many for (what,), many in of_one.items()}
        if graph and name != f"{ids.PREFIXES['rdf']}type":
            rows = select("?from ?to (COUNT(*) AS ?n)", f"?s <{name}> ?o {_BETWEEN}", "GROUP BY ?from ?to")
            found |= {("links", name, row["from"].value, row["to"].value): int(row["n"].value) for row in rows}
    return found


def _start_of(variable: str, starts: Iterable[str]) -> str:
    """Return the expression for the namespace that a variable's IRI begins with."""
    expression = '""'
    for start in reversed(list(starts)):
        expression = f'IF(STRSTARTS(STR({variable}), "{start}"), "{start}", {expression})'
    return expression


_STARTS = tuple(space.start for space in spaces.SPACES)
_FOREIGN = tuple(space.start for space in spaces.SPACES if space.foreign)
_BETWEEN = (
    f"FILTER(isIRI(?o)) BIND({_start_of('?o', _FOREIGN)} AS ?to) FILTER(?to != '') "
    f"BIND({_start_of('?s', _STARTS)} AS ?from) FILTER(?from != '' && ?from != ?to)"
)
"""Keeps what links two namespaces that are known, and names them."""


def hcls(release: Release, _: Options) -> Iterable[Finding] | NotRun:
    """Check Q31: the shapes of the HCLS profile hold in both descriptions; one that cannot be read is found by Q30."""
    if not (release.folder / VOID).is_file():
        return NotRun(_NO_DESCRIPTION)
    try:
        import pyshacl  # noqa: F401
    except ImportError:
        return NotRun("needs the extra `release`: pip install 'pfocr-rdf[release]'")
    shapes = resources.read_text(SHAPES)
    paths = [release.folder / name for name in _descriptions(release)]
    readable = [path.read_text("utf-8") for path in paths if not isinstance(_load(path), Finding)]
    return [finding for text in readable for finding in conform(text, shapes)]


def conform(text: str, shapes: str) -> Iterator[Finding]:
    """Yield where a description (Turtle) does not conform to shapes (Turtle)."""
    import pyshacl
    from rdflib import SH, Graph

    data, rules = Graph().parse(data=text, format="turtle"), Graph().parse(data=shapes, format="turtle")
    _, report, _ = pyshacl.validate(data, shacl_graph=rules)
    for result in report.subjects(SH.focusNode):
        value, message = report.value(result, SH.value), report.value(result, SH.resultMessage)
        yield Finding(str(report.value(result, SH.focusNode)), str(value or ""), str(message or ""))


CHECKS: dict[str, Function] = {"Q30": described, "Q31": hcls}
