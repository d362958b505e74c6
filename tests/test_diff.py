"""The difference of two builds: applied to the old one it gives the new one, in each of its forms."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from typer.testing import CliRunner, Result

from pfocr_rdf import blocks, cache, diff, pipeline, serialize
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Block, Source
from pfocr_rdf.cli import app
from pfocr_rdf.model import Layer
from tests import changing
from tests.changing import Files, build, options
from tests.support import require_tool

SCHEMA = "http://schema.org/"


def command(*arguments: object, code: int = 0) -> Result:
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert found.exit_code == code, found.output
    return found


def graph_of(layer: str) -> str:
    return ids.graph(layer)


def quads_of(out: Path) -> set[ox.Quad]:
    """Return all quads of a build, as pyoxigraph reads them."""
    found: set[ox.Quad] = set()
    for layer, entry in json.loads((out / "manifest.json").read_text())["layers"].items():
        triples = ox.parse(path=out / entry["file"], format=ox.RdfFormat.TURTLE)
        found |= {ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(graph_of(layer))) for t in triples}
    return found


def stored(quads: set[ox.Quad]) -> ox.Store:
    """Return a store of quads; it spells numbers in its own way."""
    store = ox.Store()
    store.extend(quads)
    return store


def lines_of(out: Path) -> dict[str, set[str]]:
    """Return the N-Triples of each layer of a build."""
    return {
        layer: set(serialize.ntriples((out / entry["file"]).read_text().partition("\n\n")[2]))
        for layer, entry in json.loads((out / "manifest.json").read_text())["layers"].items()
    }


class Two:
    """Two builds and their difference."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.old, self.new, self.changes = folder, folder / "old", folder / "new", folder / "changes"
        self.files = changing.small(folder / "source", 60)
        build(self.files, self.old)
        records = [
            Path(path).stem
            for path in self.files.records()
            if "PMC1" in path and "organisms_ner" in self.files.text(path)
        ]
        self.removed, self.edited, self.same = records[0], records[1], records[2]
        self.added = "PMC1__new.fig"
        changing.clone(self.files, f"_figures/{records[3]}.md", self.added)
        changing.drop(self.files, f"_figures/{self.removed}.md")
        self.files.edit(
            f"_figures/{self.edited}.md", lambda text: text.replace("figtitle: ", 'figtitle: "\\\\ \\u2028 new" # ', 1)
        )
        rng = random.Random(3)  # noqa: S311
        for change in (changing.cells, changing.foreign, changing.map_lines, changing.page_added, changing.rows_added):
            change(self.files, rng)
        shutil.copytree(self.old, folder / "kept")
        build(self.files, self.new, full=True)
        self.said = command("diff", self.old, self.new, "--out", self.changes)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    return Two(tmp_path_factory.mktemp("diff"))


def test_triples_removed_and_added_as_sets_give_the_new_build(two: Two) -> None:
    before, after = lines_of(two.old), lines_of(two.new)
    touched = 0
    for layer in before.keys() | after.keys():
        removed = read_lines(two.changes / f"removed-{layer}.nt")
        added = read_lines(two.changes / f"added-{layer}.nt")
        assert removed <= before[layer]
        assert not added & before[layer]
        assert before[layer] - removed | added == after[layer]
        touched += bool(removed or added)
    assert touched >= 6


def read_lines(path: Path) -> set[str]:
    if not path.exists():
        return set()
    with path.open(encoding="utf-8", newline="\n") as stream:
        lines = list(stream)
    assert len(lines) == len(set(lines))
    return set(lines)


def test_sparql_updates_in_order_give_the_new_build(two: Two) -> None:
    store = stored(quads_of(two.old))
    updates = sorted(two.changes.glob("update-*.ru"))
    assert updates
    for path in updates:
        store.update(path.read_text(encoding="utf-8"))
    assert set(store) == set(stored(quads_of(two.new)))


def test_updates_hold_no_more_triples_than_they_may(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "UPDATE_TRIPLES", 7)
    command("diff", two.old, two.new, "--out", tmp_path / "changes", "--format", "sparql")
    store = stored(quads_of(two.old))
    updates = sorted((tmp_path / "changes").glob("*.ru"))
    for path in updates:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 7 + 2
        store.update(text)
    assert set(store) == set(stored(quads_of(two.new)))
    assert {path.name for path in (tmp_path / "changes").iterdir()} == {"changes.json", *(p.name for p in updates)}


PATCH_LINE = re.compile(r"(?:H (?P<header>id|prev) <(?P<name>[^>]+)>|(?P<tx>TX|TC)|(?P<sign>[AD]) (?P<quad>.+)) \.\n")


def test_the_patch_gives_the_new_build_in_one_transaction(two: Two) -> None:
    found = quads_of(two.old)
    headers: dict[str, str] = {}
    order = ""
    with (two.changes / "changes.rdfp").open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            match = PATCH_LINE.fullmatch(line)
            assert match, line
            if match["header"]:
                headers[match["header"]] = match["name"]
            elif match["tx"]:
                order += match["tx"]
            else:
                (quad,) = ox.parse(f"{match['quad']} .", format=ox.RdfFormat.N_QUADS)
                assert (quad in found) == (match["sign"] == "D")
                if match["sign"] == "D":
                    found.remove(quad)
                else:
                    found.add(quad)
                order += match["sign"] if not order.endswith(match["sign"]) else ""
    assert order == "TXDATC"
    assert found == quads_of(two.new)
    assert headers.keys() == {"id", "prev"}
    assert headers["id"] != headers["prev"]
    assert all(name.startswith("ni:///sha-256;") for name in headers.values())


def test_jena_reads_the_patch_as_we_do(two: Two, jena: Path) -> None:
    patch = two.changes / "changes.rdfp"
    done = subprocess.run(
        ["java", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", str(jena), "rdfpatch.rdfpatch", str(patch)],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not re.search(rb"ERROR|WARN", done.stderr), done.stderr.decode()
    ours, theirs = (changes_in(text) for text in (patch.read_text(encoding="utf-8"), done.stdout.decode()))
    assert theirs == ours


BARE = re.compile(r"(<[^>]*> <[^>]*> )([^<\"]+)( <[^>]*> \.)")
"""A quad with a bare number or truth value, as Turtle has them."""


def _spelled(match: re.Match[str]) -> str:
    return f"{match[1]}{serialize.full(match[2])}{match[3]}"


def changes_in(patch: str) -> list[tuple[str, set[ox.Quad]]]:
    """Return the quads that a patch removes and adds."""
    found = []
    for sign in "DA":
        lines = [BARE.sub(_spelled, line[2:]) for line in patch.split("\n") if line.startswith(f"{sign} ")]
        found.append((sign, set(ox.parse("\n".join(lines), format=ox.RdfFormat.N_QUADS))))
        assert len(found[-1][1]) == len(lines)
    return found


def test_files_are_sorted_by_their_bytes(two: Two) -> None:
    sort = require_tool("sort", "coreutils")
    files = sorted(two.changes.glob("*.nt"))
    assert len(files) >= 6
    for path in files:
        subprocess.run([str(sort), "-c", "-u", str(path)], env={"LC_ALL": "C"}, check=True)


def test_many_lines_are_sorted_on_disk_with_the_same_bytes(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "_SORTED_IN_MEMORY", 10)
    command("diff", two.old, two.new, "--out", tmp_path / "changes")
    equal(tmp_path / "changes", two.changes)


def equal(one: Path, two: Path) -> None:
    assert sorted(path.name for path in one.iterdir()) == sorted(path.name for path in two.iterdir())
    assert [path.name for path in one.iterdir() if path.read_bytes() != (two / path.name).read_bytes()] == []


def test_figures_are_told_in_text_and_json(two: Two) -> None:
    found = [json.loads(line) for line in (two.changes / "figures.jsonl").read_text().split("\n")[:-1]]
    how = {figure["figid"]: figure["change"] for figure in found}
    assert [figid for figid, change in how.items() if change == "added"] == [two.added]
    assert [figid for figid, change in how.items() if change == "removed"] == [two.removed]
    assert how[two.edited] == "changed"
    before, after = lines_of(two.old), lines_of(two.new)
    came = {layer: after[layer] - before[layer] for layer in after}
    gone = {layer: before[layer] - after[layer] for layer in after}
    for figure in found:
        assert figure["figure"] == ids.figure(figure["figid"])
        starts = (f"<{figure['figure']}", f"<{ids.MENTIONS}{ids.slug(figure['figid'])}/")
        for layer, numbers in figure["layers"].items():
            added = {line for line in came[layer] if line.startswith(starts)}
            removed = {line for line in gone[layer] if line.startswith(starts)}
            assert numbers == {"added": len(added), "removed": len(removed)}
    differ = {
        figid
        for layer in before
        for line in before[layer] ^ after[layer]
        if (figid := diff.figid_of(line[1 : line.index(">")]))
    }
    assert differ == how.keys()
    text = [line.split("\t") for line in (two.changes / "figures.txt").read_text().split("\n")[:-1]]
    assert [(figid, change) for change, figid, *_ in text] == sorted(how.items(), key=lambda one: (one[1], one[0]))
    about = json.loads((two.changes / "changes.json").read_text())
    assert about["figures"] == {name: list(how.values()).count(name) for name in ("added", "removed", "changed")}
    for layer, numbers in about["layers"].items():
        assert numbers == {"added": len(after[layer] - before[layer]), "removed": len(before[layer] - after[layer])}
    titles = {figure["figid"]: figure["title"] for figure in found}
    assert "new" in titles[two.edited]
    assert titles[two.added]
    assert titles[two.removed]


def test_a_title_cannot_break_a_line_of_text() -> None:
    figure = diff.FigureChange("PMC1__f", "added", "One\ttwo\nremoved\tPMC2__f\x1b[2J\u2028three", {"core": [3, 0]})
    assert list(diff.lines_of([figure])) == ["added\tPMC1__f\tOne two removed PMC2__f [2J three\tcore +3 -0"]


def test_figures_are_told_in_rdf(two: Two) -> None:
    path = two.changes / "figures.ttl"
    how = {"added": "AddAction", "removed": "DeleteAction", "changed": "UpdateAction"}
    records = [json.loads(line) for line in (two.changes / "figures.jsonl").read_text().split("\n")[:-1]]
    expected = {(how[record["change"]], record["figure"]) for record in records}
    triples = list(ox.parse(path=path, format=ox.RdfFormat.TURTLE))
    types = {t.subject: str(t.object.value) for t in triples if t.predicate.value.endswith("#type")}
    found = {
        (types[t.subject].rpartition("/")[2], t.object.value) for t in triples if t.predicate.value.endswith("/object")
    }
    assert found == expected
    other = rdflib.Graph().parse(path)
    assert len(other) == len(triples)
    named = {str(value) for value in other.objects(None, rdflib.URIRef("http://www.w3.org/ns/prov#used"))}
    assert len(named) == 1
    assert named.pop().startswith("ni:///sha-256;")


def test_the_summary_counts_what_is_written(two: Two) -> None:
    about = json.loads((two.changes / "changes.json").read_text())
    for figid in (two.added, two.removed, two.edited):
        assert figid in json.dumps(json.loads(command("diff", two.old, two.new, "--json").stdout))
    counts = about["figures"]
    assert f"{counts['added']:,} figures added, {counts['removed']:,} figures removed" in two.said.stdout


def test_changes_of_a_source_are_those_of_its_build(two: Two, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in two.old.rglob("*") if path.is_file()}
    command(
        "changes",
        two.files.root,
        *("--since", two.old, "--out", tmp_path / "changes", "--workers", 1),
        *("--max-rejected", "100%", "--max-rejected-rows", "100%"),
    )
    assert {path: path.read_bytes() for path in two.old.rglob("*") if path.is_file()} == before
    names = sorted(path.name for path in two.changes.iterdir())
    assert sorted(path.name for path in (tmp_path / "changes").iterdir()) == names
    for name in names:
        one, other = (tmp_path / "changes" / name).read_text(), (two.changes / name).read_text()
        if name in ("changes.json", "changes.rdfp", "figures.ttl"):
            one, other = without_names(one), without_names(other)
        assert one == other, name


def without_names(text: str) -> str:
    """Return a text without the name of the new build."""
    text = re.sub(r'"new": "[0-9a-f]+"|H id <[^>]+>|prov:generated <[^>]+>', "", text)
    return re.sub(r"(difference/[0-9a-f]{16}-)[0-9a-f]{16}", r"\1", text)


@pytest.mark.parametrize("seed", range(4))
def test_changes_say_what_the_update_does(seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"changes {seed}")  # noqa: S311
    files = changing.small(tmp_path / "source", 20, seed=seed, fixtures=seed % 2 == 0)
    compress = ("none", "gzip", "zstd", "none")[seed]
    build(files, tmp_path / "out", options(compress=compress, nquads=seed == 1))
    accept = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
    for step in range(3):
        changing.change(files, rng, 3)
        told = tmp_path / f"told-{step}"
        wanted = ("--out", told, "--format", "ntriples", "--workers", 1)
        command("changes", files.root, "--since", tmp_path / "out", *wanted, *accept)
        old = tmp_path / f"old-{step}"
        shutil.copytree(tmp_path / "out", old)
        build(files, tmp_path / "out", options(compress=compress, nquads=seed == 1))
        done = tmp_path / f"done-{step}"
        command("diff", old, tmp_path / "out", "--out", done, "--format", "ntriples")
        (told / "changes.json").unlink()
        (done / "changes.json").unlink()
        equal(told, done)


def test_changes_need_a_build_with_a_cache_that_fits(two: Two, tmp_path: Path) -> None:
    shutil.copytree(two.old, tmp_path / "old")
    shutil.rmtree(tmp_path / "old" / cache.FOLDER)
    found = command("changes", two.files.root, "--since", tmp_path / "old", code=2)
    assert found.stderr.count("\n") == 1
    assert "no cache" in found.stderr
    found = command("changes", two.files.root, "--since", two.old, "--limit", 3, code=2)
    assert "no cache" in found.stderr


def test_equal_builds_differ_in_nothing(two: Two, tmp_path: Path) -> None:
    command("diff", two.old, two.folder / "kept", "--out", tmp_path / "changes")
    assert not list((tmp_path / "changes").glob("*.nt"))
    assert not list((tmp_path / "changes").glob("*.ru"))
    assert (tmp_path / "changes" / "figures.txt").read_bytes() == b""
    patch = (tmp_path / "changes" / "changes.rdfp").read_text().split("\n")
    assert [line[:2] for line in patch] == ["H ", "H ", "TX", "TC", ""]
    about = json.loads((tmp_path / "changes" / "changes.json").read_text())
    assert about["layers"] == {}
    assert set(about["figures"].values()) == {0}


@pytest.mark.parametrize("compress", ["gzip", "zstd"])
def test_a_plain_and_a_compressed_build_differ_in_nothing(compress: str, two: Two, tmp_path: Path) -> None:
    build(two.files, tmp_path / "packed", options(compress=compress), full=True)
    found = json.loads(command("diff", two.new, tmp_path / "packed", "--json").stdout)
    assert (found["layers"], found["changes"]) == ({}, [])
    command("diff", two.old, tmp_path / "packed", "--out", tmp_path / "changes", "--format", "ntriples")
    for path in two.changes.glob("*.nt"):
        assert (tmp_path / "changes" / path.name).read_bytes() == path.read_bytes()


def test_blocks_that_are_equal_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[str, Block]] = []
    text = Source.text

    def counted(self: Source, block: Block) -> bytes:
        read.append((Path(self.place).parent.name, block))
        return text(self, block)

    monkeypatch.setattr(Source, "text", counted)
    files = changing.small(tmp_path / "source", 120, fixtures=False)
    build(files, tmp_path / "one", full=True)
    path = files.records()[60]
    files.edit(path, lambda text: text.replace("figtitle: ", "figtitle: Anew ", 1))
    build(files, tmp_path / "two", full=True)
    read.clear()
    command("diff", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "changes")
    (one, two_) = (blocks.read_index(tmp_path / name / blocks.INDEX) for name in ("one", "two"))
    same = {block.digest for layer in Layer for block in one.get(layer, [])} & {
        block.digest for layer in Layer for block in two_.get(layer, [])
    }
    assert 0 < len(read) <= 8
    assert not [block for _, block in read if block.digest in same]
    read.clear()
    command("diff", tmp_path / "one", tmp_path / "one")
    assert read == []


@pytest.mark.parametrize("which", [0, 1], ids=["old", "new"])
def test_a_folder_that_is_no_build_is_refused(which: int, two: Two, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(two.old, tmp_path / "unindexed")
    (tmp_path / "unindexed" / blocks.INDEX).unlink()
    shutil.copytree(two.old, tmp_path / "garbage")
    (tmp_path / "garbage" / "manifest.json").write_text("{")
    (tmp_path / "file").write_text("")
    for name in ("empty", "missing", "unindexed", "garbage", "file"):
        places = [two.new, two.new]
        places[which] = tmp_path / name
        found = command("diff", *places, "--out", tmp_path / "changes", code=2)
        assert found.stderr.count("\n") == 1
        assert str(tmp_path / name) in found.stderr
        assert not (tmp_path / "changes").exists()


def test_a_folder_that_holds_anything_is_not_written_to(two: Two, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    found = command("diff", two.old, two.new, "--out", tmp_path / "mine", code=2)
    assert found.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


def test_layers_that_one_build_alone_has_come_and_go_whole(few: Files, tmp_path: Path) -> None:
    listed = tmp_path / "PMC-ids.csv"
    papers = sorted({Path(path).name.partition("__")[0] for path in few.records()})
    header = "Journal Title,ISSN,eISSN,Year,Volume,Issue,Page,DOI,PMCID,PMID,Manuscript Id,Release Date\n"
    listed.write_text(header + "".join(f"J,,,2020,1,1,1,,{pmcid},{n + 1},,live\n" for n, pmcid in enumerate(papers)))
    build(few, tmp_path / "without")
    build(few, tmp_path / "with", options(pmc_ids=listed))
    found = json.loads(command("diff", tmp_path / "without", tmp_path / "with", "--json").stdout)
    assert found["layers"] == {"xrefs-pubmed": {"added": len(papers), "removed": 0}}
    found = json.loads(command("diff", tmp_path / "with", tmp_path / "without", "--json").stdout)
    assert found["layers"] == {"xrefs-pubmed": {"added": 0, "removed": len(papers)}}


@pytest.fixture
def few(tmp_path: Path) -> Files:
    return changing.small(tmp_path / "source", 12, fixtures=False)


def test_a_text_that_looks_like_a_label_is_none(tmp_path: Path) -> None:
    for number in (1, 2):
        record = (
            "---\nfigid: PMC9000001__f\npmcid: PMC9000001\nfigtitle: Title\npathway_score: '0.9'\n"
            f"organisms: 'x    rdfs:label {number}'\n---\n"
        )
        folder = tmp_path / str(number) / "_figures"
        folder.mkdir(parents=True)
        (folder / "PMC9000001__f.md").write_text(record, encoding="utf-8")
        pipeline.build(str(folder.parent), tmp_path / f"build-{number}", pipeline.Options(), workers=1)
    builds = [str(tmp_path / f"build-{number}") for number in (1, 2)]
    done = CliRunner().invoke(app, ["diff", *builds, "--out", str(tmp_path / "changes")])
    assert done.exit_code == 0, done.output
    assert "changed\tPMC9000001__f\tTitle" in (tmp_path / "changes" / "figures.txt").read_text(encoding="utf-8")
