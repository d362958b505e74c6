"""Inputs that once did harm: each bug that was mended leaves its input here."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from pfocr_rdf.export import records
from pfocr_rdf.extract.front_matter import parse
from pfocr_rdf.settings import Limits
from tests.blackbox import Build, run

HEAD = "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"
MOUSE = "10090\tMus musculus\tRodents\tp53\tP53\tTrp53\t22059\t{lexicon}\n"


def record(figid: str, *more: str) -> str:
    lines = [f"figid: {figid}", f"pmcid: {figid.partition('__')[0]}", "figtitle: Some pathway", *more]
    return "---\n" + "\n".join(lines) + "\n---\n"


def block(figid: str, *more: str) -> str:
    page = f"https://pfocr.wikipathways.org/figures/{figid}.html"
    lines = ["schema-jsonld:", "  '@context': https://schema.org/", f"  '@id': {page}", *(f"  {line}" for line in more)]
    return record(figid, *lines)


def build(tmp_path: Path, files: dict[str, str]) -> Build:
    for name, text in files.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return run(tmp_path / "source", tmp_path / "build")


def exported(tmp_path: Path, figid: str) -> dict[str, object]:
    """The front matter that comes back from the build."""
    records.export(tmp_path / "build", tmp_path / "records")
    text = (tmp_path / "records" / "_figures" / f"{figid}.md").read_text(encoding="utf-8")
    return dict(parse(text, Limits()).fields)


def test_a_block_that_links_its_own_page_comes_back(tmp_path: Path) -> None:
    page = "https://pfocr.wikipathways.org/figures/PMC1__f.html"
    build(tmp_path, {"_figures/PMC1__f.md": block("PMC1__f", f"url: {page}")})
    given = exported(tmp_path, "PMC1__f")["schema-jsonld"]
    assert isinstance(given, dict)
    assert given["url"] == page


def test_a_node_that_names_itself_comes_back(tmp_path: Path) -> None:
    build(
        tmp_path, {"_figures/PMC1__f.md": block("PMC1__f", "about: {'@id': 'http://e.org/', sameAs: 'http://e.org/'}")}
    )
    given = exported(tmp_path, "PMC1__f")["schema-jsonld"]
    assert isinstance(given, dict)
    assert given["about"] == {"@id": "http://e.org/", "sameAs": "http://e.org/"}


def test_a_block_does_not_change_a_neighbour(tmp_path: Path) -> None:
    other = "https://pfocr.wikipathways.org/figures/PMC2__g.html"
    claim = f"about: {{'@id': '{other}', headline: FALSE, keywords: [EVIL]}}"
    files = {
        "_figures/PMC1__f.md": block("PMC1__f", claim),
        "_figures/PMC2__g.md": block("PMC2__g", "keywords: [TP53]"),
    }
    built = build(tmp_path, files)
    assert not any("EVIL" in str(t.object) and other in str(t.subject) for t in built.triples())
    given = exported(tmp_path, "PMC2__g")["schema-jsonld"]
    assert isinstance(given, dict)
    assert given["keywords"] == ["TP53"]


def test_an_unknown_key_without_value_comes_back(tmp_path: Path) -> None:
    build(tmp_path, {"_figures/PMC1__f.md": record("PMC1__f", "novel: ''")})
    assert exported(tmp_path, "PMC1__f")["novel"] == ""


def test_a_mouse_gene_beside_an_old_record_stays_a_mouse_gene(tmp_path: Path) -> None:
    files = {
        "_figures/PMC1__f.md": record("PMC1__f", "pathway_score: 0.9"),
        "_data/PMC1__f-genes.tsv": HEAD
        + MOUSE.format(lexicon="ncbigene_synonym")
        + MOUSE.format(lexicon="hgnc_symbol"),
    }
    built = build(tmp_path, files)
    assert [found["code"] for found in built.rejected] == ["unknown-lexicon"]
    records.export(tmp_path / "build", tmp_path / "records")
    table = (tmp_path / "records" / "_data" / "PMC1__f-genes.tsv").read_text(encoding="utf-8")
    assert table == HEAD + MOUSE.format(lexicon="ncbigene_synonym")


def test_an_alias_of_two_papers_is_warned(tmp_path: Path) -> None:
    files = {f"_figures/{figid}.md": record(figid, "figid_alias: X") for figid in ("PMC1__f", "PMC2__g")}
    assert [found["file"] for found in build(tmp_path, files).warned("duplicate-alias")] == [*files]


@pytest.mark.parametrize("second", ["./_figures/PMC1__f.md", "_figures/PMC1__f.md/x.md"])
def test_an_archive_with_two_members_of_one_name_is_read(tmp_path: Path, second: str) -> None:
    with tarfile.open(tmp_path / "source.tar.gz", "w:gz") as archive:
        for name in ("_figures/PMC1__f.md", second):
            data = record("PMC1__f").encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    built = run(tmp_path / "source.tar.gz", tmp_path / "build")
    assert built.manifest["counts"]["figures"] == 1
    assert [found["code"] for found in built.rejected] == ["unsafe-path"]


def test_a_table_beside_a_lone_record_is_found(tmp_path: Path) -> None:
    files = {"PMC1__f.md": record("PMC1__f"), "PMC1__f-genes.tsv": HEAD + MOUSE.format(lexicon="ncbigene_symbol")}
    whole = build(tmp_path, files)
    lone = run(tmp_path / "source" / "PMC1__f.md", tmp_path / "lone")
    assert list(whole.triples("links-genes-symbol"))
    assert lone.layers == whole.layers


def test_a_long_list_of_names_is_read_in_time(tmp_path: Path) -> None:
    names = [f"- Nomen {number}" for number in range(20_000)]
    built = build(tmp_path, {"_figures/PMC1__f.md": record("PMC1__f", "organisms:", *names)})
    found = built.warned("unresolved-organism")
    assert len(found) == len(names)
    assert sorted(item["line"] for item in found) == list(range(6, 6 + len(names)))


def test_a_table_of_very_many_columns_is_refused(tmp_path: Path) -> None:
    wide = HEAD.rstrip("\n") + "".join(f"\tc{number}" for number in range(10_000)) + "\n" + "x\n" * 3
    built = build(tmp_path, {"_figures/PMC1__f.md": record("PMC1__f"), "_data/PMC1__f-genes.tsv": wide})
    assert [(found["code"], found["count"]) for found in built.rejected] == [("bad-header", 3)]


def test_a_page_with_an_address_that_no_store_reads_is_emitted_without_it(tmp_path: Path) -> None:
    page = '---\nlatin: "Nomen"\nncbi: "77"\nimage: "https://e.org/[x]"\n---\n'
    built = build(tmp_path, {"_figures/PMC1__f.md": record("PMC1__f"), "_organisms/nomen.md": page})
    assert [found["code"] for found in built.rejected] == ["bad-image"]
    assert built.manifest["accounts"]["organism-pages"]["emitted"] == 1
