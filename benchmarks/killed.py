"""One killed or refused run of a build, and what the next run makes of what is left. Used by `bench_killed.py`."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import common, measure
from pfocr_rdf import blocks, buildfolder

STAGES = ("reading", "shards", "things", "layers", "closing")
"""What a run does, in order: opens and reads the source, converts shards, resolves things, writes layers, and closes
(index, manifest, cache, taking the place of the build before)."""
OVER = "over"
"""The stage of a run that had ended before it was killed."""
_PATIENCE = 30.0
"""Seconds that the processes of a killed run have to end."""


@dataclass(slots=True)
class Bed:
    """A source, an earlier build of it that is to be replaced, and what a whole build must be."""

    source: Path
    workers: int
    shard_records: int
    earlier: Path
    expected: dict[str, str] = field(default_factory=dict)
    cache: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    shards: int = 0
    largest: int = 0

    def command(self, out: Path) -> list[str]:
        """Return what builds."""
        return common.program("build", self.source, "--out", out, *self._options)

    @property
    def _options(self) -> list[str]:
        return ["--workers", str(self.workers), "--shard-records", str(self.shard_records)]

    def prepare(self, folder: Path, rounds: int) -> list[float]:
        """Build undisturbed some times, in `folder`; remember what is right and return the seconds."""
        measure.run([*self.command(self.earlier), "--limit", "5"], cwd=common.ROOT)
        self.before = common.contents(self.earlier)
        seconds = []
        for number in range(rounds):
            place = folder / f"undisturbed-{number}"
            place.mkdir()
            out = self.place(place)
            began = time.perf_counter()
            subprocess.run(self.command(out), check=True, cwd=common.ROOT, capture_output=True)
            seconds.append(time.perf_counter() - began)
            self.expected, self.cache = common.contents(out), _cache(out)
            self.largest = max(path.stat().st_size for path in out.iterdir() if path.is_file())
        self.shards = self.again(self.place(folder))["shards"]
        return seconds

    def place(self, folder: Path) -> Path:
        """Put the earlier build into a folder and return it."""
        out = folder / "build"
        shutil.copytree(self.earlier, out)
        return out

    def again(self, out: Path) -> dict[str, int]:
        """Build once more; return the number of shards, and how many of them were taken over."""
        given = [self.source, out, *self._options]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.rebuild", *map(str, given)],
            check=True,
            cwd=common.ROOT,
            capture_output=True,
            text=True,
            env=_environment(out.parent),
        )
        counts: dict[str, int] = json.loads(done.stdout)
        return counts


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment whose temporary files go to the folder's own `tmp`, where they are seen."""
    (folder / "tmp").mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(folder / "tmp")}


def _cache(out: Path) -> list[str]:
    """Return the kinds of files that a build's cache holds (the facts are in several after an update)."""
    return sorted({path.name.partition("-")[0] for path in (out / ".cache").iterdir()})


@dataclass(slots=True)
class Fate:
    """What became of a run: when it was killed, the stage, shards that were finished, and the next run."""

    moment: float
    stage: str = ""
    finished: int = 0
    reused: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def kill(bed: Bed, folder: Path, moment: float) -> Fate:
    """Start a build, kill it after so many seconds, look at what it left, and build again."""
    fate = Fate(moment)
    out = bed.place(folder)
    process = subprocess.Popen(
        bed.command(out),
        cwd=common.ROOT,
        env=_environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    ended = process.wait() != -signal.SIGKILL
    if not _all_end(process.pid):
        fate.wrong.append("its processes live on")
    fate.stage = OVER if ended else stage(out, bed.shards)
    fate.finished = finished_shards(out)
    fate.wrong += _is_whole(bed, out)
    _next_run(bed, out, fate)
    return fate


def _next_run(bed: Bed, out: Path, fate: Fate) -> None:
    """Build again over what was left, and say what is not as it must be."""
    began = time.perf_counter()
    try:
        fate.reused = bed.again(out)["reused"]
    except subprocess.CalledProcessError as error:
        fate.wrong.append(f"the next run fails: {error.stderr.strip()[-300:]}")
        return
    fate.seconds = time.perf_counter() - began
    if fate.reused != fate.finished:
        fate.wrong.append(f"the next run takes over {fate.reused} shards of {fate.finished}")
    fate.wrong += _difference("the next run's build", common.contents(out), bed.expected)
    if _cache(out) != bed.cache:
        fate.wrong.append("the next run's cache has other files")
    fate.wrong += [f"left behind: {name}" for name in left_over(out)]


def left_over(out: Path) -> list[str]:
    """Return what lies beside the build and in the folder for temporary files."""
    beside = [path.name for path in out.parent.iterdir() if path.name not in (out.name, "tmp")]
    return sorted([*beside, *(f"tmp/{path.name}" for path in (out.parent / "tmp").iterdir())])


def stage(out: Path, shards: int) -> str:
    """Return the stage in which a run was killed, from what lies in the folder that it was building in."""
    new = out.with_name(f".{out.name}.new")
    work = new / buildfolder.WORK
    if out.with_name(f".{out.name}.old").exists() or (new / blocks.INDEX).exists():
        return "closing"
    if not new.exists():
        former = json.loads((out / buildfolder.MANIFEST).read_text(encoding="utf-8"))
        return "reading" if former["accounts"]["records"]["read"] == 5 else "closing"
    if any(new.glob("pfocr-*")):
        return "layers"
    if (work / "things.data").exists() or (shards and finished_shards(out) == shards):
        return "things"
    return "shards" if any((work / "shards").glob("context-*")) else "reading"


def finished_shards(out: Path) -> int:
    """Return the number of shards that a killed run had finished."""
    place = out.with_name(f".{out.name}.new") / buildfolder.WORK / "shards"
    numbers = [path for path in place.glob("*.json") if not path.name.startswith("context-")]
    return sum(path.with_suffix(".data").is_file() for path in numbers)


def _is_whole(bed: Bed, out: Path) -> list[str]:
    """Say when there is neither the whole earlier build nor the whole new one."""
    old = out.with_name(f".{out.name}.old")
    found = common.contents(out if out.exists() or not old.exists() else old)
    if found in (bed.before, bed.expected):
        return []
    return _difference("the build that was there", found, bed.before)


def _difference(what: str, found: dict[str, str], expected: dict[str, str]) -> list[str]:
    names = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    return [f"{what} differs: {', '.join(names)}"] if names else []


def _all_end(session: int) -> bool:
    """Wait for all processes of a session to end."""
    end = time.monotonic() + _PATIENCE
    while any(_runs(pid) for pid in measure.tree(session)):
        if time.monotonic() > end:
            with suppress(ProcessLookupError):
                os.killpg(session, signal.SIGKILL)
            return False
        time.sleep(0.01)
    return True


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat[stat.rindex(")") + 2] not in "ZX"


@dataclass(slots=True)
class Refusal:
    """What became of a run to which the disk refused: exit code, the last line it said of so many, and the next run."""

    case: str
    code: int = 0
    said: str = ""
    lines: int = 0
    fate: Fate = field(default_factory=lambda: Fate(0.0))


def file_limit(bed: Bed, folder: Path, case: str, size: int) -> Refusal:
    """Build while no file may be larger than `size` bytes; then build again without that."""
    out = bed.place(folder)
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {resource.RLIM_INFINITY}))"
    words = bed.command(out)
    words[2] = f"{code}; {words[2]}"
    done = subprocess.run(words, check=False, cwd=common.ROOT, env=_environment(folder), capture_output=True, text=True)
    return _refused(bed, out, case, done.returncode, done.stderr)


def small_disk(bed: Bed, folder: Path, size: int) -> Refusal | None:
    """Build on a file system of so many bytes, which is too small from the start; then make it larger."""
    with _tmpfs(folder, size) as disk:
        if disk is None:
            return None
        out = bed.place(disk)
        done = subprocess.run(
            bed.command(out), check=False, cwd=common.ROOT, env=_environment(disk), capture_output=True, text=True
        )
        subprocess.run(["mount", "-o", f"remount,size={50 * size}", str(disk)], check=True)
        return _refused(bed, out, "disk too small from the start", done.returncode, done.stderr)


def filled_disk(bed: Bed, folder: Path, size: int) -> Refusal | None:
    """Build on a file system of so many bytes, which another program fills meanwhile; then build again without it."""
    with _tmpfs(folder, size) as disk:
        if disk is None:
            return None
        out = bed.place(disk)
        process = subprocess.Popen(
            bed.command(out),
            cwd=common.ROOT,
            env=_environment(disk),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not finished_shards(out):
            time.sleep(0.002)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as stream, suppress(OSError):
            while process.poll() is None:
                stream.write(bytes(1 << 16))
        _, said = process.communicate()
        filler.unlink()
        return _refused(bed, out, "disk filled by another program", process.returncode, said)


def _refused(bed: Bed, out: Path, case: str, code: int, said: str) -> Refusal:
    """Look at what a refused run left, and build again."""
    lines = said.strip().splitlines()
    # no place of this machine in the table
    found = Refusal(case, code, lines[-1].replace(str(out), "build") if lines else "", len(lines))
    wrong = found.fate.wrong
    if code == 0:
        wrong.append("it did not fail")
    wrong += [f"left behind by the refused run: {name}" for name in left_over(out)]
    wrong += _difference("the build that was there", common.contents(out), bed.before)
    found.fate.finished = finished_shards(out)
    _next_run(bed, out, found.fate)
    return found


@contextmanager
def _tmpfs(folder: Path, size: int) -> Iterator[Path | None]:
    """Yield a file system of its own of so many bytes, or None where it cannot be had (it takes root)."""
    disk = Path(tempfile.mkdtemp(dir=folder))
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
