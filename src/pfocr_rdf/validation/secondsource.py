"""Where the files of a source lie, found a second time; its organisms' pages; what the build says it refused.

See `second`: nothing here is shared with the conversion.
"""

from __future__ import annotations

import os
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pfocr_rdf import resources
from pfocr_rdf.errors import UsageError
from pfocr_rdf.validation.second import NO_ORGANISM, Unsound, values_of

ON_TRUST = frozenset(
    {
        *("symlink", "unsafe-path", "unreadable-file", "too-large", "table-too-large"),
        *("too-complex", "yaml-alias", "unreadable-yaml"),
    }
)
"""Codes of what the build refused and a second reading cannot judge."""


class Refused(NamedTuple):
    """What `rejected.jsonl` says of whole inputs: by kind and file, line (0 for none) to code."""

    codes: Mapping[tuple[str, str], Mapping[int, str]] = {}

    def lines(self, kind: str, file: str) -> Mapping[int, str]:
        """Return what was refused in a file: line to code."""
        return self.codes.get((kind, file), {})


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of a source lie: its root, folders of records and of tables (empty for the root itself)."""

    root: str
    records: str
    tables: str
    checkout: bool
    has_tables: bool
    organisms: Mapping[str, str]
    refused: Refused

    def path(self, folder: str, name: str) -> str:
        """Return a path inside the source."""
        return f"{folder}/{name}" if folder else name

    def read(self, path: str) -> bytes:
        """Return the bytes of a file, none when it is not there."""
        try:
            with open(f"{self.root}/{path}", "rb") as stream:  # noqa: PTH123 - a path for each of 300,000 files costs
                return stream.read()
        except OSError:
            return b""


@contextmanager
def opened(source: str) -> Iterator[Path]:
    """Yield the folder of a source, or a single record; an archive is unpacked for the time of the `with` block.

    Raises `UsageError` when there is none.
    """
    path = Path(source)
    if path.is_dir() or path.suffix in (".md", ".txt"):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="pfocr-rdf-second-") as folder:
        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(folder)  # noqa: S202 - zipfile strips what leads outside
            else:
                with tarfile.open(path) as packed:
                    packed.extractall(folder, filter="data")
        except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise UsageError(f"{source}: neither folder, record nor archive ({error})") from error
        inner = [entry for entry in Path(folder).iterdir() if not entry.name.startswith(".")]
        alone = len(inner) == 1 and inner[0].is_dir() and not inner[0].name.startswith("_")
        yield inner[0] if alone else Path(folder)


def layout(root: Path, refused: Refused) -> Layout:
    """Return where the files of a folder lie, and the ids of the organisms that its pages name."""
    checkout = (root / "_figures").is_dir()
    tables = "_data" if checkout or (root / "_data").is_dir() else ""
    has_tables = (root / "_data").is_dir() or (not checkout and any(root.glob("*.tsv")))
    organisms = dict(line.split("\t")[:2] for line in resources.read_text("organisms.tsv").splitlines()[1:])
    for name in reversed(files(root / "_organisms", ".md")):
        found = page(root / "_organisms" / name)
        if found and found[1]:
            organisms[found[0]] = found[1]
    return Layout(str(root), "_figures" if checkout else "", tables, checkout, has_tables, organisms, refused)


def files(folder: Path, *suffixes: str) -> list[str]:
    """Return the plain files of a folder, in order; hidden ones and links are none."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.endswith(suffixes) and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
        )


def page(path: Path) -> tuple[str, str] | None:
    """Return Latin name and taxonomy id of an organism's page, or None when it is not sound."""
    try:
        values = values_of(path.read_bytes())
    except (OSError, Unsound):
        return None
    found = (values.get(key, "") for key in ("latin", "ncbi"))
    latin, ncbi = (text if isinstance(text, str) and text.strip() not in NO_ORGANISM else "" for text in found)
    return (latin, ncbi) if latin and (not ncbi or re.fullmatch(r"[1-9][0-9]{0,9}", ncbi)) else None
