"""A small source that changes twice, published each time: three releases to load and to bring stores to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from pfocr_rdf import identifiers as ids
from pfocr_rdf.stores import content, verify
from pfocr_rdf.stores import held as holding
from pfocr_rdf.stores.content import HELD, Content
from pfocr_rdf.stores.contract import Store
from tests import changing, releasing
from tests.changing import Files
from tests.fakestore import triples as triples

ENDPOINT = "https://example.org/pfocr/sparql"


@dataclass(frozen=True)
class Chain:
    """Releases one after the other, in the folder `site`, and the build of the last one."""

    site: Path
    places: tuple[Path, ...]
    build: Path

    def content(self, number: int) -> Content:
        """What a store takes of the n-th release."""
        return content.read(self.places[number])


def chain(folder: Path, figures: int = 12, releases: int = 3) -> Chain:
    """Publish a source again and again, changed between."""
    files = changing.small(folder / "source", figures, fixtures=False)
    rng = random.Random(7)  # noqa: S311 - the same changes each time
    places = []
    for number in range(releases):
        if number:
            change(files, rng)
        changing.build(files, folder / "build")
        # the address of the endpoint comes later: then the graph of the description has another name
        endpoint = ENDPOINT if number else None
        done = releasing.release(folder / "build", folder / "site", version=f"2023090{number + 1}", endpoint=endpoint)
        places.append(done.place)
    return Chain(folder / "site", tuple(places), folder / "build")


def change(files: Files, rng: random.Random) -> None:
    """Change some figures, remove one, and bring one that was not there."""
    for _ in range(3):
        changing.title(files, rng)
        changing.caption(files, rng)
    names = files.records()
    gone = rng.choice(names)
    text = files.text(gone)
    files.remove(gone)
    figid = Path(gone).stem
    for table in files.names(f"_data/{figid}-*.tsv"):
        files.remove(table)
    new = f"PMC{rng.randrange(10**6, 10**7)}__new-{rng.randrange(100)}.jpg"
    files.write(
        f"_figures/{new}.md", text.replace(figid, new).replace(figid.partition("__")[0], new.partition("__")[0])
    )


def expected(held: Content) -> dict[str, set[ox.Triple]]:
    """All triples of each graph of a release that has any."""
    found = {graph.iri: triples(graph) for graph in held.graphs}
    return {iri: said for iri, said in found.items() if said}


def exactly(store: Store, release: Content) -> bool:
    """Whether a store holds all triples of a release, no others, and says so."""
    if holding.read(store) != holding.of(release, part=False):
        return False
    rows = store.select("SELECT ?g ?s ?p ?o WHERE { GRAPH ?g { ?s ?p ?o } }").rows
    found = {
        (graph.value, subject.value, predicate.value, verify.by_value(value))
        for graph, subject, predicate, value in rows
        if graph.value != HELD and graph.value.startswith((ids.graph(""), ENDPOINT))
    }
    return found == {
        (iri, str(triple.subject)[1:-1], triple.predicate.value, verify.by_value(triple.object))
        for iri, said in expected(release).items()
        for triple in said
    }


def without_held(graphs: Mapping[str, set[ox.Triple]]) -> dict[str, set[ox.Triple]]:
    """Those graphs that are a release's."""
    return {iri: said for iri, said in graphs.items() if iri != HELD}


def copy_of(place: Path, to: Path, names: Iterable[str] = ()) -> Path:
    """A copy of a release elsewhere, without some of its files."""
    shutil.copytree(place, to, ignore=shutil.ignore_patterns(*names))
    return to
