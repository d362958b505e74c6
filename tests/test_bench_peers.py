"""What the side-by-side benchmark rests on: the others say the same, and measuring sees whole trees of processes."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse
from rich.console import Console

from benchmarks import bench_peers, measure
from benchmarks.peers import comparing, environments, obvious, tables
from pfocr_rdf.pipeline import Options, build
from pfocr_rdf.settings import Settings
from tests.support import ROOT, SHARED

FIXTURES = ROOT / "tests" / "fixtures"
READABLE = (
    "aliases",
    "author-keywords",
    "bad-rows",
    "chemical-and-disease",
    "contradictory-rows",
    "doid-zeros",
    "dois",
    "duplicate-identical",
    "early-2021",
    "extra-text",
    "family-rows",
    "figid-dots",
    "gene-facts",
    "gene-levels",
    "id-prefixes",
    "inline-2021",
    "journals",
    "keywords-checkout",
    "missing-values",
    "ner-differs",
    "organism-ids",
    "orphan-table",
    "paper-facts",
    "repeated-rows",
    "rows-without-ids",
    "scores",
    "second-ids",
    "single-organism",
    "site-keywords",
    "symbols",
    "table-line-ends",
    "title-blanks",
    "words",
    "wrong-types",
    "yaml-scalars",
    "years",
)
"""Fixtures whose oddities an obvious program also reads; the others are broken on purpose or need rarer rules."""
SOURCES = [ROOT / "docs" / "example", *(FIXTURES / name for name in READABLE)]
SHARED_SOURCES = sorted(path for path in SHARED.glob("records/*") if path.is_dir())
ACCEPT = Options(settings=Settings(max_rejected=1, max_rejected_rows=1))
MEBIBYTE = 1 << 20


def lines(files: dict[str, Path], out: Path, way: str) -> set[str]:
    """The triples of some files, as far as a way of the benchmark covers them."""
    chosen = next(item for item in bench_peers.WAYS if item.name == way)
    path = comparing.sorted_lines(files, out, layered=chosen.layered, without=chosen.left_out)
    return set(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("source", [*SOURCES, *SHARED_SOURCES], ids=lambda path: path.name)
def test_the_obvious_program_says_in_each_layer_what_ours_says(source: Path, tmp_path: Path) -> None:
    build(str(source), tmp_path / "ours", ACCEPT)
    obvious.build(source, tmp_path / "theirs", c_yaml=True)
    ours = lines(comparing.layer_files(tmp_path / "ours", bench_peers.ONTOLOGY), tmp_path / "a", "obvious")
    theirs = lines(comparing.layer_files(tmp_path / "theirs"), tmp_path / "b", "obvious")
    assert theirs == ours
    assert ours


def test_both_yaml_loaders_give_the_obvious_program_the_same(tmp_path: Path) -> None:
    source = FIXTURES / "yaml-scalars"
    for name, c_yaml in (("c", True), ("pure", False)):
        obvious.build(source, tmp_path / name, c_yaml=c_yaml)
    written = [{p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("c", "pure")]
    assert written[0] == written[1]


def mapped(source: Path) -> Iterator[Triple]:
    """What the RML mapping says of the prepared tables, by a small reading of it."""
    mapping = yaml.safe_load((ROOT / "benchmarks" / "peers" / "mapping.yarrrml.yml").read_text(encoding="utf-8"))
    prepared = tables.prepare(source)

    def named(text: str) -> NamedNode:
        if text == "a":
            return NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
        prefix, local = text.split(":", 1)
        return NamedNode(mapping["prefixes"][prefix] + local)

    for rule in mapping["mappings"].values():
        name = rule["sources"][0][0].removesuffix(".csv~csv")
        for cells in prepared[name]:
            row = dict(zip(tables.COLUMNS[name], cells, strict=True))
            subject = row[rule["s"][2:-1]]
            for predicate, value, *datatype in rule["po"]:
                column = value.removesuffix("~iri")[2:-1]
                if not subject or (value.startswith("$(") and not row[column]):
                    continue
                term: NamedNode | Literal
                if not value.startswith("$("):
                    term = named(value)
                elif value.endswith("~iri"):
                    term = NamedNode(row[column])
                else:
                    term = Literal(row[column], datatype=named(datatype[0]) if datatype else None)
                yield Triple(NamedNode(subject), named(predicate), term)


@pytest.mark.parametrize("source", [*SOURCES, *SHARED_SOURCES], ids=lambda path: path.name)
def test_the_tables_and_the_mapping_of_the_peers_say_what_ours_says(source: Path, tmp_path: Path) -> None:
    build(str(source), tmp_path / "ours", ACCEPT)
    ours = lines(comparing.layer_files(tmp_path / "ours", bench_peers.NO_JSONLD), tmp_path / "a", "morph-kgc")
    (tmp_path / "t.nt").write_text("".join(f"{triple} .\n" for triple in mapped(source)), encoding="utf-8")
    assert lines({"": tmp_path / "t.nt"}, tmp_path / "b", "morph-kgc") == ours


def test_every_column_of_the_tables_is_mapped_by_both_peers() -> None:
    folder = ROOT / "benchmarks" / "peers"
    templates = (folder / "templates.stottr").read_text(encoding="utf-8")
    mapping = yaml.safe_load((folder / "mapping.yarrrml.yml").read_text(encoding="utf-8"))
    for name, columns in tables.COLUMNS.items():
        template = templates.split(f"t:{name} [", 1)[1].split("} .", 1)[0]
        rules = [rule for rule in mapping["mappings"].values() if rule["sources"] == [[f"{name}.csv~csv"]]]
        for column in columns:
            assert template.count(f"?{column}") >= 2, (name, column)
            assert f"$({column})" in str(rules), (name, column)


def test_a_comparison_counts_what_stands_on_one_side_alone(tmp_path: Path) -> None:
    texts = {
        "one": '<http://e.org/s> <http://e.org/p> "1"^^<http://www.w3.org/2001/XMLSchema#decimal> , "b" .',
        "two": '<http://e.org/s> <http://e.org/p> 1.0 , "c" , "d" .',
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.ttl").write_text(text, encoding="utf-8")
        comparing.sorted_lines({"core": tmp_path / f"{name}.ttl"}, tmp_path / name, layered=True)
    found = comparing.compare(tmp_path / "one", tmp_path / "two")
    assert (found.triples, found.expected, found.only_here, found.only_expected) == (2, 3, 1, 2)
    assert not found.same
    assert comparing.compare(tmp_path / "one", tmp_path / "one").same


def test_the_triples_of_a_way_that_says_something_else_end_the_benchmark(tmp_path: Path) -> None:
    bench = bench_peers.Bench(ROOT / "docs" / "example", tmp_path, 60)
    bench.prepare()
    liar = bench_peers.Way("liar", "", "", lambda _, out: ["-c", f"""
from pathlib import Path
out = Path({str(out)!r}); out.mkdir()
(out / "triples.nt").write_text("<http://e.org/s> <http://e.org/p> <http://e.org/o> .")
"""], layered=False)  # fmt: skip
    with pytest.raises(bench_peers.Different, match="liar says something else: 1 triples more"):
        bench.run(liar, bench_peers.Result("liar", bench.figures))


def test_ours_and_the_obvious_program_are_measured_in_rounds_and_tabled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environments, "ensure", lambda _: Path(sys.executable))
    ways = [way for way in bench_peers.WAYS if way.name in ("ours", "obvious")]
    source = ROOT / "docs" / "example"
    results = bench_peers.measured(source, ways, 2, 100, Console(quiet=True))
    assert [(result.way, result.figures, len(result.seconds), result.same) for result in results] == [
        ("ours", 6, 2, True),
        ("obvious", 6, 2, True),
    ]
    assert all(size > 10 * MEBIBYTE for result in results for size in result.peak_bytes)
    text = bench_peers.markdown(results, ways, 2, 100)
    table = list(csv.reader((line for line in text.splitlines() if line.startswith("| o")), delimiter="|"))
    assert [len(row) for row in table] == [len(bench_peers.HEADER) + 2] * 2
    assert table[0][-4:-1] == [" 1.00 "] * 3


def test_a_way_over_the_time_limit_has_no_figures(tmp_path: Path) -> None:
    bench = bench_peers.Bench(ROOT / "docs" / "example", tmp_path, 0.5)
    result = bench_peers.Result("slow", bench.figures)
    slow = bench_peers.Way("slow", "", "", lambda *_: ["-c", "import time; time.sleep(60)"])
    assert bench.run(slow, result) == "over the limit"
    assert bench_peers.rows([result], 0.5) == [["slow", "6", "over 0", *[""] * (len(bench_peers.HEADER) - 3)]]


HOLD = f"import time; held = b'x' * (80 * {MEBIBYTE}); time.sleep(1)"
PARENT = f"""
import subprocess, sys
children = [subprocess.Popen([sys.executable, "-c", {HOLD!r}]) for _ in range(2)]
print([child.wait() for child in children])
"""


def test_memory_is_summed_over_the_tree_of_processes() -> None:
    found = measure.run([sys.executable, "-c", PARENT])
    assert found.stdout == "[0, 0]\n"
    assert 160 * MEBIBYTE * 0.8 < found.peak_bytes < 160 * MEBIBYTE * 1.2
    assert found.seconds >= 1


def test_pages_that_forked_processes_share_count_once() -> None:
    program = f"""
import os, time
held = b"x" * (100 * {MEBIBYTE})
children = [os.fork() for _ in range(1)]
time.sleep(0.6)
"""
    found = measure.run([sys.executable, "-c", program])
    assert 100 * MEBIBYTE < found.peak_bytes < 100 * MEBIBYTE * 1.2


def test_children_too_short_to_sample_and_orphans_count_with_their_processor_time() -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    parent = f"import subprocess, sys; [subprocess.run([sys.executable, '-c', {burn!r}]) for _ in range(2)]"
    assert measure.run([sys.executable, "-c", parent]).cpu_seconds >= 0.6
    orphan = f"""
import os, time
ready, done = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        exec({burn!r})
    os._exit(0)
os.close(done)
os.wait()
os.read(ready, 1)  # until the grandchild, whose parent has ended, ends too
"""
    assert measure.run([sys.executable, "-c", orphan]).cpu_seconds >= 0.3


def test_nothing_of_the_tree_is_left_after_the_time_limit(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    began = time.perf_counter()
    with pytest.raises(subprocess.TimeoutExpired):
        measure.run([sys.executable, "-c", parent], timeout=2)
    assert time.perf_counter() - began < 20
    assert not Path("/proc", pid.read_text(encoding="ascii")).exists()


def test_a_program_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        measure.run([sys.executable, "-c", "import sys; sys.exit('no such corpus')"])
    assert (caught.value.returncode, caught.value.stderr) == (1, "no such corpus\n")


def test_the_pins_of_every_environment_are_exact() -> None:
    for name, packages in bench_peers.PACKAGES.items():
        assert environments.pinned(name, *packages).keys() == set(packages)


def test_layers_of_the_obvious_program_are_those_of_a_build(tmp_path: Path) -> None:
    build(str(ROOT / "docs" / "example"), tmp_path / "ours", ACCEPT)
    files = comparing.layer_files(tmp_path / "ours", bench_peers.ONTOLOGY)
    assert set(files) == set(obvious.LAYERS)
    assert all(list(parse(path=path, format=RdfFormat.TURTLE)) for path in files.values())
