"""Builds as `pfocr-rdf build` does, and prints how many shards there were and how many an earlier run had finished.

python -m benchmarks.rebuild SOURCE OUT --workers 2 --shard-records 100
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pfocr_rdf import pipeline
from pfocr_rdf.settings import Settings
from pfocr_rdf.workers import Processes


def main() -> None:
    """Build."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("source")
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--shard-records", type=int, default=Settings().shard_records)
    given = parser.parse_args()
    options = pipeline.Options(settings=Settings(shard_records=given.shard_records))
    with (
        pipeline.making(given.source, given.out, options) as (prepared, folder),
        Processes(given.workers) as engine,
    ):
        results = pipeline.run_shards(prepared, engine)
        pipeline.finish(prepared, results, folder, options, engine)
    print(json.dumps({"shards": len(results), "reused": sum(result.reused for result in results)}))


if __name__ == "__main__":
    main()
