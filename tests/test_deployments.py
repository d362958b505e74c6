"""Flows on a real Prefect server with a real worker: schedules, runs, settings of the server, and what it never sees."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.prefect_server import POOL, Server, wait_until
from tests.servers import free_port
from tests.support import ROOT

if os.environ.get("CI") != "true":  # there a missing extra is a failure, and the programs below say so
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = pytest.mark.flows

NIGHTLY = "pfocr-rdf-nightly/nightly"
SCREENSHOTS = ROOT / "build" / "screenshots"


@dataclass
class Place:
    """A server with deployments, a source in git, and the folder of releases."""

    server: Server
    source: Path
    out: Path

    @property
    def settings(self) -> dict[str, str]:
        """What the worker's environment says of the flows."""
        return {"PFOCR_RDF_SOURCE": str(self.source), "PFOCR_RDF_OUT": str(self.out), "PFOCR_RDF_WORKERS": "1"}

    def run(self, **parameters: Any) -> dict[str, Any]:
        """Run nightly on the worker, and return the run when it has ended."""
        return self.server.ended(self.server.begin(NIGHTLY, {"asked": parameters} if parameters else {}))

    def current(self) -> str:
        """The release that `current` leads to."""
        return (self.out / "current").resolve().name


def commit(folder: Path, message: str, date: str) -> None:
    """Make a commit of all that is in a folder, which becomes a repository if it is none."""
    who = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "HOME": str(folder)}
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        who[name] = "test@example.org"
    environment = {"PATH": os.environ["PATH"], **who}
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", message]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True, capture_output=True)


def copied(folder: Path, figures: int) -> Path:
    """Return a repository with the first figures of the example."""
    import shutil

    shutil.copytree(ROOT / "docs" / "example", folder)
    for record in sorted((folder / "_figures").iterdir())[figures:]:
        record.rename(folder.parent / record.name)
    commit(folder, "first", "2026-01-01T00:00:00Z")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with the deployments of prefect.yaml, and a worker."""
    folder = tmp_path_factory.mktemp("flows")
    server = Server(folder, free_port())
    made = Place(server, copied(folder / "source", 5), folder / "site")
    server.start()
    try:
        server.call("prefect", "work-pool", "create", POOL, "--type", "process")
        server.call("prefect", "--no-prompt", "deploy", "--all")
        with server.working(made.settings):
            yield made
    finally:
        server.stop()


def test_a_schedule_makes_runs(place: Place) -> None:
    found = place.server.deployment(NIGHTLY)
    assert [schedule["schedule"]["cron"] for schedule in found["schedules"]] == ["15 3 * * *"]
    wait_until(lambda: bool(place.server.runs("SCHEDULED")), place.server.folder / "server.log")
    runs = [run for run in place.server.runs("SCHEDULED") if run["deployment_id"] == found["id"]]
    assert all(run["auto_scheduled"] and run["expected_start_time"][11:16] == "03:15" for run in runs)
    assert runs
    assert place.server.complaints() == []
