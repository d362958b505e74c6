"""Which terms to use on the hot path: blocks of text, tokens, pyoxigraph's terms, or an rdflib graph.

Writes the same mentions as Turtle in the four ways, one after the other in each round, and prints the median
seconds, triples per second and the ratio to the blocks. The four outputs must hold the same triples. The blocks
are what a build writes; tokens, sorted by subject, are what all other subjects are written with.

    python benchmarks/bench_terms.py --mentions 20000 --rounds 5
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO

import pyoxigraph as ox
import rdflib

from pfocr_rdf import identifiers as ids
from pfocr_rdf import serialize, terms
from pfocr_rdf import vocab as v
from pfocr_rdf.mapping import mention
from pfocr_rdf.model import Article, Figure

PER_FIGURE = 25


def figures(mentions: int) -> list[Figure]:
    """Figures with `mentions` gene mentions in all; no two are alike."""
    made: list[Figure] = []
    for number in range(mentions // PER_FIGURE):
        figid = f"PMC{number + 1}__f{number % 9}"
        figure = Figure(figid, "2024", "", Article(f"PMC{number + 1}"))
        for index in range(PER_FIGURE):
            genes = {str(1 + (number * 31 + index * 7 + i) % 50_000): "" for i in range(1 + index % 3)}
            word = f'IL-{index}"{number}'
            key = f"gene-{number:06x}{index:06x}"
            figure.gene_mentions.append((key, (word, word.upper(), "ncbigene_synonym"), genes))
        made.append(figure)
    return made


def with_blocks(given: list[Figure]) -> bytes:
    """The way of the package for mentions."""
    parts = [serialize.HEADER.encode()]
    for figure in given:
        parts += [piece.data for piece in mention.pieces(figure)]
    return b"".join(parts)


def with_tokens(given: list[Figure]) -> bytes:
    """The way of the package for all other subjects."""
    parts = [serialize.HEADER]
    for figure in given:
        for _, (subject, pairs) in mention.describe(figure):
            parts.append(serialize.block(subject, pairs))
    return "".join(parts).encode()


def triples(figure: Figure) -> list[tuple[str, str, str, bool]]:
    """Subject, predicate and object of each mention, and whether the object is an IRI."""
    found: list[tuple[str, str, str, bool]] = []
    for key, (word, match, lexicon), genes in figure.gene_mentions:
        subject = ids.mention(figure.figid, key)
        found.append((subject, terms.expand(v.A), terms.expand(v.ANNOTATION), True))
        found.append((subject, terms.expand(v.HAS_TARGET), ids.figure(figure.figid), True))
        found.append((subject, terms.expand(v.PFOCR_WORD), word, False))
        found.append((subject, terms.expand(v.PFOCR_MATCH), match, False))
        found.append((subject, terms.expand(v.SOURCE), ids.lexicon(lexicon), True))
        found += [(subject, terms.expand(v.HAS_BODY), ids.gene(gene), True) for gene in genes]
    return found


def with_pyoxigraph(given: list[Figure]) -> bytes:
    """Terms of pyoxigraph, and its Turtle writer; unsorted."""
    made = (
        ox.Triple(ox.NamedNode(s), ox.NamedNode(p), ox.NamedNode(o) if is_iri else ox.Literal(o))
        for figure in given
        for s, p, o, is_iri in triples(figure)
    )
    return ox.serialize(made, format=ox.RdfFormat.TURTLE, prefixes=ids.PREFIXES) or b""


def with_rdflib(given: list[Figure]) -> bytes:
    """A graph of rdflib, and its Turtle writer."""
    graph = rdflib.Graph()
    for prefix, namespace in ids.PREFIXES.items():
        graph.bind(prefix, namespace)
    for figure in given:
        for s, p, o, is_iri in triples(figure):
            graph.add((rdflib.URIRef(s), rdflib.URIRef(p), rdflib.URIRef(o) if is_iri else rdflib.Literal(o)))
    return graph.serialize(format="turtle", encoding="utf-8")


WAYS: dict[str, Callable[[list[Figure]], bytes]] = {
    "blocks": with_blocks,
    "tokens": with_tokens,
    "pyoxigraph": with_pyoxigraph,
    "rdflib": with_rdflib,
}


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mentions", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    given = figures(options.mentions)
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    graphs: dict[str, set[ox.Triple]] = {}
    for _ in range(options.rounds):
        for name, way in WAYS.items():
            began = time.perf_counter()
            data = way(given)
            seconds[name].append(time.perf_counter() - began)
            graphs[name] = {quad.triple for quad in ox.parse(BytesIO(data), format=ox.RdfFormat.TURTLE)}
    if any(graph != graphs["blocks"] for graph in graphs.values()):
        raise SystemExit("the ways do not say the same")
    total = len(graphs["blocks"])
    print(f"{platform.machine()}, Python {platform.python_version()}, pyoxigraph {version('pyoxigraph')}, ", end="")
    print(f"rdflib {version('rdflib')}; {total:,} triples, {options.rounds} rounds, medians")
    print(f"{'way':<12}{'seconds':>10}{'triples/s':>14}{'ratio':>8}")
    base = statistics.median(seconds["blocks"])
    for name in WAYS:
        median = statistics.median(seconds[name])
        print(f"{name:<12}{median:>10.2f}{total / median:>14,.0f}{median / base:>8.1f}")


if __name__ == "__main__":
    main()
