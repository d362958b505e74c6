"""Pages that are made are up to date, and say all that what they are made from says."""

from __future__ import annotations

import re

import pytest

from pfocr_rdf import vocab
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.model import LEXICONS
from pfocr_rdf.questions import all_questions
from tests.support import ROOT
from tests.test_docs import ALL, blocks, options
from tools.make_pages import MARK, pages

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


@pytest.mark.parametrize("name", ["questions.md", "terms.md", "cli.md"])
def test_a_made_page_is_up_to_date(name: str, made: dict[str, str]) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == made[name], "run `make pages`"


def test_each_question_stands_on_its_page_with_its_query() -> None:
    shown = [block.text for block in blocks(DOCS / "questions.md") if block.language == "sparql"]
    ours = {f"PREFIX {prefix}: <{space}>\n" for prefix, space in PREFIXES.items()}
    for question in all_questions():
        code = "".join(line for line in question.text.splitlines(keepends=True) if line not in ours).strip()
        assert sum(text.strip() == re.sub(r"\n\n(?=SELECT)", "\n", code) for text in shown) == 1, question.name
        assert f"### {question.number}. {question.title}\n" in (DOCS / "questions.md").read_text(encoding="utf-8")
    assert len(shown) == len(all_questions())


def test_what_a_page_says_above_its_made_part_is_kept(made: dict[str, str]) -> None:
    before, mark, _ = made["questions.md"].partition(MARK)
    assert mark
    assert before.startswith("# Questions and answers\n")


def test_each_own_term_and_each_lexicon_stands_on_the_page_of_terms(made: dict[str, str]) -> None:
    own = {value for value in vars(vocab).values() if isinstance(value, str) and value.startswith("pfocr:")}
    assert set(re.findall(r"^### (\S+)$", made["terms.md"], re.MULTILINE)) == own
    assert all(f"| `{name}` |" in made["terms.md"] for name in LEXICONS)
    for section in made["terms.md"].split("\n### ")[1:]:
        assert re.match(r"pfocr:\w+\n\n[A-Z].{60,}\.\n", section)
        assert all(f"\n| {row} | " in section for row in ("IRI", "label", "stands on", "value", "times"))


@pytest.mark.parametrize("name", ALL)
def test_each_command_stands_on_the_page_of_commands_with_its_options(name: str, made: dict[str, str]) -> None:
    _, found, section = made["cli.md"].partition(f"# {name}\n")
    assert found
    section = re.split(r"\n##+ ", section)[0]
    assert options(ALL[name]) <= set(re.findall(r"--[a-z-]+", section))
    assert re.match(r"\n[A-Z]", section), "no help text"
