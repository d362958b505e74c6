"""rdflib's serialiser: the layers of a build, already in rdflib graphs, written as Turtle or N-Triples.

Only the writing is timed. Prints the seconds as JSON.

    python -m benchmarks.peers.run_rdflib BUILD OUT --format turtle
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rdflib import Graph


def main() -> None:
    """Read, then write and take the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--format", choices=("turtle", "nt"), default="turtle")
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    graphs = {path.stem: Graph().parse(path, format="turtle") for path in sorted(options.build.glob("pfocr-*.ttl"))}
    suffix = {"turtle": "ttl", "nt": "nt"}[options.format]
    began, cpu_began = time.perf_counter(), time.process_time()
    for name, graph in graphs.items():
        graph.serialize(options.out / f"{name}.{suffix}", format=options.format, encoding="utf-8")
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu_began}))


if __name__ == "__main__":
    main()
