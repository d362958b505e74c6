"""morph-kgc over the prepared tables: CSV files, an RML mapping, N-Triples.

python -m benchmarks.peers.run_morph_kgc SOURCE OUT [--processes 2]
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.peers import tables

MAPPING = Path(__file__).with_name("mapping.yarrrml.yml")
# An empty cell is the one missing value: by default morph-kgc would take the word `nan` for one as well.
CONFIGURATION = """[CONFIGURATION]
na_values:
output_file: triples.nt
number_of_processes: {processes}
logging_level: WARNING

[tables]
mappings: {mapping}
"""


def main() -> None:
    """Prepare, map, and print how long the preparation took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    began = time.perf_counter()
    for name, rows in tables.prepare(options.source).items():
        with (options.out / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(tables.COLUMNS[name])
            writer.writerows(rows)
    prepared = time.perf_counter() - began
    text = CONFIGURATION.format(processes=options.processes, mapping=MAPPING)
    (options.out / "morph.ini").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "morph_kgc", "morph.ini"], cwd=options.out, check=True)
    print(json.dumps({"preparation_seconds": prepared}))


if __name__ == "__main__":
    main()
