"""Loading a build into each store by each path: seconds, and the most memory that program and server took.

A corpus is built, and the build loaded with `pfocr-rdf load` into a new database: folders, without a server, by the
bulk loaders, each server over its own protocol, and Fuseki once more as any endpoint, over the Graph Store Protocol.
Then it is loaded again, which must do nothing. The triples are those of all layers; what the store holds afterwards is
counted by the command itself, which fails if they are others.

    python benchmarks/bench_load.py --figures 10000
    python benchmarks/bench_load.py --full --stores oxigraph-folder oxigraph fuseki
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import common, measure, served
from pfocr_rdf.stores.contract import Kind

FOLDERS = {"oxigraph-folder": "", "fuseki-folder": "fuseki:", "blazegraph-folder": "blazegraph:"}
SPARQL = "sparql"
PATHS = (*FOLDERS, "oxigraph", "fuseki", "blazegraph", "virtuoso", SPARQL)
FULL = ("oxigraph-folder", "oxigraph", "fuseki-folder", "fuseki")
HEADER = ("figures", "triples", "store", "s", "triples/s", "again s", "program MiB", "server MiB", "disk MiB")
MEMORY = 4096
"""Megabytes that a server in Java may take, and the buffers of Virtuoso."""


@contextmanager
def target(path: str, folder: Path) -> Iterator[tuple[list[str], dict[str, str], served.Server | None]]:
    """Yield how a new store is named, what the environment must say for it, and its server, if it has one."""
    if path in FOLDERS:
        yield ["--to", f"{FOLDERS[path]}{folder / 'database'}"], {}, None
        return
    with served.served(Kind.FUSEKI if path == SPARQL else Kind(path), folder / "server", MEMORY) as server:
        named = ["--to", server.address]
        if path == SPARQL:
            services = {name: f"{server.address}/{name}" for name in ("query", "update", "data")}
            named = ["--store", SPARQL, "--to", services["query"]]
            named += ["--update", services["update"], "--graph-store", services["data"]]
        yield named, server.environment, server


def load(build: Path, path: str, folder: Path) -> dict[str, Any]:
    """Load a build into a new store, twice; return what it cost."""
    with target(path, folder) as (named, environment, server):
        command = common.program("load", build, *named, "--json")
        env = {**os.environ, **environment}
        with measure.watched(server.pid if server else os.getpid()) as peak:
            first = measure.run(command, env=env)
        again = measure.run(command, env=env)
        if json.loads(again.stdout)["new"]:
            raise RuntimeError(f"{path}: loading the same build again did something")
        if server:
            server.stop()
            size = server.bytes()
        else:
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "seconds": first.seconds,
        "again": again.seconds,
        "program": first.peak_bytes,
        "server": peak[0] if server else 0,
        "disk": size,
        "triples": json.loads(first.stdout)["triples"],
    }


def measured(source: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Build a corpus and load it by each path; return costs."""
    figures = common.size_of(source)
    results = []
    with tempfile.TemporaryDirectory(prefix="bench-load-", dir=common.work()) as place:
        build = Path(place) / "build"
        common.say(f"building {figures:,} figures")
        measure.run(common.program("build", source, "--out", build, "--workers", str(options.workers), "--no-cache"))
        for path in options.stores:
            for _ in range(options.rounds):
                folder = Path(place) / "store"
                folder.mkdir()
                found = load(build, path, folder)
                shutil.rmtree(folder)
                common.say(f"{figures:,} figures, {path}: {found['seconds']:.1f} s")
                results.append({"figures": figures, "path": path, **found})
    return results


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return the table."""
    rows = []
    for figures, path in dict.fromkeys((found["figures"], found["path"]) for found in results):
        same = [found for found in results if (found["figures"], found["path"]) == (figures, path)]
        best = min(same, key=lambda found: float(found["seconds"]))
        rows.append(
            [
                f"{figures:,}",
                f"{best['triples']:,}",
                path,
                f"{best['seconds']:.1f}",
                f"{best['triples'] / best['seconds']:,.0f}",
                f"{best['again']:.1f}",
                common.mebibytes(best["program"]),
                common.mebibytes(best["server"]) if best["server"] else "",
                common.mebibytes(best["disk"]),
            ]
        )
    about = f"`pfocr-rdf load` into a new database, the best of {options.rounds}; servers may take {MEMORY} MB."
    return common.Report(about, [common.Grid(HEADER, rows)], [], [], {"results": results})


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [common.JUDGED], [common.FULL], 1)
    given.parser.add_argument("--stores", nargs="+", choices=PATHS, metavar="STORE", help=f"of {', '.join(PATHS)}")
    options = given.parse()
    options.stores = options.stores or list(FULL if options.full else PATHS)
    results = [found for source in common.sources(options) for found in measured(source, options)]
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
