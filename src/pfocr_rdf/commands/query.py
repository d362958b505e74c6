"""`query`: ask a build, a store's folder or an endpoint, in SPARQL or by one of the questions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pfocr_rdf import parameters, printing, questions
from pfocr_rdf.errors import UsageError
from pfocr_rdf.options import DEFAULT_BUILD, ResultFormat
from pfocr_rdf.questions import Question

app = typer.Typer()
Ask = Callable[[str], Any]


@app.command(epilog="Example: pfocr-rdf query --name figures-of-gene --param gene=7157 --on output/build")
def query(
    text: Annotated[str | None, typer.Argument(metavar="TEXT|-", help="A SPARQL query; - reads it from input.")] = None,
    on: Annotated[
        str,
        typer.Option(metavar="RELEASE|DIR|URL", help="A build or release, an Oxigraph folder, or a SPARQL endpoint."),
    ] = str(DEFAULT_BUILD),
    file: Annotated[Path | None, typer.Option(help="Read the query from a file.")] = None,
    name: Annotated[str | None, typer.Option(help="Ask a question by its number or name; see --list.")] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the question; may be given again.")
    ] = None,
    form: Annotated[ResultFormat, typer.Option("--format", help="Form of the answer.")] = ResultFormat.TABLE,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Give up after so long; endpoints have 600.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the questions with their parameters.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the question's query and do not ask it.")] = False,
) -> None:
    """Ask in SPARQL (the project's prefixes need no declaration), or ask one of the questions by its name."""
    if list_:
        _list(as_json=form is ResultFormat.JSON)
        return
    if sum(given is not None for given in (text, file, name)) != 1:
        raise UsageError("give the query as TEXT, as - (standard input), with --file or with --name; one of them")
    if name is None and (param or show):
        raise UsageError("--param and --show are for questions; name one with --name (--list shows them)")
    if name is None:
        sparql = _read_query(text, file)
        with _opened(on, timeout) as ask:
            _print(ask(sparql), form)
        return
    question = questions.named(name)
    if question.services and not show and "://" not in on:
        others = ", ".join(question.services)
        raise UsageError(
            f"question {question.number} asks {others} too, which the embedded store cannot do; give the address of a "
            "served store with --on, or print the query with --show"
        )
    sparql = _filled(question, param or (), on, timeout)
    if show:
        printing.write_out(sparql)
        return
    with _opened(on, timeout) as ask:
        _print(ask(sparql), form)


def _filled(question: Question, given: Sequence[str], on: str, timeout: float | None) -> str:
    """Return a question's query with what is given for its parameters; the graph is asked only for names."""

    def look_up(class_: str, label: str) -> list[tuple[str, str]]:
        about = f"SELECT DISTINCT ?thing ?of {{ ?thing a {class_} ; rdfs:label {label} ."
        with _opened(on, timeout) as ask:
            rows = ask(f"{about} OPTIONAL {{ ?thing schema:taxonomicRange / rdfs:label ?of }} }}")
            return [(row["thing"].value, row["of"].value if row["of"] else "") for row in rows]

    return question.asking(parameters.terms(question, given, look_up))


@contextmanager
def _opened(on: str, timeout: float | None) -> Iterator[Ask]:
    """Yield what answers queries: a build or folder in the embedded store, or an endpoint."""
    from pfocr_rdf import query as asking

    if "://" in on:
        from pfocr_rdf.stores import asking as remote
        from pfocr_rdf.stores import http

        with http.opened(on) as link, remote.readable(link):
            yield lambda text: remote.ask(link, asking.declared(text), timeout)
    else:
        with asking.open_store(Path(on)) as store, asking.one_line_errors():
            yield lambda text: asking.ask(store, text, timeout)


def _print(answer: Any, form: ResultFormat) -> None:
    """Print an answer in a form that it can have."""
    import pyoxigraph as ox

    if not isinstance(answer, ox.QuerySolutions | ox.QueryBoolean):
        if form in (ResultFormat.CSV, ResultFormat.JSON):
            raise UsageError(f"--format {form} is for SELECT and ASK; this query makes a graph: use turtle")
        printing.write_out(printing.graph_text(answer))
    elif form is ResultFormat.TURTLE:
        raise UsageError("--format turtle is for CONSTRUCT and DESCRIBE; use table, csv or json")
    elif form is ResultFormat.TABLE:
        printing.print_answer(answer)
    else:
        kind = ox.QueryResultsFormat.CSV if form is ResultFormat.CSV else ox.QueryResultsFormat.JSON
        if isinstance(answer, ox.QueryBoolean) and form is ResultFormat.CSV:
            printing.write_out(f"{bool(answer)}\n".lower())
        else:
            text = (answer.serialize(format=kind) or b"").decode("utf-8").replace("\r\n", "\n")
            printing.write_out(text if text.endswith("\n") else f"{text}\n")


def _list(*, as_json: bool) -> None:
    """Print all questions: number, name, title, and each parameter with the value that it has without being given."""
    found = questions.all_questions()
    if as_json:
        listed = [
            {"number": each.number, "name": each.tail, "title": each.title, "category": each.category}
            | {"parameters": dict(parameters.defaults(each)), "services": list(each.services)}
            for each in found
        ]
        printing.write_out(json.dumps(listed, indent=2, ensure_ascii=False) + "\n")
        return
    for each in found:
        printing.write_out(f"{each.number:>2} {each.tail}: {each.title}\n")
        for name, value in parameters.defaults(each).items():
            printing.write_out(f"     {name}={value}\n")


def _read_query(text: str | None, file: Path | None) -> str:
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        found = sys.stdin.read() if text == "-" else str(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file or 'standard input'}: cannot be read ({error})") from error
    if any("\ud800" <= char <= "\udfff" for char in found):
        raise UsageError("the query is no text in UTF-8")
    return found
