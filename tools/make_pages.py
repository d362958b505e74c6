"""Writes the pages of `docs/` that are made from something else: `python tools/make_pages.py` (`make pages`).

- `questions.md`, below its mark: the queries of `ontologies/queries`, with the answers that `docs/example` gives;
- `terms.md`: the vocabulary and the lexicons, from `ontologies/pfocr.ttl` and `ontologies/lexicon.ttl`;
- `cli.md`: the commands and their options, from the program.

`tests/test_pages.py` holds that they are up to date.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import typer
from typer.testing import CliRunner

from pfocr_rdf import build
from pfocr_rdf.cli import app
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.pipeline import Options
from pfocr_rdf.query import short
from pfocr_rdf.questions import Question, all_questions
from pfocr_rdf.resources import read_text

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = "<!-- From here on this page is made by tools/make_pages.py. -->\n"
MADE = "<!-- This page is made by tools/make_pages.py. -->\n"
ROWS = 12
"""So many rows of an answer are shown."""

RELEASE = "The release"
"""The category of questions that only a published release answers."""


def questions_page(before: str, example: Path) -> str:
    """Return the page of questions: what stands before the mark, then each question with the answer of a build."""
    head, mark, _ = before.partition(MARK)
    if not mark:
        raise ValueError("questions.md has lost the line below which it is made")
    found = all_questions()
    parts = [head + mark]
    for category in dict.fromkeys(question.category for question in found):
        parts.append(f"## {category}\n")
        parts += [_question(question, example) for question in found if question.category == category]
    return "\n".join(parts)


def _question(question: Question, example: Path) -> str:
    others = {prefix: space for prefix, space in question.prefixes.items() if prefix not in PREFIXES}
    text = "".join(f"PREFIX {prefix}: <{space}>\n" for prefix, space in others.items()) + question.body
    mark = "remote" if question.services else "release" if question.category == RELEASE else "example"
    file = f"[{question.name}.rq](../ontologies/queries/{question.name}.rq)"
    parts = [f"### {question.number}. {question.title}\n", f"{question.description} ({file})\n"]
    parts.append(f"```sparql {mark}\n{text}```\n")
    if mark == "example":
        parts.append(f"```text\n{_answer(text, example)}```\n")
    return "\n".join(parts)


def _answer(text: str, example: Path) -> str:
    """Return the table that the command prints, without most rows of a long one."""
    done = CliRunner().invoke(app, ["query", "-", "--on", str(example)], input=text)
    if done.exit_code:
        raise ValueError(done.output)
    lines = [line.rstrip() for line in done.output.splitlines()]
    body = [number for number, line in enumerate(lines) if line.startswith("│")]
    if len(body) > ROWS:
        lines[body[ROWS - 2] : body[-1]] = ["..."]
    return "\n".join(lines) + "\n"


def terms_page() -> str:
    """Return the page of terms: what the vocabulary and the lexicons say, and the prefixes."""
    ontology, lexicons = _read("pfocr.ttl"), _read("lexicon.ttl")
    version = ontology[f"{PREFIXES['pfd']}vocab"]["owl:versionInfo"][0].value
    parts = [
        "# Terms\n",
        MADE,
        f"The vocabulary `pfocr:` = `{PREFIXES['pfocr']}`, version {version}, from "
        "[pfocr.ttl](../ontologies/pfocr.ttl): what no vocabulary in wide use offers. Why each is needed is told in "
        "[ontologies/README.md](../ontologies/README.md), where each stands in [model.md](model.md).\n",
        "## Properties\n",
    ]
    for iri, said in sorted(ontology.items()):
        if iri.startswith(PREFIXES["pfocr"]):
            parts.append(_property(iri, said))
    parts.append("## Lexicons\n")
    parts.append(
        "Where the words of figures were looked up, from [lexicon.ttl](../ontologies/lexicon.ttl): "
        f"`{PREFIXES['pfd']}lexicon/NAME`. Lexicons of genes stand below one of three levels.\n"
    )
    parts.append("| name | below | definition |\n|---|---|---|")
    parts += _lexicons(lexicons)
    parts.append("\n## Prefixes\n")
    parts.append("Those of all files, ready to be put before a query ([prefixes.json](../ontologies/prefixes.json)).\n")
    parts.append("```turtle\n" + "".join(f"PREFIX {p}: <{space}>\n" for p, space in PREFIXES.items()) + "```\n")
    return "\n".join(parts)


def _read(name: str) -> dict[str, dict[str, list[Any]]]:
    """Return what a shipped file says: subject to predicate, by its short name, to objects."""
    found: dict[str, dict[str, list[Any]]] = {}
    for triple in ox.parse(read_text(name), format=ox.RdfFormat.TURTLE):
        subject = str(triple.subject).strip("<>")
        found.setdefault(subject, {}).setdefault(short(triple.predicate), []).append(triple.object)
    return found


def _property(iri: str, said: dict[str, list[Any]]) -> str:
    name = short(ox.NamedNode(iri))
    kinds = {short(kind) for kind in said["rdf:type"]}
    rows = {
        "IRI": f"`{iri}`",
        "label": said["rdfs:label"][0].value,
        "stands on": ", ".join(f"`{short(term)}`" for term in said.get("rdfs:domain", [])) or "things of several kinds",
        "value": ", ".join(f"`{short(term)}`" for term in said["rdfs:range"]),
        "times": "at most one" if "owl:FunctionalProperty" in kinds else "any number",
    }
    head, *others = (f"| {key} | {value} |\n" for key, value in rows.items())
    return f"### {name}\n\n{said['skos:definition'][0].value}\n\n{head}|---|---|\n{''.join(others)}"


def _lexicons(said: dict[str, dict[str, list[Any]]]) -> Iterator[str]:
    for iri, facts in sorted(said.items()):
        if "skos:definition" in facts and "skos:inScheme" in facts:
            above = ", ".join(f"`{term.value.rpartition('/')[2]}`" for term in facts.get("skos:broader", []))
            yield f"| `{iri.rpartition('/')[2]}` | {above} | {facts['skos:definition'][0].value} |"


def cli_page() -> str:
    """Return the page of commands."""
    parts = [
        "# Commands\n",
        MADE,
        "Every command with its arguments and options, as `pfocr-rdf COMMAND --help` lists them. What they are for, "
        "with examples and what they print, stands in the [README](../README.md#the-command-line).\n",
    ]
    parts += _commands(typer.main.get_command(app), "pfocr-rdf", 2)
    return "\n".join(parts)


def _commands(command: Any, name: str, depth: int) -> Iterator[str]:
    context = typer.Context(command, info_name=name)
    yield f"{'#' * depth} {name}\n"
    yield f"{(command.help or '').strip()}\n"
    yield f"```console\n{name} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    for kind in ("argument", "option"):
        found = [each for each in command.params if each.param_type_name == kind and each.name != "help"]
        if rows := [_row(*record) for each in found if (record := each.get_help_record(context))]:
            yield f"| {kind} | meaning | default |\n|---|---|---|\n" + "".join(rows)
    if command.epilog:
        lines = command.epilog.partition(": ")[2].split(" | ")
        yield "For example:\n\n```console\n" + "".join(f"{line}\n" for line in lines) + "```\n"
    for word, child in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(child, f"{name} {word}", min(depth + 1, 3))


def _row(names: str, said: str) -> str:
    """Return a row of a table from the two columns of a help text, where the default stands in brackets at the end."""
    meaning, more = re.fullmatch(r"(.*?)(?:\s+\[(.*)\])?", said, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = (more or "").removeprefix("default: ").split("; ")
    cells = (f"`{names}`", meaning, ", ".join(part.replace("(", "").replace(")", "") for part in parts))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def pages() -> dict[str, str]:
    """Return the names of the pages and their texts, as they should be."""
    with tempfile.TemporaryDirectory(prefix="pfocr-rdf-pages-") as folder:
        example = build(str(DOCS / "example"), Path(folder) / "build", Options()).folder
        before = (DOCS / "questions.md").read_text(encoding="utf-8")
        return {"questions.md": questions_page(before, example), "terms.md": terms_page(), "cli.md": cli_page()}


def main() -> None:
    """Write the pages that are not as they should be, and say which."""
    for name, text in pages().items():
        path = DOCS / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
