"""The made-up corpus of the benchmarks: the same for everyone, like the real one, and counted right."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import corpus, corpus_build, corpus_mutate, corpus_write, corpus_yaml
from benchmarks.corpus_figure import BLOCK, Figure
from pfocr_rdf.pipeline import Options
from pfocr_rdf.pipeline import build as convert

SIZE = 400
KINDS = ("genes", "chemicals", "diseases")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def drawn(size: int, seed: int = 1) -> list[Figure]:
    blocks = range(-(-size // BLOCK))
    return [figure for block in blocks for paper in corpus_build.papers(seed, block, size) for figure in paper]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("corpus") / "source"
    assert corpus.main([str(folder), "--figures", str(SIZE)]) == 0
    counts: dict[str, Any] = json.loads(folder.with_name("source.counts.json").read_text(encoding="utf-8"))
    return folder, counts


def test_the_converter_finds_what_the_counts_say(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, counts = made
    manifest = convert(str(folder), tmp_path / "build", Options()).manifest
    assert manifest["accounts"] == counts["accounts"]
    assert manifest["counts"] == counts["counts"]
    triples = {name: layer["triples"] for name, layer in manifest["layers"].items() if name != "ontology"}
    assert triples == counts["layers"]
    assert len(content(folder)) == counts["files"]


def test_two_workers_write_the_same_bytes_as_one(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, counts = made
    size = corpus_build._BLOCKS_PER_PART * BLOCK + 1
    one = corpus_build.build(tmp_path / "one", size, workers=1)
    assert corpus_build.build(tmp_path / "two", size, workers=2) == one
    assert content(tmp_path / "two") == content(tmp_path / "one")
    assert corpus_build.build(tmp_path / "again", SIZE) == counts
    assert content(tmp_path / "again") == content(folder)


def test_a_smaller_corpus_is_a_part_of_a_larger_one(tmp_path: Path) -> None:
    corpus_build.build(tmp_path / "small", 100)
    corpus_build.build(tmp_path / "large", 200)
    small, large = content(tmp_path / "small"), content(tmp_path / "large")
    maps = {name for name in small if name.endswith("_map.tsv")}
    assert {name: large.get(name) for name in small.keys() - maps} == {
        name: small[name] for name in small.keys() - maps
    }
    for name in maps:
        assert set(small[name].splitlines()) <= set(large[name].splitlines())


def test_another_seed_gives_other_figures() -> None:
    assert not {figure.caption for figure in drawn(100)} & {figure.caption for figure in drawn(100, 2)} - {"Figure"}


def test_no_record_or_table_is_a_copy_of_another(made: tuple[Path, dict[str, Any]]) -> None:
    def without_ids(text: str) -> str:
        return re.sub(r"PMC[0-9]+\S*|1[0-9.]+/\S+", "", text)

    folder, _ = made
    records = [without_ids(path.read_text(encoding="utf-8")) for path in (folder / "_figures").iterdir()]
    assert len(set(records)) == len(records)
    tables = [path.read_text(encoding="utf-8") for path in (folder / "_data").glob("*-genes.tsv")]
    long = [table for table in tables if table.count("\n") > 2]
    assert len(set(long)) == len(long)


def test_the_distributions_are_those_of_the_database() -> None:
    figures = drawn(2000)
    papers = {figure.paper.pmcid for figure in figures}
    assert len(figures) / len(papers) == pytest.approx(1.19, abs=0.01)
    assert sum(len(figure.genes) for figure in figures) / len(figures) == pytest.approx(43, rel=0.15)
    assert 400 < max(len(figure.genes) for figure in figures) <= 720
    for share, kind in ((0.45, "chemicals"), (0.15, "diseases")):
        assert sum(bool(getattr(figure, kind)) for figure in figures) / len(figures) == pytest.approx(share, abs=0.05)
    for share, style in ((0.2, "2021"), (0.4, "2023"), (0.4, "late")):
        assert sum(figure.paper.style == style for figure in figures) / len(figures) == pytest.approx(share, abs=0.05)
    mentions = sum(len({row[1:3] + row[5:] for row in figure.genes}) for figure in figures)
    assert sum(len(figure.genes) for figure in figures) / mentions == pytest.approx(1.9, rel=0.15)
    human = sum(row[0] == 0 for figure in figures for row in figure.genes)
    assert human > max(sum(row[0] == other for figure in figures for row in figure.genes) for other in (1, 2, 3))


def test_front_matter_is_quoted_and_folded_as_libyaml_does() -> None:
    texts = [
        text for figure in drawn(300) for text in (figure.caption, figure.title, *figure.keywords, figure.paper.title)
    ]
    texts += [
        "",
        "Off",
        "2001",
        "1.5",
        "it's",
        "- a",
        "-a",
        "a: b",
        "a:",
        "a #b",
        "[O]",
        "*",
        " a",
        "a ",
        "α",
        "a" * 90,
    ]
    texts += [f"{'word ' * 17} two  blanks {'x' * 70}  and {'y' * 9} z", "%a", "~", "null", "Me  Me ", "#2"]
    for text in texts:
        for key, start, indent in (("caption", "caption: ", 2), ("word", "word: ", 2)):
            ours = corpus_yaml.scalar(start, text, indent)
            assert yaml.load(ours, Loader=yaml.BaseLoader) == {key: text}  # noqa: S506
            assert ours == yaml.dump({key: text}, allow_unicode=True, width=80)


def test_records_that_are_read_and_written_again_stay_the_same(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    for path in (folder / "_figures").iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.startswith("---\nfigid: ")
        assert text.endswith("\n---\n")
        fields = yaml.load(text[4:-5], Loader=yaml.BaseLoader)  # noqa: S506
        for kept in ("caption", "figtitle", "papertitle", "reftext"):
            assert corpus_yaml.scalar(f"{kept}: ", fields[kept], 2) in text
        assert fields["schema-jsonld"]["description"] == fields["caption"]


def test_the_totals_in_gene_tables_are_right(made: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = made
    for path in (folder / "_data").glob("*-genes.tsv"):
        names, *rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        whole = [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]
        for taxid in {row["organism_id"] for row in whole}:
            own = [row for row in whole if row["organism_id"] == taxid]
            sources = [row["source"] for row in own]
            assert {row["count_direct"] for row in own} == {str(sources.count("ncbigene_symbol") or "NA")}
            assert {row["count_match"] for row in own} == {str(len({row["match"] for row in own}))}
            if "count_synonym" in names:
                assert {row["count_synonym"] for row in own} == {str(sources.count("ncbigene_synonym") or "NA")}


def test_pages_have_names_of_their_own() -> None:
    pages = corpus_build.pages(1_000_000)
    assert len({corpus_write.page_name(page) for page in pages}) == len(pages) == 2290
    assert len({page.taxid for page in pages}) == len(pages)


def test_a_mutation_changes_what_it_says_and_shares_the_rest(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = made
    before = content(folder)
    arguments = [
        "mutate",
        str(folder),
        str(tmp_path / "later"),
        "--share",
        "0.05",
        "--added",
        "0.01",
        "--removed",
        "0.01",
    ]
    assert corpus.main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    after = content(tmp_path / "later")
    assert content(folder) == before
    assert (len(said["changed"]), len(said["added"]), len(said["removed"])) == (20, 4, 4)

    def files_of(figids: list[str], names: dict[str, bytes]) -> set[str]:
        wanted = {f"_figures/{figid}.md" for figid in figids}
        return {name for name in names if name in wanted} | {
            name for name in names for figid in figids if name in {f"_data/{figid}-{kind}.tsv" for kind in KINDS}
        }

    assert before.keys() - after.keys() == files_of(said["removed"], before)
    assert after.keys() - before.keys() == files_of(said["added"], after)
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert {name for name in changed if name.endswith(".md")} == {f"_figures/{figid}.md" for figid in said["changed"]}
    assert changed <= files_of(said["changed"], after)
    for name in before.keys() & after.keys():
        assert ((folder / name).stat().st_ino == (tmp_path / "later" / name).stat().st_ino) == (name not in changed)
    again = corpus_mutate.mutate(folder, tmp_path / "again", share=0.05, added=0.01, removed=0.01)
    assert again == said
    assert content(tmp_path / "again") == after


def test_a_mutated_corpus_converts_with_three_rows_more_and_two_less(
    made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder, counts = made
    said = corpus_mutate.mutate(folder, tmp_path / "later", share=0.1, added=0, removed=0)
    manifest = convert(str(tmp_path / "later"), tmp_path / "build", Options()).manifest
    assert manifest["accounts"]["gene-rows"]["read"] == counts["accounts"]["gene-rows"]["read"] + len(said["changed"])
    assert manifest["accounts"]["records"] == counts["accounts"]["records"]
    assert manifest["accounts"]["chemical-rows"] == counts["accounts"]["chemical-rows"]


def test_nothing_is_written_over(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = made
    before = content(folder)
    assert corpus.main([str(folder), "--figures", "10"]) == 2
    assert corpus.main(["mutate", str(folder), str(folder)]) == 2
    assert corpus.main([str(tmp_path / "a"), "--figures", "0"]) == 2
    assert corpus.main([str(tmp_path / "b"), "--figures", "1", "--counts", str(tmp_path / "b" / "c.json")]) == 2
    assert content(folder) == before


def test_papers_come_in_order_and_no_figure_is_left_out() -> None:
    figures = drawn(300)
    assert [figure.number for figure in figures] == list(range(300))
    assert all(later.number == earlier.number + 1 for earlier, later in pairwise(figures))
    assert len({figure.figid for figure in figures}) == 300
