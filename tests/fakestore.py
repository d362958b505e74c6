"""A store in memory that does what its abilities say and no more, and fails where a test says."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyoxigraph as ox

from pfocr_rdf import codecs
from pfocr_rdf.stores.contract import (
    Abilities,
    Delta,
    Graph,
    Kind,
    Reach,
    Rows,
    Said,
    StoreUnavailable,
    lines_of,
)

PIECE = 50
"""So many triples a store without transactions writes at a time."""


class Killed(BaseException):
    """The run ends here, as by SIGKILL."""


@dataclass
class Fake:
    """A store; `step` is told of each act before and after it becomes visible, and may raise.

    One that `forgets` and is killed after an act loses what it did in the first graph of it.
    """

    reach: Reach = Reach.ALL
    bulk: str = ""
    forgets: bool = False
    store: ox.Store = field(default_factory=ox.Store)
    step: Callable[[str], None] = lambda _: None
    acts: list[str] = field(default_factory=list)
    seen: Callable[[], None] = lambda: None
    """Called whenever something became visible."""

    @property
    def abilities(self) -> Abilities:
        return Abilities(Kind.OXIGRAPH, "a fake", self.reach, self.reach, self.bulk, False, False, forgets=self.forgets)

    @property
    def address(self) -> str:
        return "http://localhost/fake" if not self.bulk else "the folder fake"

    def select(self, query: str, seconds: float | None = None) -> Rows:
        assert seconds is None or seconds > 0
        self.step("select")
        answer = self.store.query(query, use_default_graph_as_union=True)
        assert isinstance(answer, ox.QuerySolutions)
        names = tuple(variable.value for variable in answer.variables)
        return Rows(names, [tuple(row[name] for name in names) for row in answer])

    def counts(self) -> dict[str, int]:
        self.step("counts")
        found: dict[str, int] = {}
        for quad in self.store:
            assert isinstance(quad.graph_name, ox.NamedNode)
            found[quad.graph_name.value] = found.get(quad.graph_name.value, 0) + 1
        return found

    def replace(self, graphs: Sequence[Graph], notes: Mapping[str, str], say: Said) -> None:
        contents = {graph.iri: triples(graph) for graph in graphs}
        contents |= {iri: _parsed(said) for iri, said in notes.items()}
        steps = [(iri, self.of(iri) - new, new) for iri, new in contents.items()]
        say(f"{len(graphs)} graphs")
        self._do("replace", steps)

    def change(self, deltas: Sequence[Delta], notes: Mapping[str, str], say: Said) -> None:
        steps = [
            (each.iri, _parsed("".join(lines_of(each.removed))), _parsed("".join(lines_of(each.added))))
            for each in deltas
        ]
        for each, (_, removed, added) in zip(deltas, steps, strict=True):
            assert (len(removed), len(added)) == (each.removals, each.additions)
            assert sorted(lines_of(each.removed)) == list(lines_of(each.removed))
        say(f"{len(deltas)} differences")
        said = [(iri, self.of(iri) - _parsed(text), _parsed(text)) for iri, text in notes.items()]
        self._do("change", [*steps, *said])

    def remove(self, graphs: Sequence[str]) -> None:
        self._do("remove", [(iri, self.of(iri), set()) for iri in graphs])

    def compact(self, say: Said) -> int:
        say("this store does not say that it can")
        raise AssertionError

    def close(self) -> None:
        pass

    def of(self, iri: str) -> set[ox.Triple]:
        """The triples of a graph."""
        return {quad.triple for quad in self.store.quads_for_pattern(None, None, None, ox.NamedNode(iri))}

    def _do(self, what: str, steps: Sequence[tuple[str, set[ox.Triple], set[ox.Triple]]]) -> None:
        """Make steps visible: together, graph by graph, or bit by bit."""
        groups = [list(steps)] if self.reach is Reach.ALL else [[step] for step in steps]
        for group in groups:
            name = f"{what} {' '.join(iri.rpartition('/')[2] for iri, _, _ in group)}"
            self.acts.append(name)
            self.step(f"before {name}")
            first = group[0][0]
            before = self.of(first)
            for iri, removed, added in group:
                self._write(iri, removed, added, name)
            self.seen()
            try:
                self.step(f"after {name}")
            except Killed:
                if self.forgets:
                    self._write(first, self.of(first) - before, before - self.of(first), name)
                raise

    def _write(self, iri: str, removed: set[ox.Triple], added: set[ox.Triple], name: str) -> None:
        graph = ox.NamedNode(iri)
        for number, triple in enumerate(sorted(removed, key=str)):
            self._pause(number, name)
            self.store.remove(ox.Quad(triple.subject, triple.predicate, triple.object, graph))
        for number, triple in enumerate(sorted(added, key=str)):
            self._pause(number, name)
            self.store.add(ox.Quad(triple.subject, triple.predicate, triple.object, graph))

    def _pause(self, number: int, name: str) -> None:
        if self.reach is Reach.NONE and number and number % PIECE == 0:
            self.step(f"amid {name}")


def triples(graph: Graph) -> set[ox.Triple]:
    with codecs.of_file(graph.path).open(graph.path) as stream:
        return {quad.triple for quad in ox.parse(input=stream, format=ox.RdfFormat.TURTLE)}


def _parsed(text: str) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(input=io.BytesIO(text.encode()), format=ox.RdfFormat.N_TRIPLES)}


def cut(*names: str) -> Callable[[str], None]:
    """Return what cuts the connection at each of some steps, once each."""
    left = list(names)

    def step(name: str) -> None:
        if name in left:
            left.remove(name)
            raise StoreUnavailable(f"the fake: the connection was cut at {name}")

    return step


def kill_at(number: int) -> Callable[[str], None]:
    """Return what kills the run at the n-th step of all."""
    count = 0

    def step(_: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Killed

    return step
