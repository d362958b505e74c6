"""The command line as its users see it: build a source, read back what it wrote, ask about it.

Nothing here knows how the package works inside; what it expects is the data model and `docs/design.md`.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse
from typer.testing import CliRunner

FIXTURES = Path(__file__).with_name("fixtures")
KINDS = ("records", "gene-rows", "chemical-rows", "disease-rows", "map-lines", "organism-pages")
ACCEPT_ALL = ("--max-rejected", "100%", "--max-rejected-rows", "100%")
"""The fixtures hold so few records that one refused record would refuse the build."""

Term: TypeAlias = NamedNode | BlankNode | Literal | Triple
Problem: TypeAlias = dict[str, Any]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
OBO = "http://purl.obolibrary.org/obo/"
CC0 = NamedNode("http://creativecommons.org/publicdomain/zero/1.0/")
WIKIPATHWAYS = NamedNode("https://www.wikipathways.org/")
TYPE = NamedNode(f"{_RDF}type")
LABEL = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
SEE_ALSO = NamedNode("http://www.w3.org/2000/01/rdf-schema#seeAlso")
SAME_AS = NamedNode("http://www.w3.org/2002/07/owl#sameAs")
BODY = NamedNode("http://www.w3.org/ns/oa#hasBody")
TARGET = NamedNode("http://www.w3.org/ns/oa#hasTarget")
GYEAR = NamedNode(f"{_XSD}gYear")
DECIMAL = NamedNode(f"{_XSD}decimal")
INTEGER = NamedNode(f"{_XSD}integer")


def _encode(text: str) -> str:
    return quote(text, safe="")


def figure(figid: str) -> NamedNode:
    return NamedNode(f"https://pfocr.wikipathways.org/figures/{_encode(figid)}.html")


def paper(pmcid: str) -> NamedNode:
    return NamedNode(f"https://identifiers.org/pmc/{pmcid}")


def gene(ncbigene: str) -> NamedNode:
    return NamedNode(f"https://identifiers.org/ncbigene/{ncbigene}")


def taxon(taxid: str) -> NamedNode:
    return NamedNode(f"{OBO}NCBITaxon_{taxid}")


def mesh(identifier: str) -> NamedNode:
    return NamedNode(f"http://id.nlm.nih.gov/mesh/{identifier}")


def chebi(digits: str) -> NamedNode:
    return NamedNode(f"{OBO}CHEBI_{digits}")


def doid(digits: str) -> NamedNode:
    return NamedNode(f"{OBO}DOID_{digits}")


def pfd(*parts: str) -> NamedNode:
    """One of our own resources; each part is encoded."""
    return NamedNode("https://w3id.org/pfocr/" + "/".join(map(_encode, parts)))


def pfocr(name: str) -> NamedNode:
    return NamedNode(f"https://w3id.org/pfocr/vocab#{name}")


def schema(name: str) -> NamedNode:
    return NamedNode(f"http://schema.org/{name}")


def dcterms(name: str) -> NamedNode:
    return NamedNode(f"http://purl.org/dc/terms/{name}")


def bibo(name: str) -> NamedNode:
    return NamedNode(f"http://purl.org/ontology/bibo/{name}")


def skos(name: str) -> NamedNode:
    return NamedNode(f"http://www.w3.org/2004/02/skos/core#{name}")


def wp(name: str) -> NamedNode:
    return NamedNode(f"http://vocabularies.wikipathways.org/wp#{name}")


def mention_iri(figid: str, kind: str, *cells: str) -> NamedNode:
    """The mention that these cells make (data model, section a.6); kind is `gene`, `chemical` or `disease`."""
    digest = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
    return pfd("mention", figid, f"{kind}-{digest[:12]}")


@dataclass(frozen=True, eq=False)
class Build:
    """All that one run left: its exit, its output folder's contents."""

    exit_code: int
    output: str
    exception: BaseException | None
    layers: dict[str, frozenset[Triple]]
    manifest: dict[str, Any]
    rejected: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def triples(self, layer: str | None = None) -> Iterator[Triple]:
        """The triples of one layer, of a family of layers (`evidence`), or of all with `None`."""
        for name, triples in self.layers.items():
            if layer is None or name == layer or name.startswith(f"{layer}-"):
                yield from triples

    def objects(self, layer: str | None, subject: Term, predicate: NamedNode) -> set[Term]:
        return {t.object for t in self.triples(layer) if t.subject == subject and t.predicate == predicate}

    def texts(self, layer: str | None, subject: Term, predicate: NamedNode) -> set[str]:
        """The objects as text: literals' values, IRIs."""
        return {_text(term) for term in self.objects(layer, subject, predicate)}

    def subjects(self, layer: str | None, predicate: NamedNode, value: Term) -> set[Term]:
        return {t.subject for t in self.triples(layer) if t.predicate == predicate and t.object == value}

    def has(self, layer: str | None, subject: Term, predicate: NamedNode, value: Term) -> bool:
        return value in self.objects(layer, subject, predicate)

    def about(self, layer: str | None, subject: Term) -> set[tuple[Term, Term]]:
        """Predicate and object of all that is said of the subject."""
        return {(t.predicate, t.object) for t in self.triples(layer) if t.subject == subject}

    def mentions(self, figid: str, word: str | None = None, kind: str = "") -> set[NamedNode]:
        """The mentions in a figure, of one word or all, of one kind (`gene`, `chemical`, `disease`) or all."""
        start = f"https://w3id.org/pfocr/mention/{_encode(figid)}/{kind}"
        return {
            subject
            for subject in self.subjects("evidence", TARGET, figure(figid))
            if isinstance(subject, NamedNode)
            and subject.value.startswith(start)
            and (word is None or self.texts("evidence", subject, pfocr("word")) == {word})
        }

    def mention(self, figid: str, word: str, kind: str = "") -> NamedNode:
        """The one mention of this word."""
        (found,) = self.mentions(figid, word, kind)
        return found

    def linked(self, layer: str, figid: str) -> set[str]:
        """The IRIs of the entities that the figure mentions in one layer of links."""
        return self.texts(layer, figure(figid), schema("mentions"))

    def refused(self, code: str, **where: object) -> list[Problem]:
        """The lines of `rejected.jsonl` of this code and these other parts."""
        return [p for p in self.rejected if p["code"] == code and where.items() <= p.items()]

    def warned(self, code: str, **where: object) -> list[Problem]:
        """The lines of `warnings.jsonl` of this code and these other parts."""
        return [p for p in self.warnings if p["code"] == code and where.items() <= p.items()]

    def account(self, kind: str) -> dict[str, int]:
        """What became of one kind of input, without what is zero."""
        return {name: count for name, count in self.manifest["accounts"][kind].items() if count}

    def check_accounts(self) -> None:
        """Read = emitted + merged + rejected, for each kind of input."""
        for kind in KINDS:
            count = self.manifest["accounts"][kind]
            assert count["read"] == count["emitted"] + count["merged"] + count["rejected"], (kind, count)
            assert 0 <= count["unresolved"] <= count["emitted"], (kind, count)


def _text(term: Term) -> str:
    return term.value if isinstance(term, (Literal, NamedNode)) else str(term)


def run(source: Path, out: Path, *options: str) -> Build:
    """Run `build` in this process and read what it left; a refused build leaves no layers."""
    # Imported late: a test of the hostile set puts the package's import outside what it measures.
    from pfocr_rdf.cli import app

    result = CliRunner().invoke(app, ["build", str(source), "--out", str(out), *ACCEPT_ALL, *options])
    return read(out, exit_code=result.exit_code, output=result.output, exception=result.exception)


def read(out: Path, *, exit_code: int, output: str, exception: BaseException | None = None) -> Build:
    """Read an output folder into memory."""
    layers = {path.stem.removeprefix("pfocr-"): frozenset(stream(path)) for path in sorted(out.glob("pfocr-*.ttl"))}
    manifest = out / "manifest.json"
    return Build(
        exit_code,
        output,
        exception,
        layers,
        json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {},
        tuple(_lines(out / "rejected.jsonl")),
        tuple(_lines(out / "warnings.jsonl")),
    )


def stream(path: Path) -> Iterator[Triple]:
    """The triples of a Turtle file, one at a time."""
    for quad in parse(path=path, format=RdfFormat.TURTLE):
        yield quad.triple


def _lines(path: Path) -> Iterator[Problem]:
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


@cache
def case(name: str, *options: str) -> Build:
    """Build one fixture, once in a session; it must succeed."""
    with tempfile.TemporaryDirectory() as folder:
        built = run(FIXTURES / name, Path(folder, "out"), *options)
    assert built.exit_code == 0, built.output
    assert built.exception is None
    return built


def unions(built: Build, layers: tuple[str, ...], predicate: NamedNode) -> set[tuple[Term, Term]]:
    """Subject and object of one predicate in several layers."""
    return {(t.subject, t.object) for layer in layers for t in built.triples(layer) if t.predicate == predicate}
