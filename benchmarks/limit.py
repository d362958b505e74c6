"""What no converter of this source can do without: read all files, parse the YAML, split the tables; nothing else.

    python benchmarks/limit.py SOURCE --workers 2 --loader CSafeLoader

Prints what it read as JSON. `bench_limit.py` measures it beside the build.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from functools import partial
from pathlib import Path

import yaml

FOLDERS = ("_figures", "_data", "_organisms")
LOADERS: dict[str, type[yaml.CSafeLoader] | type[yaml.CBaseLoader]] = {
    "CSafeLoader": yaml.CSafeLoader,
    "CBaseLoader": yaml.CBaseLoader,
}
_CHUNK = 500
"""Files that a process takes at a time."""


def listed(source: Path) -> list[str]:
    """Return the paths of all files."""
    paths: list[str] = []
    for folder in FOLDERS:
        with os.scandir(source / folder) as entries:
            paths += sorted(entry.path for entry in entries)
    return paths


def read(path: str) -> str:
    """Return a file's text."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size).decode()
    finally:
        os.close(descriptor)


def work(paths: list[str], loader: str) -> tuple[int, int]:
    """Read some files; return how many front matters and how many lines of tables there were."""
    matters = lines = 0
    cls = LOADERS[loader]
    for path in paths:
        text = read(path)
        if path.endswith(".tsv"):
            for line in text.split("\n"):
                line.split("\t")
                lines += 1
            lines -= text.endswith("\n") or not text  # what follows the last line end is no line
        else:
            yaml.load(text[4 : text.index("\n---", 4) + 1], Loader=cls)  # noqa: S506
            matters += 1
    return matters, lines


def main() -> None:
    """Read a source, in as many processes as asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--loader", choices=LOADERS, default="CSafeLoader")
    options = parser.parse_args()
    paths = listed(options.source)
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    task = partial(work, loader=options.loader)
    if options.workers == 1:
        found = list(map(task, chunks))
    else:
        with multiprocessing.get_context("fork").Pool(options.workers) as pool:
            found = list(pool.imap_unordered(task, chunks))
    totals = {"front_matters": sum(one for one, _ in found), "table_lines": sum(many for _, many in found)}
    print(json.dumps({"files": len(paths), **totals}))


if __name__ == "__main__":
    main()
