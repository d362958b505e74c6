"""Load a release into a store: what is there already is left, what is not is replaced, and all is counted afterwards.

A store that can replaces all at once, so that readers see the old release or the new one. Otherwise, and while a first
load is on the way, graphs are replaced one by one, and the graph `held` tells how far it came: a run that was killed is
finished by the next one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.stores import content as contents
from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores import open as opening
from pfocr_rdf.stores import verify
from pfocr_rdf.stores.content import HELD, Content
from pfocr_rdf.stores.contract import Graph, How, Kind, NotInOneAct, Reach, Said, Store, StoreError, StoreUnavailable
from pfocr_rdf.stores.held import Held, State

OURS = ids.graph("")
"""Begins the IRIs of this project's graphs."""

Done = Callable[[int], None]
"""Told how many triples came since."""

Start = Callable[[int], Done]
"""Begins to show progress, with a total."""

PAYS = {Kind.FUSEKI: 0.005}
"""Space is given back when so large a part of the triples has changed: TDB2 writes a block anew for each that does."""

_PAYS = 0.5
"""Other stores use it again by themselves."""

TRIES = 3
"""So often a change is tried that a store did not answer, when the store answers again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a load: graphs by name that were loaded, that were there already, and that were removed.

    `new` is whether anything was done, `triples` what the store holds of the release, `freed` bytes that former states
    took on the store's disk.
    """

    address: str
    version: str
    manifest: str
    part: bool
    new: bool
    loaded: tuple[str, ...]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    triples: int
    freed: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with each graph, so that a store holds some content."""

    keep: tuple[Graph, ...]
    replace: tuple[Graph, ...]
    remove: tuple[str, ...]


def into(
    store: Store,
    content: Content,
    *,
    layers: Sequence[str] = (),
    compact: bool = True,
    say: Said = lambda _: None,
    done: Done = lambda _: None,
) -> Loaded:
    """Make a store hold a release, or some layers of it beside those of the same release that it holds.

    Graphs of this project that are of another release go. `compact` is whether space is given back where it pays,
    `done` is told how many triples are there since. Raises `UsageError` for a layer that the release has not, and
    `StoreError` when the store refuses, fails, or does not hold afterwards what it should.
    """
    began = time.monotonic()
    before = holding.read(store)
    wanted = content.only(_names(content, before, layers)) if layers else content
    part = len(wanted.graphs) < len(content.graphs)
    counts = store.counts()
    found = plan(wanted, before, counts)
    after = holding.of(wanted, part=part, changed=_changed(found, before, counts))
    freed = 0
    if new := bool(found.replace or found.remove or before != after):
        done(sum(graph.triples for graph in found.keep))
        there = any(counts.get(iri) for iri in (*found.remove, *(graph.iri for graph in content.graphs)))
        _write(store, found, before, after, there, say, done)
        say("counting")
        check(store, wanted, after)
        freed = compacted(store, wanted, after, say) if compact else 0
    return Loaded(
        address=store.address,
        version=content.version,
        manifest=content.manifest,
        part=part,
        new=new,
        loaded=names_of(graph.iri for graph in found.replace),
        kept=names_of(graph.iri for graph in found.keep),
        removed=names_of(found.remove),
        triples=sum(graph.triples for graph in wanted.graphs),
        freed=freed,
        seconds=time.monotonic() - began,
    )


def load(
    place: Path,
    to: str,
    *,
    layers: Sequence[str] = (),
    compact: bool = True,
    say: Said = lambda _: None,
    start: Start | None = None,
    **how: Unpack[How],
) -> Loaded:
    """Load a release, a folder of releases or a build into the store at an address or in a folder; see `into`.

    `start` begins progress, with the triples that are to come; `how` is said of the store.
    """
    found = contents.read(place)
    wanted = found.only(list(layers)) if layers else found
    with opening.opened(to, **how) as store:
        done = start(sum(graph.triples for graph in wanted.graphs)) if start else lambda _: None
        return into(store, found, layers=layers, compact=compact, say=say, done=done)


def plan(content: Content, held: Held | None, counts: Mapping[str, int]) -> Plan:
    """Return what is to be done, from what a store says that it holds and how many triples it has in each graph."""
    entries = held.graphs if held else {}
    keep: list[Graph] = []
    changed: list[Graph] = []
    for graph in content.graphs:
        sound = entries.get(graph.iri) == holding.entry(graph) and counts.get(graph.iri, 0) == graph.triples
        (keep if sound else changed).append(graph)
    known = {*entries, *(iri for iri in counts if iri.startswith(OURS))} - {HELD}
    return Plan(tuple(keep), tuple(changed), tuple(sorted(known - {graph.iri for graph in content.graphs})))


def check(store: Store, content: Content, held: Held) -> None:
    """Count what a store holds. Where that is not what it should be, say so in the store and raise `StoreError`."""
    refuse(store, held, verify.counts(store, content))


def refuse(store: Store, held: Held, unsound: verify.Unsound) -> None:
    """Raise `StoreError` where graphs are unsound; the store says so too, so that the next run replaces them."""
    if unsound:
        store.change([], holding.notes(replace(held.without(unsound), state=State.UPDATING)), lambda _: None)
        told = "; ".join(f"{name_of(iri)} ({why})" for iri, why in sorted(unsound.items()))
        raise StoreError(f"{store.address}: unsound after {held.name}: {told}; `pfocr-rdf load` again replaces them")


def surely(store: Store, act: Callable[[], None], after: Held, before: Held | None = None) -> None:
    """Do something that makes a store say that it holds `after`; again where the store did not answer.

    An answer that was lost after the store had done it is known by what the store says, unless it said so `before`.
    """
    for left in reversed(range(TRIES)):
        try:
            act()
            return
        except StoreUnavailable:
            if before != after and holding.read(store) == after:
                return
            if not left:
                raise


def at_once(store: Store, before: Held | None, after: Held, graphs: Sequence[str], act: Callable[[Held], None]) -> None:
    """Bring a store from holding `before` to `after` in one act, which changes some graphs and writes what it is given.

    A store that may forget a part of an act says before and with it that these graphs are written, and afterwards that
    they are there; readers see the old release until the act, and the new one since. Raises `NotInOneAct` where the
    store takes so much in smaller acts only.
    """
    if not store.abilities.forgets:
        surely(store, lambda: act(after), after, before)
        return
    if before is not None:
        before = replace(before, state=State.UPDATING, former="").without(graphs)
        _note(store, before)
    amid = replace(after, state=State.UPDATING).without(graph for graph in graphs if graph in after.graphs)
    surely(store, lambda: act(amid), amid, before)
    _note(store, after)


def compacted(store: Store, content: Content, held: Held, say: Said) -> int:
    """Give space back where it pays, and say so in the store; return the bytes that it told of.

    A store that cannot do it just now is told of, and holds what it held.
    """
    triples = sum(graph.triples for graph in content.graphs)
    pays = PAYS.get(store.abilities.kind, _PAYS) * triples
    if not store.abilities.compacts or not held.changed or held.changed < pays:
        return 0
    try:
        freed = store.compact(say)
        _note(store, replace(held, changed=0))
    except StoreError as error:
        say(f"space was not given back: {error}")
        return 0
    return freed


def _changed(found: Plan, before: Held | None, counts: Mapping[str, int]) -> int:
    """Return how many triples came and went since space was given back, in graphs that were there."""
    gone = sum(counts.get(iri, 0) for iri in (*found.remove, *(graph.iri for graph in found.replace)))
    come = sum(graph.triples for graph in found.replace if counts.get(graph.iri))
    return gone + come + (before.changed if before else 0)


def name_of(iri: str) -> str:
    """Return the name of a graph for people."""
    return iri.rpartition("/")[2]


def names_of(graphs: Any) -> tuple[str, ...]:
    """Return the names of some graphs, in order."""
    return tuple(name_of(iri) for iri in graphs)


def _names(content: Content, held: Held | None, layers: Sequence[str]) -> list[str]:
    """Return the layers that are asked for, and those of the same release that a store holds."""
    same = held is not None and (held.version, held.manifest) == (content.version, content.manifest)
    amid = held is not None and held.state is State.UPDATING  # there, perhaps, and wanted
    there = set(names_of(iri for iri, known in held.graphs.items() if known or amid)) if held and same else set()
    ours = names_of(graph.iri for graph in content.graphs)
    return [*layers, *(name for name in ours if name in there)]


def _write(store: Store, found: Plan, before: Held | None, after: Held, there: bool, say: Said, done: Done) -> None:
    """Replace and remove graphs: all at once where a release is `there`, or in a folder, and the store can."""
    if not found.replace and not found.remove:
        _note(store, after)
        return
    served = before is None or before.state is not State.LOADING  # else it goes on graph by graph, as it began
    folder_alone = "://" not in store.address  # it keeps by itself what a killed run has loaded
    if store.abilities.replaces is Reach.ALL and ((served and there) or folder_alone):
        try:
            _write_at_once(store, found, before, after, say)
        except NotInOneAct as error:
            say(f"{error}; it goes graph by graph, and readers see parts of both meanwhile")
        else:
            done(sum(graph.triples for graph in found.replace))
            return
    on_the_way = replace(after, state=State.LOADING).without(graph.iri for graph in found.replace)
    _note(store, on_the_way)
    for graph in found.replace:
        say(f"{name_of(graph.iri)}: {graph.triples:,} triples")
        on_the_way = on_the_way.with_graphs([graph])
        _replace(store, graph, on_the_way, say)
        done(graph.triples)
    if found.remove:
        store.remove(found.remove)
    _note(store, after)


def _write_at_once(store: Store, found: Plan, before: Held | None, after: Held, say: Said) -> None:
    with tempfile.TemporaryDirectory(prefix="pfocr-load-") as folder:
        kept = found.keep if store.abilities.anew else ()
        graphs = [*kept, *found.replace, *_emptied(found.remove, Path(folder))]
        say(f"{len(found.replace)} graphs, {sum(graph.triples for graph in found.replace):,} triples, in one act")
        changed = [graph.iri for graph in graphs]
        at_once(store, before, after, changed, lambda held: store.replace(graphs, holding.notes(held), say))


def _replace(store: Store, graph: Graph, after: Held, say: Said) -> None:
    """Replace a graph, and say so when it is there: for a graph alone a store may have a faster way than for two."""

    def act() -> None:
        store.replace([graph], {}, say)
        store.change([], holding.notes(after), lambda _: None)

    surely(store, act, after)


def _note(store: Store, held: Held) -> None:
    surely(store, lambda: store.change([], holding.notes(held), lambda _: None), held)


def _emptied(graphs: Sequence[str], folder: Path) -> list[Graph]:
    """Return graphs that are to be empty, which is to be gone."""
    empty = folder / "empty.ttl"
    empty.touch()
    digest = buildfolder.describe_file(empty)["sha256"]
    return [Graph(iri, empty, 0, digest) for iri in graphs]
