"""One process that answers queries from one database, one after the other: `python -m pfocr_rdf.serve.worker DATABASE`.

It reads a line of JSON for each query and writes one when the answer lies whole in a file. Whatever a query does to it
(too deep for the stack, too much memory, too long) ends this process alone.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from pfocr_rdf import query as asking
from pfocr_rdf.errors import UsageError
from pfocr_rdf.identifiers import PREFIXES
from pfocr_rdf.serve.protocol import FORMATS, Asked, Kind, Refused, accepted, refuse_services

MEMORY = 2 * 1024**3
"""So many bytes a query may need."""

ANSWER_BYTES = 256 * 1024**2
"""The largest answer."""


class _Limited:
    """A file that takes so many lines and bytes and then raises `Refused`."""

    def __init__(self, path: Path, lines: int | None, rows: int) -> None:
        self._file = path.open("w+b")
        self._lines, self._rows = lines, rows
        self._bytes = ANSWER_BYTES

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        self._bytes -= len(data)
        if self._lines is not None:
            self._lines -= data.count(b"\n")
            if self._lines < 0:
                raise Refused(400, too_many(self._rows))
        if self._bytes < 0:
            raise Refused(400, f"the answer has more than {ANSWER_BYTES >> 20} MiB; ask for less of it at a time")
        return self._file.write(data)

    def flush(self) -> None:
        """Write what is not written yet."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def too_many(rows: int) -> str:
    """Return what is said of an answer of more rows than are given."""
    return f"the answer has more than {rows:,} rows, which is the limit here; add LIMIT {rows}, or ask for less"


def answer(store: ox.Store, asked: Asked, rows: int, out: Path) -> tuple[Kind, str]:
    """Answer a query into a file; return what it is and its media type.

    Raises `Refused` when the query is no query or the answer is over a limit.
    """
    result = _run(store, asked)
    if isinstance(result, ox.QueryTriples):
        media = accepted(asked.accept, list(FORMATS[Kind.GRAPH]))
        # A triple is a line of N-Triples, so these are counted and then turned into what is wanted.
        lines = out.with_suffix(".lines")
        _limited(lines, rows, rows, lambda file: result.serialize(file, ox.RdfFormat.N_TRIPLES))
        parsed = ox.parse(path=str(lines), format=ox.RdfFormat.N_TRIPLES)
        form = getattr(ox.RdfFormat, FORMATS[Kind.GRAPH][media])
        prefixes = PREFIXES if form == ox.RdfFormat.TURTLE else None
        _limited(out, None, rows, lambda file: ox.serialize(parsed, file, form, prefixes=prefixes))
        lines.unlink()
        return Kind.GRAPH, media
    media = accepted(asked.accept, list(FORMATS[Kind.ROWS]))
    form = getattr(ox.QueryResultsFormat, FORMATS[Kind.ROWS][media])
    if isinstance(result, ox.QueryBoolean):
        _limited(out, None, rows, lambda file: result.serialize(file, form))
        return Kind.TRUTH, media
    # A row is a line of TSV.
    tsv = ox.QueryResultsFormat.TSV
    lines = out if form == tsv else out.with_suffix(".lines")
    _limited(lines, rows + 1, rows, lambda file: result.serialize(file, tsv))
    if lines != out:
        again = ox.parse_query_results(path=str(lines), format=tsv)
        _limited(out, None, rows, lambda file: again.serialize(file, form))
        lines.unlink()
    return Kind.ROWS, media


def _run(store: ox.Store, asked: Asked) -> Any:
    """Start a query; its default graph is what the request says, else what the query says, else all graphs."""
    graphs: dict[str, Any] = {}
    if asked.default_graphs or asked.named_graphs:
        graphs = {
            "use_default_graph_as_union": False,
            "default_graph": [ox.NamedNode(graph) for graph in asked.default_graphs],
            "named_graphs": [ox.NamedNode(graph) for graph in asked.named_graphs],
        }
    return asking.ask(store, asked.query, **graphs)


def _limited(path: Path, lines: int | None, rows: int, write: Any) -> None:
    file = _Limited(path, lines, rows)
    try:
        with asking.one_line_errors():
            write(file)
    finally:
        file.close()


def _reply(store: ox.Store, said: dict[str, Any]) -> dict[str, Any]:
    asked = Asked(said["query"], tuple(said["default"]), tuple(said["named"]), said["accept"])
    try:
        refuse_services(asked.query, said["services"])
        kind, media = answer(store, asked, said["rows"], Path(said["out"]))
    except Refused as refused:
        return {"status": refused.status, "message": refused.message}
    except UsageError as error:
        return {"status": 400, "message": str(error)}
    except OSError as error:
        return {"status": 500, "message": f"the answer cannot be written ({error.strerror})"}
    return {"status": 200, "kind": kind, "media": media}


def main() -> None:
    """Answer queries until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        store = ox.Store.read_only(sys.argv[1])
    except (OSError, RuntimeError, ValueError):
        sys.exit(1)  # the server sees it, and says it when it matters
    graphs = sorted(graph.value for graph in store.named_graphs() if isinstance(graph, ox.NamedNode))
    print(json.dumps({"graphs": graphs}), flush=True)
    os.nice(5)  # the server itself, and a switch, go before queries
    for line in sys.stdin:
        said = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, said["seconds"])  # ends this process, should nobody else do it
        print(json.dumps(_reply(store, said)), flush=True)
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
