"""Files of many gzip members or zstd frames hold the same triples in every parser and store that is at hand.

The readers share no code. What each can read by itself, and what needs a pipe, is the table of docs/files.md.
"""

from __future__ import annotations

import gzip
import io
import re
import shutil
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import zstandard

from benchmarks import corpus_build
from pfocr_rdf.blocks import INDEX, read_index
from pfocr_rdf.pipeline import Options, build
from pfocr_rdf.shards import Output
from tests import servers
from tests.support import BLAZEGRAPH, require_jar, require_tool

FIGURES = 100
GRAPHS = "https://w3id.org/pfocr/graph/"
JAVA = servers.JAVA


@dataclass(frozen=True)
class Files:
    """A build: the file of each layer and what the manifest says that it holds."""

    folder: Path
    layers: dict[str, tuple[Path, int]]
    members: dict[str, int]

    @property
    def quads(self) -> Path:
        return self.folder / "pfocr-all.nq.gz"

    @property
    def graphs(self) -> dict[str, int]:
        """Triples of each layer by the name of its graph."""
        return {f"{GRAPHS}{name}": triples for name, (_, triples) in self.layers.items()}

    @property
    def paths(self) -> list[Path]:
        return [path for path, _ in self.layers.values()]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "source"
    corpus_build.build(folder, FIGURES)
    return folder


def built(source: Path, out: Path, compress: str) -> Files:
    made = build(str(source), out, Options(output=Output(compress, nquads=True)))
    layers = {name: (out / entry["file"], entry["triples"]) for name, entry in made.manifest["layers"].items()}
    members = {name: len(blocks) for name, blocks in read_index(out / INDEX).items()}
    return Files(out, layers, members)


@pytest.fixture(scope="module")
def gz(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return built(source, tmp_path_factory.mktemp("gzip") / "build", "gzip")


@pytest.fixture(scope="module")
def zst(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return built(source, tmp_path_factory.mktemp("zstd") / "build", "zstd")


@pytest.fixture(scope="module")
def union(gz: Files) -> int:
    """Distinct triples of all layers together."""
    triples: set[ox.Triple] = set()
    for path in gz.paths:
        with opened(path) as stream:
            triples.update(quad.triple for quad in ox.parse(stream, format=ox.RdfFormat.TURTLE))
    return len(triples)


def piped(path: Path, *command: str | Path) -> tuple[str, str]:
    """What `gunzip -c PATH | COMMAND`, or with zstd, prints: output and messages. Both programs must succeed."""
    unpack = ["gzip", "-dc"] if path.suffix == ".gz" else [require_tool("zstd", "zstd"), "-dcq"]
    with subprocess.Popen([*unpack, path], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as first:
        done = subprocess.run(command, stdin=first.stdout, capture_output=True, text=True)
    assert first.returncode == 0, path
    assert done.returncode == 0, f"{command[0]}: {done.stderr[:2000]}"
    return done.stdout, done.stderr


def said(*command: str | Path, folder: Path | None = None) -> str:
    """What a program that must succeed prints, messages included; it runs in the folder."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL, cwd=folder
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[:2000]}"
    return done.stdout


# --- the files themselves ---------------------------------------------------------------------------------------------


def test_layers_have_many_members(gz: Files, zst: Files) -> None:
    for files in (gz, zst):
        assert min(files.members.values()) >= 2
        assert files.members["core"] > 20
        for name, (path, _) in files.layers.items():
            assert members(path) == files.members[name], path
        header = 1  # the block of prefixes, which has no triples
        assert members(files.quads) == sum(files.members.values()) - header * len(files.members)


def members(path: Path) -> int:
    """Count the members or frames of a file, each unpacked alone."""
    data, found = path.read_bytes(), 0
    while data:
        unpacker = zlib.decompressobj(31) if path.suffix == ".gz" else zstandard.ZstdDecompressor().decompressobj()
        unpacker.decompress(data)
        data, found = unpacker.unused_data, found + 1
    return found


def test_programs_of_gzip_and_zstd_find_nothing_wrong(gz: Files, zst: Files) -> None:
    assert said("gzip", "--test", *gz.paths, gz.quads, zst.quads) == ""
    assert said(require_tool("zstd", "zstd"), "--test", "--quiet", *zst.paths) == ""


def test_compressed_layers_are_the_same_text(gz: Files, zst: Files) -> None:
    for name, (path, _) in gz.layers.items():
        text = gzip.decompress(path.read_bytes())
        assert piped(path, "cat")[0].encode() == text
        assert piped(zst.layers[name][0], "cat")[0].encode() == text
    assert zst.quads.read_bytes() == gz.quads.read_bytes()


# --- parsers ----------------------------------------------------------------------------------------------------------


def opened(path: Path) -> io.BufferedReader:
    """Open a compressed file as a program in Python does."""
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.open(path))
    stream = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
    return io.BufferedReader(stream)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_pyoxigraph_parses_all_members(kind: str, request: pytest.FixtureRequest) -> None:
    files: Files = request.getfixturevalue(kind)
    for path, triples in files.layers.values():
        with opened(path) as stream:
            assert len({quad.triple for quad in ox.parse(stream, format=ox.RdfFormat.TURTLE)}) == triples, path
        with pytest.raises(SyntaxError):  # it does not unpack by itself
            next(iter(ox.parse(path=path, format=ox.RdfFormat.TURTLE)))
    with opened(files.quads) as stream:
        found = {(quad.graph_name, quad.triple) for quad in ox.parse(stream, format=ox.RdfFormat.N_QUADS)}
    assert Counter(str(graph)[1:-1] for graph, _ in found) == files.graphs


def test_rdflib_parses_all_members(gz: Files) -> None:
    for path, triples in gz.layers.values():
        with opened(path) as stream:
            assert len(rdflib.Graph().parse(stream, format="turtle")) == triples, path


def test_rdflib_parses_all_frames(zst: Files) -> None:
    for name in ("links-chemicals", "links-genes-symbol", "core"):
        path, triples = zst.layers[name]
        with opened(path) as stream:
            assert len(rdflib.Graph().parse(stream, format="turtle")) == triples, path


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_serdi_parses_all_members_from_a_pipe(kind: str, request: pytest.FixtureRequest) -> None:
    serdi = require_tool("serdi", "serdi")
    files: Files = request.getfixturevalue(kind)
    for path, triples in files.layers.values():
        output, messages = piped(path, serdi, "-i", "turtle", "-o", "ntriples", "-")
        assert messages == ""
        assert len(set(output.splitlines())) == triples, path
    output, _ = piped(files.quads, serdi, "-i", "nquads", "-o", "nquads", "-")
    assert per_graph(output) == files.graphs


def per_graph(quads: str) -> Counter[str]:
    """Distinct lines of N-Quads by the graph that each names."""
    return Counter(line.rpartition("<")[2].rstrip("> .") for line in set(quads.splitlines()))


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_rapper_parses_all_members_from_a_pipe(kind: str, request: pytest.FixtureRequest) -> None:
    rapper = require_tool("rapper", "raptor2-utils")
    files: Files = request.getfixturevalue(kind)
    for path, triples in files.layers.values():
        _, messages = piped(path, rapper, "-c", "-i", "turtle", "-", "http://example.org/")
        assert f"rapper: Parsing returned {triples} triple" in messages, path
    _, messages = piped(files.quads, rapper, "-c", "-i", "nquads", "-", "http://example.org/")
    assert f"rapper: Parsing returned {sum(files.graphs.values())} triples" in messages


def test_riot_reads_all_members_by_itself(gz: Files, jena: Path) -> None:
    messages = said(*JAVA, "-cp", jena, "riotcmd.riot", "--count", *gz.paths, gz.quads)
    counts = {Path(name).name: int(number.replace(",", "")) for name, number in COUNTED.findall(messages)}
    assert counts == {path.name: triples for path, triples in gz.layers.values()} | {
        gz.quads.name: sum(gz.graphs.values())
    }


COUNTED = re.compile(r"(?m)^(\S+)\s*: (?:Triples|Quads) = ([0-9,]+)$")


def test_riot_reads_frames_from_a_pipe_alone(zst: Files, jena: Path) -> None:
    riot = (*JAVA, "-cp", jena, "riotcmd.riot")
    path, triples = zst.layers["core"]
    _, messages = piped(path, *riot, "--syntax=turtle", "--count", "-")
    assert [int(number.replace(",", "")) for _, number in COUNTED.findall(messages)] == [triples]
    done = subprocess.run([*riot, "--validate", path], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode != 0


# --- stores -----------------------------------------------------------------------------------------------------------


def test_pyoxigraph_stores_all_members(gz: Files, zst: Files) -> None:
    for files in (gz, zst):
        store = ox.Store()
        for name, (path, _) in files.layers.items():
            with opened(path) as stream:
                store.bulk_load(stream, format=ox.RdfFormat.TURTLE, to_graph=ox.NamedNode(GRAPHS + name))
        assert in_store(store) == files.graphs
    store = ox.Store()
    with opened(gz.quads) as stream:
        store.bulk_load(stream, format=ox.RdfFormat.N_QUADS)
    assert in_store(store) == gz.graphs


def in_store(store: ox.Store) -> dict[str, int]:
    rows = store.query(servers.COUNT)
    assert isinstance(rows, ox.QuerySolutions)
    return {row["g"].value: int(row["n"].value) for row in rows}


@pytest.mark.parametrize("what", ["layers", "quads", "frames"])
def test_oxigraph_loads_all_members(what: str, gz: Files, zst: Files, tmp_path: Path) -> None:
    program = servers.require_oxigraph()
    load = (program, "load", "--location", tmp_path / "db")
    if what == "layers":
        for name, (path, _) in gz.layers.items():
            said(*load, "--graph", GRAPHS + name, "--file", path)
    elif what == "quads":
        said(*load, "--file", gz.quads)
    else:
        for name, (path, _) in zst.layers.items():
            piped(path, *load, "--graph", GRAPHS + name, "--format", "ttl")
    with servers.oxigraph(program, tmp_path) as endpoint:
        assert endpoint.counts() == gz.graphs


def test_oxigraph_server_takes_plain_bodies(gz: Files, zst: Files, tmp_path: Path) -> None:
    with servers.oxigraph(servers.require_oxigraph(), tmp_path) as endpoint:
        for name, (path, _) in gz.layers.items():
            with opened(zst.layers[name][0] if name == "core" else path) as stream:
                assert endpoint.put(GRAPHS + name, stream.read()).status == 201
        assert endpoint.counts() == gz.graphs


def test_tdb2_loads_all_members(gz: Files, union: int, jena: Path, tmp_path: Path) -> None:
    command = (*JAVA, "-cp", jena, "tdb2.tdbloader", "--loc", tmp_path / "db")
    said(*command, *gz.paths, gz.quads)  # the layers without names into the default graph, the quads into their own
    query = f"SELECT ?g ?n {{ {{ {servers.COUNT} }} UNION {{ SELECT (COUNT(*) AS ?n) {{ ?s ?p ?o }} }} }}"
    ask = (*JAVA, "-cp", jena, "tdb2.tdbquery", "--loc", tmp_path / "db", "--results=csv", query)
    rows = [line.split(",") for line in said(*ask).split()[1:]]
    assert {graph: int(count) for graph, count in rows} == gz.graphs | {"": union}


def test_fuseki_server_takes_plain_bodies(gz: Files, zst: Files, jena: Path, tmp_path: Path) -> None:
    with servers.fuseki(jena, tmp_path) as endpoint:
        for name, (path, _) in gz.layers.items():
            with opened(zst.layers[name][0] if name == "core" else path) as stream:
                assert endpoint.put(GRAPHS + name, stream.read()).status == 201
        assert endpoint.counts() == gz.graphs


def test_blazegraph_loads_all_members(gz: Files, zst: Files, tmp_path: Path) -> None:
    jar = require_jar(BLAZEGRAPH)
    loader = (*JAVA, "-cp", jar, "com.bigdata.rdf.store.DataLoader", "-namespace", "kb", "-defaultGraph", "urn:bulk")
    bulk = ("core", "evidence-chemicals")
    settings = servers.blazegraph_properties(tmp_path)
    printed = said(*loader, settings, *(gz.layers[name][0] for name in bulk), folder=tmp_path)  # it leaves a log there
    assert f"goodSet={len(bulk)}" in printed
    expected = {"urn:bulk": sum(gz.layers[name][1] for name in bulk)}
    with servers.blazegraph(jar, tmp_path) as endpoint:
        assert endpoint.counts() == expected
        with opened(zst.layers["core"][0]) as stream:
            body = stream.read()
        target = f"{endpoint.query}?context-uri={GRAPHS}core"
        assert servers.send("POST", target, body, {"Content-Type": "text/turtle; charset=UTF-8"}).status == 200
        update(endpoint, f"LOAD <{gz.layers['compat'][0].as_uri()}> INTO GRAPH <{GRAPHS}compat>")
        expected |= {f"{GRAPHS}{name}": gz.layers[name][1] for name in ("core", "compat")}
        assert endpoint.counts() == expected


@pytest.mark.slow
def test_blazegraph_server_loads_each_layer_and_the_quads(gz: Files, tmp_path: Path) -> None:
    with servers.blazegraph(require_jar(BLAZEGRAPH), tmp_path) as endpoint:
        for name, (path, _) in gz.layers.items():
            update(endpoint, f"LOAD <{path.as_uri()}> INTO GRAPH <urn:copy:{name}>")
        update(endpoint, f"LOAD <{gz.quads.as_uri()}>")
        copies = {f"urn:copy:{name}": triples for name, (_, triples) in gz.layers.items()}
        assert endpoint.counts() == gz.graphs | copies


def update(endpoint: servers.Endpoint, text: str) -> None:
    header = {"Content-Type": "application/sparql-update; charset=UTF-8"}
    answer = servers.send("POST", endpoint.update, text.encode(), header)
    assert answer.status in (200, 204), answer.body[:2000]


def test_virtuoso_loads_all_members(gz: Files, tmp_path: Path) -> None:
    program = require_tool("virtuoso-t", "virtuoso-opensource-7-bin")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for path in (*gz.paths, gz.quads):
        shutil.copy(path, inbox)
    broken = inbox / "broken.ttl.gz"
    broken.write_bytes(gzip.compress(b"<urn:a> <urn:b> .\n"))
    with servers.virtuoso(program, tmp_path, inbox) as store:
        names = [(path.name, f"urn:copy:{name}") for name, (path, _) in gz.layers.items()]
        for name, graph in [*names, (gz.quads.name, "urn:copy:rest"), (broken.name, "urn:broken")]:
            store.sql(f"ld_dir('{inbox}', '{name}', '{graph}');")
        store.sql("rdf_loader_run();")
        assert store.number("select count(*) from DB.DBA.load_list where ll_state = 2;") == len(names) + 2
        assert broken.name in store.sql("select ll_file from DB.DBA.load_list where ll_error is not null;")
        assert store.number("select count(*) from DB.DBA.load_list where ll_error is not null;") == 1
        ours = {graph: n for graph, n in store.endpoint.counts().items() if graph.startswith((GRAPHS, "urn:"))}
        copies = {f"urn:copy:{name}": triples for name, (_, triples) in gz.layers.items()}
        assert ours == gz.graphs | copies


# --- what docs/files.md warns of --------------------------------------------------------------------------------------


def test_oxigraph_server_drops_all_but_the_first_member_of_a_body(gz: Files, tmp_path: Path) -> None:
    path, triples = gz.layers["core"]
    data = path.read_bytes()
    with servers.oxigraph(servers.require_oxigraph(), tmp_path) as endpoint:
        assert endpoint.put("urn:many", data, **{"Content-Encoding": "gzip"}).status == 201
        one = gzip.compress(gzip.decompress(data), mtime=0)
        assert endpoint.put("urn:one", one, **{"Content-Encoding": "gzip"}).status == 201
        assert endpoint.counts() == {"urn:one": triples}


@pytest.mark.slow
def test_fuseki_server_drops_what_comes_after_a_pause_between_members(gz: Files, jena: Path, tmp_path: Path) -> None:
    path, _ = gz.layers["core"]
    blocks = read_index(gz.folder / INDEX)["core"]

    def slowly() -> Iterator[bytes]:
        with path.open("rb") as stream:
            for block in blocks[:3]:
                yield stream.read(block.size)
                time.sleep(1)

    with servers.fuseki(jena, tmp_path) as endpoint:
        assert endpoint.put("urn:paused", slowly(), **{"Content-Encoding": "gzip"}).status == 201
        assert sum(endpoint.counts().values()) < sum(block.triples for block in blocks[:3])


def test_one_call_of_a_zstd_library_may_give_the_first_frame_alone(zst: Files) -> None:
    path, _ = zst.layers["core"]
    data = path.read_bytes()
    one: Callable[[bytes], bytes] = zstandard.ZstdDecompressor().decompress
    with opened(path) as stream:
        assert len(one(data)) < len(stream.read())
