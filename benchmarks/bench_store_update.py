"""Bringing a served graph up to date while clients ask, beside loading all of it.

A corpus and its later state (1 % of the records changed, 0.1 % added, 0.1 % removed) are built. The first one is loaded
into a new server. Then eight clients ask without pause which release it is and how many triples two graphs have, and
the server is brought to the second build (`pfocr-rdf update`). An answer that failed, was empty, or mixed both builds
ends the program with exit code 1. Then the second build is loaded into another new server, which is the full reload,
while the clients go on asking the first one. A reload that takes much longer than the goal asks for is given up.

    python benchmarks/bench_store_update.py --figures 10000 --stores oxigraph fuseki
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import asking, common, measure, served
from pfocr_rdf.stores import content
from pfocr_rdf.stores.contract import Kind

STORES = ("oxigraph", "fuseki", "blazegraph", "virtuoso")
AT_LEAST = {"oxigraph": 20, "fuseki": 20, "blazegraph": 10, "virtuoso": 10}
"""So many times faster than a full load an update should be."""
ENOUGH = 1.25
"""A full load that takes so many times what the goal asks for is ended."""
PAUSE = 3.0
"""Seconds that clients ask before and after."""
HEADER = ("figures", "store", "full load s", "update s", "times faster", "of it: difference, change, check s")
ASKED = ("figures", "store", "answers of the old", "answers of the new", "failed", "empty", "mixed", "slowest s")
MEMORY = 4096


def update(old: Path, new: Path, store: str, folder: Path, clients: int) -> dict[str, Any]:
    """Load a build, bring the store to another one while clients ask, and load that one anew; return what it cost."""
    before, after = content.read(old), content.read(new)
    with served.served(Kind(store), folder / "one", MEMORY) as server:
        env = {**os.environ, **server.environment}
        measure.run(common.program("load", old, "--to", server.address), env=env)
        with asking.asking(server.query, asking.numbers(before, after), clients) as asked:
            asked.wait(PAUSE)
            options = ("--base", old, "--no-compact", "--json")
            cost = measure.run(common.program("update", new, "--to", server.address, *options), env=env)
            asked.wait(PAUSE)
            # the clients go on: who reloads, loads into another server while people ask the first one
            with served.served(Kind(store), folder / "two", MEMORY) as other:
                full, ended = reload(new, other, ENOUGH * AT_LEAST[store] * cost.seconds)
    said = json.loads(cost.stdout)
    if said["way"] != "difference" or said["repaired"]:
        asked.failed.append(f"the update went another way: {said['why']} {said['repaired']}")
    return {
        "full": full,
        "ended": ended,
        "update": cost.seconds,
        "steps": said["seconds"],
        "old": asked.right.get(before.manifest, 0),
        "new": asked.right.get(after.manifest, 0),
        "failed": asked.failed,
        "empty": asked.empty,
        "mixed": asked.mixed,
        "slowest": asked.slowest,
    }


def reload(build: Path, server: served.Server, limit: float) -> tuple[float, bool]:
    """Load a build into a new server, for at most some seconds; return how many it took, and whether it ended."""
    command, env = common.program("load", build, "--to", server.address), {**os.environ, **server.environment}
    try:
        return measure.run(command, env=env, timeout=limit).seconds, True
    except subprocess.TimeoutExpired:
        return limit, False


def measured(source: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Build both states of a corpus and bring each store from one to the other."""
    figures = common.size_of(source)
    results = []
    with tempfile.TemporaryDirectory(prefix="bench-store-", dir=common.work()) as name:
        place = Path(name)
        later = common.mutated(source, place / "later")
        for state, build in ((source, "old"), (later, "new")):
            common.say(f"building {figures:,} figures, {build}")
            words = ("build", state, "--out", place / build, "--workers", str(options.workers), "--no-cache")
            measure.run(common.program(*words))
        for store in options.stores:
            folder = place / "store"
            found = update(place / "old", place / "new", store, folder, options.clients)
            shutil.rmtree(folder)
            common.say(f"{figures:,} figures, {store}: {found['update']:.1f} s, full {found['full']:.1f} s")
            results.append({"figures": figures, "store": store, **found})
    return results


def report(results: list[dict[str, Any]], options: argparse.Namespace) -> common.Report:
    """Return tables, goals and what is wrong."""
    rows, asked, goals, wrong = [], [], [], []
    for found in results:
        name = [f"{found['figures']:,}", found["store"]]
        steps = ", ".join(f"{found['steps'].get(step, 0):.1f}" for step in ("difference", "change", "check"))
        times = found["full"] / found["update"]
        over = "" if found["ended"] else "over "
        rows.append([*name, f"{over}{found['full']:.1f}", f"{found['update']:.1f}", f"{over}{times:.1f}", steps])
        numbers = [found["old"], found["new"], len(found["failed"]), found["empty"], len(found["mixed"])]
        asked.append([*name, *(f"{number:,}" for number in numbers), f"{found['slowest']:.2f}"])
        judged = found["figures"] >= common.FULL
        share = 100 / AT_LEAST[found["store"]]
        told = f"update, % of a full load: {', '.join(name)}"
        goals.append(common.Goal(told, 100 / times, share, math.inf, judged))
        for what in (*found["failed"][:3], *found["mixed"][:3], *(["an empty answer"] if found["empty"] else [])):
            wrong.append(f"{', '.join(name)}: {what}")
        if not (found["old"] and found["new"]):
            wrong.append(f"{', '.join(name)}: the clients did not see both builds")
    about = f"1 % changed, {options.clients} clients asking all the while; servers may take {MEMORY} MB."
    grids = [common.Grid(HEADER, rows), common.Grid(ASKED, asked)]
    return common.Report(about, grids, goals, wrong, {"clients": options.clients, "results": results})


def main() -> int:
    """Measure and report; return the exit code."""
    given = common.Arguments(__doc__, [common.JUDGED], [common.FULL], 1)
    given.parser.add_argument("--stores", nargs="+", choices=STORES, default=list(STORES[:2]), metavar="STORE")
    given.parser.add_argument("--clients", type=int, default=8, metavar="N", help="clients that ask (default: 8)")
    options = given.parse()
    results = [found for source in common.sources(options) for found in measured(source, options)]
    return report(results, options).give(options)


if __name__ == "__main__":
    sys.exit(main())
