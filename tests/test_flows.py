"""The build as a flow: the same bytes as without Prefect, its counts in Prefect, its failures in one line.

Parts of a step are taken by whoever is free, each once; what fails stops the others.

Importing `flows.build` imports Prefect, so tests do it inside fixtures: collecting must not take seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from flows.environment import prepare
from pfocr_rdf import buildfolder, pipeline, query
from pfocr_rdf.errors import TooManyRejected, UsageError
from tests.support import ROOT, SEEDS

if os.environ.get("CI") != "true":  # there a missing extra is a failure, and the imports below say so
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = pytest.mark.flows


@pytest.fixture(scope="session")
def flow(prefect: None) -> Any:
    """The flow, with a server of the tests' own."""
    from flows.build import build

    del prefect
    return build


def content(build: Path) -> dict[str, bytes]:
    """Each file of a build but the one that differs between runs, and the cache."""
    return {path.name: path.read_bytes() for path in build.iterdir() if path.name not in (buildfolder.RUN, ".cache")}


def plain(source: Path, out: Path) -> dict[str, bytes]:
    """What the build without Prefect makes."""
    pipeline.build(str(source), out, pipeline.Options())
    return content(out)


def run(*command: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"PREFECT_HOME": str(home)}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def last_state(name: str) -> Any:
    """State of the newest run of a flow."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName
    from prefect.client.schemas.sorting import FlowRunSort

    with get_client(sync_client=True) as client:
        (newest,) = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[name])), sort=FlowRunSort.START_TIME_DESC, limit=1
        )
    return newest.state


def table(key: str) -> list[dict[str, Any]]:
    """Rows of the newest table artifact of this key."""
    from prefect.artifacts import Artifact

    artifact: Any = Artifact.get(key)
    rows: list[dict[str, Any]] = json.loads(artifact.data)
    return rows


def test_flow_makes_the_same_bytes_from_the_seeds(flow: Any, tmp_path: Path) -> None:
    manifest = flow(source=str(SEEDS), out=tmp_path / "flow")
    assert content(tmp_path / "flow") == plain(SEEDS, tmp_path / "plain")
    assert manifest == buildfolder.read_manifest(tmp_path / "plain")
    assert (tmp_path / "flow" / buildfolder.RUN).is_file()


def test_flow_makes_the_same_bytes_from_one_shard_or_many(flow: Any, shared: Path, tmp_path: Path) -> None:
    source = shared / "records" / "latest"
    expected = plain(source, tmp_path / "plain")
    for shard_records in (2_000, 3):
        out = tmp_path / f"flow-{shard_records}"
        flow(source=str(source), out=out, shard_records=shard_records)
        assert content(out) == expected


def test_processes_make_the_same_bytes(flow: Any, shared: Path, tmp_path: Path) -> None:
    source = shared / "records" / "latest"
    flow(source=str(source), out=tmp_path / "flow", shard_records=8, workers=2)
    assert content(tmp_path / "flow") == plain(source, tmp_path / "plain")


def test_counts_of_a_build_are_tables_in_prefect(flow: Any, shared: Path, tmp_path: Path) -> None:
    manifest = flow(source=str(shared / "records" / "latest"), out=tmp_path / "build")
    accounts = {row.pop("input"): row for row in table("build-accounts")}
    assert accounts == manifest["accounts"]
    triples = {row["layer"]: row["triples"] for row in table("build-layers")}
    assert triples == {name: entry["triples"] for name, entry in manifest["layers"].items()}
    warnings = {row["problem"]: row["times"] for row in table("build-problems") if row["kind"] == "warnings"}
    assert warnings == manifest["problems"]["warnings"] != {}


def test_missing_source_fails_the_flow_with_the_message(flow: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        flow(source=str(tmp_path / "nothing"), out=tmp_path / "build")
    state = last_state(flow.name)
    assert state.is_failed()
    assert f"{tmp_path}/nothing: no such file or folder" in state.message
    assert not (tmp_path / "build").exists()


def test_too_much_rejected_fails_the_flow_and_replaces_nothing(flow: Any, tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "build"
    expected = plain(SEEDS, out)
    source.mkdir()
    for number in range(3):
        (source / f"{number}.txt").write_text("no front matter\n")
    with pytest.raises(TooManyRejected, match="3 of 3 records"):
        flow(source=str(source), out=out)
    assert last_state(flow.name).is_failed()
    assert content(out) == expected
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_each_parameter_is_described(flow: Any) -> None:
    assert all(schema.get("description") for schema in flow.parameters.properties.values())
    assert flow.parameters.required == []


def test_program_keeps_out_of_the_users_own_prefect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    surroundings = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    monkeypatch.setattr(os, "environ", surroundings)
    prepare(program=True)
    assert Path(surroundings["PREFECT_HOME"]).is_relative_to(tmp_path / "pfocr-rdf")
    assert Path(surroundings["PREFECT_HOME"]).is_dir()
    assert (surroundings["DO_NOT_TRACK"], surroundings["PREFECT_SERVER_ANALYTICS_ENABLED"]) == ("1", "false")


@pytest.mark.parametrize("name", ["PREFECT_HOME", "PREFECT_API_URL", "PREFECT_PROFILE"])
def test_program_uses_the_prefect_that_the_user_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    mine = str(tmp_path / "mine")
    surroundings = {name: mine, "DO_NOT_TRACK": "0"}
    monkeypatch.setattr(os, "environ", surroundings)
    prepare(program=True)
    assert (surroundings[name], surroundings["DO_NOT_TRACK"]) == (mine, "0")
    assert {"PREFECT_HOME", "PREFECT_SERVER_EPHEMERAL_ENABLED"} & set(surroundings) == {"PREFECT_HOME"} & {name}


def test_program_without_a_home_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("-m", "flows.build", "--help", home=tmp_path / "file" / "home")
    assert done.returncode == 2
    assert done.stderr.startswith(f"pfocr-rdf: {tmp_path}/file/home: cannot be made")
    assert done.stderr.count("\n") == 1


def test_package_and_command_line_import_no_prefect(tmp_path: Path) -> None:
    code = "import sys, pfocr_rdf, pfocr_rdf.cli, pfocr_rdf.pipeline, flows; print('prefect' in sys.modules)"
    done = run("-c", code, home=tmp_path)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_served_flow_knows_the_types_of_its_parameters() -> None:
    import cloudpickle  # type: ignore[import-untyped]

    from flows.build import build

    sent = cloudpickle.loads(cloudpickle.dumps(build))  # as it goes to the process of a run
    assert sent.validate_parameters({"source": "seeds", "out": "there"})["out"] == Path("there")


@pytest.mark.slow
def test_program_builds_without_a_server(tmp_path: Path) -> None:
    out, home = tmp_path / "build", tmp_path / "not" / "yet" / "there"
    done = run("-m", "flows.build", "--source", str(SEEDS), "--out", str(out), home=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(out) == plain(SEEDS, tmp_path / "plain")
    # the home is filled now, so the next start is quicker
    done = run("-m", "flows.build", "--source", str(tmp_path / "nothing"), home=home)
    assert done.returncode == 2
    assert done.stderr.startswith(f"pfocr-rdf: {tmp_path}/nothing: no such file or folder")
    assert done.stderr.count("\n") == 1


def test_example_question_finds_the_seven_genes_of_the_seed(tmp_path: Path) -> None:
    plain(SEEDS, tmp_path / "build")
    text = (ROOT / "docs/queries/seed-genes.rq").read_text(encoding="utf-8")
    assert text.startswith("# title: ")
    with query.open_store(tmp_path / "build") as store:
        answer = query.table(query.ask(store, text))
        alone = store.query(text, use_default_graph_as_union=True)  # other tools have no prefixes of ours
        assert isinstance(alone, ox.QuerySolutions)
        assert query.table(alone) == answer
    assert [row[0].value for row in answer.rows] == ["cldn10e", "f11r.1", "il6", "il6r", "il6st", "mapk8b", "stat3"]
    rest = {tuple(term.value for term in row[1:]) for row in answer.rows}
    paper = "https://identifiers.org/pmc/PMC7757046"
    assert rest == {("Danio rerio", paper, "http://creativecommons.org/publicdomain/zero/1.0/")}


@pytest.fixture
def engine(prefect: None) -> Iterator[Any]:
    del prefect
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows.engine import TaskEngine

    runner: Any = ThreadPoolTaskRunner(max_workers=2)
    with runner:
        yield TaskEngine(runner, 2, None)


def double(number: int) -> int:
    return 2 * number


def in_flow(function: Any) -> Any:
    from prefect import flow

    return flow(persist_result=False)(function)()


def test_each_part_is_done_once(engine: Any) -> None:
    found = in_flow(lambda: sorted(engine.map(double, range(50))))
    assert found == [2 * number for number in range(50)]


@pytest.mark.parametrize("parts", [0, 1])
def test_few_parts_need_few_tasks(parts: int, engine: Any) -> None:
    assert in_flow(lambda: list(engine.map(double, range(parts)))) == [2 * number for number in range(parts)]


def test_steps_begin_at_once_and_are_read_in_any_order(engine: Any) -> None:
    def run() -> list[list[int]]:
        steps = [engine.map(double, [number]) for number in range(6)]
        return [list(step) for step in reversed(steps)]

    assert in_flow(run) == [[2 * number] for number in reversed(range(6))]


def test_a_part_that_fails_raises_and_the_rest_is_dropped(engine: Any) -> None:
    done: list[int] = []
    stopped = threading.Event()

    def fail_at_three(number: int) -> None:
        if number == 3:
            raise ValueError("part 3 is bad")
        done.append(number)
        if number > 3:
            stopped.wait(30)

    def run() -> None:
        try:
            list(engine.map(fail_at_three, range(100)))
        finally:
            threading.Timer(0.2, stopped.set).start()
            engine.stop()

    with pytest.raises(ValueError, match="part 3 is bad"):
        in_flow(run)
    assert len(done) < 10
