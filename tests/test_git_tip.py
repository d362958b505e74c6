"""What a git source is by now: known without fetching, fetched once; a host that does not answer is told apart."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pfocr_rdf.errors import SourceUnavailable, UsageError
from pfocr_rdf.extract import git
from tests.services import free_port
from tests.support import require_tool


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository of one commit, with a branch and an annotated tag."""
    require_tool("git", "git")
    root = tmp_path / "history"
    root.mkdir()
    (root / "a.md").write_text("a")
    run(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    run(root, "branch", "other")
    run(root, "tag", "-a", "-m", "one", "v1")
    return root


def run(root: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@y"]
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    run(root, "add", "--all")
    run(root, "commit", "--quiet", "--allow-empty", "-m", "more")
    return run(root, "rev-parse", "HEAD")


def test_the_tip_is_what_a_checkout_gives(history: Path, tmp_path: Path) -> None:
    first = run(history, "rev-parse", "HEAD")
    commit(history)
    for revision in ("", "@main", "@other", "@v1", f"@{first}"):
        source = f"file://{history}{revision}"
        with git.checkout(source, tmp_path / "cache") as (_, state):
            assert git.tip(source) == state.revision, revision


def test_what_names_no_commit_has_no_tip(history: Path, tmp_path: Path) -> None:
    assert git.tip(f"file://{history}@nothing") is None
    assert git.tip(f"file://{history}@{run(history, 'rev-parse', '--short=8', 'HEAD')}") is None
    assert git.tip(str(tmp_path)) is None
    assert git.tip(str(tmp_path / "archive.zip")) is None


def test_a_clean_checkout_is_its_commit_and_a_changed_one_is_none(history: Path) -> None:
    assert git.tip(str(history)) == run(history, "rev-parse", "HEAD")
    (history / "a.md").write_text("b")
    assert git.tip(str(history)) is None


def test_a_commit_that_was_fetched_is_not_fetched_again(history: Path, tmp_path: Path) -> None:
    with git.checkout(f"file://{history}", tmp_path / "cache") as (_, state):
        revision = state.revision
    history.rename(tmp_path / "elsewhere")
    with git.checkout(f"file://{history}@{revision}", tmp_path / "cache") as (folder, state):
        assert state.revision == revision
        assert (folder / "a.md").read_text() == "a"
    with pytest.raises(UsageError), git.checkout(f"file://{history}", tmp_path / "cache"):
        pass


class Answer(BaseHTTPRequestHandler):
    """Answers every request with one status."""

    status = 0

    def do_GET(self) -> None:
        self.send_error(self.status)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/x.git"
        server.shutdown()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_host_may_answer_later(host: str, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require_tool("git", "git")
    monkeypatch.setattr(Answer, "status", status)
    with pytest.raises(SourceUnavailable, match="may answer later"):
        git.tip(host)
    with pytest.raises(SourceUnavailable), git.checkout(host, tmp_path):
        pass


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_host_that_refuses_will_refuse_again(host: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    require_tool("git", "git")
    monkeypatch.setattr(Answer, "status", status)
    with pytest.raises(UsageError) as raised:
        git.tip(host)
    assert not isinstance(raised.value, SourceUnavailable)


def test_a_host_that_is_not_there_may_come_back() -> None:
    require_tool("git", "git")
    with pytest.raises(SourceUnavailable):
        git.tip(f"http://127.0.0.1:{free_port()}/x.git")
