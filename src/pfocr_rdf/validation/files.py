"""Checks of files: two parsers read the same (Q33), the accounts add up (Q35), the manifest is true (Q64)."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from pfocr_rdf import buildfolder, codecs
from pfocr_rdf.errors import INPUT_KINDS, UsageError
from pfocr_rdf.validation.findings import Finding
from pfocr_rdf.validation.options import Options, Parser
from pfocr_rdf.validation.release import Function, Release

_PIECE = 1 << 20
_SAID = 300
"""Characters of a parser's message that are told."""

_AT_ONCE = 10_000
"""Statements that are compared at once."""

_WITH_BLANKS = 200_000
"""Statements that are compared as graphs, at most; only the shapes, which are few, have blank nodes."""

_UNREADABLE: tuple[type[Exception], ...] = (SyntaxError, ValueError, *codecs.DAMAGED)
_FORMATS = {".ttl": ox.RdfFormat.TURTLE, ".nq": ox.RdfFormat.N_QUADS}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that reads Turtle or N-Quads from its input and writes N-Triples or N-Quads, and how it is called."""

    name: str
    turtle: tuple[str, ...]
    quads: tuple[str, ...]

    def command(self, form: ox.RdfFormat) -> tuple[str, ...]:
        """Return the call for a format."""
        return (self.name, *(self.turtle if form == ox.RdfFormat.TURTLE else self.quads))


PROGRAMS = {
    Parser.RIOT: Program(
        "riot",
        ("--syntax=turtle", "--output=ntriples", "--check", "-"),
        ("--syntax=nquads", "--output=nquads", "--check", "-"),
    ),
    Parser.SERDI: Program("serdi", ("-i", "turtle", "-o", "ntriples", "-"), ("-i", "nquads", "-o", "nquads", "-")),
    Parser.RAPPER: Program(
        "rapper",
        ("--quiet", "-i", "turtle", "-o", "ntriples", "-", "http://example.org/"),
        ("--quiet", "-i", "nquads", "-o", "nquads", "-", "http://example.org/"),
    ),
}


def installed() -> Parser | None:
    """Return the first of the parsers that is installed."""
    return next((parser for parser in Parser if shutil.which(parser)), None)


def parse(release: Release, options: Options) -> Iterator[Finding]:
    """Let pyoxigraph and the parser that is named read all RDF files.

    Raises `UsageError` when that one is not installed.
    """
    parser = options.parser
    if parser is None or not shutil.which(parser):
        raise UsageError(f"{parser}: is not installed; give one that is with --parser: {', '.join(Parser)}")
    second = PROGRAMS[parser]
    paths = [path for path in sorted(release.folder.iterdir()) if _format(path) is not None]
    return (finding for path in paths for finding in read_alike(path, second))


def read_alike(path: Path, second: Program) -> list[Finding]:
    """Return what is wrong with one RDF file: refused, warned of, or read otherwise by the second parser."""
    form = _format(path)
    if form is None:
        raise ValueError(f"{path}: is no RDF file")
    try:
        return list(_compared(path, form, second))
    except _UNREADABLE as error:
        return [Finding(path.name, "pyoxigraph", _short(str(error)))]


def _compared(path: Path, form: ox.RdfFormat, second: Program) -> Iterator[Finding]:
    out = ox.RdfFormat.N_TRIPLES if form == ox.RdfFormat.TURTLE else ox.RdfFormat.N_QUADS
    messages: list[bytes] = []
    difference = ""
    with codecs.of_file(path).open(path) as stream, _piped(second.command(form), path, messages) as read:
        ours, theirs = ox.parse(input=stream, format=form), ox.parse(input=read, format=out)
        try:
            difference = _difference(ours, theirs)
        except SyntaxError as error:
            difference = _short(str(error))
    said = b"".join(messages).decode(errors="replace").strip()
    if told := "; ".join(filter(None, (_short(said), difference))):
        yield Finding(path.name, second.name, told)


def _difference(ours: Iterable[ox.Quad], theirs: Iterable[ox.Quad]) -> str:
    """Return the first statement that two parsers read otherwise.

    Blank nodes have other names with each parser, and come in another order: from the first one on, all are compared as
    graphs.
    """
    mine, other = iter(ours), iter(theirs)
    before = 0
    while True:
        left, right = list(islice(mine, _AT_ONCE)), list(islice(other, _AT_ONCE))
        if left != right:
            break
        if not left:
            return ""
        before += len(left)
    at, (one, another) = next((at, pair) for at, pair in enumerate(zip_longest(left, right)) if pair[0] != pair[1])
    if any(_has_blank(quad) for quad in (one, another) if quad):
        return _by_graph(chain(left[at:], mine), chain(right[at:], other))
    number = before + at + 1
    if one is None or another is None:
        return f"statement {number} is read by one parser alone: {_short(str(one or another))}"
    return f"statement {number} is read as {_short(str(another))}, not {_short(str(one))}"


def _by_graph(ours: Iterable[ox.Quad], theirs: Iterable[ox.Quad]) -> str:
    graphs = []
    for quads in (ours, theirs):
        kept = list(islice(quads, _WITH_BLANKS + 1))
        if len(kept) > _WITH_BLANKS:
            return "has blank nodes and is too large to compare"
        graph = ox.Dataset(kept)
        graph.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        graphs.append(graph)
    return "" if graphs[0] == graphs[1] else "statements with blank nodes are read otherwise"


def _has_blank(quad: ox.Quad) -> bool:
    return isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)


@contextmanager
def _piped(command: tuple[str, ...], path: Path, messages: list[bytes]) -> Iterator[IO[bytes]]:
    """Run a parser over a file and yield what it writes; in the end `messages` has its warnings, or why it failed."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("a process without pipes")
    said = process.stderr
    helpers = [
        threading.Thread(target=_feed, args=(path, process.stdin), daemon=True),
        threading.Thread(target=lambda: messages.append(said.read()), daemon=True),
    ]
    for helper in helpers:
        helper.start()
    try:
        with process.stdout:
            yield process.stdout
            while process.stdout.read(_PIECE):
                pass
    finally:
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
        for helper in helpers:
            helper.join()
        said.close()
        if process.wait() and not b"".join(messages).strip():
            messages.append(f"ended with {process.returncode}".encode())


def _feed(path: Path, out: IO[bytes]) -> None:
    """Write a file's text into a pipe; a reader that ends early, or a damaged file, is told elsewhere."""
    with suppress(BrokenPipeError, *codecs.DAMAGED), out, codecs.of_file(path).open(path) as stream:
        while piece := stream.read(_PIECE):
            out.write(piece)


def _format(path: Path) -> ox.RdfFormat | None:
    """Return the format of an RDF file by its name."""
    codec = codecs.of_file(path)
    return _FORMATS.get(Path(path.name.removesuffix(codec.suffix)).suffix) if path.is_file() else None


def _short(text: str) -> str:
    return " ".join(text.split())[:_SAID]


def accounts(release: Release, _options: Options) -> list[Finding]:
    """Return where the accounts of the manifest do not add up, or are not what the lists say."""
    return list(_sums(release.manifest)) + list(_lists(release))


def _sums(manifest: Mapping[str, Any]) -> Iterator[Finding]:
    known = manifest["accounts"]
    for kind in INPUT_KINDS:
        if kind not in known:
            yield Finding(buildfolder.MANIFEST, str(kind), "has no account")
    for kind, account in known.items():
        read, emitted, merged, rejected = (account[name] for name in ("read", "emitted", "merged", "rejected"))
        if read != emitted + merged + rejected:
            told = f"{read} read, but {emitted} emitted, {merged} merged and {rejected} rejected"
            yield Finding(buildfolder.MANIFEST, str(kind), told)
        if not 0 <= account["unresolved"] <= emitted:
            yield Finding(buildfolder.MANIFEST, str(kind), f"{account['unresolved']} unresolved of {emitted} emitted")


def _lists(release: Release) -> Iterator[Finding]:
    for name, key in ((buildfolder.REJECTED, "rejected"), (buildfolder.WARNINGS, "warnings")):
        codes: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        try:
            with (release.folder / name).open(encoding="utf-8") as lines:
                for line in lines:
                    problem = json.loads(line)
                    codes[problem["code"]] += 1
                    kinds[problem["kind"]] += problem["count"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield Finding(name, "", f"cannot be read: {_short(str(error))}")
            continue
        expected = release.manifest["problems"][key]
        for code in sorted(codes.keys() | expected.keys()):
            if codes[code] != expected.get(code, 0):
                yield Finding(name, code, f"{codes[code]} listed, {expected.get(code, 0)} counted in the manifest")
        if key == "rejected":
            for kind, account in release.manifest["accounts"].items():
                if kinds[kind] != account["rejected"]:
                    yield Finding(name, str(kind), f"{kinds[kind]} listed, {account['rejected']} rejected")


def listed(release: Release, _options: Options) -> Iterator[Finding]:
    """Yield each file that is not there, or not as the manifest says."""
    files = release.manifest["files"]
    for name, said in files.items():
        path = release.folder / Path(name).name
        if path.name != name or not path.is_file():
            yield Finding(name, "", "is in the manifest, but not there")
            continue
        found = buildfolder.describe_file(path)
        for what, value in found.items():
            if said.get(what) != value:
                yield Finding(name, str(value), f"the manifest says {said.get(what)} ({what})")
    for layer, entry in release.manifest["layers"].items():
        if {key: entry.get(key) for key in ("bytes", "sha256")} != files.get(entry["file"]):
            yield Finding(entry["file"], "", "the manifest says one thing of the layer and another of its file", layer)


CHECKS: dict[str, Function] = {"Q33": parse, "Q35": accounts, "Q64": listed}
