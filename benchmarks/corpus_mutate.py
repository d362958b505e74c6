"""A later state of a corpus: some records changed, some added, some gone; all other files are shared by hard link.

Works on the files alone, so it takes any checkout. A changed file is always a new file: the source stays as it is.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import yaml

from benchmarks import corpus_words as words
from benchmarks.corpus_build import FOLDERS, write_file
from benchmarks.corpus_figure import Figure, figures
from benchmarks.corpus_rows import SYMBOL, SYNONYM
from benchmarks.corpus_write import files
from benchmarks.corpus_yaml import quoted, scalar

NEW_FIGURES = 1 << 32
"""Numbers of added figures begin here, beyond those of any corpus."""
ADDED_ROWS, REMOVED_ROWS = 3, 2
_TITLE = re.compile(r"^figtitle:(?: .*)?\n(?:  .*\n)*", re.MULTILINE)
_INLINE = re.compile(r"^genes:\n((?:- word:.*\n(?:  .*\n)*)+)", re.MULTILINE)
_ITEM = re.compile(r"- word:.*\n(?:  .*\n)*")
_KINDS = ("genes", "chemicals", "diseases")


def mutate(
    source: Path, out: Path, *, share: float = 0.01, added: float = 0.001, removed: float = 0.001, seed: int = 1
) -> dict[str, Any]:
    """Write a changed copy of the checkout `source` to `out`; return figids and rows of what was changed.

    Shares are of the number of records; each is rounded, and at least 1 unless the share is 0.
    Raises `FileExistsError` when `out` is not empty, `ValueError` when the shares do not fit in the source.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out}: is not empty")
    records = sorted(path.stem for path in (source / "_figures").glob("*.md"))
    rng = random.Random(seed)  # noqa: S311
    wanted, gone, new = (max(1, round(part * len(records))) if part else 0 for part in (share, removed, added))
    candidates = records[:]
    rng.shuffle(candidates)
    leaving = sorted(candidates[:gone])
    changes: dict[str, dict[str, str]] = {}
    for figid in candidates[gone:]:
        if len(changes) == wanted:
            break
        if texts := _changed(source, figid, rng):
            changes[figid] = texts
    if len(changes) < wanted or len(leaving) < gone:
        raise ValueError(f"{source}: has too few records with gene rows for these shares")
    comers = [_new_figure(seed, number) for number in range(new)]
    known = set(records)
    if any(figure.figid in known for figure in comers):
        raise ValueError(f"{source}: has been given new figures with this seed already; choose another")
    skip = {path for texts in changes.values() for path in texts}
    skip |= {f"_figures/{figid}.md" for figid in leaving}
    skip |= {f"_data/{figid}-{kind}.tsv" for figid in leaving for kind in _KINDS}
    _link(source, out, skip)
    for texts in (*changes.values(), *(files(figure) for figure in comers)):
        for path, text in texts.items():
            write_file(f"{out}/{path}", text)
    return {
        "seed": seed,
        "changed": sorted(changes),
        "rows_added": ADDED_ROWS * len(changes),
        "rows_removed": REMOVED_ROWS * len(changes),
        "added": sorted(figure.figid for figure in comers),
        "removed": leaving,
    }


def _new_figure(seed: int, number: int) -> Figure:
    return figures(seed, NEW_FIGURES + number, NEW_FIGURES + number, 1)[0]


def _link(source: Path, out: Path, skip: set[str]) -> None:
    """Link all files but the skipped ones, and leave those of hidden folders behind."""
    for folder in FOLDERS:
        (out / folder).mkdir(parents=True, exist_ok=True)
        if not (source / folder).is_dir():
            continue
        with os.scandir(source / folder) as entries:
            for entry in entries:
                if f"{folder}/{entry.name}" not in skip and entry.is_file(follow_symlinks=False):
                    os.link(entry.path, f"{out}/{folder}/{entry.name}")


def _changed(source: Path, figid: str, rng: random.Random) -> dict[str, str]:
    """Return the new texts of a record's files; nothing when it has fewer than three gene rows."""
    path, table = f"_figures/{figid}.md", f"_data/{figid}-genes.tsv"
    text = (source / path).read_text(encoding="utf-8")
    title = yaml.load(_title(text), Loader=yaml.BaseLoader)["figtitle"]  # noqa: S506
    text = _TITLE.sub(lambda _: scalar("figtitle: ", f"{title}, revised {rng.randrange(1000)}", 2), text, count=1)
    if (source / table).is_file():
        rows = (source / table).read_text(encoding="utf-8").rstrip("\n").split("\n")
        return {path: text, table: _table(rows, rng)} if len(rows) > ADDED_ROWS else {}
    found = _INLINE.search(text)
    items = _ITEM.findall(found[1]) if found else []
    if found is None or len(items) < ADDED_ROWS:
        return {}
    for _ in range(REMOVED_ROWS):
        items.pop(rng.randrange(len(items)))
    for word, symbol, identifier in _new_genes(rng):
        source_name = "  source: hgnc_symbol\n"
        item = f"- word: {quoted(word)}\n  symbol: {quoted(symbol)}\n{source_name}"
        items.append(f"{item}  hgnc_symbol: {quoted(symbol)}\n  entrez: '{identifier}'\n")
    return {path: f"{text[: found.start(1)]}{''.join(items)}{text[found.end(1) :]}"}


def _title(text: str) -> str:
    found = _TITLE.search(text)
    if found is None:
        raise ValueError("a record without title cannot be changed")
    return found[0]


def _new_genes(rng: random.Random) -> list[tuple[str, str, str]]:
    """Return word, symbol and id of new human genes, under words that no figure has yet."""
    found = []
    for concept in rng.sample(range(words.CONCEPTS), ADDED_ROWS):
        identifier, symbol, _ = words.gene(concept, 0)
        found.append((f"{symbol}(new{rng.randrange(10**6)})", symbol, identifier))
    return found


def _table(lines: list[str], rng: random.Random) -> str:
    """Return a gene table with rows taken out and put in, its totals counted anew."""
    names = lines[0].split("\t")
    rows = [line.split("\t") for line in lines[1:]]
    for _ in range(REMOVED_ROWS):
        rows.pop(rng.randrange(len(rows)))
    human = words.organisms()[0]
    for word, symbol, identifier in _new_genes(rng):
        cells = [human.taxid, human.name, human.group, word, symbol.upper(), symbol, identifier, SYMBOL]
        rows.append(cells + [""] * (len(names) - len(cells)))
    totals = {"count_direct": SYMBOL, "count_synonym": SYNONYM}
    whole = [row for row in rows if len(row) == len(names)]
    for taxid in {row[0] for row in whole}:
        own = [row for row in whole if row[0] == taxid]
        for at, name in enumerate(names):
            if name in totals:
                value = str(sum(row[7] == totals[name] for row in own) or "NA")
            elif name == "count_match":
                value = str(len({row[4] for row in own}))
            else:
                continue
            for row in own:
                row[at] = value
    return "".join("\t".join(row) + "\n" for row in [names, *rows])
