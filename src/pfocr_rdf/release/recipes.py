"""`load/`: for each triple store a script that loads this release as it is, and the counts that must come out.

The templates lie in `templates/`; here only names, compression and graphs of the release are filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pfocr_rdf import codecs
from pfocr_rdf.manifest import QUADS

FOLDER = "load"

_COUNTS = """SELECT ?graph (COUNT(*) AS ?triples) WHERE {
  GRAPH ?graph { ?subject ?predicate ?object }
}
GROUP BY ?graph
"""
_READ = {codecs.PLAIN.name: "cat", codecs.GZIP.name: "gzip -dc", codecs.ZSTD.name: "zstd -dc"}
_LOADS: dict[str, Callable[[str, str], str]] = {
    "oxigraph.sh": lambda graph, file: f'oxigraph load --location "$database" --graph "{graph}" --file "$files/{file}"',
    "fuseki.sh": lambda graph, file: (
        f'java -cp "$jar" tdb2.tdbloader --loc "$database" --graph "{graph}" "$files/{file}"'
    ),
    "virtuoso.sh": lambda graph, file: f"sql \"ld_dir('$files', '{file}', '{graph}');\"",
}
"""Scripts that load the N-Quads and then the other graphs, and the line that loads one of these."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A named graph of a store: its IRI, the file that is loaded into it, its triples; `layer` if `QUADS` has it."""

    iri: str
    file: str
    triples: int
    layer: bool


def write(release: Path, version: str, graphs: Sequence[Graph]) -> None:
    """Write the recipes of a release."""
    folder = release / FOLDER
    folder.mkdir()
    for name, text in recipes(version, graphs).items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def recipes(version: str, graphs: Sequence[Graph]) -> dict[str, str]:
    """Return the recipes by file name."""
    made = {"counts.rq": _COUNTS, "counts.tsv": _counts(graphs), "fuseki.ttl": _template("fuseki.ttl")}
    for name, load in _LOADS.items():
        lines = [load(graph.iri, graph.file) for graph in graphs if not graph.layer]
        if name == "virtuoso.sh":
            lines.insert(0, load(graphs[0].iri, QUADS))  # the quads name their own graphs
        made[name] = _filled(name, QUADS=QUADS, GRAPHS="\n".join(lines))
    adds = [f'add "{graph.file}" "{graph.iri}"' for graph in graphs]
    made["blazegraph.sh"] = _filled("blazegraph.sh", GRAPHS="\n".join(adds))
    return made | _about(version, graphs)


def _about(version: str, graphs: Sequence[Graph]) -> dict[str, str]:
    inputs = [f'{{ "cmd": "{_reads(graph.file)} {graph.file}", "graph": "{graph.iri}" }}' for graph in graphs]
    rows = [f"| `{graph.iri}` | `{graph.file}` | {graph.triples:,} |" for graph in graphs]
    return {
        "Qleverfile": _filled(
            "Qleverfile",
            VERSION=version,
            FILES=" ".join(graph.file for graph in graphs),
            GRAPHS=(",\n" + " " * 20).join(inputs),
        ),
        "README.md": _filled("README.md", VERSION=version, TABLE="\n".join(rows)),
    }


def _counts(graphs: Sequence[Graph]) -> str:
    return "".join(sorted(f"<{graph.iri}>\t{graph.triples}\n" for graph in graphs if graph.triples))


def _reads(file: str) -> str:
    return _READ[codecs.of_file(Path(file)).name]


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _filled(name: str, **values: str) -> str:
    text = _template(name)
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
