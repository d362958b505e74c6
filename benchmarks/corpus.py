"""A made-up corpus in the form of the Pathway Figure OCR database, of any size, with what a converter must find in it.

    python benchmarks/corpus.py OUT --figures 110000 --seed 1 --workers 2
    python benchmarks/corpus.py mutate SOURCE OUT --share 0.01 --added 0.001 --removed 0.001

The first writes a source checkout to OUT and the counts beside it (`OUT.counts.json`, or `--counts FILE`). Figure
number i is the same in a corpus of any size, so a smaller one is a part of a larger one. The second makes a changed
copy, in which the files that did not change are hard links, and prints what was changed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import corpus_build, corpus_mutate


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="corpus.py", description=(__doc__ or "").split("\n")[0])
    if given[:1] == ["mutate"]:
        given = given[1:]
        parser.prog += " mutate"
        parser.add_argument("source", type=Path)
        parser.add_argument("out", type=Path)
        parser.add_argument("--share", type=float, default=0.01, help="of the records that are changed")
        parser.add_argument("--added", type=float, default=0.001, help="new figures, as a share of the old")
        parser.add_argument("--removed", type=float, default=0.001)
        parser.set_defaults(mutate=True)
    else:
        parser.add_argument("out", type=Path)
        parser.add_argument("--figures", type=int, required=True)
        parser.add_argument("--workers", type=int, default=1)
        parser.add_argument("--counts", type=Path, help="where the counts go, instead of beside OUT")
        parser.set_defaults(mutate=False)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    """Run one of the two commands; return the exit code."""
    options = _arguments(given)
    try:
        if options.mutate:
            changed = corpus_mutate.mutate(
                options.source,
                options.out,
                share=options.share,
                added=options.added,
                removed=options.removed,
                seed=options.seed,
            )
            json.dump(changed, sys.stdout, indent=1)
            sys.stdout.write("\n")
        else:
            out = options.out.resolve()
            counts = options.counts or out.with_name(f"{out.name}.counts.json")
            if counts.resolve().is_relative_to(out):
                raise ValueError(f"{counts}: the counts are no part of the source; give another place")
            found = corpus_build.build(out, options.figures, options.seed, options.workers)
            counts.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
