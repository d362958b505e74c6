"""Requests to stores: when they are sent again, how long, and that no message holds what it must not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import http, sparql
from pfocr_rdf.stores import open as stores
from pfocr_rdf.stores.contract import Kind, StoreError, StoreUnavailable
from tests import servers

LOGIN, SECRET = "somebody", "a-password-that-nobody-sees"


@dataclass
class Server:
    """A server that answers as it is told, and knows what it was asked."""

    port: int
    statuses: list[int]
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    said: bytes = b"said"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/store"


@contextmanager
def serving(*statuses: int, **headers: str) -> Iterator[Server]:
    """Answer with these statuses, one after the other, and then with 200."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            found.logins.append(self.headers.get("Authorization"))
            found.paths.append(self.path)
            self.send_response_only(found.statuses.pop(0) if found.statuses else 200)
            for name, value in {**found.headers, "Content-Length": str(len(found.said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.said)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Server(server.server_port, list(statuses), headers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(http.USER, LOGIN)
    monkeypatch.setenv(http.PASSWORD, SECRET)


def one_line(error: BaseException) -> str:
    """What an error says: one line, without credentials."""
    text = str(error)
    assert "\n" not in text
    assert SECRET not in text
    assert LOGIN not in text
    return text


def test_a_busy_store_is_asked_again() -> None:
    with serving(503, 502, 429) as server, http.opened(server.address) as link:
        assert link.send("POST", server.address, b"body").content == b"said"
        assert server.bodies == [b"body"] * 4


def test_a_body_is_made_anew_for_each_attempt() -> None:
    made = []

    def body() -> Iterator[bytes]:
        made.append(1)
        yield b"body"

    with serving(503) as server, http.opened(server.address) as link:
        link.send("POST", server.address, body, {"Content-Length": "4"})
    assert len(made) == 2
    assert server.bodies == [b"body"] * 2


def test_what_may_be_half_done_is_not_sent_again() -> None:
    with serving(503) as server, http.opened(server.address) as link:
        with pytest.raises(StoreUnavailable) as refused:
            link.send("POST", server.address, b"body", again=False)
        assert len(server.bodies) == 1
    assert "HTTP 503" in one_line(refused.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500])
def test_what_is_refused_is_not_sent_again(status: int) -> None:
    with serving(status) as server, http.opened(server.address) as link:
        with pytest.raises(StoreError) as refused:
            link.send("POST", server.address, b"body")
        assert len(server.bodies) == 1
    assert not isinstance(refused.value, StoreUnavailable)
    assert f"HTTP {status}" in str(refused.value)


def test_patience_ends() -> None:
    with serving(*[503] * 99) as server, http.opened(server.address, patience=0.3) as link:
        with pytest.raises(StoreUnavailable) as refused:
            link.send("POST", server.address, b"body")
        assert 1 <= len(server.bodies) < 99
    one_line(refused.value)


def test_who_may_not_is_told_where_to_say_who_he_is() -> None:
    with serving(401) as server, http.opened(server.address) as link, pytest.raises(StoreError) as refused:
        link.send("POST", server.address, b"body")
    assert http.PASSWORD in one_line(refused.value)
    assert server.logins[0] is not None


def test_a_store_that_is_not_there_is_named() -> None:
    address = f"http://127.0.0.1:{servers.free_port()}/store"
    with http.opened(address, patience=0.2) as link, pytest.raises(StoreUnavailable) as refused:
        link.send("GET", f"{address}?query=secret")
    assert address in one_line(refused.value)
    assert "query" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        f"http://{LOGIN}:{SECRET}@127.0.0.1:1/x",
        f"http://{LOGIN}:{SECRET}#1@127.0.0.1/",
        f"fusecki:http://{LOGIN}:{SECRET}@127.0.0.1:1/x",
        f"ftp://127.0.0.1/x?apikey={SECRET}",
        "127.0.0.1:3030/x",
        "http:///x",
        "http://[::1/x",
        "http://localhost:abc/x",
        "http://localhost:99999/x",
        "http://localhost/\x7f",
    ],
)
def test_addresses_that_cannot_be_are_refused(address: str) -> None:
    with pytest.raises(UsageError) as refused, http.opened(address):
        pass
    one_line(refused.value)


@pytest.mark.parametrize("said", [{}, {"kind": Kind.OXIGRAPH}, {"jar": Path("x.jar")}])
@pytest.mark.parametrize("kind", ["", "fuseki:"])
def test_an_address_is_looked_at_before_it_is_told(kind: str, said: dict[str, Any]) -> None:
    for place in (f"{LOGIN}:{SECRET}@127.0.0.1:1/x?y=1", f"127.0.0.1:1/x?apikey={SECRET}"):
        opened = stores.opened(f"{kind}http://{place}", patience=0.1, **said)
        with pytest.raises((UsageError, StoreUnavailable)) as refused, opened:
            pass
        one_line(refused.value)


@pytest.mark.parametrize("option", ["update", "graph_store"])
def test_an_address_beside_it_is_looked_at_too(option: str) -> None:
    with pytest.raises(UsageError) as refused, stores.opened("http://127.0.0.1:1/", **{option: "http://[::1/x"}):  # type: ignore[arg-type]
        pass
    one_line(refused.value)


def ask(address: str, query: str = "SELECT * {}", form: str = "table") -> tuple[int, str]:
    """The exit code and the line of a query that fails."""
    done = CliRunner().invoke(app, ["-v", "query", query, "--on", address, "--format", form], catch_exceptions=False)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr
    return done.exit_code, done.stderr


def test_a_key_in_an_address_is_sent_and_not_told() -> None:
    with serving(500) as server:
        code, told = ask(f"{server.address}?apikey={SECRET}")
    assert server.paths == [f"/store?apikey={SECRET}"]
    assert (code, f"{server.address}: HTTP 500" in told) == (5, True)


def test_a_key_in_an_address_stays_beside_what_is_sent_with_it() -> None:
    with serving() as server, http.opened(f"{server.address}?apikey={SECRET}") as link:
        link.send("PUT", link.url, b"", params={"graph": "urn:a"})
    assert server.paths == [f"/store?apikey={SECRET}&graph=urn%3Aa"]


def test_the_first_piece_of_a_body_is_made_before_the_headers_are_sent() -> None:
    told: list[str] = []

    def body() -> Iterator[bytes]:
        told.append("made")
        yield b"first"
        told.append("asked for more")
        yield b"second"

    class Client:
        """Says what was made when the request began, and then reads the body."""

        def request(self, *_: str, **given: Any) -> httpx.Response:
            assert told == ["made"]
            return httpx.Response(200, content=b"".join(given["content"]))

    link = http.Http(Client(), "http://localhost/")  # type: ignore[arg-type]
    assert link.send("POST", link.url, body).content == b"firstsecond"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_an_answer_that_is_cut_after_its_first_rows_is_said(form: str) -> None:
    row = '{"s":{"type":"uri","value":"urn:a"}}'
    with serving(**{"Content-Type": http.RESULTS}) as server:
        server.said = f'{{"head":{{"vars":["s"]}},"results":{{"bindings":[{row},{row},'.encode()
        code, told = ask(server.address, form=form)
    assert (code, "the answer cannot be read" in told) == (5, True)


def test_a_query_that_is_no_text_is_refused() -> None:
    with serving() as server:
        assert ask(server.address, "SELECT '\udcff' {}") == (2, "pfocr-rdf: the query is no text in UTF-8\n")


def test_an_answer_that_is_no_result_is_said() -> None:
    with (
        serving() as server,
        stores.opened(server.address, kind=Kind.SPARQL) as store,
        pytest.raises(StoreError) as refused,
    ):
        store.select("SELECT * {}")
    assert "no SPARQL result" in one_line(refused.value)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ({"Server": "Oxigraph/0.5.13"}, Kind.OXIGRAPH),
        ({"Server": "Virtuoso/07.20.3229 (Linux)"}, Kind.VIRTUOSO),
        ({"Fuseki-Request-Id": "7"}, Kind.FUSEKI),
        ({"Server": "nginx"}, None),
    ],
)
def test_a_store_is_known_by_its_headers(header: dict[str, str], kind: Kind | None) -> None:
    with serving(**header) as server:
        assert stores.detected(server.address) is kind


def test_a_store_of_no_known_kind_has_to_be_named() -> None:
    with serving() as server, pytest.raises(UsageError) as refused, stores.opened(server.address):
        pass
    assert "--store" in one_line(refused.value)


@pytest.mark.parametrize(
    ("to", "kind", "expected"),
    [
        ("http://localhost/x", None, (None, "http://localhost/x")),
        ("fuseki:http://localhost/x", None, (Kind.FUSEKI, "http://localhost/x")),
        ("fuseki:some/folder", Kind.FUSEKI, (Kind.FUSEKI, "some/folder")),
        ("some/folder", Kind.OXIGRAPH, (Kind.OXIGRAPH, "some/folder")),
        ("C:folder", None, (None, "C:folder")),
    ],
)
def test_an_address_may_begin_with_its_kind(to: str, kind: Kind | None, expected: tuple[Kind | None, str]) -> None:
    assert stores.parted(to, kind) == expected


@pytest.mark.parametrize(("to", "kind"), [("fuseki:db", Kind.OXIGRAPH), ("oxigraph:", None), ("", None)])
def test_addresses_that_say_nothing_or_two_things_are_refused(to: str, kind: Kind | None) -> None:
    with pytest.raises(UsageError):
        stores.parted(to, kind)


def test_services_are_found_below_their_store() -> None:
    assert sparql.below("http://localhost/ds/update/", ("query", "update")) == "http://localhost/ds"
    with pytest.raises(UsageError):
        sparql.below("http://localhost/ds?query=x", ("query",))
