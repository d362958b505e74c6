"""`CHANGELOG.md`: what came, went and changed since the release before; older entries follow as they were written.

Lists of figures are cut after some; `changes/` has all of them, and `pfocr-rdf diff` each triple.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab
from pfocr_rdf.buildfolder import COUNTS
from pfocr_rdf.diff import Change, Difference, FigureChange
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import EVIDENCE, Layer
from pfocr_rdf.release.withdrawn import Tombstone
from pfocr_rdf.terms import expand

NAME = "CHANGELOG.md"
FOLDER = "changes"
SHOWN = 50
"""So many figures of a kind are listed."""

TITLE = "# Changes of the PFOCR graph\n"
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#!|~&])")
_KINDS = {
    vocab.FIGURE: "figures",
    vocab.ACADEMIC_ARTICLE: "papers",
    vocab.GENE: "genes",
    vocab.CHEMICAL: "chemicals",
    vocab.MEDICAL_CONDITION: "diseases",
    vocab.TAXON: "taxa",
    vocab.ANNOTATION: "mentions",
}
_TYPED = {Layer.CORE, Layer.ENTITIES, *EVIDENCE.values()}
_TYPE = f" <{expand(vocab.A)}> <"
_LABEL = f" <{expand(vocab.LABEL)}> "
_CLASSES = {expand(token): kind for token, kind in _KINDS.items()}


@dataclass(slots=True)
class Seen:
    """What a changelog needs of a difference beside its numbers; gathered while the changes pass by.

    `came` and `went` count things of each kind, `retitled` has the old titles of figures, `gone` their tombstones.
    """

    previous: str
    came: dict[str, int] = field(default_factory=dict)
    went: dict[str, int] = field(default_factory=dict)
    retitled: dict[str, str] = field(default_factory=dict)
    gone: dict[str, Tombstone] = field(default_factory=dict)

    def watch(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield the changes as they are."""
        for change in changes:
            if change.was != change.now and change.layer in _TYPED:
                self._count(self.came if change.now else self.went, change.added if change.now else change.removed)
            if change.layer is Layer.CORE and change.subject.startswith(ids.FIGURES):
                self._figure(change)
            yield change

    def _figure(self, change: Change) -> None:
        figid = ids.figid_of(change.subject)
        if not change.now:
            self.gone[figid] = Tombstone.of(change, self.previous)
        elif change.was and (old := [line for line in change.removed if _LABEL in line]):
            self.retitled[figid] = str(json.loads(old[0].partition(_LABEL)[2].rpartition(" .")[0]))

    @staticmethod
    def _count(counts: dict[str, int], lines: Iterable[str]) -> None:
        for line in lines:
            _, found, value = line.partition(_TYPE)
            if found and (kind := _CLASSES.get(value.partition(">")[0])):
                counts[kind] = counts.get(kind, 0) + 1


def first(version: str, manifest: Mapping[str, Any]) -> str:
    """Return the changelog of a first release."""
    counts = ", ".join(f"{manifest['counts'][name]:,} {name}" for name in COUNTS)
    triples = sum(layer["triples"] for layer in manifest["layers"].values())
    return f"{TITLE}\n## {version}\n\nThe first release: {counts}; {triples:,} triples.\n"


def later(
    version: str, before: Mapping[str, Any], manifest: Mapping[str, Any], found: Difference, seen: Seen, older: str
) -> str:
    """Return the changelog of a release: its entry, from both manifests and the difference, and the older ones."""
    figures = sorted(found.figures.values(), key=lambda figure: figure.figid)
    came, went, changed = ([f for f in figures if f.how == how] for how in ("added", "removed", "changed"))
    retitled = [figure for figure in changed if figure.figid in seen.retitled]
    otherwise = [figure for figure in changed if figure.figid not in seen.retitled]
    numbers = ", ".join(
        (
            f"{len(came):,} {'figure' if len(came) == 1 else 'figures'} came",
            f"{len(went):,} went",
            f"{len(retitled):,} changed with another title",
            f"{len(otherwise):,} otherwise",
        )
    )
    parts = [
        f"## {version}\n",
        f"Since {seen.previous}: {numbers}.\n",
        _table(
            ("kind", "before", "now", "came", "went"),
            (
                (name, before["counts"][name], manifest["counts"][name], seen.came.get(name, 0), seen.went.get(name, 0))
                for name in COUNTS
            ),
        ),
        _table(("layer", "before", "now", "triples added", "removed"), _layers(before, manifest, found)),
        _listed("Figures that came", map(_linked, came)),
        _listed("Figures that went", map(_linked, went)),
        _listed(
            "Figures with another title",
            (f"`{f.figid}`: {_plain(seen.retitled[f.figid])} → {_plain(f.title)}" for f in retitled),
        ),
        _listed("Figures that changed otherwise", map(_linked, otherwise)),
        _listed("Source, settings and program", _settings(before, manifest)),
        f"All figures: `{FOLDER}/figures.txt`.\n" if figures else "",
    ]
    return "\n".join([TITLE, *filter(None, parts), older.removeprefix(TITLE).lstrip("\n")]).rstrip("\n") + "\n"


def read(release: Path) -> str:
    """Return the changelog of a release.

    Raises `UsageError` when it cannot be read.
    """
    try:
        return (release / NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{release / NAME}: cannot be read ({error}); the release is damaged") from error


def _layers(
    before: Mapping[str, Any], now: Mapping[str, Any], found: Difference
) -> Iterator[tuple[str, int, int, int, int]]:
    for layer in Layer:
        if layer in before["layers"] or layer in now["layers"]:
            was, has = (m["layers"].get(str(layer), {}).get("triples", 0) for m in (before, now))
            added, removed = found.layers.get(str(layer), (0, 0))
            yield str(layer), was, has, added, removed


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, int, int, int, int]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {row[0]} | {' | '.join(f'{number:,}' for number in row[1:])} |" for row in rows]
    return "\n".join(lines) + "\n"


def _listed(heading: str, lines: Iterable[str]) -> str:
    found = list(lines)
    if not found:
        return ""
    more = [f"- and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
    return "\n".join([f"### {heading}\n", *(f"- {line}" for line in found[:SHOWN]), *more]) + "\n"


def _linked(figure: FigureChange) -> str:
    return f"[{_plain(figure.title or figure.figid)}]({ids.figure(figure.figid)}), `{figure.figid}`"


def _plain(text: str) -> str:
    """Return a text as Markdown that shows it as it is, in one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a build's source, inputs, settings and program is not what it was."""
    names = ("tool", "ontology", "source", "inputs", "settings")
    was, has = (_flat({name: manifest.get(name) for name in names}) for manifest in (before, now))
    for name in sorted(was.keys() | has.keys()):
        if was.get(name) != has.get(name):
            old, new = (_plain(str(found[name])) if found.get(name) is not None else "none" for found in (was, has))
            yield f"`{name}`: {old} → {new}"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{name}.{key}" if name else str(key))
    return found
