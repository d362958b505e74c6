"""What a program costs: seconds, CPU seconds and peak memory of its whole tree of processes (Linux).

Memory is the sum of the proportional set sizes (PSS) of all processes of the tree, so pages that forked workers
share count once. It is sampled every `INTERVAL` seconds, and less often where a sample itself takes long. The
kernel's own high-water mark of each process seen closes the gap between two samples where one process holds most.
Processor time comes from the kernel on each process's end, so children too short to be sampled count in full.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.05
"""Seconds between two samples of memory."""
SHARE = 0.03
"""Most of the time that sampling may work, waits for a processor not counted: it holds up the process sampled."""

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run cost, and what it wrote to its standard output."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    stdout: str = ""


def run(
    command: Sequence[str | Path],
    *,
    timeout: float | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Measured:
    """Run a program to its end and measure it with all its descendants.

    Raises `subprocess.CalledProcessError` when it fails and `subprocess.TimeoutExpired` when it takes longer than
    `timeout` seconds; what is left of the tree is killed in both cases.
    """
    words = [str(word) for word in command]
    with _adopting_orphans():
        began = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        sampler = _Sampler(process.pid)
        sampler.start()
        late = threading.Event()
        clock = threading.Timer(timeout or threading.TIMEOUT_MAX, _stop, (process.pid, late))
        clock.daemon = True
        clock.start()
        try:
            usage, seconds, stdout, stderr = _wait(process, began)
        finally:
            clock.cancel()
            sampler.stop()
            orphans = _reap(process.pid)
    if late.is_set():
        raise subprocess.TimeoutExpired(words, timeout or 0.0, stdout, stderr)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words, stdout, stderr)
    return Measured(seconds, usage + orphans, sampler.peak, stdout)


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """Watch a program that runs already while the block lasts; yields a list that then has its peak memory in bytes."""
    peak: list[int] = []
    sampler = _Sampler(pid)
    sampler.start()
    try:
        yield peak
    finally:
        sampler.stop()
        peak.append(sampler.peak)


def _wait(process: subprocess.Popen[str], began: float) -> tuple[float, float, str, str]:
    """Wait for the program; return its CPU seconds (with reaped descendants), seconds and both outputs."""
    texts: dict[str, str] = {}

    def drain(name: str) -> None:
        stream = getattr(process, name)
        texts[name] = stream.read()
        stream.close()

    readers = [threading.Thread(target=drain, args=(name,)) for name in ("stdout", "stderr")]
    for reader in readers:
        reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    _kill(process.pid)  # a descendant that is left would hold the outputs open
    for reader in readers:
        reader.join()
    return usage.ru_utime + usage.ru_stime, seconds, texts["stdout"], texts["stderr"]


def _stop(group: int, late: threading.Event) -> None:
    late.set()
    _kill(group)


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _reap(group: int) -> float:
    """Take the exit of orphans of the group; return their CPU seconds."""
    spent = 0.0
    while True:
        try:
            _, _, usage = os.wait4(-group, 0)
        except ChildProcessError:
            return spent
        spent += usage.ru_utime + usage.ru_stime


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """While open, processes whose parent has ended become ours, so that their cost can be asked for."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


class _Sampler(threading.Thread):
    """Looks at the memory of a tree of processes until told to stop; `peak` is the most it saw."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.peak = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            began = time.thread_time()
            sizes = [size for pid in tree(self.root) if (size := _memory(pid))]
            self.peak = max(self.peak, sum(now for now, _ in sizes), *(most for _, most in sizes), 0)
            spent = time.thread_time() - began
            pause = max(INTERVAL - spent, spent / SHARE)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def tree(root: int) -> list[int]:
    """Return the process, its descendants, and what else is left of its session."""
    parents: dict[int, int] = {}
    found = {root}
    for pid, parent, session in _processes():
        parents[pid] = parent
        if session == root:
            found.add(pid)
    more = True
    while more:
        more = False
        for pid, parent in parents.items():
            if parent in found and pid not in found:
                found.add(pid)
                more = True
    return sorted(found)


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield pid, parent and session of each process."""
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        after_name = stat[stat.rindex(")") + 2 :].split()
        yield int(entry.name), int(after_name[1]), int(after_name[3])


def _memory(pid: int) -> tuple[int, int] | None:
    """Return a process's PSS and the most that it ever held resident, in bytes; None when it has ended."""
    try:
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
        status = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    now, most = _kilobytes(rollup, "Pss:"), _kilobytes(status, "VmHWM:")
    return (now * 1024, most * 1024) if now else None


def _kilobytes(text: str, name: str) -> int:
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
