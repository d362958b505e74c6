"""A second reading of the source counts what the graph holds, and a loss on either side is found."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks.common import corpus
from pfocr_rdf import build
from pfocr_rdf.errors import UsageError
from pfocr_rdf.pipeline import Options as BuildOptions
from pfocr_rdf.validation import second
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Release
from tests.blackbox import FIXTURES
from tests.releases import EXAMPLE, GENES, built, figure, findings, function, gene, source, store_with
from tests.support import SEEDS

SOURCES = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir() and folder.name != "gene-info")
NAME = "PMC9100001__aqs-12-0045-g003"
FIGURE = f"<https://pfocr.wikipathways.org/figures/{NAME}.html>"
MENTION = f"<https://w3id.org/pfocr/mention/{NAME}/gene-275b64be580a>"


def counts(release: Release, place: Path) -> set[Finding]:
    return findings("Q40", release, Options(source=str(place)))


@pytest.mark.parametrize("name", SOURCES)
def test_each_fixture_is_counted_alike(name: str, tmp_path: Path) -> None:
    assert not counts(built(FIXTURES / name, tmp_path / "build"), FIXTURES / name)


@pytest.mark.parametrize("place", [EXAMPLE, SEEDS], ids=["example", "seeds"])
def test_the_examples_are_counted_alike(place: Path, tmp_path: Path) -> None:
    assert not counts(built(place, tmp_path / "build"), place)


@pytest.mark.parametrize("name", ["2021", "2023", "latest"])
def test_real_records_are_counted_alike(name: str, shared: Path, tmp_path: Path) -> None:
    place = shared / "records" / name
    assert not counts(built(place, tmp_path / "build"), place)


@pytest.mark.slow
def test_a_made_up_corpus_is_counted_alike(tmp_path: Path) -> None:
    place = corpus(2000)
    release = built(place, tmp_path / "build")
    assert release.manifest["counts"]["figures"] == 2000
    assert not counts(release, place)


def test_records_and_archives_are_counted_alike(tmp_path: Path) -> None:
    alone = EXAMPLE / "_figures" / f"{NAME}.md"
    assert not counts(built(alone, tmp_path / "alone"), alone)
    packed = tmp_path / "example.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(EXAMPLE, "pfocr-database-main")
    assert not counts(built(packed, tmp_path / "packed"), packed)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return built(EXAMPLE, tmp_path_factory.mktemp("example") / "build")


LOST = [
    ("core", f"{FIGURE} a sio:SIO_000080 .", {"figures", "figures with a title"}),
    ("core", f'{FIGURE} schema:alternateName "PMC9100001__F3" .', {"figures with an alias"}),
    ("core", '<https://identifiers.org/pmc/PMC9100001> bibo:doi "10.5555/jeas.2023.0045" .', {"papers with a DOI"}),
    ("links-genes-synonym", f"{FIGURE} schema:mentions <https://identifiers.org/ncbigene/7157> .", {"links synonym"}),
    ("links-diseases", f"{FIGURE} schema:mentions <http://id.nlm.nih.gov/mesh/D003139> .", {"links diseases"}),
    ("evidence-genes", f"{MENTION} oa:hasBody <https://identifiers.org/ncbigene/7157> .", {"gene bodies"}),
    ("evidence-genes", f"{MENTION} a oa:Annotation .", {"genes mentions"}),
    ("entities", "obo:NCBITaxon_9606 a schema:Taxon .", {"taxa"}),
    ("entities", "<https://identifiers.org/ncbigene/7157> a schema:Gene .", {"genes"}),
]


@pytest.mark.parametrize(
    ("layer", "triple", "names"), LOST, ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[-30:]
)
def test_what_the_graph_lost_is_found(layer: str, triple: str, names: set[str], example: Release) -> None:
    poorer = replace(example, _store=store_with(example, layer, remove=triple))
    found = counts(poorer, EXAMPLE)
    assert {finding.focus for finding in found} == names
    assert all("the source has" in finding.message for finding in found)


def _without_row(folder: Path) -> None:
    table = folder / "_data" / f"{NAME}-genes.tsv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-1]), encoding="utf-8")


def _without_record(folder: Path) -> None:
    (folder / "_figures" / "PMC9100004__excell.0010023.g002.md").unlink()


def _without_page(folder: Path) -> None:
    (folder / "_organisms" / "danio_rerio.md").unlink()


def _without_map(folder: Path) -> None:
    (folder / "_data" / "wpid_map.tsv").unlink()


def _without_inline_row(folder: Path) -> None:
    record = folder / "_figures" / "PMC9100004__excell.0010023.g002.md"
    text = record.read_text(encoding="utf-8")
    start = text.index("genes:\n") + len("genes:\n")
    record.write_text(text[:start] + text[text.index("\n- ", start) + 1 :], encoding="utf-8")


CHANGES: list[tuple[Callable[[Path], None], set[str]]] = [
    (_without_row, {"gene bodies", "gene-rows emitted", "gene-rows read"}),
    (_without_record, {"figures", "papers", "records emitted", "records read", "gene-rows emitted"}),
    (_without_page, {"organism pages", "organism-pages emitted", "organism-pages read"}),
    (_without_map, {"figures with a redrawn pathway", "map-lines emitted", "map-lines read"}),
    (_without_inline_row, {"gene-rows emitted", "gene-rows read", "genes mentions"}),
]


@pytest.mark.parametrize(("change", "names"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_what_the_source_has_not_is_found(
    change: Callable[[Path], None], names: set[str], example: Release, tmp_path: Path
) -> None:
    other = shutil.copytree(EXAMPLE, tmp_path / "other")
    assert not counts(example, other)
    change(other)
    assert names <= {finding.focus for finding in counts(example, other)}


def edited(release: Release, folder: Path, name: str, edit: Callable[[str], str]) -> Release:
    """A copy of a release with one of its lists changed."""
    shutil.copytree(release.folder, folder)
    path = folder / name
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    return Release.open(folder)


def test_what_was_refused_must_be_listed(tmp_path: Path) -> None:
    place = FIXTURES / "bad-rows"
    release = built(place, tmp_path / "build")
    number = release.manifest["accounts"]["gene-rows"]["rejected"]
    listed = (release.folder / "rejected.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    dropped = next(line for line in listed if json.loads(line)["kind"] == "gene-rows")
    shorter = edited(release, tmp_path / "copy", "rejected.jsonl", lambda text: text.replace(dropped, "", 1))
    [finding] = counts(shorter, place)
    assert finding.focus == "gene-rows rejected"
    assert finding.message == f"{number - 1} are listed, the accounts say {number}"


def test_what_is_listed_as_refused_must_be_unsound(tmp_path: Path) -> None:
    """A build that refuses sound rows and records, and says so, is not believed."""
    good = f"{GENES}\n{gene('TP53', 'TP53', '7157')}"
    records = {"PMC1__f": figure("PMC1__f"), "PMC2__f": figure("PMC2__f")}
    place = source(tmp_path / "source", records, {"PMC1__f-genes": good.split("\n")})
    lines = [
        {"file": "_figures/PMC2__f.md", "line": 2, "code": "bad-figid", "kind": "records", "count": 1},
        {"file": "_data/PMC1__f-genes.tsv", "line": 2, "code": "bad-gene-id", "kind": "gene-rows", "count": 1},
    ]
    release = edited(
        built(place, tmp_path / "build"),
        tmp_path / "copy",
        "rejected.jsonl",
        lambda _: "".join(f"{json.dumps(line)}\n" for line in lines),
    )
    found = {(finding.focus, finding.message) for finding in counts(release, place)}
    assert {focus for focus, message in found if message == "was refused, though it is sound"} == {
        "_figures/PMC2__f.md",
        "_data/PMC1__f-genes.tsv",
    }


def test_accounts_are_counted_too(example: Release) -> None:
    accounts = json.loads(json.dumps(example.manifest["accounts"]))
    accounts["chemical-rows"]["merged"] += 1
    other = replace(example, manifest={**example.manifest, "accounts": accounts})
    assert {finding.focus for finding in counts(other, EXAMPLE)} == {"chemical-rows merged"}
    del accounts["chemical-rows"]
    assert not counts(other, EXAMPLE)


def test_what_cannot_be_compared_says_why(example: Release, tmp_path: Path) -> None:
    part = Release.open(build(str(EXAMPLE), tmp_path / "part", BuildOptions(limit=1), workers=1).folder)
    gone = str(tmp_path / "gone")
    for release, place, words in (
        (part, str(EXAMPLE), "a part of its source"),
        (example, gone, "no folder, record or archive"),
        (example, "https://example.org/pfocr-database", "no folder, record or archive"),
    ):
        found = function("Q40")(release, Options(source=place))
        assert isinstance(found, NotRun)
        assert words in found.reason
    assert isinstance(function("Q21")(example, Options(source=gone)), NotRun)
    (tmp_path / "text").write_text("no archive", encoding="utf-8")
    with pytest.raises(UsageError, match="neither folder, record nor archive"):
        counts(example, tmp_path / "text")


def test_totals_of_gene_tables_are_counted(tmp_path: Path) -> None:
    keywords = "schema-jsonld:\n  keywords:\n  - TP53\n  - 'MDM2'\n"
    rows = [gene("TP53", "TP53", "7157"), gene("p53", "TP53", "7157", source="ncbigene_synonym")]
    right = [row.replace("1\tNA\t1", "1\t1\t2").replace("NA\t1\t1", "1\t1\t2") for row in rows]
    tables = {
        "PMC1__right-genes": [GENES, *right],
        "PMC2__wrong-genes": [GENES, *rows],
        "PMC3__old-genes": [GENES, gene("ATM", "ATM", "472")],
    }
    records = {f.rpartition("-")[0]: figure(f.rpartition("-")[0], more=keywords) for f in tables}
    place = source(tmp_path / "source", records, tables)
    release = built(place, tmp_path / "build")
    found = findings("Q21", release, Options(source=str(place)))
    base = "https://pfocr.wikipathways.org/figures/"
    assert {finding[:3] for finding in found} == {
        (f"{base}PMC2__wrong.html", "count_direct=NA", "the rows of organism 9606 give 1"),
        (f"{base}PMC2__wrong.html", "count_synonym=NA", "the rows of organism 9606 give 1"),
        (f"{base}PMC2__wrong.html", "count_match=1", "the rows of organism 9606 give 2"),
        (f"{base}PMC3__old.html", "ATM", "of 1 symbols that are not among the record's keywords, the first"),
    }
    with tarfile.open(tmp_path / "source.tgz", "w:gz") as archive:
        archive.add(place, "pfocr")
    assert findings("Q21", release, Options(source=str(tmp_path / "source.tgz"))) == found
    alone = place / "_figures" / "PMC3__old.md"
    assert {each.value for each in findings("Q21", release, Options(source=str(alone)))} == {"ATM"}


FIELDS = [
    "caption: A plain text\n",
    "caption: A text that goes\n  over two lines\n",
    "caption: 'It''s quoted: with a colon'\n",
    "caption: 'Quoted, and\n  over two lines'\n",
    'caption: "Double, no escapes"\n',
    'caption: "Double \\u00e9"\n',
    "caption: >\n  folded\n  text\n",
    "caption: |\n  kept\n",
    "caption: ''\n",
    "caption: [a, b]\n",
    "caption: {a: b}\n",
    "organisms_ner:\n- Homo sapiens\n- 'Mus'\n",
    "organisms_ner:\n  - Homo sapiens\n  - Mus\n    musculus\n",
    "organisms_ner: []\n",
    "organisms_ner: [Homo sapiens, Mus musculus]\n",
    "genes:\n- word: a\n  symbol: 'B'\n- word: c # comment\n  symbol: \"D\"\n",
    "genes: []\n",
    "genes:\n  - word: a\n    symbol: B\n",
    "genes:\n- {word: a, symbol: B}\n",
    "schema-jsonld:\n  '@id': x\n  keywords:\n  - A\n  - 'On'\n  name: y\n",
    "schema-jsonld:\n  keywords: A\n",
    "schema-jsonld:\n  keywords:\n    - A\n",
]


@pytest.mark.parametrize("text", FIELDS)
def test_the_second_reader_takes_fields_as_yaml_does(text: str) -> None:
    expected = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts alone
    found = second.values_of(f"---\nfigid: PMC1__f\n{text}---\n".encode())
    for key, value in expected.items():
        if key == "schema-jsonld":
            assert found[key]["keywords"] == value["keywords"]
        elif key == "caption" and isinstance(value, str):
            assert str(found[key]).split() == value.split()
        else:
            assert found[key] == value


def test_one_unusual_value_does_not_spoil_names_that_yaml_would_misread() -> None:
    text = '---\nfigid: PMC1__f\norganisms:\n- [Clostridium] innocuum\n- *odd # name\ncaption: "\\u00e9 x"\n---\n'
    found = second.values_of(text.encode())
    assert found["organisms"] == ["[Clostridium] innocuum", "*odd # name"]
    assert found["caption"] == "é x"


@pytest.mark.parametrize(
    "text",
    ["", "figid: PMC1__f\n", "---\nfigid: PMC1__f\n", "---\n- a\n---\n", "---\na: [\n---\n", "---\na: 1\na: 2\n---\n"],
)
def test_the_second_reader_refuses_what_is_no_record(text: str) -> None:
    with pytest.raises(second.Unsound):
        second.record(text.encode())


@pytest.mark.parametrize(
    ("figid", "pmcid"), [("PMC1__f", "PMC2"), ("PMC1_f", "PMC1"), ("PMC1__a b", "PMC1"), ("PMC0__f", "PMC0")]
)
def test_the_second_reader_refuses_ids_that_disagree(figid: str, pmcid: str) -> None:
    with pytest.raises(second.Unsound):
        second.record(f"---\nfigid: {figid}\npmcid: {pmcid}\n---\n".encode())


def test_two_files_of_one_figid_are_counted_alike(tmp_path: Path) -> None:
    """The sound one wins, else the one that bears the figid; equal ones are merged, and tables go with the winner."""
    sound, wrong = figure("PMC1__f"), figure("PMC1__f").replace("pmcid: PMC1", "pmcid: PMC2")
    records = {
        "PMC1__f": wrong,
        "other": sound,
        "PMC3__f": figure("PMC3__f"),
        "equal": figure("PMC3__f"),
        "unequal": figure("PMC3__f", title="Another title of the same figure"),
    }
    rows = [GENES, gene("TP53", "TP53", "7157")]
    tables = {"PMC1__f-genes": rows, "PMC3__f-genes": rows, "PMC9__gone-genes": rows}
    place = source(tmp_path / "source", records, tables)
    release = built(place, tmp_path / "build")
    assert release.manifest["accounts"]["records"] == {
        "read": 5, "emitted": 2, "merged": 1, "rejected": 2, "unresolved": 0,
    }  # fmt: skip
    assert not counts(release, place)
    flat = tmp_path / "flat"
    shutil.copytree(place / "_figures", flat)
    shutil.copytree(place / "_data", flat / "_data")
    assert not counts(built(flat, tmp_path / "flat-build"), flat)


def test_a_refused_record_alone_is_counted_alike(tmp_path: Path) -> None:
    rows = [GENES, gene("TP53", "TP53", "7157")]
    record = figure("PMC1__f").replace("pmcid: PMC1", "pmcid: PMC2")
    place = source(tmp_path / "source", {"PMC1__f": record}, {"PMC1__f-genes": rows}) / "_figures" / "PMC1__f.md"
    release = built(place, tmp_path / "build")
    assert release.manifest["accounts"]["gene-rows"]["rejected"] == 1
    assert not counts(release, place)
