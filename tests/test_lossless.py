"""Nothing lost: from the graph alone, the values of every record and row come back, but for the written list.

The data model, section a.10; the list is `pfocr_rdf.export.derived.DERIVED`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pfocr_rdf.errors import Kind
from pfocr_rdf.export import records
from pfocr_rdf.export.derived import Values, comparable, comparable_page
from pfocr_rdf.extract.organisms import MAPS, read_map
from pfocr_rdf.extract.records import RawFigure, read_figure, read_record
from pfocr_rdf.extract.source import Snapshot, open_source
from pfocr_rdf.extract.tables import INLINE_KEYS
from pfocr_rdf.settings import Limits
from tests.blackbox import FIXTURES, Build, run
from tests.support import SEEDS

LIMITS = Limits()
LISTS = ("organisms", "organisms_ner", "redirect_from", "keywords")
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir() and path.name != "gene-info")


def given(source: Path, built: Build) -> dict[str, Values]:
    """What the source says of each figure and page that was not refused, without refused rows and values."""
    refused = {(item["file"], item["line"]) for item in built.rejected if item["kind"] != Kind.VALUE}
    gone = {item["file"] for item in built.rejected if item["kind"] in (Kind.RECORD, Kind.ORGANISM_PAGE)}
    said: dict[str, Values] = {}
    with open_source(str(source), limits=LIMITS) as snapshot:
        maps = map_values(snapshot, refused)
        for files in snapshot.records:
            if files.path not in gone:
                raw = read_figure(snapshot.root, files, LIMITS)
                assert raw.front is not None
                drop_refused_rows(raw, refused)
                found = comparable(raw.front, raw.tables)
                found |= Counter(("field", *link) for link in maps.get(files.figid, ()))
                said[files.figid] = without_refused_values(found, files.path, built)
        for path in snapshot.pages:
            if path not in gone:
                front, _, _ = read_record(snapshot.root, path, LIMITS)
                assert front is not None
                said[path] = without_refused_values(comparable_page(front), path, built)
    return said


def map_values(snapshot: Snapshot, refused: set[tuple[str, int]]) -> dict[str, set[tuple[str, str]]]:
    """Field and value that the map files give to each figid."""
    found: dict[str, set[tuple[str, str]]] = {}
    for path in snapshot.maps:
        for line in read_map(snapshot.root, path, LIMITS)[0]:
            if (path, line.line) not in refused:
                found.setdefault(line.figid, set()).add((MAPS[Path(path).name], line.value))
    return found


def drop_refused_rows(raw: RawFigure, refused: set[tuple[str, int]]) -> None:
    """Take out the rows that the build accounts for as refused."""
    for table in raw.tables:
        table.listed = [row for row in table.rows if (table.path, row[0]) not in refused]
        table.columns = ()
    assert raw.front is not None
    for name in INLINE_KEYS:
        items = raw.front.fields.get(name)
        if isinstance(items, list):
            kept = zip(items, raw.front.item_lines.get(name, []), strict=True)
            raw.front.fields[name] = [item for item, line in kept if (raw.files.path, line) not in refused]


def without_refused_values(said: Values, path: str, built: Build) -> Values:
    """Take out the values that the build accounts for as refused: of a block all that stand in the same field."""
    kept = Counter(said)
    for item in built.rejected:
        if item["file"] == path and item["kind"] == Kind.VALUE:
            outer, _, inner = item["field"].partition(".")
            for key in said:
                kind, name, text = key
                one_of_many = name in LISTS and item["value"] != text
                of_block = kind == outer and inner in (name, "@context")
                if of_block or (kind in ("field", "page") and name == outer and not one_of_many):
                    del kept[key]
    return kept


def exported(build: Path, out: Path) -> dict[str, Values]:
    """What the records say that were written back from the graph."""
    records.export(build, out)
    said: dict[str, Values] = {}
    with open_source(str(out), limits=LIMITS) as snapshot:
        for files in snapshot.records:
            raw = read_figure(snapshot.root, files, LIMITS)
            assert raw.front is not None, raw.problems
            said[files.figid] = comparable(raw.front, raw.tables)
        for path in snapshot.pages:
            front, problem, _ = read_record(snapshot.root, path, LIMITS)
            assert front is not None, problem
            said[path] = comparable_page(front)
    return said


def check_round_trip(source: Path, tmp_path: Path) -> None:
    built = run(source, tmp_path / "build")
    if not built.manifest["counts"]["figures"]:
        return
    want = given(source, built)
    got = exported(tmp_path / "build", tmp_path / "records")
    spoilt = {tuple(str(item["field"]).split(".", 1)) for item in built.rejected if item["kind"] == Kind.VALUE}
    assert got.keys() == want.keys()
    for key, values in want.items():
        assert (key, sorted((values - got[key]).items())) == (key, []), "lost"
        more = [item for item in got[key] - values if item[:2] not in spoilt]
        assert (key, more) == (key, []), "invented"


@pytest.mark.parametrize("generation", ["2021", "2023", "latest"])
def test_real_records_come_back(shared: Path, generation: str, tmp_path: Path) -> None:
    check_round_trip(shared / "records" / generation, tmp_path)


def test_the_seed_comes_back(tmp_path: Path) -> None:
    check_round_trip(SEEDS, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_fixtures_come_back(case: str, tmp_path: Path) -> None:
    check_round_trip(FIXTURES / case, tmp_path)
