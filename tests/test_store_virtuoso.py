"""The adapter for Virtuoso keeps what it declares, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pfocr_rdf.stores import virtuoso
from pfocr_rdf.stores.contract import Reach, Store, StoreError
from pfocr_rdf.stores.virtuososql import Sql
from tests import servers
from tests.store_cases import NOTE, STATE, A, B, P, asked, delta, graph, lines, note, quiet, state
from tests.support import require_tool


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Virtuoso]:
    folder = tmp_path_factory.mktemp("virtuoso")
    inbox = folder / "inbox"
    inbox.mkdir()
    with servers.virtuoso(require_tool("virtuoso-t", "virtuoso-opensource-7-bin"), folder, inbox) as running:
        yield running


@pytest.fixture
def store(server: servers.Virtuoso) -> Iterator[Store]:
    with virtuoso.opened(server.endpoint.query, sql=f"127.0.0.1:{server.port}") as opened:
        opened.remove([A, B, NOTE])
        yield opened


@pytest.fixture
def remote(server: servers.Virtuoso) -> Iterator[Store]:
    """The same server, as if its SQL port could not be reached."""
    with virtuoso.opened(server.endpoint.query, sql="") as opened:
        opened.remove([A, B, NOTE])
        yield opened


def another(server: servers.Virtuoso, stack: ExitStack) -> Store:
    return stack.enter_context(virtuoso.opened(server.endpoint.query, sql=""))


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_files_are_loaded_by_the_bulk_loader(store: Store, tmp_path: Path, suffix: str) -> None:
    assert store.abilities.replaces is store.abilities.changes is Reach.ALL
    store.replace(
        [graph(tmp_path, A, lines("a", 0, 30), suffix), graph(tmp_path, B, lines("b", 0, 40))], note("1"), quiet
    )
    assert store.counts() == {A: 30, B: 40, NOTE: 1}
    found = store.select(f"SELECT ?o WHERE {{ <https://example.org/a/7> {P} ?o }}").rows
    assert [row[0].value for row in found] == ['α 漢 \U0001f600 "quoted" \\ back\nline \x01 7']
    store.replace([graph(tmp_path, A, lines("c", 0, 5), suffix), graph(tmp_path, B, "")], note("2"), quiet)
    assert store.counts() == {A: 5, NOTE: 1}


def test_clients_see_a_whole_replacement_or_none(store: Store, server: servers.Virtuoso, tmp_path: Path) -> None:
    def replace(number: int) -> None:
        texts = {iri: lines(f"{iri[-1]}{number}", 0, 1000 * number) for iri in (A, B)}
        store.replace([graph(tmp_path, iri, text) for iri, text in texts.items()], note(str(number)), quiet)

    replace(1)
    with ExitStack() as stack, asked(lambda: another(server, stack)) as seen:
        replace(2)
        replace(3)
    assert set(seen) <= {((A, 1000 * n), (B, 1000 * n), (NOTE, 1)) for n in (1, 2, 3)}
    assert len(seen) > 1


@pytest.mark.parametrize("request_size", [virtuoso.REQUEST, 100_000], ids=["sent", "staged"])
def test_clients_see_a_whole_change_or_none(
    store: Store, server: servers.Virtuoso, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_size: int
) -> None:
    monkeypatch.setattr(virtuoso, "REQUEST", request_size)
    size = 2000
    store.replace([graph(tmp_path, iri, lines("x", 0, size)) for iri in (A, B)], note("1"), quiet)
    deltas = [delta(tmp_path, iri, lines("x", 0, size // 2), lines("y", 0, size)) for iri in (A, B)]
    before, after = (tuple(sorted({A: n, B: n, NOTE: 1}.items())) for n in (size, size // 2 + size))
    with ExitStack() as stack, asked(lambda: another(server, stack)) as seen:
        store.change(deltas, note("2"), quiet)
        assert state(store) == dict(after)
    assert set(seen) <= {before, after}
    said = store.select(f"SELECT ?o WHERE {{ GRAPH <{NOTE}> {{ ?s ?p ?o }} }}").rows
    assert [row[0].value for row in said] == ["2"]
    store.change(deltas, note("2"), quiet)
    assert state(store) == dict(after)


def test_without_sql_all_goes_over_http(remote: Store, tmp_path: Path) -> None:
    assert remote.abilities.replaces is remote.abilities.changes is Reach.NONE
    assert remote.abilities.bulk == ""
    remote.replace(
        [graph(tmp_path, A, lines("a", 0, 2500), ".zst"), graph(tmp_path, B, lines("b", 0, 4))], note("1"), quiet
    )
    assert remote.counts() == {A: 2500, B: 4, NOTE: 1}
    remote.change([delta(tmp_path, A, lines("a", 0, 2000), lines("z", 0, 3))], note("2"), quiet)
    assert remote.counts() == {A: 503, B: 4, NOTE: 1}


def test_a_file_that_is_not_that_of_its_manifest_changes_nothing(store: Store, tmp_path: Path) -> None:
    store.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
    cut = graph(tmp_path, A, lines("b", 0, 9))
    cut.path.write_bytes(cut.path.read_bytes()[:-20])
    with pytest.raises(StoreError, match="is not the file that its manifest states"):
        store.replace([cut], {}, quiet)
    assert store.counts() == {A: 3}


def test_what_the_loader_refuses_changes_nothing(store: Store, tmp_path: Path) -> None:
    store.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
    with pytest.raises(StoreError, match="the bulk loader"):
        store.replace([graph(tmp_path, A, lines("b", 0, 9) + "<https://example.org/c> .\n")], {}, quiet)
    assert store.counts() == {A: 3}
    assert store.select("SELECT ?s WHERE { ?s <https://example.org/p%20q> ?o }").rows != []
    assert len(store.select(f"SELECT ?s WHERE {{ ?s {P} ?o }}").rows) == 3


def test_cut_rows_are_an_error(tmp_path: Path) -> None:
    program = require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    with servers.virtuoso(program, tmp_path, tmp_path) as running:
        settings = tmp_path / "virtuoso.ini"
        settings.write_text(settings.read_text().replace("ResultSetMaxRows = 1000000", "ResultSetMaxRows = 10"))
    command = [program, "+configfile", settings, "+foreground"]
    with (
        servers.running(
            command, tmp_path, servers.answers(f"{running.endpoint.query}?query=SELECT+%281+AS+%3Fn%29+%7B%7D")
        ),
        virtuoso.opened(running.endpoint.query, sql=f"127.0.0.1:{running.port}") as store,
    ):
        assert len(store.select("SELECT ?s WHERE { ?s ?p ?o } LIMIT 9").rows) == 9
        with pytest.raises(StoreError, match="no more than 10 rows"):
            store.select("SELECT ?s WHERE { ?s ?p ?o }")


def test_a_wrong_password_is_said_without_it(server: servers.Virtuoso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PFOCR_RDF_STORE_USER", "dba")
    monkeypatch.setenv("PFOCR_RDF_STORE_PASSWORD", "verysecret")
    with virtuoso.opened(server.endpoint.query, sql="") as store:
        assert len(store.select(STATE).rows) >= 0
        with pytest.raises(StoreError, match="PFOCR_RDF_STORE_PASSWORD") as told:
            store.remove([A])
    assert "verysecret" not in str(told.value)
    with pytest.raises(StoreError, match="PFOCR_RDF_STORE_PASSWORD") as told:
        Sql(f"127.0.0.1:{server.port}", "dba", "verysecret").run("SELECT 1")
    assert "verysecret" not in str(told.value)


def test_sql_that_cannot_be_reached_is_said() -> None:
    with pytest.raises(StoreError, match="PFOCR_RDF_VIRTUOSO_SQL"):
        Sql(f"127.0.0.1:{servers.free_port()}", "dba", "dba").run("SELECT 1")
