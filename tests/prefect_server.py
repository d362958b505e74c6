"""A Prefect server and a worker that tests start as processes of their own on this machine, and stop.

All that they keep lies in a folder of the test; they listen on a free port of 127.0.0.1.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.support import ROOT

BIN = Path(sys.executable).parent
PATIENCE = 180.0
POOL = "local"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass
class Server:
    """A Prefect server: where it answers, its folder, and the environment of those who use it."""

    folder: Path
    port: int
    extra: Mapping[str, str] = field(default_factory=dict)
    programs: Path = BIN
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Its pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What programs need to use it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PFOCR_RDF_"))}
        return {
            **kept,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_API_URL": f"{self.address}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "1",
            "COLUMNS": "200",
            **self.extra,
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (self.folder / "home").mkdir(parents=True, exist_ok=True)
        command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = self._start(command, "server.log")
        wait_until(self._healthy, self.folder / "server.log")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, gently or not."""
        if self.process is not None:
            end(self.process, how)
            self.process = None

    def call(self, *command: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
        """Run a program of the environment to its end, and return what it prints."""
        done = subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            cwd=cwd,
            env={**self.environment, "PWD": str(cwd), **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return what the server answers: to a POST with a body, to a GET without."""
        url = f"{self.address}/api/{path}"
        method = "GET" if body is None else "POST"
        answer = httpx.request(method, url, json=body, timeout=PATIENCE)
        for pause in (0.5, 2.0, 5.0, 10.0):
            if answer.status_code != 503:  # its database is busy: ask again, as its clients do
                break
            time.sleep(pause)
            answer = httpx.request(method, url, json=body, timeout=PATIENCE)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def deployment(self, name: str) -> dict[str, Any]:
        """Return a deployment by flow and name."""
        found: dict[str, Any] = self.ask(f"deployments/name/{name}")
        return found

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Return the runs of flows in some states, the oldest first."""
        chosen = {"flow_runs": {"state": {"type": {"any_": list(states)}}}} if states else {}
        found: list[dict[str, Any]] = self.ask("flow_runs/filter", {**chosen, "sort": "EXPECTED_START_TIME_ASC"})
        return found

    def begin(self, deployment: str, parameters: Mapping[str, Any] | None = None) -> str:
        """Let a deployment run now; return the id of the run."""
        place = f"deployments/{self.deployment(deployment)['id']}/create_flow_run"
        run: dict[str, Any] = self.ask(place, {"parameters": dict(parameters or {}), "state": {"type": "SCHEDULED"}})
        return str(run["id"])

    def artifacts(self, run: str) -> dict[str, dict[str, Any]]:
        """Return the artifacts of a run by their keys, the newest of each."""
        chosen = {"artifacts": {"flow_run_id": {"any_": [run]}}, "sort": "CREATED_DESC"}
        return {each["key"]: each for each in reversed(self.ask("artifacts/filter", chosen)) if each["key"]}

    def hasten(self, run: str) -> None:
        """Let a scheduled run begin now, as the schedule would have it later."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": datetime.now(UTC).isoformat()}}
        self.ask(f"flow_runs/{run}/set_state", {"state": state, "force": True})

    def secret(self, name: str, value: str) -> None:
        """Keep a value in a Secret block."""
        code = "import sys; from prefect.blocks.system import Secret; Secret(value=sys.stdin.read()).save(sys.argv[1])"
        command = [str(self.programs / "python"), "-c", code, name]
        subprocess.run(command, env=self.environment, input=value, text=True, check=True, capture_output=True)

    def ended(self, run: str) -> dict[str, Any]:
        """Wait until a run has ended; return it."""
        wait_until(lambda: self.ask(f"flow_runs/{run}")["state"]["type"] in ENDED, self.folder / "worker.log")
        found: dict[str, Any] = self.ask(f"flow_runs/{run}")
        return found

    def logs(self, run: str) -> list[str]:
        """Return what was logged in a run."""
        chosen = {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC", "limit": 200}
        return [line["message"] for line in self.ask("logs/filter", chosen)]

    @contextmanager
    def working(self, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker for the time of a `with` block."""
        with self._running(["prefect", "worker", "start", "--pool", POOL], "worker.log", "started!", environment) as it:
            yield it

    @contextmanager
    def serving(self, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
        """Serve the flows from one program for the time of a `with` block."""
        command = ["python", "-m", "pfocr_rdf_flows.serve"]
        with self._running(command, "serve.log", "being served", environment) as it:
            yield it

    @contextmanager
    def _running(
        self, command: list[str], log: str, ready: str, environment: Mapping[str, str] | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        started = self._start(command, log, environment)

        def begun() -> bool:
            text = (self.folder / log).read_text()
            assert started.poll() is None, text
            return ready in text

        try:
            wait_until(begun, self.folder / log)
            yield started
        finally:
            end(started)

    def _start(
        self, command: list[str], log: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("wb") as out:
            return subprocess.Popen(
                [str(self.programs / command[0]), *command[1:]],
                cwd=self.folder,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that all it started can be ended with it
            )

    def _healthy(self) -> bool:
        assert self.process is None or self.process.poll() is None, (self.folder / "server.log").read_text()
        try:
            return httpx.get(f"{self.address}/api/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def complaints(self) -> list[str]:
        """Return the lines of the server's log that tell of a fault of its own."""
        text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return re.findall(r"^(?:Traceback.*|.*\bCRITICAL\b.*|\S*(?:Error|Exception): .*)$", text, re.MULTILINE)


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a program with all that it started; those that do not go are killed."""
    for each in (how, signal.SIGKILL):
        try:
            os.killpg(process.pid, each)
        except ProcessLookupError:
            break
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            continue
        wait = time.monotonic() + 10
        while time.monotonic() < wait:
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)
    process.wait()


def wait_until(true: Callable[[], bool], log: Path, patience: float = PATIENCE) -> None:
    """Wait until something is true; fail with the end of the log when that takes too long."""
    last = time.monotonic() + patience
    while not true():
        assert time.monotonic() < last, log.read_text(errors="replace")[-3000:]
        time.sleep(0.2)
