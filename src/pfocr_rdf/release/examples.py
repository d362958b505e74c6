"""The questions as examples in Turtle, in the form that SIB's sparql-examples have: SHACL's executables.

There, and nowhere else in a release, schema.org is spelled with https, as the programs that read examples ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pfocr_rdf import identifiers, terms
from pfocr_rdf.questions import Question, all_questions
from pfocr_rdf.serialize import block
from pfocr_rdf.terms import Pair, Token

FILE = "pfocr-examples.ttl"
"""The name of the file in a release."""

SCHEMA = "https://schema.org/"
SPEX = "https://purl.expasy.org/sparql-examples/ontology#"
QUERIES = f"{identifiers.PFD}query/"
PREFIXES = f"{identifiers.PFD}query-prefixes"
_SPACES = {**identifiers.PREFIXES, "schema": SCHEMA, "spex": SPEX}
_HEADER = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in sorted(_SPACES.items())) + "\n"


def examples(endpoint: str | None = None) -> str:
    """Return all questions as one file of Turtle.

    `endpoint` is the address of a service that answers them, if there is one: what each example has as
    `schema:target`. Raises `ValueError` when it is no IRI.
    """
    found = all_questions()
    return "".join((_HEADER, *_prefixes(found), *(_example(question, endpoint) for question in found)))


def _prefixes(found: Iterable[Question]) -> Iterable[str]:
    """Yield the prefixes that the queries declare; each is a node with a name."""
    declared = sorted({pair for question in found for pair in question.prefixes.items()})
    nodes = [f"{PREFIXES}/{prefix}" for prefix, _ in declared]
    yield block(PREFIXES, [("sh:declare", terms.iri(node)) for node in nodes])
    for node, (prefix, namespace) in zip(nodes, declared, strict=True):
        said = [
            ("sh:prefix", terms.string(prefix)),
            ("sh:namespace", terms.typed(namespace, f"{identifiers.PREFIXES['xsd']}anyURI")),
        ]
        yield block(node, said)


def _example(question: Question, endpoint: str | None) -> str:
    pairs: list[Pair] = [
        ("a", "sh:SPARQLExecutable"),
        ("a", "sh:SPARQLSelectExecutable"),
        ("rdfs:label", terms.tagged(question.title, "en")),
        ("rdfs:comment", terms.tagged(f"{question.title} {question.description}", "en")),
        ("sh:prefixes", terms.iri(PREFIXES)),
        ("sh:select", _lines(question.text)),
        *(("schema:keywords", terms.string(word)) for word in question.keywords),
        *(("spex:federatesWith", terms.iri(service)) for service in question.services),
    ]
    if endpoint is not None:
        pairs.append(("schema:target", terms.iri(endpoint)))
    return block(f"{QUERIES}{question.name}", pairs)


def _lines(text: str) -> Token:
    """Return the token of a text of several lines, laid out as it is."""
    return '"""' + text.replace("\\", "\\\\").replace('"""', r"\"\"\"") + '"""'
