"""What an earlier build knew of a source's files: kept in lines, and only papers that differ are looked at."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pfocr_rdf import pipeline
from pfocr_rdf.cache import Former
from pfocr_rdf.extract import known
from pfocr_rdf.extract.known import Comparison, Files, KnownFile
from pfocr_rdf.extract.listing import Folder
from pfocr_rdf.extract.records import pmcid_of
from pfocr_rdf.extract.signatures import ByStat
from pfocr_rdf.extract.source import Snapshot
from tests import changing
from tests.changing import build, options

NOW = 2_000_000_000_000_000_000
NAMES = (
    "_figures/PMC1__a.md",
    "_figures/PMC1__b.md",
    "_figures/PMC10__a.md",
    "_figures/PMC1.md",
    "_figures/PMC1.x.md",
    "_figures/odd.md",
    "_figures/a\\b.md",
    "_data/PMC1__a-genes.tsv",
    "_data/PMC1-genes.tsv",
    "_data/PMC1-x-genes.tsv",
    "_data/PMC10__a-genes.tsv",
)


def file(path: str, number: int = 0) -> KnownFile:
    return f"s{number}", f"{number:064x}", "PMC1__c" if path == "_figures/odd.md" else known.named(path)


@pytest.fixture
def files() -> Files:
    return Files.of({path: file(path, number) for number, path in enumerate(NAMES)})


def test_what_is_set_is_got(files: Files) -> None:
    assert len(files) == len(NAMES)
    assert [files.get(path) for path in NAMES] == [file(path, number) for number, path in enumerate(NAMES)]
    assert files.get("_figures/PMC1__c.md") is None
    assert files.odd() == {"_figures/odd.md": "PMC1__c"}


def test_what_is_forgotten_is_gone(files: Files) -> None:
    files.forget(NAMES[0])
    files["_figures/new.md"] = ("s", "h", "PMC5__a")
    assert files.get(NAMES[0]) is None
    assert sorted(files.paths()) == sorted({*NAMES, "_figures/new.md"} - {NAMES[0]})
    assert dict(files.hashes()).keys() == {*NAMES, "_figures/new.md"} - {NAMES[0]}
    assert files.odd() == {"_figures/odd.md": "PMC1__c", "_figures/new.md": "PMC5__a"}


@pytest.mark.parametrize("seed", range(20))
def test_changes_in_any_order_come_to_the_same_columns(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    expected: dict[str, KnownFile] = {}
    files = Files()
    for step in range(60):
        path = rng.choice(NAMES)
        if rng.random() < 0.3:
            expected.pop(path, None)
            files.forget(path)
        else:
            expected[path] = files[path] = file(path, step)
        if rng.random() < 0.2:
            files.columns()
    assert {path: files.get(path) for path in NAMES if files.get(path)} == expected
    assert files.columns() == Files.of(expected).columns()
    assert files.earlier() == expected


@pytest.mark.parametrize(
    ("pmcid", "numbers"), [("PMC1", [3, 0, 1, 8, 7]), ("PMC10", [2, 10]), ("PMC1.x", [4]), ("odd", [5]), ("PMC", [])]
)
def test_the_files_of_a_paper_are_found_by_their_names(pmcid: str, numbers: list[int], files: Files) -> None:
    assert [*files.of_paper(pmcid)] == [NAMES[number] for number in numbers]


def compared(root: Path, before: dict[str, str], newest: int = NOW) -> known.Compared | None:
    lines = root / "lines"
    lines.write_text("\n".join(sorted(f"{path}\t{sign}" for path, sign in before.items())), encoding="utf-8")
    return known.compare(Comparison(Folder(str(root), "_data", (".tsv",), ByStat(newest)), str(lines)))


def test_a_folder_is_compared_with_what_was_known_of_it(tmp_path: Path) -> None:
    source = changing.Files(tmp_path)
    for name in ("a", "b", "c"):
        source.write(f"_data/{name}-genes.tsv", name)
    first = compared(tmp_path, {})
    assert first is not None
    assert first.come.keys() == {"_data/a-genes.tsv", "_data/b-genes.tsv", "_data/c-genes.tsv"}
    assert (first.gone, first.known, first.there, first.bytes) == (set(), 0, 3, 3)
    around = {"_datb/x.tsv": "s", "_dat/x.tsv": "s", "_figures/x.md": "s"}
    same = compared(tmp_path, first.come | around)
    assert same is not None
    assert (same.come, same.gone, same.known) == ({}, set(), 3)
    source.touch("_data/b-genes.tsv")
    source.remove("_data/c-genes.tsv")
    source.write("_data/d-genes.tsv", "d")
    later = compared(tmp_path, first.come | around)
    assert later is not None
    assert later.come.keys() == {"_data/b-genes.tsv", "_data/d-genes.tsv"}
    assert later.gone == {"_data/b-genes.tsv", "_data/c-genes.tsv"}


def test_a_file_without_signature_always_differs(tmp_path: Path) -> None:
    changing.Files(tmp_path).write("_data/a-genes.tsv", "a")
    found = compared(tmp_path, {"_data/a-genes.tsv": ""}, newest=0)
    assert found is not None
    assert found.come == {"_data/a-genes.tsv": ""}


def test_what_cannot_be_read_is_compared_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "_data").mkdir()
    task = Comparison(Folder(str(tmp_path), "_data", (".tsv",), ByStat(NOW)), str(tmp_path / "lines"))
    assert known.compare(task) is None
    (tmp_path / "lines").write_bytes(b"_data/\xff\ts")
    assert known.compare(task) is None


def reopened(source: changing.Files, out: Path, **asked: object) -> Snapshot:
    with pipeline.opened(str(source.root), options(**asked), former=Former(out)) as snapshot:  # type: ignore[arg-type]
        return snapshot


def without_ways(snapshot: Snapshot) -> dict[str, object]:
    names = ("records", "pages", "maps", "unread", "signatures", "bytes", "ledger", "whole", "has_data")
    return {name: getattr(snapshot, name) for name in names}


def test_only_papers_that_differ_are_looked_at(tmp_path: Path) -> None:
    source = changing.small(tmp_path / "source", 30, fixtures=False)
    build(source, tmp_path / "out")
    nothing = reopened(source, tmp_path / "out")
    assert nothing.unchanged is not None
    assert nothing.records == []
    path = source.records()[3]
    source.edit(path, lambda text: text.replace("figtitle", "figtitle "))
    found = reopened(source, tmp_path / "out")
    assert found.unchanged is not None
    assert found.unchanged.looked_at - {""} == {known.paper_of(path)}  # a map file says no paper
    assert {files.pmcid for files in found.records} == {known.paper_of(path)}
    assert found.unchanged.has(Path(source.records()[20]).stem)
    assert not found.unchanged.has(Path(path).stem)
    assert not found.unchanged.has("PMC0__none")


@pytest.mark.parametrize("seed", range(6))
def test_everything_can_be_asked_for_still(seed: int, tmp_path: Path) -> None:
    source = changing.small(tmp_path / "source", 12, seed=seed)
    build(source, tmp_path / "out")
    rng = random.Random(seed)  # noqa: S311
    for _ in range(5):
        changing.change(source, rng, 2)
        found = reopened(source, tmp_path / "out")
        assert found.everything is not None
        with pipeline.opened(str(source.root), options()) as whole:
            assert without_ways(found.everything()) == without_ways(whole)
        assert {files.pmcid for files in found.records} <= {pmcid_of(f) for f in found.unchanged.looked_at}  # type: ignore[union-attr]
        assert [files for files in whole.records if files in found.records] == found.records


def test_a_selection_is_taken_from_everything(tmp_path: Path) -> None:
    source = changing.small(tmp_path / "source", 8, fixtures=False)
    build(source, tmp_path / "out")
    found = reopened(source, tmp_path / "out", limit=3)
    assert found.unchanged is None
    assert len(found.records) == 3


def test_what_was_known_of_other_folders_is_not_used(tmp_path: Path) -> None:
    source = changing.small(tmp_path / "source", 8, fixtures=False)
    build(source, tmp_path / "out")
    for path in source.names("_data/*"):
        source.remove(path)
    (source.root / "_data").rmdir()
    assert reopened(source, tmp_path / "out").unchanged is None
