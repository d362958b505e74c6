"""`validate`: what it prints and writes, how it ends; neither processes nor compression change what is found."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from pfocr_rdf import pipeline
from pfocr_rdf.cli import app
from pfocr_rdf.shards import Output
from pfocr_rdf.validation import report as reporting
from pfocr_rdf.validation import run, stream, wording
from pfocr_rdf.validation.checks import Severity, Way, all_checks
from pfocr_rdf.validation.findings import Finding, Outcome, Report
from pfocr_rdf.validation.options import Options
from tests import mutants
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
FIGURE = "https://pfocr.wikipathways.org/figures/PMC9900001__f1.html"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mutants.build_whole(tmp_path_factory.mktemp("validate") / "whole")


@pytest.fixture(scope="module")
def faulty(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with faults of several checks, some of them more than once."""
    said = mutants.said_in(whole)
    core = {subject: [pair for pair in pairs if pair[0] != "schema:license"] for subject, pairs in said["core"].items()}
    core[FIGURE] = [*core[FIGURE], ("pfocr:pathwayScore", "7.5"), ("schema:image", "<a b>")]
    return mutants.copy(whole, tmp_path_factory.mktemp("faulty") / "faulty", ["core"], {**said, "core": core})


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in ("validate", *arguments)])


def test_a_clean_release_ends_well(whole: Path) -> None:
    done = invoke(whole)
    assert done.exit_code == 0, done.output
    assert "failed" not in [line.split("│")[-2].strip() for line in done.output.splitlines() if "│ violation │" in line]


def test_violations_end_with_exit_code_4(faulty: Path) -> None:
    done = invoke(faulty)
    assert done.exit_code == 4
    assert "violations" in done.output
    assert f"Q14 {FIGURE} '7.5': a score is one decimal from 0 to 1 [core]" in done.output


def test_warnings_end_with_exit_code_4_where_asked(whole: Path, tmp_path: Path) -> None:
    said = mutants.said_in(whole)
    pairs = [("schema:position", '"F1 \\u00B5"') if p == "schema:position" else (p, v) for p, v in said["core"][FIGURE]]
    changed = {**said, "core": {**said["core"], FIGURE: pairs}}
    copy = mutants.copy(whole, tmp_path / "copy", ["core"], changed)
    assert invoke(copy).exit_code == 0
    assert invoke(copy, "--fail-on", "warning").exit_code == 4


def test_json_has_each_check_with_its_count_and_examples(faulty: Path) -> None:
    done = invoke(faulty, "--json")
    said = json.loads(done.stdout)
    assert [entry["check"] for entry in said["checks"]] == [check.id for check in all_checks()]
    by_id = {entry["check"]: entry for entry in said["checks"]}
    assert by_id["Q1"]["count"] == 5
    assert by_id["Q1"]["examples"][0]["path"] == "http://schema.org/license"
    assert not said["conforms"]


def test_the_written_reports_say_the_same(faulty: Path, tmp_path: Path) -> None:
    invoke(faulty, "--out", tmp_path / "report")
    written = json.loads((tmp_path / "report" / "validation.json").read_text(encoding="utf-8"))
    text = (tmp_path / "report" / "validation.md").read_text(encoding="utf-8")
    for entry in written["checks"]:
        assert f"| {entry['check']} | {entry['title']} | {entry['severity']} | {entry['count']:,} |" in text
    store = ox.Store()
    store.load(path=tmp_path / "report" / "validation.ttl", format=ox.RdfFormat.TURTLE)
    rows = store.query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT ?severity (COUNT(*) AS ?n) { ?report a sh:ValidationReport ;"
        " sh:conforms false ; sh:result ?result . ?result a sh:ValidationResult ; sh:resultSeverity ?severity ;"
        " sh:focusNode ?focus ; sh:sourceConstraintComponent ?component ; sh:sourceShape ?shape ;"
        " sh:resultMessage ?message } GROUP BY ?severity"
    )
    assert isinstance(rows, ox.QuerySolutions)
    found = {row["severity"].value.rpartition("#")[2].lower(): int(row["n"].value) for row in rows}
    said: Counter[str] = Counter()
    for entry in written["checks"]:
        said[entry["severity"]] += len(entry["examples"])
    assert found == dict(+said)
    assert not [
        quad for quad in store if isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)
    ]


def test_the_report_is_the_same_whatever_the_number_of_processes_and_tasks(faulty: Path) -> None:
    reports = [
        run.validate(faulty, Options(), workers=workers, task_triples=size).to_json()
        for workers, size in ((1, 200_000), (1, 40), (3, 40))
    ]
    assert reports[0] == reports[1] == reports[2]


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_compressed_releases_are_checked_like_plain_ones(compress: str, tmp_path: Path) -> None:
    options = pipeline.Options(output=Output(compress, nquads=True))
    pipeline.build(str(EXAMPLE), tmp_path / "build", options, workers=1, use_cache=False)
    report = run.validate(tmp_path / "build", Options(), workers=1)
    assert report.conforms
    assert {outcome.check.id for outcome in report.outcomes if outcome.reason} <= {
        check.id for check in all_checks() if check.needs or check.way is Way.CODE
    }
    damaged = next((tmp_path / "build").glob("pfocr-core.ttl.*"))
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"123456789")
    assert not run.validate(tmp_path / "build", Options(), workers=1).conforms


def test_what_is_no_release_is_said_in_one_line(tmp_path: Path) -> None:
    done = invoke(tmp_path)
    assert done.exit_code == 2
    assert "no build" in done.output
    assert "Traceback" not in done.output


def test_a_report_is_not_written_over_a_file(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert invoke(whole, "--out", tmp_path / "file").exit_code == 2


@pytest.mark.parametrize("place", ["/proc/none", "/proc", "x" * 300])
def test_a_report_needs_a_folder_before_the_checks(
    place: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "validate", lambda *_, **__: pytest.fail("the checks were run"))
    done = invoke(whole, "--out", tmp_path / place)
    assert done.exit_code == 2
    assert "cannot be written" in done.output


def test_a_missing_layer_is_a_finding_and_queries_are_not_run(whole: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    (copy / "pfocr-core.ttl").unlink()
    report = run.validate(copy, Options(), workers=1)
    by_id = {outcome.check.id: outcome for outcome in report.outcomes}
    assert by_id["Q58"].examples[0].focus == "pfocr-core.ttl"
    assert by_id["Q1"].reason
    assert all(outcome.reason for outcome in report.outcomes if outcome.check.way is Way.SPARQL)


def test_each_check_without_body_has_one_function() -> None:
    functions = run.functions()
    coded = {check.id for check in all_checks() if check.way is Way.CODE}
    assert coded == functions.keys() | set(stream.OWN)
    assert not functions.keys() & set(stream.OWN)


def test_each_need_of_a_check_is_an_option() -> None:
    for check in all_checks():
        Options().lacking(check.needs)


def test_checks_have_ids_of_their_own() -> None:
    ids = [check.id for check in all_checks()]
    assert len(set(ids)) == len(ids)


def test_counts_go_beyond_the_examples() -> None:
    tally, other = stream.Tally(), stream.Tally()
    for number in range(500):
        (tally if number % 2 else other).add("Q4", Finding(f"f{number:03}"))
    tally.merge(other)
    assert tally.counts == {"Q4": 500}
    assert [finding.focus for finding in tally.examples["Q4"]] == [f"f{number:03}" for number in range(20)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("TNF-Î±", "wrong encoding"),
        ("Ã©tude", "wrong encoding"),
        ("donâ€™t", "wrong encoding"),
        ("a\ufffdb", "unreadable"),
        ("bell\x07", "control"),
        ("\x85", "control"),
        ("\xb5M", "Greek"),
        ("10 \u2126", "Greek"),
        ("\U0001d6fc-actin", "Greek"),
    ],
)
def test_texts_gone_wrong_are_told(text: str, fault: str) -> None:
    assert any(fault in said for said in wording.text_faults(text))


@pytest.mark.parametrize("text", ["TNF-α", "étude", "Ångström", "μM", "two\nlines\t", "№ 5 → 6", "São Paulo", "Îles"])
def test_texts_in_other_letters_are_left_alone(text: str) -> None:
    assert not list(wording.text_faults(text))


def test_a_finding_cannot_break_out_of_the_markdown() -> None:
    check = next(check for check in all_checks() if check.severity is Severity.WARNING)
    outcome = Outcome(check)
    outcome.add([Finding("x", "``` <script> | ` ", "![a](b)\n# c")])
    text = reporting.markdown(Report([outcome]))
    line = next(line for line in text.splitlines() if "script" in line)
    assert line.startswith("- ````")
    assert line.endswith("````")
    assert "\n# c" not in text
