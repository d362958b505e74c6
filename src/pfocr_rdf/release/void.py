"""Statistics as VoID: what is said of a dataset's triples, classes, properties and links, in the forms of HCLS.

Each partition and linkset is named after its dataset, `{dataset}#class/schema:Gene`, so there are no blank nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pfocr_rdf import identifiers as ids
from pfocr_rdf.release import spaces
from pfocr_rdf.release.statistics import Counts, Linkset
from pfocr_rdf.terms import Description, Pair, Token, integer, iri, is_iri, string, tagged

SD = "http://www.w3.org/ns/sparql-service-description#"
"""Has no prefix here: the layers' prefixes are the same in all files, and none of them needs it."""


def text(value: str) -> Token:
    """Return the token of a text for people: only the description of a release has languages."""
    return tagged(value, "en")


def part(dataset: str, *names: str) -> str:
    """Return the IRI of a part of a dataset; prefixed names stay readable, all else is percent-encoded."""
    return f"{dataset}{'/' if '#' in dataset else '#'}{'/'.join(_part(name) for name in names)}"


def _part(name: str) -> str:
    token = iri(name) if "://" in name else f"<{name}>"
    return ids.slug(name) if token.startswith("<") else token


def statistics(dataset: str, counts: Counts, graphs: int = 0) -> tuple[list[Pair], list[Description]]:
    """Return what is said of a dataset's counts, and the descriptions of its partitions; `graphs` if it has names."""
    pairs = [
        ("void:triples", integer(counts.triples)),
        ("void:entities", integer(counts.entities)),
        ("void:distinctSubjects", integer(counts.subjects)),
        ("void:distinctObjects", integer(counts.objects)),
        ("void:classes", integer(len(counts.classes))),
        ("void:properties", integer(len(counts.properties))),
        *(("void:vocabulary", iri(namespace)) for namespace in vocabularies(counts)),
    ]
    kinds = (
        ("classes", "rdfs:Class", len(counts.classes)),
        ("literals", "rdfs:Literal", counts.literals),
        ("graphs", iri(f"{SD}Graph"), graphs),
    )
    partitions: list[Description] = [  # HCLS, section 6.6.1: how many there are of each kind
        (part(dataset, name), [("void:class", kind), ("void:distinctSubjects", integer(number))])
        for name, kind, number in kinds
        if number
    ]
    for name, number in counts.classes.items():
        partitions.append(
            (part(dataset, "class", name), [("void:class", iri(name)), ("void:entities", integer(number))])
        )
    pairs += [("void:classPartition", iri(name)) for name, _ in partitions]
    for name, each in counts.properties.items():
        subject = part(dataset, "property", name)
        pairs.append(("void:propertyPartition", iri(subject)))
        said = [
            ("void:property", iri(name)),
            ("void:triples", integer(each.triples)),
            ("void:distinctSubjects", integer(each.subjects)),
            ("void:distinctObjects", integer(each.objects)),
        ]
        partitions.append((subject, said))
    return pairs, partitions


def vocabularies(counts: Counts) -> list[str]:
    """Return the namespaces of the classes and properties, but for RDF's own."""
    names = [*counts.classes, *counts.properties]
    found = {name[: max(name.rfind("/"), name.rfind("#")) + 1] for name in names}
    return sorted(name for name in found - {ids.PREFIXES["rdf"]} if is_iri(name))


def linksets(dataset: str, links: Iterable[Linkset]) -> Iterator[Description]:
    """Yield the description of each linkset of a dataset."""
    for link in links:
        start, target = (spaces.BY_NAME[name] for name in (link.subjects, link.objects))
        predicate = iri(link.predicate)
        yield (
            part(dataset, "links", link.predicate, link.subjects, link.objects),
            [
                ("a", "void:Linkset"),
                ("dcterms:title", text(f"{start.title} to {target.title} by {predicate.strip('<>')}")),
                ("void:subjectsTarget", iri(space(link.subjects))),
                ("void:objectsTarget", iri(space(link.objects))),
                ("void:linkPredicate", predicate),
                ("void:triples", integer(link.triples)),
            ],
        )


def space(name: str) -> str:
    """Return the IRI of a namespace as a dataset: what a linkset goes from or to."""
    return f"{ids.PFD}space/{name.replace('_', '-')}"


def targets(links: Iterable[Linkset]) -> Iterator[Description]:
    """Yield the description of each namespace that linksets go from or to."""
    for name in sorted({name for link in links for name in (link.subjects, link.objects)}):
        known = spaces.BY_NAME[name]
        yield (
            space(name),
            [
                ("a", "void:Dataset"),
                ("dcterms:title", text(known.title)),
                ("void:uriSpace", string(known.start)),
                ("void:uriRegexPattern", string(known.pattern)),
            ],
        )


def prefixes(owner: str) -> Iterator[Description]:
    """Yield the prefixes of the project as SHACL declares them, and the owner that has them."""
    names = {prefix: f"{ids.PFD}prefix/{prefix}" for prefix in ids.PREFIXES}
    yield owner, [("sh:declare", iri(name)) for name in names.values()]
    for prefix, name in names.items():
        namespace = f"{string(ids.PREFIXES[prefix])}^^xsd:anyURI"
        yield name, [("a", "sh:PrefixDeclaration"), ("sh:prefix", string(prefix)), ("sh:namespace", namespace)]
