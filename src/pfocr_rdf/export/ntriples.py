"""A build as N-Triples, one file for each layer: what bulk loaders like and any line of which stands alone."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf.errors import UsageError

_UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, *codecs.DAMAGED)


def export(release: Path, out: Path) -> dict[str, int]:
    """Write `pfocr-{layer}.nt` into the new folder `out`; return the number of triples of each layer.

    Raises `UsageError` when `release` is no build or holds a damaged file, or `out` holds anything.
    """
    files = buildfolder.layer_files(buildfolder.find_build(release))
    with buildfolder.new_folder(out) as folder:
        return {layer: _export(path, folder / f"pfocr-{layer}.nt") for layer, path in files.items()}


def _export(path: Path, target: Path) -> int:
    count = 0
    try:
        with codecs.of_file(path).open(path) as turtle, target.open("w", encoding="utf-8", newline="\n") as stream:
            for triple in ox.parse(input=turtle, format=ox.RdfFormat.TURTLE):
                stream.write(f"{triple} .\n")
                count += 1
    except _UNREADABLE as error:
        raise UsageError(f"{path}: cannot be read ({error}); build again") from error
    return count
