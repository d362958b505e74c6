"""What the command line prints: progress, tables, problems, answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pfocr_rdf.errors import Problem

SHOWN = 20
"""Problems that are printed one by one; all of them stand in rejected.jsonl and warnings.jsonl."""

EXAMPLES = 3
"""Findings that are printed of each check of a release."""

_CONTROLS = dict.fromkeys(range(0x7F, 0xA0), "\N{REPLACEMENT CHARACTER}") | {
    code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"
}
"""What a terminal would obey, and what stands for it in a table: the picture of a control character, if it has one."""

_quiet = False


def be_quiet(quiet: bool) -> None:
    """Print nothing but results and errors from now on, or everything again."""
    global _quiet
    _quiet = quiet


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], Callable[[int], None]]]:
    """Show a progress bar on a terminal; yields what begins it with a total."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=_quiet or not console.is_terminal) as bar:

        def start(total: int) -> Callable[[int], None]:
            task = bar.add_task(what, total=total or None)
            return lambda count: bar.advance(task, count)

        yield start


def print_build(manifest: dict[str, Any], out: Path) -> None:
    """Print what a build holds: accounts, layers, problems, counts."""
    if _quiet:
        return
    print_accounts(manifest["accounts"])
    layers = Table("layer", "triples", "bytes")
    for column in layers.columns[1:]:
        column.justify = "right"
    for layer, entry in manifest["layers"].items():
        layers.add_row(layer, f"{entry['triples']:,}", f"{entry['bytes']:,}")
    layers.add_row("all", f"{sum(e['triples'] for e in manifest['layers'].values()):,}", "")
    _console().print(layers)
    counts = ", ".join(_number(number, name) for name, number in manifest["counts"].items())
    print_codes(**manifest["problems"])
    _console().print(f"{out}: {counts}", soft_wrap=True, highlight=False)


def print_accounts(accounts: dict[str, dict[str, int]]) -> None:
    """Print what became of each kind of input."""
    if _quiet:
        return
    names = ("read", "emitted", "merged", "rejected", "unresolved")
    table = Table("input", *names)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, account in accounts.items():
        table.add_row(kind, *(f"{account[name]:,}" for name in names))
    _console().print(table)


def print_release(place: Path, release: Mapping[str, Any], *, new: bool) -> None:
    """Print what a release holds, what the checks said, and where it is; what was there already only in one line."""
    if not new:
        typer.echo(f"{place}: is this build, published already; nothing was done")
        return
    if not _quiet:
        table = Table("layer", "triples")
        table.columns[1].justify = "right"
        for layer, triples in release["triples"].items():
            table.add_row(layer, f"{triples:,}")
        table.add_row("all", f"{sum(release['triples'].values()):,}")
        _console().print(table)
        typer.echo(_checked(release["checks"]))
    previous = f", after {release['previous']}" if release["previous"] else ", the first one"
    typer.echo(f"{place}: release {release['version']}{previous}")


def _checked(said: Mapping[str, Any]) -> str:
    """Return as one line how many checks of a release ended how, and how much they found."""
    from pfocr_rdf.validation.checks import Severity, all_checks
    from pfocr_rdf.validation.findings import Status

    severity = {check.id: check.severity for check in all_checks()}
    ends = Counter(
        severity[name] if outcome["status"] == Status.FAILED else outcome["status"]
        for name, outcome in said["outcomes"].items()
    )
    words = {
        Status.PASSED: "passed",
        Severity.VIOLATION: "violated",
        Severity.WARNING: "with warnings",
        Status.NOT_RUN: "not run",
    }
    told = ", ".join(f"{ends[end]} {word}" for end, word in words.items())
    numbers = (_number(said[name], name) for name in ("violations", "warnings"))
    return f"checks: {told}; {', '.join(numbers)}"


def print_settings(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print each setting with its value and where it comes from."""
    table = Table("setting", "value", "from", "what it is")
    for row in rows:
        value = " ".join(row["value"]) if isinstance(row["value"], list) else row["value"]
        table.add_row(row["name"], "" if value is None else str(value), row["from"], row["about"])
    _console().print(table)


def print_run(done: Mapping[str, Any]) -> None:
    """Print what came of a run: its releases, and what became of each store, one in a line."""
    if "releases" in done:  # of past revisions
        typer.echo(f"releases made: {', '.join(done['releases']) or 'none'}")
    for release in [done] if "version" in done else [done["release"]] if "release" in done else []:
        after = f", after {release['previous']}" if release["previous"] else ", the first one"
        typer.echo(f"{release['place']}: release {release['version']}{after if release['new'] else ', nothing is new'}")
    for store in done.get("stores", ()):
        changed = "" if store["added"] is None else f", {store['added']:,} added, {store['removed']:,} removed"
        typer.echo(f"{store['store']}: release {store['version']}, {store['way']}{changed}")


def print_loaded(done: Any) -> None:
    """Print what became of each graph of a load, and what the store holds; nothing but that where it held it before."""
    what = f"release {done.version}" if done.version else f"the build {done.manifest[:12]}"
    what = f"a part of {what}" if done.part else what
    if not done.new:
        typer.echo(f"{done.address}: holds {what} already; nothing was done")
        return
    if not _quiet:
        table = Table("graph", "")
        for name in done.loaded:
            table.add_row(name, "loaded")
        for name in done.kept:
            table.add_row(name, "was there")
        for name in done.removed:
            table.add_row(name, "removed")
        _console().print(table)
    graphs = _number(len(done.loaded) + len(done.kept), "graphs")
    typer.echo(f"{done.address}: holds {what}, {done.triples:,} triples in {graphs}")


def print_updated(done: Any) -> None:
    """Print what changed in each graph of a store, how, and what the store holds now."""
    what = f"release {done.version}" if done.version else f"the build {done.manifest[:12]}"
    repaired = f"; replaced because they were unsound: {', '.join(done.repaired)}" if done.repaired else ""
    if done.way == "nothing":
        typer.echo(f"{done.address}: holds {what} already; nothing was done{repaired}")
        return
    if done.way == "full":
        typer.echo(f"{done.address}: {done.why}; all was loaded: {what}")
        return
    if not _quiet:
        table = Table("graph", "added", "removed")
        for column in table.columns[1:]:
            column.justify = "right"
        for name, numbers in done.graphs.items():
            table.add_row(name, f"{numbers['added']:,}", f"{numbers['removed']:,}")
        _console().print(table)
    told = f"{done.added:,} triples came, {done.removed:,} went, {_number(done.sampled, 'figures')} compared"
    typer.echo(f"{done.address}: from {done.former} to {done.version or what}: {told}{repaired}")


def print_codes(rejected: dict[str, int], warnings: dict[str, int]) -> None:
    """Print how often each problem was found, and what to do about it."""
    if _quiet or not (rejected or warnings):
        return
    from pfocr_rdf.errors import REJECTIONS, WARNINGS

    table = Table("", "problem", "times", "what to do")
    table.columns[2].justify = "right"
    for kind, codes, advice in (("rejected", rejected, REJECTIONS), ("warned", warnings, WARNINGS)):
        for code, number in codes.items():
            table.add_row(kind, code, f"{number:,}", advice[code])
    _console().print(table)


def print_problems(found: list[Problem]) -> None:
    """Print the first problems, one in a line."""
    if _quiet:
        return
    for problem in found[:SHOWN]:
        typer.echo(line(problem))
    if len(found) > SHOWN:
        typer.echo(f"... and {len(found) - SHOWN:,} more; --json prints all")


def line(problem: Problem) -> str:
    """Return a problem as one line: place, code, field, value."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    parts = (f"{place}:" if place else "", problem.code, problem.field, repr(problem.value) if problem.value else "")
    return " ".join(part for part in parts if part)


def print_answer(answer: Any) -> None:
    """Print the answer to a SELECT or an ASK."""
    import pyoxigraph as ox

    from pfocr_rdf import query as asking

    if isinstance(answer, ox.QueryBoolean):
        typer.echo(str(bool(answer)).lower())
        return
    result = asking.table(answer)
    table = Table(*result.variables)
    for row in result.rows:
        table.add_row(*(asking.short(term).translate(_CONTROLS) for term in row))
    _console().print(table, markup=False)
    if not _quiet:
        _console().print(_number(len(result.rows), "rows"), highlight=False)


def print_server(server: Any, state: str) -> None:
    """Print how a server on this machine fares, and where: its services, data and log."""
    typer.echo(f"{server.name}: {state} (process {server.pid})")
    places = {**server.services, "data": server.data, "log": server.log}
    typer.echo("\n".join(f"  {name:<7} {place}" for name, place in places.items()))


def print_counts(counts: dict[str, int], as_json: bool) -> None:
    """Print how many of each there are."""
    if as_json:
        typer.echo(json.dumps(counts, indent=2))
    elif not _quiet:
        typer.echo("\n".join(_number(number, name.replace("_", " ")) for name, number in counts.items()))


def _number(number: int, name: str) -> str:
    """Return a number of things; one of them in the singular."""
    if number == 1 and (name.endswith("s") or name == "taxa"):
        name = "taxon" if name == "taxa" else name[:-1]
    return f"{number:,} {name}"


def _console() -> Console:
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200
    return console


def write_out(text: str) -> None:
    """Print a text as it is."""
    typer.echo(text, nl=False)


def print_difference(found: Any, as_json: bool) -> None:
    """Print a difference of two builds: triples of each layer, then the first figures; all of them as JSON."""
    from pfocr_rdf.diff import lines_of

    figures = sorted(found.figures.values(), key=lambda figure: (figure.how, figure.figid))
    if as_json:
        report = {**found.to_json(), "changes": [figure.to_json() for figure in figures]}
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    table = Table("layer", "added", "removed")
    for column in table.columns[1:]:
        column.justify = "right"
    for layer, (added, removed) in found.layers.items():
        table.add_row(layer, f"{added:,}", f"{removed:,}")
    _console().print(table)
    for line in list(lines_of(figures))[:SHOWN]:
        write_out(f"{line}\n")
    if len(figures) > SHOWN:
        write_out(f"... and {len(figures) - SHOWN:,} more; --out or --json give all\n")
    counts = found.to_json()["figures"]
    write_out(", ".join(f"{number:,} figures {how}" for how, number in counts.items()) + "\n")


def print_validation(report: Any, as_json: bool) -> None:
    """Print how each check ended, and the first examples of what was found; all that was kept as JSON."""
    from pfocr_rdf.validation.report import line, status

    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        return
    if _quiet:
        return
    table = Table("check", "title", "severity", "findings", "status")
    table.columns[3].justify = "right"
    for outcome in report.outcomes:
        check = outcome.check
        table.add_row(check.id, check.title, str(check.severity), f"{outcome.count:,}", status(outcome))
    _console().print(table, markup=False)
    for outcome in report.outcomes:
        for finding in outcome.examples[:EXAMPLES]:
            write_out(f"{outcome.check.id} {' '.join(line(finding).split())}\n")
        if outcome.count > EXAMPLES:
            write_out(f"{outcome.check.id} ... {outcome.count:,} in all\n")


def graph_text(answer: Any) -> str:
    """Return the graph of a CONSTRUCT as Turtle: laid out as a build is, unless it has blank nodes."""
    import pyoxigraph as ox

    from pfocr_rdf.identifiers import PREFIXES
    from pfocr_rdf.mapping.ontology import token
    from pfocr_rdf.serialize import block
    from pfocr_rdf.show import turtle
    from pfocr_rdf.terms import Pair, expand
    from pfocr_rdf.vocab import A

    triples = list(answer)
    if any(isinstance(term, ox.BlankNode) for triple in triples for term in (triple.subject, triple.object)):
        return (ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=PREFIXES) or b"").decode()
    pairs: dict[str, list[Pair]] = {}
    for triple in triples:
        predicate = A if triple.predicate.value == expand(A) else token(triple.predicate)
        pairs.setdefault(triple.subject.value, []).append((predicate, token(triple.object)))
    return turtle((subject, block(subject, said)) for subject, said in pairs.items())
