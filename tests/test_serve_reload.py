"""A new release is taken up without a gap: no answer fails, none is empty, none is half of each."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pfocr_rdf import buildfolder
from pfocr_rdf.release.folder import CURRENT, RELEASES
from pfocr_rdf.stores.content import HELD
from tests.releasing import release
from tests.serving import Serving, built, database, point, serving

CLIENTS = 8
SWITCHES = 5
GRAPH = "https://w3id.org/pfocr/graph/"
SEEN = """SELECT ?version ?core ?entities WHERE {
  { SELECT (SAMPLE(?v) AS ?version) WHERE { GRAPH <%s> { ?d <%s> ?v } } }
  { SELECT (COUNT(*) AS ?core) WHERE { GRAPH <https://w3id.org/pfocr/graph/core> { ?s ?p ?o } } }
  { SELECT (COUNT(*) AS ?entities) WHERE { GRAPH <https://w3id.org/pfocr/graph/entities> { ?s ?p ?o } } }
}"""
RELEASED = SEEN % (f"{GRAPH}void", "http://www.w3.org/ns/dcat#version")
LOADED = SEEN % (HELD, "http://purl.org/pav/version")

State = tuple[str, int, int]


@dataclass
class Asked:
    """What clients that ask without pause were told: states, what was no answer, the longest time without one."""

    states: list[State] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    gap: float = 0.0


@contextmanager
def clients(server: Serving, text: str) -> Iterator[Asked]:
    """Let clients ask without pause while the block lasts."""
    asked, stop, one = Asked(), threading.Event(), threading.Lock()
    last = time.monotonic()

    def ask(post: bool) -> None:
        nonlocal last
        while not stop.is_set():
            try:
                got = (server.post if post else server.get)(text)
                (row,) = got.rows()
                state = row["version"], int(row["core"]), int(row["entities"])
                assert got.headers["pfocr-release"] == row["version"]
            except Exception as error:  # whatever it is, it is counted
                asked.failed.append(repr(error))
                continue
            with one:
                asked.states.append(state)
                now = time.monotonic()
                asked.gap, last = max(asked.gap, now - last), now

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait(server: Serving, version: str) -> None:
    """Wait until a version is served."""
    end = time.monotonic() + 60
    while json.loads(server.send("GET", "/health").body)["version"] != version:
        assert time.monotonic() < end, f"{version} is not served"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("builds")
    return [built(folder / "all"), built(folder / "less", 3)]


def state(version: str, build: Path) -> State:
    layers = buildfolder.read_manifest(build)["layers"]
    return version, layers["core"]["triples"], layers["entities"]["triples"]


def test_releases_are_switched_without_a_gap(builds: list[Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    versions = [f"2026010{number}" for number in range(1, SWITCHES + 2)]
    for number, version in enumerate(versions):
        release(builds[number % 2], site, version)
    point(site / CURRENT, site / RELEASES / versions[0])
    with serving(site, tmp_path) as server, clients(server, RELEASED) as asked:
        for version in versions:
            point(site / CURRENT, site / RELEASES / version)
            wait(server, version)
            many = len(asked.states) + 3 * CLIENTS
            _until(lambda many=many: len(asked.states) > many)  # type: ignore[misc]
        void = server.send("GET", "/.well-known/void").text
    assert asked.failed == []
    assert set(asked.states) == {state(version, builds[number % 2]) for number, version in enumerate(versions)}
    assert asked.gap < 5
    assert f"dataset/pfocr/{versions[-1]}" in void
    assert f"void:sparqlEndpoint <{server.url}/sparql>" in void
    print(f"{len(asked.states)} answers, longest time without one {asked.gap:.3f} s")


@pytest.mark.slow
def test_an_oxigraph_folder_is_switched_without_a_gap(builds: list[Path], tmp_path: Path) -> None:
    """Even when the former database is removed at once: it is so small that all its files are open."""
    place = tmp_path / "oxigraph"
    place.mkdir()
    versions = [f"v{number}" for number in range(SWITCHES + 1)]
    made = [database(builds[number % 2], place / f"db-{number}", version) for number, version in enumerate(versions)]
    point(place / CURRENT, made[0])
    with serving(place, tmp_path) as server, clients(server, LOADED) as asked:
        for number, version in enumerate(versions):
            if number:
                point(place / CURRENT, made[number])
                shutil.rmtree(made[number - 1])
            wait(server, version)
            many = len(asked.states) + 3 * CLIENTS
            _until(lambda many=many: len(asked.states) > many)  # type: ignore[misc]
    assert asked.failed == []
    assert set(asked.states) == {state(version, builds[number % 2]) for number, version in enumerate(versions)}


def test_what_cannot_be_served_is_not_switched_to(builds: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "oxigraph"
    place.mkdir()
    point(place / CURRENT, database(builds[0], place / "db-0", "good"))
    damaged = database(builds[1], place / "db-1", "damaged")
    for path in (*damaged.glob("*.sst"), *damaged.glob("MANIFEST-*")):
        path.write_bytes(b"")
    half = database(builds[1], place / "db-2", "half", "loading")
    new = database(builds[1], place / "db-3", "new")
    with serving(place, tmp_path) as server, clients(server, LOADED) as asked:
        point(place / CURRENT, damaged)
        _said(server, "cannot be opened")
        point(place / CURRENT, half)
        _said(server, "holds no whole release")
        (place / CURRENT).unlink()
        _said(server, "is no release, no build and no Oxigraph folder")
        point(place / CURRENT, new)
        wait(server, "new")
    assert asked.failed == []
    assert set(asked.states) == {state("good", builds[0]), state("new", builds[1])}
    assert server.log is not None
    assert server.log.read_text().count("good is served on") == 3, "each is said once"


def test_a_build_in_place_of_another_is_taken_up(builds: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "build"
    shutil.copytree(builds[0], place)
    count = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH <https://w3id.org/pfocr/graph/core> { ?s ?p ?o } }"
    with serving(place, tmp_path) as server:
        assert int(server.get(count).rows()[0]["n"]) == state("", builds[0])[1]
        built(place, 3)
        _until(lambda: int(server.get(count).rows()[0]["n"]) == state("", builds[1])[1])


def test_a_query_that_runs_is_finished_on_what_it_began_with(builds: list[Path], tmp_path: Path) -> None:
    place = tmp_path / "oxigraph"
    place.mkdir()
    point(place / CURRENT, database(builds[0], place / "db-0", "old"))
    found: list[str] = []
    with serving(place, tmp_path) as server:
        tries, longer = 0, False
        while not longer:  # until the query takes longer than the switch
            tries += 1
            rows = " ".join(map(str, range(4**tries)))
            slow = (
                f"SELECT (SAMPLE(?v) AS ?version) (COUNT(?c) AS ?n) WHERE {{ VALUES ?k {{ {rows} }} "
                f"?a ?b ?c . ?d a ?f . GRAPH <{HELD}> {{ ?x <http://purl.org/pav/version> ?v }} }}"
            )
            running = threading.Thread(
                target=lambda text: found.append(server.post(text).rows()[0]["version"]), args=(slow,)
            )
            running.start()
            time.sleep(0.2)
            point(place / CURRENT, database(builds[tries % 2], place / f"db-{tries}", f"v{tries}"))
            wait(server, f"v{tries}")
            longer = running.is_alive()
            running.join()
    assert found == ["old", *(f"v{number}" for number in range(1, tries))]


def _said(server: Serving, message: str) -> None:
    """Wait until the server complained."""
    assert server.log is not None
    log = server.log
    _until(lambda: message in log.read_text())


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
