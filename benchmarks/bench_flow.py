"""A full build as a flow beside the same build from the command line, and a whole release beside `build` and `publish`.

A Prefect server runs already, as it does where flows are used; each side is a program of its own with as many worker
processes. The program of a flow loads Prefect, which takes some two seconds whatever is built, so beside the whole
program the time inside the flow is told too: from its call until the run is Completed, when all is there and the next
thing begins, and until the call returns. Between the two, Prefect waits for its heartbeat, which sleeps up to a second.
The bytes of both sides must be the same.

    python benchmarks/bench_flow.py --figures 10000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure

GOAL = 1.1
FAILS = 1.5
SIDES = CLI, FLOW, INSIDE, COMPLETED = (
    "command line",
    "flow, the program",
    "flow, its run",
    "flow, until Completed",
)
BEGIN = """
import json, sys, time
before, called, began = time.process_time(), time.time(), time.perf_counter()
"""
END = """
seconds = time.perf_counter() - began
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
with get_client(sync_client=True) as client:
    [run] = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
print(json.dumps({"seconds": seconds, "completed": run.end_time.timestamp() - called, "before": before}))
"""
BUILD = f"""
from flows.build import build
{BEGIN}
build(source=sys.argv[1], out=sys.argv[2], workers=int(sys.argv[3]))
{END}
"""
RELEASE = f"""
from flows.parameters import Release
from flows.release import release
{BEGIN}
release(Release(source=sys.argv[1], out=sys.argv[2], workers=int(sys.argv[3]), version="one"))
{END}
"""


@contextmanager
def server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Prefect server; yield the environment of those who use it."""
    from tests.services import free_port

    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PFOCR_RDF_"))}
    environment = {
        **kept,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }
    (folder / "home").mkdir()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 180
        while not _healthy(port):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit((folder / "server.log").read_text())
            time.sleep(0.3)
        yield environment
    finally:
        process.terminate()
        process.wait(30)


def _healthy(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Rounds:
    """Runs both sides and remembers their seconds."""

    def __init__(self, source: Path, workers: int, environment: dict[str, str]) -> None:
        """Take a source, and the environment of the server."""
        self.source, self.workers, self.environment = source, str(workers), environment
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.cpu: dict[tuple[str, str], list[float]] = {}
        self.wrong: list[str] = []

    def build(self, folder: Path) -> None:
        """Build once on each side."""
        plain, flow = folder / "plain", folder / "flow"
        words = ("build", self.source, "--out", plain, "--workers", self.workers)
        done = measure.run(common.program(*words), cwd=common.ROOT)
        self._note("build", CLI, done.seconds, done.cpu_seconds)
        self._flow("build", BUILD, flow)
        if common.contents(plain) != common.contents(flow):
            self.wrong.append("the build of the flow differs")

    def release(self, folder: Path) -> None:
        """Build and publish once on each side."""
        plain, site, flow = folder / "plain", folder / "site", folder / "flow-site"
        words = ("build", self.source, "--out", plain, "--workers", self.workers)
        built = measure.run(common.program(*words), cwd=common.ROOT)
        more = ("--to", site, "--version", "one", "--source", self.source, "--workers", self.workers)
        published = measure.run(common.program("publish", plain, *more), cwd=common.ROOT)
        self._note("release", CLI, built.seconds + published.seconds, built.cpu_seconds + published.cpu_seconds)
        self._flow("release", RELEASE, flow)
        if common.contents(site / "current") != common.contents(flow / "current"):
            self.wrong.append("the release of the flow differs")

    def _flow(self, what: str, code: str, out: Path) -> None:
        words = [sys.executable, "-c", code, str(self.source), str(out), self.workers]
        done = measure.run(words, cwd=common.ROOT, env=self.environment)
        self._note(what, FLOW, done.seconds, done.cpu_seconds)
        inside: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        cpu = done.cpu_seconds - inside["before"]
        self._note(what, INSIDE, inside["seconds"], cpu)
        self._note(what, COMPLETED, inside["completed"], cpu)

    def _note(self, what: str, side: str, seconds: float, cpu: float) -> None:
        self.seconds.setdefault((what, side), []).append(seconds)
        self.cpu.setdefault((what, side), []).append(cpu)
        common.say(f"{what}, {side}: {seconds:.1f} s")


def measured(source: Path, options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    """Run the rounds for one source; return seconds and what is wrong."""
    rounds = Rounds(source, options.workers, environment)
    common.warm(source)
    for _ in range(options.rounds):
        for step in (rounds.build, *(() if options.no_release else (rounds.release,))):
            folder = Path(tempfile.mkdtemp(prefix="bench-flow-"))
            try:
                step(folder)
            finally:
                shutil.rmtree(folder)
    return {
        "figures": common.size_of(source),
        "seconds": {f"{what}, {side}": found for (what, side), found in rounds.seconds.items()},
        "cpu_seconds": {f"{what}, {side}": found for (what, side), found in rounds.cpu.items()},
        "wrong": rounds.wrong,
    }


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return table, goals and what is wrong."""
    rows, goals, wrong = [], [], []
    for result in results:
        medians = {name: statistics.median(found) for name, found in result["seconds"].items()}
        for what in dict.fromkeys(name.partition(", ")[0] for name in medians):
            plain = medians[f"{what}, {CLI}"]
            for side in SIDES:
                share = medians[f"{what}, {side}"] / plain
                cpu = statistics.median(result["cpu_seconds"][f"{what}, {side}"])
                numbers = [f"{medians[f'{what}, {side}']:.2f}", f"{share:.2f}", f"{cpu:.2f}"]
                rows.append([what, f"{result['figures']:,}", side, *numbers])
            judged = result["figures"] >= common.JUDGED
            share = medians[f"{what}, {COMPLETED}"] / plain
            goals.append(common.Goal(f"{what}, {result['figures']:,} figures", share, GOAL, FAILS, judged))
        wrong += [f"{result['figures']:,} figures: {text}" for text in result["wrong"]]
    return common.Report(
        f"{options.workers} processes, rounds: {options.rounds}, medians.",
        [common.Grid(("what", "figures", "side", "s", "times the command line", "CPU s"), rows)],
        goals,
        wrong,
        {"workers": options.workers, "rounds": options.rounds, "results": results},
    )


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [common.JUDGED], [common.FULL], 3)
    given.parser.add_argument("--no-release", action="store_true", help="measure builds alone")
    options = given.parse()
    with tempfile.TemporaryDirectory(prefix="bench-flow-server-") as folder, server(Path(folder)) as environment:
        results = [measured(source, options, environment) for source in common.sources(options)]
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
