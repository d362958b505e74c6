"""Nightly runs: what is published, what is kept aside, when nothing is done, and what a run tells.

The checks are those quick ones of `tests.releasing`, but for one test; `tests/test_flows_nights.py` has them all.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf import pipeline, resources
from pfocr_rdf.errors import TooManyRejected, UsageError
from pfocr_rdf.release import folder
from pfocr_rdf.release.gate import Kept
from tests import changing, nights, releasing
from tests.nights import History, run
from tests.support import require_tool

if os.environ.get("CI") != "true":
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = [pytest.mark.flows, pytest.mark.usefixtures("quiet_flows")]


@pytest.fixture
def source(tmp_path: Path) -> History:
    require_tool("git", "git")
    return nights.history(tmp_path / "source")


def current(out: Path) -> str:
    return (out / "current").resolve().name


def same_as_full(out: Path, source: History, place: Path) -> None:
    """The current release has the files of a build from nothing, byte for byte."""
    built = pipeline.build(str(source.files.root), place, pipeline.Options(), workers=1, use_cache=False)
    for name in [*built.manifest["files"], "manifest.json"]:
        assert (out / "current" / name).read_bytes() == (place / name).read_bytes(), name


def test_nights_publish_what_changed_and_rest_when_nothing_did(source: History, tmp_path: Path) -> None:
    out = tmp_path / "site"
    first = run(source, out)
    assert (first["new"], first["version"], first["previous"]) == (True, source.version(), None)
    assert first["revision"] == source.revisions[0]
    same_as_full(out, source, tmp_path / "full-1")

    before = releasing.contents(out)
    began = time.monotonic()
    again = run(source, out)
    assert (again["new"], again["version"]) == (False, first["version"])
    assert time.monotonic() - began < 30
    assert releasing.contents(out) == before

    changing.drop(source.files, source.files.records()[0])
    source.files.edit(source.files.records()[2], lambda text: text.replace("figtitle: ", "figtitle: New ", 1))
    source.commit()
    third = run(source, out)
    assert (third["new"], third["version"], third["previous"]) == (True, source.version(), first["version"])
    same_as_full(out, source, tmp_path / "full-2")
    changing.no_debris(out, ".work", "current", "releases")
    changing.no_debris(out / ".work", "build", "made.json")


@pytest.mark.slow
def test_another_program_or_other_options_are_no_reason_to_rest(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import build, steps

    out = tmp_path / "site"
    assert run(source, out)["new"]
    assert run(source, out, compress="gzip")["new"]
    assert not run(source, out, compress="gzip", runner="threads", workers=2)["new"]
    assert run(source, out, compress="gzip", base_url="https://example.org/r")["new"]
    converted: list[Any] = []
    make = build.make

    def watched(*given: Any, **named: Any) -> Any:
        converted.append(given)
        return make(*given, **named)

    monkeypatch.setattr(steps, "make", watched)
    monkeypatch.setattr(resources, "converter", lambda: "another")
    assert not run(source, out, compress="gzip", base_url="https://example.org/r")["new"]  # the same bytes
    assert len(converted) == 1


def test_too_many_broken_records_leave_what_is_published(source: History, tmp_path: Path) -> None:
    out = tmp_path / "site"
    run(source, out)
    before = releasing.contents(out)
    nights.break_records(source.files, 0.05)
    source.commit()
    with pytest.raises(TooManyRejected, match="2 of 12 records"):
        run(source, out)
    assert releasing.contents(out) == before
    assert "2 of 12 records" in nights.artifact("pfocr-rdf-rejected").data
    nights.mend(source.files)
    source.commit()
    assert run(source, out)["new"]
    same_as_full(out, source, tmp_path / "full")


def test_a_fall_is_kept_aside_not_loaded_and_taken_after_a_look(
    source: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import stores

    brought: list[str] = []

    def bring(address: str, place: Path, *_: Any) -> dict[str, Any]:
        brought.append(place.name)
        return {"store": address, "version": place.name, "way": "full", "added": 1, "removed": 0}

    monkeypatch.setattr(stores, "bring", bring)
    out, to = tmp_path / "site", ["http://127.0.0.1:1/ds"]
    first = run(source, out, to=to)["version"]
    nights.remove_figures(source.files, 0.5)
    source.commit()
    with pytest.raises(Kept, match=r"figures fell by 50\.0%"):
        run(source, out, to=to)
    assert (current(out), brought) == (first, [first])
    page = nights.artifact("pfocr-rdf-rejected").data
    assert "figures fell by 50.0%" in page
    assert f"`accept` set to `{source.version()}`" in page
    with pytest.raises(Kept):  # every night, until somebody looks or the source is whole
        run(source, out, to=to)

    accepted = run(source, out, to=to, accept=source.version())
    assert (accepted["new"], accepted["version"]) == (True, source.version())
    same_as_full(out, source, tmp_path / "full")
    assert brought == [first, source.version()]
    assert not (out / "rejected").exists()
    assert not run(source, out)["new"]
    with pytest.raises(UsageError, match="can be accepted"):
        run(source, out, accept="19990101")


def test_a_run_tells_what_it_published(source: History, tmp_path: Path) -> None:
    out = tmp_path / "site"
    run(source, out)
    changing.drop(source.files, source.files.records()[0])
    source.commit()
    run(source, out, base_url="https://example.org/pfocr")
    page = nights.artifact("pfocr-rdf-release").data
    release = folder.read_release(out / "current")
    assert f"# Release {release['version']}, after {release['previous']}" in page
    assert "| figures | 12 | 11 | -1 |" in page
    assert "1 removed" in page
    assert f"(https://example.org/pfocr/{release['version']}/report.html)" in page
    assert f"(https://example.org/pfocr/{release['version']})" in page
    assert f"`{out}/releases/{release['version']}`" in page
    rows = {row["count"]: row for row in json.loads(nights.artifact("pfocr-rdf-counts").data)}
    assert rows["papers"]["now"] == release["counts"]["papers"]
    assert rows["triples of core"]["now"] == release["triples"]["core"]
    outcomes = {row["check"]: row["status"] for row in json.loads(nights.artifact("pfocr-rdf-checks").data)}
    assert outcomes == {name: found["status"] for name, found in release["checks"]["outcomes"].items()}


@pytest.mark.slow
def test_old_releases_go_and_the_number_that_stays_is_a_setting(source: History, tmp_path: Path) -> None:
    out = tmp_path / "site"
    for number in range(4):
        source.files.write("_figures/note.txt", str(number))
        source.commit()
        run(source, out, keep=2)
    names = sorted(path.name for path in (out / "releases").iterdir())
    assert names == [source.version(-2), source.version(-1)]
    assert current(out) == names[-1]


def test_two_runs_at_once_are_refused_whoever_came_first(source: History, tmp_path: Path) -> None:
    out = tmp_path / "site"
    with folder.opened(out), pytest.raises(UsageError, match="another run"):
        run(source, out)
    assert run(source, out)["new"]


@pytest.mark.slow
def test_past_revisions_become_releases_in_their_order(source: History, tmp_path: Path) -> None:
    from flows.backfill import backfill
    from flows.parameters import Backfill

    for number in range(3):
        source.files.edit(source.files.records()[number], lambda text: text.replace("figtitle: ", "figtitle: X ", 1))
        source.commit()
    out = tmp_path / "site"
    asked = Backfill(source=source.address, out=out, runner="threads", workers=1, revisions=source.revisions[:2])
    versions = [source.version(number) for number in range(4)]
    assert backfill(asked)["releases"] == versions[:2]
    more = asked.model_copy(update={"revisions": source.revisions})
    assert backfill(more)["releases"] == versions[2:]  # those that are there are passed over
    short = asked.model_copy(update={"revisions": [each[:9] for each in source.revisions]})
    assert backfill(short)["releases"] == []
    assert [folder.read_release(out / "releases" / name)["previous"] for name in versions] == [None, *versions[:3]]
    same_as_full(out, source, tmp_path / "full")


def test_parameters_are_described_checked_and_have_defaults() -> None:
    from pydantic import ValidationError

    from flows import parameters

    for model in (parameters.Release, parameters.Load, parameters.Nightly, parameters.Backfill):
        model()
        for name, schema in model.model_json_schema()["properties"].items():
            assert schema.get("title"), name
            assert schema.get("description"), name
    for wrong in ({"max_drop": 2}, {"keep": 0}, {"workers": 0}, {"accept": "../x"}, {"image_pattern": "x"}, {"x": 1}):
        with pytest.raises(ValidationError):
            parameters.Nightly(**wrong)
    with pytest.raises(ValidationError, match="scheduler"):
        parameters.Nightly(runner="dask")


def test_flows_are_served_with_the_models_of_their_parameters() -> None:
    import cloudpickle  # type: ignore[import-untyped]

    from flows.nightly import nightly

    sent = cloudpickle.loads(cloudpickle.dumps(nightly))
    assert sent.validate_parameters({"asked": {"source": "seeds", "keep": 3}})["asked"].keep == 3
    schema = nightly.parameters.model_dump()
    assert "Nightly" in json.dumps(schema)
