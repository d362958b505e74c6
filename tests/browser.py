"""Pages in the system's Chromium, without a network: what they ask for, and what the browser complains of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.support import require_tool, unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Opened:
    """A page, and what was seen while it was open: messages, addresses that were asked for."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, or skip the running test."""
    program = require_tool("chromium", "chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright is not installed (make env)")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(program), args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, width: int = 1400, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Opened]:
    """Open a file in a window of a width, in light or dark."""
    with opened_at(browser, file.resolve().as_uri(), width, scheme) as seen:
        yield seen


@contextmanager
def opened_at(
    browser: Browser, address: str, width: int = 1400, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Opened]:
    """Open an address in a window of a width, in light or dark."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    seen = Opened(page)
    page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    try:
        page.goto(address)
        yield seen
    finally:
        page.close()
