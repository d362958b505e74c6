"""A build whose shards Dask's workers convert: the same bytes as here, whoever dies, and failures in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import corpus_build
from pfocr_rdf import buildfolder, dask_engine, pipeline
from pfocr_rdf.cli import app
from pfocr_rdf.errors import PfocrError, UsageError, WorkerLost
from pfocr_rdf.settings import Settings
from tests import services
from tests.support import ROOT

if os.environ.get("CI") != "true":  # there a missing extra is a failure
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")

FIGURES = 150
HERE = {"PYTHONPATH": str(ROOT)}
"""Workers find this file, for the tasks that it defines."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Cluster]:
    """A scheduler with two workers, all processes of their own."""
    with services.dask(tmp_path_factory.mktemp("dask"), HERE) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "source"
    corpus_build.build(folder, FIGURES)
    return folder


def options(shard_records: int = 5) -> pipeline.Options:
    return pipeline.Options(settings=Settings(shard_records=shard_records, max_rejected=1, max_rejected_rows=1))


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a build in one process gives."""
    out = tmp_path_factory.mktemp("plain") / "build"
    pipeline.build(str(source), out, options(1_000), workers=1)
    return content(out)


def content(build: Path) -> dict[str, bytes]:
    """Each file of a build but the one that differs between runs."""
    return {path.name: path.read_bytes() for path in build.iterdir() if path.is_file() and path.name != buildfolder.RUN}


def who(_: int) -> int:
    """A task that says which process runs it."""
    time.sleep(0.05)
    return os.getpid()


def fail_at_three(number: int) -> int:
    """A task of which one is refused."""
    if number == 3:
        raise UsageError("three is refused")
    time.sleep(0.01)
    return number


def die(number: int) -> int:
    """A task that kills its worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def needs_a_package(_: int) -> int:
    """A task that needs what is not installed."""
    from pfocr_rdf import no_such_module

    return int(no_such_module)


def test_workers_make_the_same_bytes(
    cluster: services.Cluster, source: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    built = pipeline.build(str(source), tmp_path / "build", options(), workers=1, scheduler=cluster.address)
    assert content(tmp_path / "build") == plain
    assert built.converted == FIGURES


def test_the_command_line_takes_scheduler_and_work(
    cluster: services.Cluster, source: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    out, work = tmp_path / "build", tmp_path / "work"
    command = ["-q", "build", str(source), "--out", str(out), "--scheduler", cluster.address, "--work", str(work)]
    command += ["--workers", "1", "--shard-records", "20", "--max-rejected", "100%", "--max-rejected-rows", "100%"]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.output) == (0, "")
    # the settings differ only in what no file but the manifest tells
    assert {name for name, data in content(out).items() if data != plain[name]} <= {buildfolder.MANIFEST}
    assert list(work.iterdir()) == []


def test_parts_go_through_a_store_that_workers_and_builder_reach(
    source: Path, plain: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("s3fs", reason="the extra `s3` is not installed")
    with services.s3(tmp_path) as store, services.dask(tmp_path / "dask", HERE | store.environment) as cluster:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        work = f"s3://{services.BUCKET}/run"
        pipeline.build(str(source), tmp_path / "build", options(30), workers=1, scheduler=cluster.address, work=work)
        assert store.requests("PUT") > FIGURES / 30
    assert content(tmp_path / "build") == plain


def test_each_worker_does_a_part(cluster: services.Cluster) -> None:
    with dask_engine.DaskEngine(cluster.address) as engine:
        did = list(engine.map(who, range(20)))
    assert set(did) == {worker.pid for worker in cluster.workers}
    assert len(did) == 20


def test_no_more_is_handed_over_than_keeps_the_workers_busy(cluster: services.Cluster) -> None:
    taken: list[int] = []

    class Counted(list[int]):
        """Numbers that are noted when they are taken."""

        def __iter__(self) -> Iterator[int]:
            for number in super().__iter__():
                taken.append(number)
                yield number

    with dask_engine.DaskEngine(cluster.address) as engine:
        results = iter(engine.map(who, Counted(range(200))))
        next(results)
        assert len(taken) <= 12


def test_the_first_failure_of_a_task_ends_all_and_is_not_retried(cluster: services.Cluster) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        engine = dask_engine.DaskEngine(client)
        with pytest.raises(UsageError, match=r"^three is refused$"):
            list(engine.map(fail_at_three, range(500)))
        assert client.status == "running"  # the caller's own goes on
        assert list(engine.map(fail_at_three, [1])) == [1]


def test_what_a_task_raises_is_not_taken_for_a_lost_scheduler(cluster: services.Cluster, tmp_path: Path) -> None:
    with dask_engine.DaskEngine(cluster.address) as engine, pytest.raises(FileNotFoundError):
        list(engine.map(os.stat, [tmp_path / "nowhere"]))


@pytest.mark.parametrize("error", [TimeoutError("to connect"), ConnectionRefusedError("refused"), CancelledError()])
def test_what_the_way_to_the_scheduler_raises_is_told_in_one_line(error: BaseException) -> None:
    with pytest.raises(WorkerLost, match="the Dask scheduler was lost"), dask_engine._told():
        raise error


def test_workers_that_lack_the_package_are_told_of(cluster: services.Cluster) -> None:
    with dask_engine.DaskEngine(cluster.address) as engine, pytest.raises(UsageError, match="lacks a package"):
        list(engine.map(needs_a_package, [1]))


def later(action: Callable[[], bool]) -> threading.Thread:
    """Do something as soon as it can be done, beside what runs here."""

    def watch() -> None:
        end = time.monotonic() + services.STARTUP
        while not action() and time.monotonic() < end:
            time.sleep(0.01)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Cluster]:
    """A cluster whose processes tests may kill, and that gives a task up after its second worker died."""
    once = {**HERE, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with services.dask(tmp_path_factory.mktemp("doomed"), once, workers=4) as cluster:
        yield cluster


def test_a_build_that_loses_a_worker_ends_with_the_same_bytes(
    doomed: services.Cluster, source: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    work = tmp_path / "work"

    def kill() -> bool:
        if len(list(work.glob("*/*.data"))) < 3:
            return False
        doomed.workers[0].kill()
        return True

    thread = later(kill)
    pipeline.build(str(source), tmp_path / "build", options(2), workers=1, scheduler=doomed.address, work=str(work))
    thread.join()
    assert doomed.workers[0].wait(10) == -signal.SIGKILL
    assert content(tmp_path / "build") == plain


def test_a_task_that_kills_worker_after_worker_is_given_up(doomed: services.Cluster) -> None:
    alive = sum(worker.poll() is None for worker in doomed.workers)
    with (
        dask_engine.DaskEngine(doomed.address) as engine,
        pytest.raises(PfocrError, match="several workers died of the same task"),
    ):
        list(engine.map(die, [1]))
    assert sum(worker.poll() is None for worker in doomed.workers) == alive - 2


def test_a_scheduler_without_workers_is_told_of_after_a_while(doomed: services.Cluster) -> None:
    for worker in doomed.workers:
        worker.kill()
    with (
        dask_engine.DaskEngine(doomed.address, patience_seconds=1) as engine,
        pytest.raises(PfocrError, match="has no workers"),
    ):
        list(engine.map(who, [1]))


def test_a_scheduler_that_dies_is_told_of_in_one_line(doomed: services.Cluster) -> None:
    code = (
        "import sys; from pfocr_rdf.dask_engine import DaskEngine; from pfocr_rdf.errors import PfocrError\n"
        "with DaskEngine(sys.argv[1]) as engine:\n"
        "    print('connected', flush=True)\n"
        "    try:\n"
        "        list(engine.map(len, ['']))\n"
        "    except PfocrError as error:\n"
        "        print(error)\n"
    )
    for worker in doomed.workers:
        worker.kill()
    quick = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
    command = [sys.executable, "-c", code, doomed.address]
    with subprocess.Popen(command, env=quick, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "connected\n"
        doomed.scheduler.kill()
        said = started.stdout.read()
    assert said.startswith("the Dask scheduler was lost; start it anew")
    assert (said.count("\n"), started.returncode) == (1, 0)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "gopher://127.0.0.1:1"])
def test_a_wrong_address_ends_in_one_line_within_seconds(
    address: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_engine, "CONNECT_SECONDS", 2.0)
    began = time.monotonic()
    done = CliRunner().invoke(app, ["build", str(source), "--out", str(tmp_path / "build"), "--scheduler", address])
    assert done.exit_code == 2
    assert done.output.startswith(f"pfocr-rdf: {address}: no Dask scheduler answers there within 2 seconds")
    assert done.output.count("\n") == 1
    assert time.monotonic() - began < 20
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_call_says_what_to_install(source: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['distributed'] = None; from pfocr_rdf.cli import main; main()"
    command = [sys.executable, "-c", code, "build", str(source), "--out", str(tmp_path / "build")]
    done = subprocess.run([*command, "--scheduler", "tcp://127.0.0.1:1"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "install pfocr-rdf[dask]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_dask_is_imported_on_demand_alone() -> None:
    code = "import sys, pfocr_rdf.cli, pfocr_rdf.pipeline, pfocr_rdf.dask_engine; print('distributed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
