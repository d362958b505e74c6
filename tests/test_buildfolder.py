"""A build appears whole or not at all: after a kill at any moment, beside another run, at a place that is taken."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pfocr_rdf import assembly, buildfolder, pipeline, resources
from pfocr_rdf.errors import PfocrError, UsageError
from pfocr_rdf.settings import Settings

ACCEPT = Settings(max_rejected=1, max_rejected_rows=1)
FIXTURES = Path(__file__).with_name("fixtures")
SOURCE = FIXTURES / "columns"
OTHER = FIXTURES / "paper-facts"

DRIVER = """
import sys, time
from pathlib import Path
from pfocr_rdf import assembly, buildfolder, pipeline, storage
from pfocr_rdf.cli import main

MOMENT, MARK = sys.argv[1], Path(sys.argv[2])
sys.argv = ["pfocr-rdf", *sys.argv[3:]]


def halt():
    MARK.touch()
    time.sleep(100)


def before(owner, name, at=1):
    inner, calls = getattr(owner, name), [0]

    def halted(*arguments, **options):
        calls[0] += 1
        if calls[0] == at:
            halt()
        return inner(*arguments, **options)

    setattr(owner, name, halted)


def after(owner, name, at=1):
    inner, calls = getattr(owner, name), [0]

    def halted(*arguments, **options):
        result = inner(*arguments, **options)
        calls[0] += 1
        if calls[0] == at:
            halt()
        return result

    setattr(owner, name, halted)


if __name__ == "__main__":
    exec(MOMENT)
    main()
"""

MOMENTS = {
    "before the folder is claimed": 'before(buildfolder, "_claim")',
    "when the folder is claimed": 'after(buildfolder, "_claim")',
    "before the plan": 'before(pipeline, "plan")',
    "amid the first shard": 'before(storage, "put", 4)',
    "after the first shard": 'after(pipeline, "convert")',
    "before anything is resolved": 'before(pipeline, "finish")',
    "amid the layers": 'before(assembly, "write", 3)',
    "before the index": 'before(assembly, "_write_index")',
    "before the lists": 'before(buildfolder, "write_lines", 2)',
    "before the manifest": 'before(buildfolder, "write_json", 1)',
    "after the manifest": 'after(buildfolder, "write_json", 1)',
    "before the cache": 'before(assembly.cache, "save")',
    "after the cache": 'after(assembly.cache, "seal")',
    "before the folder is synced": 'before(buildfolder, "sync")',
    "after the folder is synced": 'after(buildfolder, "sync")',
}
RENAMES = {
    "before the old build is moved": 'before(Path, "rename", 1)',
    "between the two renames": 'before(Path, "rename", 2)',
    "after both renames": 'after(Path, "rename", 2)',
}


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a build but the one that may differ, and the cache."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("run.json", ".cache")}


def build(source: Path, out: Path) -> dict[str, bytes]:
    pipeline.build(str(source), out, pipeline.Options(settings=ACCEPT))
    return contents(out)


def beside(out: Path) -> list[str]:
    """What lies beside a build."""
    return sorted(path.name for path in out.parent.iterdir() if path.name not in (out.name, "mark"))


def start(moment: str, out: Path, source: Path = OTHER, workers: int = 1) -> subprocess.Popen[bytes]:
    """Start a build in a process of its own and return when it halts at the moment."""
    mark = out.parent / "mark"
    mark.unlink(missing_ok=True)
    accept = ["--max-rejected", "100%", "--max-rejected-rows", "100%"]
    shards = ["--workers", str(workers), "--shard-records", "3"]
    call = ["build", str(source), "--out", str(out), *accept, *shards]
    command = [sys.executable, "-c", DRIVER, moment, str(mark), "-q", *call]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not mark.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    return process


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGKILL) -> str:
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return said.decode()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "out"


@pytest.fixture
def other(tmp_path: Path) -> dict[str, bytes]:
    """The build that the killed run was to make."""
    return build(OTHER, tmp_path / "other")


@pytest.mark.parametrize("moment", [*MOMENTS, "before the old build is moved"])
def test_a_killed_build_leaves_the_earlier_one_and_does_not_stop_the_next(
    moment: str, out: Path, other: dict[str, bytes]
) -> None:
    earlier = build(SOURCE, out)
    stop(start({**MOMENTS, **RENAMES}[moment], out))
    assert contents(out) == earlier
    assert build(OTHER, out) == other
    assert beside(out) == []


@pytest.mark.parametrize("moment", [*MOMENTS, "before the old build is moved"])
def test_a_killed_first_build_leaves_no_build(moment: str, out: Path, other: dict[str, bytes]) -> None:
    stop(start({**MOMENTS, **RENAMES}[moment], out))
    assert not out.exists()
    with pytest.raises(UsageError):
        buildfolder.find_build(out)
    assert build(OTHER, out) == other
    assert beside(out) == []


def test_a_build_killed_between_its_renames_is_recovered(out: Path, other: dict[str, bytes]) -> None:
    build(SOURCE, out)
    stop(start(RENAMES["between the two renames"], out))
    assert not out.exists()
    assert build(OTHER, out) == other
    assert beside(out) == []


def test_a_build_killed_between_its_renames_is_recovered_even_when_the_next_one_fails(out: Path) -> None:
    earlier = build(SOURCE, out)
    stop(start(RENAMES["between the two renames"], out))
    with pytest.raises(UsageError):
        pipeline.build(str(OTHER), out, pipeline.Options(settings=ACCEPT, only="PMC1__nobody"))
    with pytest.raises(UsageError):
        pipeline.build(str(OTHER), out, pipeline.Options(settings=ACCEPT, context=SOURCE / "_data"))
    with pytest.raises(UsageError):
        pipeline.build(str(OTHER), out, pipeline.Options(settings=ACCEPT, gene_info=Path(__file__)))
    assert contents(out) == earlier
    assert beside(out) == []


def test_a_build_killed_after_its_renames_is_there(out: Path, other: dict[str, bytes]) -> None:
    build(SOURCE, out)
    stop(start(RENAMES["after both renames"], out))
    assert contents(out) == other
    assert build(OTHER, out) == other
    assert beside(out) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["when the folder is claimed", "amid the layers", "before the folder is synced"])
def test_a_build_that_is_told_to_end_leaves_the_earlier_one(moment: str, number: signal.Signals, out: Path) -> None:
    earlier = build(SOURCE, out)
    process = start(MOMENTS[moment], out)
    said = stop(process, number)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert contents(out) == earlier
    build(SOURCE, out)
    assert beside(out) == []


def results_of(left: Path) -> dict[str, bytes]:
    """The results of shards in the folder that a killed run left."""
    return {path.name: path.read_bytes() for path in (left / "work" / "shards").glob("*.data")}


def reused_by_the_next_build(out: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Build again, and say of each shard whether its result was there."""
    found: list[bool] = []
    inner = pipeline.run_shards

    def seen(*arguments: Any) -> Any:
        results = inner(*arguments)
        found.extend(result.reused for result in results)
        return results

    monkeypatch.setattr(pipeline, "run_shards", seen)
    settings = Settings(max_rejected=1.0, max_rejected_rows=1.0, shard_records=3)
    pipeline.build(str(OTHER), out, pipeline.Options(settings=settings))
    return found


def test_what_a_killed_run_has_finished_is_not_done_again(
    out: Path, other: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(start(MOMENTS["after the first shard"], out))
    (left,) = out.parent.glob(".*")
    assert len(results_of(left)) == 1
    assert sorted(path.name for path in left.iterdir()) == ["work"]
    assert reused_by_the_next_build(out, monkeypatch) == [True, False, False]
    assert contents(out) == other
    assert beside(out) == []


def test_a_shard_of_which_a_file_has_changed_is_done_again(
    out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = Path(shutil.copytree(OTHER, tmp_path / "source"))
    stop(start(MOMENTS["before anything is resolved"], out, source))
    (left,) = out.parent.glob(".*")
    assert len(results_of(left)) == 3
    record = source / "_figures" / "PMC9004803__f1.md"
    record.write_text(record.read_text(encoding="utf-8").replace("figtitle: ", "figtitle: Another "), encoding="utf-8")
    monkeypatch.setitem(globals(), "OTHER", source)
    assert reused_by_the_next_build(out, monkeypatch) == [True, True, False]
    assert contents(out) == build(source, tmp_path / "new")


def test_what_another_version_of_the_program_has_finished_is_done_again(
    out: Path, other: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(start(MOMENTS["before anything is resolved"], out))
    monkeypatch.setattr(resources, "converter", lambda: "another")
    assert reused_by_the_next_build(out, monkeypatch) == [False, False, False]
    assert contents(out) == other


def test_a_shard_of_which_only_the_data_was_written_is_done_again(
    out: Path, other: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(start(MOMENTS["amid the first shard"], out))
    (left,) = out.parent.glob(".*")
    assert len(results_of(left)) == 1
    (left / "work" / "shards" / ".half.data.1").write_text("half", encoding="utf-8")
    assert reused_by_the_next_build(out, monkeypatch) == [False, False, False]
    assert contents(out) == other


def test_processes_end_with_the_run_that_started_them(out: Path, other: dict[str, bytes]) -> None:
    process = start(MOMENTS["before anything is resolved"], out, workers=2)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.is_file():
        stop(process)
        pytest.skip("this system does not tell the children of a process")
    workers = [int(number) for number in children.read_text(encoding="ascii").split()]
    assert len(workers) >= 2
    stop(process)
    until = time.monotonic() + 30
    while any(runs(number) for number in workers):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert build(OTHER, out) == other


def runs(number: int) -> bool:
    """Whether a process runs; one that has ended may still have its entry."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("moment", ["after the first shard", "amid the layers"])
def test_an_error_leaves_nothing(moment: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = build(SOURCE, out)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    name = {"after the first shard": "resolve", "amid the layers": "write"}[moment]
    monkeypatch.setattr(assembly, name, full)
    with pytest.raises(PfocrError, match=r"No space left on device.*free some space"):
        build(OTHER, out)
    assert contents(out) == earlier
    assert beside(out) == []


def test_a_build_that_is_interrupted_cleans_up(out: Path) -> None:
    earlier = build(SOURCE, out)
    stop(start(MOMENTS["amid the layers"], out), signal.SIGINT)
    assert contents(out) == earlier
    assert beside(out) == []


def test_remains_of_a_killed_run_are_no_part_of_the_next_build(out: Path, other: dict[str, bytes]) -> None:
    stop(start(MOMENTS["after the manifest"], out, SOURCE))
    (left,) = out.parent.glob(".*")
    (left / "pfocr-extra.ttl").write_text("stale", encoding="utf-8")
    (left / "link").symlink_to(out.parent)
    (left / "work" / "deep").mkdir(parents=True, exist_ok=True)
    assert build(OTHER, out) == other
    assert beside(out) == []


def test_renames_that_were_interrupted_are_finished_by_the_next_build(out: Path, other: dict[str, bytes]) -> None:
    earlier = build(SOURCE, out)
    out.rename(out.with_name(f".{out.name}.old"))
    assert earlier == contents(out.with_name(f".{out.name}.old"))
    assert build(OTHER, out) == other
    assert beside(out) == []


def test_a_backup_that_was_not_removed_is_removed_by_the_next_build(out: Path, other: dict[str, bytes]) -> None:
    build(SOURCE, out)
    shutil.copytree(out, out.with_name(f".{out.name}.old"))
    assert build(OTHER, out) == other
    assert beside(out) == []


def run(out: Path, source: Path = OTHER) -> tuple[int, str]:
    """Run the program once; return exit code and what it said."""
    code = "from pfocr_rdf.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "-q", "build", str(source), "--out", str(out), "--max-rejected", "100%"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("moment", ["when the folder is claimed", "amid the layers", "after the folder is synced"])
@pytest.mark.parametrize("there", [True, False])
def test_a_second_build_at_the_same_time_is_refused(there: bool, moment: str, out: Path) -> None:
    earlier = build(SOURCE, out) if there else None
    first = start(MOMENTS[moment], out)
    try:
        code, said = run(out)
        assert code == 2
        assert said.startswith("pfocr-rdf: ")
        assert said.count("\n") == 1
        assert "another run" in said
        assert (contents(out) if there else None) == earlier
        assert first.poll() is None
    finally:
        stop(first)
    assert run(out)[0] == 0


def test_builds_of_two_folders_do_not_hinder_each_other(out: Path, other: dict[str, bytes]) -> None:
    first = start(MOMENTS["amid the layers"], out)
    try:
        assert build(OTHER, out.with_name("elsewhere")) == other
    finally:
        stop(first)


def _compete(out: str, number: int) -> int:
    try:
        build([SOURCE, OTHER][number % 2], Path(out))
    except UsageError:
        return 2
    return 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_many_builds_at_once_leave_one_whole_build(out: Path, other: dict[str, bytes]) -> None:
    expected = [build(SOURCE, out.with_name("alone")), other]
    shutil.rmtree(out.with_name("alone"))
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        codes = pool.starmap(_compete, [(str(out), number) for number in range(40)])
    assert set(codes) <= {0, 2}
    assert 0 in codes
    assert contents(out) in expected
    assert beside(out) == []


def test_a_reader_of_an_open_build_is_not_disturbed(out: Path) -> None:
    earlier = build(SOURCE, out)
    with (out / "pfocr-core.ttl").open("rb") as stream:
        build(OTHER, out)
        assert stream.read() == earlier["pfocr-core.ttl"]


# What stands at the place


def refused(out: Path) -> str:
    with pytest.raises(UsageError) as error:
        build(SOURCE, out)
    return str(error.value)


def test_a_file_is_not_replaced(out: Path) -> None:
    out.write_text("precious", encoding="utf-8")
    assert str(out) in refused(out)
    assert out.read_text(encoding="utf-8") == "precious"
    assert beside(out) == []


def test_a_folder_below_a_file_is_refused(out: Path) -> None:
    out.write_text("precious", encoding="utf-8")
    refused(out / "below")
    assert out.read_text(encoding="utf-8") == "precious"


def test_a_folder_with_other_things_is_not_replaced(out: Path) -> None:
    out.mkdir()
    (out / "thesis.doc").write_text("precious", encoding="utf-8")
    refused(out)
    assert [path.name for path in out.iterdir()] == ["thesis.doc"]
    assert beside(out) == []


def test_a_checkout_is_not_replaced(out: Path) -> None:
    shutil.copytree(SOURCE, out)
    before = sorted(out.rglob("*"))
    with pytest.raises(UsageError):
        build(out, out)
    assert sorted(out.rglob("*")) == before
    assert beside(out) == []


def test_a_manifest_of_something_else_is_no_build(out: Path) -> None:
    out.mkdir()
    (out / "manifest.json").write_text('{"name": "my web app", "icons": []}', encoding="utf-8")
    (out / "index.html").write_text("precious", encoding="utf-8")
    refused(out)
    assert (out / "index.html").read_text(encoding="utf-8") == "precious"


def test_what_was_added_to_a_build_is_not_removed(out: Path) -> None:
    build(SOURCE, out)
    (out / "notes.txt").write_text("precious", encoding="utf-8")
    (out / "mine").mkdir()
    refused(out)
    assert (out / "notes.txt").read_text(encoding="utf-8") == "precious"
    assert beside(out) == []


@pytest.mark.parametrize("name", ["", ".gitkeep"])
def test_an_empty_folder_is_used(name: str, out: Path, other: dict[str, bytes]) -> None:
    out.mkdir()
    if name:
        (out / name).touch()
    assert build(OTHER, out) == other


def test_missing_folders_are_made(out: Path, other: dict[str, bytes]) -> None:
    assert build(OTHER, out / "deep" / "er" / "out") == other


def test_a_link_to_a_build_stays_and_the_build_is_replaced(out: Path, other: dict[str, bytes]) -> None:
    place = out.parent / "disk" / "build"
    build(SOURCE, place)
    out.symlink_to(place, target_is_directory=True)
    assert build(OTHER, out) == other
    assert out.is_symlink()
    assert contents(place) == other
    assert beside(out) == ["disk"]
    assert beside(place) == []


def test_a_link_to_nowhere_gets_its_build(out: Path, other: dict[str, bytes]) -> None:
    place = out.parent / "disk" / "build"
    out.symlink_to(place)
    assert build(OTHER, out) == other
    assert contents(place) == other
    assert out.is_symlink()


@pytest.mark.parametrize("name", ["out", "out.v1", ".hidden", "ünder", "a b", "-out"])
def test_the_name_of_the_folder_is_free(
    name: str, out: Path, other: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out.parent)
    for _ in range(2):
        assert build(OTHER, Path(name)) == other
    assert [path.name for path in out.parent.iterdir()] == [name]


def test_a_name_with_a_slash_at_its_end_is_the_folder(out: Path, other: dict[str, bytes]) -> None:
    assert run(Path(f"{out}/"))[0] == 0
    assert contents(out) == other


def test_a_place_without_rights_is_refused(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_self: Path, *_rest: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    assert "Permission denied" in refused(out)


def test_a_failure_while_writing_leaves_the_earlier_build(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = build(SOURCE, out)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(buildfolder, "sync", full)
    with pytest.raises((OSError, UsageError)):
        build(OTHER, out)
    assert contents(out) == earlier
    assert beside(out) == []


def test_a_failure_of_the_last_rename_leaves_the_earlier_build(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = build(SOURCE, out)
    inner = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            raise OSError(5, "Input/output error")
        return inner(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises((OSError, UsageError)):
        build(OTHER, out)
    monkeypatch.undo()
    kept = out if out.exists() else out.with_name(f".{out.name}.old")
    assert contents(kept) == earlier
    build(SOURCE, out)
    assert contents(out) == earlier
    assert beside(out) == []


# Reading a build


def test_the_layers_of_a_build_are_found_in_order(out: Path) -> None:
    build(SOURCE, out)
    layers = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["layers"]
    files = buildfolder.layer_files(buildfolder.find_build(out))
    assert list(files) == list(layers)
    assert all(path.is_file() for path in files.values())


@pytest.mark.parametrize("name", ["../outside.ttl", "missing.ttl", "/etc/passwd", "work/../pfocr-core.ttl", "."])
def test_a_manifest_cannot_name_files_outside(name: str, out: Path) -> None:
    build(SOURCE, out)
    (out.parent / "outside.ttl").touch()
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["layers"]["core"]["file"] = name
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UsageError):
        buildfolder.layer_files(out)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "{", '{"layers": [1]}', '{"layers": {"core": {}}}', "\ufeff{}"]
)
def test_a_broken_manifest_is_told(text: str, out: Path) -> None:
    build(SOURCE, out)
    (out / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        buildfolder.layer_files(out)


@pytest.mark.parametrize(
    "place",
    [
        *("tool", "source", "inputs", "settings", "accounts", "counts", "problems", "layers", "files"),
        *("source date", "tool version", "counts papers", "problems warnings", "settings only"),
        *("layers core triples", "files blocks.tsv sha256", "accounts records read"),
    ],
)
def test_a_manifest_that_lacks_a_key_is_told(place: str, out: Path) -> None:
    build(SOURCE, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    *outer, key = place.split()
    inner = manifest
    for name in outer:
        inner = inner[name]
    del inner[key]
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UsageError, match=rf"manifest\.json: cannot be read \(it lacks {key}\); build again"):
        buildfolder.read_manifest(out)


@pytest.mark.parametrize("section", ["counts", "layers", "problems"])
def test_a_part_of_a_manifest_that_is_no_object_is_told(section: str, out: Path) -> None:
    build(SOURCE, out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    (out / "manifest.json").write_text(json.dumps(manifest | {section: [1]}), encoding="utf-8")
    with pytest.raises(UsageError, match="list where an object belongs"):
        buildfolder.read_manifest(out)


@pytest.mark.parametrize("deep", ["", "a", "a/b/c"])
def test_free_space_is_that_of_the_place_to_be(deep: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    usage = shutil.disk_usage(out.parent)

    def answer(place: Path) -> object:
        asked.append(place)
        return usage._replace(free=1000)

    monkeypatch.setattr(shutil, "disk_usage", answer)
    buildfolder.need_space(out / deep, 1000)
    with pytest.raises(UsageError, match="free"):
        buildfolder.need_space(out / deep, 1001)
    assert {path.resolve() for path in asked} == {out.parent.resolve()}
