"""A release appears whole or not at all, says what it holds, and stays as it is; `current` is switched in one act."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import buildfolder
from pfocr_rdf.errors import NotValid, PfocrError, UsageError
from pfocr_rdf.identifiers import graph
from pfocr_rdf.release import folder as releasefolder
from pfocr_rdf.release import publish as publishing
from tests import changing, releasing
from tests.changing import Files, build, options
from tests.releasing import check_sums, contents, release, steps

LAYERS = 13


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two builds, of which the second lacks a figure that the first has."""
    root = tmp_path_factory.mktemp("builds")
    files = changing.small(root / "source", 12, fixtures=False)
    build(files, root / "one", full=True)
    changing.drop(files, files.records()[0])
    build(files, root / "two", full=True)
    build(files, root / "packed", options(compress="zstd", nquads=True), full=True)
    build(files, root / "plain", options(nquads=True), full=True)
    return root


# What a release holds


FIXED = {
    "manifest.json", "rejected.jsonl", "warnings.jsonl", "blocks.tsv", "pfocr-all.nq.gz", "pfocr-shapes.ttl",
    "pfocr-void.ttl", "void-endpoint.ttl", "pfocr.jsonld", "pfocr-sample.ttl", "pfocr-examples.ttl",
    "pfocr-withdrawn.ttl", "CHANGELOG.md",
    "release.json", "validation.ttl", "validation.json", "validation.md", "report.html", "report.json",
}  # fmt: skip


def test_a_release_holds_the_files_that_are_promised_and_their_sums(made: Path, tmp_path: Path) -> None:
    done = release(made / "one", tmp_path / "site", "20250101")
    place = tmp_path / "site" / "releases" / "20250101"
    assert done.place == place
    assert done.new
    assert str((tmp_path / "site" / "current").readlink()) == "releases/20250101"
    listed = check_sums(place)
    layers = {entry["file"] for entry in json.loads((place / "manifest.json").read_text())["layers"].values()}
    assert len(layers) == LAYERS
    assert {name for name in listed if "/" not in name} == FIXED | layers
    assert {name for name in listed if "/" in name} == {
        f"load/{name}"
        for name in ("README.md", "Qleverfile", "counts.rq", "counts.tsv", "oxigraph.sh", "fuseki.sh", "fuseki.ttl",
                     "blazegraph.sh", "virtuoso.sh")
    }  # fmt: skip
    assert sorted(listed) == listed == sorted({*contents(place)} - {"SHA256SUMS"})
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == ["current", "releases"]


def test_release_json_says_what_was_published_and_what_the_checks_said(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    done = release(
        made / "two", tmp_path, "b", base_url="https://example.org/r/", endpoint="https://example.org/sparql"
    )
    said = json.loads((tmp_path / "current" / "release.json").read_text())
    manifest = (made / "two" / "manifest.json").read_bytes()
    assert said == done.release
    assert said["version"] == "b"
    assert said["previous"] == "a"
    assert said["manifest"] == hashlib.sha256(manifest).hexdigest()
    assert said["base_url"] == "https://example.org/r"
    assert said["counts"] == json.loads(manifest)["counts"]
    assert said["checks"]["conforms"] is True
    assert said["checks"]["outcomes"]["Q35"] == {"status": "passed", "count": 0}


def test_the_same_build_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    for place in ("here", "there"):
        release(made / "one", tmp_path / place, "a")
        release(made / "two", tmp_path / place, "b")
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_the_number_of_workers_changes_no_byte(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path / "one", "a")
    publishing.publish(made / "one", tmp_path / "two", version="a", steps=steps(), workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("name", ["two", "packed"])
def test_quads_are_those_of_a_build_with_quads(name: str, made: Path, tmp_path: Path) -> None:
    release(made / name, tmp_path, "a")
    assert (tmp_path / "current" / "pfocr-all.nq.gz").read_bytes() == (made / "plain" / "pfocr-all.nq.gz").read_bytes()


def test_the_build_stays_as_it_is_whatever_is_done_to_the_release(made: Path, tmp_path: Path) -> None:
    before = contents(made / "one")
    release(made / "one", tmp_path, "a")
    for path in (tmp_path / "current").rglob("*"):
        if path.is_file():
            assert path.stat().st_nlink == 1
            path.write_bytes(b"edited")
    assert contents(made / "one") == before


def test_a_build_that_was_changed_by_hand_is_not_published(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "one", tmp_path / "build")
    with (tmp_path / "build" / "pfocr-core.ttl").open("a") as core:
        core.write("\n")
    with pytest.raises(UsageError, match=r"pfocr-core\.ttl: is not what manifest\.json says of it"):
        release(tmp_path / "build", tmp_path / "site", "a")
    assert not (tmp_path / "site").exists()


def test_a_manifest_that_names_a_file_elsewhere_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "one", tmp_path / "build")
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text())
    manifest["files"]["../secret"] = {"bytes": 1, "sha256": "0" * 64}
    (tmp_path / "build" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match="lists files that are none of its own"):
        release(tmp_path / "build", tmp_path / "site", "a")


# Versions


def test_the_version_is_the_day_of_the_sources_commit_in_utc(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(releasing.FIXTURES / "columns", source)
    day = "2025-03-01T23:30:00-05:00"
    author = {"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day}
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for call in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "records"]):
        subprocess.run([*git, *call], cwd=source, check=True, env={**os.environ, **author})
    build(Files(source), tmp_path / "build", full=True)
    assert release(tmp_path / "build", tmp_path / "site").release["version"] == "20250302"


def test_a_source_without_a_date_asks_for_a_version(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the release with --version"):
        release(made / "one", tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("version", ["", "../up", "a/b", ".hidden", "a b", "-x", "a" * 65, "a\n"])
def test_a_version_that_is_no_safe_name_is_refused(version: str, made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        release(made / "one", tmp_path / "site", version)
    assert not (tmp_path / "site").exists()


def test_further_releases_of_a_day_are_numbered(made: Path, tmp_path: Path) -> None:
    dated = []
    for number, name in enumerate(("one", "two", "one")):
        shutil.copytree(made / name, tmp_path / str(number))
        path = tmp_path / str(number) / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["source"]["date"] = "2025-01-01T00:00:00Z"
        path.write_text(json.dumps(manifest))
        dated.append(release(tmp_path / str(number), tmp_path / "site").release)
    assert [said["version"] for said in dated] == ["20250101", "20250101-r2", "20250101-r3"]
    assert [said["previous"] for said in dated] == [None, "20250101", "20250101-r2"]


def test_a_version_that_was_given_and_is_there_is_refused(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    before = contents(tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        release(made / "two", tmp_path, "a")
    assert contents(tmp_path) == before


def test_the_same_build_again_does_nothing_and_old_releases_stay(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    first = contents(tmp_path / "releases" / "a")
    release(made / "two", tmp_path, "b")
    before = contents(tmp_path)
    again = release(made / "two", tmp_path, "c")
    assert not again.new
    assert again.place == tmp_path / "releases" / "b"
    assert contents(tmp_path) == before
    assert contents(tmp_path / "releases" / "a") == first
    assert release(made / "two", tmp_path, "c", endpoint="https://example.org/sparql").new


# Checks come first


def test_what_the_checks_refuse_is_not_published_and_what_they_said_is_kept(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    before = contents(tmp_path)
    with pytest.raises(NotValid, match="1 violations of Q35; nothing was published") as raised:
        release(made / "two", tmp_path, "b", steps=steps(violate=True))
    assert raised.value.exit_code == 4
    kept = tmp_path / "rejected" / "b"
    assert str(kept) in str(raised.value)
    names = ["build", "reasons.json", "validation.json", "validation.md", "validation.ttl"]
    assert sorted(path.name for path in kept.iterdir()) == names
    assert {name: said for name, said in contents(tmp_path).items() if not name.startswith("rejected/")} == before
    assert release(made / "two", tmp_path, "b").new
    assert not (tmp_path / "rejected").exists()


def test_what_was_said_of_many_bad_releases_does_not_grow_for_ever(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasefolder, "REJECTED_KEPT", 2)
    for version in ("20240101", "20240102", "20240103"):
        with pytest.raises(NotValid):
            release(made / "two", tmp_path, version, steps=steps(violate=True))
    assert sorted(path.name for path in (tmp_path / "rejected").iterdir()) == ["20240102", "20240103"]


def test_the_checks_know_the_release_before(made: Path, tmp_path: Path) -> None:
    checks = releasing.Checks()
    quick = replace(steps(), validate=checks)
    release(made / "one", tmp_path, "a", steps=quick)
    release(made / "two", tmp_path, "b", steps=quick)
    assert [options.previous for options in checks.seen] == [None, tmp_path / "releases" / "a"]


def test_a_missing_extra_is_told_before_any_work_is_done(made: Path, tmp_path: Path) -> None:
    def missing() -> None:
        raise UsageError("the report needs the extra `release`")

    with pytest.raises(UsageError, match="needs the extra"):
        release(made / "one", tmp_path / "site", "a", steps=replace(steps(), ready=missing))
    assert not (tmp_path / "site").exists()


# The folder


def test_links_that_lead_out_of_the_folder_are_not_followed(made: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    for name in ("releases", "rejected"):
        site = tmp_path / name
        site.mkdir()
        (site / name).symlink_to(outside)
        with pytest.raises(UsageError, match="is no folder"):
            release(made / "one", site, "a")
    site = tmp_path / "site"
    release(made / "one", site, "a")
    (site / "current").unlink()
    (site / "current").symlink_to(outside)
    with pytest.raises(UsageError, match="is no link to a release"):
        release(made / "two", site, "b")
    (site / "current").unlink()
    (site / "current").symlink_to("releases/../../outside")
    with pytest.raises(UsageError, match="is no link to a release"):
        release(made / "two", site, "b")
    (site / "current").unlink()
    (site / ".release.new").symlink_to(outside)
    (site / ".current.new").symlink_to(outside)
    assert release(made / "two", site, "b").new
    assert [path.name for path in outside.iterdir()] == ["kept"]


def test_a_folder_inside_the_build_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "one", tmp_path / "build")
    before = contents(tmp_path)
    for place in (tmp_path / "build", tmp_path / "build" / "site"):
        with pytest.raises(UsageError, match="lies in the build"):
            release(tmp_path / "build", place, "a")
    assert contents(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(UsageError, match="cannot be used"):
        release(made / "one", tmp_path / "site", "a")


def test_a_damaged_release_is_told(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    (tmp_path / "current" / "release.json").write_text("{")
    with pytest.raises(UsageError, match=r"release\.json: cannot be read"):
        release(made / "two", tmp_path, "b")


@pytest.mark.parametrize("key", ["version", "manifest", "base_url", "endpoint", "triples"])
def test_a_release_that_does_not_tell_all_is_told(key: str, made: Path, tmp_path: Path) -> None:
    path = release(made / "one", tmp_path, "a").place / "release.json"
    said = json.loads(path.read_text())
    del said[key]
    path.write_text(json.dumps(said))
    with pytest.raises(UsageError, match=rf"release\.json: cannot be read \(it lacks {key}\); the release is damaged"):
        release(made / "one", tmp_path, "a")


@pytest.mark.parametrize("key", ["counts", "files", "inputs"])
def test_a_build_whose_manifest_lacks_a_key_is_not_published(key: str, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "one", tmp_path / "build")
    manifest = json.loads((tmp_path / "build" / "manifest.json").read_text())
    del manifest[key]
    (tmp_path / "build" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=rf"manifest\.json: cannot be read \(it lacks {key}\); build again"):
        release(tmp_path / "build", tmp_path / "site", "a")


# Killed, at the same time, on a full disk

DRIVER = """
import sys, time
from pathlib import Path
from tests import releasing
from pfocr_rdf.release import changelog, contents, folder, publish, recipes, sample, withdrawn

MOMENT, MARK, BUILD, TO, VERSION = sys.argv[1:]


def halt():
    Path(MARK).touch()
    time.sleep(100)


def before(owner, name):
    def halted(*arguments, **options):
        halt()

    setattr(owner, name, halted)


def after(owner, name):
    inner = getattr(owner, name)

    def halted(*arguments, **options):
        result = inner(*arguments, **options)
        halt()
        return result

    setattr(owner, name, halted)


def nth(owner, name, number):
    inner, calls = getattr(owner, name), [0]

    def halted(*arguments, **options):
        calls[0] += 1
        if calls[0] == number:
            halt()
        return inner(*arguments, **options)

    setattr(owner, name, halted)


exec(MOMENT)
releasing.release(Path(BUILD), Path(TO), VERSION)
"""

MOMENTS = {
    "before the folder is looked at": 'before(folder, "_recover")',
    "before the first file": 'before(contents, "copy")',
    "after the files": 'after(contents, "copy")',
    "amid the quads": 'nth(contents.blocks, "as_quads", 9)',
    "after the sample": 'after(sample, "write")',
    "before the changes": 'before(changelog, "later")',
    "before the recipes": 'before(recipes, "write")',
    "before the checks": 'before(releasing.Checks, "__call__")',
    "after the checks": 'after(releasing.Checks, "__call__")',
    "after the sums": 'after(folder, "write_sums")',
    "before the release is synced": 'before(folder.buildfolder, "sync")',
    "before the release is moved": 'nth(Path, "rename", 1)',
}
SELDOM = {"after the files", "after the sample", "before the changes", "before the recipes", "after the sums"}
"""Moments like others; tried by `make test-slow`."""

SWITCH = {
    "before the link is moved": 'nth(Path, "rename", 2)',
    "after the link is moved": 'nth(folder, "_sync", 2)',
}


def started(moment: str, build: Path, to: Path, version: str) -> subprocess.Popen[bytes]:
    """Publish in a process of its own; return when it halts at the moment."""
    mark = to.parent / "mark"
    mark.unlink(missing_ok=True)
    command = [sys.executable, "-c", DRIVER, moment, str(mark), str(build), str(to), version]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    until = time.monotonic() + 60
    while not mark.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    return process


def killed(moment: str, build: Path, to: Path, version: str) -> None:
    process = started(moment, build, to, version)
    process.kill()
    process.communicate(timeout=60)


@pytest.fixture(scope="module")
def expected(made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What lies in the folder after two releases that nothing disturbed."""
    site = tmp_path_factory.mktemp("expected")
    release(made / "one", site, "a")
    release(made / "two", site, "b")
    return contents(site)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(moment, marks=pytest.mark.slow) if moment in SELDOM else moment for moment in MOMENTS],
    ids=lambda moment: moment.replace(" ", "-"),
)
def test_a_killed_run_changes_nothing_and_leaves_nothing_to_the_next(
    moment: str, made: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    site = tmp_path / "site"
    release(made / "one", site, "a")
    before = contents(site / "releases")
    killed(MOMENTS[moment], made / "two", site, "b")
    assert contents(site / "releases") == before
    assert str((site / "current").readlink()) == "releases/a"
    assert release(made / "two", site, "b").new
    assert contents(site) == expected


@pytest.mark.parametrize("moment", SWITCH, ids=lambda moment: moment.replace(" ", "-"))
def test_a_run_killed_when_its_release_was_there_is_finished_by_the_next(
    moment: str, made: Path, expected: dict[str, str], tmp_path: Path
) -> None:
    site = tmp_path / "site"
    release(made / "one", site, "a")
    killed(SWITCH[moment], made / "two", site, "b")
    check_sums(site / "releases" / "b")
    check_sums(site / "current")
    assert not release(made / "two", site, "b").new
    assert contents(site) == expected


def test_a_first_release_that_was_killed_leaves_no_half(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    killed(MOMENTS["before the release is moved"], made / "one", site, "a")
    assert not (site / "current").exists()
    assert release(made / "one", site, "a").new
    assert sorted(path.name for path in site.iterdir()) == ["current", "releases"]


def test_two_at_once_are_one_after_the_other(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    process = started(MOMENTS["before the checks"], made / "one", site, "a")
    try:
        before = contents(site)
        with pytest.raises(UsageError, match="another run is publishing here"):
            release(made / "two", site, "b")
        assert contents(site) == before
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert release(made / "two", site, "b").new


def test_a_reader_of_current_sees_whole_releases_only(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    release(made / "one", site, "v0")
    stop, seen, wrong = threading.Event(), set[str](), list[str]()

    def read() -> None:
        while not stop.is_set():
            place = Path(os.path.realpath(site / "current"))
            lines = (place / "SHA256SUMS").read_text().splitlines()
            for digest, _, name in (line.partition("  ") for line in lines):
                if hashlib.sha256((place / name).read_bytes()).hexdigest() != digest:
                    wrong.append(f"{place.name}/{name}")
            seen.add(place.name)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 5):
            release(made / ("two" if number % 2 else "one"), site, f"v{number}")
            until = time.monotonic() + 30
            while f"v{number}" not in seen and time.monotonic() < until:
                time.sleep(0.01)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not wrong
    assert seen >= {f"v{number}" for number in range(1, 5)}


@pytest.mark.parametrize("free", [0, 8, 200, 420, 560], ids=lambda free: f"{free}K")
def test_a_full_disk_leaves_all_as_it_was(free: int, made: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release(made / "one", disk / "site", "a")
    before = contents(disk / "site")
    monkeypatch.setattr(buildfolder, "need_space", lambda *_: None)
    state = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(state.f_bavail * state.f_frsize - free * 1024))
    with pytest.raises(PfocrError, match=r"cannot be written \(No space left on device\), nothing there was changed"):
        release(made / "two", disk / "site", "b")
    assert contents(disk / "site") == before
    assert sorted(path.name for path in (disk / "site").iterdir()) == ["current", "releases"]


def test_a_switch_that_fails_takes_the_release_back(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(made / "one", tmp_path, "a")
    before = contents(tmp_path)

    def fail(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(releasefolder, "_sync", fail)
    with pytest.raises(PfocrError, match="nothing there was changed"):
        release(made / "two", tmp_path, "b")
    assert contents(tmp_path) == before


# What a store reads


def test_recipes_count_what_a_store_holds(made: Path, tmp_path: Path) -> None:
    release(made / "one", tmp_path, "a")
    release(made / "two", tmp_path, "b", endpoint="https://example.org/sparql")
    place = tmp_path / "current"
    store = ox.Store()
    store.bulk_load(input=gzip.decompress((place / "pfocr-all.nq.gz").read_bytes()), format=ox.RdfFormat.N_QUADS)
    for name, iri in (
        ("pfocr-withdrawn.ttl", graph("withdrawn")),
        ("void-endpoint.ttl", "https://example.org/sparql/.well-known/void"),
    ):
        store.bulk_load(path=place / name, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(iri))
    rows = store.query((place / "load" / "counts.rq").read_text())
    assert isinstance(rows, ox.QuerySolutions)
    found = {f"{row['graph']}\t{row['triples'].value}" for row in rows}
    assert found == set((place / "load" / "counts.tsv").read_text().splitlines())
