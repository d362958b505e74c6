"""maplib over the prepared tables: polars frames, OTTR templates, N-Triples.

python -m benchmarks.peers.run_maplib SOURCE OUT
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import polars as pl  # type: ignore[import-not-found]
from maplib import Model  # type: ignore[import-not-found]

from benchmarks.peers import tables

TEMPLATES = Path(__file__).with_name("templates.stottr")
PREFIX = "https://w3id.org/pfocr/template/"
# Numbers are columns of numbers here; (38, 12) is the one precision of decimals that maplib maps.
NUMBERS = {"rank": pl.Int64, "genes": pl.Int64, "strict_genes": pl.Int64, "score": pl.Decimal(38, 12)}


def main() -> None:
    """Prepare, map, and print how long the preparation took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    began = time.perf_counter()
    prepared = tables.prepare(options.source)
    spent = time.perf_counter() - began
    model = Model()
    model.add_template(TEMPLATES.read_text(encoding="utf-8"))
    for name in list(prepared):
        rows = prepared.pop(name)
        if not rows:
            continue
        frame = pl.DataFrame(rows, schema=dict.fromkeys(tables.COLUMNS[name], pl.String), orient="row")
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        casts = [pl.col(column).cast(kind) for column, kind in NUMBERS.items() if name == "figure"]
        model.map(f"{PREFIX}{name}", frame.with_columns(casts))
    model.write(options.out / "triples.nt", format="ntriples")
    print(json.dumps({"preparation_seconds": spent}))


if __name__ == "__main__":
    main()
