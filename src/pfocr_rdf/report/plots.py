"""Plots of the report, as SVG that stands inside the page: the same bytes for the same numbers.

A plot can be read without colour (two series differ by their hatching, values stand beside their bars), takes its
colours and its font from the page (so it is dark where the page is), and bears its own title and text for those who
do not see it. The page shows the same numbers in a table beside it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from pfocr_rdf.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the report needs the extra `release`: pip install 'pfocr-rdf[release]'"
LABEL = 26
"""Characters of a label beside a bar, at most."""

_WIDTH = 4.9
"""Inches; 72 units of the SVG each. Narrow, so that its text can be read on a telephone too."""

_COLOURS = {"#010101": "var(--ink)", "#020202": "var(--accent)", "#030303": "var(--tint)", "#040404": "var(--rule)"}
"""Colours that are drawn with, and what the page has in their place."""

_INK, _ACCENT, _TINT, _RULE = _COLOURS
_HATCHES = ("", "////", "---")
_FACES = (_ACCENT, _TINT, _TINT)


@dataclass(frozen=True, slots=True)
class Text:
    """What a plot is called, and what it shows in words."""

    name: str
    title: str
    alt: str


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, one for each bar."""

    name: str
    values: Sequence[float]


def need_matplotlib() -> None:
    """Raise `UsageError` when matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(NEEDS) from error


def columns(text: Text, labels: Sequence[str], values: Sequence[int], below: str) -> str:
    """Return upright columns of figures, such as those of years; a column whose label is empty has no tick."""
    with _figure(text, 2.9) as (figure, axes):
        places = range(len(values))
        axes.bar(places, values, color=_ACCENT, width=0.8)
        shown = [place for place in places if labels[place]]
        small = 8 if len(values) > 9 else 9
        axes.set_xticks(shown, [labels[place] for place in shown], fontsize=small if len(shown) > 9 else 10)
        axes.set_xlim(-0.6, max(len(values), 4) - 0.4)
        axes.set_xlabel(below)
        axes.set_ylim(0, max(values, default=1) * 1.12 or 1)
        axes.yaxis.grid(True, color=_RULE, linewidth=0.6)
        _whole_numbers(axes.yaxis)
        axes.set_ylabel("figures")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        for place in places if len(values) <= 12 else [values.index(max(values))]:
            axes.annotate(f"{values[place]:,}", (place, values[place]), (0, 2), **{**_ABOVE, "fontsize": small})
        return _svg(text, figure)


def bars(text: Text, labels: Sequence[str], series: Sequence[Series], *, percent: bool = False) -> str:
    """Return bars that lie below each other, the first on top; each with its value beside it."""
    count = max(len(labels), 1)
    height = 0.19 * count * (2.0 if len(series) > 1 else 1.25) + (0.55 if len(series) > 1 else 0.3)
    with _figure(text, height) as (figure, axes):
        thick = 0.78 / len(series)
        for number, one in enumerate(series):
            places = [place + (number - (len(series) - 1) / 2) * thick for place in range(len(labels))]
            axes.barh(places, one.values, height=thick * 0.92, label=one.name, **_look(number))
            for place, value in zip(places, one.values, strict=True):
                shown = f"{value:.1%}".replace("%", "\N{NO-BREAK SPACE}%") if percent else f"{value:,.0f}"
                axes.annotate(shown, (value, place), (3, 0), va="center", **_BESIDE)
        axes.set_yticks(range(len(labels)), [_short(label) for label in labels])
        axes.set_ylim(count - 0.4, -0.6)
        axes.set_xlim(0, 1 if percent else max((max(one.values, default=1) for one in series), default=1) or 1)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        if len(series) > 1:
            figure.legend(loc="outside upper left", ncols=len(series), **_LEGEND)
        return _svg(text, figure)


def shares(text: Text, series: Sequence[Series]) -> str:
    """Return one bar cut into shares, each with its name and per cent below."""
    total = sum(one.values[0] for one in series) or 1
    with _figure(text, 1.15) as (figure, axes):
        left = 0.0
        for number, one in enumerate(series):
            share = one.values[0] / total
            axes.barh(
                [0],
                [share],
                left=left,
                height=0.6,
                label=f"{one.name} {share:.1%}".replace("%", "\N{NO-BREAK SPACE}%"),
                **_look(number),
            )
            left += share
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        figure.legend(loc="outside lower left", ncols=len(series), **_LEGEND)
        return _svg(text, figure)


_BESIDE: dict[str, Any] = {"textcoords": "offset points", "fontsize": 9, "annotation_clip": False}
_LEGEND: dict[str, Any] = {
    "frameon": False,
    "handlelength": 1.4,
    "handletextpad": 0.5,
    "columnspacing": 1.2,
    "fontsize": 9,
}
_ABOVE: dict[str, Any] = {**_BESIDE, "ha": "center", "va": "bottom"}


def _look(number: int) -> dict[str, Any]:
    """Return how a series is drawn: the first full, the others hatched."""
    return {"facecolor": _FACES[number], "edgecolor": _INK, "linewidth": 0.6, "hatch": _HATCHES[number]}


def _short(label: str) -> str:
    """Return a label as one line that is not too long."""
    line = " ".join(label.split())
    return line if len(line) <= LABEL else f"{line[: LABEL - 1].rstrip()}…"


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


@contextmanager
def _figure(text: Text, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Yield an empty figure and its axes, in the style of the page.

    Raises `UsageError` when matplotlib is not installed.
    """
    need_matplotlib()
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.hashsalt": text.name,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "hatch.linewidth": 0.7,
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "text.color": _INK,
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the measuring font lacks: the page has others
        figure = Figure((_WIDTH, height), layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        yield figure, axes


def _svg(text: Text, figure: Figure) -> str:
    """Return a figure as an SVG element with title and description, without what the page gives or must not have."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<!--.*?-->\s*|<style.*?</style>\s*", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<[^>]*>", lambda tag: _tag(tag[0]), drawn)
    view = re.search(r'viewBox="([^"]*)"', drawn)
    head = (
        f'<svg viewBox="{view[1] if view else ""}" role="img" aria-label="{escape(text.alt)}">'
        f"<title>{escape(text.title)}</title>"
    )
    return head + drawn[drawn.index(">") + 1 :].strip() + "\n"


def _tag(tag: str) -> str:
    """Return a tag with the page's colours and font, and without what only makes it longer."""
    tag = re.sub(r'^<g id="[^"]*"', "<g", tag)  # nothing refers to groups, and other plots have the same names
    tag = re.sub(r" font-family: [^;\"]*;", "", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^"]*"', "", tag)
    tag = re.sub(r' fill="(#[0-9a-f]{6})"', r' style="fill: \1"', tag)
    tag = tag.replace(" xlink:href=", " href=")
    return re.sub("|".join(_COLOURS), lambda found: _COLOURS[found[0]], tag)
