"""The page of all checks is what their heads say."""

from __future__ import annotations

from pfocr_rdf.validation.checks import all_checks
from tools.write_checks import PAGE, page


def test_the_page_is_up_to_date() -> None:
    """Run `python -m tools.write_checks` when a check changed."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_tells_what_why_and_how_to_mend() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for check in all_checks():
        assert f"## {check.id}: {check.title}\n" in text
        assert all(words in text for words in (check.what, check.why, check.mend))


def test_each_check_is_numbered_once() -> None:
    numbers = [check.number for check in all_checks()]
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
