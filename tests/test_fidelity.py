"""Every build says all that its source says and nothing else, by a reader that shares no code with the converter."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.blackbox import FIXTURES, run
from tests.checker import compare
from tests.support import SEEDS

GENERATIONS = ("2021", "2023", "latest")
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
UNJUDGED = {
    "creators": "nothing fixes the name of a node for a creator without address: test_traps_jsonld.py judges these",
    "gene-info": "no source: a list for --gene-info",
}
"""Fixtures that the checker cannot judge."""


def differences(source: Path, out: Path) -> list[str]:
    """Build a source; say in what the build differs from it, or that there is no build."""
    built = run(source, out)
    return compare(source, out) if built.exit_code == 0 else [f"no build: {built.output}"]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_real_records_are_converted_faithfully(shared: Path, tmp_path: Path, generation: str) -> None:
    assert differences(shared / "records" / generation, tmp_path / "out") == []


def test_the_seed_is_converted_faithfully(tmp_path: Path) -> None:
    assert differences(SEEDS, tmp_path / "out") == []


@pytest.mark.parametrize("name", [name for name in CASES if name not in UNJUDGED])
def test_a_trap_is_converted_faithfully(name: str, tmp_path: Path) -> None:
    assert differences(FIXTURES / name, tmp_path / "out") == []


@pytest.mark.parametrize("name", UNJUDGED)
def test_no_fixture_is_left_out_without_need(name: str, tmp_path: Path) -> None:
    found = differences(FIXTURES / name, tmp_path / "out")
    assert found, f"{name} can be judged: take it out of UNJUDGED"
    # What cannot be judged stands in one layer; all else of the fixture is proven here too.
    assert all(line.startswith(("no build: ", "compat: not in the source: ")) for line in found), found


def backwards(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, reverse=True)


def shuffled(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: random.Random(path.name).random())  # noqa: S311  # no secret


@pytest.mark.parametrize("order", [backwards, shuffled])
def test_the_order_of_files_on_disk_changes_nothing(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Callable[[Iterable[Path]], list[Path]]
) -> None:
    source, copy = shared / "records" / "latest", tmp_path / "copy"
    for path in order(path for path in source.rglob("*") if path.is_file()):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    assert run(source, tmp_path / "out").exit_code == 0
    listed = Path.glob
    # A file system may list files as it likes whatever order they were written in: the checker sees this one.
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: order(listed(folder, pattern)))
    assert compare(copy, tmp_path / "out") == []
