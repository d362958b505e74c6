"""The adapter for Virtuoso keeps what it declares, against the real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf.stores import starting, virtuoso, virtuososql
from pfocr_rdf.stores.contract import Reach, Store, StoreError
from pfocr_rdf.stores.virtuososql import Sql
from tests import servers, store_cases
from tests.store_cases import NOTE, STATE, A, B, P, delta, graph, lines, note, quiet
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


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_files_are_loaded_by_the_bulk_loader(store: Store, tmp_path: Path, suffix: str) -> None:
    assert store.abilities.replaces is store.abilities.changes is Reach.ALL
    store_cases.is_loaded(store, tmp_path, suffix)


def test_clients_see_a_whole_replacement_or_none(store: Store, server: servers.Virtuoso, tmp_path: Path) -> None:
    store_cases.is_replaced_at_once(store, lambda: virtuoso.opened(server.endpoint.query, sql=""), tmp_path)


@pytest.mark.parametrize("request_size", [virtuoso.REQUEST, 100_000], ids=["sent", "staged"])
def test_clients_see_a_whole_change_or_none(
    store: Store, server: servers.Virtuoso, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_size: int
) -> None:
    monkeypatch.setattr(virtuoso, "REQUEST", request_size)
    store_cases.is_changed_at_once(store, lambda: virtuoso.opened(server.endpoint.query, sql=""), tmp_path)


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
    store_cases.another_file_changes_nothing(store, tmp_path)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "loader"])
def test_a_bad_file_changes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    if not checked:  # then it is the loader's table that tells
        monkeypatch.setattr("pfocr_rdf.stores.files.sound", quiet)
    store.replace([graph(tmp_path, A, lines("a", 0, 3))], {}, quiet)
    with pytest.raises(StoreError, match="cannot be loaded" if checked else "the bulk loader"):
        store.replace([graph(tmp_path, A, lines("b", 0, 9) + "<https://example.org/c> .\n")], {}, quiet)
    assert store.counts() == {A: 3}
    assert store.select("SELECT ?s WHERE { ?s <https://example.org/p%20q> ?o }").rows != []
    assert len(store.select(f"SELECT ?s WHERE {{ ?s {P} ?o }}").rows) == 3


def test_cut_rows_are_an_error(tmp_path: Path) -> None:
    program = require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    with servers.virtuoso(program, tmp_path, tmp_path) as running:
        settings = tmp_path / "virtuoso.ini"
        settings.write_text(settings.read_text().replace("ResultSetMaxRows = 1000000", "ResultSetMaxRows = 10"))
    command: list[str | Path] = [program, "+configfile", settings, "+foreground"]
    with (
        servers.running(
            command, tmp_path, servers.answers(f"{running.endpoint.query}?query=SELECT+%281+AS+%3Fn%29+%7B%7D")
        ),
        virtuoso.opened(running.endpoint.query, sql=f"127.0.0.1:{running.port}") as store,
    ):
        assert len(store.select("SELECT ?s WHERE { ?s ?p ?o } LIMIT 9").rows) == 9
        with pytest.raises(StoreError, match="no more than 10 rows"):
            store.select("SELECT ?s WHERE { ?s ?p ?o }")


def test_an_act_that_its_log_does_not_hold_says_which_setting_is_too_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    settings = starting.virtuoso_settings

    def small(*given: Any) -> str:
        return re.sub(r"(?<=TransactionAfterImageLimit = )\d+", "100000", settings(*given))

    monkeypatch.setattr(starting, "virtuoso_settings", small)
    with (
        servers.virtuoso(require_tool("virtuoso-t", "virtuoso-opensource-7-bin"), tmp_path, inbox) as running,
        virtuoso.opened(running.endpoint.query, sql=f"127.0.0.1:{running.port}") as store,
    ):
        store.replace([graph(tmp_path, A, lines("a", 0, 10))], {}, quiet)
        with pytest.raises(StoreError, match="raise TransactionAfterImageLimit in its settings"):
            store.replace([graph(tmp_path, A, lines("b", 0, 20_000))], {}, quiet)
        assert store.counts() == {A: 10}


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


def test_a_new_password_is_not_told(monkeypatch: pytest.MonkeyPatch, server: servers.Virtuoso) -> None:
    monkeypatch.setenv("PFOCR_RDF_STORE_PASSWORD", "dba-verysecret")
    monkeypatch.setattr("pfocr_rdf.stores.virtuososql.text", lambda value: f"no text '{value}'")
    with pytest.raises(StoreError, match="user_set_password") as told:
        virtuososql.first_password(f"127.0.0.1:{server.port}")
    assert "verysecret" not in str(told.value)


def test_sql_that_cannot_be_reached_is_said() -> None:
    with pytest.raises(StoreError, match="PFOCR_RDF_VIRTUOSO_SQL"):
        Sql(f"127.0.0.1:{servers.free_port()}", "dba", "dba").run("SELECT 1")
