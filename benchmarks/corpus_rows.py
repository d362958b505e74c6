"""Rows of one figure, drawn: genes over several organisms with family floods, chemicals, diseases.

A gene row is (organism, word, match, symbol, gene id, source); one without gene id has `NA` there. A chemical or
disease row is (word, MeSH id, match, name, other id) with empty texts for missing values.
"""

# ruff: noqa: RUF001 -- Greek letters and odd quotes are the point

from __future__ import annotations

import math
import random

from benchmarks import corpus_words as words

GeneRow = tuple[int, str, str, str, str, str]
ConceptRow = tuple[str, str, str, str, str]
SYMBOL, SYNONYM, FAMILY = "ncbigene_symbol", "ncbigene_synonym", "famplex_relations"
INLINE = {SYMBOL: "hgnc_symbol", SYNONYM: "hgnc_alias_symbol", FAMILY: "bioentities_symbol"}
MOST_ROWS = 700
_MEAN = {"2021": 13.0, "2023": 44.0, "late": 46.0}
_SIGMA = 1.0
_FLOODS = 0.05
"""Share of the words that name a family and bring all its members."""
_BEFORE = ("(", "p-", "c-", "‘", "anti-", "Δ")
_AFTER = ("*", ",", "+", "↑", "↓↓", "-", ")", "-P", "ẞ", "«", ":", "?", "-α")


def target(rng: random.Random, style: str) -> int:
    """Return how many gene rows a figure shall have; few have none, some very many."""
    if rng.random() < 0.035:
        return 0
    mu = math.log(_MEAN[style]) - _SIGMA * _SIGMA / 2
    return min(MOST_ROWS, 1 + int(rng.lognormvariate(mu, _SIGMA)))


def _spelled(rng: random.Random, text: str) -> str:
    """Return a word as it is read from an image: mostly the text, often with something around it."""
    u = rng.random()
    if u < 0.55:
        return text
    if u < 0.70:
        return text.capitalize()
    if u < 0.76:
        return text.lower()
    if u < 0.82:
        return rng.choice(_BEFORE) + text
    if u < 0.95:
        return text + rng.choice(_AFTER)
    return f"{text}{rng.choice(',/&')}{text[:2]}{rng.randrange(40)}"


def _organisms(rng: random.Random, style: str) -> list[int]:
    """Return the organisms whose genes a figure names, most have the human ones."""
    if style == "2021":
        return [0]
    u = rng.random()
    wanted = 1 + (u > 0.40) + (u > 0.65) + (u > 0.82) + (u > 0.92) + (u > 0.97)
    if style == "2023":
        wanted = 1 + (u > 0.75) + (u > 0.93)
    chosen = [0] if rng.random() < (0.92 if style == "late" else 0.75) else []
    while len(chosen) < wanted:
        organism = 1 + words.zipf(rng.random() ** 0.8, words.GENE_ORGANISMS - 1)
        if organism not in chosen:
            chosen.append(organism)
    if rng.random() < 0.3:
        rng.shuffle(chosen)
    return chosen


def genes(rng: random.Random, style: str, wanted: int) -> list[GeneRow]:
    """Draw about `wanted` gene rows, grouped by organism; `style` is 2021, 2023 or late."""
    chosen = _organisms(rng, style)
    by_organism: list[list[GeneRow]] = [[] for _ in chosen]
    once = style == "late"
    seen: set[str] = set()
    popular, ranks, (stems, ranges, family) = words.popular(), words.ranks(), words.families()
    limits = [words.genes_of(organism) for organism in chosen]
    old = rng.random() < 0.2
    total = tries = 0
    while total < wanted and tries < 4 * wanted:  # a rare organism may have fewer genes than are wanted
        tries += 1
        concept = popular[words.zipf(rng.random(), words.CONCEPTS)]
        stem = stems[family[concept]]
        first, last = ranges[family[concept]]
        u = rng.random()
        symbol = words.gene(concept, 0)[1]
        text = stem if u < _FLOODS else symbol if u < 0.6 else f"{stem.capitalize()}-{concept % 97}"
        word = _spelled(rng, text)
        match = text.upper()
        before = total
        for organism, rows, limit in zip(chosen, by_organism, limits, strict=True):
            if organism and rng.random() < 0.25:
                continue
            if u < _FLOODS:
                members = range(first, last if organism == 0 else min(last, first + 4))
                source = FAMILY if organism == 0 or u < _FLOODS / 6 else SYNONYM
            elif u < 0.6:
                members, source = range(concept, concept + 1), SYMBOL if rng.random() < 0.8 else SYNONYM
            else:
                members, source = range(concept, min(concept + (2 if u > 0.85 else 1), words.CONCEPTS)), SYNONYM
            matched = (
                match.replace("-", "") if organism % 3 == 1 else f"{match}-" if (organism + concept) % 4 == 1 else match
            )
            for member in members:
                if ranks[member] >= limit:
                    continue
                identifier, name, older = words.gene(member, organism)
                if old and older:
                    name = older
                if once:
                    if identifier in seen:
                        continue
                    seen.add(identifier)
                if source == FAMILY and member % 40 == 7:
                    rows.append((organism, word, matched, "NA" if member % 3 else name, "NA", source))
                else:
                    rows.append((organism, word, matched, name, identifier, source))
                    if style == "2023" and member % 17 == 3:
                        rows.append(
                            (organism, word, matched, name, identifier, FAMILY if source != FAMILY else SYNONYM)
                        )
                        total += 1
                total += 1
        if style == "2023" and total > before and rng.random() < 0.01:
            for rows in by_organism:
                rows += rows[-1:]
                total += bool(rows)
    return [row for rows in by_organism for row in rows[: max(1, MOST_ROWS // len(chosen))]]


def _count(rng: random.Random, share: float, mean: float) -> int:
    return 1 + int(rng.expovariate(1 / (mean - 0.5))) if rng.random() < share else 0


def chemicals(rng: random.Random, batch: str) -> list[ConceptRow]:
    """Draw the chemical rows of a figure of the batch `2021`, `2023`, `2024` or `2025`; most figures have none."""
    rows: list[ConceptRow] = []
    for _ in range(_count(rng, 0.45, 6.8)):
        word, mesh, chebi, name = words.chemical(words.zipf(rng.random(), words.CHEMICALS))
        if rng.random() < 0.15:
            word = rng.choice((word.lower(), word.upper(), word + "  ", f"{word}  Me ", f"[{word[:3]}]"))
        rows.append(_concept(rng, batch, word, mesh, chebi, name))
    return _repeated(rng, batch, rows)


def diseases(rng: random.Random, batch: str) -> list[ConceptRow]:
    """Draw the disease rows of a figure; now and then one that is taken for a chemical elsewhere."""
    rows: list[ConceptRow] = []
    for _ in range(_count(rng, 0.15, 2.7)):
        word, mesh, doid, name = words.disease(words.zipf(rng.random(), words.DISEASES))
        if rng.random() < 0.02:
            word, mesh, _, name = words.chemical(words.zipf(rng.random(), 200))
        if rng.random() < 0.2:
            word = word.capitalize()
        if batch == "2021" and rng.random() < 0.8:
            mesh = ""
        rows.append(_concept(rng, batch, word, mesh, doid, name))
    return _repeated(rng, batch, rows)


def _concept(rng: random.Random, batch: str, word: str, mesh: str, other: str, name: str) -> ConceptRow:
    u = rng.random()
    if batch == "2021":
        return word, mesh, "", "", ""
    if u < 0.03:
        return word, "", "", "", ""
    match = word.strip().upper() if u > 0.9 else word.strip().lower() if u > 0.8 else name.capitalize()
    if batch == "2023":
        if mesh and not other:
            return word, mesh, match if u > 0.95 else "", "", ""
        return word, mesh, match, name if u < 0.97 else match, other
    return word, "", match, "" if u < 0.1 else name, other


def _repeated(rng: random.Random, batch: str, rows: list[ConceptRow]) -> list[ConceptRow]:
    if rows and batch in ("2023", "2025") and rng.random() < 0.12:
        rows += rng.choices(rows, k=1 + len(rows) // 3)
    return rows
