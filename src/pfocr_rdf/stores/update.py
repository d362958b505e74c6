"""Bring a store up to date: only what differs between the release that it holds and the new one is sent.

A store that can takes all of it in one act. Another one takes it graph by graph, and the graph `held` tells how far
it came; a difference may be applied again over a part of itself, so the next run goes on there. Where the release that
the store holds is not at hand, or the store is not sound, all is loaded.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from pfocr_rdf.stores import bodies, delta, load, verify
from pfocr_rdf.stores import content as contents
from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores import open as opening
from pfocr_rdf.stores.content import Content
from pfocr_rdf.stores.contract import Delta, How, NotInOneAct, Reach, Said, Store
from pfocr_rdf.stores.delta import Differences
from pfocr_rdf.stores.held import Held, State


@dataclass(frozen=True, slots=True)
class Updated:
    """What became of an update.

    `way` is `nothing`, `difference` or `full`, `why` the reason of a full load. `former` is what the store held.
    `graphs` has the triples that came and went in each graph, by its name; `sampled` counts the figures that were
    compared, `repaired` names graphs that were not sound and were replaced, `freed` is bytes on the store's disk.
    """

    address: str
    version: str
    manifest: str
    former: str
    way: str
    why: str
    graphs: dict[str, dict[str, int]]
    sampled: int
    repaired: tuple[str, ...]
    freed: int
    seconds: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @property
    def added(self) -> int:
        """All triples that came."""
        return sum(each["added"] for each in self.graphs.values())

    @property
    def removed(self) -> int:
        """All triples that went."""
        return sum(each["removed"] for each in self.graphs.values())


class _Clock:
    """Seconds of each step, for people."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._since, 3)
        self._since = now


def into(
    store: Store, content: Content, *, base: Path | None = None, compact: bool = True, say: Said = lambda _: None
) -> Updated:
    """Bring a store that holds a release, or some layers of one, to another release.

    `base` is where the release that it holds may lie; those beside the new one are looked at too. `compact` is
    whether space is given back where it pays. Raises `UsageError` when a release is damaged, and `StoreError` when the
    store refuses, fails, or is not sound afterwards.
    """
    clock = _Clock()
    done = _brought(store, content, base, clock, say)
    held = holding.read(store)
    freed = load.compacted(store, content, held, say) if compact and held else 0
    clock.lap("compact")
    return replace(done, freed=freed, seconds=clock.seconds)


def _brought(store: Store, content: Content, base: Path | None, clock: _Clock, say: Said) -> Updated:
    """Do all but giving space back."""
    before = holding.read(store)
    wanted = _wanted(content, before)
    part = len(wanted.graphs) < len(content.graphs)
    after = holding.of(wanted, part=part)
    if before is None:
        return _full(store, content, wanted, before, "the store does not say what it holds", clock, say)
    if before == after:
        return _same(store, content, wanted, before, clock, say)
    found = _base(before, after, content, base)
    if isinstance(found, str):
        return _full(store, content, wanted, before, found, clock, say)
    old = _restricted(found, before)
    with tempfile.TemporaryDirectory(prefix="pfocr-update-") as folder:
        say(f"comparing {found.place} with {content.place}")
        differences = delta.between(old, wanted, Path(folder))
        clock.lap("difference")
        numbers = sum(each.removals + each.additions for each in differences.deltas)
        after = replace(after, changed=before.changed + numbers)
        try:
            _apply(store, differences, before, after, say)
        except NotInOneAct as error:
            return _full(store, content, wanted, before, str(error), clock, say)
        clock.lap("change")
        return _checked(store, content, wanted, before, after, differences, clock, say)


def update(
    place: Path,
    to: str,
    *,
    base: Path | None = None,
    compact: bool = True,
    say: Said = lambda _: None,
    **how: Unpack[How],
) -> Updated:
    """Bring the store at an address or in a folder to a release, or a build; see `into`.

    `how` is said of the store.
    """
    found = contents.read(place)
    with opening.opened(to, **how) as store:
        return into(store, found, base=base, compact=compact, say=say)


def _wanted(content: Content, held: Held | None) -> Content:
    """Return those graphs of a release that a store is to hold: of a store that holds a part, the same part."""
    if held is None or not held.part:
        return content
    names = {load.name_of(iri) for iri in held.graphs}
    return content.only([name for name in load.names_of(graph.iri for graph in content.graphs) if name in names])


def _restricted(content: Content, held: Held) -> Content:
    """Return those graphs of a release that a store says it holds."""
    return replace(content, graphs=tuple(graph for graph in content.graphs if graph.iri in held.graphs))


def _base(before: Held, after: Held, content: Content, given: Path | None) -> Content | str:
    """Return the release from which a difference leads on, or why there is none."""
    if before.state is State.LOADING:
        return "an earlier load did not end, or found the store unsound"
    if before.state is State.UPDATING and (before.manifest != after.manifest or not before.former):
        return "an earlier update did not end"  # or, without a former release, an act of a store that may forget a part
    manifest = before.former if before.state is State.UPDATING else before.manifest
    found = delta.find_base(manifest, before.version, content.place, given)
    if found is None:
        return f"{before.name}, which the store holds, is not at hand (--base names its folder)"
    entries = {graph.iri: holding.entry(graph) for graph in found.graphs}
    others = after.graphs if before.state is State.UPDATING else {}
    for iri, known in before.graphs.items():
        if known is None and before.state is State.UPDATING:
            continue  # it was being changed: the same difference, applied again, makes it whole
        if known is None or known not in (entries.get(iri), others.get(iri)):
            return f"the store's graph {load.name_of(iri)} is not that of {found.place}"
    return found


def _apply(store: Store, differences: Differences, before: Held, after: Held, say: Said) -> None:
    """Apply a difference: in one act where the store can, else graph by graph."""
    deltas = differences.deltas
    if store.abilities.changes is Reach.ALL:
        say(bodies.in_short(deltas))
        changed = [each.iri for each in deltas]
        load.at_once(store, before, after, changed, lambda held: store.change(deltas, holding.notes(held), say))
        return
    former = before.former if before.state is State.UPDATING else before.manifest
    graphs = {**dict.fromkeys(each.iri for each in deltas), **before.graphs}
    now = replace(after, state=State.UPDATING, former=former, graphs=graphs)
    left = [each for each in deltas if graphs[each.iri] is None or graphs[each.iri] != after.graphs.get(each.iri)]
    for place, each in enumerate(left):
        now = now.without([each.iri])
        if place == 0:
            _change(store, [], now, say)
        then = replace(now, graphs={**now.graphs, each.iri: after.graphs.get(each.iri)})
        if place + 1 < len(left):
            then = then.without([left[place + 1].iri])
        say(f"{load.name_of(each.iri)}: {bodies.in_short([each])}")
        _change(store, [each], then, say)
        now = then
    _change(store, [], after, say)


def _change(store: Store, deltas: list[Delta], after: Held, say: Said) -> None:
    load.surely(store, lambda: store.change(deltas, holding.notes(after), say), after)


def _checked(
    store: Store,
    content: Content,
    wanted: Content,
    before: Held,
    after: Held,
    differences: Differences,
    clock: _Clock,
    say: Said,
) -> Updated:
    """Count and compare after a difference was applied; what is not sound is replaced."""
    say("counting, and comparing a sample")
    whole = before.state is State.UPDATING  # nobody knows what a run that did not end has done
    unsound = verify.counts(store, wanted) if whole else verify.changed(store, wanted, differences.deltas)
    more, sampled = verify.sample(store, wanted, differences.figures)
    unsound |= more
    clock.lap("check")
    if unsound:
        told = "; ".join(f"{load.name_of(iri)} ({why})" for iri, why in sorted(unsound.items()))
        say(f"unsound: {told}; they are replaced")
        _change(store, [], replace(after.without(unsound), state=State.UPDATING), say)
        load.into(store, content, layers=_layers(content, wanted), compact=False, say=say)
        load.refuse(store, after, verify.sample(store, wanted, differences.figures)[0])
        clock.lap("repair")
    return _updated(store, content, before, "difference", "", _numbers(differences), sampled, tuple(unsound))


def _numbers(differences: Differences) -> dict[str, dict[str, int]]:
    """Return the triples that came and went, by the names of graphs."""
    graphs: dict[str, dict[str, int]] = {}
    for each in differences.deltas:
        numbers = graphs.setdefault(load.name_of(each.iri), {"added": 0, "removed": 0})
        numbers["added"] += each.additions
        numbers["removed"] += each.removals
    return graphs


def _layers(content: Content, wanted: Content) -> tuple[str, ...]:
    """Return the names of the layers to load; none for all."""
    return load.names_of(graph.iri for graph in wanted.graphs) if len(wanted.graphs) < len(content.graphs) else ()


def _same(store: Store, content: Content, wanted: Content, before: Held, clock: _Clock, say: Said) -> Updated:
    """Count what a store holds that is what it should hold; what is not sound is replaced."""
    done = load.into(store, content, layers=_layers(content, wanted), compact=False, say=say)
    clock.lap("check")
    return _updated(store, content, before, "nothing", "", {}, 0, done.loaded)


def _full(
    store: Store, content: Content, wanted: Content, before: Held | None, why: str, clock: _Clock, say: Said
) -> Updated:
    """Load a release, for want of a difference."""
    say(f"{why}; all is loaded")
    done = load.into(store, content, layers=_layers(content, wanted), compact=False, say=say)
    clock.lap("load")
    graphs = {
        load.name_of(graph.iri): {"added": graph.triples, "removed": 0}
        for graph in wanted.graphs
        if load.name_of(graph.iri) in done.loaded
    }
    return _updated(store, content, before, "full", why, graphs, 0, ())


def _updated(
    store: Store,
    content: Content,
    before: Held | None,
    way: str,
    why: str,
    graphs: dict[str, dict[str, int]],
    sampled: int,
    repaired: tuple[str, ...],
) -> Updated:
    return Updated(
        address=store.address,
        version=content.version,
        manifest=content.manifest,
        former=before.name if before else "",
        way=way,
        why=why,
        graphs=graphs,
        sampled=sampled,
        repaired=tuple(sorted(load.name_of(name) for name in repaired)),
        freed=0,
        seconds={},
    )
