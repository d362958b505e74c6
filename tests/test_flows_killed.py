"""A worker killed and a server restarted in mid-run: what is published stays whole, the next run ends well."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prefect_server import ENDED, POOL, Server, wait_until
from tests.servers import free_port
from tests.test_deployments import LATER, NIGHTLY, Place, commit, copied

pytestmark = [pytest.mark.flows, pytest.mark.slow, pytest.mark.timeout(1200)]

GIVEN_UP = 400.0
"""Seconds after which a run whose process is gone must be told as crashed; it takes two minutes."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A server with the deployments and the automation for runs that are gone, and one release; no worker."""
    server = Server(tmp_path, free_port())
    made = Place(server, copied(tmp_path / "source"), tmp_path / "site")
    server.start()
    try:
        server.call("prefect", "work-pool", "create", POOL, "--type", "process")
        server.call("prefect", "--no-prompt", "deploy", "--all")
        server.call("python", "-m", "flows.watch")
        with server.working(made.settings):
            assert made.run()["state"]["type"] == "COMPLETED"
        (tmp_path / LATER).rename(made.source / "_figures" / LATER)
        commit(made.source, "one more figure", "2026-01-02T00:00:00Z")
        yield made
    finally:
        server.stop()


def published(place: Place) -> dict[str, bytes]:
    """Each file of the current release."""
    current = (place.out / "current").resolve()
    return {str(path.relative_to(current)): path.read_bytes() for path in current.rglob("*") if path.is_file()}


def at_work(place: Place, run: str) -> bool:
    """Whether a run has begun to convert."""
    tasks = place.server.ask("task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
    return any(task["name"].startswith(("convert", "write")) for task in tasks)


def check_whole(place: Place, before: dict[str, bytes]) -> None:
    """The release from before is there, or the next one; each whole, nothing half made beside it."""
    now = published(place)
    assert place.current() in ("20260101", "20260102")
    if place.current() == "20260101":
        assert now == before
    assert "release.json" in now


def kill_run(run: str) -> int:
    """Kill the processes of a run, which outlive the worker for a moment; return how many there were."""
    killed = 0
    for found in Path("/proc").glob("[0-9]*"):
        try:
            if f"PREFECT__FLOW_RUN_ID={run}".encode() in (found / "environ").read_bytes():
                os.kill(int(found.name), signal.SIGKILL)
                killed += 1
        except (OSError, ProcessLookupError):
            continue
    return killed


@pytest.mark.parametrize(
    ("everything", "message"), [(False, "aborted"), (True, "the process of this run is gone")], ids=["worker", "all"]
)
def test_a_killed_worker_leaves_what_is_published_and_its_run_is_told_as_crashed(
    place: Place, everything: bool, message: str
) -> None:
    before = published(place)
    with place.server.working(place.settings) as worker:
        run = place.server.begin(NIGHTLY)
        wait_until(lambda: at_work(place, run), place.server.folder / "worker.log")
        if everything:  # as when the machine stops: the worker sees nothing of it
            os.killpg(worker.pid, signal.SIGSTOP)
            assert kill_run(run) > 0
        os.killpg(worker.pid, signal.SIGKILL)
    check_whole(place, before)

    def given_up() -> bool:
        return bool(place.server.ask(f"flow_runs/{run}")["state"]["type"] in ENDED)

    wait_until(given_up, place.server.folder / "server.log", GIVEN_UP)
    state = place.server.ask(f"flow_runs/{run}")["state"]
    assert state["type"] == "CRASHED"
    assert message in state["message"].lower()
    with place.server.working(place.settings):
        done = place.run()
    assert done["state"]["type"] == "COMPLETED", "\n".join(place.server.logs(done["id"]))
    assert place.current() == "20260102"
    assert not [path.name for path in place.out.iterdir() if path.name.endswith(".new")]


def test_a_server_that_is_restarted_leaves_what_is_published(place: Place) -> None:
    before = published(place)
    with place.server.working(place.settings):
        run = place.server.begin(NIGHTLY)
        wait_until(lambda: at_work(place, run), place.server.folder / "worker.log")
        place.server.stop(signal.SIGKILL)
        place.server.start()
        wait_until(
            lambda: place.server.ask(f"flow_runs/{run}")["state"]["type"] in ENDED,
            place.server.folder / "worker.log",
            GIVEN_UP,
        )
        check_whole(place, before)
        done = place.run()
    assert done["state"]["type"] == "COMPLETED", "\n".join(place.server.logs(done["id"]))
    assert place.current() == "20260102"
    assert not [path.name for path in place.out.iterdir() if path.name.endswith(".new")]
