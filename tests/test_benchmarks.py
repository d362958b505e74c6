"""The benchmarks of the whole database run at a tiny size, find what must be found, and say what they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench_export, bench_killed, bench_scale, bench_update, common, corpus_build, killed, limit
from pfocr_rdf import native
from tests.support import ROOT

FIGURES = 40


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora") / "tiny"
    counts = corpus_build.build(folder, FIGURES)
    common.counts_of(folder).write_text(json.dumps(counts), encoding="utf-8")
    return folder


def run(name: str, corpus: Path, tmp_path: Path, *more: str) -> tuple[dict[str, Any], str]:
    """Run a program on the corpus; return its JSON and the Markdown that it printed."""
    words = ["--corpus", str(corpus), "--rounds", "1", "--json", str(tmp_path / "found.json"), "--markdown", *more]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert {"machine", "versions", "results", "goals", "wrong"} <= found.keys()
    assert found["wrong"] == []
    assert found["machine"]["processor"] in done.stdout.split("\n")[0]
    return found, done.stdout


def test_kernels_are_measured_beside_python(corpus: Path, tmp_path: Path) -> None:
    if not native.in_use():
        pytest.skip("no kernels are compiled, or Python alone is asked for")
    found, text = run("bench_native", corpus, tmp_path, "--workers", "1")
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert all(seconds > 0 for seconds in result["best_cpu_seconds"].values())
    assert [line.split(" | ")[1] for line in text.splitlines() if line.startswith("| 40")] == ["python", "compiled"]


@pytest.mark.slow
def test_the_limit_reads_every_file_and_every_row_and_stands_beside_the_builds(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_limit", corpus, tmp_path, "--builds", "turtle", "zstd", "--workers", "2")
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert result["read"] == {
        "files": json.loads(common.counts_of(corpus).read_text(encoding="utf-8"))["files"],
        "front_matters": FIGURES + len(list((corpus / "_organisms").iterdir())),
        "table_lines": sum(len(path.read_bytes().splitlines()) for path in (corpus / "_data").iterdir()),
    }
    assert list(result["ways"]) == ["limit", "limit, base loader", "turtle", "zstd"]
    assert all(costs["seconds"][0] > 0 and costs["peak_bytes"][0] > 0 for costs in result["ways"].values())
    assert [goal["verdict"] for goal in found["goals"]] == ["not judged"]
    assert text.count("\n| 40 |") == 4


@pytest.mark.slow
def test_describing_is_measured_and_its_numbers_are_checked(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_describe", corpus, tmp_path)
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert list(result["ways"]) == ["describe", "check Q30"]
    assert all(costs["seconds"][0] > 0 and costs["peak_bytes"][0] > 0 for costs in result["ways"].values())
    assert [goal["verdict"] for goal in found["goals"]] == ["not judged", "not judged"]
    assert text.count("\n| 40 |") == 2


def test_the_limit_is_the_same_in_one_process_and_in_two(corpus: Path) -> None:
    paths = limit.listed(corpus)
    here = limit.work(paths, "CSafeLoader")
    parts = [limit.work(paths[start::2], "CBaseLoader") for start in range(2)]
    assert here == tuple(map(sum, zip(*parts, strict=True)))


def test_builds_by_one_and_two_processes_find_what_the_generator_counted(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_scale", corpus, tmp_path)
    counts = json.loads(common.counts_of(corpus).read_text(encoding="utf-8"))
    assert [result["processes"] for result in found["results"]] == [1, 2]
    for result in found["results"]:
        assert result["counted"]
        assert result["differences"] == []
        assert result["triples"] > sum(counts["layers"].values())
        assert len(result["seconds"]) == len(result["peak_bytes"]) == 1
    assert text.count("| equal |") == 2


def test_a_count_that_is_not_the_generators_is_named(corpus: Path) -> None:
    counts = json.loads(common.counts_of(corpus).read_text(encoding="utf-8"))
    manifest = {
        "accounts": counts["accounts"],
        "counts": {**counts["counts"], "genes": 7},
        "layers": {name: {"triples": triples} for name, triples in counts["layers"].items() if name != "compat"},
    }
    assert bench_scale.differences(manifest, counts) == [
        f"counts all genes: 7, expected {counts['counts']['genes']}",
        f"triples compat triples: None, expected {counts['layers']['compat']}",
    ]


@pytest.mark.slow
def test_an_updated_build_has_the_bytes_of_a_full_one_from_a_folder_and_from_git(corpus: Path, tmp_path: Path) -> None:
    found, _ = run("bench_update", corpus, tmp_path, "--codecs", "zstd", "--git-figures", "30", "--workers", "1")
    assert [(result["source"], result["codec"]) for result in found["results"]] == [("folder", "zstd"), ("git", "zstd")]
    for result in found["results"]:
        assert result["changed"] == {"added": 1, "removed": 1, "changed": 1}
        assert list(result["steps"]) == list(bench_update.STEPS)
        assert all(len(step["seconds"]) == 1 and step["seconds"][0] > 0 for step in result["steps"].values())
        assert result["wrong"] == []


@pytest.mark.slow
def test_killed_and_refused_builds_leave_nothing_and_the_next_run_gives_the_same_bytes(
    corpus: Path, tmp_path: Path
) -> None:
    found, text = run("bench_killed", corpus, tmp_path, "--kills", "3", "--workers", "2")
    (result,) = found["results"]
    assert len(result["kills"]) == 3
    assert all(fate["stage"] in (*killed.STAGES, killed.OVER) for fate in result["kills"])
    assert all(fate["reused"] == fate["finished"] for fate in result["kills"])
    assert result["shards"] > 1
    assert {"files of at most 4 KiB", "files of at most 90 % of the largest layer"} <= {
        case["case"] for case in result["refusals"]
    }
    assert all(case["code"] for case in result["refusals"])
    assert "| reading |" in text


def test_moments_are_the_same_each_time_and_lie_one_in_each_part_of_the_run() -> None:
    drawn = bench_killed.moments(100, 5.0, 1)
    assert drawn == bench_killed.moments(100, 5.0, 1)
    assert drawn != bench_killed.moments(100, 5.0, 2)
    assert all(number * 0.05 <= moment < (number + 1) * 0.05 for number, moment in enumerate(drawn))


def test_the_stage_of_a_killed_run_is_read_from_what_it_left(tmp_path: Path) -> None:
    out, new = tmp_path / "build", tmp_path / ".build.new"
    out.mkdir()
    (out / "manifest.json").write_text('{"layers": {}, "accounts": {"records": {"read": 5}}}', encoding="utf-8")
    assert killed.stage(out, 2) == "reading"
    (new / "work" / "shards").mkdir(parents=True)
    assert killed.stage(out, 2) == "reading"
    (new / "work" / "shards" / "context-1.json").touch()
    assert killed.stage(out, 2) == "shards"
    for name in ("a.data", "b.data", "a.json"):
        (new / "work" / "shards" / name).touch()
    assert (killed.stage(out, 2), killed.finished_shards(out)) == ("shards", 1)
    (new / "work" / "shards" / "b.json").touch()
    assert (killed.stage(out, 2), killed.finished_shards(out)) == ("things", 2)
    (new / "pfocr-core.ttl").touch()
    assert killed.stage(out, 2) == "layers"
    (new / "blocks.tsv").touch()
    assert killed.stage(out, 2) == "closing"


@pytest.mark.parametrize(
    ("value", "judged", "verdict"),
    [(2.0, True, "met"), (2.5, True, "missed"), (3.1, True, "failed"), (3.1, False, "not judged")],
)
def test_a_goal_is_met_missed_or_failed_and_only_a_failed_one_ends_badly(
    value: float, judged: bool, verdict: str
) -> None:
    goal = common.Goal("times the limit", value, 2.0, 3.0, judged)
    assert goal.verdict == verdict
    assert common.Report("", [], [goal], [], {}).failed == (verdict == "failed")


def test_a_table_is_markdown_with_numbers_to_the_right() -> None:
    grid = common.Grid(("way", "s"), [["ours", "1.5"], ["theirs", "20"]])
    assert grid.markdown() == "| way | s |\n|---|---:|\n| ours | 1.5 |\n| theirs | 20 |\n"


def test_a_corpus_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "CORPORA", tmp_path)
    folder = common.corpus(3)
    assert folder == tmp_path / "3-1"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert common.corpus(3) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    common.counts_of(folder).unlink()
    (folder / "_figures" / "half.md").touch()
    assert not (common.corpus(3) / "_figures" / "half.md").exists()
    assert common.size_of(folder) == 3


@pytest.mark.slow
def test_each_export_is_measured_with_what_it_wrote(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_export", corpus, tmp_path)
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert list(result["exports"]) == list(bench_export.EXPORTS)
    for costs in result["exports"].values():
        assert costs["seconds"][0] > 0
        assert costs["peak_bytes"][0] > 0
        assert costs["written"] > 100
        assert costs["counts"]
    assert result["exports"]["jsonld"]["counts"] == {"figures": FIGURES}
    assert [goal["verdict"] for goal in found["goals"]] == ["not judged"]
    assert text.count("\n| 40 |") == len(bench_export.EXPORTS)


@pytest.mark.slow
def test_validation_is_measured_beside_the_build_and_finds_no_violation(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_validate", corpus, tmp_path)
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert result["violations"] == 0
    assert result["seconds"][0] > 0
    assert result["build_seconds"][0] > 0
    assert [goal["verdict"] for goal in found["goals"]] == ["not judged", "not judged"]
    assert text.count("\n| 40 |") == 1


@pytest.mark.slow
def test_each_question_is_timed_in_a_served_store_with_answers_that_are_not_empty(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_questions", corpus, tmp_path, "--stores", "oxigraph")
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    heaviest = {line["question"]: line for line in result["lines"] if line["case"] == "heaviest"}
    assert sorted(heaviest) == [*range(1, 25), 32]
    assert all(line["rows"] > 0 for number, line in heaviest.items() if number not in (10, 23, 24))
    assert all(0 < line["median"] <= line["p95"] for line in result["lines"])
    assert "| figures | question | case | rows | oxigraph median ms | oxigraph p95 ms |" in text


@pytest.mark.slow
@pytest.mark.flows
def test_flows_are_measured_beside_the_command_line_with_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    found, text = run("bench_flow", corpus, tmp_path, "--workers", "2")
    (result,) = found["results"]
    assert result["figures"] == FIGURES
    assert len(result["seconds"]) == 8
    assert all(seconds > 0 for values in result["seconds"].values() for seconds in values)
    assert "| release | 40 | flow, its run |" in text
