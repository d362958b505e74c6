"""A small build that says each thing of the model at least once, and copies of it with one fault each.

A copy keeps index and manifest in step with its layers, so that a fault is found for what it is, not by a checksum.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pfocr_rdf import blocks, buildfolder, pipeline, serialize
from pfocr_rdf.blocks import Cuts, Writer
from pfocr_rdf.codecs import PLAIN
from pfocr_rdf.model import Layer
from pfocr_rdf.settings import IMAGE_PATTERN
from pfocr_rdf.terms import Pair, iri
from pfocr_rdf.validation import placing
from tests.support import ROOT, SEEDS

WHOLE = ROOT / "tests" / "whole"
"""A source whose build has each predicate of each class of the model, but for genes known by symbol only."""

Said = dict[str, dict[str, list[Pair]]]
"""What a build says: layer, subject, predicate-object pairs (tokens)."""


def build_whole(out: Path) -> Path:
    """Build the source in which everything occurs."""
    pipeline.build(str(WHOLE), out, pipeline.Options(pmc_ids=WHOLE / "pmc-ids.csv"), workers=1, use_cache=False)
    return out


def build_symbols(out: Path) -> Path:
    """Build a lone record, whose genes are known by symbol only."""
    pipeline.build(str(SEEDS), out, pipeline.Options(), workers=1, use_cache=False)
    return out


def said_in(build: Path) -> Said:
    """Return all that a build says."""
    return {
        layer: dict(
            serialize.read_block(text)
            for found in [blocks.read_index(build / blocks.INDEX)[layer]]
            for text in blocks.stanzas(_body(path, found))
        )
        for layer, path in buildfolder.layer_files(build).items()
    }


def _body(path: Path, found: list[blocks.Block]) -> str:
    return path.read_bytes()[found[0].size :].decode()


def copy(build: Path, out: Path, changed: Iterable[str], said: Said) -> Path:
    """Copy a build to a new place and write the changed layers anew, with index and manifest in step."""
    shutil.copytree(build, out, ignore=shutil.ignore_patterns(".cache"), copy_function=shutil.copyfile)
    index = blocks.read_index(out / blocks.INDEX)
    manifest = json.loads((out / buildfolder.MANIFEST).read_text(encoding="utf-8"))
    for layer in changed:
        name = manifest["layers"][layer]["file"]
        with (out / name).open("wb") as stream:
            writer = Writer(stream, Cuts(Layer(layer), IMAGE_PATTERN), PLAIN)
            writer.header(serialize.HEADER)
            for subject in sorted(said[layer]):
                if said[layer][subject]:
                    writer.add(subject, stanza(subject, said[layer][subject]))
            writer.flush()
        index[layer] = writer.blocks
        entry = {"bytes": writer.size, "sha256": writer.hash.hexdigest()}
        manifest["layers"][layer] |= {"triples": writer.triples, **entry}
        manifest["files"][name] = entry
    blocks.write_index(out / blocks.INDEX, [(Layer(layer), found) for layer, found in index.items()])
    manifest["files"][blocks.INDEX] = buildfolder.describe_file(out / blocks.INDEX)
    buildfolder.write_json(out / buildfolder.MANIFEST, manifest)
    return out


def stanza(subject: str, pairs: list[Pair]) -> str:
    """Return the Turtle of one subject; unlike `serialize.block`, with a pair that stands twice, and any subject."""
    values: dict[str, list[str]] = {}
    for predicate, value in sorted(pairs, key=lambda pair: (pair[0] != "a", pair)):
        values.setdefault(predicate, []).append(value)
    lines = [f"    {predicate} " + " ,\n        ".join(found) for predicate, found in values.items()]
    try:
        name = iri(subject)
    except ValueError:
        name = f"<{subject}>"
    return name + "\n" + " ;\n".join(lines) + " .\n\n"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the model's tables, with the first subject of the build that has it."""

    layer: str
    place: str
    predicate: str
    subject: str
    value: str

    @property
    def name(self) -> str:
        """A short name: layer, end of what the subject's IRI begins with, predicate."""
        return f"{self.layer} {self.place} {self.predicate}"


PLACES = {
    **{str(layer): [start for start, _ in found] for layer, found in placing.PLACES.items()},
    "compat": ["https://pfocr.wikipathways.org/figures/", "https://w3id.org/pfocr/mention/"],
}


def place_of(layer: str, subject: str, pairs: list[Pair]) -> str:
    """Return what kind of subject this is within its layer: in `ontology` its class, else the beginning of its IRI."""
    if layer == "ontology":
        return min(value for predicate, value in pairs if predicate == "a")
    return next(start for start in PLACES[layer] if subject.startswith(start))


def rows(said: Said) -> list[Row]:
    """Return all rows of the model's tables that a build has."""
    found: dict[tuple[str, str, str], Row] = {}
    for layer, subjects in said.items():
        for subject, pairs in subjects.items():
            place = place_of(layer, subject, pairs)
            for predicate, value in pairs:
                found.setdefault((layer, place, predicate), Row(layer, place, predicate, subject, value))
    return list(found.values())


Mutation = Callable[[Row], list[Pair]]


def _swapped(value: str) -> str:
    """Return an IRI as a literal and a literal as an IRI."""
    return (
        f'"{value.strip("<>")}"' if not value.startswith('"') and not value[0].isdigit() else "<http://example.org/x>"
    )


def _retyped(value: str) -> str:
    """Return a literal of another datatype; an IRI of another authority."""
    if value.startswith('"'):
        return (
            value.partition('"^^')[0] + '"@en'
            if "^^" in value
            else f"{value}^^xsd:token"
            if "@" not in value[-4:]
            else value.rpartition("@")[0]
        )
    if value[0].isdigit():
        return f'"{value}"'
    return "<http://www.wikidata.org/entity/Q1>"


def _other(value: str) -> str:
    """Return a second value like the first."""
    if value.startswith('"'):
        text, end, rest = value.rpartition('"')
        return f"{text}0{end}{rest}"
    if value[0].isdigit():
        return f"{value}1" if "." in value else str(int(value) + 1)
    full = serialize.full(value)
    return full[:-1] + "1>"


def _scheme(value: str) -> str:
    """Return an IRI with the other of http and https."""
    full = serialize.full(value)
    return full.replace("<http:", "<https:") if full.startswith("<http:") else full.replace("<https:", "<http:")


def _is_iri(value: str) -> bool:
    return not value.startswith('"') and not value[0].isdigit() and value not in ("true", "false")


MUTATIONS: dict[str, Callable[[list[Pair], Pair], list[Pair]]] = {
    "dropped": lambda pairs, pair: [other for other in pairs if other != pair],
    "repeated": lambda pairs, pair: [*pairs, pair],
    "second": lambda pairs, pair: [*pairs, (pair[0], _other(pair[1]))],
    "swapped": lambda pairs, pair: [*(other for other in pairs if other != pair), (pair[0], _swapped(pair[1]))],
    "retyped": lambda pairs, pair: [*(other for other in pairs if other != pair), (pair[0], _retyped(pair[1]))],
    "scheme": lambda pairs, pair: [*(other for other in pairs if other != pair), (pair[0], _scheme(pair[1]))],
}
"""What may become of one triple of a subject."""


def applies(kind: str, row: Row) -> bool:
    """Whether a mutation makes sense for a row."""
    return kind != "scheme" or _is_iri(row.value)


def mutate(said: Said, row: Row, kind: str) -> Said:
    """Return what a build says with one triple mutated."""
    pairs = MUTATIONS[kind](said[row.layer][row.subject], (row.predicate, row.value))
    return {**said, row.layer: {**said[row.layer], row.subject: pairs}}


def manifest_of(build: Path) -> Any:
    """Return the manifest of a build."""
    return json.loads((build / buildfolder.MANIFEST).read_text(encoding="utf-8"))
