"""Thirty nights of a source that grows, changes, shrinks and is broken twice; each release is that of a full build.

All checks are run in some of the nights, quick ones in the others; a served store is brought along.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf import buildfolder, pipeline
from pfocr_rdf.errors import TooManyRejected
from pfocr_rdf.release.gate import Kept
from pfocr_rdf.release.steps import Steps
from tests import changing, nights, releasing
from tests.nights import History, run
from tests.support import require_tool

if os.environ.get("CI") != "true":
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = [pytest.mark.flows, pytest.mark.slow, pytest.mark.usefixtures("quiet_flows")]

NIGHTS = 30
BROKEN, SHRUNK, QUIET = 11, 19, (7, 23)
"""Nights with broken records, with half of the source gone, and without a change."""

KEEP = 4
DROP = 0.3
"""In so small a source a figure that goes takes a tenth of the chemicals with it."""
CHANGES = (changing.title, changing.rows_removed, changing.figure_removed, changing.touched)
"""Changes that leave a release the checks find good."""

START = 40
"""Figures that are there on the first night; those behind them come one by one."""


def expected(source: History, place: Path) -> dict[str, bytes]:
    """The files of a full build that are published as they are."""
    built = pipeline.build(str(source.files.root), place, pipeline.Options(), workers=1, use_cache=False)
    return {name: (place / name).read_bytes() for name in [*built.manifest["files"], buildfolder.MANIFEST]}


def used(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


@pytest.mark.timeout(7200)
def test_thirty_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import steps
    from tests import servers

    require_tool("git", "git")
    rng = random.Random(30)  # noqa: S311 - the same nights each time
    source = nights.history(tmp_path / "source", START + NIGHTS)
    coming = _take_away(source)
    out = tmp_path / "site"
    sizes: list[int] = []
    bad: list[int] = []
    (tmp_path / "store").mkdir()
    with servers.oxigraph(servers.require_oxigraph(), tmp_path / "store") as server:
        to = [server.query.rpartition("/")[0]]
        for night in range(1, NIGHTS + 1):
            monkeypatch.setattr(steps, "Steps", Steps if night % 10 == 1 else releasing.steps)
            saved = dict.fromkeys(source.files.records())
            if night > 1 and night not in QUIET:
                _change(source, night, rng, coming)
            before = (_but_rejected(out), server.counts()) if out.exists() else None
            if night in (BROKEN, SHRUNK):
                with pytest.raises((TooManyRejected, Kept)):
                    run(source, out, to=to, keep=KEEP, max_drop=DROP)
                assert before == (_but_rejected(out), server.counts())
                bad.append(night)
                source.git("revert", "--no-edit", "HEAD", date=_date(night))
                assert source.files.records() == list(saved)
                continue
            done = run(source, out, to=to, keep=KEEP, max_drop=DROP)
            assert done["new"] is (night not in QUIET or night - 1 in bad)
            _whole(source, out, tmp_path / "full")
            _served(server, out)
            sizes.append(used(out))
            assert len(list((out / "releases").iterdir())) <= KEEP
    assert bad == [BROKEN, SHRUNK]
    assert max(sizes[KEEP + 2 :]) < 2 * sizes[KEEP + 1]  # the source grows a little


def _take_away(source: History) -> list[dict[str, bytes]]:
    """Begin with some figures alone; return the files of each of the others."""
    files = source.files
    others = []
    for path in files.records()[START:]:
        names = [path, *files.names(f"_data/{Path(path).stem}-*.tsv")]
        others.append({name: (files.root / name).read_bytes() for name in names})
        changing.drop(files, path)
    source.git("add", "--all", "--force")
    source.git("commit", "--quiet", "--amend", "--message", "day 1", date="2024-01-02T12:00:00+00:00")
    source.revisions[0] = source.git("rev-parse", "HEAD")
    return others


def _change(source: History, night: int, rng: random.Random, coming: list[dict[str, bytes]]) -> None:
    """Make one night's changes and commit them."""
    if night == BROKEN:
        nights.break_records(source.files, 0.05)
        source.files.stored.clear()
    elif night == SHRUNK:
        nights.remove_figures(source.files, 0.5)
    else:
        for change in rng.sample(CHANGES, 2):
            change(source.files, rng)
        for name, data in coming.pop().items():
            source.files.write(name, data)
    source.commit()


def _date(night: int) -> str:
    return f"2024-03-{night:02}T13:00:00+00:00"


def _but_rejected(out: Path) -> dict[str, str]:
    """What lies there, but for what was said of the bad night, and the build that the next night brings up to date."""
    return {name: sha for name, sha in releasing.contents(out).items() if not name.startswith(("rejected/", ".work/"))}


def _whole(source: History, out: Path, place: Path) -> None:
    current = out / "current"
    wanted = expected(source, place)
    assert {name: (current / name).read_bytes() for name in wanted} == wanted
    lines = (current / "SHA256SUMS").read_text().splitlines()
    sums = {name: sha for sha, name in (line.split("  ", 1) for line in lines)}
    manifest: dict[str, Any] = json.loads((current / buildfolder.MANIFEST).read_text())
    assert {name: sums[name] for name in manifest["files"]} == {
        name: entry["sha256"] for name, entry in manifest["files"].items()
    }
    releasing.check_sums(current)


def _served(server: Any, out: Path) -> None:
    """The store holds the release that is current, graph by graph."""
    manifest = json.loads((out / "current" / buildfolder.MANIFEST).read_text())
    counts = server.counts()
    for layer, entry in manifest["layers"].items():
        assert counts.get(f"https://w3id.org/pfocr/graph/{layer}", 0) == entry["triples"], layer
