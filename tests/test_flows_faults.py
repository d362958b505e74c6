"""Faults while a flow runs: what is published and served stays whole, and the next run ends well."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import recording
from pfocr_rdf import pipeline
from pfocr_rdf.cli import app
from pfocr_rdf.errors import PfocrError, SourceUnavailable, TookTooLong, UsageError, WorkerLost
from pfocr_rdf.extract import git
from pfocr_rdf.stores.contract import StoreError, StoreUnavailable
from tests import changing, nights, releasing, services
from tests.nights import History, run
from tests.support import require_tool

if os.environ.get("CI") != "true":
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.flows, pytest.mark.usefixtures("quiet_flows")]

STORE, OTHER = "http://127.0.0.1:1/ds", "http://127.0.0.1:2/ds"
DEATHS = "PFOCR_TEST_DEATHS"
"""Names a file with the number of worker processes that are still to die."""


@pytest.fixture
def source(tmp_path: Path) -> History:
    require_tool("git", "git")
    return nights.history(tmp_path / "source")


def whole(out: Path, source: History, place: Path) -> None:
    """The current release is of what the source is by now, and nothing lies about."""
    built = pipeline.build(str(source.files.root), place, pipeline.Options(), workers=1, use_cache=False)
    for name in [*built.manifest["files"], "manifest.json"]:
        assert (out / "current" / name).read_bytes() == (place / name).read_bytes(), name
    changing.no_debris(out, ".work", "current", "releases")
    changing.no_debris(out / ".work", "build", "made.json")


def changed(source: History) -> None:
    changing.drop(source.files, source.files.records()[-1])
    source.commit()


def dying(asked: Any) -> Any:
    """Do one part of a step in a worker process, unless it is to die."""
    for death in sorted(Path(os.environ[DEATHS]).iterdir()):
        with suppress(FileNotFoundError):  # another process took it
            death.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    return recording.record(asked)


def doom(deaths: Path, number: int) -> None:
    """Let so many worker processes die."""
    shutil.rmtree(deaths, ignore_errors=True)
    deaths.mkdir()
    for each in range(number):
        (deaths / str(each)).touch()


def fill(path: Path) -> None:
    """Write a file until the disk takes no more."""
    with suppress(OSError), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(1 << 16))


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_runners_make_the_same_bytes(runner: str, source: History, tmp_path: Path) -> None:
    run(source, tmp_path / "site", runner=runner, workers=2, shard_records=3)
    whole(tmp_path / "site", source, tmp_path / "full")


def test_the_workers_of_a_dask_scheduler_make_the_same_bytes(source: History, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    with services.dask(tmp_path / "dask", {}) as cluster:
        run(source, tmp_path / "site", runner="dask", scheduler=cluster.address, shard_records=3)
    whole(tmp_path / "site", source, tmp_path / "full")


def test_a_worker_process_that_is_killed_is_replaced(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from flows import engine

    deaths = tmp_path / "deaths"
    monkeypatch.setenv(DEATHS, str(deaths))
    monkeypatch.setattr(engine, "record", dying)
    doom(deaths, 1)
    run(source, tmp_path / "site", runner="processes", workers=2, shard_records=3)
    whole(tmp_path / "site", source, tmp_path / "full")
    assert "a worker process was killed" in caplog.text
    assert "s in process" in caplog.text  # what workers tell stands in the log of the run

    changed(source)
    before = releasing.contents(tmp_path / "site" / "releases")
    doom(deaths, 9)
    with pytest.raises(WorkerLost, match="worker process was killed"):
        run(source, tmp_path / "site", runner="processes", workers=2, shard_records=3, compress="gzip")
    assert releasing.contents(tmp_path / "site" / "releases") == before
    doom(deaths, 0)
    run(source, tmp_path / "site")
    whole(tmp_path / "site", source, tmp_path / "full")


@pytest.mark.parametrize("moment", ["finish", "publish"])
def test_a_run_that_is_cancelled_leaves_no_debris(
    moment: str, source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import steps

    out = tmp_path / "site"
    run(source, out)
    changed(source)
    before = releasing.contents(out / "releases")

    def cancel(*_given: Any, **_named: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "finish":
            patched.setattr(pipeline, "finish", cancel)
        else:
            patched.setattr(steps, "Steps", lambda: releasing.replaced(statistics=cancel))
        with pytest.raises(KeyboardInterrupt):
            run(source, out)
    assert releasing.contents(out / "releases") == before
    assert [path.name for path in out.rglob(".*") if path.name not in (".work", ".cache")] == []
    run(source, out)
    whole(out, source, tmp_path / "full")


def test_a_full_disk_changes_nothing_that_is_published(source: History, tmp_path: Path, disk: Path) -> None:
    out = disk / "site"
    run(source, out)
    changed(source)
    before = releasing.contents(out / "releases")
    filler = disk / "filler"
    fill(filler)
    with pytest.raises(PfocrError, match=r"cannot be written|free"):
        run(source, out)
    assert releasing.contents(out / "releases") == before
    filler.unlink()
    run(source, out)
    whole(out, source, tmp_path / "full")


def test_a_host_that_does_not_answer_is_asked_again_and_a_wrong_address_is_not(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    really = git.tip

    def tip(address: str) -> str | None:
        asked.append(address)
        if len(asked) < 3:
            raise SourceUnavailable("git ls-remote: could not resolve host")
        return really(address)

    monkeypatch.setattr(git, "tip", tip)
    assert run(source, tmp_path / "site")["new"]
    assert len(asked) == 3
    monkeypatch.setattr(git, "tip", really)
    with pytest.raises(UsageError, match="check the address"):
        run(f"file://{tmp_path}/nothing", tmp_path / "site")


def test_a_store_that_is_down_is_tried_again_and_one_that_refuses_keeps_no_other_from_it(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import stores

    tries: list[str] = []

    def bring(address: str, place: Path, *_: Any) -> dict[str, Any]:
        tries.append(address)
        if address == STORE and tries.count(STORE) < 3:
            raise StoreUnavailable(f"{address}: cannot be reached")
        if address == OTHER and refuses:
            raise StoreError(f"{address}: refused (HTTP 403)")
        return {"store": address, "version": place.name, "way": "difference", "added": 3, "removed": 1}

    monkeypatch.setattr(stores, "bring", bring)
    refuses = True
    with pytest.raises(StoreError, match="HTTP 403"):
        run(source, tmp_path / "site", to=[OTHER, STORE])
    assert tries == [OTHER, STORE, STORE, STORE]
    assert f"| {STORE} | {source.version()} | difference | 3 | 1 |" in nights.artifact("pfocr-rdf-stores").data
    refuses = False
    found = run(source, tmp_path / "site", to=[OTHER])  # the source is as it was; the store is behind
    assert (found["new"], [each["store"] for each in found["stores"]]) == (False, [OTHER])


def test_a_store_that_hangs_is_ended_and_keeps_no_other_from_the_release(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import steps, stores

    tries: list[str] = []

    def bring(address: str, place: Path, *_: Any) -> dict[str, Any]:
        tries.append(address)
        if address == OTHER:
            for _number in range(600):  # in short sleeps: with pytest's own alarm Prefect cannot interrupt a long one
                time.sleep(0.1)
        return {"store": address, "version": place.name, "way": "difference", "added": 3, "removed": 1}

    run(source, tmp_path / "site")
    monkeypatch.setattr(stores, "bring", bring)
    monkeypatch.setattr(steps, "_LONG", 10)
    with pytest.raises(TookTooLong, match="took too long"):
        run(source, tmp_path / "site", to=[OTHER, STORE])
    assert tries == [OTHER, STORE]
    assert f"| {STORE} | {source.version()} | difference | 3 | 1 |" in nights.artifact("pfocr-rdf-stores").data


def test_the_shell_and_a_flow_keep_out_of_each_others_way(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import build, steps

    out, said = tmp_path / "site", []
    make = build.make

    def meanwhile(*given: Any, **named: Any) -> Any:
        made = make(*given, **named)
        call = ["publish", str(out / ".work" / "build"), "--to", str(out), "--version", "mine"]
        said.append(CliRunner().invoke(app, call))
        return made

    monkeypatch.setattr(steps, "make", meanwhile)
    run(source, out)
    assert (said[0].exit_code, "another run is publishing here" in said[0].output) == (2, True)
    whole(out, source, tmp_path / "full")


def test_one_run_at_a_time_writes_to_stores_unless_somebody_sets_another_number(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client

    from flows import steps, stores

    seen: list[int] = []

    def bring(address: str, *_: Any) -> dict[str, Any]:
        with get_client(sync_client=True) as client:
            seen.append(client.read_global_concurrency_limit_by_name(steps.WRITER).active_slots)
        return {"store": address, "version": "x", "way": "full", "added": 1, "removed": 0}

    monkeypatch.setattr(stores, "bring", bring)
    run(source, tmp_path / "site", to=[STORE])
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name(steps.WRITER).limit == 1
        client.upsert_global_concurrency_limit_by_name(steps.WRITER, 2)
        run(source, tmp_path / "site", to=[STORE])
        assert client.read_global_concurrency_limit_by_name(steps.WRITER).limit == 2
    assert seen == [1, 1]
