"""Loading and updating real stores: what they hold afterwards, what clients see meanwhile, what faults leave behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import asking, served
from benchmarks.served import Server
from pfocr_rdf import identifiers as ids
from pfocr_rdf.cli import app
from pfocr_rdf.stores import content, load, programs, update, verify
from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores import open as opening
from pfocr_rdf.stores.content import HELD, Content
from pfocr_rdf.stores.contract import Kind, Reach, Store, StoreError, StoreUnavailable
from pfocr_rdf.stores.held import State
from tests import proxy, servers, storing
from tests.proxy import Cut
from tests.storing import Chain
from tests.support import BLAZEGRAPH, require_jar, require_jena, unavailable

KINDS = (Kind.OXIGRAPH, Kind.FUSEKI, Kind.BLAZEGRAPH, Kind.VIRTUOSO)
OURS = ids.graph("")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return storing.chain(tmp_path_factory.mktemp("chain"), figures=20)


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of each kind; tests that kill it start it again."""
    with serving(request.param, tmp_path_factory.mktemp("server") / "it") as server:
        yield server


@contextmanager
def serving(kind: Kind, folder: Path) -> Iterator[Server]:
    try:
        with served.served(kind, folder, memory=1024) as server:
            os.environ.update(server.environment)
            yield server
    except programs.Missing as missing:
        unavailable(str(missing))


@contextmanager
def opened(server: Server | Folder, address: str = "", patience: float = 60) -> Iterator[Store]:
    jar = server.jar if isinstance(server, Folder) else None
    with opening.opened(address or server.address, kind=server.kind, patience=patience, jar=jar) as store:
        yield store


@pytest.fixture
def server(running: Server) -> Server:
    """The server, without any graph of ours."""
    with opened(running) as store:
        store.remove([iri for iri in store.counts() if iri.startswith(OURS) or iri.startswith(storing.ENDPOINT)])
    return running


def believable(store: Store, *releases: Content) -> None:
    """A store that says it is complete holds a release; else what it says of each graph is so.

    A server may still be about the last thing that a killed command asked for. So what a store says of itself is
    held against what was read before it said the same again.
    """
    while True:
        said = holding.read(store)
        wrong = _wrong(store, said, releases)
        if holding.read(store) == said:
            break
    assert not wrong, said


def _wrong(store: Store, said: holding.Held | None, releases: tuple[Content, ...]) -> list[str]:
    """Return what of a store is not as it says."""
    if said is None:
        return []
    if said.state is State.COMPLETE:
        alike = [release for release in releases if said == holding.of(release, part=False)]
        if any(storing.exactly(store, release) for release in alike):
            return []
        return [f"not {each.version}: {verify.counts(store, each)}" for each in alike] or ["none of the releases"]
    counts = store.counts()
    return [iri for iri, entry in said.graphs.items() if entry is not None and counts.get(iri, 0) != entry.triples]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-c", "from pfocr_rdf.cli import main; main()", *map(str, words)]


def test_a_chain_of_releases_is_loaded_and_followed_triple_by_triple(
    server: Server, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "LARGE", 100)  # so that some graphs are large
    with opened(server) as store:
        assert load.into(store, chain.content(0)).new
        assert storing.exactly(store, chain.content(0))
        again = load.into(store, chain.content(0))
        assert (again.new, again.loaded) == (False, ())
        for number in (1, 2):
            done = update.into(store, chain.content(number))
            assert (done.way, done.repaired) == ("difference", ())
            assert done.sampled > 5
            assert storing.exactly(store, chain.content(number))
        assert load.into(store, chain.content(0)).new
        assert storing.exactly(store, chain.content(0))


@pytest.mark.slow
def test_some_layers_are_loaded_and_updated_alone(server: Server, chain: Chain) -> None:
    with opened(server) as store:
        names = ["core", "entities"]
        load.into(store, chain.content(0), layers=names)
        update.into(store, chain.content(1))
        expected = {graph.iri: graph.triples for graph in chain.content(1).only(names).graphs}
        assert {iri: n for iri, n in store.counts().items() if iri in OURS or iri != HELD} == expected
        assert verify.sample(store, chain.content(1).only(names), ())[0] == {}


@pytest.mark.slow
def test_all_is_loaded_where_the_base_is_unknown(server: Server, chain: Chain, tmp_path: Path) -> None:
    alone = content.read(storing.copy_of(chain.places[1], tmp_path / "alone" / "new"))
    with opened(server) as store:
        load.into(store, chain.content(0))
        assert update.into(store, alone).way == "full"
        assert storing.exactly(store, alone)


def test_clients_see_the_old_release_or_the_new_one(server: Server, chain: Chain) -> None:
    expected = asking.numbers(*(chain.content(number) for number in range(3)))
    with opened(server) as store:
        load.into(store, chain.content(0))
        with asking.asking(server.query, expected) as asked:
            asked.wait(0.5)
            for number in (1, 2, 1, 2):
                update.into(store, chain.content(number), compact=False)
                asked.wait(0.2)
        assert asked.failed == []
        if store.abilities.changes is Reach.ALL:
            assert (asked.empty, asked.mixed) == (0, [])
        assert set(asked.right) == set(expected)


def test_clients_see_no_gap_while_all_is_replaced(server: Server, chain: Chain) -> None:
    expected = asking.numbers(chain.content(0), chain.content(2))
    with opened(server) as store:
        load.into(store, chain.content(0))
        with asking.asking(server.query, expected) as asked:
            asked.wait(0.5)
            load.into(store, chain.content(2), compact=False)
            asked.wait(0.5)
        assert asked.failed == []
        if store.abilities.replaces is Reach.ALL:
            assert (asked.empty, asked.mixed) == (0, [])
        assert set(asked.right) == set(expected)


@pytest.mark.slow
@pytest.mark.parametrize("cut", Cut)
def test_a_connection_that_is_cut_leaves_a_release_and_the_next_run_completes(
    server: Server, chain: Chain, cut: Cut
) -> None:
    host, port = served.place_of(server)
    with opened(server) as store, proxy.proxy(host, port) as between:
        load.into(store, chain.content(0))
        address = server.address.replace(f"{host}:{port}", f"127.0.0.1:{between.port}")
        with opened(server, address, patience=5) as through:
            between.cuts.append(cut)
            try:
                update.into(through, chain.content(1))
            except StoreError:
                believable(store, chain.content(0), chain.content(1))
                update.into(store, chain.content(1))
        if server.kind is not Kind.VIRTUOSO:  # changes go another way there
            assert between.done == [cut]
        assert storing.exactly(store, chain.content(1))


@pytest.mark.slow
def test_a_store_that_comes_back_is_waited_for(server: Server, chain: Chain) -> None:
    with opened(server) as store:
        load.into(store, chain.content(0))
    server.stop()
    later = threading.Timer(1, server.start)
    later.start()
    try:
        with opened(server) as store:
            update.into(store, chain.content(1))
            assert storing.exactly(store, chain.content(1))
    finally:
        later.join()


@pytest.mark.slow
def test_a_store_that_is_away_is_said_in_one_line(server: Server, chain: Chain) -> None:
    server.stop()
    try:
        with (
            pytest.raises(StoreUnavailable, match=r"cannot be reached.*is the store running\?"),
            opened(server, patience=0.5) as store,
        ):
            load.into(store, chain.content(0))
    finally:
        server.start()


@dataclass(frozen=True)
class Folder:
    """A database in a folder, which commands change without a server."""

    kind: Kind
    place: Path
    jar: Path | None = None

    @property
    def address(self) -> str:
        return f"{self.kind}:{self.place}"


class Victims:
    """Commands that are killed, or whose server is, at a random moment before their usual end."""

    def __init__(self, server: Server | Folder, rng: random.Random) -> None:
        self.server, self.rng = server, rng
        self.early = 0
        self.lost = 0
        self._usual: dict[str, float] = {}

    def run(self, *words: str) -> None:
        """Let a command come to its end, and remember how long that took: the least, for the machine may be busy."""
        began = time.monotonic()
        subprocess.run(self._command(*words), check=True, capture_output=True)
        self._ended(words[0], time.monotonic() - began)

    def _ended(self, act: str, seconds: float) -> None:
        self._usual[act] = min(seconds, self._usual.get(act, seconds))

    def kill(self, *words: str, with_server: bool) -> None:
        """Begin a command and kill it; or its server, and then wait for it."""
        began = time.monotonic()
        moment = self._usual[words[0]] * self.rng.uniform(0.2, 0.95)
        with subprocess.Popen(self._command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(moment)
                self._ended(words[0], time.monotonic() - began)
            except subprocess.TimeoutExpired:
                self.early += 1
            if with_server and isinstance(self.server, Server):
                self.server.kill()
                self._start_again(self.server)
            elif process.poll() is None:
                process.send_signal(signal.SIGKILL)

    def _start_again(self, server: Server) -> None:
        """Start a server over its data; over an empty folder where its own recovery fails, as docs/load.md says."""
        try:
            server.start()
        except RuntimeError:
            self.lost += 1
            shutil.rmtree(server.data)
            server.data.mkdir()
            server.start()

    def _command(self, *words: str) -> list[str]:
        jar = ["--jar", str(self.server.jar)] if isinstance(self.server, Folder) and self.server.jar else []
        return command(*words, "--to", self.server.address, *jar)


def kills(server: Server | Folder, chain: Chain, number: int, rng: random.Random) -> int:
    """Kill loaders and servers amid loads and updates; each next run completes. Return how often before the end."""
    victims = Victims(server, rng)
    victims.run("load", str(chain.places[0]))
    victims.run("update", str(chain.places[1]))
    now = 1
    for turn in range(number):
        goal = (now + 1) % 3
        act = "load" if turn % 5 == 4 else "update"
        victims.kill(act, str(chain.places[goal]), with_server=turn % 2 == 0)
        with opened(server) as store:
            believable(store, chain.content(now), chain.content(goal))
            (load.into if act == "load" else update.into)(store, chain.content(goal))
            assert storing.exactly(store, chain.content(goal)), turn
        now = goal
    assert victims.lost <= number // 25
    return victims.early


@pytest.mark.slow
def test_clients_see_no_part_of_an_update_that_is_killed(server: Server, chain: Chain) -> None:
    expected = asking.numbers(*(chain.content(number) for number in range(3)))
    victims = Victims(server, random.Random(9))  # noqa: S311
    victims.run("load", str(chain.places[0]))
    with opened(server) as store, asking.asking(server.query, expected) as asked:
        victims.run("update", str(chain.places[1]))
        for goal in (2, 0, 1, 2, 0, 1):
            victims.kill("update", str(chain.places[goal]), with_server=False)
            asked.wait(0.5)  # a server may be about what it was asked for still
            update.into(store, chain.content(goal), compact=False)
            asked.wait(0.2)
            assert storing.exactly(store, chain.content(goal))
        at_once = store.abilities.changes is store.abilities.replaces is Reach.ALL
    assert victims.early >= 4
    assert asked.failed == []
    assert at_once
    assert (asked.empty, asked.mixed) == (0, [])
    assert set(asked.right) == set(expected)


@pytest.mark.slow
def test_what_is_killed_is_finished_by_the_next_run(server: Server, chain: Chain) -> None:
    kills(server, chain, 2, random.Random(3))  # noqa: S311


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_fifty_kills_lose_nothing(server: Server, chain: Chain) -> None:
    assert kills(server, chain, 50, random.Random(5)) >= 40  # noqa: S311


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "number"), [(Kind.OXIGRAPH, 50), (Kind.FUSEKI, 10), (Kind.BLAZEGRAPH, 10)], ids=lambda given: str(given)
)
def test_a_folder_whose_loader_is_killed_is_finished_by_the_next_run(
    kind: Kind, number: int, chain: Chain, tmp_path: Path
) -> None:
    jars = {Kind.FUSEKI: require_jena, Kind.BLAZEGRAPH: lambda: require_jar(BLAZEGRAPH)}
    folder = Folder(kind, tmp_path / "db", jars[kind]() if kind in jars else None)
    assert kills(folder, chain, number, random.Random(7)) >= number * 4 // 5  # noqa: S311


def test_a_wrong_password_and_a_wrong_address_are_said_in_one_line(chain: Chain) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            self.send_response(401 if "closed" in self.path else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _refuse

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{httpd.server_port}"
    try:
        for place, kind, code, told in (
            ("/closed", "sparql", 5, "set PFOCR_RDF_STORE_USER and PFOCR_RDF_STORE_PASSWORD"),
            ("/nowhere", "sparql", 5, "nothing at"),
            ("/closed", "fuseki", 5, "set PFOCR_RDF_STORE_USER and PFOCR_RDF_STORE_PASSWORD"),
        ):
            done = subprocess.run(
                command("load", chain.places[0], "--to", base + place, "--store", kind), capture_output=True, text=True
            )
            assert (done.returncode, done.stdout) == (code, "")
            assert told in done.stderr
            assert len(done.stderr.splitlines()) == 1
        done = subprocess.run(
            command("load", chain.places[0], "--to", "http://user:secret@127.0.0.1:1/"), capture_output=True, text=True
        )
        assert (done.returncode, "secret" in done.stderr) == (2, False)
    finally:
        httpd.shutdown()
        httpd.server_close()


@pytest.mark.slow
def test_the_command_says_what_it_did(server: Server, chain: Chain) -> None:
    def said(*words: str | Path) -> dict[str, object]:
        done = subprocess.run(command(*words, "--json"), capture_output=True, text=True, check=True)
        found: dict[str, object] = json.loads(done.stdout)
        return found

    assert said("load", chain.places[0], "--to", server.address)["new"] is True
    assert said("load", chain.places[0], "--to", server.address)["new"] is False
    assert said("update", chain.site, "--to", server.address, "--base", chain.places[0])["way"] == "difference"
    assert said("update", chain.places[2], "--to", server.address)["way"] == "nothing"


@pytest.mark.parametrize("graphs", [True, False], ids=["put", "updates"])
def test_the_addresses_of_updates_and_graphs_may_be_said(chain: Chain, tmp_path: Path, graphs: bool) -> None:
    """What an endpoint of no known kind does not tell is said by options; without them it is refused in one line."""
    with servers.oxigraph(servers.require_oxigraph(), tmp_path) as endpoint:
        words = ["--to", endpoint.query, "--store", "sparql"]
        refused = CliRunner().invoke(app, ["load", str(chain.places[0]), *words])
        assert refused.exit_code == 5
        words += ["--update", endpoint.update, *(["--graph-store", endpoint.graphs] if graphs else [])]
        loaded, updated = (
            CliRunner().invoke(app, [act, str(chain.places[number]), *words, "--json"], catch_exceptions=False)
            for number, act in enumerate(("load", "update"))
        )
        assert (loaded.exit_code, updated.exit_code) == (0, 0)
        assert json.loads(updated.stdout)["way"] == "difference"
        with opening.opened(endpoint.query) as store:
            assert storing.exactly(store, chain.content(1))


@pytest.mark.slow
def test_the_jar_of_a_folder_may_be_said(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = require_jena()
    monkeypatch.setattr(programs, "_fetch", None)
    words = ["load", str(chain.places[0]), "--to", f"fuseki:{tmp_path / 'db'}", "--jar", str(jar)]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    with opening.opened(f"fuseki:{tmp_path / 'db'}", jar=jar) as store:
        assert storing.exactly(store, chain.content(0))


@pytest.mark.parametrize("kind", ["folder", Kind.OXIGRAPH])
def test_a_disk_that_is_full_keeps_what_was_there_and_the_next_run_completes(
    kind: str, disk: Path, chain: Chain
) -> None:
    def run(act: Callable[[Store], object], address: str) -> None:
        with opening.opened(address, kind=None if kind == "folder" else Kind.OXIGRAPH, patience=2) as store:
            act(store)

    def scene(address: str, restart: Callable[[], None]) -> None:
        run(lambda store: load.into(store, chain.content(0)), address)
        ballast = disk / "ballast"
        subprocess.run(["/bin/dd", "if=/dev/zero", f"of={ballast}", "bs=16K", "status=none"], stderr=subprocess.DEVNULL)
        with pytest.raises((StoreError, OSError)):
            run(lambda store: load.into(store, chain.content(1)), address)
        ballast.unlink()
        restart()
        run(lambda store: believable(store, chain.content(0), chain.content(1)), address)
        run(lambda store: update.into(store, chain.content(1)), address)

        def ends(store: Store) -> None:
            assert storing.exactly(store, chain.content(1))

        run(ends, address)

    if kind == "folder":
        scene(str(disk / "database"), lambda: None)
        return
    with serving(Kind.OXIGRAPH, disk / "server") as server:

        def restart() -> None:
            server.stop()
            server.start()

        scene(server.address, restart)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thirty_daily_updates_leave_fuseki_no_larger_than_half_more_than_a_fresh_load(tmp_path: Path) -> None:
    month = storing.chain(tmp_path / "month", figures=300, releases=31)
    with serving(Kind.FUSEKI, tmp_path / "fresh") as server:
        with opened(server) as store:
            load.into(store, month.content(30))
        server.stop()
        fresh = server.bytes()
    with serving(Kind.FUSEKI, tmp_path / "daily") as server:
        with opened(server) as store:
            load.into(store, month.content(0))
            for day in range(1, 31):
                assert update.into(store, month.content(day)).way == "difference"
            assert storing.exactly(store, month.content(30))
        server.stop()
        assert server.bytes() <= 1.5 * fresh
