"""Anyone can read the page of a report, it asks for nothing from outside, and no text of a source becomes a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pfocr_rdf.report import data, page, plots
from pfocr_rdf.report.data import Item, ReportData
from pfocr_rdf.validation.checks import Severity
from pfocr_rdf.validation.findings import Finding, Report
from tests.browser import Opened, chromium, opened
from tests.reporting import FIGURE, build_releases, outcome
from tests.support import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = ROOT / "build" / "screenshots"
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\" ' & $x^{$ ]]> {{ 7 * 7 }} -->"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build_releases(tmp_path_factory.mktemp("releases"))


VERDICTS = [
    (None, "open", "Not checked."),
    (Report([outcome(1, Severity.VIOLATION, reason="no network")]), "open", "Not checked."),
    (Report([outcome(1, Severity.VIOLATION)]), "good", "All 1 check passed and found nothing."),
    (
        Report([outcome(1, Severity.VIOLATION), outcome(2, Severity.WARNING, Finding(FIGURE))]),
        "good",
        "1 of 2 checks list 1 oddity of the source.",
    ),
    (
        Report([outcome(1, Severity.VIOLATION, Finding(FIGURE)), outcome(2, Severity.WARNING, reason="no list")]),
        "bad",
        "1 check of 1 found 1 violation: this must not be published. 1 check could not be run.",
    ),
]


@pytest.mark.parametrize(("report", "mark", "said"), VERDICTS, ids=range(len(VERDICTS)))
def test_the_verdict_is_said_in_words(report: Report | None, mark: str, said: str) -> None:
    found = page.verdict(report)
    assert found[0] == mark
    assert said in " ".join(found[1:])


def test_the_verdict_stands_at_the_head(releases: dict[str, Path]) -> None:
    text = page.render(data.gather(releases["example"], validation=VERDICTS[-1][0]))
    head = text.partition("<nav")[0]
    assert '<p class="verdict bad"><strong>Does not conform.</strong> 1 check of 1 found 1 violation' in head
    assert "No earlier release was given to compare with." in head


def test_examples_of_checks_lead_to_the_pages_of_their_figures() -> None:
    mention = "https://w3id.org/pfocr/mention/PMC9100001__aqs-12-0045-g003/gene-275b64be580a"
    assert page.place(FIGURE) == ("PMC9100001__aqs-12-0045-g003", FIGURE)
    assert page.place(mention) == ("PMC9100001__aqs-12-0045-g003, gene-275b64be580a", FIGURE)
    assert page.place("pfocr-core.ttl") == ("pfocr-core.ttl", "")
    for hostile in ("javascript:alert(1)", "data:text/html,x", 'https://a"onclick=', "https://a b", "//evil.example"):
        assert page.address(hostile) == ""


@pytest.fixture(scope="module")
def hostile(releases: dict[str, Path]) -> ReportData:
    """The example's report in which every text that a source or a check can set is an attack."""
    found = Finding(f"javascript:alert(1){HOSTILE}", HOSTILE, HOSTILE)
    report = Report([outcome(1, Severity.VIOLATION, found), outcome(2, Severity.WARNING, reason=HOSTILE)])
    plain = data.gather(releases["example"], previous=releases["seeds"], validation=report)
    item = Item(f"javascript:{HOSTILE}", HOSTILE, 3, HOSTILE)
    return replace(
        plain,
        release=replace(plain.release, version=HOSTILE, revision=HOSTILE, date=HOSTILE),
        genes=(item, *plain.genes),
        chemicals=(item,),
        diseases=(item,),
        largest=(item,),
        organisms=(data.Organism(item.iri, HOSTILE, 2, 1),),
        journals=replace(plain.journals, top=(item,)),
        mentions=(data.Mentions("gene", HOSTILE, "", 5),),
        rejected=(data.Reason(HOSTILE, HOSTILE, ("values",), 1, 1, 0, (HOSTILE,)),),
    )


class _Tags(HTMLParser):
    """The tags of a page, in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_hostile_texts_stay_texts(hostile: ReportData) -> None:
    text = page.render(hostile)
    tags = _Tags(text).tags
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert all(re.match(r"(https?://|#|data:,)", at["href"] or "") for _, at in tags if "href" in at)
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    assert text.count("&lt;script&gt;") > 12


def test_the_page_fetches_nothing_and_leads_to_what_is_there(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    tags = _Tags(text).tags
    assert not [attributes for _, attributes in tags if {"src", "srcset", "poster", "action"} & attributes.keys()]
    policy = next(at["content"] for _, at in tags if at.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    outside = [at for tag, at in tags if tag == "a" and not (at["href"] or "").startswith("#")]
    assert outside
    assert all(at["rel"] == "noopener" for at in outside)
    ids = [at["id"] for _, at in tags if "id" in at]
    assert len(ids) == len(set(ids))
    assert {(at["href"] or "")[1:] for _, at in tags if (at.get("href") or "").startswith("#")} <= set(ids)
    assert not re.search(r"url\((?!#)|@import|@font-face", text)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_plots_take_colour_and_font_from_the_page_and_shorten_labels() -> None:
    drawn = plots.bars(
        plots.Text("p", "Title & more", 'Alt "text"'),
        [HOSTILE, "#010101 font-family: a;"],
        [plots.Series("one", [1, 2]), plots.Series("two", [0, 3])],
    )
    assert drawn.startswith("<svg viewBox=")
    assert 'role="img" aria-label="Alt &quot;text&quot;"><title>Title &amp; more</title>' in drawn
    assert "#010101 font-family: a;" in drawn
    assert "font-family" not in drawn.replace("#010101 font-family: a;", "")
    assert not re.search(r"(fill|stroke)[:=]\s*\"?#", drawn)
    assert "<style" not in drawn
    assert "<metadata" not in drawn
    assert "…" in drawn
    assert "url(#h" in drawn, "the second series is hatched"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def written(releases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the generated corpus, with checks of every kind of result."""
    report = Report(
        [
            outcome(1, Severity.VIOLATION, Finding(FIGURE, "a value", "what is wrong")),
            outcome(2, Severity.VIOLATION),
            outcome(15, Severity.WARNING, *(Finding(FIGURE, str(n), "x" * 90) for n in range(30))),
            outcome(19, Severity.WARNING, reason="no list was given"),
        ]
    )
    gathered = data.gather(releases["corpus"], previous=releases["example"], validation=report)
    return page.write(gathered, tmp_path_factory.mktemp("page"))[0]


SIGHTS: list[tuple[int, Literal["light", "dark"]]] = [(1400, "light"), (1400, "dark"), (400, "light"), (400, "dark")]


@pytest.mark.parametrize(("width", "scheme"), SIGHTS)
def test_the_page_in_a_browser(browser: Browser, written: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    with opened(browser, written, width, scheme) as seen:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert _scroll(seen) <= width
        assert _plots_out_of_sight(seen) == []
        assert _too_faint(seen) == []
        assert seen.messages == []
        assert seen.requests == [written.resolve().as_uri()]


def test_a_hostile_page_runs_nothing(browser: Browser, hostile: ReportData, tmp_path: Path) -> None:
    file = page.write(hostile, tmp_path)[0]
    with opened(browser, file, 400) as seen:
        dialogs: list[str] = []
        seen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        assert _scroll(seen) <= 400
        assert seen.page.title() == f"PFOCR as RDF, release {HOSTILE}: report"
        assert (dialogs, seen.messages, seen.requests) == ([], [], [file.resolve().as_uri()])


def test_the_page_can_be_read_aloud(browser: Browser, written: Path) -> None:
    with opened(browser, written) as seen:
        found = seen.page.evaluate(
            """() => ({
              lang: document.documentElement.lang,
              title: document.title,
              headings: [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1]),
              plots: [...document.querySelectorAll('svg')].map(s => [s.getAttribute('role'),
                s.getAttribute('aria-label'), s.querySelector('title').textContent]),
              tables: [...document.querySelectorAll('table')].map(t => [t.caption?.textContent,
                [...t.querySelectorAll('thead th')].every(h => h.scope == 'col' && h.textContent.trim()),
                [...t.querySelectorAll('tbody tr')].every(r => r.querySelector('th[scope=row]')),
                new Set([...t.rows].map(r => r.cells.length)).size]),
              landmarks: ['header', 'nav[aria-label]', 'main', 'footer'].map(s => document.querySelectorAll(s).length),
              links: [...document.querySelectorAll('a')].every(a => a.textContent.trim()),
              unnamed: [...document.querySelectorAll('section')].filter(s => !s.querySelector('h2,h3')).length,
            })"""
        )
    assert (found["lang"], found["landmarks"], found["links"], found["unnamed"]) == ("en", [1, 1, 1, 1], True, 0)
    assert found["title"]
    levels = found["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(found["plots"]) == 8
    assert all(role == "img" and len(label) > 20 and title for role, label, title in found["plots"])
    assert len(found["tables"]) > 12
    assert all(caption and heads and rows and widths == 1 for caption, heads, rows, widths in found["tables"])


def test_on_paper_all_is_black_on_white_and_nothing_is_folded(browser: Browser, written: Path) -> None:
    with opened(browser, written, 700, "dark") as seen:
        seen.page.emulate_media(media="print")
        folded = "[...document.querySelectorAll('details table')].filter(t => !(t.checkVisibility() && t.offsetHeight))"
        assert seen.page.evaluate(f"{folded}.length") == 0
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not seen.page.is_visible("nav")


def test_what_is_asked_of_the_page_can_fail(browser: Browser, written: Path) -> None:
    with opened(browser, written, 400) as seen:
        seen.page.evaluate(
            """() => { const root = document.documentElement.style;
              root.setProperty('--soft', '#aaaaaa'); root.setProperty('--accent', '#dddddd');
              const [first, second] = document.querySelectorAll('svg text'); first.setAttribute('x', 900);
              for (const name of ['x', 'y']) document.querySelectorAll('svg text')[3].setAttribute(name,
                second.getAttribute(name)); }"""
        )
        faint = _too_faint(seen)
        assert "Report of a release" in faint
        assert any(text.startswith("a bar") for text in faint)
        assert len(_plots_out_of_sight(seen)) == 2
        seen.page.evaluate("document.querySelector('h1').style.width = '500px'")
        assert _scroll(seen) > 400


def _scroll(seen: Opened) -> int:
    width: int = seen.page.evaluate("document.documentElement.scrollWidth")
    return width


def _plots_out_of_sight(seen: Opened) -> list[str]:
    """Plots that are not shown, and texts of plots that stick out of them or lie on another one."""
    found: list[str] = seen.page.evaluate(
        """() => [...document.querySelectorAll('svg')].flatMap(svg => {
          const name = svg.querySelector('title').textContent, box = svg.getBoundingClientRect();
          if (!svg.checkVisibility() || box.width < 300 || box.height < 40) return [name];
          const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          const out = texts.filter(([, b]) => b.left < box.left - 1 || b.right > box.right + 1
            || b.top < box.top - 1 || b.bottom > box.bottom + 1);
          const over = texts.filter(([, a], i) => texts.some(([, b], j) => j > i
            && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.35 * Math.min(a.height, b.height)));
          return [...out, ...over].map(([text]) => `${name}: ${text}`);
        })"""
    )
    return found


def _too_faint(seen: Opened) -> list[str]:
    """Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3), and bars below 3 to 1."""
    found: list[str] = seen.page.evaluate(
        """() => {
          const rgb = c => (c.match(/[0-9.]+/g) || []).map(Number);
          const light = c => rgb(c).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
          const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (rgb(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
          const bad = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const e = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
            if (!text || !e.checkVisibility()) continue;
            const style = getComputedStyle(e), colour = e.closest('svg') ? style.fill : style.color;
            if (ratio(colour, behind(e)) < 4.5) bad.push(text);
          }
          for (const path of document.querySelectorAll('svg path[clip-path]')) {
            const fill = getComputedStyle(path).fill;
            if (fill.startsWith('rgb') && ratio(fill, behind(path)) < 3) bad.push('a bar: ' + fill);
          }
          return bad;
        }"""
    )
    return found
