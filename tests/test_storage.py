"""Places of parts: a folder, `file:`, `memory:` and a store that speaks S3 behave alike, and give the same builds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import corpus_build
from pfocr_rdf import buildfolder, facts, pipeline, shards, storage
from pfocr_rdf.errors import PfocrError, UsageError
from pfocr_rdf.plan import cut, plan
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output
from tests import services

if os.environ.get("CI") != "true":  # there a missing extra is a failure
    pytest.importorskip("s3fs", reason="the extra `s3` is not installed")

FIGURES = 60
KINDS = ("folder", "file", "memory", "s3")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Store]:
    """A store that speaks S3, and an environment that leads to it."""
    with services.s3(tmp_path_factory.mktemp("s3")) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        yield store


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder of the test's own in each kind of store; it is there."""
    if request.param == "s3":
        request.getfixturevalue("store")
    name = tmp_path.name
    places = {
        "folder": str(tmp_path / "place"),
        "file": f"file://{tmp_path}/place",
        "memory": f"memory://{name}/place",
        "s3": f"s3://{services.BUCKET}/{name}/place",
    }
    found = storage.normal(places[request.param])
    storage.make_folder(found)
    return found


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "source"
    corpus_build.build(folder, FIGURES)
    return folder


def options(shard_records: int = 7, nquads: bool = True, max_rejected: float = 0.5) -> pipeline.Options:
    settings = Settings(max_rejected=max_rejected, max_rejected_rows=max_rejected, shard_records=shard_records)
    return pipeline.Options(settings=settings, output=Output("zstd", nquads))


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a build gives that keeps its parts beside it, in one shard."""
    out = tmp_path_factory.mktemp("plain") / "build"
    pipeline.build(str(source), out, options(1_000), workers=1)
    return content(out)


def content(build: Path) -> dict[str, bytes]:
    """Each file of a build but the one that differs between runs."""
    return {path.name: path.read_bytes() for path in build.iterdir() if path.is_file() and path.name != buildfolder.RUN}


def test_what_is_put_is_there_whole_and_in_parts_until_it_is_removed(place: str) -> None:
    file = storage.join(place, "a.data")
    data = bytes(range(256)) * 40
    assert storage.size(file) is None
    with pytest.raises(FileNotFoundError):
        storage.get(file)
    storage.put(file, data[:100], data[100:])
    assert storage.size(file) == len(data)
    assert storage.get(file) == data
    assert storage.get(file, 300, 20) == data[300:320]
    assert storage.get(file, 0, 5) == data[:5]
    assert storage.get(file, len(data) - 3, 10) == data[-3:]
    assert storage.get(file, 7, 0) == b""
    storage.put(file, b"other")
    assert (storage.get(file), storage.size(file)) == (b"other", 5)
    storage.put(storage.join(place, "b.json"), b"{}")
    assert storage.names(place) == ["a.data", "b.json"]
    storage.remove(file)
    storage.remove(file)
    assert storage.names(place) == ["b.json"]
    storage.remove(place)
    storage.remove(place)
    assert storage.names(place) == []


def test_a_reader_gives_any_part_in_any_order(place: str) -> None:
    file = storage.join(place, "a.data")
    data = os.urandom(10_000)
    storage.put(file, data)
    reader = storage.Reader(file, end=9_000, ahead=1_000)
    for start, size in ((0, 10), (10, 500), (400, 900), (3, 7), (8_900, 100), (8_990, 200), (9_500, 900), (5, 0)):
        assert reader.read(start, size) == data[start : start + size]
    reader.close()


def test_many_small_pieces_are_few_requests(store: services.Store) -> None:
    file = f"s3://{services.BUCKET}/many/a.data"
    data = os.urandom(100_000)
    storage.put(file, data)
    before = store.requests("GET")
    reader = storage.Reader(file, end=90_000, ahead=40_000)
    assert b"".join(reader.read(start, 100) for start in range(0, 90_000, 100)) == data[:90_000]
    assert store.requests("GET") - before == 3


@pytest.mark.parametrize("kind", KINDS)
def test_parts_in_any_store_give_the_same_bytes_and_are_removed(
    kind: str, source: Path, plain: dict[str, bytes], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "s3":
        request.getfixturevalue("store")
    work = {
        "folder": str(tmp_path / "work"),
        "file": f"file://{tmp_path}/work",
        "memory": f"memory://{tmp_path.name}",
        "s3": f"s3://{services.BUCKET}/{tmp_path.name}/",
    }[kind]
    pipeline.build(str(source), tmp_path / "build", options(), workers=1, work=work)
    assert content(tmp_path / "build") == plain
    assert storage.names(storage.normal(work)) == []


@pytest.mark.usefixtures("store")
def test_processes_share_a_store(source: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    work = f"s3://{services.BUCKET}/{tmp_path.name}"
    pipeline.build(str(source), tmp_path / "build", options(), workers=2, work=work)
    assert content(tmp_path / "build") == plain


def test_reading_a_shard_back_takes_requests_by_runs_not_by_blocks(
    store: services.Store, source: Path, tmp_path: Path
) -> None:
    before = store.requests("GET")
    out = tmp_path / "build"
    pipeline.build(str(source), out, options(30), workers=1, work=f"s3://{services.BUCKET}/{tmp_path.name}")
    asked = store.requests("GET") - before
    parts = 3
    layers = len(list(out.glob("pfocr-*.ttl.zst")))
    # of each shard at most two runs of each layer, four sections, the numbers; and what is listed and looked for
    assert asked < parts * (2 * layers + 8) + 20


def test_an_update_reads_the_earlier_builds_facts_here(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "source"
    (copy / "_figures").mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            (copy / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(source)).write_bytes(path.read_bytes())
    work = f"memory://{tmp_path.name}"
    first = pipeline.build(str(copy), tmp_path / "build", options(), workers=1, work=work)
    record = min((copy / "_figures").iterdir())
    record.unlink()
    second = pipeline.build(str(copy), tmp_path / "build", options(), workers=1, work=work)
    pipeline.build(str(copy), tmp_path / "fresh", options(), workers=1)
    assert second.converted < first.converted
    assert content(tmp_path / "build") == content(tmp_path / "fresh")


def test_finished_shards_of_a_killed_run_are_taken_over(source: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    out, work = tmp_path / "build", tmp_path / "work"
    code = """
import os, signal, sys
from pathlib import Path
from pfocr_rdf import pipeline
from tests.test_storage import options
def progress(total):
    done = []
    def step(count):
        done.append(count)
        if len(done) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    return step
pipeline.build(sys.argv[1], Path(sys.argv[2]), options(), workers=1, work=sys.argv[3], start=progress)
"""
    command = [sys.executable, "-c", code, str(source), str(out), str(work)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    (own,) = work.iterdir()
    finished = {path.name: path.stat().st_mtime_ns for path in own.glob("*.data")}
    assert len(finished) == 3
    torn = min(finished)
    (own / torn).write_bytes((own / torn).read_bytes()[:-1])
    (own / f"{'0' * 32}.data").write_bytes(b"of an earlier source")
    reused = []
    read = shards._finished

    def spy(shard: shards.Shard) -> shards.Result | None:
        found = read(shard)
        reused.append(found is not None)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "_finished", spy)
        pipeline.build(str(source), out, options(), workers=1, work=str(work))
    assert (sum(reused), len(reused) > 3) == (2, True)
    assert content(out) == plain
    assert list(work.iterdir()) == []


def test_a_tally_that_is_too_large_for_memory_is_spilled_beside_the_parts(
    source: Path, plain: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[Path] = []
    spill = facts.Tally._spill

    def spy(tally: facts.Tally) -> None:
        places.append(tally._folder)
        spill(tally)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(facts.Tally, "_spill", spy)
    monkeypatch.setattr(facts.Tally.__init__, "__defaults__", (200,))
    pipeline.build(str(source), tmp_path / "build", options(), workers=1)
    assert content(tmp_path / "build") == plain
    assert set(places) == {tmp_path / ".build.new" / buildfolder.WORK}
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_parts_stay_when_a_build_fails_and_go_with_the_next_that_ends_well(source: Path, tmp_path: Path) -> None:
    broken = tmp_path / "source"
    broken.mkdir()
    for number in range(3):
        (broken / f"{number}.md").write_text("no front matter\n")
    work = tmp_path / "work"
    with pytest.raises(PfocrError):
        pipeline.build(str(broken), tmp_path / "build", options(max_rejected=0.0), workers=1, work=str(work))
    assert len(list(work.iterdir())) == 1
    pipeline.build(str(source), tmp_path / "build", options(), workers=1, work=str(work))
    assert list(work.iterdir()) == []


def test_builds_of_different_folders_do_not_meet_in_one_place(tmp_path: Path) -> None:
    places = {pipeline._own_place("s3://bucket/x/", tmp_path / name) for name in ("a", "b", "./a", "a/../b")}
    assert len(places) == 2
    assert all(place.startswith("s3://bucket/x/pfocr-rdf-") for place in places)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("work", "message"),
    [
        ("nonsense://x", "Protocol not known"),
        ("s3://no-such-bucket/x", "bucket does not exist"),
        ("/dev/null/x", "cannot be written"),
        ("file://", "a place for the parts"),
    ],
)
def test_a_place_that_cannot_be_used_is_told_before_the_work(
    work: str, message: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        pipeline.build(str(source), tmp_path / "build", options(), workers=1, work=work)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("workers", "scheduler"), [(2, None), (None, "tcp://127.0.0.1:1")])
def test_memory_is_no_place_for_several_processes(
    workers: int | None, scheduler: str | None, source: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    with pytest.raises(UsageError, match="one process alone"):
        pipeline.build(
            str(source), tmp_path / "build", options(), workers=workers, scheduler=scheduler, work="memory://x"
        )
    assert time.monotonic() - began < 5


def test_a_worker_that_does_not_see_the_source_says_so(source: Path, tmp_path: Path) -> None:
    made: list[shards.Shard] = []

    class Elsewhere:
        """Runs tasks where the source lies under another name."""

        size = 1

        def map(self, function: object, tasks: object) -> Iterator[shards.Result]:
            del function
            assert isinstance(tasks, list)
            made.extend(tasks)
            (source).rename(tmp_path / "moved")
            try:
                yield from map(shards.convert, tasks)
            finally:
                (tmp_path / "moved").rename(source)

    with (
        pytest.raises(UsageError, match="all workers must see the source under this path"),
        pipeline.making(str(source), tmp_path / "build", options()) as (prepared, _),
    ):
        pipeline.run_shards(prepared, Elsewhere())  # type: ignore[arg-type]
    assert made


def test_a_worker_of_another_version_says_so(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with pipeline.opened(str(source), options()) as snapshot:
        planned = plan(snapshot, options())
        first, *_ = cut(planned, list(planned.papers), str(place))
    monkeypatch.setattr("pfocr_rdf.resources.converter", lambda: "another")
    shards._read_context.cache_clear()
    with pytest.raises(UsageError, match="another version of pfocr-rdf"):
        shards.convert(first)
