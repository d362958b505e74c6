"""Genes, chemicals, diseases, taxa and their groups: facts of one record, and a thing's facts to descriptions.

The data model, sections a.2b, a.3 and a.7. Types and labels of entities stand in `entities` alone, links to
other namespaces in `xrefs` alone. What one place says otherwise is kept as `pfocr:dissent` (`docs/design.md`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pfocr_rdf import identifiers as ids
from pfocr_rdf import vocab as v
from pfocr_rdf.errors import Problem, problem
from pfocr_rdf.extract.organisms import OrganismPage
from pfocr_rdf.facts import Fact, Placed, Statements, Thing
from pfocr_rdf.mapping import article
from pfocr_rdf.model import SEPARATOR, Figure, Layer, Saying
from pfocr_rdf.resources import common_organisms
from pfocr_rdf.terms import Description, Pair, Token, iri, string

NAME_FIELDS = ("organism_name", "latin", "organisms", "organisms_ner")
"""Fields that name a taxon, the most trusted first."""
GROUP_FIELDS = ("organism_group", "group")
PAGE_FIELDS = ("latin", "common", "group", "image")
FOREIGN = "pair"
"""Field of what a block says of an address outside the graph: predicate and object, a blank between them."""
KINDS = "CJKNOPRTW"
"""The letters that sayings begin with, in order."""
_NO_STATEMENTS = Statements()
_SAME_GENES = " ,\n        ".join(f"<{other}>" for other in ids.gene_equivalents("%"))
"""What is the same as a gene, with a mark where its id stands."""


def voted_label(statements: Statements) -> str:
    """Return the label that most places give, spelled as a label."""
    return _voted(statements.votes)


def _voted(votes: Mapping[str, int]) -> str:
    if len(votes) == 1:
        return label_of(next(iter(votes)))
    cleaned: Counter[str] = Counter()
    for value, number in votes.items():
        cleaned[label_of(value)] += number
    return Statements(cleaned).winner


def label_of(text: str) -> str:
    """Return a name as a label: trimmed, runs of blanks collapsed."""
    return " ".join(text.split())


def sayings(figure: Figure) -> list[Placed]:
    """Return what one record says of genes, taxa, chemicals and diseases, by place within the figure."""
    said: list[Placed] = [(key, [*members.values()]) for key, _, members in figure.gene_mentions]
    if figure.symbol_genes:
        said.append(("keyword", [f"K\x1f{taxid}\x1f{symbol}\x1f{gene}" for taxid, symbol, gene in figure.symbol_genes]))
    others = [f"T\x1f{iri}\x1f{field}\x1f{name}" for field, name, iri in figure.taxa]
    others += [
        f"C\x1f{iri}\x1f{cls}\x1f{identifier}\x1f{label}\x1f{close or ''}"
        for iri, cls, identifier, label, close in figure.concepts
    ]
    if others:
        said.append(("", others))
    return said


def expand(saying: Saying, place: str) -> Iterator[Fact]:
    """Yield the facts of a saying; `place` is the whole of the place."""
    letter, *parts = saying.split(SEPARATOR)
    match letter:
        case "R":
            gene_id, symbol, taxid, *organism = parts
            taxon = ids.taxon(taxid)
            if gene_id:
                gene = ids.gene(gene_id)
                yield gene, "type", v.GENE, ""
                yield gene, "organism_id", taxid, place
                yield gene, "ncbigene_symbol", symbol, place
            yield taxon, "type", v.TAXON, ""
            for field, value in zip(("organism_name", "organism_group"), organism, strict=False):
                yield taxon, field, value, place
        case "K":
            taxid, symbol, gene = parts
            yield gene, "type", v.GENE, ""
            yield gene, "organism_id", taxid, place
            yield gene, "ncbigene_symbol", symbol, place
            yield ids.taxon(taxid), "type", v.TAXON, ""
        case "T":
            taxon, field, name = parts
            yield taxon, "type", v.TAXON, ""
            yield taxon, field, name, place
        case "C":
            concept, cls, identifier, label, close = parts
            yield concept, "type", cls, ""
            yield concept, "identifier", identifier, ""
            yield concept, "label", label, ""
            if close:
                yield concept, "close", close, ""
        case "J":
            journal, short, title = parts
            yield journal, "type", v.JOURNAL, ""
            if short:
                yield journal, "journal_nlm_ta", short, ""
            yield journal, "journal_title", title, place
        case "P":
            publisher, name = parts
            yield publisher, "type", v.FOAF_ORGANIZATION, ""
            yield publisher, "publisher_name", name, ""
        case "W":
            yield ids.WIKIPATHWAYS, "type", v.ORGANIZATION, ""
        case "N":
            node, predicate, value = parts
            yield node, FOREIGN, f"{predicate} {value}", ""
        case "O":
            taxon, slug, *values = parts
            yield taxon, "type", v.TAXON, ""
            yield taxon, "page", slug, place
            for field, value in zip(PAGE_FIELDS, values, strict=True):
                yield taxon, field, value, place


def page_sayings(page: OrganismPage) -> list[Placed]:
    """Return what an organism page says."""
    values = [getattr(page, name) for name in PAGE_FIELDS]
    return [("", [SEPARATOR.join(["O", page.iri, page.slug, *values])])]


def describe(subject: str, thing: Thing) -> Iterator[tuple[Layer, Description] | Problem]:
    """Yield the descriptions of one thing that several records speak of, and its conflicts."""
    if FOREIGN in thing:
        yield Layer.COMPAT, (subject, [_pair(text) for text in thing[FOREIGN].values])
    types = thing.get("type", _NO_STATEMENTS).values
    if not types:
        return
    if v.JOURNAL in types:
        yield Layer.CORE, article.describe_journal(subject, thing)
        yield from _conflicts(subject, thing, ("journal_title",))
    elif v.FOAF_ORGANIZATION in types:
        yield Layer.CORE, article.describe_publisher(subject, thing)
    elif v.ORGANIZATION in types:
        yield Layer.CORE, article.describe_creator(subject)
    elif v.GENE in types:
        yield Layer.ENTITIES, (subject, list(_gene(subject, thing)))
        if subject.startswith(ids.GENES):
            same = ids.gene_equivalents(subject[len(ids.GENES) :])
            yield Layer.XREFS, (subject, [(v.EXACT_MATCH, iri(other)) for other in same])
        yield from _conflicts(subject, thing, ("ncbigene_symbol", "organism_id"))
    elif v.TAXON in types:
        yield Layer.ENTITIES, (subject, list(_taxon(subject, thing)))
        if taxid := ids.taxid_of(subject):
            yield Layer.XREFS, (subject, [(v.EXACT_MATCH, iri(ids.taxon_equivalent(taxid)))])
        yield from _conflicts(subject, thing, ("organism_name", "latin", "organism_group", "group", "image"))
    else:
        yield Layer.ENTITIES, (subject, list(_concept(thing)))
        if links := list(_concept_links(subject, thing)):
            yield Layer.XREFS, (subject, links)
        yield from _conflicts(subject, thing, ("label",))


def _pair(text: str) -> Pair:
    predicate, _, value = text.partition(" ")
    return predicate, value


def usual_gene(gene: str, symbol: str, taxid: str) -> tuple[tuple[Layer, str, str], ...]:
    """Return layer, subject and Turtle of a gene of which all rows say the same: what `describe` gives, made at once.

    `symbol` is a label (trimmed, not empty).
    """
    subject = ids.gene(gene)
    said = (
        f'<{subject}>\n    {v.A} {v.GENE} ;\n    {v.IDENTIFIER} "{gene}" ;\n    {v.LABEL} {string(symbol)} ;\n'
        f"    {v.TAXONOMIC_RANGE} {_range(taxid)} .\n\n"
    )
    same = f"<{subject}>\n    {v.EXACT_MATCH} {_SAME_GENES.replace('%', gene)} .\n\n"
    return (Layer.ENTITIES, subject, said), (Layer.XREFS, subject, same)


@lru_cache(maxsize=4096)
def _range(taxid: str) -> Token:
    return iri(ids.taxon(taxid))


def _conflicts(subject: str, thing: Thing, names: Iterable[str]) -> Iterator[Problem]:
    for name in names:
        if name in thing and (others := thing[name].others()):
            values = " | ".join([thing[name].winner, *others])
            yield problem("facts-disagree", "", field=f"{subject} {name}", value=values)


def _gene(subject: str, thing: Thing) -> Iterator[Pair]:
    symbols, taxids = thing["ncbigene_symbol"], thing["organism_id"]
    label = voted_label(symbols)
    yield v.A, v.GENE
    if subject.startswith(ids.GENES):
        yield v.IDENTIFIER, string(subject[len(ids.GENES) :])
    if label:
        yield v.LABEL, string(label)
    yield v.TAXONOMIC_RANGE, iri(ids.taxon(taxids.winner))
    yield from _alternatives(label, symbols.values)
    yield from (_variant("organism_id", value) for value in taxids.others())
    yield from _dissents("ncbigene_symbol", symbols, label)
    yield from _dissents("organism_id", taxids, taxids.winner)


def taxon_label(subject: str, thing: Thing) -> str:
    """Return the label of a taxon: from gene rows, else pages, else records' lists, else the shipped table."""
    for name in NAME_FIELDS[:2]:
        if name in thing and (winner := _voted(_names(thing[name].votes))):
            return winner
    listed: Counter[str] = Counter()
    for name in NAME_FIELDS[2:]:
        listed.update(_names(thing.get(name, _NO_STATEMENTS).votes))
    if winner := _voted(listed):
        return winner
    taxid = ids.taxid_of(subject)
    return next((name for name, number in common_organisms().items() if number == taxid), "")


def _names(votes: Mapping[str, int]) -> dict[str, int]:
    """Return the votes for names; what stands for a missing value is none."""
    return {name: number for name, number in votes.items() if label_of(name) not in ids.NO_VALUES}


def default_common(label: str, alternatives: list[str]) -> str:
    """Return the common name that a page has unless a dissent says otherwise (converter and export agree)."""
    return alternatives[0] if len(alternatives) == 1 else label


def _taxon(subject: str, thing: Thing) -> Iterator[Pair]:
    label = taxon_label(subject, thing)
    yield v.A, v.TAXON
    if taxid := ids.taxid_of(subject):
        yield v.IDENTIFIER, string(taxid)
    if label:
        yield v.LABEL, string(label)
    names = {value for name in (*NAME_FIELDS, "common") if name in thing for value in thing[name].values if value}
    alternatives = sorted({label_of(name) for name in names} - {label, *ids.NO_VALUES})
    yield from ((v.ALT_LABEL, string(name)) for name in alternatives)
    for name in NAME_FIELDS:
        yield from _dissents(name, thing.get(name), label)
    yield from _dissents("common", thing.get("common"), default_common(label, alternatives))
    group = group_of(thing)
    for name in GROUP_FIELDS:
        values = thing.get(name, _NO_STATEMENTS).values
        yield from (_variant(name, value) for value in values if value not in ("", group))
        yield from _dissents(name, thing.get(name), group)
    yield from ((v.PFOCR_ORGANISM_PAGE, string(slug)) for slug in thing.get("page", _NO_STATEMENTS).values)
    if "image" in thing:
        images = thing["image"]
        if images.winner:
            yield v.IMAGE, iri(images.winner)
        yield from (_variant("image", value) for value in images.others())
        yield from _dissents("image", images, images.winner)


def group_of(thing: Thing) -> str:
    """Return the name of the group that a taxon is in, or an empty text: rows decide, else pages."""
    winners = (Statements(Counter(_names(thing[name].votes))).winner for name in GROUP_FIELDS if name in thing)
    return next((winner for winner in winners if winner), "")


def describe_group(name: str, members: Iterable[str]) -> Description:
    """Return a group of organisms with its members (IRIs)."""
    pairs = [(v.A, v.COLLECTION), (v.PREF_LABEL, string(label_of(name)))]
    return ids.group(name), pairs + [(v.MEMBER, iri(member)) for member in members]


def _concept(thing: Thing) -> Iterator[Pair]:
    yield from ((v.A, cls) for cls in thing["type"].values)
    yield v.IDENTIFIER, string(thing["identifier"].winner)
    labels = thing["label"]
    if label := voted_label(labels):
        yield v.LABEL, string(label)
    yield from _alternatives(label, labels.values)


def _concept_links(subject: str, thing: Thing) -> Iterator[Pair]:
    if subject.startswith(ids.CHEBI):
        yield v.EXACT_MATCH, iri(ids.chebi_equivalent(subject[len(ids.CHEBI) :]))
    yield from ((v.CLOSE_MATCH, iri(other)) for other in thing.get("close", _NO_STATEMENTS).values)


def _alternatives(label: str, values: Iterable[str]) -> Iterator[Pair]:
    for value in sorted({label_of(value) for value in values} - {label, ""}):
        yield v.ALT_LABEL, string(value)


def _variant(name: str, value: str) -> Pair:
    return v.PFOCR_VARIANT, string(f"{name}={value}")


def _dissents(name: str, statements: Statements | None, expected: str) -> Iterator[Pair]:
    if statements is not None:
        for place, value in statements.dissents(expected):
            yield v.PFOCR_DISSENT, string(f"{place} {name}={value}")
