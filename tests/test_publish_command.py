"""`pfocr-rdf publish` with all its real steps: from a build to a checked release, twice the same, and refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
from typer.testing import CliRunner, Result

from pfocr_rdf.cli import app
from pfocr_rdf.printing import print_release
from tests.changing import Files, build, drop
from tests.releasing import check_sums, contents
from tests.support import ROOT

ADDRESSES = ["--base-url", "https://example.org/releases", "--endpoint", "https://example.org/sparql"]


def command(*arguments: object, code: int = 0) -> Result:
    found = CliRunner().invoke(app, ["publish", *map(str, arguments)])
    assert found.exit_code == code, found.output
    return found


class Site:
    """Two releases of the example, by the command."""

    def __init__(self, root: Path) -> None:
        self.root, self.site = root, root / "site"
        shutil.copytree(ROOT / "docs" / "example", root / "source")
        files = Files(root / "source")
        build(files, root / "one", full=True)
        drop(files, "_figures/PMC9100005__exres.0042.fig.001.md")
        build(files, root / "two", full=True)
        self.said = [self.publish(self.site, name).stdout for name in ("one", "two")]
        self.current = self.site / "releases" / "two"

    def publish(self, site: Path, name: str, *arguments: str, code: int = 0) -> Result:
        call = (self.root / name, "--to", site, "--version", name, *ADDRESSES, *arguments)
        return command(*call, code=code)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("published"))


def test_it_says_what_is_there_and_where(site: Site) -> None:
    assert site.said[0].endswith(f"{site.site / 'releases' / 'one'}: release one, the first one\n")
    assert site.said[1].endswith(f"{site.site / 'releases' / 'two'}: release two, after one\n")
    assert "0 with warnings" not in site.said[1]  # figures went, which Q32 tells


def test_checks_that_are_violated_are_told_apart_from_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    ends = {"Q1": "failed", "Q2": "passed", "Q12": "failed", "Q15": "failed", "Q26": "not-run"}
    checks = {"violations": 1200, "warnings": 1, "outcomes": {name: {"status": end} for name, end in ends.items()}}
    print_release(Path("a"), {"version": "a", "previous": None, "triples": {"core": 1}, "checks": checks}, new=True)
    told = "checks: 1 passed, 2 violated, 1 with warnings, 1 not run; 1,200 violations, 1 warning\n"
    assert told in capsys.readouterr().out


def test_real_checks_and_reports_are_part_of_a_release(site: Site) -> None:
    names = check_sums(site.current)
    assert {"validation.ttl", "validation.json", "validation.md", "report.html", "report.json"} <= set(names)
    said = json.loads((site.current / "release.json").read_text())
    validation = json.loads((site.current / "validation.json").read_text())
    assert validation["conforms"] is said["checks"]["conforms"] is True
    assert {check["check"] for check in validation["checks"]} == set(said["checks"]["outcomes"])
    assert said["checks"]["outcomes"]["Q30"]["status"] == "passed"
    assert said["checks"]["outcomes"]["Q32"]["status"] == "failed"
    assert said["checks"]["outcomes"]["Q35"]["status"] == "passed"
    assert "release two" in (site.current / "report.html").read_text()


def test_its_rdf_files_are_rdf_and_shapes_are_all_there(site: Site) -> None:
    shapes = (site.current / "pfocr-shapes.ttl").read_text()
    assert shapes.count("sh:NodeShape") > 10
    for path in site.current.glob("*.ttl"):
        list(ox.parse(path=path, format=ox.RdfFormat.TURTLE))


def test_the_description_tells_size_hash_and_triples_of_each_data_file(site: Site) -> None:
    text = (site.current / "pfocr-void.ttl").read_text()
    for line in (site.current / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        data = name.startswith("pfocr-") and name.partition(".")[2] in ("ttl", "nq.gz") and name != "pfocr-void.ttl"
        assert (digest in text) == data, name
        assert (f"https://example.org/releases/two/{name}" in text) or not data, name


def test_a_release_tells_nothing_of_the_machine_or_of_the_time(site: Site) -> None:
    for path in site.site.rglob("*"):
        if path.is_file() and path.suffix != ".gz":
            text = path.read_text(encoding="utf-8")
            assert str(site.root) not in text, path
            assert str(ROOT) not in text, path


def test_the_command_gives_the_same_bytes_again(site: Site, tmp_path: Path) -> None:
    for name in ("one", "two"):
        site.publish(tmp_path / "site", name, "--workers", "1")
    assert contents(tmp_path / "site") == contents(site.site)


def test_the_same_build_again_is_told_in_one_line(site: Site) -> None:
    before = contents(site.site)
    again = site.publish(site.site, "two")
    assert again.stdout == f"{site.current}: is this build, published already; nothing was done\n"
    assert contents(site.site) == before


def test_json_is_for_machines(site: Site) -> None:
    said = json.loads(site.publish(site.site, "two", "--json").stdout)
    assert said["new"] is False
    assert said["version"] == "two"
    assert said["place"] == str(site.current)


def test_a_violation_ends_with_exit_code_4_and_one_line(site: Site, tmp_path: Path) -> None:
    shutil.copytree(site.root / "two", tmp_path / "build")
    path = tmp_path / "build" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["accounts"]["gene-rows"]["read"] += 1
    path.write_text(json.dumps(manifest))
    found = command(tmp_path / "build", "--to", tmp_path / "site", "--version", "a", code=4)
    kept = tmp_path / "site" / "rejected" / "a"
    assert found.stderr == (f"pfocr-rdf: 1 violations of Q35; nothing was published. What was found is in {kept}\n")
    assert "Q35" in (kept / "validation.md").read_text()
    assert not (tmp_path / "site" / "current").exists()
    assert not (tmp_path / "site" / "releases").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--to", "site"], "nowhere: no such folder"),
        (["BUILD", "--to", "site"], "name the release with --version"),
        (["BUILD", "--to", "site", "--version", "../x"], "version '../x'"),
        (["BUILD", "--to", "site", "--version", "a", "--base-url", "x"], "'x': is no address"),
        (["BUILD", "--to", "site", "--version", "a", "--endpoint", "http://a b"], "is no address"),
        (["BUILD", "--to", "BUILD", "--version", "a"], "lies in the build"),
    ],
)
def test_a_wrong_call_is_one_line_and_leaves_nothing(
    arguments: list[str], said: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = command(*[str(site.root / "two") if word == "BUILD" else word for word in arguments], code=2)
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
