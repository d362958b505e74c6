"""`make flows`: a Prefect server, a worker and the deployments of prefect.yaml on this machine, until Ctrl-C.

All that they keep lies in one folder, so that the next start goes on where this one ended. They listen on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
POOL = "local"
EXAMPLE = "2026-01-01T00:00:00Z"
"""The date of the example's commit, which names its release."""

STARTUP = 180.0
"""Seconds that the server may take; it takes 12 on a quiet machine."""


class Failed(Exception):
    """Something did not start, or ended by itself; the message says what and where its log is."""


def environment(home: Path, port: int, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of all programs: this server and no other one, nothing sent to anybody."""
    kept = {name: value for name, value in given.items() if not name.startswith("PREFECT_")}
    return {
        **kept,
        "PATH": f"{BIN}:{given.get('PATH', os.defpath)}",
        "PWD": str(ROOT),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "DO_NOT_TRACK": "1",
    }


def main() -> int:
    """Start everything, say where to look, and stop it again; return the exit code."""
    parser = argparse.ArgumentParser(description="Run the nightly flow's server, worker and deployments here.")
    parser.add_argument("--home", type=Path, default=ROOT / "output" / "prefect", help="Folder of the server and logs.")
    parser.add_argument("--port", type=int, default=4200, help="Port of 127.0.0.1 for the server and its pages.")
    parser.add_argument("--source", default="", help="What is converted; without it, a repository with docs/example.")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        os.environ["PFOCR_RDF_SOURCE"] = options.source or str(example(options.home.resolve() / "source"))
        with running(options.home.resolve(), options.port) as programs:
            _say(options.port, options.home)
            while all(program.poll() is None for program in programs.values()):
                time.sleep(0.5)
            ended = next(name for name, program in programs.items() if program.poll() is not None)
            raise Failed(f"the {ended} ended by itself; see {options.home}/{ended}.log")
    except KeyboardInterrupt:
        print("all is stopped; `make flows` goes on from here", flush=True)
        return 0
    except (Failed, OSError) as error:
        print(f"make flows: {error}", file=sys.stderr)
        return 1


def example(folder: Path) -> Path:
    """Return a repository with the records of docs/example, for others to change and commit; it is made only once."""
    if not (folder / ".git").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "docs" / "example", folder)
        who = {"GIT_AUTHOR_DATE": EXAMPLE, "GIT_COMMITTER_DATE": EXAMPLE}
        for role in ("AUTHOR", "COMMITTER"):
            who |= {f"GIT_{role}_NAME": "pfocr-rdf", f"GIT_{role}_EMAIL": "pfocr-rdf@example.org"}
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The example"]):
            done = subprocess.run(
                ["git", *command], cwd=folder, env={**os.environ, **who}, capture_output=True, text=True
            )
            if done.returncode:
                raise Failed(f"git {command[0]}: {' '.join(done.stderr.split())}")
    return folder


@contextmanager
def running(home: Path, port: int) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run server and worker for the time of a `with` block, with the deployments made; raises `Failed`."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Failed(f"something listens on port {port} already; choose another: make flows PORT=4201")
    home.mkdir(parents=True, exist_ok=True)
    around = environment(home, port, os.environ)
    with ExitStack() as stack:
        server = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        programs = {"server": stack.enter_context(_started(server, around, home / "server.log"))}
        _wait(programs["server"], f"http://127.0.0.1:{port}/api/health", home / "server.log")
        _call(["prefect", "work-pool", "create", POOL, "--type", "process", "--overwrite"], around)
        _call(["prefect", "--no-prompt", "deploy", "--all"], around)
        _call(["python", "-m", "flows.watch"], around)
        worker = ["prefect", "worker", "start", "--pool", POOL]
        programs["worker"] = stack.enter_context(_started(worker, around, home / "worker.log"))
        yield programs


@contextmanager
def _started(command: list[str], around: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a session of its own, which ends with the block, whatever it started."""
    with log.open("ab") as out:
        program = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env=dict(around),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield program
    finally:
        _end(program)


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and all of its session: first gently, after a while by force."""
    for how, patience in ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0)):
        end = time.monotonic() + patience
        try:
            os.killpg(program.pid, how)
            while time.monotonic() < end:
                program.poll()
                os.killpg(program.pid, 0)
                time.sleep(0.1)
        except ProcessLookupError:
            return


def _call(command: list[str], around: Mapping[str, str]) -> None:
    """Run a program to its end; raises `Failed` with what it printed."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=dict(around),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {' '.join((done.stdout + done.stderr).split())[-600:]}")


def _wait(program: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Wait until an address answers; raises `Failed` when the program ends before, or takes too long."""
    end = time.monotonic() + STARTUP
    while program.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - an address of this machine
                return
        except OSError:
            time.sleep(0.3)
    raise Failed(f"the server does not come up; see {log}")


def _say(port: int, home: Path) -> None:
    print(
        f"Prefect's pages: http://127.0.0.1:{port} (deployments: http://127.0.0.1:{port}/deployments)\n"
        f"nightly runs at its time; now: PREFECT_API_URL=http://127.0.0.1:{port}/api "
        ".venv/bin/prefect deployment run pfocr-rdf-nightly/nightly\n"
        f"what is converted: {os.environ['PFOCR_RDF_SOURCE']}; change and commit something there, and run again\n"
        f"settings: .venv/bin/pfocr-rdf config; logs: {home}/*.log\n"
        "stop everything: Ctrl-C",
        flush=True,
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
