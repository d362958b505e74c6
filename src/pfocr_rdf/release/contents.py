"""What a build gives to a release: its files, held against its manifest, and all of it as N-Quads.

The files are copied, not linked: a link would be the same file, so that whoever edits one of the two changes both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pfocr_rdf import blocks, buildfolder, codecs, subjects
from pfocr_rdf.blocks import Block, Source
from pfocr_rdf.errors import UsageError
from pfocr_rdf.manifest import QUADS
from pfocr_rdf.model import Layer
from pfocr_rdf.workers import Engine

_PIECE = 1 << 20
_WINDOW = 8
"""Tasks for each process whose results are kept at the same time."""

Task = TypeVar("Task")


@dataclass(frozen=True, slots=True)
class Build:
    """A build that is published: its folder, its manifest as bytes and as values."""

    folder: Path
    data: bytes
    manifest: dict[str, Any]

    @property
    def sha256(self) -> str:
        """The hash of the manifest, by which builds are told apart."""
        return hashlib.sha256(self.data).hexdigest()


def read(folder: Path) -> Build:
    """Return the build in a folder.

    Raises `UsageError` when it is none.
    """
    build = buildfolder.find_build(folder)
    _ = buildfolder.layer_files(build)
    data = (build / buildfolder.MANIFEST).read_bytes()
    try:
        manifest = buildfolder.whole_manifest(json.loads(data), build)
    except ValueError as error:
        raise UsageError(f"{build / buildfolder.MANIFEST}: cannot be read ({error}); build again") from error
    listed = {entry["file"] for entry in manifest["layers"].values()} - manifest["files"].keys()
    if listed or not all(Path(name).name == name for name in manifest["files"]):
        raise UsageError(f"{build / buildfolder.MANIFEST}: lists files that are none of its own; build again")
    return Build(build, data, manifest)


def copy(build: Build, target: Path) -> dict[str, str]:
    """Copy the files of a build; return the SHA-256 of each.

    Raises `UsageError` when a file is not what the manifest says.
    """
    files: Mapping[str, Mapping[str, Any]] = build.manifest["files"]
    hashes = {name: _copy(build.folder / name, target / name, str(entry["sha256"])) for name, entry in files.items()}
    (target / buildfolder.MANIFEST).write_bytes(build.data)
    return hashes | {buildfolder.MANIFEST: build.sha256}


def _copy(source: Path, target: Path, expected: str) -> str:
    digest = hashlib.sha256()
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UsageError(f"{source}: cannot be read ({error.strerror}); build again") from error
    with stream, target.open("xb") as out:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            out.write(piece)
    if digest.hexdigest() != expected:
        raise UsageError(f"{source}: is not what {buildfolder.MANIFEST} says of it; build again")
    return expected


@dataclass(frozen=True, slots=True)
class _Part:
    """Blocks of a layer that one task turns into N-Quads, and the number of the task."""

    number: int
    layer: Layer
    path: str
    blocks: tuple[Block, ...]


def write_quads(release: Path, engine: Engine) -> str:
    """Write all layers of a release as one file of N-Quads, as `build --nquads` does; return its SHA-256.

    Raises `UsageError` when a layer is damaged.
    """
    digest = hashlib.sha256()
    with (release / QUADS).open("xb") as out:
        for window in windows(_parts(release), engine):
            for _, data in sorted(engine.map(_quads, window)):
                digest.update(data)
                out.write(data)
    return digest.hexdigest()


def windows(tasks: Iterable[Task], engine: Engine) -> Iterator[list[Task]]:
    """Yield tasks in lists whose results may be kept at the same time, long enough to keep an engine busy."""
    rest = iter(tasks)
    while window := list(islice(rest, _WINDOW * engine.size)):
        yield window


def _parts(release: Path) -> Iterator[_Part]:
    parts = ((layer, group) for layer in subjects.indexed(release).values() for group in subjects.groups(layer.blocks))
    for number, (layer, group) in enumerate(parts):
        yield _Part(number, layer.layer, str(layer.path), tuple(group))


def _quads(part: _Part) -> tuple[int, bytes]:
    with closing(Source(part.path, codecs.of_file(Path(part.path)))) as source:
        return part.number, b"".join(blocks.as_quads(part.layer, source.text(block)) for block in part.blocks)
