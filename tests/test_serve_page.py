"""The page to ask on: it works in a browser, asks nobody but its server, and has the questions ready."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfocr_rdf import questions
from pfocr_rdf.questions import Question, Slot
from pfocr_rdf.serve import page
from pfocr_rdf.serve.pool import Limits
from tests.browser import Opened, chromium, opened_at
from tests.serving import Serving, built, serving
from tests.support import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = ROOT / "build" / "screenshots"
PICKED = "05-figures-of-gene"
GENES = "SELECT ?g { ?f schema:mentions ?g FILTER (CONTAINS(STR(?g), 'ncbigene')) } ORDER BY ?g LIMIT 1"
LIMITS = Limits(60, 1000, 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("page")
    with serving(built(folder / "build"), folder) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.parametrize("question", questions.all_questions(), ids=lambda question: question.name)
def test_the_pieces_of_a_question_are_the_question(question: Question) -> None:
    pieces = question.pieces()
    assert "".join(part if isinstance(part, str) else part.text for part in pieces) == question.text
    assert {part.parameter for part in pieces if isinstance(part, Slot)} == set(question.parameters)
    counted = {part.parameter for part in pieces if isinstance(part, Slot) and part.tail is not None}
    assert counted == set(question.lengths)


def test_questions_to_others_are_there_only_where_these_may_be_called() -> None:
    asked = questions.all_questions()
    names = {each["name"] for each in page.listed(asked, LIMITS)}
    assert names == {question.name for question in asked if not question.services}
    called = next(question for question in asked if question.services)
    more = Limits(60, 1000, 2, called.services)
    assert called.name in {each["name"] for each in page.listed(asked, more)}


def test_no_text_of_a_question_ends_the_program_that_holds_it() -> None:
    assert "<" not in page._script("</script><!--<script>")
    assert json.loads(page._script("</script>&")) == "</script>&"


@pytest.mark.parametrize("width", [1400, 400])
def test_a_question_is_picked_asked_and_answered(browser: Browser, server: Serving, width: int) -> None:
    gene = f"<{server.get(GENES).rows()[0]['g']}>"
    with opened_at(browser, f"{server.url}/", width) as seen:
        seen.page.wait_for_selector(".yasqe .CodeMirror")
        seen.page.select_option("#question", PICKED)
        assert seen.page.input_value('#parameters input[name="gene"]').startswith("<https://identifiers.org/ncbigene/")
        seen.page.fill('#parameters input[name="gene"]', gene)
        assert gene in _query(seen)
        assert _query(seen).startswith("# Which figures")
        seen.page.click("#run")
        seen.page.wait_for_selector(".yasr table tbody tr td")
        rows = seen.page.locator(".yasr table tbody tr").count()
        assert rows == len(server.post(_query(seen)).rows()) > 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=SCREENSHOTS / f"serve-{width}.png", full_page=True)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.messages == []
        assert {url for url in seen.requests if not url.startswith((f"{server.url}/", "data:"))} == set()


def test_each_question_of_the_page_runs(browser: Browser, server: Serving) -> None:
    with opened_at(browser, f"{server.url}/") as seen:
        names = [question.name for question in questions.all_questions() if not question.services]
        listed = "[...document.querySelectorAll('#question option')].map(o => o.value).filter(Boolean)"
        assert sorted(seen.page.evaluate(listed)) == names
        for name in names:
            seen.page.select_option("#question", name)
            got = server.post(_query(seen))
            assert got.status == 200, f"{name}: {got.text}"


def test_what_is_no_term_does_not_get_into_the_query(browser: Browser, server: Serving) -> None:
    with opened_at(browser, f"{server.url}/") as seen:
        seen.page.select_option("#question", PICKED)
        before = _query(seen)
        for hostile in ("<x> } CLEAR ALL #", '"a" . ?s ?p ?o', "", "?x", "<a b>", "<http://a> <http://b>"):
            seen.page.fill('#parameters input[name="gene"]', hostile)
            assert _query(seen) == before
            assert seen.page.evaluate("document.querySelector('#parameters input').checkValidity()") is False
        seen.page.click("#run")
        assert _query(seen) == before


def test_an_error_is_shown(browser: Browser, server: Serving) -> None:
    with opened_at(browser, f"{server.url}/") as seen:
        seen.page.evaluate("yasgui.getTab().getYasqe().setValue('SELECT * { nope:x ?p ?o }')")
        seen.page.evaluate("yasgui.getTab().getYasqe().query().catch(() => {}); 0")
        seen.page.wait_for_selector("text=the query cannot be read")


def test_the_page_can_be_read_aloud(browser: Browser, server: Serving) -> None:
    with opened_at(browser, f"{server.url}/") as seen:
        seen.page.select_option("#question", PICKED)
        unnamed = seen.page.evaluate(
            "[...document.querySelectorAll('#ask select, #ask input')].filter(e => !e.labels.length).length"
        )
        assert unnamed == 0
        assert seen.page.evaluate("[document.documentElement.lang, document.querySelectorAll('h1').length]") == [
            "en",
            1,
        ]


def _query(seen: Opened) -> str:
    text: str = seen.page.evaluate("yasgui.getTab().getYasqe().getValue()")
    return text


def test_the_policy_lets_a_page_ask_this_server_alone(server: Serving) -> None:
    got = server.send("GET", "/")
    policy = dict(part.strip().partition(" ")[::2] for part in got.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == policy["script-src"] == "'self'"
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", got.text)
    assert Path(page.__file__).with_name("assets").joinpath("page.html").exists()
