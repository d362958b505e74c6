"""`make flows`: all that it starts uses this server alone, and ends with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.servers import free_port
from tests.support import ROOT
from tools.run_flows import STARTUP, environment, example

PROGRAM = ROOT / "tools" / "run_flows.py"


def test_nothing_of_the_users_own_prefect_is_used(tmp_path: Path) -> None:
    given = {"PREFECT_API_URL": "https://elsewhere.example/api", "PREFECT_PROFILE": "mine", "PFOCR_RDF_KEEP": "3"}
    made = environment(tmp_path, 4321, given)
    assert made["PREFECT_API_URL"] == "http://127.0.0.1:4321/api"
    assert made["PREFECT_HOME"] == str(tmp_path)
    assert "PREFECT_PROFILE" not in made
    assert (made["DO_NOT_TRACK"], made["PFOCR_RDF_KEEP"]) == ("1", "3")


def test_the_example_becomes_a_repository_once(tmp_path: Path) -> None:
    folder = example(tmp_path / "source")

    def log() -> str:
        command = ["git", "log", "--format=%H %cs"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout

    first = log()
    assert first.endswith("2026-01-01\n")
    (folder / "mine").write_text("changed")
    example(folder)
    assert log() == first
    assert (folder / "mine").exists()


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, str(PROGRAM), "--home", str(tmp_path), "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "choose another" in done.stderr
    assert done.stderr.count("\n") == 1


def left(home: Path) -> list[str]:
    """Processes whose Prefect is that of a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"PREFECT_HOME={home}".encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.flows
@pytest.mark.timeout(600)
def test_it_starts_from_nothing_schedules_runs_and_stops_without_a_trace(tmp_path: Path) -> None:
    port, home = free_port(), tmp_path / "prefect"
    command = [sys.executable, str(PROGRAM), "--home", str(home), "--port", str(port)]
    program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert program.stdout is not None
    try:
        first = program.stdout.readline()
        assert f"http://127.0.0.1:{port}" in first
        chosen = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        end = time.monotonic() + STARTUP
        while not httpx.post(f"http://127.0.0.1:{port}/api/flow_runs/filter", json=chosen, timeout=STARTUP).json():
            assert time.monotonic() < end
            time.sleep(1)
        assert len(left(home)) >= 2
    finally:
        os.kill(program.pid, signal.SIGINT)
        said = program.communicate(timeout=120)[0]
    assert program.returncode == 0
    assert "all is stopped" in said
    assert left(home) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
