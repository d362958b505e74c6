"""The gate: what may take the place of the release before, what is kept aside, and how many releases stay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf import buildfolder
from pfocr_rdf.release import gate
from pfocr_rdf.release.folder import opened, superfluous
from pfocr_rdf.release.gate import Kept
from pfocr_rdf.validation.findings import Finding, Report
from tests import changing
from tests.releasing import contents, outcome, release, steps

FEW, MANY = 4, 8


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two builds: `many` figures, and `few`."""
    root = tmp_path_factory.mktemp("builds")
    files = changing.small(root / "source", MANY, fixtures=False)
    changing.build(files, root / "many")
    for path in files.records()[FEW:]:
        changing.drop(files, path)
    changing.build(files, root / "few", full=True)
    return root


def counted(figures: int, core: int, mentions: int = 100) -> dict[str, Any]:
    counts = {"figures": figures, "papers": 5, "genes": 5, "mentions": mentions, "taxa": 1}
    return {"counts": counts, "layers": {"core": {"triples": core}}}


def test_a_count_may_fall_by_the_share_and_no_more() -> None:
    before = counted(100, 1000)
    assert gate.reasons(Report(), before, counted(90, 900), 0.1) == []
    assert gate.reasons(Report(), before, counted(89, 899), 0.1) == [
        "figures fell by 11.0% (100 -> 89)",
        "triples of core fell by 10.1% (1,000 -> 899)",
    ]


def test_growth_the_first_release_and_no_share_pass() -> None:
    assert gate.reasons(Report(), counted(1, 1), counted(500, 900), 0.0) == []
    assert gate.reasons(Report(), None, counted(1, 1), 0.0) == []
    assert gate.reasons(Report(), counted(100, 1000), counted(1, 1), None) == []


def test_a_layer_that_is_gone_fell_to_nothing() -> None:
    before = counted(100, 1000)
    before["layers"]["xrefs"] = {"triples": 7}
    assert gate.reasons(Report(), before, counted(100, 1000), 0.5) == ["triples of xrefs fell by 100.0% (7 -> 0)"]


def test_violations_are_reasons_and_warnings_are_none() -> None:
    warned = Report([outcome("Q32", [Finding("figures", "1 -> 9", "changed")])])
    assert gate.reasons(warned, None, counted(1, 1), 0.1) == []
    violated = Report([outcome("Q35", [Finding("manifest.json", "records", "does not add up")])])
    assert gate.reasons(violated, None, counted(1, 1), None) == ["1 violations of Q35"]


def test_what_fell_is_kept_aside_with_its_build_and_published_when_accepted(made: Path, tmp_path: Path) -> None:
    release(made / "many", tmp_path, "a", max_drop=0.1)
    before = contents(tmp_path)
    with pytest.raises(Kept, match=r"figures fell by .*; nothing was published") as raised:
        release(made / "few", tmp_path, "b", max_drop=0.1)
    kept = tmp_path / "rejected" / "b"
    assert (raised.value.version, raised.value.place, raised.value.exit_code) == ("b", kept, 4)
    assert json.loads((kept / "reasons.json").read_text())["reasons"] == raised.value.reasons
    after = contents(tmp_path)
    assert {name: sha for name, sha in after.items() if not name.startswith("rejected/")} == before

    taken = release(kept / "build", tmp_path, "b", max_drop=0.1, accept=True)
    assert taken.new
    assert (tmp_path / "current").resolve().name == "b"
    assert not (tmp_path / "rejected").exists()
    for name in buildfolder.read_manifest(made / "few")["files"]:
        assert (taken.place / name).read_bytes() == (made / "few" / name).read_bytes()


def test_violations_can_be_accepted_after_a_look(made: Path, tmp_path: Path) -> None:
    with pytest.raises(Kept):
        release(made / "few", tmp_path, "a", steps=steps(violate=True))
    taken = release(tmp_path / "rejected" / "a" / "build", tmp_path, "a", steps=steps(violate=True), accept=True)
    assert taken.release["checks"]["conforms"] is False


def test_only_the_newest_build_is_kept_aside_and_none_after_a_release(made: Path, tmp_path: Path) -> None:
    release(made / "many", tmp_path, "a")
    for name in ("b", "c"):
        with pytest.raises(Kept):
            release(made / "few", tmp_path, name, max_drop=0.1)
    builds = [path.parent.name for path in tmp_path.glob("rejected/*/build")]
    assert builds == ["c"]
    assert (tmp_path / "rejected" / "b" / "reasons.json").is_file()
    assert release(made / "few", tmp_path, "d").new
    assert list(tmp_path.glob("rejected/*/build")) == []


def test_the_newest_releases_stay_and_the_current_one() -> None:
    names = ["20240101", "20240101-r2", "20240101-r10", "20231231", "20240102"]
    assert superfluous(names, "20240102", 2) == ["20231231", "20240101", "20240101-r2"]
    assert superfluous(names, "20231231", 2) == ["20240101", "20240101-r2"]
    assert superfluous(names, "", 9) == []


def test_old_releases_are_deleted_whole_and_the_others_untouched(made: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c")):
        release(made / ("many", "few")[number % 2], tmp_path, name)
    stays = {name: sha for name, sha in contents(tmp_path).items() if not name.startswith("releases/a/")}
    (tmp_path / "releases" / "notes").symlink_to(made)  # a link is none of ours
    with opened(tmp_path) as releases:
        assert releases.prune(2) == ["a"]
        assert releases.prune(2) == []
    (tmp_path / "releases" / "notes").unlink()
    assert contents(tmp_path) == stays


def test_a_delete_that_was_killed_is_finished_by_the_next_run(made: Path, tmp_path: Path) -> None:
    release(made / "many", tmp_path, "a")
    shutil.copytree(tmp_path / "releases" / "a", tmp_path / ".release.old")
    (tmp_path / ".release.old" / "manifest.json").unlink()
    with opened(tmp_path):
        pass
    assert not (tmp_path / ".release.old").exists()
