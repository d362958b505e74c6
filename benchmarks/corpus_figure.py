"""Papers and figures, drawn from distributions: the same figure for the same seed and number, whatever the corpus.

Papers come in blocks of 119 figures in 100 papers. A figure holds the fields as its files give them; which spelling
of a missing value stands there is the writer's business.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from benchmarks import corpus_rows as rows
from benchmarks import corpus_words as words
from benchmarks.corpus_rows import ConceptRow, GeneRow

BLOCK = 119
_SIZES = [1] * 86 + [2] * 10 + [3] * 3 + [4]
_FIGURE_TYPES = (("F", "Figure"), ("S", "Scheme"), ("SF", "Supplemental figure"), ("GA", "Graphical abstract"))
NA = ".na.character"


@dataclass(slots=True)
class Paper:
    """What the records of a paper say of it, as long as they agree; `style` and `batch` are those of its figures."""

    pmcid: str
    style: str
    batch: str
    title: str
    reftext: str
    year: str
    doi: str
    journal: str
    journal_title: str
    publisher: str
    keywords: str
    file_stem: str
    early: bool


@dataclass(slots=True)
class Figure:
    """One figure with its rows. `groups` names the organisms whose group this figure's table gives otherwise."""

    number: int
    figid: str
    paper: Paper
    filename: str
    figlink: str
    position: str
    figtype: str
    alias: str
    title: str
    caption: str
    score: str
    rank: str
    year: str
    organisms: list[tuple[int, str]]
    ndex: str
    wpid: str
    map_lines: list[tuple[str, str]]
    genes: list[GeneRow]
    chemicals: list[ConceptRow]
    diseases: list[ConceptRow]
    keywords: list[str]
    groups: dict[int, str] = field(default_factory=dict)
    broken_row: bool = False
    organisms_as_list: bool = True


def paper_numbers(seed: int, number: int) -> list[tuple[int, int, int]]:
    """Return, for each paper of a block: its number, its first figure and how many figures it has."""
    rng = random.Random(f"{seed} block {number}")  # noqa: S311
    sizes = _SIZES[:]
    rng.shuffle(sizes)
    found, at = [], number * BLOCK
    for index, size in enumerate(sizes):
        found.append((number * len(_SIZES) + index, at, size))
        at += size
    return found


def text(rng: random.Random, count: int, odd: float) -> str:
    """Return so many words as a sentence, `odd` ones among them."""
    drawn = rng.choices(words.WORDS, k=count)
    for at in range(count):
        if rng.random() < odd:
            u = rng.random()
            drawn[at] = words.gene(words.popular()[words.zipf(u, words.CONCEPTS)], 0)[1] if u < 0.7 else _odd(rng)
    sentence = " ".join(drawn)
    return sentence[0].upper() + sentence[1:]


def _odd(rng: random.Random) -> str:
    return rng.choice(words.ODD)


def paper(seed: int, number: int) -> Paper:
    """Draw a paper."""
    rng = random.Random((seed << 40) + number * 2 + 1)  # noqa: S311
    u = rng.random()
    style = "2021" if u < 0.2 else "2023" if u < 0.6 else "late"
    batch = "2021" if u < 0.2 else "2023" if u < 0.8 else "2024" if u < 0.92 else "2025"
    year = batch if batch in ("2024", "2025") else str(2023 - min(int(rng.expovariate(0.22)), 25))
    if style == "2021":
        year = str(2020 - min(int(rng.expovariate(0.2)), 24))
    rank = words.zipf(rng.random(), words.JOURNALS)
    short, journal_title, publisher = words.journal(rank)
    stem = short.split()[0].lower()[:4] + short.split()[-1]
    title = text(rng, rng.randint(8, 19), 0.12)
    if rng.random() < 0.02:
        title = title.replace(" ", "  ", 1)
    title += "" if batch in ("2024", "2025") else rng.choice((".", ".", ".", ".", "?."))
    doi = f"10.{1000 + rank}/{rng.choice((stem, stem.upper(), f'j.{stem}.{year}'))}.{number:06d}"
    if rng.random() < 0.01:
        doi = f"10.1002/(SICI)1097-{number}(1998)12:3<{rng.randrange(999)}::AID-X>3.0.CO;2-{rank}"
    volume, page = rng.randrange(1, 90), rng.randrange(1, 9000)
    issue = "NA" if batch in ("2024", "2025") and rng.random() < 0.3 else str(rng.randrange(1, 24))
    reftext = f"{rng.choice('ABCDEFGHJKLMPRSTWXYZ')}. {rng.choice(words.AUTHORS)}, et al. {short}. "
    reftext += f"{year} {rng.choice(words.MONTHS)};{volume}({issue}):{page}-{page + rng.randrange(2, 30)}."
    spelled = rng.random()
    if spelled < 0.05:
        publisher = f"Published by {publisher}"
    elif spelled < 0.07:
        publisher = ""
    if rng.random() < 0.03:
        journal_title = journal_title.replace(" of ", " Of ").replace(" in ", " In ") + " (Online)"
    keywords = ""
    if batch == "2023" and rng.random() < 0.75:
        keywords = " | ".join(_keyword(rng) for _ in range(rng.randint(3, 8)))
    if style == "2021" or year < "2023":
        doi = journal_title = short = publisher = keywords = NA
    pmcid = f"PMC{100_000 + number * 101 + seed % 97}"
    return Paper(
        pmcid=pmcid,
        style=style,
        batch=batch,
        title=title,
        reftext=reftext if rng.random() > 0.02 else reftext + " ",
        year=year,
        doi=doi,
        journal=short,
        journal_title=journal_title,
        publisher=publisher,
        keywords=keywords,
        file_stem=stem,
        early=style == "2021" and rng.random() < 0.08,
    )


def _keyword(rng: random.Random) -> str:
    return " ".join(rng.choices(words.WORDS, k=rng.randint(1, 3))) if rng.random() < 0.9 else _odd(rng)


def figures(seed: int, number: int, first: int, size: int) -> list[Figure]:
    """Draw the figures of a paper, the first of which has the number `first` in the corpus."""
    common = paper(seed, number)
    return [_figure(seed, common, first + index, index, size) for index in range(size)]


def _figure(seed: int, paper: Paper, number: int, index: int, size: int) -> Figure:
    rng = random.Random((seed << 40) + number * 2)  # noqa: S311
    u = rng.random()
    if size > 1 and index == size - 1:
        if u < 0.05:
            paper = replace(paper, year=str(int(paper.year) - 1))
        elif u < 0.07:
            paper = replace(paper, title=f"{paper.title} Erratum")
        elif u < 0.11 and paper.journal != NA:
            paper = replace(paper, journal_title=paper.journal_title.upper())
    position = index + 1 + rng.randrange(3) * size
    prefix, figtype = _FIGURE_TYPES[0 if rng.random() < 0.9 else rng.randrange(1, 4)]
    stem, link = _file(rng, paper, position)
    figid = f"{paper.pmcid}__{stem}"
    caption = _caption(rng)
    genes = rows.genes(rng, paper.style, rows.target(rng, paper.style))
    title = text(rng, rng.randint(5, 15), 0.15).rstrip(".: ")
    if rng.random() < 0.01:
        title = f" {title}"
    figure = Figure(
        number=number,
        figid=figid,
        paper=paper,
        filename=f"{stem}.jpg",
        figlink=f"/pmc/articles/{paper.pmcid}/figure/{link}/",
        position=f"{prefix}{position}",
        figtype=figtype,
        alias=f"{paper.pmcid}__{prefix}{position}",
        title=title,
        caption=caption,
        score=f"{0.5 + rng.betavariate(4, 1) / 2.0001:.7g}",
        rank=str(rng.randrange(1, 200_000)),
        year="" if rng.random() < 0.003 else paper.year,
        organisms=_found(rng, paper),
        ndex="",
        wpid="",
        map_lines=[],
        genes=genes,
        chemicals=rows.chemicals(rng, paper.batch),
        diseases=rows.diseases(rng, paper.batch),
        keywords=[],
        organisms_as_list=rng.random() < 0.4,
    )
    if paper.early:
        figure.alias = figure.figtype = ""
        figure.position = f"Figure {position}"
    _links(rng, figure)
    if genes and paper.style != "2021":
        if rng.random() < 0.005:
            organism = genes[-1][0]
            figure.groups[organism] = words.GROUPS[(words.GROUPS.index(words.organisms()[organism].group) + 1) % 8]
        figure.broken_row = rng.random() < 0.0005
    figure.keywords = _block_keywords(rng, figure)
    return figure


def _file(rng: random.Random, paper: Paper, position: int) -> tuple[str, str]:
    """Return the stem of an image's name and the last part of the figure's address; in one paper, by position."""
    u = sum(map(ord, paper.pmcid)) % 5
    if u == 0:
        return f"gr{position}", f"f{position * 5:04d}"
    if u == 1:
        return f"{paper.file_stem}-{paper.year[2:]}-{rng.randrange(10**6)}-g{position:03d}", f"F{position}"
    if u == 2:
        return f"{paper.file_stem}.{rng.randrange(10**7):07d}.g{position:03d}", f"{paper.file_stem}-g{position:03d}"
    if u == 3:
        return f"41598_{paper.year}_{rng.randrange(10**5)}_Fig{position}_HTML", f"Fig{position}"
    return f"{paper.file_stem}{rng.randrange(10**9):09d}{position:02d}", f"fig{position}"


def _caption(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return "Figure"
    sentences = [text(rng, rng.randint(6, 24), 0.13) for _ in range(1 + int(rng.expovariate(0.24)))]
    caption = ". ".join(sentences) + ("." if rng.random() < 0.9 else "")
    u = rng.random()
    if u < 0.05:
        return f"({caption[0]}) {caption}"
    if u < 0.1:
        return caption.replace(" of ", "  of ", 1)
    return f"{caption[:40]}: {caption[40:].strip()}" if u < 0.4 and len(caption) > 60 else caption


def _found(rng: random.Random, paper: Paper) -> list[tuple[int, str]]:
    """Return the organisms that the record names as found in the paper, each with the name it gives."""
    known = words.organisms()
    if paper.style == "2021":
        return [(0, rng.choice(("plant", "A. thaliana", "D. rerio")) if rng.random() < 0.05 else known[0].name)]
    if rng.random() < 0.4:
        return []
    chosen: dict[int, str] = {}
    for _ in range(min(1 + int(rng.expovariate(0.5)), 12)):
        number = words.zipf(rng.random(), len(known))
        organism = known[number]
        chosen.setdefault(number, organism.name if number % 2 or rng.random() < 0.5 else organism.latin)
    return list(chosen.items())


def _links(rng: random.Random, figure: Figure) -> None:
    """Give an older figure an NDEx network, and very few a pathway; in the record, the map, or both."""
    u = rng.random()
    if figure.paper.batch in ("2021", "2023") and u < 0.35:
        low = rng.getrandbits(122)
        uuid = f"{low:032x}"
        uuid = f"{uuid[:8]}-{uuid[8:12]}-11ea-99da-0ac1{uuid[12:20]}"
        figure.ndex = uuid if u < 0.32 else ""
        if u > 0.005:
            figure.map_lines.append(("ndex", uuid))
        if u < 0.0055 and u > 0.005:
            figure.ndex = uuid[::-1].replace("ae", "0a")[:8] + uuid[8:]
    if u > 0.999:
        figure.wpid = f"WP{rng.randrange(1, 6000)}"
        figure.map_lines.append(("wpid", figure.wpid))
        figure.wpid = figure.wpid if u > 0.9993 else ""


def _block_keywords(rng: random.Random, figure: Figure) -> list[str]:
    """Return symbols, then words of chemicals, then of diseases; some records are older than their tables."""
    symbols = list(dict.fromkeys(NA if row[3] == "NA" else row[3] for row in figure.genes))
    chemicals = list(dict.fromkeys(row[0] for row in figure.chemicals))
    diseases = list(dict.fromkeys(row[0] for row in figure.diseases))
    u = rng.random()
    if u < 0.05:
        chemicals = diseases = []
    elif u < 0.1:
        symbols = symbols[: len(symbols) // 2]
    elif u < 0.12:
        symbols.append(f"OLD{figure.number % 9973}")
    return symbols + chemicals + diseases
