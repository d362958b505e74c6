"""The site of the documentation: it builds without a warning, and works in a browser that has no network."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.support import ROOT, require_tool, unavailable

SCREENSHOTS = ROOT / "build" / "screenshots"
FETCHING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
"""Elements whose address a browser fetches by itself; `link` only with some relations."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode."""
    if find_spec("material") is None:
        unavailable("mkdocs-material is not installed (make env)")
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr.strip(), done.stdout.strip()) == (0, "", "")
    return folder


class Page(HTMLParser):
    """What a page fetches, where it leads, which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in FETCHING and values.get("rel", "") not in ("canonical", "prev", "next", "alternate"):
            self.fetched += [values[FETCHING[tag]]] if FETCHING[tag] in values else []


def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_of_the_documentation_is_in_the_site_and_in_its_menu(site: Path) -> None:
    start = Page((site / "index.html").read_text(encoding="utf-8"))
    menu = {link.partition("#")[0] for link in start.links}
    assert {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} - {"index.html"} <= menu
    assert {"overview.html", "contributing.html", "changelog.html", "results.html", "ontologies.html"} <= menu


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    for path, page in pages(site).items():
        assert page.fetched, path
        for address in page.fetched:
            assert not urlsplit(address).netloc, f"{path.name}: {address}"
    for path in site.rglob("*.css"):
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", path.read_text(encoding="utf-8")):
            assert not urlsplit(address).netloc, f"{path.name}: {address}"


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    found = pages(site)
    broken = []
    for path, page in found.items():
        if path.name == "404.html":  # its links are from the root of a server
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not place.is_file() or (anchor and place in found and anchor not in found[place].anchors):
                broken.append(f"{path.name}: {link}")
    assert not broken


def test_marks_that_tests_read_are_not_shown_and_code_is_coloured(site: Path) -> None:
    text = (site / "questions.html").read_text(encoding="utf-8")
    assert "sparql example" not in text
    assert text.count('<span class="k">SELECT</span>') >= 31


def test_a_page_that_the_menu_does_not_name_stands_under_more(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (make env)")
    from mkdocs.config.defaults import MkDocsConfig

    from tools.site_hooks import on_config

    for name in ("named.md", "other.md"):
        (tmp_path / name).write_text("# Title\n", encoding="utf-8")
    config = MkDocsConfig()
    config.load_dict({"docs_dir": str(tmp_path), "nav": [{"A": [{"B": "named.md"}]}]})
    on_config(config)
    assert config.nav == [{"A": [{"B": "named.md"}]}, {"More": ["other.md"]}]


def test_links_to_files_outside_the_documentation_lead_to_copies(site: Path) -> None:
    text = (site / "model.html").read_text(encoding="utf-8")
    assert 'href="files/ontologies/pfocr.ttl"' in text
    for name in ("ontologies/pfocr.ttl", "docs/example/README.rst", "LICENSE"):
        assert (site / "files" / name).read_bytes() == (ROOT / name).read_bytes()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium of the system."""
    program = require_tool("chromium", "chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright is not installed (make env)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(program), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """A page of the browser; what goes wrong in it, and what it asks of other places, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def judge(route: Any) -> None:
        address = route.request.url
        if address.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            route.continue_()
        else:
            wrong.append(f"asks for {address}")
            route.abort()

    context.route("**/*", judge)
    yield page
    context.close()
    assert wrong == []


def search(page: Any, start: str, word: str) -> str:
    """Open a page, search for a word, follow the first result; return its address."""
    page.goto(start)
    page.keyboard.press("/")
    page.keyboard.type(word)
    page.wait_for_selector(".md-search-result__item a", timeout=30_000)
    page.screenshot(path=SCREENSHOTS / "site-search.png")
    page.locator(".md-search-result__item a").first.click()
    page.wait_for_url(lambda address: address.partition("?")[0] != start)
    page.wait_for_load_state("networkidle")
    return str(page.url)


def test_search_works_from_a_server(site: Path, opened: Any) -> None:
    with served(site) as base:
        assert "/terms.html" in search(opened, f"{base}/index.html", "strictGeneCount")


def test_search_works_from_a_disk(site: Path, opened: Any) -> None:
    assert "/terms.html" in search(opened, (site / "index.html").as_uri(), "strictGeneCount")


@pytest.mark.parametrize("name", ["index", "load", "questions", "terms", "cli"])
def test_pages_open_and_fit_in_a_wide_and_in_a_narrow_window(site: Path, opened: Any, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        opened.set_viewport_size({"width": width, "height": 900})
        opened.goto((site / f"{name}.html").as_uri())
        assert opened.locator("article h1").count() == 1
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        opened.screenshot(path=SCREENSHOTS / f"site-{name}{'' if width > 400 else '-narrow'}.png")
        assert opened.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_the_dark_scheme_can_be_chosen(site: Path, opened: Any) -> None:
    opened.goto((site / "model.html").as_uri())
    opened.locator("label[title=Dark]").click()
    assert opened.evaluate("document.body.dataset.mdColorScheme") == "slate"
    opened.screenshot(path=SCREENSHOTS / "site-dark.png")
