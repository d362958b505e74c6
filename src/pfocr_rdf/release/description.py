"""The description of a release at the three levels of the W3C HCLS profile: dataset, version, and each file.

From the manifest, the statistics and the names to Turtle: no file is opened but the manifest, no clock is asked, and
every thing has a name. What must and must not be said at each level is check Q31.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pfocr_rdf import buildfolder, serialize
from pfocr_rdf import identifiers as ids
from pfocr_rdf.release import info, landing, provenance, void
from pfocr_rdf.release.files import ALL, COMPRESSIONS, CONTENTS, IANA, SHAPES, Name, read_name
from pfocr_rdf.release.info import FileInfo, ReleaseInfo
from pfocr_rdf.release.statistics import Statistics
from pfocr_rdf.release.void import SD, text
from pfocr_rdf.terms import Description as Said
from pfocr_rdf.terms import Pair, integer, iri, string, typed

SUMMARY = f"{ids.PFD}dataset/pfocr"
TITLE = "Pathway Figure OCR (PFOCR) as RDF"
ABOUT = (
    "Genes, chemicals and diseases that are drawn in published pathway figures, with the figures, their papers, and "
    "the words in each picture that name them: the Pathway Figure OCR database as a knowledge graph."
)
KEYWORDS = ("biological pathways", "chemicals", "diseases", "genes", "linked data", "pathway figures", "text mining")
_ENGLISH = "http://lexvo.org/id/iso639-3/eng"
_IRREGULAR = "http://purl.org/cld/freq/irregular"
_SHACL = "http://www.w3.org/TR/shacl/"
_DATED = re.compile(r"([0-9]{8})(?:-r[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Description:
    """A release described: `pfocr-void.ttl`, `void-endpoint.ttl`, and the JSON-LD of the page one lands on."""

    void: str
    endpoint: str
    jsonld: str


@dataclass(frozen=True, slots=True)
class _Context:
    """What every part of a description is made from."""

    release: ReleaseInfo
    manifest: Mapping[str, Any]
    statistics: Statistics
    files: Mapping[str, FileInfo]

    @property
    def version(self) -> str:
        return version_iri(self.release.version)

    @property
    def issued(self) -> str | None:
        return issued(self.release, self.manifest)

    def data(self) -> Iterator[tuple[str, Name, FileInfo]]:
        """The files that hold data, in order."""
        for name in sorted(self.files):
            if read := read_name(name):
                yield name, read, self.files[name]


def version_iri(version: str) -> str:
    """Return the IRI of a version."""
    return f"{SUMMARY}/{version}"


def distribution_iri(version: str, name: str) -> str:
    """Return the IRI of a file of a version."""
    return f"{version_iri(version)}/{name}"


def issued(release: ReleaseInfo, manifest: Mapping[str, Any]) -> str | None:
    """Return the date of a release: that of the source's revision, else the one that its version tells, if any."""
    if said := manifest["source"].get("date"):
        return str(said)[:10]
    found = _DATED.fullmatch(release.version)
    try:
        return date.fromisoformat(found[1]).isoformat() if found else None
    except ValueError:  # eight digits that are no day
        return None


def describe(build: Path, files: Mapping[str, FileInfo], release: ReleaseInfo, statistics: Statistics) -> Description:
    """Return the description of a release.

    `files` are all files that are published, by name; those that hold data become distributions. Raises `UsageError`
    when the manifest cannot be read.
    """
    context = _Context(release, buildfolder.read_manifest(build), statistics, files)
    return Description(_turtle(_by_file(context)), _turtle(_by_graph(context)), _landing(context))


def _turtle(said: Iterable[Said]) -> str:
    """Return descriptions as Turtle in the layout of all files, what is said of one subject together."""
    together: dict[str, list[Pair]] = {}
    for subject, pairs in said:
        together.setdefault(subject, []).extend(pairs)
    return serialize.HEADER + "".join(serialize.block(subject, together[subject]) for subject in sorted(together))


def _by_file(context: _Context) -> Iterator[Said]:
    """Yield what `pfocr-void.ttl` says."""
    yield (
        context.release.url(info.VOID),
        [
            ("a", "void:DatasetDescription"),
            ("dcterms:title", text(f"Description of {TITLE}, version {context.release.version}, by file")),
            ("foaf:primaryTopic", iri(context.version)),
        ],
    )
    yield from _upper(context)
    links = context.statistics.linksets
    for name, read, found in context.data():
        subject = distribution_iri(context.release.version, name)
        yield context.version, [("dcat:distribution", iri(subject))]
        yield from _distribution(context, subject, name, read, found)
        own = [link for link in links if link.layer == read.part and read.format.rdf]
        yield subject, [("void:subset", iri(node)) for node, _ in void.linksets(subject, own)]
        yield from void.linksets(subject, own)
    yield from void.targets(links)


def _by_graph(context: _Context) -> Iterator[Said]:
    """Yield what `void-endpoint.ttl` says: the store, its default graph, and each named graph."""
    statistics, release = context.statistics, context.release
    yield from _upper(context)
    store = void.part(context.version, "store")
    union = void.part(context.version, "union")
    names = {layer: ids.graph(layer) for layer in statistics.layers}
    yield (
        store,
        [
            ("a", iri(f"{SD}Dataset")),
            ("dcterms:title", text(f"A store of {TITLE}, version {release.version}")),
            (iri(f"{SD}defaultGraph"), iri(union)),
            *((iri(f"{SD}namedGraph"), iri(name)) for name in names.values()),
        ],
    )
    if release.endpoint:
        yield (
            f"{release.endpoint}#service",
            [
                ("a", iri(f"{SD}Service")),
                (iri(f"{SD}endpoint"), iri(release.endpoint)),
                (iri(f"{SD}supportedLanguage"), iri(f"{SD}SPARQL11Query")),
                (iri(f"{SD}feature"), iri(f"{SD}UnionDefaultGraph")),
                (iri(f"{SD}defaultDataset"), iri(store)),
            ],
        )
    pairs, partitions = void.statistics(union, statistics.whole, graphs=len(names))
    yield (
        union,
        [
            ("a", iri(f"{SD}Graph")),
            ("a", "void:Dataset"),
            ("dcterms:title", text("The union of all named graphs, which is the default graph")),
            *(("void:subset", iri(name)) for name in names.values()),
            *pairs,
        ],
    )
    yield from partitions
    for layer, name in names.items():
        yield from _graph(context, layer, name)
    yield from void.targets(statistics.linksets)


def _graph(context: _Context, layer: str, name: str) -> Iterator[Said]:
    """Yield the description of a named graph, which is also that of the graph with this name."""
    pairs, partitions = void.statistics(name, context.statistics.layers[layer])
    linksets = list(void.linksets(name, (link for link in context.statistics.linksets if link.layer == layer)))
    dumps = [file for file, read, _ in context.data() if read.part == layer and read.format.rdf]
    yield (
        name,
        [
            ("a", iri(f"{SD}NamedGraph")),
            ("a", iri(f"{SD}Graph")),
            ("a", "void:Dataset"),
            (iri(f"{SD}name"), iri(name)),
            (iri(f"{SD}graph"), iri(name)),
            ("dcterms:title", text(f"Layer {layer}")),
            ("dcterms:description", text(CONTENTS[layer])),
            ("dcterms:license", iri(ids.CC0)),
            *(("void:dataDump", iri(context.release.url(file))) for file in dumps),
            *_examples(context, layer),
            *(("void:subset", iri(node)) for node, _ in linksets),
            *pairs,
        ],
    )
    yield from partitions
    yield from linksets


def _upper(context: _Context) -> Iterator[Said]:
    """Yield the dataset, its version, and how the version came to be."""
    release = context.release
    yield (
        SUMMARY,
        [
            ("a", "dctypes:Dataset"),
            ("dcterms:title", text(TITLE)),
            ("dcterms:description", text(ABOUT)),
            ("dcterms:publisher", iri(release.publisher)),
            ("dcterms:license", iri(ids.CC0)),
            ("dcterms:accrualPeriodicity", iri(_IRREGULAR)),
            ("foaf:page", iri(f"{ids.SITE}/")),
            ("pav:hasCurrentVersion", iri(context.version)),
            *(("dcat:keyword", text(keyword)) for keyword in KEYWORDS),
            *([("void:sparqlEndpoint", iri(release.endpoint))] if release.endpoint else []),
        ],
    )
    yield from void.prefixes(SUMMARY)
    yield (
        context.version,
        [
            ("a", "dctypes:Dataset"),
            ("a", "dcat:Dataset"),
            ("dcterms:title", text(f"{TITLE}, version {release.version}")),
            ("dcterms:description", text(f"{ABOUT} {sentence(context.manifest)}")),
            ("dcterms:isVersionOf", iri(SUMMARY)),
            ("dcterms:source", iri(void.part(context.version, "source"))),
            ("dcterms:conformsTo", iri(ids.ONTOLOGY)),
            ("prov:wasDerivedFrom", iri(void.part(context.version, "source"))),
            ("prov:wasGeneratedBy", iri(void.part(context.version, "build"))),
            ("dcat:version", string(release.version)),
            ("foaf:page", iri(release.url(""))),
            *_common(context),
            *(_previous(release.previous) if release.previous else []),
        ],
    )
    yield from provenance.of(context.version, release, context.manifest)


def _common(context: _Context) -> list[Pair]:
    """Return what is said alike of a version and of its files."""
    release = context.release
    return [
        ("dcterms:creator", iri(ids.WIKIPATHWAYS)),
        ("dcterms:creator", iri(info.DEVELOPERS)),
        ("dcterms:publisher", iri(release.publisher)),
        ("dcterms:license", iri(ids.CC0)),
        ("dcterms:language", iri(_ENGLISH)),
        ("pav:version", string(release.version)),
        ("pav:createdWith", iri(provenance.tool(context.manifest))),
        *([("dcterms:issued", typed(context.issued, f"{ids.PREFIXES['xsd']}date"))] if context.issued else []),
    ]


def _previous(version: str) -> list[Pair]:
    name = iri(version_iri(version))
    return [("pav:previousVersion", name), ("dcat:previousVersion", name)]


def sentence(manifest: Mapping[str, Any]) -> str:
    """Return the counts of a build as a sentence, with which the description of its version ends."""
    counts = manifest["counts"]
    return f"It has {', '.join(f'{counts[name]:,} {name}' for name in counts)}."


def _distribution(context: _Context, subject: str, name: str, read: Name, found: FileInfo) -> Iterator[Said]:
    """Yield the description of a file, its checksum and its partitions."""
    release, media = context.release, f"{IANA}{read.format.media_type}"
    url = iri(release.url(name))
    pairs: list[Pair] = [
        ("a", "dctypes:Dataset"),
        ("a", "dcat:Distribution"),
        ("dcterms:title", text(f"{TITLE}, version {release.version}: {name}")),
        ("dcterms:description", text(CONTENTS.get(read.part, f"The file {name}, in the format {read.format.name}."))),
        ("dcterms:source", iri(void.part(context.version, "source"))),
        ("dcterms:format", iri(read.format.iri or media)),
        ("dcat:mediaType", iri(media)),
        ("dcat:downloadURL", url),
        ("dcat:accessURL", iri(release.url(""))),
        ("dcat:byteSize", typed(str(found.size), f"{ids.PREFIXES['xsd']}nonNegativeInteger")),
        *_common(context),
        *_conforms(context, read),
    ]
    if read.compression:
        pairs.append(("dcat:compressFormat", iri(f"{IANA}{COMPRESSIONS[read.compression]}")))
    if read.format.rdf:
        pairs += [("a", "void:Dataset"), ("void:dataDump", url)]
        partitions: list[Said] = []
        if counts := _counts(context, read):
            graphs = len(context.statistics.layers) if read.part == ALL else 0
            said, partitions = void.statistics(subject, counts, graphs)
            pairs += [*said, *_examples(context, read.part)]
        elif found.triples is not None:
            pairs.append(("void:triples", integer(found.triples)))
        if read.part == ALL:
            version = release.version
            pairs += [
                ("void:subset", iri(distribution_iri(version, other)))
                for other, its, _ in context.data()
                if its.part in context.statistics.layers and its.format.rdf
            ]
        yield from partitions
    yield from provenance.checksum(subject, found.sha256)
    yield subject, pairs


def _counts(context: _Context, read: Name) -> Any:
    """Return the counts of a layer's file or of the file of all layers; of any other, None."""
    return context.statistics.whole if read.part == ALL else context.statistics.layers.get(read.part)


def _conforms(context: _Context, read: Name) -> list[Pair]:
    """Return what a file conforms to: the vocabulary, and the shapes of this release if it has them."""
    if not read.format.rdf:
        return []
    if read.part == SHAPES:
        return [("dcterms:conformsTo", iri(_SHACL))]
    shapes = [distribution_iri(context.release.version, name) for name, its, _ in context.data() if its.part == SHAPES]
    return [("dcterms:conformsTo", iri(name)) for name in (ids.ONTOLOGY, *shapes)]


def _examples(context: _Context, part: str) -> list[Pair]:
    """Return subjects of a layer, one of each kind; of all layers, those of the first."""
    found = context.statistics.examples
    layer = next(iter(found), "") if part == ALL else part
    return [("void:exampleResource", iri(name)) for name in found.get(layer, ())]


def _landing(context: _Context) -> str:
    """Return the JSON-LD of the page one lands on."""
    return landing.jsonld(
        landing.Page(
            iri=context.version,
            name=f"{TITLE}, version {context.release.version}",
            description=f"{ABOUT} {sentence(context.manifest)}",
            keywords=KEYWORDS,
            issued=context.issued,
            series=SUMMARY,
        ),
        context.release,
        {name: (read, found) for name, read, found in context.data()},
    )
