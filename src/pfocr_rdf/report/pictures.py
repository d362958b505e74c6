"""Which numbers of the report are drawn, and what each plot says to those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pfocr_rdf.report import plots
from pfocr_rdf.report.data import Bin, Coverage, Item, Mentions, Organism, ReportData
from pfocr_rdf.report.plots import Series, Text

PLOTTED = 20
"""Genes and organisms that are drawn, at most; the table beside has all that are given."""

_STEPS = (1, 2, 5, 10, 20, 50)
"""Years between two that are named."""

_NAMED_YEARS = 9


def drawn(data: ReportData) -> dict[str, str]:
    """Return the plots by name, as SVG; where there is nothing to show, there is none.

    Raises `UsageError` when matplotlib is not installed.
    """
    return dict(_drawn(data))


def _drawn(data: ReportData) -> Iterator[tuple[str, str]]:
    if years := {int(year): number for year, number in data.years if year}:
        yield "years", _years(years)
    if data.organisms:
        yield "organisms", _organisms(data.organisms[:PLOTTED])
    if data.journals.top:
        yield "journals", _items("journals", "Figures by journal", data.journals.top)
    if data.genes:
        yield "genes", _items("genes", "Genes by figures", data.genes[:PLOTTED])
    if data.genes_per_figure.bins:
        yield "spread", _spread(data.genes_per_figure.bins)
    if any(number for _, number in data.levels):
        yield "levels", _levels(data.levels)
    if data.mentions:
        yield "mentions", _mentions(data.mentions)
    yield "with", _with([found for found in data.coverage if found.kind == "figures"])


def _years(years: dict[int, int]) -> str:
    span = range(min(years), max(years) + 1)
    step = next((step for step in _STEPS if len(span) <= _NAMED_YEARS * step), _STEPS[-1])
    best = max(span, key=lambda year: years.get(year, 0))
    alt = f"Columns for the years {span[0]} to {span[-1]}; {best} has the most, {years[best]:,} figures."
    labels = [str(year) if year % step == 0 else "" for year in span]
    values = [years.get(year, 0) for year in span]
    return plots.columns(Text("years", "Figures by year", alt), labels, values, "year of publication")


def _organisms(organisms: Sequence[Organism]) -> str:
    first = organisms[0]
    alt = (
        f"Two bars for each of {len(organisms)} organisms. {first.label} is first: {first.genes:,} figures have a gene "
        f"of it, the papers of {first.about:,} are about it."
    )
    series = [
        Series("has a gene of it", [organism.genes for organism in organisms]),
        Series("paper is about it", [organism.about for organism in organisms]),
    ]
    return plots.bars(Text("organisms", "Figures by organism", alt), [each.label for each in organisms], series)


def _items(name: str, title: str, items: Sequence[Item]) -> str:
    alt = f"Bars, the longest first, from {_said(items[0])} to {_said(items[-1])}."
    series = [Series("figures", [item.count for item in items])]
    return plots.bars(Text(name, title, alt), [item.label for item in items], series)


def _said(item: Item) -> str:
    return f"{item.label} with {item.count:,}"


def _spread(bins: Sequence[Bin]) -> str:
    best = max(bins, key=lambda each: each.count)
    alt = f"Columns for bins of gene numbers; most figures, {best.count:,}, have {best.low} to {best.high} genes."
    labels = [str(b.low) if b.low == b.high else f"{b.low}\N{EN DASH}\n{b.high}" for b in bins]
    return plots.columns(
        Text("spread", "Genes per figure", alt), labels, [b.count for b in bins], "genes in the figure"
    )


def _levels(levels: Sequence[tuple[str, int]]) -> str:
    alt = f"One bar in three parts: {', '.join(f'{number:,} links by {name}' for name, number in levels)}."
    return plots.shares(Text("levels", "Gene links by level", alt), [Series(name, [number]) for name, number in levels])


def _mentions(mentions: Sequence[Mentions]) -> str:
    best = max(mentions, key=lambda each: each.count)
    alt = f"Bars for {len(mentions)} lexicons; {best.lexicon} has the most, {best.count:,} mentions."
    series = [Series("mentions", [each.count for each in mentions])]
    return plots.bars(Text("mentions", "Mentions by lexicon", alt), [each.lexicon for each in mentions], series)


def _with(found: Sequence[Coverage]) -> str:
    shares = [each.count / each.total if each.total else 0.0 for each in found]
    said = ", ".join(f"{each.what} {share:.1%}" for each, share in zip(found, shares, strict=True))
    text = Text("with", "Figures with at least one", f"Bars for the share of figures with {said}.")
    return plots.bars(text, [each.what for each in found], [Series("share", shares)], percent=True)
