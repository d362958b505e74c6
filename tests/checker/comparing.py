"""Comparison of a build folder with what its source says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, RdfFormat, Triple, parse

from .expecting import Layers, layers_of
from .source import KINDS, Reader, Refused
from .vocabulary import LAYERS

OUTCOMES = ("read", "emitted", "merged", "rejected")


def account(source: Path) -> dict[str, dict[str, int]]:
    """For each kind of input how many were read, emitted, merged, rejected, and emitted without an id."""
    return {
        kind: {outcome: counted[outcome] for outcome in (*OUTCOMES, "unresolved")}
        for kind, counted in Reader(source).read().accounts.items()
    }


def compare(source: Path, build: Path) -> list[str]:
    """Every difference between a source and a build made from it, one line each; none means proven."""
    corpus = Reader(source, refused(build)).read()
    wanted, (stated, faults) = layers_of(corpus), load(build)
    found = corpus.faults + faults
    for layer in LAYERS:
        found += [f"{layer}: missing: {t}" for t in show(wanted[layer] - stated.get(layer, set()))]
        found += [f"{layer}: not in the source: {t}" for t in show(stated.get(layer, set()) - wanted[layer])]
    found += repeated(stated)
    found += accounts(build, corpus.accounts)
    found += listings(build, corpus.accounts)
    return found


def show(triples: set[Triple]) -> list[str]:
    """Triples as sorted lines."""
    return sorted(f"{t.subject} {t.predicate} {t.object}" for t in triples)


def load(build: Path) -> tuple[Layers, list[str]]:
    """All Turtle files of a build by layer, and those that are no Turtle."""
    layers: Layers = {}
    faults = []
    for path in sorted(build.glob("pfocr-*.ttl")):
        layer = path.name.removeprefix("pfocr-").removesuffix(".ttl")
        try:
            layers[layer] = {quad.triple for quad in parse(path=path, format=RdfFormat.TURTLE)}
        except SyntaxError as error:
            faults.append(f"{layer}: cannot be parsed: {error}")
    return layers, faults


def refused(build: Path) -> Refused:
    """The inputs that a build lists as refused."""
    return frozenset((x["kind"], x["file"], x["line"]) for x in rejected(build) if x["kind"] in KINDS)


def rejected(build: Path) -> list[dict[str, Any]]:
    """The lines of `rejected.jsonl`."""
    path = build / "rejected.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line] if path.is_file() else []


def repeated(stated: Layers) -> Iterator[str]:
    """Triples that stand in two layers (the model, a.5), and blank nodes (a.6)."""
    home: dict[Triple, str] = {}
    for layer, triples in sorted(stated.items()):
        for triple in sorted(triples, key=str):
            line = f"{triple.subject} {triple.predicate} {triple.object}"
            if triple in home:
                yield f"{layer}: stands in {home[triple]} too: {line}"
            home[triple] = layer
            if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
                yield f"{layer}: blank node: {line}"


def accounts(build: Path, counted: dict[str, Counter[str]]) -> Iterator[str]:
    """Differences between the manifest's accounts and our own (the model, d, Q35)."""
    path = build / "manifest.json"
    if not path.is_file():
        yield "accounts: there is no manifest.json"
        return
    given: dict[str, dict[str, int]] = json.loads(path.read_text("utf-8"))["accounts"]
    for kind in sorted({*KINDS, *given}):
        own, theirs = counted.get(kind, Counter()), given.get(kind, {})
        # What `unresolved` counts beside rows without an id is left open.
        outcomes = (*OUTCOMES, "unresolved") if kind.endswith("-rows") else OUTCOMES
        for outcome in outcomes:
            if own[outcome] != theirs.get(outcome, 0):
                yield f"accounts: {kind} {outcome}: the source gives {own[outcome]}, the build {theirs.get(outcome, 0)}"


def listings(build: Path, counted: dict[str, Counter[str]]) -> Iterator[str]:
    """Kinds of which more or fewer inputs are listed as rejected than there are (the model, d, Q35)."""
    listed: Counter[str] = Counter()
    for line in rejected(build):
        listed[line["kind"]] += line.get("count", 1)
    for kind in KINDS:
        if (own := counted[kind]["rejected"]) != listed[kind]:
            yield f"rejected.jsonl: {kind}: the source gives {own}, the build lists {listed[kind]}"
