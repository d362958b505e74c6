"""Servers of others that tests start as processes of their own on this machine, and stop: a store that speaks S3, Dask.

Each listens on a free port of 127.0.0.1 and writes what it says to a file.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STARTUP = 120
"""Seconds that a server may take to start; it takes two to five on a quiet machine."""

BUCKET = "parts"


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], log: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of the environment for the time of a `with` block."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        try:
            yield started
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGTERM)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def wait_until(true: Callable[[], bool], log: Path) -> None:
    """Wait until something is true; fail with the log when that takes too long."""
    end = time.monotonic() + STARTUP
    while not true():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Store:
    """A store that speaks S3: what must stand in the environment of those who use it, and its log."""

    environment: dict[str, str]
    log: Path

    def requests(self, method: str) -> int:
        """Return how many requests of a method came."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(f'"{method} ')


@contextmanager
def s3(folder: Path) -> Iterator[Store]:
    """Run a store that speaks S3, with an empty bucket."""
    import botocore.session
    from s3fs import S3FileSystem  # type: ignore[import-untyped]

    S3FileSystem.clear_instance_cache()  # connections to an earlier store, which has another port

    port, log = free_port(), folder / "s3.log"
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    with process(["moto.server", "-H", "127.0.0.1", "-p", str(port)], log, environment):
        wait_until(lambda: _answers(port), log)
        client = botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield Store(environment, log)


@dataclass
class Cluster:
    """A Dask scheduler and its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)


@contextmanager
def dask(folder: Path, environment: Mapping[str, str], workers: int = 2) -> Iterator[Cluster]:
    """Run a Dask scheduler and workers of one thread each, without nannies: a worker that is killed is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "scheduler.log"
    quiet = {**environment, "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "false"}
    with ExitStack() as stack:
        scheduler = ["dask", "scheduler", "--host", "127.0.0.1", "--port", str(port)]
        scheduler += ["--dashboard-address", "127.0.0.1:0"]
        cluster = Cluster(f"tcp://127.0.0.1:{port}", stack.enter_context(process(scheduler, log, quiet)))
        wait_until(lambda: _answers(port), log)
        for number in range(workers):
            said = folder / f"worker-{number}.log"
            command = ["dask", "worker", cluster.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
            command += ["--no-dashboard", "--name", f"worker-{number}", "--local-directory", str(folder)]
            cluster.workers.append(stack.enter_context(process(command, said, quiet)))
            cluster.logs.append(said)
        for said in cluster.logs:
            wait_until(lambda said=said: b"Registered to" in said.read_bytes(), said)  # type: ignore[misc]
        yield cluster
