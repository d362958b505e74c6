"""Each adapter against its real store: what it does, what readers see meanwhile, what faults leave behind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import bodies
from pfocr_rdf.stores import open as stores
from pfocr_rdf.stores.contract import Graph, Kind, Reach, Store, StoreError, StoreUnavailable
from pfocr_rdf.stores.fuseki import Fuseki
from tests import contract, servers
from tests.contract import (
    BASE,
    NOTE,
    ONE,
    OTHER,
    TWO,
    Files,
    Place,
    counted,
    held_to,
    lines,
    note,
    said,
    state,
    watched,
)
from tests.proxy import Cut, proxy
from tests.support import BLAZEGRAPH, require_jar, require_jena, require_tool

ALL_GRAPHS = "SELECT DISTINCT ?g"
SECRET = "a-password-that-nobody-sees"


@contextmanager
def _oxigraph_folder(folder: Path) -> Iterator[Place]:
    yield Place(str(folder / "db"))


@contextmanager
def _oxigraph(folder: Path) -> Iterator[Place]:
    with servers.oxigraph(servers.require_oxigraph(), folder) as endpoint:
        yield Place(endpoint.query)


@contextmanager
def _fuseki(folder: Path) -> Iterator[Place]:
    union = ("--compact", "--stats", "--set=tdb2:unionDefaultGraph=true", "--tdb2", "--loc=db", "--update")
    (folder / "db").mkdir()
    with servers.fuseki(require_jena(), folder, *union) as endpoint:
        yield Place(endpoint.query)


@contextmanager
def _sparql_of_fuseki(folder: Path) -> Iterator[Place]:
    (folder / "db").mkdir()
    union = ("--set=tdb2:unionDefaultGraph=true", "--tdb2", "--loc=db", "--update")
    with servers.fuseki(require_jena(), folder, *union) as endpoint:
        yield Place(endpoint.query, Kind.SPARQL, endpoint.update, endpoint.graphs)


@contextmanager
def _sparql_of_oxigraph(folder: Path) -> Iterator[Place]:
    with servers.oxigraph(servers.require_oxigraph(), folder, "--union-default-graph") as endpoint:
        yield Place(endpoint.query, Kind.SPARQL, endpoint.update)


@contextmanager
def _tdb2_folder(folder: Path) -> Iterator[Place]:
    yield Place(f"fuseki:{folder / 'db'}", jar=require_jena())


@contextmanager
def _blazegraph(folder: Path) -> Iterator[Place]:
    with servers.blazegraph(require_jar(BLAZEGRAPH), folder) as endpoint:
        yield Place(endpoint.query)


@contextmanager
def _virtuoso(folder: Path) -> Iterator[Place]:
    inbox = folder / "inbox"
    inbox.mkdir()
    with (
        servers.virtuoso(require_tool("virtuoso-t", "virtuoso-opensource-7-bin"), folder, inbox) as running,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("PFOCR_RDF_VIRTUOSO_SQL", f"127.0.0.1:{running.port}")
        boolean = "http://www.w3.org/2001/XMLSchema#boolean"
        yield Place(running.endpoint.query, lossy=frozenset({f'"true"^^<{boolean}>', f'"1"^^<{boolean}>'}))


STORES: dict[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "oxigraph-folder": _oxigraph_folder,
    "oxigraph": _oxigraph,
    "fuseki": _fuseki,
    "blazegraph": _blazegraph,
    "virtuoso": _virtuoso,
    "sparql-fuseki": _sparql_of_fuseki,
    "sparql-oxigraph": _sparql_of_oxigraph,
    "tdb2-folder": _tdb2_folder,
}
SLOW = {"tdb2-folder"}
"""Stores of which each act starts a program."""


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in STORES]
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with STORES[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """The store, with no graph of these tests in it."""
    with place.opened() as opened:
        opened.remove([iri for iri in opened.counts() if iri.startswith(BASE)])
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_terms_come_back_as_they_went_in(place: Place, store: Store, files: Files) -> None:
    text = contract.TERMS + f'<https://example.org/s> <https://example.org/long> "{contract.LONG}" .'
    store.replace([files.graph(ONE, text)], {}, said)
    wanted = contract.parsed(text)
    found = contract.content(store, ONE)
    assert {term for term in found ^ wanted if term[2] not in place.lossy} == set()


def test_a_query_has_its_variables_in_order_and_holes(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 3)], {}, said)
    found = store.select(
        f"SELECT ?none ?o ?s WHERE {{ GRAPH <{ONE}> {{ ?s ?p ?o }} OPTIONAL {{ ?s <https://example.org/no> ?none }} }} "
        "ORDER BY DESC(?o)"
    )
    assert found.variables == ("none", "o", "s")
    assert [str(row[1].value) for row in found.rows] == [f"number {n}, αβ" for n in (2, 1, 0)]
    assert {row[0] for row in found.rows} == {None}


def test_plain_patterns_ask_the_union(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 3), files.numbered(TWO, 3, 5)], {}, said)
    found = store.select("SELECT DISTINCT ?o WHERE { ?s <https://example.org/p> ?o }")
    assert len(found.rows) == 5


def test_a_query_may_say_which_graphs_it_asks(place: Place, store: Store, files: Files) -> None:
    if place.kind is Kind.SPARQL:
        pytest.skip("whether FROM is heeded is the server's own matter")
    store.replace([files.numbered(ONE, 0, 3), files.numbered(TWO, 3, 7)], {}, said)
    asked = "SELECT DISTINCT ?o {} WHERE {{ ?s <https://example.org/p> ?o }}"
    for graphs, number in ((f"FROM <{ONE}>", 3), (f"from <{TWO}>", 4), (f"FROM <{ONE}> FROM <{TWO}>", 7), ("", 7)):
        assert len(store.select(asked.format(graphs)).rows) == number
    found = store.select(f"{ALL_GRAPHS} FROM NAMED <{TWO}> {{ GRAPH ?g {{ ?s ?p ?o }} }}")
    assert [row[0].value for row in found.rows] == [TWO]


def test_replacing_new_again_and_nothing_else(place: Place, store: Store, files: Files) -> None:
    if not place.to.startswith("fuseki:"):
        store.replace([files.numbered(OTHER, 0, 7)], {}, said)
    others = {OTHER: 7} if not place.to.startswith("fuseki:") else {}
    graphs = [files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)]
    for _ in range(2):
        store.replace(graphs, note("1"), said)
        counted(store, {ONE: 30, TWO: 50, NOTE: 1} | others)
    store.replace([files.numbered(ONE, 10, 20), files.numbered(TWO, 0, 50)], note("2"), said)
    counted(store, {ONE: 10, TWO: 50, NOTE: 1} | others)
    assert state(store) == (10, 50, "2")
    assert {o for _, _, o in contract.content(store, ONE)} == {f'"number {n}, αβ"' for n in range(10, 20)}


def test_fuseki_takes_what_is_not_there_yet_in_its_faster_form(
    store: Store, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(store, Fuseki):
        pytest.skip("another store")
    ways: list[str] = []
    slow = bodies.replacement

    def told(graphs: Sequence[Graph], notes: Mapping[str, str]) -> bodies.Parts:
        ways.append("update")
        return slow(graphs, notes)

    monkeypatch.setattr(bodies, "replacement", told)
    store.replace([files.numbered(OTHER, 0, 7)], {}, said)
    store.replace([files.numbered(ONE, 0, 3)], {}, said)
    store.replace([files.numbered(TWO, 0, 5)], note("1"), said)
    counted(store, {OTHER: 7, ONE: 3, TWO: 5, NOTE: 1})
    assert ways == []
    store.replace([files.numbered(ONE, 0, 4)], note("2"), said)
    counted(store, {OTHER: 7, ONE: 4, TWO: 5, NOTE: 1})
    assert ways == ["update"]


def test_an_empty_graph_is_removed(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 3), files.numbered(TWO, 0, 5)], note("1"), said)
    store.replace([files.graph(ONE, ""), files.numbered(TWO, 0, 5)], note("2"), said)
    counted(store, {TWO: 5, NOTE: 1})


def test_a_broken_file_leaves_the_old_state(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 3), files.numbered(TWO, 0, 5)], note("1"), said)
    text = "".join(lines(0, 30_000)) + "<https://example.org/s> this is no Turtle"
    with pytest.raises(StoreError) as refused:
        store.replace([files.graph(ONE, text, 30_000), files.numbered(TWO, 0, 4)], note("2"), said)
    assert "cannot be loaded" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert state(store) == (3, 5, "1")
    store.replace([files.numbered(ONE, 0, 6), files.numbered(TWO, 0, 4)], note("2"), said)
    assert state(store) == (6, 4, "2")


def test_changes_are_exact_and_do_no_harm_twice(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)], note("1"), said)
    deltas = [files.delta(ONE, lines(0, 10), lines(30, 45)), files.delta(TWO, [], lines(50, 51))]
    for _ in range(2):
        store.change(deltas, note("2"), said)
        assert state(store) == (35, 51, "2")
    assert {o for _, _, o in contract.content(store, ONE)} == {f'"number {n}, αβ"' for n in range(10, 45)}
    store.change([files.delta(TWO, lines(0, 51), [])], note("3"), said)
    counted(store, {ONE: 35, NOTE: 1})
    assert state(store) == (35, 0, "3")


def test_a_note_alone_is_replaced(store: Store) -> None:
    store.change([], note("1"), said)
    store.change([], note("2"), said)
    assert contract.content(store, NOTE) == contract.parsed(note("2")[NOTE])


def test_graphs_are_removed_if_they_are_there(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 3), files.numbered(TWO, 0, 5)], {}, said)
    store.remove([ONE, OTHER])
    counted(store, {TWO: 5})
    store.remove([])
    counted(store, {TWO: 5})


def test_readers_see_what_is_declared_while_graphs_are_replaced(place: Place, store: Store, files: Files) -> None:
    if place.to.startswith("fuseki:"):
        pytest.skip("one program at a time has it open")
    old = [files.numbered(ONE, 0, 3_000), files.numbered(TWO, 0, 2_000)]
    new = [files.numbered(ONE, 500, 4_000), files.numbered(TWO, 0, 2_500)]
    store.replace(old, note("1"), said)
    with watched(place) as watch:
        store.replace(new, note("2"), said)
        store.replace(old, note("1"), said)
        store.replace(new, note("2"), said)
    held_to(store.abilities.replaces, watch, [(3_000, 2_000, "1"), (3_500, 2_500, "2")])
    assert state(store) == (3_500, 2_500, "2")


def test_readers_see_what_is_declared_while_graphs_change(place: Place, store: Store, files: Files) -> None:
    if place.to.startswith("fuseki:"):
        pytest.skip("one program at a time has it open")
    store.replace([files.numbered(ONE, 0, 3_000), files.numbered(TWO, 0, 2_000)], note("1"), said)
    forth = [files.delta(ONE, lines(0, 500), lines(3_000, 4_000)), files.delta(TWO, [], lines(2_000, 2_500))]
    back = [files.delta(ONE, lines(3_000, 4_000), lines(0, 500)), files.delta(TWO, lines(2_000, 2_500), [])]
    with watched(place) as watch:
        for _ in range(2):
            store.change(forth, note("2"), said)
            store.change(back, note("1"), said)
    held_to(store.abilities.changes, watch, [(3_000, 2_000, "1"), (3_500, 2_500, "2")])
    assert state(store) == (3_000, 2_000, "1")


def test_compacting_loses_nothing(store: Store, files: Files) -> None:
    store.replace([files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)], note("1"), said)
    told: list[str] = []
    assert store.compact(told.append) >= 0
    assert bool(told) is store.abilities.compacts
    assert not any("not compacted" in each for each in told)
    counted(store, {ONE: 30, TWO: 50, NOTE: 1})
    store.change([files.delta(ONE, [], lines(30, 31))], note("2"), said)
    assert state(store) == (31, 50, "2")


def test_a_busy_server_is_not_compacted(place: Place, store: Store, files: Files) -> None:
    if not place.served or not store.abilities.compacts:
        pytest.skip("no server that compacts")
    store.replace([files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)], note("1"), said)
    told: list[str] = []
    with watched(place), pytest.raises(StoreUnavailable, match="not compacted"):
        store.compact(told.append)
    assert told == []
    assert state(store) == (30, 50, "1")


@pytest.mark.parametrize("cut", list(Cut))
def test_a_cut_connection_is_tried_again(place: Place, store: Store, files: Files, cut: Cut) -> None:
    if not place.served:
        pytest.skip("no server")
    store.replace([files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)], note("1"), said)
    with proxy(*place.target) as between, place.at(between.port).opened() as through:
        between.cuts = [cut]
        through.replace([files.numbered(ONE, 0, 9_000), files.numbered(TWO, 0, 60)], note("2"), said)
        assert between.done == [cut]
        assert state(store) == (9_000, 60, "2")
        between.cuts = [cut]
        through.change([files.delta(ONE, lines(0, 5_000), lines(9_000, 9_100))], note("3"), said)
        assert state(store) == (4_100, 60, "3")


def test_a_body_cut_at_the_end_of_a_triple_changes_nothing(place: Place, store: Store, files: Files) -> None:
    """A server may take what came before a cut for the whole; then it must be nothing legal."""
    if store.abilities.changes is not Reach.ALL or not place.served:
        pytest.skip("promises nothing")
    store.replace([files.numbered(ONE, 0, 30), files.numbered(TWO, 0, 50)], note("1"), said)
    update = getattr(store, "_update")  # noqa: B009 - the address of a service is nobody else's business
    body = b"".join(bodies.changes([files.delta(ONE, [], lines(30, 90))], {})())
    for end in (body.index(b" .\n") + 3, body.rindex(b" .\n") + 3, len(body) - 2):
        _cut_off(update, place, body, end)
    assert state(store) == (30, 50, "1")


def _cut_off(url: str, place: Place, body: bytes, end: int) -> None:
    path = url.partition("://")[2].partition("/")[2]
    with socket.create_connection(place.target) as link:
        head = f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {bodies.UPDATE['Content-Type']}\r\n"
        link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:end])
        link.shutdown(socket.SHUT_WR)
        link.settimeout(20)
        while link.recv(4096):
            pass


def test_a_wrong_address_is_said_in_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if not place.served:
        pytest.skip("no server")
    monkeypatch.setenv("PFOCR_RDF_STORE_USER", "somebody")
    monkeypatch.setenv("PFOCR_RDF_STORE_PASSWORD", SECRET)
    host, port = place.target
    kind = Kind.SPARQL if place.kind is None else place.kind
    wrong = Place(f"http://{host}:{port}/nothing/here", kind)
    with pytest.raises(StoreError) as refused, wrong.opened(0.2) as store:
        store.counts()
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_server_that_is_stopped_is_said_in_one_line(place: Place) -> None:
    if not place.served:
        pytest.skip("no server")
    with pytest.raises(StoreUnavailable) as refused, place.at(servers.free_port()).opened(0.3) as store:
        store.counts()
    assert "cannot be reached" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_server_that_does_not_answer_is_given_up(place: Place) -> None:
    if not place.served:
        pytest.skip("no server")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        there = place.at(deaf.getsockname()[1])
        kind = Kind.SPARQL  # which asks nothing when it is opened
        with stores.opened(there.to, kind=kind, patience=0.2) as store, pytest.raises(StoreUnavailable) as refused:
            store.select("SELECT * {}", seconds=0.3)
    assert "did not answer in time" in str(refused.value)


def test_what_is_no_select_is_refused(store: Store) -> None:
    for query in ("SELECT nonsense", "ASK {}"):
        with pytest.raises((StoreError, UsageError)) as refused:
            store.select(query)
        assert "\n" not in str(refused.value)
