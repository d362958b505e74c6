"""Processes that work for this one: started without what they do not need, and not waited for without end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pfocr_rdf.errors import WorkerLost
from pfocr_rdf.workers import Processes

PROGRAM = """
PROGRAM = "its own"
import sys, threading, time
from pfocr_rdf.workers import Processes
print("loaded", flush=True)
if __name__ == "__main__":
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()  # so that processes are no copies of this one
    with Processes(2) as processes:
        print(sorted(processes.map(abs, [-1, -2, -3])), processes.call(abs, -4))
    print(sys.modules["__main__"].PROGRAM)
"""


def test_worker_processes_do_not_load_the_main_module(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["loaded", "[1, 2, 3] 4", "its own"]


def test_a_part_that_hangs_is_ended() -> None:
    began = time.monotonic()
    with Processes(1) as processes, pytest.raises(WorkerLost, match="did not end within 1 s"):
        processes.call(time.sleep, 120, 1)
    assert time.monotonic() - began < 60


def test_a_process_that_is_killed_is_told_of() -> None:
    with Processes(1) as processes:
        process = processes.call(_process, None)
        assert process != os.getpid()
        with pytest.raises(WorkerLost, match="worker process was killed"):
            processes.call(_die, None)


def _process(_part: None) -> int:
    return os.getpid()


def _die(_part: None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
