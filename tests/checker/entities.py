"""Genes, taxa, chemicals, diseases: layers `entities` and `xrefs` (the model, a.7, a.3)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pyoxigraph import Literal, NamedNode, Triple

from . import vocabulary as v
from .figures import Layers
from .names import Names
from .rows import HUMAN, GeneRow
from .source import Corpus, Figure, Page
from .vocabulary import term, text
from .votes import Said, dissents, fact, is_name, label

CLASSES = {"chemical": "schema:ChemicalSubstance", "disease": "schema:MedicalCondition"}


def place(figure: Figure, row: GeneRow) -> str:
    """A table row as a place: figid, key of the mention, gene id (design, decisions)."""
    return f"{v.slug(figure.figid)}/{figure.key[row]}/{v.slug(row.gene or 'NA')}"


def add_entities(layers: Layers, names: Names, corpus: Corpus) -> None:
    """Everything that figures mention, and what the organism pages say."""
    add_genes(layers, names, corpus)
    add_taxa(layers, names, corpus)
    add_things(layers, corpus)


def add_genes(layers: Layers, names: Names, corpus: Corpus) -> None:
    """Genes with an id, labelled by the vote of the rows, and genes known by symbol only (a.7, a.2b)."""
    rows: dict[str, list[tuple[Figure, GeneRow]]] = defaultdict(list)
    for figure in corpus.figures:
        for row in figure.genes:
            if row.gene:
                rows[row.gene].append((figure, row))
        for symbol, (gene, number) in names.symbols(figure).items():
            layers["entities"] |= {
                Triple(gene, term("rdf:type"), term("schema:Gene")),
                Triple(gene, term("rdfs:label"), text(symbol)),
                Triple(gene, term("schema:taxonomicRange"), v.taxon_iri(number)),
            }
    for number, found in rows.items():
        gene = v.gene_iri(number)
        symbols = [Said(place(figure, row), "ncbigene_symbol", row.symbol) for figure, row in found]
        taxa = [Said(place(figure, row), "organism_id", row.organism_id) for figure, row in found]
        chosen, triples = fact(gene, taxa)
        layers["entities"] |= {
            Triple(gene, term("rdf:type"), term("schema:Gene")),
            Triple(gene, term("dcterms:identifier"), text(number)),
            Triple(gene, term("schema:taxonomicRange"), v.taxon_iri(chosen or HUMAN)),
            *label(gene, [symbols], symbols=True)[1],
            *triples,
        }
        for other in (
            f"http://identifiers.org/ncbigene/{number}",
            f"http://purl.uniprot.org/geneid/{number}",
            f"http://rdf.ncbi.nlm.nih.gov/pubchem/gene/GID{number}",
        ):
            layers["xrefs"].add(Triple(gene, term("skos:exactMatch"), NamedNode(other)))


def add_taxa(layers: Layers, names: Names, corpus: Corpus) -> None:
    """Taxa of gene rows, pages and lists (a.7)."""
    rows: dict[NamedNode, list[tuple[Figure, GeneRow]]] = defaultdict(list)
    pages: dict[NamedNode, list[Page]] = defaultdict(list)
    lists: dict[NamedNode, list[Said]] = defaultdict(list)
    taxa: dict[NamedNode, str | None] = {}
    for figure in corpus.figures:
        for row in figure.genes:
            taxon = v.taxon_iri(row.organism_id)
            taxa[taxon] = row.organism_id
            if not row.inline:
                rows[taxon].append((figure, row))
        for field, name, taxon in names.organisms(figure):
            lists[taxon].append(Said(v.slug(figure.figid), field, name))
            taxa.setdefault(taxon, names.number(figure, name))
    for page in corpus.pages:
        taxon = v.taxon_iri(page.taxon)
        taxa[taxon] = page.taxon
        pages[taxon].append(page)
    for taxon, number in taxa.items():
        layers["entities"].add(Triple(taxon, term("rdf:type"), term("schema:Taxon")))
        if number is not None:
            layers["entities"].add(Triple(taxon, term("dcterms:identifier"), text(number)))
            other = NamedNode(f"http://purl.uniprot.org/taxonomy/{number}")
            layers["xrefs"].add(Triple(taxon, term("skos:exactMatch"), other))
        layers["entities"] |= set(taxon_facts(taxon, number, rows[taxon], pages[taxon], lists[taxon]))


def taxon_facts(
    taxon: NamedNode,
    number: str | None,
    rows: Iterable[tuple[Figure, GeneRow]],
    pages: Iterable[Page],
    lists: list[Said],
) -> Iterator[Triple]:
    """Names, group, image of one taxon, and who says otherwise."""
    rows, pages = list(rows), list(pages)

    def on_pages(field: str) -> list[Said]:
        return [Said(f"_organisms/{v.slug(page.slug)}", field, page.front.scalar(field)) for page in pages]

    named = [Said(place(figure, row), "organism_name", row.organism_name) for figure, row in rows]
    name, triples = label(taxon, [named, on_pages("latin"), lists], "Homo sapiens" if number == HUMAN else None)
    yield from triples
    yield from common_names(taxon, on_pages("common"), name, triples)
    grouped = [Said(place(figure, row), "organism_group", row.organism_group) for figure, row in rows]
    by_rows = [one for one in grouped if is_name(one.value)]
    group, triples = fact(taxon, [*grouped, *on_pages("group")], by_rows or on_pages("group"))
    yield from triples
    if group:
        collection = term(f"pfd:group/{v.slug(group)}")
        yield Triple(collection, term("rdf:type"), term("skos:Collection"))
        yield Triple(collection, term("skos:prefLabel"), text(v.clean(group)))
        yield Triple(collection, term("skos:member"), taxon)
    images = [replace(one, value=one.value if is_address(one.value) else None) for one in on_pages("image")]
    image, triples = fact(taxon, images)
    yield from triples
    if image:
        yield Triple(taxon, term("schema:image"), NamedNode(image))
    for page in pages:
        yield Triple(taxon, term("pfocr:organismPage"), text(page.slug))


def common_names(taxon: NamedNode, said: list[Said], name: str | None, labels: set[Triple]) -> Iterator[Triple]:
    """Common names are alternative labels; the only one, else the label, is what a page is taken to say."""
    others = {v.clean(one.value) for one in said if one.value} - {name}
    yield from (Triple(taxon, term("skos:altLabel"), text(other)) for other in others)
    others |= {t.object.value for t in labels if t.predicate == term("skos:altLabel") and isinstance(t.object, Literal)}
    yield from dissents(taxon, said, others.pop() if len(others) == 1 else name)


def is_address(value: str | None) -> bool:
    """Whether a page's image is an absolute address (test fixture `organism-pages`)."""
    return value is not None and re.fullmatch(r"https?://[^\s/]+\S*", value) is not None


def add_things(layers: Layers, corpus: Corpus) -> None:
    """Chemicals and diseases: MeSH is labelled by `match`, ChEBI and DO by `name` (a.7)."""
    labels: dict[str, list[Said]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    for figure in corpus.figures:
        for row in figure.things:
            for curie, value in ((row.mesh, row.match), (row.other, row.name)):
                if curie:
                    kinds[curie].add(row.kind)
                    labels[curie].append(Said(figure.figid, row.kind, value))
            if row.mesh and row.other:
                link = Triple(v.curie_iri(row.mesh), term("skos:closeMatch"), v.curie_iri(row.other))
                layers["xrefs"].add(link)
    for curie, found in kinds.items():
        thing = v.curie_iri(curie)
        for kind in found:
            layers["entities"].add(Triple(thing, term("rdf:type"), term(CLASSES[kind])))
        layers["entities"].add(Triple(thing, term("dcterms:identifier"), text(v.curie_identifier(curie))))
        # The mentions keep match and name of every row, so no dissent is needed.
        triples = label(thing, [labels[curie]])[1]
        layers["entities"] |= {t for t in triples if t.predicate != term("pfocr:dissent")}
        if curie.startswith("CHEBI:"):
            other = NamedNode(f"https://identifiers.org/chebi/{curie}")
            layers["xrefs"].add(Triple(thing, term("skos:exactMatch"), other))
