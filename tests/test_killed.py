"""A build that is killed, or for which the disk has no room, leaves the former one; the next run goes on from there."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pfocr_rdf import diff, pipeline, storage
from pfocr_rdf.buildfolder import MANIFEST
from pfocr_rdf.cli import app
from pfocr_rdf.errors import PfocrError
from pfocr_rdf.shards import Result
from tests import changing
from tests.changing import Files, build, contents, no_debris, options, same
from tests.support import ROOT

SHARD = 10
FIGURES = 300
DRIVER = """
import os, signal, sys
from pathlib import Path
from tests.changing import build, options
source, out, number = sys.argv[1:]
left = int(number)
plain = Path.rename

def rename(self, target):
    # Dies before the n-th folder of builds is renamed, or after the last.
    global left
    found = plain(self, target) if left > 1 or not self.name.startswith((".out", "out")) else None
    if self.name.startswith((".out", "out")):
        left -= 1
        if left == (number == "3"):
            os.kill(os.getpid(), signal.SIGKILL)
    return found

if left:
    Path.rename = rename
build(Path(source), Path(out), options(shard_records=10), full=True, workers=2)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return changing.small(tmp_path_factory.mktemp("killed") / "source", FIGURES, fixtures=False)


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return changing.small(tmp_path_factory.mktemp("former") / "source", 12, seed=2, fixtures=False)


@pytest.fixture(scope="module")
def expected(source: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("expected") / "out"
    build(source, out, options(shard_records=SHARD), full=True)
    return out


class Run:
    """A build in a process of its own; all its processes bear a mark in their environment."""

    def __init__(self, source: Files, out: Path, renames: int = 0) -> None:
        self.mark = f"MARK={uuid.uuid4()}"
        name, _, value = self.mark.partition("=")
        self.new = out.with_name(f".{out.name}.new")
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(source.root), str(out), str(renames)],
            env={**os.environ, name: value},
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )

    def wait_for(self, reached: Callable[[Path], bool]) -> bool:
        """Wait until something is true of the folder that is made; return false when the run has ended before."""
        while not reached(self.new):
            if self.process.poll() is not None:
                return False
            time.sleep(0.0002)
        return True

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def kill(self) -> None:
        """Kill the parent alone, and see that all others end by themselves."""
        self.process.kill()
        self.process.wait()
        deadline = time.monotonic() + 5
        quiet = 0
        while quiet < 2:  # a process that is just being started shows no environment
            left = self.others()
            quiet = 0 if left else quiet + 1
            assert time.monotonic() < deadline, left
            time.sleep(0.02)

    def others(self) -> list[str]:
        """Return the command lines of all processes of this run that are there."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


def results_in(new: Path) -> int:
    return len(list((new / "work" / "shards").glob("*.json")))


def shards_in(new: Path) -> int:
    """Count finished shards: a kill may come while they are being removed, the data of some before the rest."""
    results = [path for path in (new / "work" / "shards").glob("*.json") if not path.name.startswith("context-")]
    return sum(path.with_suffix(".data").exists() for path in results)


def layers_in(new: Path) -> bool:
    """Tell whether all is resolved and layers are written; those of papers are begun while things are resolved."""
    return (new / "work" / "constant.data").exists() and any(new.glob("pfocr-*.ttl"))


STAGES: dict[str, Callable[[Path], bool]] = {
    "opening": Path.is_dir,
    "converting": lambda new: shards_in(new) > 2,
    "resolving": lambda new: (new / "work" / "things.data").exists(),
    "writing layers": layers_in,
    "renaming": lambda new: (new / MANIFEST).exists(),
}
"""What is seen of a run, by what it does; each stage comes after those before it."""


def stage_of(new: Path) -> str:
    """Return what a killed run was doing."""
    return next((name for name, reached in reversed(STAGES.items()) if reached(new)), "starting")


def resumed(source: Files, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Build again; return how many shards were reused."""
    seen: list[Result] = []
    finish = pipeline.finish

    def spied(prepared: Any, results: list[Result], *others: Any, **more: Any) -> Any:
        seen.extend(results)
        return finish(prepared, results, *others, **more)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "finish", spied)
        build(source, out, options(shard_records=SHARD), full=True)
    assert len(seen) >= FIGURES / SHARD
    return sum(result.reused for result in seen)


def check_after(source: Files, out: Path, before: dict[str, bytes], expected: Path, patch: pytest.MonkeyPatch) -> str:
    """See that a killed run left the former build, and that the next one ends well; return the stage of the kill."""
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    stage = stage_of(new)
    if not old.exists() and new.exists():
        assert contents(out) == before
    finished = shards_in(new)
    assert resumed(source, out, patch) == finished
    same(out, expected)
    no_debris(out.parent, out.name)
    return stage


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is told of its parent's death")
@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_build_leaves_the_former_one_and_the_next_goes_on(
    stage: str, source: Files, former: Files, expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    build(former, out)
    before = contents(out)
    run = Run(source, out)
    assert run.wait_for(STAGES[stage])
    run.kill()
    reached = check_after(source, out, before, expected, monkeypatch)
    assert list(STAGES).index(reached) >= list(STAGES).index(stage)


@pytest.mark.parametrize("renames", [1, 2, 3], ids=["before", "between", "after"])
def test_a_build_that_is_killed_while_it_takes_its_place_is_one_of_the_two(
    renames: int, source: Files, former: Files, expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    build(former, out)
    before = contents(out)
    run = Run(source, out, renames)
    run.process.wait(timeout=120)
    assert run.process.returncode < 0
    run.kill()
    assert out.with_name(".out.old").exists() == (renames > 1)
    if renames == 1:
        assert contents(out) == before
    elif renames == 2:
        assert not out.exists()
    check_after(source, out, before, expected, monkeypatch)


def undisturbed(source: Files, out: Path, expected: Path) -> tuple[float, dict[str, float]]:
    """Return how long a run takes that nobody kills, and when it is seen to reach each stage."""
    began = time.monotonic()
    reached = {}
    with Run(source, out) as whole:
        for name, seen in STAGES.items():
            whole.wait_for(seen)
            reached[name] = time.monotonic() - began
        assert whole.process.wait() == 0
    duration = time.monotonic() - began
    same(out, expected)
    shutil.rmtree(out)
    return duration, reached


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_hundred_kills_at_random_moments(
    source: Files, former: Files, expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(20)  # noqa: S311
    out = tmp_path / "out"
    build(former, out)
    before = contents(out)
    duration, reached = min((undisturbed(source, tmp_path / "whole", expected) for _ in range(3)), key=itemgetter(0))
    lengths = [*list(reached.values())[1:], duration]
    hits: Counter[str] = Counter()
    for number in range(100):
        run = Run(source, out)
        if number < 50:  # any moment of the run
            time.sleep(rng.uniform(0, duration))
        else:  # each stage in turn, at any moment of it, or as soon as it is seen: one takes but milliseconds
            place = number % len(STAGES)
            name = list(STAGES)[place]
            run.wait_for(STAGES[name])
            if number % 3 == 0:
                time.sleep(rng.uniform(0, max(0.0, lengths[place] - reached[name])))
        ended = run.process.poll() is not None
        run.kill()
        stage = check_after_and_again(source, former, out, before, expected, monkeypatch)
        hits["after the end" if ended else stage] += 1
    print(f"{duration:.2f} s for an undisturbed run; kills: {dict(hits)}")
    (tmp_path / "hits.json").write_text(json.dumps(hits))
    assert sum(hits.values()) - hits["after the end"] >= 80, hits
    assert all(hits[name] for name in STAGES), hits


def check_after_and_again(
    source: Files, former: Files, out: Path, before: dict[str, bytes], expected: Path, patch: pytest.MonkeyPatch
) -> str:
    """Check what a killed run left, then put the former build there again."""
    new = out.with_name(f".{out.name}.new")
    if not new.exists() and contents(out) == contents(expected):
        stage = "renaming"
    else:
        stage = check_after(source, out, before, expected, patch)
    build(former, out, full=True)
    assert contents(out) == before
    return stage


# The disk that takes no more.


def fill(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the disk refuse the results of shards."""
    put = storage.put

    def refuse(place: str, *parts: bytes) -> None:
        if place.endswith(".data"):
            raise OSError(number, os.strerror(number))
        put(place, *parts)

    monkeypatch.setattr(storage, "put", refuse)


def refused(source: Files, out: Path, workers: int = 1) -> str:
    """Build by the command line, which must fail; return the line that it says."""
    arguments = ["build", str(source.root), "--out", str(out), "--workers", str(workers), "--shard-records", str(SHARD)]
    found = CliRunner().invoke(app, [*arguments, "--max-rejected", "100%", "--max-rejected-rows", "100%"])
    assert found.exit_code == 1, found.output
    lines = found.stderr.strip().split("\n")
    assert len(lines) == 1, lines
    assert "cannot be written" in lines[0]
    assert "free some space" in lines[0]
    assert str(out) in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("free", "workers"), [(64, 1), (64, 2), (600, 1), (1500, 1), (2000, 2), (2400, 1)], ids=lambda value: str(value)
)
def test_a_full_disk_leaves_the_former_build_and_no_debris(
    free: int, workers: int, source: Files, former: Files, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(former, disk / "out")
    before = contents(disk / "out")
    monkeypatch.setattr(pipeline, "SPACE_FACTOR", 0)
    monkeypatch.setattr("pfocr_rdf.buildfolder.need_space", lambda *_: None)
    state = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(state.f_bavail * state.f_frsize - free * 1024))
    said = refused(source, disk / "out", workers)
    assert "No space left on device" in said
    assert contents(disk / "out") == before
    no_debris(disk, "filler", "out")


def test_a_disk_that_is_seen_to_be_too_small_is_refused_at_once(source: Files, disk: Path) -> None:
    state = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(state.f_bavail * state.f_frsize - 64 * 1024))
    found = CliRunner().invoke(app, ["build", str(source.root), "--out", str(disk / "out")])
    assert found.exit_code == 2
    assert "needed" in found.stderr
    no_debris(disk, "filler")


def test_a_limit_of_file_sizes_is_told_like_a_full_disk(source: Files, former: Files, tmp_path: Path) -> None:
    build(former, tmp_path / "out")
    before = contents(tmp_path / "out")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        refused(source, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert contents(tmp_path / "out") == before
    no_debris(tmp_path, "out")


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS], ids=lambda number: errno.errorcode[number]
)
def test_each_refusal_of_the_disk_is_one_line(
    number: int, former: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(monkeypatch, number)
    assert os.strerror(number) in refused(former, tmp_path / "out")
    no_debris(tmp_path)


def test_a_full_disk_leaves_no_half_of_a_difference(
    former: Files, expected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(former, tmp_path / "old")

    def write(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(diff, "_write_patch", write)
    found = CliRunner().invoke(app, ["diff", str(tmp_path / "old"), str(expected), "--out", str(tmp_path / "changes")])
    assert found.exit_code == 1
    assert found.stderr.startswith(f"pfocr-rdf: {tmp_path / 'changes'}: cannot be written")
    assert found.stderr.count("\n") == 1
    no_debris(tmp_path, "old")


def test_a_scratch_folder_that_takes_no_more_is_told_in_one_line(
    former: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(monkeypatch, errno.ENOSPC)
    found = CliRunner().invoke(app, ["check", str(former.root)])
    assert found.exit_code == 1
    assert found.stderr.count("\n") == 1
    assert "No space left on device" in found.stderr


def test_a_worker_that_is_killed_is_told_in_one_line(
    source: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "convert", _die)
    with pytest.raises(PfocrError, match="a worker process was killed"):
        build(source, tmp_path / "out", options(shard_records=SHARD), workers=2)
    no_debris(tmp_path)


def _die(_shard: object) -> None:
    os.kill(os.getpid(), 9)
