"""How much disk a build needs for each byte of its source: what `pipeline.SPACE_FACTOR` rests on.

Makes a source of figures with tables, builds it, and prints, as multiples of the source, the size of the shards'
data files, of the finished build, and of its cache. The shards' files are removed when the build is finished, so the
largest moment is the sum of all.

    python benchmarks/bench_space.py --figures 500 --nquads
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pfocr_rdf import Options, cache, pipeline
from pfocr_rdf.codecs import CODECS
from pfocr_rdf.shards import Output
from pfocr_rdf.workers import Serial

HEADER = "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"
RECORD = """---
figid: {figid}
figtitle: Pathway of the protein number {n} and its many partners in the cell
organisms:
- NA
organisms_ner:
- Homo sapiens
pmcid: PMC{n}
filename: f.jpg
figlink: /pmc/articles/PMC{n}/figure/F1/
number: F1
caption: {caption}
papertitle: On protein {n}
reftext: A. Author, et al. J Ex. 2020;1(1):{n}.
year: '2020'
doi: 10.1234/ex.{n}
journal_title: Journal of Examples {j}
journal_nlm_ta: J Ex {j}
publisher_name: Example Press
keywords: one | two
automl_pathway: 0.9
figid_alias: PMC{n}__F1
figtype: Figure
schema-jsonld:
  '@context': https://schema.org/
  '@id': https://pfocr.wikipathways.org/figures/{figid}.html
  '@type': Dataset
  description: {caption}
  license: CC0
  name: CreativeWork
  creator:
    '@type': Organization
    name: WikiPathways
  keywords: [{keywords}]
---
"""


def write_source(root: Path, figures: int, rows: int) -> int:
    """Write the source; return its size in bytes."""
    (root / "_figures").mkdir(parents=True)
    (root / "_data").mkdir()
    size = 0
    for n in range(1, figures + 1):
        figid = f"PMC{n}__f"
        genes = [1 + (n * 37 + i * 11) % 20_000 for i in range(rows)]
        caption = f"Protein {n} acts on its partners. " * 12
        keywords = ", ".join(f"G{gene}" for gene in genes)
        record = RECORD.format(figid=figid, n=n, j=n % 40, caption=caption.strip(), keywords=keywords)
        table = HEADER + "".join(
            f"9606\tHomo sapiens\tPrimates\tword {gene}\tWORD{gene}\tG{gene}\t{gene}\tncbigene_synonym\n"
            for gene in genes
        )
        for path, text in ((f"_figures/{figid}.md", record), (f"_data/{figid}-genes.tsv", table)):
            size += (root / path).write_text(text, encoding="utf-8")
    return size


def main() -> None:
    """Build and print the multiples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, default=500)
    parser.add_argument("--rows", type=int, default=43)
    parser.add_argument("--compress", default="none", choices=sorted(CODECS))
    parser.add_argument("--nquads", action="store_true")
    options = parser.parse_args()
    engine = Serial()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        size = write_source(source, options.figures, options.rows)
        asked = Options(output=Output(options.compress, options.nquads))
        with pipeline.making(str(source), Path(folder) / "build", asked) as (prepared, new):
            results = pipeline.run_shards(prepared, engine)
            parts = bytes_in(new)
            pipeline.finish(prepared, results, new, asked, engine)
            most = bytes_in(new)
        kept = bytes_in(Path(folder) / "build" / cache.FOLDER)
        done = bytes_in(Path(folder) / "build") - kept
    print(f"{options.figures} figures, {options.rows} rows each, source {size:,} bytes, ", end="")
    print(f"compression {options.compress}{', with N-Quads' if options.nquads else ''}")
    print(f"shards {parts / size:.1f} times the source, build {done / size:.1f}, cache {kept / size:.1f}, ", end="")
    print(f"at most {most / size:.1f}")


def bytes_in(folder: Path) -> int:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
