"""The clone of a git source outlives what happens to a run: locks of a killed git go, and it does not grow for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pfocr_rdf.extract import git
from tests.test_git_tip import commit, history, run

__all__ = ["history"]

LOCKS = ["index.lock", "HEAD.lock", "shallow.lock", "refs/remotes/all/heads/main.lock"]


def clone_in(cache: Path) -> Path:
    [found] = cache.glob("*/.git")
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_that_a_killed_git_left_stops_nobody(lock: str, history: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with git.checkout(str(history), cache):
        pass
    left = clone_in(cache) / lock
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    (history / "added.md").write_text("x", encoding="utf-8")
    tip = commit(history)
    with git.checkout(str(history), cache) as (folder, state):
        assert state.revision == tip
        assert (folder / "added.md").exists()
    assert not left.exists()


def test_a_run_that_is_told_to_stop_lets_git_end(history: Path, tmp_path: Path) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        f"#!{sys.executable}\nimport time\nprint('here', flush=True)\n"
        f"open({str(tmp_path / 'began')!r}, 'w').close()\n"
        "import signal, sys\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / 'ended')!r}, 'w'), sys.exit(1)))\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )
    slow.chmod(0o755)
    code = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from pfocr_rdf.extract import git\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "with git.checkout(sys.argv[1], Path(sys.argv[2])):\n"
        "    pass\n"
    )
    environment = os.environ | {"PATH": f"{slow.parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", code, str(history), str(tmp_path / "cache")], env=environment) as run_:
        while not (tmp_path / "began").exists():
            assert run_.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
        run_.send_signal(signal.SIGTERM)
        assert run_.wait(30) == 3
    assert (tmp_path / "ended").exists()


def test_what_no_commit_needs_any_more_is_deleted(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "_PACKS", 3)
    cache = tmp_path / "cache"
    counts = []
    for number in range(8):
        for name in range(120):
            (history / f"{name}.md").write_text(f"{number} {name}", encoding="utf-8")
        tip = commit(history)
        with git.checkout(f"file://{history}", cache) as (folder, state):
            assert state.revision == tip
            assert (folder / "119.md").read_text(encoding="utf-8") == f"{number} 119"
        counted = run(clone_in(cache), "count-objects", "-v").split()
        counts.append(int(counted[counted.index("in-pack:") + 1]))
    assert counts[0] > 120
    assert max(counts) < 5 * 130, counts
