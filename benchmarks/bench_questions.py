"""Latency of the local questions in served stores: Oxigraph, Fuseki, Blazegraph, Virtuoso.

A build is loaded into each store, which is served; then each question is asked over HTTP, `--rounds` times after once
for warming up, with the parameters of a usual case (the figure, gene and disease nearest to the mean) and of the
heaviest (those with most). The median and the 95th percentile of all of an answer's time are given, in milliseconds.
The goal is for the usual case. Question 14 reads all mentions; at full size it is an export, and it is not judged.

    python benchmarks/bench_questions.py --figures 10000 --stores oxigraph fuseki --rounds 10
    python benchmarks/bench_questions.py --build output/build --stores oxigraph
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx
import pyoxigraph as ox

from benchmarks import common, measure
from pfocr_rdf import buildfolder, identifiers
from pfocr_rdf.query import declared
from pfocr_rdf.questions import Question, all_questions
from tests import servers
from tests.support import BLAZEGRAPH, JENA, find_tool, pinned_jar

STORES = ("oxigraph", "fuseki", "blazegraph", "virtuoso")
FULL_STORES = ("oxigraph", "fuseki")
GOAL = 1_000.0
"""Milliseconds, at the size of the whole database."""
NOT_JUDGED = {14, 23, 24}
"""14 reads all mentions; the others ask for the description of a release, which a build has not."""
HEADER = ("figures", "question", "case", "rows")
LIMIT = 300.0
"""Seconds that an answer may take."""
ENOUGH = 60_000.0
"""Milliseconds after which a question is not asked once more."""
Terms = dict[str, str | list[str]]


@contextmanager
def served(store: str, build: Path, folder: Path) -> Iterator[str]:
    """Load a build into a store of a folder, by the store's own loader, and serve it; yield its address."""
    files = {identifiers.graph(layer): path for layer, path in buildfolder.layer_files(build).items()}
    if store == "oxigraph":
        program = servers.require_oxigraph()
        for graph, path in files.items():
            measure.run([program, "load", "--location", folder / "db", "--file", path, "--graph", graph])
        measure.run([program, "optimize", "--location", folder / "db"])
        base = f"127.0.0.1:{servers.free_port()}"
        command: list[str | Path] = [
            program,
            "serve-read-only",
            "--location",
            folder / "db",
            "--union-default-graph",
            "--bind",
            base,
        ]
        with servers.running(command, folder, servers.answers(f"http://{base}")):
            yield f"http://{base}/query"
        return
    quads = folder / "all.nq"
    if store != "virtuoso":
        _quads(files, quads)
    if store == "fuseki":
        jar = pinned_jar(JENA)
        measure.run(["java", "-Xmx4g", "-cp", jar, "tdb2.tdbloader", "--loc", folder / "tdb2", quads])
        config = folder / "config.ttl"
        config.write_text(_FUSEKI.format(folder / "tdb2"), encoding="utf-8")
        port = servers.free_port()
        main = "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"
        command = ["java", "-Xmx4g", "-cp", jar, main, "--localhost", f"--port={port}", "--ping", f"--config={config}"]
        with servers.running(command, folder, servers.answers(f"http://localhost:{port}/$/ping")):
            yield f"http://localhost:{port}/pfocr/query"
    elif store == "blazegraph":
        jar = pinned_jar(BLAZEGRAPH)
        settings = servers.blazegraph_properties(folder)
        loader: list[str | Path] = [
            "java",
            "-Xmx4g",
            "-cp",
            jar,
            "com.bigdata.rdf.store.DataLoader",
            "-quiet",
            "-namespace",
            "kb",
        ]
        measure.run([*loader, "-defaultGraph", identifiers.graph("none"), settings, quads])
        with servers.blazegraph(jar, folder) as endpoint:
            yield endpoint.query
    else:
        with servers.virtuoso(find_tool("virtuoso-t", "virtuoso-opensource-7-bin"), folder, build) as running:
            for graph, path in files.items():
                running.sql(f"ld_dir('{build}', '{path.name}', '{graph}');")
            running.sql("rdf_loader_run(); checkpoint;")
            yield running.endpoint.query


_FUSEKI = """PREFIX fuseki: <http://jena.apache.org/fuseki#>
PREFIX tdb2: <http://jena.apache.org/2016/tdb#>
[] a fuseki:Service ; fuseki:name "pfocr" ;
  fuseki:endpoint [ fuseki:operation fuseki:query ; fuseki:name "query" ] ;
  fuseki:dataset [ a tdb2:DatasetTDB2 ; tdb2:location "{}" ; tdb2:unionDefaultGraph true ] .
"""


def _quads(files: Mapping[str, Path], to: Path) -> None:
    with to.open("wb") as out:
        for graph, path in files.items():
            name = ox.NamedNode(graph)
            with path.open("rb") as stream:
                triples = ox.parse(input=stream, format=ox.RdfFormat.TURTLE)
                quads = (ox.Quad(quad.subject, quad.predicate, quad.object, name) for quad in triples)
                ox.serialize(quads, output=out, format=ox.RdfFormat.N_QUADS)


class Asked:
    """An endpoint over one connection."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = httpx.Client(timeout=LIMIT, headers={"Accept": "application/sparql-results+json"})

    def rows(self, query: str) -> list[dict[str, str]]:
        """Return the rows of a SELECT as texts."""
        got = self.client.post(self.address, data={"query": query})
        got.raise_for_status()
        found = json.loads(got.content)["results"]["bindings"]
        return [{name: cell["value"] for name, cell in row.items()} for row in found]


def cases(asked: Asked) -> dict[str, Terms]:
    """Return the parameters of the usual and of the heaviest case, from what is in the store."""
    links = 'FILTER (STRSTARTS(STR(?x), "https://identifiers.org/ncbigene/"))'
    genes = _ranked(asked, f"?figure schema:mentions ?x . {links}")
    diseases = _ranked(asked, f"GRAPH <{identifiers.graph('links-diseases')}> {{ ?figure schema:mentions ?x }}")
    keywords = _ranked(asked, "?figure dcterms:isPartOf / schema:keywords ?x")
    sizes = asked.rows(declared("SELECT ?x ?n { ?x pfocr:geneCount ?n }"))
    figures = sorted(((row["x"], int(row["n"])) for row in sizes), key=lambda pair: (-pair[1], pair[0]))
    return {
        "usual": _case(asked, _mean(genes), _mean(figures), _mean(diseases), _mean(keywords), [_mean(genes)]),
        "heaviest": _case(
            asked, genes[0][0], figures[0][0], diseases[0][0], keywords[0][0], [gene for gene, _ in genes[:4]]
        ),
    }


def _ranked(asked: Asked, pattern: str) -> list[tuple[str, int]]:
    """Return what a pattern has as `?x`, with its number of rows, the most frequent first."""
    rows = asked.rows(declared(f"SELECT ?x (COUNT(*) AS ?n) {{ {pattern} }} GROUP BY ?x"))
    return sorted(((row["x"], int(row["n"])) for row in rows), key=lambda pair: (-pair[1], pair[0]))


def _mean(ranked: list[tuple[str, int]]) -> str:
    mean = statistics.fmean(number for _, number in ranked)
    return min(ranked, key=lambda pair: (abs(pair[1] - mean), pair[0]))[0]


def _case(asked: Asked, gene: str, figure: str, disease: str, keyword: str, list_: list[str]) -> Terms:
    facts = "dcterms:identifier ?figid ; dcterms:isPartOf ?paper ; schema:description ?caption"
    of_figure = asked.rows(declared(f"SELECT * {{ <{figure}> {facts} }} LIMIT 1"))[0]
    about = "rdfs:label ?symbol ; schema:taxonomicRange ?taxon"
    of_gene = asked.rows(declared(f"SELECT * {{ <{gene}> {about} }} LIMIT 1"))[0]
    drawn = asked.rows(declared(f"SELECT (MIN(?f) AS ?figure) {{ ?f schema:mentions <{gene}> }}"))[0]["figure"]
    beside = f"<{drawn}> schema:mentions ?x . ?x a schema:Gene"
    others = asked.rows(declared(f"SELECT DISTINCT ?x {{ {beside} }} ORDER BY ?x"))
    genes = list(dict.fromkeys((*list_, *(row["x"] for row in others))))[:4]
    word = max(of_figure["caption"].split(), key=len)
    return {
        **{name: f"<{iri}>" for name, iri in {"gene": gene, "figure": figure, "disease": disease}.items()},
        "entity": f"<{disease}>",
        "paper": f"<{of_figure['paper']}>",
        "taxon": f"<{of_gene['taxon']}>",
        "genes": [f"<{iri}>" for iri in genes],
        **{
            name: str(ox.Literal(text))
            for name, text in {"figid": of_figure["figid"], "symbol": of_gene["symbol"]}.items()
        },
        "keyword": str(ox.Literal(keyword)),
        "text": str(ox.Literal(word)),
        "drawn": f"<{drawn}>",
    }


def text_of(question: Question, case: Terms) -> str:
    """Return a question's query for a case."""
    terms = {name: case[name] for name in question.parameters if name in case}
    if question.number == 12:  # the figure has to show the gene
        terms["figure"] = case["drawn"]
    if question.number == 7:
        terms["genes"] = list(case["genes"][:2])
    return question.asking(terms)


def measured(build: Path, options: argparse.Namespace, kept: Path) -> list[dict[str, Any]]:
    """Ask all questions in all stores; return a line for each question, case and store."""
    found: list[dict[str, Any]] = []
    texts: dict[tuple[int, str], str] = {}
    for store in options.stores:
        folder = Path(tempfile.mkdtemp(prefix=f"{store}-", dir=kept))
        try:
            with served(store, build, folder) as address:
                asked = Asked(address)
                if not texts:
                    texts = {
                        (question.number, name): text_of(question, case)
                        for name, case in cases(asked).items()
                        for question in all_questions()
                        if not question.services
                    }
                for (number, case), text in texts.items():
                    line = {"store": store, "question": number, "case": case}
                    found.append(line | _timed(asked, text, options.rounds))
                    common.say(f"{store}, question {number}, {case}: {found[-1]['median']:.0f} ms")
        finally:
            shutil.rmtree(folder)
    return found


def _timed(asked: Asked, text: str, rounds: int) -> dict[str, Any]:
    """Ask once, then so many times; a question that takes too long is not asked again."""
    times: list[float] = []
    rows = -1
    for _ in range(rounds + 1):
        began = time.perf_counter()
        try:
            rows = len(asked.rows(text))
        except httpx.TimeoutException:
            return {"rows": -1, "median": LIMIT * 1000, "p95": LIMIT * 1000, "first": LIMIT * 1000}
        times.append((time.perf_counter() - began) * 1000)
        if sum(times) > ENOUGH:
            break
    first, again = times[0], sorted(times[1:] or times)
    p95 = again[min(len(again) - 1, math.ceil(0.95 * len(again)) - 1)]
    return {"rows": rows, "median": statistics.median(again), "p95": p95, "first": first}


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return the tables and the goals; an answer of different length in two stores is wrong."""
    rows, goals, wrong = [], [], []
    for result in results:
        figures, lines = result["figures"], result["lines"]
        cells: dict[tuple[int, str], list[dict[str, Any]]] = {}
        for line in lines:
            cells.setdefault((line["question"], line["case"]), []).append(line)
        for (number, case), found in cells.items():
            times = [f"{line[name]:,.0f}" for line in found for name in ("median", "p95")]
            rows.append([f"{figures:,}", str(number), case, f"{found[0]['rows']:,}", *times])
        wrong += [
            f"question {number}, {case}: stores differ in their rows: {sorted({line['rows'] for line in found})}"
            for (number, case), found in cells.items()
            if len({line["rows"] for line in found}) > 1
        ]
        for store in options.stores:
            usual = [line for line in lines if line["store"] == store and line["case"] == "usual"]
            judged = {line["question"]: line["median"] for line in usual if line["question"] not in NOT_JUDGED}
            slowest = max(judged, key=lambda number: judged[number])
            name = f"ms, {store}, slowest usual question ({slowest}), {figures:,} figures"
            goals.append(common.Goal(name, judged[slowest], GOAL, math.inf, figures >= common.FULL))
    header = (*HEADER, *(f"{store} {name} ms" for store in options.stores for name in ("median", "p95")))
    about = f"rounds: {options.rounds}; time of whole answers over HTTP."
    return common.Report(about, [common.Grid(header, rows)], goals, wrong, {"results": results})


def main() -> int:
    """Measure and report; return the exit code."""
    arguments = common.Arguments(__doc__, [10_000], [common.FULL], 10)
    add = arguments.parser.add_argument
    add("--stores", nargs="+", choices=STORES, help="which stores; all, with --full Oxigraph and Fuseki")
    add("--build", type=Path, metavar="DIR", help="a finished build, in place of builds of corpora")
    options = arguments.parse()
    options.stores = options.stores or list(FULL_STORES if options.full else STORES)
    kept = Path(tempfile.mkdtemp(prefix="bench-questions-", dir=common.work()))
    results = []
    try:
        for build in [options.build] if options.build else _builds(options, kept):
            figures = int(buildfolder.read_manifest(build)["counts"]["figures"])
            results.append({"figures": figures, "lines": measured(build.resolve(), options, kept)})
    finally:
        shutil.rmtree(kept)
    return report(results, options).give(options)


def _builds(options: argparse.Namespace, kept: Path) -> Iterator[Path]:
    for source in common.sources(options):
        build = kept / source.name
        measure.run(common.program("build", source, "--out", build, "--workers", options.workers), cwd=common.ROOT)
        yield build


if __name__ == "__main__":
    sys.exit(main())
