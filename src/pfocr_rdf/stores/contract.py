"""What a triple store is to this package: one contract, and what each kind of store declares of itself.

No store is asked for what it did not declare. Terms of answers are `pyoxigraph` terms, whatever the store speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypedDict

from pfocr_rdf.errors import PfocrError


class Kind(StrEnum):
    """The kinds of stores; `SPARQL` is any endpoint with SPARQL 1.1 Update and perhaps the Graph Store Protocol."""

    OXIGRAPH = "oxigraph"
    FUSEKI = "fuseki"
    BLAZEGRAPH = "blazegraph"
    VIRTUOSO = "virtuoso"
    SPARQL = "sparql"


class How(TypedDict, total=False):
    """What may be said of a store beside its address or folder.

    `kind` is what it is, `update` where a server takes updates, `graph_store` where it speaks the Graph Store Protocol,
    `jar` that of Jena or Blazegraph for a folder of theirs.
    """

    kind: Kind | None
    update: str
    graph_store: str
    jar: Path | None


class Reach(StrEnum):
    """How much of a change becomes visible to readers in one act."""

    ALL = "all"
    GRAPH = "graph"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a store can do, as its adapter declares and the contract's tests hold against the real server.

    `replaces` is the reach of `Store.replace`, `changes` that of `Store.change`. `bulk` names the program of the path
    that is faster than HTTP, empty where there is none. `proven` is whether the tests run the real server, `starts`
    whether each question starts a program, so that one large one is better than many, `forgets` whether a server that
    is killed may forget a part of its last act, so that what it says of itself must not be of that act. `anew` is
    whether `Store.replace` makes a new database, so that it has to be given all graphs, also those that stay.
    """

    kind: Kind
    name: str
    replaces: Reach
    changes: Reach
    bulk: str
    patches: bool
    compacts: bool
    proven: bool = True
    starts: bool = False
    forgets: bool = False
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A named graph of a release: its IRI, the file (Turtle, perhaps compressed) that is all of it, its triples.

    `sha256` is of the file's bytes, as the release states it.
    """

    iri: str
    path: Path
    triples: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Delta:
    """What changes in one named graph: files of sorted N-Triples, each triple once, no blank nodes; counts."""

    iri: str
    removed: Path
    added: Path
    removals: int
    additions: int

    @property
    def triples(self) -> int:
        """All that come or go."""
        return self.removals + self.additions


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a SELECT, in order: each cell a term of pyoxigraph, or None where it is unbound."""

    variables: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class StoreError(PfocrError):
    """A store refused or failed, and trying again does not help: one line says which store, what and what to do."""

    exit_code = 5


class NotInOneAct(StoreError):
    """A store does not do this in one act, but in smaller ones, graph by graph. Nothing was changed."""


class StoreUnavailable(StoreError):
    """A store could not be reached, cut the connection, or was too busy: trying again may help."""


Said = Callable[[str], None]
"""Told what is done, for people; one line at a time."""


class Store(Protocol):
    """A triple store that holds named graphs and answers plain patterns from the union of all of them.

    Every method raises `StoreUnavailable` when the store cannot be reached (after retries, where these can help) and
    `StoreError` when it refuses. Messages never hold credentials.
    """

    @property
    def abilities(self) -> Abilities:
        """What the store can do."""

    @property
    def address(self) -> str:
        """The address or folder for people: without user and password."""

    def select(self, query: str, seconds: float | None = None) -> Rows:
        """Run a SELECT query as it stands (prefixes declared), giving up after some seconds."""

    def counts(self) -> dict[str, int]:
        """Return the number of triples of each named graph of the store that is not empty."""

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        """Make each of these graphs hold its file's triples and nothing else; leave all other graphs.

        Afterwards each graph of `notes` (IRI to N-Triples) is replaced too, in the same act where
        `abilities.replaces` is `ALL`, last otherwise. An empty graph (no triples) is removed.
        What becomes visible at once is what `abilities.replaces` says.
        """

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        """Remove and add triples, and replace the graphs of `notes`, as visible at once as `abilities.changes` says."""

    def remove(self, graphs: Sequence[str]) -> None:
        """Remove graphs, if they are there."""

    def compact(self, say: Said) -> int:
        """Give space back that former states take; return the bytes, 0 when it did not pay or nobody tells.

        Raises `StoreUnavailable` when it cannot be done just now, as while others ask.
        """

    def close(self) -> None:
        """Let go of files and connections."""


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a file of N-Triples, each with its line end."""
    with path.open(encoding="utf-8", newline="\n") as stream:
        yield from stream
