"""Descriptions to Turtle, one subject at a time, and such Turtle to N-Quads.

Layout (the data model, section e): prefixes once; subjects in code-point order of their IRIs; `a` first, then
predicates by prefixed name, objects sorted; each object on a line of its own, so a triple is a line with four
leading blanks; a blank line after each block. No text of a literal can hold a raw line break.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pfocr_rdf import native
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.terms import Description, Pair, Token, expand, iri

HEADER = "".join(f"@prefix {prefix}: <{namespace}> .\n" for prefix, namespace in sorted(PREFIXES.items())) + "\n"
_OBJECT = "        "
_END = " ;\n"
_NEXT = " ,\n        "
END_OF_OBJECTS, BETWEEN_OBJECTS = f"{_END}    ", _NEXT
"""What parts the predicates of a subject, and the objects of a predicate; no literal can hold either."""


def block(subject: str, pairs: Iterable[Pair]) -> str:
    """Return the Turtle of one subject, each pair once."""
    return turtle_block(iri(subject), pairs)


def block_by_lists(subject: Token, pairs: Iterable[Pair]) -> str:
    """Return the Turtle of one subject, given as a token, each pair once."""
    said: dict[str, list[str]] = {}
    for predicate, value in pairs:
        values = said.get(predicate)
        if values is None:
            said[predicate] = [value]
        else:
            values.append(value)
    types = said.pop("a", None)
    parts = [f"    a {_objects(types)}"] if types else []
    for predicate in sorted(said):
        values = said[predicate]
        parts.append(f"    {predicate} {values[0] if len(values) == 1 else _objects(values)}")
    return f"{subject}\n{_END.join(parts)} .\n\n"


def _objects(values: list[str]) -> str:
    return _NEXT.join(sorted(set(values)))


turtle_block = native.fastest("turtle_block", block_by_lists)
"""See `block_by_lists`."""


def read_block(text: str) -> Description:
    """Return the subject and pairs of a block that `block` wrote."""
    subject, _, rest = text.rstrip("\n").partition("\n")
    pairs: list[Pair] = []
    for part in rest[:-2].split(_END):
        predicate, _, values = part[4:].partition(" ")
        pairs += [(predicate, value) for value in values.split(_NEXT)]
    return expand(subject), pairs


def objects(text: str, predicate: str) -> list[Token]:
    """Return the objects of one predicate in a block that `block` wrote; fewer steps than `read_block` takes."""
    _, found, rest = text.rstrip("\n")[:-2].partition(f"\n    {predicate} ")
    return rest.partition(END_OF_OBJECTS)[0].split(_NEXT) if found else []


def quads(text: str, graph: str) -> str:
    """Return Turtle that `block` wrote as N-Quads, each triple a line, in the graph (a bare IRI)."""
    return "".join(_lines(text, f" <{graph}> .\n"))


def ntriples(text: str) -> list[str]:
    """Return Turtle that `block` wrote as lines of N-Triples."""
    return _lines(text, " .\n")


def differences(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return what one subject's Turtle, or none, says more and less than it did, as lines of N-Triples in any order."""
    subject, was = read_block(old) if old else ("", [])
    subject, now = read_block(new) if new else (subject, [])
    before, after = set(was), set(now)
    added, removed = (
        [f"<{subject}> {full(predicate)} {full(value)} .\n" for predicate, value in pairs]
        for pairs in (after - before, before - after)
    )
    return added, removed


def _lines(text: str, end: str) -> list[str]:
    lines: list[str] = []
    subject = predicate = ""
    for line in text.split("\n"):
        if not line.startswith("    "):
            subject = f"{full(line)} " if line else ""
        else:
            body = line[:-2]
            if not body.startswith(_OBJECT):
                verb, _, value = body[4:].partition(" ")
                predicate = f"{full(verb)} "
            else:
                value = body[len(_OBJECT) :]
            lines.append(f"{subject}{predicate}{full(value)}{end}")
    return lines


def full(token: str) -> str:
    """Return a Turtle token as N-Triples spells it."""
    first = token[0]
    if first == "<":
        return token
    if first == '"':
        if token[-1] == '"' or token.rfind('"@') > token.rfind("^^"):
            return token
        value, _, datatype = token.rpartition("^^")
        return f"{value}^^{_full_name(datatype)}"
    return _full_name(token)


@lru_cache(maxsize=200_000)
def _full_name(token: str) -> str:
    """Return a prefixed name, an IRI, or a bare number or truth value as N-Triples spells it."""
    if token[0] == "<":
        return token
    if token[0] in "+-0123456789.":
        kind = "decimal" if "." in token else "integer"
        return f'"{token}"^^<{PREFIXES["xsd"]}{kind}>'
    if token in ("true", "false"):
        return f'"{token}"^^<{PREFIXES["xsd"]}boolean>'
    return f"<{expand(token)}>"
