"""Loading and updating, by the unit: against a store in memory that can as much as a test says, and fails when told."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import buildfolder
from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import content, delta, load, update, verify
from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores.content import HELD, Content
from pfocr_rdf.stores.contract import Reach, StoreError, StoreUnavailable
from pfocr_rdf.stores.held import Entry, Held, State
from tests import storing
from tests.fakestore import Fake, Killed, cut, kill_at
from tests.storing import Chain

REACHES = (Reach.ALL, Reach.GRAPH, Reach.NONE)
STRIDE = {Reach.ALL: 1, Reach.GRAPH: 3, Reach.NONE: 7}
"""Of a store with more steps not each one is tried."""
CORE, VOID = ids.graph("core"), ids.graph("void")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return storing.chain(tmp_path_factory.mktemp("chain"))


def graphs_of(store: Fake) -> dict[str, set[ox.Triple]]:
    """What a store holds beside what it says of itself."""
    return {iri: store.of(iri) for iri in store.counts() if iri != HELD}


def holds(store: Fake, release: Content) -> bool:
    """Whether a store holds a release and nothing else, and says so."""
    told = holding.of(release, part=False)
    return holding.read(store) == told and graphs_of(store) == storing.expected(release)


def copy(store: Fake) -> Fake:
    """The same store, whatever becomes of the first."""
    other = Fake(store.reach, store.bulk, store.forgets)
    other.store.extend(store.store)
    return other


def test_what_is_held_is_read_as_it_was_said() -> None:
    graphs: dict[str, Entry | None] = {
        CORE: Entry("ab" * 32, 7),
        ids.graph("xrefs"): None,
        VOID: Entry("cd" * 32, 0),
        f"{storing.ENDPOINT}/.well-known/void": None,
    }
    for said in (
        Held("20230907-r2", "ef" * 32, State.UPDATING, True, graphs, "01" * 32),
        Held("", "ef" * 32, State.COMPLETE, False, graphs),
    ):
        store = Fake()
        store.change([], holding.notes(said), lambda _: None)
        assert holding.read(store) == said
    assert holding.notes(said)[HELD] == "".join(sorted(holding.notes(said)[HELD].splitlines(keepends=True)))


def test_a_store_that_says_nothing_or_nonsense_holds_nothing(chain: Chain) -> None:
    store = Fake()
    assert holding.read(store) is None
    load.into(store, chain.content(0))
    graph = ox.NamedNode(HELD)
    status = ox.NamedNode("http://schema.org/creativeWorkStatus")
    store.store.add(ox.Quad(graph, status, ox.Literal("loading"), graph))
    assert holding.read(store) is None


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("bulk", ["", "a program"])
def test_a_release_is_loaded_and_loading_it_again_does_nothing(chain: Chain, reach: Reach, bulk: str) -> None:
    store = Fake(reach, bulk)
    done = load.into(store, chain.content(0))
    assert holds(store, chain.content(0))
    assert done.new
    assert (len(done.loaded), done.kept, done.removed) == (len(chain.content(0).graphs), (), ())
    store.acts.clear()
    again = load.into(store, chain.content(0))
    assert (again.new, again.loaded, again.removed, store.acts) == (False, (), (), [])
    assert again.kept == done.loaded


def test_a_first_load_takes_each_graph_alone_and_says_so_when_it_is_there(chain: Chain) -> None:
    store = Fake()
    done = load.into(store, chain.content(0))
    each = [act for name in done.loaded for act in (f"replace {name}", "change held")]
    assert store.acts == ["change held", *each, "change held"]


def test_a_build_is_loaded_too(chain: Chain) -> None:
    store = Fake()
    built = content.read(chain.build)
    load.into(store, built)
    assert holds(store, built)
    assert (built.version, VOID in graphs_of(store)) == ("", False)


@pytest.mark.parametrize("reach", REACHES)
def test_a_later_release_takes_the_place_of_an_earlier_one(chain: Chain, reach: Reach) -> None:
    store = Fake(reach)
    load.into(store, chain.content(0))
    done = load.into(store, chain.content(1))
    assert holds(store, chain.content(1))
    assert "ontology" in done.kept  # what is equal is not loaded
    assert done.removed == ("void",)  # the description has another name now


def test_a_store_that_can_shows_the_old_release_or_the_new_one_and_nothing_between(chain: Chain) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(next((number for number in range(3) if holds(store, chain.content(number))), -1))

    store = Fake(Reach.ALL)
    load.into(store, chain.content(0))
    store.seen = look
    load.into(store, chain.content(1))
    update.into(store, chain.content(2))
    assert seen == [1, 2]


def test_some_layers_may_be_loaded_and_others_join_them(chain: Chain) -> None:
    store, release = Fake(), chain.content(0)
    done = load.into(store, release, layers=["core", "xrefs"])
    assert (done.part, done.loaded) == (True, ("core", "xrefs"))
    assert set(graphs_of(store)) == {CORE, ids.graph("xrefs")}
    said = holding.read(store)
    assert said is not None
    assert said.part
    done = load.into(store, release, layers=["entities", "core"])
    assert (done.loaded, sorted(done.kept)) == (("entities",), ["core", "xrefs"])
    assert load.into(store, release, layers=["xrefs"]).new is False
    assert load.into(store, release).part is False
    assert holds(store, release)


def test_layers_of_another_release_do_not_stay_beside_those_that_are_loaded(chain: Chain) -> None:
    store = Fake()
    load.into(store, chain.content(0))
    done = load.into(store, chain.content(1), layers=["core"])
    assert set(graphs_of(store)) == {CORE}
    assert "entities" in done.removed


def test_a_layer_that_is_none_is_refused_before_anything_is_done(chain: Chain) -> None:
    store = Fake()
    with pytest.raises(UsageError, match="genes: is no layer"):
        load.into(store, chain.content(0), layers=["core", "genes"])
    assert store.acts == []


@pytest.mark.parametrize("reach", REACHES)
def test_a_chain_of_updates_ends_with_the_last_release(chain: Chain, reach: Reach) -> None:
    store = Fake(reach)
    load.into(store, chain.content(0))
    for number in (1, 2):
        done = update.into(store, chain.content(number))
        assert holds(store, chain.content(number))
        assert (done.way, done.former, done.repaired) == ("difference", f"2023090{number}", ())
        assert 0 < done.added + done.removed < sum(graph.triples for graph in chain.content(number).graphs) / 2
        assert done.sampled > 2
    assert update.into(store, chain.content(2)).way == "nothing"


def test_an_update_may_skip_releases_and_go_back(chain: Chain) -> None:
    store = Fake()
    load.into(store, chain.content(0))
    for number in (2, 0):
        assert update.into(store, chain.content(number)).way == "difference"
        assert holds(store, chain.content(number))


def test_an_update_of_some_layers_stays_with_these(chain: Chain) -> None:
    store = Fake()
    load.into(store, chain.content(0), layers=["core", "links-genes-symbol", "void"])
    done = update.into(store, chain.content(1))
    assert done.way == "difference"
    names = ("core", "links-genes-symbol", "void")
    assert graphs_of(store) == storing.expected(chain.content(1).only(list(names)))
    assert holding.read(store) == holding.of(chain.content(1).only(list(names)), part=True)


def test_the_base_is_found_by_its_hash_wherever_it_is_named(chain: Chain, tmp_path: Path) -> None:
    alone = storing.copy_of(chain.places[1], tmp_path / "alone" / "new")
    base = storing.copy_of(chain.places[0], tmp_path / "elsewhere" / "releases" / "old")
    for given in (base, base.parent, base.parent.parent):
        store = Fake()
        load.into(store, chain.content(0))
        assert update.into(store, content.read(alone), base=given).way == "difference"
        assert holds(store, content.read(alone))
    with pytest.raises(UsageError, match="no such folder"):
        delta.find_base("", "", alone, tmp_path / "nowhere")


def test_all_is_loaded_where_the_base_is_not_known(chain: Chain, tmp_path: Path) -> None:
    alone = content.read(storing.copy_of(chain.places[1], tmp_path / "alone" / "new"))
    store = Fake()
    load.into(store, chain.content(0))
    done = update.into(store, alone, base=chain.places[2])
    assert (done.way, "not at hand" in done.why) == ("full", True)
    assert holds(store, alone)
    store = Fake()
    done = update.into(store, alone)
    assert (done.way, done.former, "does not say" in done.why) == ("full", "", True)
    assert holds(store, alone)


def test_of_two_releases_of_one_build_the_one_that_is_held_is_the_base(chain: Chain, tmp_path: Path) -> None:
    site = tmp_path / "site"
    first = storing.copy_of(chain.places[0], site / "a")
    storing.copy_of(chain.places[0], site / "b")
    path = site / "b" / "release.json"
    path.write_text(path.read_text().replace('"version": "20230901"', '"version": "20230901-r2"'))
    manifest = content.read(first).manifest
    for version, name in (("20230901", "a"), ("20230901-r2", "b")):
        found = delta.find_base(manifest, version, site / "c")
        assert found is not None
        assert found.place.name == name


def tampered(store: Fake, iri: str, number: int = 1) -> None:
    """Take triples out of a graph behind everybody's back, and put as many others in."""
    graph = ox.NamedNode(iri)
    for quad in itertools.islice(list(store.store.quads_for_pattern(None, None, None, graph)), number):
        store.store.remove(quad)
        store.store.add(ox.Quad(quad.subject, ox.NamedNode("http://example.org/other"), quad.object, graph))


@pytest.mark.parametrize("reach", REACHES)
def test_a_graph_with_another_number_of_triples_is_replaced_by_load_and_by_update(chain: Chain, reach: Reach) -> None:
    acts: list[tuple[int, Callable[[Fake, Content], tuple[str, ...]]]] = [
        (0, lambda store, release: load.into(store, release).loaded),
        (0, lambda store, release: update.into(store, release).repaired),
        (1, lambda store, release: update.into(store, release).repaired),
    ]
    for number, act in acts:
        store = Fake(reach)
        load.into(store, chain.content(0))
        graph = ox.NamedNode(CORE)
        store.store.remove(next(iter(store.store.quads_for_pattern(None, None, None, graph))))
        assert act(store, chain.content(number)) == ("core",)
        assert holds(store, chain.content(number))


def test_of_a_large_graph_the_subjects_that_changed_are_counted(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "LARGE", 0)
    monkeypatch.setattr(verify, "sample", lambda *_: ({}, 0))
    store = Fake()
    load.into(store, chain.content(0))
    assert update.into(copy(store), chain.content(1)).repaired == ()
    [core] = [each for each in delta.between(chain.content(0), chain.content(1), tmp_path).deltas if each.iri == CORE]
    lines = core.added.read_text().splitlines()
    touched = {ox.NamedNode(line[1 : line.index("> ")]) for line in lines}
    graph = ox.NamedNode(CORE)
    quads = list(store.store.quads_for_pattern(None, None, None, graph))
    elsewhere, here = copy(store), copy(store)
    elsewhere.store.remove(next(quad for quad in quads if quad.subject not in touched))
    assert update.into(elsewhere, chain.content(1)).repaired == ()  # nobody looked there
    assert load.into(elsewhere, chain.content(1)).loaded == ("core",)  # who loads it again counts all
    subject = ox.NamedNode(lines[0][1 : lines[0].index("> ")])
    here.store.add(ox.Quad(subject, ox.NamedNode("http://example.org/p"), subject, graph))
    assert update.into(here, chain.content(1)).repaired == ("core",)
    assert holds(here, chain.content(1))


def test_a_sample_finds_triples_that_are_others_in_equal_number(chain: Chain) -> None:
    store = Fake()
    load.into(store, chain.content(0))
    tampered(store, CORE, 10_000)
    unsound, compared = verify.sample(store, chain.content(0), ())
    assert compared > 0
    assert CORE in unsound
    assert update.into(store, chain.content(1)).repaired
    assert holds(store, chain.content(1))


def test_a_sample_sees_what_a_figure_that_changed_lacks_and_what_one_that_went_left(
    chain: Chain, tmp_path: Path
) -> None:
    store = Fake()
    load.into(store, chain.content(0))
    figures = delta.between(chain.content(0), chain.content(1), tmp_path).figures
    for how in ("changed", "added", "removed"):
        figid = next(figid for figid, figure in figures.items() if figure.how == how)
        unsound, _ = verify.sample(store, chain.content(1), [figid], size=1)
        assert CORE in unsound, how
    update.into(store, chain.content(1))
    assert verify.sample(store, chain.content(1), figures, size=100)[0] == {}


def test_counts_of_classes_are_held_against_manifest_and_description(chain: Chain) -> None:
    store = Fake()
    load.into(store, chain.content(0))
    assert verify.counts(store, chain.content(0)) == {}
    kind = ox.NamedNode(f"{ids.PREFIXES['rdf']}type")
    for layer, cls in (("core", "http://semanticscience.org/resource/SIO_000080"), ("entities", f"{ids.SCHEMA}Gene")):
        broken = copy(store)
        graph = ox.NamedNode(ids.graph(layer))
        quad = next(iter(broken.store.quads_for_pattern(None, kind, ox.NamedNode(cls), graph)))
        broken.store.remove(quad)
        broken.store.add(ox.Quad(quad.subject, kind, ox.NamedNode("http://example.org/Other"), graph))
        assert cls in verify.counts(broken, chain.content(0))[ids.graph(layer)]
        assert verify.changed(broken, chain.content(0), ()) == {}  # as many triples as before
    graph = ox.NamedNode(ids.graph("evidence-genes"))
    quad = next(iter(store.store.quads_for_pattern(None, kind, None, graph)))
    store.store.remove(quad)
    store.store.add(ox.Quad(quad.subject, kind, ox.NamedNode("http://example.org/Other"), graph))
    assert "mentions in all" in verify.counts(store, chain.content(0))[graph.value]


def test_partitions_of_the_description_are_what_the_classes_are_counted_against(chain: Chain, tmp_path: Path) -> None:
    place = storing.copy_of(chain.places[0], tmp_path / "described")
    path = place / "void-endpoint.ttl"
    said = (
        f"<{CORE}>\n    void:classPartition <{CORE}#class/bibo:Journal> .\n\n"
        f"<{CORE}#class/bibo:Journal>\n    void:class bibo:Journal ;\n    void:entities 12345 .\n\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + said, encoding="utf-8")
    described = content.read(place)
    with pytest.raises(StoreError, match="12,345"):
        load.into(Fake(), described)


@pytest.mark.parametrize("reach", REACHES)
def test_an_unsound_load_says_which_graph_and_the_next_one_replaces_it(chain: Chain, reach: Reach) -> None:
    def lose(name: str) -> None:
        if name.startswith("after replace") and "core" in name and not lost:
            lost.append(next(iter(store.store.quads_for_pattern(None, None, None, ox.NamedNode(CORE)))))
            store.store.remove(lost[0])

    lost: list[ox.Quad] = []
    store = Fake(reach)
    store.step = lose
    with pytest.raises(StoreError, match=r"unsound after 20230901: core \(.* triples instead of"):
        load.into(store, chain.content(0))
    said = holding.read(store)
    assert said is not None
    assert (said.state, [iri for iri, known in said.graphs.items() if known is None]) == (State.UPDATING, [CORE])
    assert load.into(store, chain.content(0)).loaded == ("core",)
    assert holds(store, chain.content(0))


def believable(store: Fake, releases: list[Content]) -> None:
    """Whatever a store says of itself is so: a whole release, or graph by graph what has an entry."""
    said = holding.read(store)
    if said is None:
        return
    if said.state is State.COMPLETE:
        assert any(holds(store, release) for release in releases)
        return
    known = {(graph.iri, holding.entry(graph)): graph for release in releases for graph in release.graphs}
    there = graphs_of(store)
    for iri, entry in said.graphs.items():
        if entry is not None:
            assert there.get(iri, set()) == storing.triples(known[iri, entry]), iri


def killed_everywhere(start: Fake, act: Callable[[Fake], object], releases: list[Content]) -> int:
    """Kill a run at each of its steps; the store is never what it does not say, and the next run completes."""
    for number in itertools.count(1, STRIDE[start.reach]):
        store = copy(start)
        store.step = kill_at(number)
        try:
            act(store)
        except Killed:
            store.step = lambda _: None
            if store.reach is not Reach.NONE:
                believable(store, releases)
            act(store)
            assert holds(store, releases[-1]), number
        else:
            store.step = lambda _: None
            assert holds(store, releases[-1])
            return number
    raise AssertionError


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return storing.chain(tmp_path_factory.mktemp("tiny"), figures=4, releases=2)


@pytest.mark.parametrize("reach", REACHES)
def test_a_load_that_is_killed_anywhere_is_finished_by_the_next_one(tiny: Chain, reach: Reach) -> None:
    first, second = tiny.content(0), tiny.content(1)
    steps = killed_everywhere(Fake(reach), lambda store: load.into(store, first), [first])
    assert steps > 10
    served = Fake(reach)
    load.into(served, first)
    killed_everywhere(served, lambda store: load.into(store, second), [first, second])


@pytest.mark.parametrize("reach", REACHES)
def test_an_update_that_is_killed_anywhere_is_finished_by_the_next_one(tiny: Chain, reach: Reach) -> None:
    first, second = tiny.content(0), tiny.content(1)
    served = Fake(reach)
    load.into(served, first)
    ways: list[str] = []
    steps = killed_everywhere(served, lambda store: ways.append(update.into(store, second).way), [first, second])
    assert steps > 5
    assert ways.count("difference") > ways.count("full")  # it goes on with the difference, not with all


def test_a_store_that_forgets_a_part_of_its_last_act_does_not_say_that_it_is_there(tiny: Chain) -> None:
    first, second = tiny.content(0), tiny.content(1)
    served = Fake(forgets=True)
    load.into(served, first)
    steps = killed_everywhere(served, lambda store: update.into(store, second), [first, second])
    assert steps > 10
    killed_everywhere(served, lambda store: load.into(store, second), [first, second])
    seen: list[tuple[str, bool]] = []
    watched = copy(served)

    def look() -> None:  # readers see the old release until the act, and the new one since
        told = holding.read(watched)
        assert told is not None
        release = next(each for each in (first, second) if each.manifest == told.manifest)
        assert graphs_of(watched) == storing.expected(release)
        seen.append((release.version, told.state is State.COMPLETE))

    watched.seen = look
    update.into(watched, second)
    assert seen == [(first.version, False), (second.version, False), (second.version, True)]


@pytest.mark.parametrize("act", [load.into, update.into])
def test_after_a_kill_readers_see_the_old_release_until_the_next_act(tiny: Chain, act: Callable[..., object]) -> None:
    first, second = tiny.content(0), tiny.content(1)
    store = Fake(forgets=True)
    load.into(store, first)

    def die(name: str) -> None:
        if name.startswith("before") and "core" in name:
            raise Killed

    store.step = die
    with pytest.raises(Killed):
        act(store, second)
    told = holding.read(store)
    assert told is not None
    assert told.state is State.UPDATING  # it has said that it begins
    store.step = lambda _: None
    store.seen = lambda: seen.append(only_release(store, first, second))
    seen: list[str] = []
    act(store, second)
    assert seen[-1] == second.version
    assert holds(store, second)


@pytest.mark.parametrize("forgets", [False, True])
def test_what_a_store_said_already_is_no_sign_that_an_act_was_done(chain: Chain, forgets: bool) -> None:
    store = Fake(forgets=forgets)
    load.into(store, chain.content(0))
    store.store.remove_graph(ox.NamedNode(CORE))

    def away(name: str) -> None:
        if name.startswith("before replace") and not cuts:
            cuts.append(name)
            raise StoreUnavailable("the fake: the connection was cut")

    cuts: list[str] = []
    store.step = away
    assert load.into(store, chain.content(0)).loaded == ("core",)
    assert len(cuts) == 1
    assert holds(store, chain.content(0))


def test_what_is_unsound_after_an_act_is_replaced_in_one_act_by_the_next_release(chain: Chain) -> None:
    def lose(name: str) -> None:
        if name.startswith("after replace"):
            store.store.remove(next(iter(store.store.quads_for_pattern(None, None, None, ox.NamedNode(CORE)))))

    store = Fake()
    load.into(store, chain.content(0))
    store.step = lose
    with pytest.raises(StoreError, match="unsound after 20230902: core"):
        load.into(store, chain.content(1))
    store.step = lambda _: None
    store.acts.clear()
    update.into(store, chain.content(2))
    assert len([act for act in store.acts if act.startswith("replace")]) == 1
    assert holds(store, chain.content(2))


def test_what_others_have_loaded_is_replaced_in_one_act(tiny: Chain) -> None:
    first, second = tiny.content(0), tiny.content(1)
    store = Fake()
    load.into(store, first)
    store.remove([HELD])
    seen: list[str] = []
    store.seen = lambda: seen.append(only_release(store, first, second))
    assert update.into(store, second).why == "the store does not say what it holds"
    assert seen == [second.version]
    assert holds(store, second)


def only_release(store: Fake, *releases: Content) -> str:
    """Return the version of the release of which a store holds all and nothing else."""
    return next(each.version for each in releases if graphs_of(store) == storing.expected(each))


def test_an_update_that_was_killed_gives_way_to_one_to_another_release(chain: Chain) -> None:
    for number in range(2, 40, 8):
        store = Fake(Reach.GRAPH)
        load.into(store, chain.content(0))
        store.step = kill_at(number)
        try:
            update.into(store, chain.content(1))
        except Killed:
            store.step = lambda _: None
            update.into(store, chain.content(2))
            assert holds(store, chain.content(2)), number


@pytest.mark.parametrize("reach", [Reach.ALL, Reach.GRAPH])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost_costs_no_second_try_when_it_was_done(chain: Chain, reach: Reach, when: str) -> None:
    store = Fake(reach)
    load.into(store, chain.content(0))
    trial = copy(store)
    update.into(trial, chain.content(1))
    name = next(act for act in trial.acts if "core" in act)
    store.acts.clear()
    store.step = cut(f"{when} {name}")
    assert update.into(store, chain.content(1)).way == "difference"
    assert holds(store, chain.content(1))
    told_together = reach is Reach.ALL  # else the store does not say yet that it was done
    assert store.acts.count(name) == (1 if when == "after" and told_together else 2)


def test_a_store_that_stays_away_ends_the_run_and_holds_the_old_release(chain: Chain) -> None:
    def away(name: str) -> None:
        if name.startswith("before"):
            raise StoreUnavailable("the fake: cannot be reached")

    store = Fake()
    load.into(store, chain.content(0))
    store.step = away
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        update.into(store, chain.content(1))
    store.step = lambda _: None
    assert holds(store, chain.content(0))
    update.into(store, chain.content(1))
    assert holds(store, chain.content(1))


def test_differences_are_the_triples_that_differ_and_no_others(chain: Chain, tmp_path: Path) -> None:
    old, new = chain.content(0), chain.content(1)
    before, after = storing.expected(old), storing.expected(new)
    found = delta.between(old, new, tmp_path)
    assert {each.iri for each in found.deltas} == {
        iri for iri in before.keys() | after.keys() if before.get(iri) != after.get(iri)
    }
    for each in found.deltas:
        texts = [path.read_text(encoding="utf-8").splitlines() for path in (each.removed, each.added)]
        for lines, one, other in zip(texts, (before, after), (after, before), strict=True):
            assert set(lines) == {f"{triple} ." for triple in one.get(each.iri, set()) - other.get(each.iri, set())}
            assert lines == sorted(lines)
        assert [len(lines) for lines in texts] == [each.removals, each.additions]


def test_a_release_that_is_damaged_is_said_so_and_changes_nothing(chain: Chain, tmp_path: Path) -> None:
    site = tmp_path / "releases"
    for place in chain.places[:2]:
        shutil.copytree(place, site / place.name)
    store = Fake()
    load.into(store, content.read(site / "20230901"))
    core = site / "20230902" / "pfocr-core.ttl"
    core.write_bytes(core.read_bytes()[:-100])
    with pytest.raises(UsageError, match="pfocr-core"):
        update.into(store, content.read(site / "20230902"))
    assert holds(store, chain.content(0))


def test_the_name_of_a_build_is_its_hash(chain: Chain) -> None:
    built = holding.of(content.read(chain.build), part=False)
    assert built.name == f"the build {buildfolder.describe_file(chain.build / 'manifest.json')['sha256'][:12]}"
    assert replace(built, version="20230907").name == "20230907"
