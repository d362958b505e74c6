"""Oxigraph: what is too large for one transaction of a server, against the real one; what a folder keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores import load, oxigraph, oxigraphdir, update
from pfocr_rdf.stores.contract import NotInOneAct, Store
from tests import servers, storing
from tests.store_cases import NOTE, A, B, graph, lines, note, quiet


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with (
        servers.oxigraph(servers.require_oxigraph(), tmp_path) as endpoint,
        oxigraph.opened(endpoint.query) as opened,
    ):
        yield opened


def test_a_large_graph_alone_takes_the_place_of_another_without_a_transaction(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.replace([graph(tmp_path, A, lines("old", 0, 9)), graph(tmp_path, B, lines("b", 0, 4))], note("old"), quiet)
    monkeypatch.setattr(oxigraph, "IN_TRANSACTION", 5)
    store.replace([graph(tmp_path, A, lines("new", 20, 30))], {}, quiet)
    counts = store.counts()
    assert (counts[A], counts[B]) == (10, 4)
    store.replace([graph(tmp_path, A, lines("empty", 0, 0))], {}, quiet)
    assert store.counts().get(A, 0) == 0


def test_what_no_update_can_carry_is_told_before_it_is_sent(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.replace([graph(tmp_path, A, lines("a", 0, 3))], note("old"), quiet)
    before = store.counts()
    monkeypatch.setattr(oxigraph, "LARGEST", 300)
    with pytest.raises(NotInOneAct, match="bytes are too many for one transaction of an Oxigraph server"):
        store.replace([graph(tmp_path, A, lines("b", 0, 50))], note("new"), quiet)
    assert store.counts() == before
    assert NOTE in before


def test_what_is_too_large_for_one_act_goes_graph_by_graph(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = storing.chain(tmp_path, figures=20)
    load.into(store, chain.content(0))
    note_alone = sum(map(len, holding.notes(holding.of(chain.content(2), part=False)).values()))
    monkeypatch.setattr(oxigraph, "LARGEST", note_alone + 1_000)
    said: list[str] = []
    done = update.into(store, chain.content(1), say=said.append)
    assert (done.way, done.version) == ("full", chain.content(1).version)
    assert "too many for one transaction" in done.why
    assert any("goes graph by graph, and readers see parts of both meanwhile" in line for line in said)
    assert storing.exactly(store, chain.content(1))
    load.into(store, chain.content(2))
    assert storing.exactly(store, chain.content(2))


def test_the_former_database_of_a_folder_stays_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "db"
    with oxigraphdir.opened(place) as folder:
        for number in range(1, 4):
            folder.replace([graph(tmp_path, A, lines("a", 0, number))], {}, quiet)
        databases = [path for path in place.iterdir() if path.name.startswith("db-")]
        sizes = [len(list(ox.Store.read_only(str(path)))) for path in databases]
        assert sorted(sizes) == [1, 2, 3]
        monkeypatch.setattr(oxigraphdir, "LATELY", 0)
        folder.replace([graph(tmp_path, A, lines("a", 0, 4))], {}, quiet)
        assert {path.name for path in place.iterdir()} == {folder.database.name, "current", ".lock"}  # type: ignore[union-attr]
        assert folder.counts() == {A: 4}


def test_a_folder_keeps_triples_of_the_default_graph(tmp_path: Path) -> None:
    with oxigraphdir.opened(tmp_path / "db") as folder:
        folder.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
        assert folder.database is not None
        database = ox.Store(str(folder.database))
        database.add(ox.Quad(ox.NamedNode("urn:a"), ox.NamedNode("urn:b"), ox.Literal("mine")))
        database.flush()
        del database
    with oxigraphdir.opened(tmp_path / "db") as folder:
        folder.replace([graph(tmp_path, A, lines("b", 0, 5))], {}, quiet)
        assert folder.counts() == {A: 5}
        found = ox.Store.read_only(str(folder.database)).quads_for_pattern(None, None, None, ox.DefaultGraph())
        assert [str(quad.object) for quad in found] == ['"mine"']
