"""The adapter for Blazegraph keeps what it declares, against the real server and its bulk loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pfocr_rdf import locks
from pfocr_rdf.cli import app
from pfocr_rdf.stores import blazegraph, files, load, local, starting
from pfocr_rdf.stores.contract import Kind, NotInOneAct, Reach, Store, StoreError
from tests import servers, store_cases, storing
from tests.store_cases import NOTE, READ, A, B, P, delta, graph, lines, note, quiet
from tests.support import BLAZEGRAPH, require_jar


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Endpoint]:
    with servers.blazegraph(require_jar(BLAZEGRAPH), tmp_path_factory.mktemp("blazegraph")) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["files", "sent"])
def store(server: servers.Endpoint, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A server that reads the files, and one that they are sent to."""
    with blazegraph.opened(server.query, reads=request.param) as opened:
        opened.remove([A, B, NOTE])
        yield opened


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_files_are_loaded(store: Store, tmp_path: Path, suffix: str) -> None:
    store_cases.is_loaded(store, tmp_path, suffix)


def test_an_address_of_this_machine_means_that_files_are_read(server: servers.Endpoint) -> None:
    with blazegraph.opened(server.query) as opened:
        assert opened.abilities.replaces is opened.abilities.changes is Reach.ALL
    with blazegraph.opened("http://blazegraph.example/sparql") as opened:
        assert opened.abilities.replaces is Reach.NONE
        assert opened.abilities.changes is Reach.ALL


def test_a_server_that_finds_no_files_of_this_machine_is_sent_them(
    server: servers.Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "another root"  # as in a container
    monkeypatch.setattr(files, "in_place", lambda _graph, _folder, name: elsewhere / name)
    graphs = [graph(tmp_path, A, lines("a", 0, 3)), graph(tmp_path, B, lines("b", 0, 4))]
    with blazegraph.opened(server.query) as store:
        store.remove([A, B, NOTE])
        with pytest.raises(NotInOneAct, match="cannot read the files of the release; they are sent"):
            store.replace(graphs, note("x"), quiet)
        assert store.counts() == {}
        assert store.abilities.replaces is Reach.NONE
        store.replace(graphs, note("x"), quiet)
        assert store.counts() == {A: 3, B: 4, NOTE: 1}
    with blazegraph.opened(server.query) as store:
        chain = storing.chain(tmp_path, figures=5, releases=2)
        for number in range(2):  # the first one goes graph by graph, the other one should be one act
            load.into(store, chain.content(number))
            assert storing.exactly(store, chain.content(number))
        store.remove(list(store.counts()))


def test_clients_see_a_whole_replacement_or_none(server: servers.Endpoint, tmp_path: Path) -> None:
    with blazegraph.opened(server.query) as store:
        store_cases.is_replaced_at_once(store, lambda: blazegraph.opened(server.query), tmp_path)


def test_clients_see_a_whole_change_or_none(store: Store, server: servers.Endpoint, tmp_path: Path) -> None:
    store_cases.is_changed_at_once(store, lambda: blazegraph.opened(server.query), tmp_path)


def test_a_file_that_is_not_that_of_its_manifest_changes_nothing(store: Store, tmp_path: Path) -> None:
    store_cases.another_file_changes_nothing(store, tmp_path)


def test_an_update_that_is_refused_changes_nothing(store: Store, tmp_path: Path) -> None:
    store.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
    trick = '<urn:a> <urn:b> "x" } } ; DROP ALL ; INSERT DATA { <urn:a> <urn:b> "y" .\n'
    bad = delta(tmp_path, A, lines("a", 0, 3), trick)
    with pytest.raises(StoreError, match="no N-Triples"):
        store.change([bad], {}, quiet)
    with pytest.raises(StoreError, match="no IRI"):
        store.remove(["urn:a> ; DROP ALL ; DROP GRAPH <urn:b"])
    with pytest.raises(StoreError, match="HTTP 400"):
        store.select("SELECT nothing")
    assert store.counts() == {A: 3}


def test_a_query_that_takes_too_long_is_given_up(store: Store, tmp_path: Path) -> None:
    store.replace([graph(tmp_path, A, lines("a", 0, 3000))], {}, quiet)
    with pytest.raises(StoreError):
        store.select("SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(STR(?c) < STR(?f)) }", 1)


@pytest.mark.slow
def test_a_folder_is_loaded_by_the_bulk_loader(tmp_path: Path) -> None:
    jar = require_jar(BLAZEGRAPH)
    folder = tmp_path / "a folder"
    with blazegraph.opened_folder(folder, jar=jar) as store:
        assert store.counts() == {}
        graphs = [graph(tmp_path, A, lines("a", 0, 30), ".gz"), graph(tmp_path, B, lines("b", 0, 40), ".zst")]
        store.replace(graphs, note("1"), quiet)
        assert store.counts() == {A: 30, B: 40, NOTE: 1}
        found = store.select(f"SELECT ?o WHERE {{ <https://example.org/b/7> {P} ?o }}").rows
        assert [row[0].value for row in found] == [READ.format(7)]
    (folder / ".load-left").mkdir()
    with blazegraph.opened_folder(folder, jar=jar) as store:
        store.change([delta(tmp_path, A, lines("a", 0, 20), lines("c", 0, 2))], note("2"), quiet)
        store.replace([graph(tmp_path, B, lines("d", 0, 7))], {}, quiet)
        assert store.counts() == {A: 12, B: 7, NOTE: 1}
        store.replace([graph(tmp_path, A, lines("e", 0, 3)), graph(tmp_path, B, "")], note("3"), quiet)
        assert store.counts() == {A: 3, NOTE: 1}
    left = {locks.FILE, "RWStore.properties", starting.JOURNAL, "rules.log"}
    assert {path.name for path in folder.iterdir()} == left


def test_the_command_makes_a_folder_that_is_not_there(tmp_path: Path) -> None:
    release = storing.chain(tmp_path / "chain", figures=3, releases=1).places[0]
    to, jar = f"blazegraph:{tmp_path / 'new' / 'db'}", str(require_jar(BLAZEGRAPH))
    for told in ("in 1 graph", "nothing was done"):
        words = ["load", str(release), "--to", to, "--jar", jar, "--layers", "core"]
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert told in done.output


def test_another_database_in_the_journal_of_a_folder_is_kept(tmp_path: Path) -> None:
    jar, folder = require_jar(BLAZEGRAPH), tmp_path / "db"
    kind = "<!DOCTYPE properties SYSTEM 'http://java.sun.com/dtd/properties.dtd'>"
    wanted = f"{kind}<properties><entry key='com.bigdata.rdf.sail.namespace'>mine</entry></properties>"
    with local.for_a_while(Kind.BLAZEGRAPH, folder, jar, 512) as server:
        place = server.services["query"].replace("/sparql", "/namespace")
        made = servers.send("POST", place, wanted.encode(), {"Content-Type": "application/xml"})
        assert made.status == 201
    with blazegraph.opened_folder(folder, jar=jar) as store:
        store.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
        assert store.counts() == {A: 3}
    with (
        local.for_a_while(Kind.BLAZEGRAPH, folder, jar, 512) as server,
        blazegraph.opened(server.services["query"]) as there,
    ):
        assert there.namespaces() == {"kb", "mine"}
