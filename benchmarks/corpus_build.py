"""Writes a corpus: figures by ranges in several processes, then maps and organism pages; adds the counts up."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.corpus_count import Counting, Tally, total
from benchmarks.corpus_figure import BLOCK, Figure, figures, paper_numbers
from benchmarks.corpus_words import GENE_ORGANISMS, OTHERS, Organism, organisms
from benchmarks.corpus_write import files, organism_page, page_name

_BLOCKS_PER_PART = 8
FOLDERS = ("_figures", "_data", "_organisms")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of blocks of a corpus of so many figures."""

    seed: int
    first: int
    last: int
    size: int
    folder: str


def pages(size: int) -> list[Organism]:
    """Return the organisms that have a page in a corpus of so many figures."""
    return organisms()[: min(GENE_ORGANISMS + OTHERS, GENE_ORGANISMS + size // 20)]


def papers(seed: int, block: int, size: int) -> Iterator[list[Figure]]:
    """Yield the papers of a block, without the figures beyond the end of the corpus."""
    for number, first, many in paper_numbers(seed, block):
        if first < size:
            yield figures(seed, number, first, many)[: size - first]


def write_file(path: str, text: str) -> None:
    """Write a new file; one that is there already is never changed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def write_part(part: Part) -> tuple[Tally, int, dict[str, list[str]]]:
    """Write the files of a part; return its tally, how many files it has, and the lines of the maps."""
    counting = Counting(len(pages(part.size)))
    written = 0
    maps: dict[str, list[str]] = {"ndex": [], "wpid": []}
    for block in range(part.first, part.last):
        for paper in papers(part.seed, block, part.size):
            counting.add_paper(paper)
            for figure in paper:
                made = files(figure)
                written += len(made)
                for path, text in made.items():
                    write_file(f"{part.folder}/{path}", text)
                for name, value in figure.map_lines:
                    maps[name].append(f"{figure.figid}\t{value}\n")
        for line in orphans(part.seed, block):
            maps["ndex"].append(line)
            counting.tally.accounts["map-lines", "rejected"] += 1
    return counting.tally, written, maps


def orphans(seed: int, block: int) -> Iterator[str]:
    """Yield map lines of figures that are in no corpus; few blocks have any."""
    rng = random.Random(f"{seed} orphans {block}")  # noqa: S311
    if rng.random() < 0.1:
        yield f"PMC{90_000_000 + block}__gone\t{rng.getrandbits(32):08x}-dec4-11ea-99da-0ac135e8bacf\n"


def parts(seed: int, size: int, folder: Path) -> list[Part]:
    """Cut a corpus into parts."""
    blocks = -(-size // BLOCK)
    return [
        Part(seed, first, min(first + _BLOCKS_PER_PART, blocks), size, str(folder))
        for first in range(0, blocks, _BLOCKS_PER_PART)
    ]


def build(folder: Path, size: int, seed: int = 1, workers: int = 1) -> dict[str, Any]:
    """Write a corpus of `size` figures into `folder`, which must not hold anything; return what is in it.

    Raises `FileExistsError` when the folder is not empty, `ValueError` for a size or number of workers below 1.
    """
    if size < 1 or workers < 1:
        raise ValueError("give at least one figure and one worker")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: is not empty")
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    tally, written = Tally(), 0
    maps: dict[str, list[str]] = {"ndex": [], "wpid": []}
    try:
        for found, many, lines in _results(parts(seed, size, folder), workers):
            tally.add(found)
            written += many
            for name, more in lines.items():
                maps[name] += more
    except BaseException:
        shutil.rmtree(folder)
        raise
    for name, lines_of_map in maps.items():
        write_file(f"{folder}/_data/{name}_map.tsv", "".join(sorted(lines_of_map)))
    with_page = pages(size)
    for organism in with_page:
        write_file(f"{folder}/_organisms/{page_name(organism)}.md", organism_page(organism))
    return {"seed": seed, "figures": size, **total(tally, with_page, written)}


def _results(work: list[Part], workers: int) -> Iterable[tuple[Tally, int, dict[str, list[str]]]]:
    if workers == 1:
        yield from map(write_part, work)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(write_part, work)
