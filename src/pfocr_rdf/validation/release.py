"""A release that is checked: its folder, manifest, layers, and its store, loaded when it is first asked for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfocr_rdf import buildfolder
from pfocr_rdf.errors import UsageError
from pfocr_rdf.model import Layer
from pfocr_rdf.validation.findings import Finding, NotRun
from pfocr_rdf.validation.options import Options

if TYPE_CHECKING:
    import pyoxigraph as ox

IN_MEMORY_BYTES = 400_000_000
"""Layers of up to so many bytes together are loaded into memory, some 20,000 figures; more of them to a disk."""

_STREAMED = (Layer.EVIDENCE_GENES, Layer.COMPAT)
"""Layers that need no store for nearly all of their checks."""


class Damaged(UsageError):
    """The layers cannot be loaded into a store, so nothing can be asked of it."""


@dataclass(slots=True)
class Release:
    """A build folder, read only.

    `layers` has the files of layers that are there, in the manifest's order, `missing` those that are not.
    """

    folder: Path
    manifest: dict[str, Any]
    layers: dict[str, Path]
    missing: dict[str, Path] = field(default_factory=dict)
    _store: ox.Store | None = field(default=None, repr=False)
    _loaded: set[str] = field(default_factory=set, repr=False)
    _disk: str | None = field(default=None, repr=False)

    @classmethod
    def open(cls, folder: Path) -> Release:
        """Return the release in a folder.

        Raises `UsageError` when the folder is no build, or its manifest cannot be read.
        """
        build = buildfolder.find_build(folder)
        manifest = buildfolder.read_manifest(build)
        places = {layer: build / Path(str(entry["file"])).name for layer, entry in manifest["layers"].items()}
        layers = {layer: path for layer, path in places.items() if path.is_file()}
        return cls(build, manifest, layers, {layer: path for layer, path in places.items() if layer not in layers})

    def store(self, *, whole: bool = False) -> ox.Store:
        """Return the store with each layer in its named graph; the first call loads it.

        Gene mentions, half of all triples, and what only schema.org blocks say are loaded only where the `whole` is
        asked for: nearly all checks of them are done while streaming. Ask it with `query.ask`, which adds prefixes
        and takes the union of the graphs as default graph. Raises `Damaged` when a layer is missing or cannot be
        loaded.
        """
        import pyoxigraph as ox

        from pfocr_rdf import query

        if self.missing:
            raise Damaged(f"{', '.join(path.name for path in self.missing.values())}: not there")
        if self._store is None:
            if sum(path.stat().st_size for path in self.layers.values()) <= IN_MEMORY_BYTES:
                self._store = ox.Store()
            else:
                self._disk = tempfile.mkdtemp(prefix="pfocr-rdf-validate-")
                self._store = ox.Store(self._disk)
        wanted = {
            layer: path
            for layer, path in self.layers.items()
            if layer not in self._loaded and (whole or layer not in _STREAMED)
        }
        try:
            query.load(self._store, query.by_graph(wanted))
        except UsageError as error:
            raise Damaged(str(error)) from error
        self._loaded |= wanted.keys()
        return self._store

    def close(self) -> None:
        """Forget the store."""
        self._store = None
        self._loaded.clear()
        if self._disk is not None:
            shutil.rmtree(self._disk, ignore_errors=True)
            self._disk = None


Function = Callable[[Release, Options], Iterable[Finding] | NotRun]
"""What a check without body is: a function of a release and what is given from outside."""
