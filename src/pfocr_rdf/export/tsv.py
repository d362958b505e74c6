"""Tables and lines that exports write: cells that cannot break a line, files that appear whole, sorting on disk."""

from __future__ import annotations

import heapq
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf.errors import UsageError

SEPARATOR = "|"
"""Stands between the items of a list in a cell."""

HELD = 32 << 20
"""Characters that a `Sorter` holds before it spills them."""

_MANY = 1 << 20
"""Characters that are written, and compressed, at a time."""

_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
"""What ends a cell or a line for one reader or another."""


def cell(text: str) -> str:
    """Return a text as a cell: tabs, line ends and other controls become one blank."""
    return _BREAKS.sub(" ", text) if _BREAKS.search(text) else text


def row(cells: Iterable[str]) -> str:
    """Return cells as a line."""
    return "\t".join(map(cell, cells)) + "\n"


def items(values: Iterable[str]) -> str:
    """Return values as one cell; a separator within one becomes a broken bar."""
    return SEPARATOR.join(value.replace(SEPARATOR, "\N{BROKEN BAR}") for value in values)


class Lines:
    """Writes lines to a file, compressed if the codec says so: the same bytes for the same lines."""

    def __init__(self, out: IO[bytes], codec: codecs.Codec) -> None:
        """Write to `out`."""
        self.written = 0
        self._out, self._codec = out, codec
        self._held: list[str] = []
        self._size = 0

    def write(self, line: str) -> None:
        """Write a line."""
        self._held.append(line)
        self._size += len(line)
        self.written += 1
        if self._size >= _MANY:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        self._out.write(self._codec.encode("".join(self._held).encode()))
        self._held, self._size = [], 0


@contextmanager
def writing(path: Path) -> Iterator[Lines]:
    """Yield what writes lines to a file; its name tells whether it is compressed."""
    with path.open("wb") as out:
        lines = Lines(out, codecs.of_file(path))
        yield lines
        lines.flush()


@contextmanager
def new_file(out: Path) -> Iterator[Lines]:
    """Yield what writes lines to a file that appears as `out` when the `with` block ends well, and not at all when not.

    Compressed when the name ends with `.gz` or `.zst`. Raises `UsageError` when `out` is there already or cannot be
    made, `PfocrError` when the disk takes no more.
    """
    try:
        if out.exists():
            raise UsageError(f"{out}: is there already; give a new file")
        unfinished = out.with_name(f".new-{out.name}")  # the same ending, which tells how it is compressed
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
    except OSError as error:
        raise buildfolder.unwritable(out, error) from error
    try:
        with buildfolder.refused(out, "--out"):
            with writing(unfinished) as lines:
                yield lines
            unfinished.replace(out)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


class Sorter:
    """Sorts any number of lines: holds some, spills sorted runs into a folder, merges them; repeats are kept.

    A context manager; `folder` is where the runs go meanwhile.
    """

    def __init__(self, folder: Path, held: int = HELD) -> None:
        """Begin without lines."""
        self._folder = Path(tempfile.mkdtemp(prefix=".sort-", dir=folder))
        self._most = held
        self._lines: list[str] = []
        self._size = 0
        self._runs: list[Path] = []

    def __enter__(self) -> Sorter:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, line: str) -> None:
        """Add a line, which has no line end within."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= self._most:
            self._spill()

    def _spill(self) -> None:
        path = self._folder / str(len(self._runs))
        self._lines.sort()
        with path.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{line}\n" for line in self._lines)
        self._runs.append(path)
        self._lines, self._size = [], 0

    def __iter__(self) -> Iterator[str]:
        """Yield all lines in code-point order."""
        self._lines.sort()
        with ExitStack() as stack:
            runs = [stack.enter_context(path.open(encoding="utf-8", newline="\n")) for path in self._runs]
            read = [(line[:-1] for line in run) for run in runs]
            yield from heapq.merge(self._lines, *read)
