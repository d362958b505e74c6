"""nginx in front of two stores, with the configuration that `proxy` writes: read only, and switched without a gap."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.serve.proxy import Colour, configuration
from tests.servers import PATIENCE, answers, free_port, running
from tests.serving import FORM, Serving, built, database, point, serving
from tests.support import unavailable

CLIENTS = 8
SWITCHES = 5
VERSION = "SELECT ?v WHERE { GRAPH ?g { ?d <http://purl.org/pav/version> ?v } }"


def require_nginx() -> Path:
    """Where nginx is: on Debian it lies where not every user looks for programs."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        unavailable("nginx is not installed (Debian package nginx-light)")
    return Path(found)


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[list[str | Path]]:
    """Run nginx over `folder/pfocr.conf`, and write in the folder alone; yield the command, to which `-s` is added."""
    program = require_nginx()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    lines = [
        "daemon off;",
        "worker_processes 2;",
        f"pid {folder}/nginx.pid;",
        f"error_log {folder}/error.log warn;",
        "events { worker_connections 256; }",
        "http {",
        "  access_log off;",
        *(f"  {kind}_temp_path {folder}/{kind};" for kind in kinds),
        f"  include {folder}/pfocr.conf;",
        "}",
    ]
    (folder / "nginx.conf").write_text("\n".join(lines) + "\n")
    command: list[str | Path] = [program, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]
    with running(command, folder, answers(f"http://127.0.0.1:{port}/live")):
        yield command


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Colour, Serving]]:
    """Two stores, which say who they are."""
    folder = tmp_path_factory.mktemp("stores")
    build = built(folder / "build")
    for colour in Colour:
        (folder / colour).mkdir()
        point(folder / colour / "current", database(build, folder / colour / "db-1", colour))
    with serving(folder / "blue", folder / "blue") as blue, serving(folder / "green", folder / "green") as green:
        yield {Colour.BLUE: blue, Colour.GREEN: green}


def write(stores: dict[Colour, Serving], live: Colour, port: int, out: Path) -> None:
    """Let `pfocr-rdf proxy` write the configuration."""
    places = [part for colour in Colour for part in (f"--{colour}", f"{stores[colour].url}/sparql")]
    done = CliRunner().invoke(
        app, ["proxy", *places, "--live", live, "--listen", f"127.0.0.1:{port}", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output


def test_a_switch_has_no_gap(stores: dict[Colour, Serving], tmp_path: Path) -> None:
    port, conf = free_port(), tmp_path / "pfocr.conf"
    write(stores, Colour.BLUE, port, conf)
    front = Serving(port)
    seen: list[tuple[float, str]] = []
    failed: list[str] = []
    stop = threading.Event()

    def ask(post: bool) -> None:
        while not stop.is_set():
            try:
                (row,) = (front.post if post else front.get)(VERSION).rows()
            except Exception as error:  # whatever it is, it is counted
                failed.append(repr(error))
            else:
                seen.append((time.monotonic(), row["v"]))

    with nginx(tmp_path, port) as command:
        threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, SWITCHES + 1):
                live = (Colour.BLUE, Colour.GREEN)[number % 2]
                write(stores, live, port, conf)
                subprocess.run([*command, "-t", "-q"], check=True, timeout=PATIENCE)
                subprocess.run([*command, "-s", "reload"], check=True, timeout=PATIENCE)
                _until_live(front, live)
                time.sleep(0.5)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert failed == []
    assert {version for _, version in seen} == set(Colour)
    times = sorted(at for at, _ in seen)
    gap = max(after - before for before, after in pairwise(times))
    print(f"{len(seen)} answers, {SWITCHES} switches, longest time without an answer {gap:.3f} s")
    assert gap < 3


def test_a_query_that_runs_is_finished_by_the_former_store(stores: dict[Colour, Serving], tmp_path: Path) -> None:
    port, conf = free_port(), tmp_path / "pfocr.conf"
    write(stores, Colour.BLUE, port, conf)
    front = Serving(port)
    found: list[str] = []
    with nginx(tmp_path, port) as command:
        number, longer = 0, False
        while not longer:
            number += 1
            here, there = (Colour.GREEN, Colour.BLUE) if number % 2 == 0 else (Colour.BLUE, Colour.GREEN)
            rows = " ".join(map(str, range(4**number)))
            slow = (
                f"SELECT (SAMPLE(?v) AS ?v1) (COUNT(?c) AS ?n) WHERE {{ VALUES ?k {{ {rows} }} "
                f"?a ?b ?c . ?d a ?f . {{ {VERSION} }} }}"
            )
            running = threading.Thread(target=lambda text: found.append(front.post(text).rows()[0]["v1"]), args=(slow,))
            running.start()
            time.sleep(0.2)
            write(stores, there, port, conf)
            subprocess.run([*command, "-s", "reload"], check=True, timeout=PATIENCE)
            _until_live(front, there)
            longer = running.is_alive()
            running.join()
            assert found[-1] == here
            assert front.get(VERSION).rows() == [{"v": there}]


def test_nothing_but_queries_gets_through(stores: dict[Colour, Serving], tmp_path: Path) -> None:
    port, conf = free_port(), tmp_path / "pfocr.conf"
    write(stores, Colour.GREEN, port, conf)
    front = Serving(port)
    with nginx(tmp_path, port):
        turtle, update = "text/turtle", "application/sparql-update"
        for method, path, media, status in (
            ("GET", "/health", "", 404),
            ("GET", "/sparql/", "", 404),
            ("GET", "/sparql?update=CLEAR+ALL", "", 403),
            ("GET", "/sparql?query=ASK%7B%7D&%75pdat%65=CLEAR+ALL", "", 403),
            ("PUT", "/sparql?graph=http://x", turtle, 405),
            ("DELETE", "/sparql?default", "", 405),
            ("PATCH", "/sparql", "application/rdf-patch", 405),
            ("POST", "/sparql", turtle, 415),
            ("POST", "/sparql", update, 415),
            ("POST", "/sparql", f"{update}; x=application/sparql-query", 415),
            ("POST", "/sparql", "", 415),
        ):
            headers = {"Content_Type": media} if media else {}
            assert front.send(method, path, b"x", **headers).status == status, (method, path, media)
        assert front.send("POST", "/sparql", b"x" * (1 << 20) + b"y", Content_Type=FORM).status == 413
        assert front.get(VERSION).rows() == front.post(VERSION).rows() == [{"v": "green"}]
        direct = front.send("POST", "/sparql", VERSION.encode(), Content_Type="application/sparql-query; charset=utf-8")
        assert direct.rows() == [{"v": "green"}]
        assert front.send("OPTIONS", "/sparql").headers["access-control-allow-methods"] == "GET, HEAD, POST"
        assert front.send("GET", "/live").text == "green\n"


def test_credentials_of_clients_do_not_reach_a_store(tmp_path: Path) -> None:
    heard: list[str] = []
    port, store = free_port(), free_port()
    places = {Colour.BLUE: f"http://127.0.0.1:{store}/ds/query", Colour.GREEN: "http://127.0.0.1:9/"}
    (tmp_path / "pfocr.conf").write_text(configuration(places, Colour.BLUE, f"127.0.0.1:{port}", 30))
    with _listener(store, heard), nginx(tmp_path, port):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        link.request("GET", "/sparql?query=ASK%7B%7D", headers={"Authorization": "Basic eDp5", "Accept": "text/csv"})
        assert link.getresponse().status == 200
        link.close()
    assert heard[0].startswith("GET /ds/query?query=ASK%7B%7D HTTP/1.1\r\n")
    assert "authorization" not in heard[0].lower()
    assert "Accept: text/csv" in heard[0]
    assert "X-BIGDATA-READ-ONLY: yes" in heard[0], "by this Blazegraph refuses updates"


@pytest.mark.parametrize("bad", ["ftp://x/", "http://x/;}", "http://a b/", "https://x/$host", "", "127.0.0.1:3030"])
def test_what_is_no_address_is_not_written(bad: str) -> None:
    good = "http://127.0.0.1:3030/ds/query"
    with pytest.raises(UsageError, match="--blue"):
        configuration({Colour.BLUE: bad, Colour.GREEN: good}, Colour.BLUE, "127.0.0.1:80", 60)
    with pytest.raises(UsageError, match="--listen"):
        configuration({Colour.BLUE: good, Colour.GREEN: good}, Colour.BLUE, f"80; {bad}", 60)


def _until_live(front: Serving, live: Colour) -> None:
    """Wait until each new connection meets the new processes: for a moment the old ones take some too."""
    end = time.monotonic() + PATIENCE
    in_a_row = 0
    while in_a_row < 10:
        in_a_row = in_a_row + 1 if front.send("GET", "/live").text.strip() == live else 0
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def _listener(port: int, heard: list[str]) -> Iterator[None]:
    """Answer one request, and keep its head."""
    with socket.create_server(("127.0.0.1", port)) as listening:

        def answer() -> None:
            link, _ = listening.accept()
            with link:
                heard.append(link.recv(65536).decode())
                link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join()
