"""A TDB2 folder is replaced only where nothing is lost, and a run that was killed is in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.locks import lock
from pfocr_rdf.stores import programs, tdb2
from pfocr_rdf.stores.contract import Rows, StoreError
from pfocr_rdf.stores.tdb2 import Tdb2Folder
from tests import servers
from tests.contract import ONE, Files, said
from tests.support import require_jena


def test_triples_of_the_default_graph_are_not_lost(tmp_path: Path) -> None:
    store = Tdb2Folder(tmp_path / "db", require_jena())
    store._update(iter([b"INSERT DATA { <urn:a> <urn:b> 'mine' }"]))
    with pytest.raises(StoreError, match="holds 1 other graphs, such as the default graph; start the server"):
        store.replace([Files(tmp_path).numbered(ONE, 0, 3)], {}, said)
    found = store.select("SELECT ?o { GRAPH <urn:x-arq:DefaultGraph> { ?s ?p ?o } }").rows
    assert [row[0].value for row in found] == ["mine"]


def test_a_database_that_a_server_has_open_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tdb2, "_BUSY", 1)
    (tmp_path / "db").mkdir()
    with (
        servers.fuseki(require_jena(), tmp_path, "--tdb2", "--loc=db", "--update"),
        pytest.raises(StoreError, match=r"db: is open in another program \(process \d+\); stop it, or give"),
    ):
        Tdb2Folder(tmp_path / "db", require_jena()).counts()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that holds the line "former"; the programs that read and load do so by word."""

    monkeypatch.setattr(programs, "java", lambda: Path("java"))
    monkeypatch.setattr(programs, "jar", lambda *_: Path("jar"))
    monkeypatch.setattr(Tdb2Folder, "_feed", lambda store, *_: database(store._new, "new"))
    monkeypatch.setattr(Tdb2Folder, "select", lambda *_: Rows(("g",), []))
    return database(tmp_path / "db", "former")


def database(place: Path, what: str) -> Path:
    """Make what looks like a database."""
    (place / "Data-0001").mkdir(parents=True)
    (place / "Data-0001" / "nodes").write_text(what, encoding="utf-8")
    return place


def held(place: Path) -> str:
    return (place / "Data-0001" / "nodes").read_text(encoding="utf-8")


def test_what_a_run_left_that_was_killed_while_it_cleared_away_is_removed(place: Path, tmp_path: Path) -> None:
    left = database(tmp_path / ".db.old", "older")
    Tdb2Folder(place).replace([], {}, said)
    assert held(place) == "new"
    assert not left.exists()


def test_a_database_comes_back_whose_run_was_killed_before_the_new_one_came(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tdb2, "_LEAVING", 0.2)
    place.rename(tmp_path / ".db.old")
    with lock(tmp_path / ".db.lock"), pytest.raises(UsageError, match="another run"):
        Tdb2Folder(place)
    assert not place.exists()
    place.mkdir()
    Tdb2Folder(place)
    assert held(place) == "former"
