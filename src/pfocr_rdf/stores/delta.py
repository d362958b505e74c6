"""From two releases to what changes in each named graph of a store; and finding the release that a store holds.

Layers are compared block by block (`diff`), so equal parts are not read; the description and the list of figures that
went are small, and compared as sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pfocr_rdf import buildfolder, codecs, diff
from pfocr_rdf import identifiers as ids
from pfocr_rdf.diff import FigureChange
from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import content
from pfocr_rdf.stores.content import Content
from pfocr_rdf.stores.contract import Delta

_UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, *codecs.DAMAGED)


@dataclass(frozen=True, slots=True)
class Differences:
    """What changes in each graph (only those in which anything does), and the figures that it concerns, by figid."""

    deltas: tuple[Delta, ...]
    figures: Mapping[str, FigureChange]


def between(old: Content, new: Content, out: Path) -> Differences:
    """Write what changes from one content to another into the empty folder `out`, and return where it is.

    Graphs that only one of them has are removed or added whole. Raises `UsageError` when a release is damaged.
    """
    graphs = {graph.iri for each in (old, new) for graph in each.graphs}
    layers = [layer for iri, layer in content.LAYERS.items() if iri in graphs]
    folder = out / "layers"
    changes = diff.builds(old.place, new.place, layers)
    found = diff.write(changes, folder, old.manifest, new.manifest, [diff.Form.NTRIPLES])
    deltas = []
    for layer in layers:
        added, removed = found.layers.get(str(layer), (0, 0))
        if added or removed:
            files = [_file(folder / f"{kind}-{layer}.nt") for kind in ("removed", "added")]
            deltas.append(Delta(ids.graph(layer), files[0], files[1], removed, added))
    small = sorted(graphs - content.LAYERS.keys())
    return Differences((*deltas, *_small(old, new, small, out)), found.figures)


def _file(path: Path) -> Path:
    """Return a file, made empty if nothing was written there."""
    path.touch()
    return path


def _small(old: Content, new: Content, graphs: list[str], out: Path) -> Iterator[Delta]:
    """Yield what changes in graphs that are small."""
    for number, iri in enumerate(graphs):
        before, after = _lines(old, iri), _lines(new, iri)
        removed, added = sorted(before - after), sorted(after - before)
        if removed or added:
            files = [out / f"{kind}-{number}.nt" for kind in ("removed", "added")]
            for path, lines in zip(files, (removed, added), strict=True):
                path.write_text("".join(lines), encoding="utf-8", newline="\n")
            yield Delta(iri, files[0], files[1], len(removed), len(added))


def _lines(holder: Content, iri: str) -> set[str]:
    """Return the triples of a small graph as lines of N-Triples; none where it is not."""
    import pyoxigraph as ox

    path = next((graph.path for graph in holder.graphs if graph.iri == iri), None)
    if path is None:
        return set()
    try:
        with codecs.of_file(path).open(path) as stream:
            return {f"{quad.triple} .\n" for quad in ox.parse(input=stream, format=ox.RdfFormat.TURTLE)}
    except _UNREADABLE as error:
        raise UsageError(f"{path}: cannot be read ({error}); the release is damaged") from error


def find_base(manifest: str, version: str, beside: Path, given: Path | None = None) -> Content | None:
    """Return the release or build whose manifest has a hash: `given`, one in it, or one beside a release.

    Where there are several, the one of the version. None when there is none; raises `UsageError` when `given` is not
    there.
    """
    if given is not None and not given.is_dir():
        raise UsageError(f"{given}: no such folder; give the release that the store holds with --base")
    near = [given, *_folders(given), *_folders(given / "releases")] if given else []
    found: dict[Path, Content] = {}
    for place in (*near, *_folders(beside.parent)):
        path = place / buildfolder.MANIFEST
        if path.is_file() and buildfolder.describe_file(path)["sha256"] == manifest:
            each = content.read(place)
            found.setdefault(each.place, each)
    return min(found.values(), key=lambda each: each.version != version, default=None)


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []
