"""One figure's whole graph, for people who look: Turtle, N-Triples or JSON-LD, and as an rdflib graph."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
from pyld import jsonld

from pfocr_rdf import blocks, facts, pipeline, serialize, shards, things, vocab
from pfocr_rdf.accounts import Ledger
from pfocr_rdf.blocks import Item, united
from pfocr_rdf.errors import Problem, UsageError
from pfocr_rdf.extract.records import read_figure
from pfocr_rdf.identifiers import PREFIXES, graph, slug
from pfocr_rdf.model import Layer
from pfocr_rdf.normalize import normalize
from pfocr_rdf.plan import Options, plan
from pfocr_rdf.resources import figure_context
from pfocr_rdf.terms import expand
from pfocr_rdf.things import Things

if TYPE_CHECKING:
    from rdflib import Dataset


def read_layers(record: Path, options: Options) -> tuple[dict[Layer, list[Item]], list[Problem]]:
    """Convert one record (with its tables, where it lies in a checkout); return its layers' Turtle and its problems.

    Raises `UsageError` when the file is no record, or the record is refused.
    """
    if not record.is_file():
        raise UsageError(f"{record}: no such record; give a .md or .txt file")
    with pipeline.opened(str(record), options) as snapshot:
        planned = plan(snapshot, options)
        files = [files for records in planned.papers.values() for files in records]
        if not files:
            raise UsageError(f"{record}: {snapshot.ledger.problems[0].advice}")
        ledger = Ledger()
        figure = normalize(read_figure(planned.root, files[0], options.settings.limits), planned.context, ledger)
        if figure is None:
            found = ledger.rejected()[0]
            raise UsageError(f"{record}: refused ({found.code}, {found.field or 'line'} {found.line}): {found.advice}")
        layers: dict[Layer, list[Item]] = {}
        said: dict[str, list[facts.Placed]] = {figure.figid: []}
        for piece in shards.describe_paper([figure], planned.context, said, ledger):
            layers.setdefault(piece.layer, []).extend(blocks.items(piece.data))
        section = facts.Section()
        section.add(slug(figure.figid), said[figure.figid])
        data = section.to_bytes()
        shared = Things(
            sorted(facts.counted(data).items()),
            lambda wanted, expected: things.dissents(data, things.Search.of(wanted, expected)),
        )
        for layer, found_items in shared.describe():
            layers.setdefault(layer, []).extend(found_items)
    return layers, ledger.problems


def turtle(items: Iterable[Item]) -> str:
    """Return subjects' Turtle as one document, subjects sorted."""
    return serialize.HEADER + "".join(text for _, text in united(sorted(items)))


def render(layers: dict[Layer, list[Item]], form: str) -> str:
    """Return a figure's graph as `turtle`, `ntriples` or `jsonld`."""
    text = turtle(item for part in layers.values() for item in part)
    if form == "turtle":
        return text
    triples = list(ox.parse(text, format=ox.RdfFormat.TURTLE))
    return "".join(sorted(f"{triple} .\n" for triple in triples)) if form == "ntriples" else _jsonld(triples)


def _jsonld(triples: Iterable[ox.Triple | ox.Quad]) -> str:
    """Return triples (without blank nodes) as compact JSON-LD."""
    nodes: dict[str, dict[str, Any]] = {}
    for triple in triples:
        subject, value = str(getattr(triple.subject, "value", "")), triple.object
        node = nodes.setdefault(subject, {"@id": subject})
        if triple.predicate.value == expand(vocab.A):
            node.setdefault("@type", []).append(getattr(value, "value", ""))
        else:
            node.setdefault(triple.predicate.value, []).append(_jsonld_value(value))

    def load(url: str, _options: object = None) -> dict[str, Any]:
        raise UsageError(f"{url}: nothing is fetched")

    document = jsonld.compact(list(nodes.values()), figure_context(), {"documentLoader": load})
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _jsonld_value(term: object) -> dict[str, str]:
    if not isinstance(term, ox.Literal):
        return {"@id": str(getattr(term, "value", ""))}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    plain = term.datatype.value == f"{PREFIXES['xsd']}string"
    return {"@value": term.value} if plain else {"@value": term.value, "@type": term.datatype.value}


def to_rdflib(record: Path | str, options: Options | None = None) -> Dataset:
    """Return one record's graph as an rdflib `Dataset`, each layer in its named graph.

    Raises `UsageError` when the file is no record, or the record is refused.
    """
    from rdflib import Dataset, URIRef

    dataset = Dataset(default_union=True)
    for prefix, namespace in PREFIXES.items():  # rdflib's own `schema` is the https one
        dataset.bind(prefix, namespace, override=True, replace=True)
    layers, _ = read_layers(Path(record), options or Options())
    for layer, items in layers.items():
        data = BytesIO(turtle(items).encode())
        dataset.graph(URIRef(graph(layer))).parse(data, format="turtle")
    return dataset
