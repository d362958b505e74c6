"""A source with a history, for tests of nightly runs: a git repository that each night finds changed, or not."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import changing
from tests.changing import Files

FIRST_DAY = 1


@dataclass
class History:
    """A repository of a small source. Each commit is of a new day, so each release has a version of its own."""

    files: Files
    revisions: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """What a flow is given as its source."""
        return f"file://{self.files.root}"

    def commit(self) -> str:
        """Commit what is there; return the revision."""
        day = len(self.revisions) + FIRST_DAY
        date = f"2024-{1 + day // 28:02}-{1 + day % 28:02}T12:00:00+00:00"
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", f"day {day}", date=date)
        self.revisions.append(self.git("rev-parse", "HEAD"))
        return self.revisions[-1]

    def version(self, number: int = -1) -> str:
        """Return the version that the release of a commit gets."""
        return self.git("show", "--no-patch", "--format=%cd", "--date=format:%Y%m%d", self.revisions[number])

    def git(self, *words: str, date: str = "2024-01-01T12:00:00+00:00") -> str:
        """Run git here."""
        who = {f"GIT_{role}_{part}": "x@y" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", *words], cwd=self.files.root, env={**os.environ, **who, **dates}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def history(root: Path, figures: int = 12) -> History:
    """Return a repository of one commit."""
    made = History(changing.small(root, figures, fixtures=False))
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit()
    return made


def break_records(files: Files, share: float) -> list[str]:
    """Spoil a share of the records, at least two; return their paths."""
    records = files.records()
    paths = records[: max(2, round(share * len(records)))]
    for path in paths:
        files.stored[path] = (files.root / path).read_bytes()
        files.write(path, "no front matter\n")
    return paths


def mend(files: Files) -> None:
    """Bring the records back that were spoiled."""
    while files.stored:
        files.write(*files.stored.popitem())


def remove_figures(files: Files, share: float) -> None:
    """Remove a share of the figures, with their tables."""
    records = files.records()
    for path in records[: round(share * len(records))]:
        changing.drop(files, path)


def run(source: History | str, out: Path, **more: Any) -> dict[str, Any]:
    """Run one night; with threads unless asked otherwise, for starting processes takes longer than these builds."""
    from flows.nightly import nightly
    from flows.parameters import Nightly

    address = source if isinstance(source, str) else source.address
    return nightly(Nightly(**{"source": address, "out": out, "runner": "threads", "workers": 1, **more}))


def artifact(key: str) -> Any:
    """Return the newest artifact of a key."""
    from prefect.artifacts import Artifact

    found: Any = Artifact.get(key)
    return found
