"""What the tests of exports share: calls, tables as rows, answers of SPARQL, and a source full of hostile texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from benchmarks import corpus_build
from pfocr_rdf import query
from pfocr_rdf.cli import app
from tests.support import ROOT

EXAMPLE = ROOT / "docs" / "example"
CORPUS = 30
"""Figures of the made-up corpus that the fast tests read."""

GRAPHS = {"symbol": ["symbol"], "synonym": ["symbol", "synonym"], "family": ["symbol", "synonym", "family"]}

HOSTILE = {"title": "A\ttitle \"in quotes\"\nof 'two' lines\u2028and\u0085more | </script>", "word": 'p\t53\n|"x"'}


def call(*arguments: object, code: int = 0) -> str:
    """Run the command; return what it printed."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def export(name: str, build: Path, out: Path, *options: object) -> dict[str, int]:
    """Run an export; return its counts."""
    counts: dict[str, int] = json.loads(call("export", name, build, "--out", out, "--json", *options))
    return counts


def made(folder: Path, name: str, *options: str) -> Path:
    """Return a build of the example, of the corpus or of the hostile source."""
    source = folder / f"{name}-source"
    if name == "example":
        source = EXAMPLE
    elif name == "corpus":
        corpus_build.build(source, CORPUS)
    else:
        hostile(source)
    call("-q", "build", source, "--out", folder / name, "--no-cache", *options)
    return folder / name


def hostile(folder: Path) -> None:
    """Write a source in which title, words and symbols hold what ends a cell, a line or a text."""
    (folder / "_figures").mkdir(parents=True)
    genes = [
        {"word": HOSTILE["word"], "symbol": "P53", "source": "hgnc_symbol", "hgnc_symbol": symbol, "entrez": entrez}
        for symbol, entrez in (('T"P|53', "7157"), ("\u0394'Np63", "8626"), ("A\\B", "472"))
    ]
    for number in (1, 2):
        record = {
            "figid": f"PMC910000{number}__f%1",
            "pmcid": f"PMC910000{number}",
            "figtitle": HOSTILE["title"],
            "figid_alias": f"PMC910000{number}__F\t1",
            "caption": f"{HOSTILE['title']} = caption",
            "genes": genes,
            "schema-jsonld": {
                "@context": "https://schema.org/",
                "@type": "Dataset",
                "license": "CC0",
                "url": "https://example.org/a",
                "citation": {"@type": "CreativeWork", "name": HOSTILE["title"]},
                "keywords": [HOSTILE["word"], "</script><script>"],
            },
        }
        text = json.dumps(record, ensure_ascii=True, indent=1)  # JSON is YAML
        (folder / "_figures" / f"{number}.md").write_text(f"---\n{text}\n---\n", encoding="utf-8")


def lines(path: Path) -> list[list[str]]:
    """Return the cells of a file's lines, cut at line feeds and tabs alone."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n") or not text
    return [line.split("\t") for line in text.split("\n")[:-1]]


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table by its header."""
    header, *rest = lines(path)
    return [dict(zip(header, cells, strict=True)) for cells in rest]


def answers(build: Path, text: str) -> list[tuple[str, ...]]:
    """Return the answer to a SELECT as bare texts, an unbound cell as an empty one."""
    with query.open_store(build) as store:
        table = query.table(query.ask(store, text))
    return [tuple("" if term is None else str(term.value) for term in row) for row in table.rows]


def linked(level: str) -> str:
    """Return a pattern: the gene links up to a level."""
    graphs = " ".join(f"<https://w3id.org/pfocr/graph/links-genes-{name}>" for name in GRAPHS[level])
    return f"VALUES ?level {{ {graphs} }} GRAPH ?level {{ ?figure schema:mentions ?gene }}"


def last(iri: str) -> str:
    """Return the last part of an IRI."""
    return iri.rsplit("/", 1)[-1]


def documents(folder: Path) -> dict[str, Any]:
    """Return the JSON-LD documents of an export by the names of their files."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.jsonld"))}
