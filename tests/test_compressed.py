"""A compressed build is read as a plain one: asked, exported, compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pfocr_rdf import buildfolder, codecs, diff, query
from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.export import ntriples, records
from tests.support import ROOT

SOURCE = ROOT / "docs" / "example"
COMPRESSIONS = ("gzip", "zstd")
SUFFIX = {"gzip": ".gz", "zstd": ".zst"}
COUNT = "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g"


def call(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def build(out: Path, compress: str = "none", *options: str) -> Path:
    call("-q", "build", SOURCE, "--out", out, "--compress", compress, *options)
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("plain") / "out")


@pytest.fixture(scope="module", params=COMPRESSIONS)
def packed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = build(tmp_path_factory.mktemp("packed") / "out", request.param)
    assert {path.suffix for path in buildfolder.layer_files(out).values()} == {SUFFIX[request.param]}
    return out


def test_each_layer_is_smaller_and_says_the_same(plain: Path, packed: Path) -> None:
    wanted = buildfolder.layer_files(plain)
    for layer, path in buildfolder.layer_files(packed).items():
        with codecs.of_file(path).open(path) as stream:
            assert stream.read() == wanted[layer].read_bytes()
        assert path.stat().st_size < wanted[layer].stat().st_size


def test_a_query_has_the_same_answer(plain: Path, packed: Path) -> None:
    answers = [call("query", COUNT, "--on", build, "--format", "csv") for build in (plain, packed)]
    assert answers[0] == answers[1]
    assert answers[0].count("\n") == len(buildfolder.layer_files(plain)) + 1


def test_a_large_build_is_loaded_into_the_kept_store(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "IN_MEMORY_BYTES", 0)
    with query.open_store(packed, tmp_path / "stores") as store:
        rows = query.table(query.ask(store, COUNT)).rows
    assert len(rows) == len(buildfolder.layer_files(packed))


def test_the_records_written_back_are_the_same(plain: Path, packed: Path, tmp_path: Path) -> None:
    for name, release in (("plain", plain), ("packed", packed)):
        records.export(release, tmp_path / name)
    assert files(tmp_path / "packed") == files(tmp_path / "plain") != {}


def test_the_ntriples_are_the_same(plain: Path, packed: Path, tmp_path: Path) -> None:
    for name, release in (("plain", plain), ("packed", packed)):
        ntriples.export(release, tmp_path / name)
    assert files(tmp_path / "packed") == files(tmp_path / "plain") != {}


def test_builds_that_say_the_same_do_not_differ(plain: Path, packed: Path) -> None:
    assert call("diff", plain, packed).endswith("0 figures added, 0 figures removed, 0 figures changed\n")


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("what", ["query", "ntriples", "diff"])
@pytest.mark.parametrize("how", ["zeros", "cut"])
def test_a_damaged_file_is_told(what: str, how: str, compress: str, tmp_path: Path) -> None:
    out = build(tmp_path / "out", compress)
    core = buildfolder.layer_files(out)["core"]
    data = core.read_bytes()
    half = len(data) // 2
    core.write_bytes(data[:half] + (b"\0" * (len(data) - half) if how == "zeros" else b""))
    with pytest.raises(UsageError, match="build again"):
        read(what, out, tmp_path)


def read(what: str, out: Path, tmp_path: Path) -> None:
    if what == "query":
        with query.open_store(out):
            pass
    elif what == "ntriples":
        ntriples.export(out, tmp_path / "nt")
    else:
        list(diff.builds(out, build(tmp_path / "less", "none", "--limit", "1")))
