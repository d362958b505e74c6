"""A release's description: well formed, always the same bytes, true (check Q30), in the form of HCLS (check Q31)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld
from rdflib import RDF, SH

from pfocr_rdf import resources, serialize
from pfocr_rdf.errors import UsageError
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.release import landing, statistics, void
from pfocr_rdf.release.description import describe, issued
from pfocr_rdf.release.files import read_name
from pfocr_rdf.release.info import VOID, VOID_ENDPOINT, FileInfo, ReleaseInfo
from pfocr_rdf.validation import checks, description
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from tests.describing import COUNTED, RELEASE, described, files_of, store_of, write
from tests.support import ROOT

VERSION = "https://w3id.org/pfocr/dataset/pfocr/20230907"
BOTH = (VOID, VOID_ENDPOINT)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The described example; tests that change it take a copy."""
    return described(tmp_path_factory.mktemp("described") / "release")


@pytest.fixture
def mine(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "release"))


def q30(folder: Path) -> list[Finding]:
    release = Release.open(folder)
    found = description.CHECKS["Q30"](release, Options())
    assert not isinstance(found, NotRun)
    return list(found)


# --- form ---


def test_the_description_does_not_depend_on_the_run(made: Path, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests import describing
folder = Path({str(made)!r})
files = dict(reversed(describing.files_of(folder).items()))
found = describing.describe(folder, files, describing.RELEASE, describing.statistics.count(folder))
Path({str(tmp_path)!r}, "jsonld").write_text(found.jsonld, encoding="utf-8")
describing.write(Path({str(tmp_path)!r}), found)
"""
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=environment)
        for name in BOTH:
            assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    expected = describe(made, files_of(made), RELEASE, statistics.count(made)).jsonld
    assert (tmp_path / "jsonld").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("name", BOTH)
def test_every_thing_has_an_absolute_name_and_no_blank_node_is_there(made: Path, name: str) -> None:
    triples = list(store_of(made / name))
    assert len(triples) > 500
    for triple in triples:
        assert isinstance(triple.subject, ox.NamedNode)
        assert isinstance(triple.object, ox.NamedNode | ox.Literal)
    assert "<>" not in (made / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BOTH)
def test_the_layout_is_that_of_the_layers(made: Path, name: str) -> None:
    text = (made / name).read_text(encoding="utf-8")
    assert text.startswith(serialize.HEADER)
    stanzas = text[len(serialize.HEADER) : -2].split("\n\n")
    read = [serialize.read_block(f"{stanza}\n\n") for stanza in stanzas]
    assert [subject for subject, _ in read] == sorted({subject for subject, _ in read})
    assert [serialize.block(*each) for each in read] == [f"{stanza}\n\n" for stanza in stanzas]


@pytest.mark.parametrize("name", BOTH)
def test_texts_for_people_are_in_english(made: Path, name: str) -> None:
    query = "SELECT ?o { ?s ?p ?o FILTER(?p IN (dcterms:title, dcterms:description, dcat:keyword)) }"
    prefixes = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in PREFIXES.items())
    found = [row[0] for row in store_of(made / name).query(prefixes + query)]  # type: ignore[union-attr]
    assert {literal.language for literal in found} == {"en"}


def test_a_version_tells_where_it_comes_from(made: Path) -> None:
    folder = made.parent / "dated"
    folder.mkdir(exist_ok=True)
    manifest = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    manifest["source"] |= {"revision": "0123abcd", "date": "2023-09-07T23:59:59Z"}
    manifest["inputs"] = {"gene-info": {"name": 'gene "info".gz', "sha256": "ab" * 32}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    release = ReleaseInfo("autumn", "summer", commit="89abcdef")
    store = ox.Store()
    store.load(describe(folder, files_of(made), release, statistics.count(made)).void, format=ox.RdfFormat.TURTLE)
    found = store.query("""
        PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX pav: <http://purl.org/pav/>
        PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX spdx: <http://spdx.org/rdf/terms#>
        SELECT ?issued ?before ?revision ?date ?sum ?title ?given ?tool ?commit {
          ?version dcterms:issued ?issued ; pav:previousVersion ?before ; prov:wasGeneratedBy ?build ;
            prov:wasDerivedFrom ?source ; dcterms:source ?source ; dcterms:isVersionOf ?dataset .
          ?build prov:used ?source, ?input ; prov:wasAssociatedWith ?agent .
          ?source pav:version ?revision ; dcterms:issued ?date ; spdx:checksum/spdx:checksumValue ?sum .
          ?input dcterms:title ?title ; spdx:checksum/spdx:checksumValue ?given .
          ?agent a prov:SoftwareAgent ; pav:version ?tool ; dcterms:identifier ?commit
          FILTER(?input != ?source) }""")
    [row] = [[term.value for term in row] for row in found]  # type: ignore[union-attr]
    assert row == [
        "2023-09-07",
        "https://w3id.org/pfocr/dataset/pfocr/summer",
        "0123abcd",
        "2023-09-07T23:59:59Z",
        manifest["source"]["content_sha256"],
        'gene-info: gene "info".gz',
        "ab" * 32,
        manifest["tool"]["version"],
        "89abcdef",
    ]


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("20240229", "2024-02-29"),
        ("20240229-r2", "2024-02-29"),
        ("20240230", None),
        ("20241301", None),
        ("00000101", None),
    ],
)
def test_only_a_day_of_the_calendar_is_a_date(version: str, day: str | None) -> None:
    assert issued(ReleaseInfo(version), {"source": {"date": None}}) == day


def test_no_endpoint_and_no_date_are_not_made_up(made: Path) -> None:
    release = ReleaseInfo("first")
    found = describe(made, files_of(made), release, statistics.count(made))
    for text in (found.void, found.endpoint, found.jsonld):
        assert "sparqlEndpoint" not in text
        assert "#Service" not in text
        assert "    dcterms:issued" not in text
        assert '"datePublished"' not in text
    assert "<https://w3id.org/pfocr/releases/first/pfocr-core.ttl>" in found.void


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("a b",), "version 'a b'"),
        (("../x",), "version '../x'"),
        (("1", "a/b"), "version 'a/b'"),
        (("1", None, "files"), "'files': is no address"),
        (("1", None, "https://example.org/<x>"), "is no address"),
        (("1", None, "https://example.org/?a=b"), "is no address"),
        (("1", None, "https://example.org/", "javascript:alert(1)"), "is no address"),
    ],
)
def test_names_and_addresses_that_cannot_be_used_are_refused(values: tuple[Any, ...], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        ReleaseInfo(*values)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("pfocr-core.ttl", "core"),
        ("pfocr-all.nq.gz", "all"),
        ("pfocr-symbols.gmt", "symbols"),
        ("pfocr-core.ttl.zst", "core"),
        (VOID, None),
        (VOID_ENDPOINT, None),
        ("manifest.json", None),
        ("pfocr-core.ttl.bak", None),
        ("pfocr-core", None),
        ("SHA256SUMS", None),
    ],
)
def test_data_files_are_known_by_their_names(name: str, part: str | None) -> None:
    read = read_name(name)
    assert (read.part if read else None) == part


# --- Q30 ---


def test_the_checks_of_this_module_are_the_shipped_ones() -> None:
    shipped = {check.id: check for check in checks.all_checks()}
    for name in description.CHECKS:
        assert shipped[name].tags == ("void",)
        assert shipped[name].severity is checks.Severity.VIOLATION
        assert shipped[name].way is checks.Way.CODE


@pytest.mark.parametrize("compress", ["none", "gzip", "zstd"])
def test_a_description_of_what_is_there_is_true(made: Path, tmp_path: Path, compress: str) -> None:
    folder = made if compress == "none" else described(tmp_path / "release", compress=compress)
    assert q30(folder) == []
    assert any(path.suffix == {"none": ".ttl", "gzip": ".gz", "zstd": ".zst"}[compress] for path in folder.iterdir())


@pytest.mark.parametrize("name", ["jsonld-extra", "jsonld-odd", "unknown-keys", "symbols"])
def test_odd_predicates_and_values_are_described(tmp_path: Path, name: str) -> None:
    folder = described(tmp_path / "release", ROOT / "tests" / "fixtures" / name)
    assert q30(folder) == []
    assert description.CHECKS["Q31"](Release.open(folder), Options()) == []


@pytest.mark.parametrize("name", ["urn:x", "tag:a,2020:b", "https://example.org/ö?a=b#c%20d", "http://x", "mailto:a@b"])
def test_any_predicate_can_be_named_and_has_no_relative_vocabulary(name: str) -> None:
    counts = statistics.Counts(1, 1, 1, 0, 0, {}, {name: statistics.PropertyCounts(1, 1, 1)})
    pairs, parts = void.statistics("https://example.org/d", counts)
    text = serialize.HEADER + "".join(serialize.block(*each) for each in [("https://example.org/d", pairs), *parts])
    found = ox.Store()
    found.load(text.encode(), format=ox.RdfFormat.TURTLE)
    said = [quad.object for quad in found.quads_for_pattern(None, term_of("property"), None, None)]
    assert said == [ox.NamedNode(name)]


def numbers(text: str) -> Iterator[re.Match[str]]:
    """Each line of a description that says how many of something there are."""
    return re.finditer(rf"^    void:(?:{'|'.join(COUNTED)}) ([0-9]+)(?= )", text, re.MULTILINE)


@pytest.mark.parametrize("name", BOTH)
def test_each_number_that_is_wrong_is_found(mine: Path, name: str) -> None:
    text = (mine / name).read_text(encoding="utf-8")
    wrong = len(list(numbers(text)))
    changed = re.sub(
        rf"^(    void:(?:{'|'.join(COUNTED)})) ([0-9]+)(?= )",
        lambda found: f"{found[1]} {int(found[2]) + 1}",
        text,
        flags=re.MULTILINE,
    )
    (mine / name).write_text(changed, encoding="utf-8")
    found = q30(mine)
    assert wrong > 400
    assert len(found) == wrong
    assert all(re.fullmatch(r"is said of .+, but there are [0-9]+", finding.message) for finding in found)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("kind", ["classPartition", "propertyPartition", "Linkset"])
def test_each_partition_that_is_missing_is_found(mine: Path, name: str, kind: str) -> None:
    store = store_of(mine / name)
    if kind == "Linkset":
        linksets = store.quads_for_pattern(None, None, term_of("Linkset"), None)
        links = [quad for each in linksets for quad in store.quads_for_pattern(None, None, each.subject, None)]
    else:
        links = list(store.quads_for_pattern(None, term_of(kind), None, None))
    for quad in links:
        store.remove(quad)
    store.dump(str(mine / name), format=ox.RdfFormat.TURTLE, from_graph=ox.DefaultGraph())
    found = q30(mine)
    assert len(links) > 20
    assert len(found) == len(links) * (3 if kind == "propertyPartition" else 1)
    assert {finding.value for finding in found} == {"no number"}


def test_a_description_of_another_build_is_found(mine: Path, tmp_path: Path) -> None:
    other = described(tmp_path / "other", ROOT / "tests" / "fixtures" / "gene-levels")
    for name in BOTH:
        shutil.copy(other / name, mine / name)
    found = q30(mine)
    wrong = {finding.focus for finding in found if "is said to be the SHA-256" in finding.message}
    assert f"{VERSION}/pfocr-core.ttl" in wrong
    assert any(finding.focus == "https://w3id.org/pfocr/graph/core" for finding in found)


def test_a_file_that_was_changed_is_found(mine: Path) -> None:
    path = mine / "pfocr-sample.ttl"
    path.write_bytes(path.read_bytes().replace(b"1, 2", b"1, 3"))
    [found] = q30(mine)
    assert (found.focus, "is said to be the SHA-256" in found.message) == (f"{VERSION}/pfocr-sample.ttl", True)
    path.write_bytes(path.read_bytes() + b"\n")
    assert [finding.message.split(" of ")[0] for finding in q30(mine)] == [
        "is said to be the size",
        "is said to be the SHA-256",
    ]


def test_triples_of_other_files_are_counted_in_them(mine: Path) -> None:
    path = mine / VOID
    start, subject, end = path.read_text(encoding="utf-8").partition(f"\n<{VERSION}/pfocr-sample.ttl>\n")
    path.write_text(start + subject + end.replace("    void:triples 2 .", "    void:triples 3 .", 1), encoding="utf-8")
    assert q30(mine) == [
        Finding(f"{VERSION}/pfocr-sample.ttl", "3", "is said of triples, but there are 2"),
    ]


def test_quads_that_are_fewer_than_the_layers_are_found(mine: Path) -> None:
    import gzip

    path = mine / "pfocr-all.nq.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).partition(b"\n")[2]))
    whole = json.loads((mine / "manifest.json").read_text(encoding="utf-8"))["layers"]
    total = sum(entry["triples"] for entry in whole.values())
    write(mine, describe(mine, files_of(mine) | {path.name: FileInfo.of(path)}, RELEASE, statistics.count(mine)))
    assert q30(mine) == [
        Finding(f"{VERSION}/{path.name}", str(total), f"is said of triples, but there are {total - 1}"),
    ]


def test_a_file_that_is_missing_or_not_told_of_is_found(mine: Path) -> None:
    (mine / "pfocr-sample.ttl").rename(mine / "pfocr-other.ttl")
    assert [(finding.focus, finding.message) for finding in q30(mine)] == [
        (f"{VERSION}/pfocr-sample.ttl", "is a dump, but there is no such file"),
        (f"{VERSION}/pfocr-sample.ttl", "is described, but there is no such file"),
        ("pfocr-other.ttl", f"a data file that {VOID} does not tell of"),
    ]


@pytest.mark.parametrize("name", BOTH)
def test_a_sentence_with_another_number_is_found(mine: Path, name: str) -> None:
    text = (mine / name).read_text(encoding="utf-8")
    assert "It has 6 figures, " in text
    (mine / name).write_text(text.replace("It has 6 figures, ", "It has 7 figures, "), encoding="utf-8")
    [found] = q30(mine)
    assert found.focus == VERSION
    assert "It has 7 figures" in found.value
    assert "It has 6 figures" in found.message


def test_a_description_that_is_missing_beside_the_other_is_found(mine: Path) -> None:
    (mine / VOID_ENDPOINT).unlink()
    assert q30(mine) == [Finding(VOID_ENDPOINT, "", f"is not there, but {VOID} is")]


def test_no_file_outside_the_release_is_looked_at(mine: Path) -> None:
    path = mine / VOID
    (mine.parent / "pfocr-sample.ttl").write_bytes((mine / "pfocr-sample.ttl").read_bytes())
    address = f"{RELEASE.base_url}/20230907"
    text = path.read_text(encoding="utf-8")
    for odd in ("..", "", "%2E%2E%2Fpfocr-sample.ttl"):
        path.write_text(text.replace(f"{address}/pfocr-sample.ttl", f"{address}/{odd}"), encoding="utf-8")
        assert Finding(f"{VERSION}/pfocr-sample.ttl", odd, "is described, but there is no such file") in q30(mine)


def test_a_second_number_beside_the_true_one_is_found(mine: Path) -> None:
    path = mine / VOID
    with path.open("a", encoding="utf-8") as out:
        out.write(f"<{VERSION}/pfocr-sample.ttl> void:triples 7 .\n")
    assert [(finding.value, finding.message) for finding in q30(mine)] == [
        ("2, 7", "is said of triples, but there are 2"),
    ]


@pytest.mark.parametrize("name", BOTH)
def test_a_dump_that_is_not_there_is_found(mine: Path, name: str) -> None:
    path = mine / name
    dump = f"void:dataDump <{RELEASE.base_url}/20230907/pfocr-"
    path.write_text(path.read_text(encoding="utf-8").replace(f"{dump}xrefs", f"{dump}none"), encoding="utf-8")
    [found] = q30(mine)
    assert (found.value, found.message) == ("pfocr-none.ttl", "is a dump, but there is no such file")


def test_a_graph_that_is_not_told_of_is_found(mine: Path) -> None:
    path = mine / VOID_ENDPOINT
    text = path.read_text(encoding="utf-8")
    sd = "<http://www.w3.org/ns/sparql-service-description#"
    changed = text.replace(f"{sd}name> <https://w3id.org/pfocr/graph/xrefs> ;", f"{sd}name> <https://example.org/x> ;")
    path.write_text(changed.replace(f"{sd}defaultGraph>", f"{sd}otherGraph>"), encoding="utf-8")
    told = [finding.focus for finding in q30(mine) if "does not tell of" in finding.message]
    assert told == ["the default graph", "https://w3id.org/pfocr/graph/xrefs"]


def test_a_build_that_is_not_described_is_not_checked(mine: Path) -> None:
    (mine / VOID).unlink()
    for check in ("Q30", "Q31"):
        found = description.CHECKS[check](Release.open(mine), Options())
        assert isinstance(found, NotRun)
        assert VOID in found.reason


@pytest.mark.parametrize("name", BOTH)
def test_a_description_that_cannot_be_read_is_found(mine: Path, name: str) -> None:
    (mine / name).write_bytes(b"<\xff")
    [found] = q30(mine)
    assert (found.focus, found.message.startswith("cannot be read: ")) == (name, True)
    assert description.CHECKS["Q31"](Release.open(mine), Options()) == []


@pytest.mark.parametrize("name", ["pfocr-sample.ttl", "pfocr-all.nq.gz"])
def test_a_described_file_that_cannot_be_read_is_found(mine: Path, name: str) -> None:
    (mine / name).write_bytes(b"<\xff")
    files = files_of(mine) | {name: FileInfo.of(mine / name)}
    write(mine, describe(mine, files, RELEASE, statistics.count(mine)))
    [found] = q30(mine)
    assert (found.focus, found.message.startswith("cannot be read: ")) == (f"{VERSION}/{name}", True)


# --- Q31 ---

MUST = {
    "summary": "rdf:type dcterms:title dcterms:description dcterms:publisher",
    "version": "rdf:type dcterms:title dcterms:description dcterms:creator dcterms:publisher pav:version "
    "dcterms:isVersionOf",
    "distribution": "rdf:type dcterms:title dcterms:description dcterms:creator dcterms:publisher dcterms:license "
    "dcterms:format",
}
"""What each level must have, by the table of the HCLS note."""

_OF_FILES = (
    "void:vocabulary void:exampleResource void:uriRegexPattern void:subset void:dataDump void:triples void:entities "
    "void:distinctSubjects void:distinctObjects void:properties void:classPartition void:propertyPartition "
    "dcterms:format dcat:byteSize dcat:downloadURL void:inDataset sio:has-data-item "
    "idot:identifierPattern idot:accessPattern idot:exampleIdentifier"
)
MUST_NOT = {
    "summary": "dcterms:created dcterms:creator dcterms:issued dcterms:language dcterms:conformsTo dcterms:isVersionOf "
    "dcterms:source dcterms:contributor pav:version pav:previousVersion pav:createdWith pav:createdOn pav:authoredOn "
    "pav:curatedOn pav:createdBy pav:authoredBy pav:curatedBy pav:retrievedFrom prov:wasDerivedFrom dcat:distribution "
    "dcat:landingPage " + _OF_FILES,
    "version": f"pav:hasCurrentVersion dcterms:accrualPeriodicity {_OF_FILES}",
    "distribution": "dcterms:isVersionOf pav:hasCurrentVersion dcterms:accrualPeriodicity dcat:distribution",
}
"""What each level must not have, by the same table."""

SUBJECTS = {
    "summary": "https://w3id.org/pfocr/dataset/pfocr",
    "version": VERSION,
    "distribution": f"{VERSION}/pfocr-xrefs.ttl",
}
NAMESPACES = PREFIXES | {"idot": "http://identifiers.org/idot/"}


def term(name: str) -> rdflib.URIRef:
    prefix, _, local = name.partition(":")
    return rdflib.URIRef(NAMESPACES[prefix] + local)


def shapes() -> str:
    return resources.read_text(description.SHAPES)


def paths(level: str, said: rdflib.URIRef, value: int | None) -> set[rdflib.term.Node | None]:
    """The properties of which a shape says `sh:minCount 1`, `sh:hasValue`, ..."""
    graph = rdflib.Graph().parse(data=shapes(), format="turtle")
    shape = rdflib.URIRef(f"https://w3id.org/pfocr/shape/hcls-{level}")
    return {
        graph.value(constraint, SH.path)
        for constraint in graph.objects(shape, SH.property)
        if graph.value(constraint, said) is not None
        and (value is None or int(str(graph.value(constraint, said))) == value)
    }


@pytest.fixture(scope="module")
def upper(made: Path) -> rdflib.Graph:
    """The example's description with one file alone."""
    graph = rdflib.Graph().parse(made / VOID)
    keep = {rdflib.URIRef(name) for name in SUBJECTS.values()}
    for subject, predicate, value in list(graph):
        if subject not in keep or (predicate == term("dcat:distribution") and value not in keep):
            graph.remove((subject, predicate, value))
    return graph


def conform(graph: rdflib.Graph) -> list[Finding]:
    return list(description.conform(graph.serialize(format="turtle"), shapes()))


@pytest.mark.parametrize("level", SUBJECTS)
def test_the_shapes_hold_every_rule_of_the_profile(level: str) -> None:
    musts = paths(level, SH.minCount, 1) | paths(level, SH.hasValue, None)
    assert {term(name) for name in MUST[level].split()} <= musts
    assert {term(name) for name in MUST_NOT[level].split()} <= paths(level, SH.maxCount, 0)


def test_descriptions_follow_the_profile(made: Path, upper: rdflib.Graph) -> None:
    assert description.CHECKS["Q31"](Release.open(made), Options()) == []
    assert conform(upper) == []


@pytest.mark.parametrize(("level", "name"), [(level, name) for level in MUST for name in MUST[level].split()])
def test_each_property_that_must_be_there_is_missed(upper: rdflib.Graph, level: str, name: str) -> None:
    graph = rdflib.Graph() + upper
    subject = rdflib.URIRef(SUBJECTS[level])
    assert (subject, term(name), None) in graph
    graph.remove((subject, term(name), None))
    assert str(subject) in {finding.focus for finding in conform(graph)}


@pytest.mark.parametrize("level", MUST_NOT)
def test_each_property_that_must_not_be_there_is_found(upper: rdflib.Graph, level: str) -> None:
    graph = rdflib.Graph() + upper
    subject = rdflib.URIRef(SUBJECTS[level])
    for name in MUST_NOT[level].split():
        graph.add((subject, term(name), rdflib.URIRef("https://example.org/x")))
    found = {finding.message for finding in conform(graph) if finding.focus == str(subject)}
    assert {name for name in MUST_NOT[level].split() if not any(m.endswith(f" no {name}") for m in found)} == set()


@pytest.mark.parametrize("level", ["summary", "version"])
@pytest.mark.parametrize("kind", ["void:Dataset", "dcat:Distribution"])
def test_neither_dataset_nor_version_is_a_file(upper: rdflib.Graph, level: str, kind: str) -> None:
    graph = rdflib.Graph() + upper
    graph.add((rdflib.URIRef(SUBJECTS[level]), RDF.type, term(kind)))
    assert SUBJECTS[level] in {finding.focus for finding in conform(graph)}


@pytest.mark.parametrize("level", SUBJECTS)
def test_a_text_in_no_language_is_found(upper: rdflib.Graph, level: str) -> None:
    graph = rdflib.Graph() + upper
    graph.set((rdflib.URIRef(SUBJECTS[level]), term("dcterms:title"), rdflib.Literal("A title")))
    assert [finding.value for finding in conform(graph)] == ["A title"] * 2


def test_an_empty_description_is_found() -> None:
    assert {finding.focus for finding in conform(rdflib.Graph())} == {SUBJECTS["summary"]}


# --- the landing page ---


def test_json_ld_loses_nothing(made: Path) -> None:
    text = describe(made, files_of(made), RELEASE, statistics.count(made)).jsonld
    page = json.loads(text)
    context = resources.schemaorg_context()
    local = {**page, "@context": context["@context"]}
    expanded = jsonld.expand(local)
    compact = json.dumps({**jsonld.compact(expanded, context), "@context": page["@context"]})
    assert json.loads(compact.replace('"id":', '"@id":').replace('"type":', '"@type":')) == page
    [node] = expanded
    conforms = node["http://purl.org/dc/terms/conformsTo"][0]
    assert conforms["@id"] == landing.PROFILE
    assert node["http://schema.org/license"] == [{"@id": "http://creativecommons.org/publicdomain/zero/1.0/"}]
    for name in ("name", "description", "identifier", "keywords", "license", "url"):  # Bioschemas' minimum
        assert node[f"http://schema.org/{name}"]
    downloads = {each["@id"]: each for each in node["http://schema.org/distribution"]}
    assert len(downloads) == sum(read_name(name) is not None for name in files_of(made))
    assert f"{RELEASE.base_url}/20230907/pfocr-core.ttl" in downloads
    assert "<" not in text


def test_every_example_is_a_page_of_the_graph(made: Path) -> None:
    subjects = {quad.subject.value for path in made.glob("pfocr-*.ttl") for quad in ox.parse(path=str(path))}
    store = store_of(made / VOID)
    examples = [q.object.value for q in store.quads_for_pattern(None, term_of("exampleResource"), None, None)]  # type: ignore[union-attr]
    assert len(examples) > 15
    assert set(examples) <= subjects


def term_of(name: str) -> ox.NamedNode:
    return ox.NamedNode(PREFIXES["void"] + name)
