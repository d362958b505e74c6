"""What the documentation shows is what happens: commands, queries and programs are run, tables and links compared.

In README.md and docs/*.md a `sh` block is a session: a line that begins with `$ ` is run, the lines below it are
what it prints, and a line `...` stands for any lines. A `sparql` block says after its name what it is asked of: `seeds`
or `example` (then a `text` block with the answer follows), `remote` (other people's endpoints) or `release` (what only
a published release has); these two must parse, and tests/test_questions.py asks them. A `python` block is run; a `text`
block that follows is what it prints.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
import typer
from typer.core import TyperOption
from typer.testing import CliRunner

from pfocr_rdf import build, vocab
from pfocr_rdf.cli import app
from pfocr_rdf.errors import REJECTIONS, WARNINGS
from pfocr_rdf.export.derived import DERIVED
from pfocr_rdf.model import LEXICONS, Layer
from pfocr_rdf.pipeline import Options
from pfocr_rdf.query import PREFIXES
from tests.support import ROOT, SEEDS

DOCS = ROOT / "docs"
EXAMPLE = DOCS / "example"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
LINKING = [
    *PAGES,
    *sorted(ROOT.glob("C*.md")),
    ROOT / "ontologies" / "README.md",
    ROOT / "tests" / "fixtures" / "README.md",
]
NOT_RUN = {
    "python -m flows.build --source https://github.com/wikipathways/pfocr-database --out output/pfocr --workers 2": (
        "needs the network; tests/test_flows.py runs the program"
    ),
    "make run": "makes the environment that runs this test; what it prints last is compared as a query of `seeds`",
    "make test": "runs this test",
    "pfocr-rdf build https://github.com/wikipathways/pfocr-database --out output/pfocr": "needs the network",
    "python -m flows.build --source pfocr-database --out output/pfocr --workers 4": "needs a checkout of all of PFOCR",
}
"""Commands that pages show and no test runs, with the reason."""

FENCE = re.compile(r"^```(.*)\n((?:(?!```).*\n)*)```$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the text of the `text` block right below it (None without one)."""

    page: Path
    line: int
    language: str
    mark: str
    text: str
    answer: str | None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    made = []
    for number, match in enumerate(found):
        following = found[number + 1] if number + 1 < len(found) else None
        close = following is not None and following[1] == "text" and not text[match.end() : following.start()].strip()
        language, _, mark = match[1].partition(" ")
        line = text.count("\n", 0, match.start()) + 1
        made.append(Block(page, line, language, mark, match[2], following[2] if following and close else None))
    return made


def named(language: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.language == language]


def session(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a `sh` block, each with what it prints."""
    if not block.text.startswith("$ "):
        raise ValueError(f"{block.place}: a sh block begins with `$ `; use another language for what is not run")
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def agrees(shown: str, printed: str) -> bool:
    """Whether a text is what was printed, each line `...` standing for any lines. Blanks at line ends do not count."""
    lines = [line.rstrip() for line in shown.rstrip().split("\n")]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in lines)
    actual = "".join(line.rstrip() + "\n" for line in printed.rstrip().split("\n"))
    return re.fullmatch(pattern, actual) is not None


def programs() -> dict[str, str]:
    """The environment of a reader who has activated the environment: the commands are found, output is plain."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "FORCE_COLOR", "COLUMNS", "TERM")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUTF8": "1"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what a reader's checkout has and the examples use."""
    shutil.copytree(SEEDS, tmp_path / "seeds")
    shutil.copytree(EXAMPLE, tmp_path / "docs" / "example")
    shutil.copytree(ROOT / "ontologies" / "queries", tmp_path / "ontologies" / "queries")
    return tmp_path


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds of the sources that queries name."""
    folder = tmp_path_factory.mktemp("builds")
    sources = {"seeds": SEEDS, "example": EXAMPLE}
    return {name: build(str(source), folder / name, Options()).folder for name, source in sources.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_prints_what_the_page_shows(page: Path, checkout: Path) -> None:
    wrong = []
    for block in blocks(page):
        for command, shown in session(block) if block.language == "sh" else []:
            if command in NOT_RUN:
                continue
            done = subprocess.run(
                ["bash", "-c", command], cwd=checkout, env=programs(), capture_output=True, text=True, check=False
            )
            if not agrees(shown, done.stdout + done.stderr):
                wrong.append(f"{block.place}: $ {command}\n{done.stdout}{done.stderr}")
    assert not wrong, "\n".join(wrong)


def test_commands_that_are_not_run_are_still_shown() -> None:
    shown = {command for block in named("sh") for command, _ in session(block)}
    assert set(NOT_RUN) <= shown


@pytest.mark.parametrize("block", named("sparql"), ids=lambda block: block.place)
def test_each_query_parses_and_gives_the_answer_shown(block: Block, builds: dict[str, Path]) -> None:
    if block.mark in ("remote", "release"):
        ox.Store().query(PREFIXES + block.text.replace("SERVICE", "GRAPH"))  # as an endpoint it would be asked
        return
    assert block.answer is not None, "a local query is followed by its answer"
    done = CliRunner().invoke(app, ["query", "-", "--on", str(builds[block.mark])], input=block.text)
    assert done.exit_code == 0, done.output
    assert agrees(block.answer, done.output), done.output


@pytest.mark.parametrize("block", named("python"), ids=lambda block: block.place)
def test_each_program_runs_and_prints_what_the_page_shows(block: Block, checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=checkout, env=programs(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert agrees(block.answer or "", done.stdout), done.stdout


def test_the_query_of_make_run_is_shown_with_its_answer() -> None:
    query = (DOCS / "queries" / "seed-genes.rq").read_text(encoding="utf-8")
    code = "\n".join(line for line in query.splitlines() if not line.startswith("#")).strip()
    shown = [block.text.strip() for block in blocks(ROOT / "README.md") if block.mark == "seeds"]
    assert code in shown


def commands(command: Any, name: str) -> dict[str, Any]:
    """Return a command and all below it, by the words that call them."""
    found = {name: command}
    for word, child in getattr(command, "commands", {}).items():
        found |= commands(child, f"{name} {word}")
    return found


ALL = commands(typer.main.get_command(app), "pfocr-rdf")


def options(command: Any) -> set[str]:
    """Return the long names of a command's options; `--help` is none of them."""
    return {max(option.opts, key=len) for option in command.params if isinstance(option, TyperOption)} - {"--help"}


@pytest.mark.parametrize("name", ALL)
def test_each_command_and_option_is_mentioned(name: str) -> None:
    written = [page for page in PAGES if page != DOCS / "cli.md"]  # which is made from the commands
    text = "\n".join(page.read_text(encoding="utf-8") for page in written)
    missing = [word for word in {name, *options(ALL[name])} if word not in text]
    assert not missing


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    assert found, f"{page.name} has no {heading!r}"
    table = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def test_table_of_options_is_that_of_build() -> None:
    listed = {row[0].split("`")[1] for row in rows(ROOT / "README.md", "### Options of `build`")}
    assert listed == options(ALL["pfocr-rdf build"])


def test_table_of_layers_is_that_of_the_model() -> None:
    listed = [row[0].strip("` ") for row in rows(ROOT / "README.md", "## Layers")]
    assert listed == [layer.filename for layer in Layer]


@pytest.mark.parametrize(("heading", "codes"), [("## Refused", REJECTIONS), ("## Warnings", WARNINGS)])
def test_tables_of_codes_are_those_of_the_package(heading: str, codes: dict[str, str]) -> None:
    listed = [(row[0].strip("` "), row[1].strip()) for row in rows(DOCS / "records.md", heading)]
    assert listed == list(codes.items())


def test_model_names_each_term_lexicon_and_layer() -> None:
    text = (DOCS / "model.md").read_text(encoding="utf-8")
    terms = {value for name, value in vars(vocab).items() if name.isupper() and ":" in value}
    missing = sorted(word for word in {*terms, *LEXICONS, *map(str, Layer)} if f"`{word}`" not in text)
    assert not missing


def test_model_lists_what_does_not_come_back() -> None:
    _, _, rest = (DOCS / "model.md").read_text(encoding="utf-8").partition("\n### What does not come back\n")
    listed = re.findall(r"^- (.+)[;.]$", rest.partition("\n## ")[0], re.MULTILINE)
    assert listed == list(DERIVED.values())


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_the_picture_is_whole_by_itself() -> None:
    picture = ElementTree.parse(DOCS / "model.svg").getroot()  # noqa: S314 - our own file
    assert {element.tag.rpartition("}")[2] for element in picture.iter()}.isdisjoint({"image", "use", "script", "a"})
    references = re.findall(r"(?:href=|url\(|@import)\s*([^)\s;]+)", (DOCS / "model.svg").read_text(encoding="utf-8"))
    assert references
    assert all(reference.startswith("#") for reference in references)
    assert "](docs/model.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_is_invented_and_described_figure_by_figure() -> None:
    found = sorted((EXAMPLE / "_figures").iterdir())
    listed = re.findall(r"^(PMC\S+)", (EXAMPLE / "README.rst").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [path.stem for path in found]
    assert all(name.startswith("PMC91000") for name in listed)
    dois = re.findall(r"^doi: (\S+)", "".join(path.read_text(encoding="utf-8") for path in found), re.MULTILINE)
    assert all(doi == ".na.character" or doi.startswith("10.5555/") for doi in dois)


def test_readme_beside_the_seeds_is_no_record(builds: dict[str, Path]) -> None:
    assert (SEEDS / "README.rst").is_file()
    assert (builds["seeds"] / "rejected.jsonl").read_text(encoding="utf-8") == ""
    assert (builds["seeds"] / "warnings.jsonl").read_text(encoding="utf-8") == ""
