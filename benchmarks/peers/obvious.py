"""The obvious program: rdflib graphs, pyld for the schema.org block, PyYAML for the front matter.

One named graph for each layer, written as Turtle at the end. Its triples are those of `pfocr-rdf build` but for
`pfocr:dissent` and the layer `ontology`. It uses nothing of the package but two shipped data files: the
JSON-LD context and the short table of organisms.

    python -m benchmarks.peers.obvious SOURCE OUT [--c-yaml] [--context FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pyld import jsonld
from rdflib import Dataset, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, OWL, RDF, RDFS, SKOS, XSD
from rdflib.term import Node

from benchmarks.peers import records
from benchmarks.peers.records import PFD, SHIPPED, Figure, Mention, Source

LAYERS = (
    "core",
    *records.GENE_LAYERS,
    "links-chemicals",
    "links-diseases",
    "evidence-genes",
    "evidence-chemicals",
    "evidence-diseases",
    "entities",
    "xrefs",
    "compat",
)
CONTEXT = SHIPPED / "schemaorg.context.jsonld"
PREFIXES: dict[str, str] = json.loads((SHIPPED / "prefixes.json").read_text(encoding="utf-8"))["@context"]

SCHEMA = Namespace(PREFIXES["schema"])
PFOCR = Namespace(PREFIXES["pfocr"])
BIBO = Namespace(PREFIXES["bibo"])
OA = Namespace(PREFIXES["oa"])
SIO = Namespace(PREFIXES["sio"])
WP = Namespace(PREFIXES["wp"])
WIKIPATHWAYS = URIRef(records.WIKIPATHWAYS)

TEXTS = {
    "figid": DCTERMS.identifier,
    "figid_alias": SCHEMA.alternateName,
    "figtitle": SCHEMA.name,
    "number": SCHEMA.position,
    "figtype": SCHEMA.genre,
    "caption": SCHEMA.description,
}


class Converter:
    """Reads a source into a dataset of layers."""

    def __init__(self, source: Source, context: Path) -> None:
        """Use the document at `context` for schema.org's."""
        self.source = source
        self.dataset = Dataset()
        for prefix, namespace in PREFIXES.items():
            self.dataset.bind(prefix, namespace, replace=True)
        self.layers = {name: self.dataset.graph(URIRef(f"{PFD}graph/{name}")) for name in LAYERS}
        document = json.loads(context.read_text(encoding="utf-8"))
        # "static" lets pyld keep the resolved context as well, not the text alone
        self.loaded = {"contextUrl": None, "documentUrl": None, "document": document, "tag": "static"}

    def convert(self) -> None:
        """Convert all figures, then what they share."""
        for figure in self.source.figures():
            self.figure(figure)
            for mention in figure.mentions:
                self.mention(figure, mention)
            self.block(figure)
        self.papers()
        self.entities()
        self.taxa()

    def write(self, out: Path) -> int:
        """Write one Turtle file for each layer; return the number of triples."""
        out.mkdir(parents=True, exist_ok=True)
        for name, graph in self.layers.items():
            graph.serialize(out / f"pfocr-{name}.ttl", format="turtle")
        return sum(map(len, self.layers.values()))

    def add(self, layer: str, subject: URIRef, predicate: URIRef, *values: Node) -> None:
        """Add one triple for each value."""
        graph = self.layers[layer]
        for value in values:
            graph.add((subject, predicate, value))

    def figure(self, figure: Figure) -> None:
        """Add the figure, its image and its links."""
        subject, texts = URIRef(figure.iri), figure.texts
        self.add("core", subject, RDF.type, SCHEMA.Dataset, SIO.SIO_000080)
        self.add("core", subject, DCTERMS.isPartOf, URIRef(f"https://identifiers.org/pmc/{figure.pmcid}"))
        self.add("core", subject, PFOCR.generation, Literal(figure.generation))
        self.add("core", subject, PFOCR.geneCount, Literal(len(figure.genes)))
        self.add("core", subject, PFOCR.strictGeneCount, Literal(list(figure.genes.values()).count(0)))
        for key, predicate in TEXTS.items():
            self.add("core", subject, predicate, *literals(texts[key]))
        self.add("core", subject, RDFS.label, *literals(texts["figtitle"].strip()))
        self.add("core", subject, SCHEMA.datePublished, *literals(texts["year"], XSD.gYear))
        self.add("core", subject, PFOCR.pathwayScore, *literals(figure.score, XSD.decimal))
        self.add("core", subject, PFOCR.resultRank, *literals(texts["pmc_ranked_result_index"], XSD.integer))
        self.add("core", subject, PFOCR.organismAsGiven, *map(Literal, figure.organisms_as_given))
        self.add("core", subject, DCTERMS.replaces, *map(URIRef, figure.replaces))
        self.add("core", subject, DCTERMS.source, *iris(figure.source))
        if texts["ndex"]:
            network = URIRef(f"https://www.ndexbio.org/viewer/networks/{texts['ndex']}")
            self.add("core", subject, RDFS.seeAlso, network)
        if texts["wpid"]:
            self.add("core", subject, DCTERMS.relation, URIRef(f"https://identifiers.org/wikipathways/{texts['wpid']}"))
        if figure.filename:
            image = URIRef(figure.image)
            self.add("core", subject, SCHEMA.image, image)
            self.add("core", image, RDF.type, SCHEMA.ImageObject)
            self.add("core", image, DCTERMS.identifier, Literal(figure.filename))
        for key, _, iri in figure.taxa:
            self.add("core", subject, SCHEMA.about if key == "organisms" else SCHEMA.mentions, URIRef(iri))
            self.add("compat", subject, WP.organism, URIRef(iri))
        for layer, entity in figure.links_by_layer():
            self.add(layer, subject, SCHEMA.mentions, URIRef(entity))

    def mention(self, figure: Figure, mention: Mention) -> None:
        """Add one word of a figure and what it was taken for."""
        layer, subject = f"evidence-{mention.kind}s", URIRef(mention.iri)
        self.add(layer, subject, RDF.type, OA.Annotation)
        self.add(layer, subject, OA.hasTarget, URIRef(figure.iri))
        self.add(layer, subject, OA.hasBody, *map(URIRef, mention.bodies))
        self.add(layer, subject, PFOCR.word, Literal(mention.word))
        self.add(layer, subject, PFOCR.match, *literals(mention.match))
        self.add(layer, subject, PFOCR.name, *literals(mention.name))
        self.add(layer, subject, PFOCR.symbol, *literals(mention.symbol))
        self.add(layer, subject, DCTERMS.source, URIRef(f"{PFD}lexicon/{mention.lexicon}"))
        self.add(layer, subject, DCTERMS.relation, *iris(mention.related))
        self.add(layer, subject, SCHEMA.taxonomicRange, *iris(mention.taxon))

    def block(self, figure: Figure) -> None:
        """Add what the schema.org block says, its known faults mended, and no other layer does."""
        block = figure.fields.get("schema-jsonld")
        if not isinstance(block, dict):
            return
        block = {**block, "@id": figure.iri}
        if block.get("license") == "CC0":
            block["license"] = records.CC0
            self.add("core", URIRef(figure.iri), SCHEMA.license, URIRef(records.CC0))
        if block.get("name") == "CreativeWork":
            block["name"] = figure.texts["figtitle"]
        if block.get("creator") == {"@type": "Organization", "name": "WikiPathways"}:
            block["creator"] = {**block["creator"], "@id": str(WIKIPATHWAYS)}
            self.add("core", URIRef(figure.iri), SCHEMA.creator, WIKIPATHWAYS)
            self.add("core", WIKIPATHWAYS, RDF.type, SCHEMA.Organization)
            self.add("core", WIKIPATHWAYS, SCHEMA.name, Literal("WikiPathways"))
        block["keywords"] = records.items(block, "keywords", records.MISSING)
        expanded = jsonld.expand(block, {"documentLoader": lambda *_: self.loaded})
        for triple in jsonld.to_rdf(expanded)["@default"]:
            said = (term(triple["subject"]), term(triple["predicate"]), term(triple["object"]))
            if said not in self.layers["core"]:
                self.layers["compat"].add(said)

    def papers(self) -> None:
        """Add papers, journals and publishers."""
        for iri, paper in self.source.papers().items():
            subject = URIRef(iri)
            pmcid = iri.rpartition("/")[2]
            self.add("core", subject, RDF.type, BIBO.AcademicArticle)
            self.add("core", subject, DCTERMS.identifier, Literal(pmcid))
            self.add("core", subject, DCTERMS.title, *literals(paper["papertitle"]))
            self.add("core", subject, DCTERMS.bibliographicCitation, *literals(paper["reftext"]))
            self.add("core", subject, DCTERMS.issued, *literals(paper["year"], XSD.gYear))
            self.add("core", subject, BIBO.doi, *literals(paper["doi"]))
            self.add("core", subject, OWL.sameAs, *iris(paper["doi_iri"]))
            self.add("core", subject, SCHEMA.keywords, *map(Literal, records.author_keywords(paper["keywords"])))
            self.add("core", subject, DCTERMS.isPartOf, *iris(paper["journal"]))
            self.add("core", subject, DCTERMS.publisher, *iris(paper["publisher"]))
            self.variants("core", subject, self.source.variants(iri, records.PAPER_FIELDS))
            self.add("xrefs", subject, SKOS.exactMatch, URIRef(f"http://identifiers.org/pmc/{pmcid}"))
            if paper["journal"]:
                journal = URIRef(paper["journal"])
                self.add("core", journal, RDF.type, BIBO.Journal)
                self.add("core", journal, BIBO.shortTitle, *literals(paper["journal_nlm_ta"]))
            if paper["publisher"]:
                publisher = URIRef(paper["publisher"])
                self.add("core", publisher, RDF.type, FOAF.Organization)
                self.add("core", publisher, FOAF.name, Literal(paper["publisher_name"]))
        for name in set(self.layers["core"].subjects(RDF.type, BIBO.Journal)):
            journal = URIRef(str(name))
            title = records.winner(self.source.votes[str(journal), "journal_title"])
            self.add("core", journal, DCTERMS.title, *literals(title))
            self.variants("core", journal, self.source.variants(str(journal), ("journal_title",)))

    def entities(self) -> None:
        """Add genes, chemicals and diseases, and what they are called elsewhere."""
        for iri in self.source.described(f"{SCHEMA}Gene"):
            subject, number = URIRef(iri), iri.removeprefix(records.GENES)
            taxids = self.source.votes[iri, "organism_id"]
            self.add("entities", subject, RDF.type, SCHEMA.Gene)
            self.add("entities", subject, DCTERMS.identifier, Literal(number))
            self.add("entities", subject, SCHEMA.taxonomicRange, URIRef(records.taxon(records.winner(taxids))))
            self.labels(subject, self.source.label(iri))
            self.variants("entities", subject, self.source.variants(iri, ("organism_id",)))
            for start in (
                "http://identifiers.org/ncbigene/",
                "http://purl.uniprot.org/geneid/",
                "http://rdf.ncbi.nlm.nih.gov/pubchem/gene/GID",
            ):
                self.add("xrefs", subject, SKOS.exactMatch, URIRef(start + number))
        for iri, identifier in self.source.identifiers.items():
            subject = URIRef(iri)
            self.add("entities", subject, RDF.type, *map(URIRef, self.source.types[iri]))
            self.add("entities", subject, DCTERMS.identifier, Literal(identifier))
            self.labels(subject, self.source.label(iri))
            if "CHEBI_" in iri:
                self.add("xrefs", subject, SKOS.exactMatch, URIRef(f"https://identifiers.org/chebi/CHEBI:{identifier}"))
            self.add("xrefs", subject, SKOS.closeMatch, *map(URIRef, self.source.close.get(iri, ())))

    def taxa(self) -> None:
        """Add organisms and their groups."""
        for iri in self.source.described(f"{SCHEMA}Taxon"):
            subject = URIRef(iri)
            self.add("entities", subject, RDF.type, SCHEMA.Taxon)
            taxid = iri.partition("NCBITaxon_")[2]
            if taxid:
                self.add("entities", subject, DCTERMS.identifier, Literal(taxid))
                self.add("xrefs", subject, SKOS.exactMatch, URIRef(f"http://purl.uniprot.org/taxonomy/{taxid}"))
            self.labels(subject, self.source.taxon_label(iri))
            self.add("entities", subject, PFOCR.organismPage, *map(Literal, self.source.votes[iri, "page"]))
            self.add("entities", subject, SCHEMA.image, *iris(records.winner(self.source.votes[iri, "image"])))
            self.variants("entities", subject, self.source.taxon_variants(iri))
            if name := self.source.group(iri):
                group = URIRef(f"{PFD}group/{records.slug(name)}")
                self.add("entities", group, RDF.type, SKOS.Collection)
                self.add("entities", group, SKOS.prefLabel, Literal(records.label_of(name)))
                self.add("entities", group, SKOS.member, subject)

    def labels(self, subject: URIRef, names: tuple[str, list[str]]) -> None:
        """Add the label and the other names of an entity."""
        self.add("entities", subject, RDFS.label, *literals(names[0]))
        self.add("entities", subject, SKOS.altLabel, *map(Literal, names[1]))

    def variants(self, layer: str, subject: URIRef, texts: Iterable[str]) -> None:
        """Add what some records say otherwise."""
        self.add(layer, subject, PFOCR.variant, *map(Literal, texts))


def literals(text: str | None, datatype: URIRef | None = None) -> list[Literal]:
    """Return the literal of a text, none for a missing one."""
    return [Literal(text, datatype=datatype)] if text else []


def iris(text: str | None) -> list[URIRef]:
    """Return the IRI, none for a missing one."""
    return [URIRef(text)] if text else []


def term(value: dict[str, Any]) -> URIRef | Literal:
    """Return pyld's form of a term as rdflib's."""
    if value["type"] == "IRI":
        return URIRef(value["value"])
    datatype = None if value["datatype"] == str(XSD.string) else URIRef(value["datatype"])
    return Literal(value["value"], datatype=datatype)


def build(root: Path, out: Path, *, c_yaml: bool = False, context: Path = CONTEXT) -> Graph:
    """Convert the checkout at `root` into Turtle files in `out`; return the dataset."""
    converter = Converter(Source(root, yaml.CBaseLoader if c_yaml else yaml.BaseLoader), context)
    converter.convert()
    converter.write(out)
    return converter.dataset


def main() -> None:
    """Convert and print the number of triples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--c-yaml", action="store_true", help="yaml.CBaseLoader instead of yaml.BaseLoader")
    parser.add_argument("--context", type=Path, default=CONTEXT, help="another document for schema.org's context")
    options = parser.parse_args()
    dataset = build(options.source, options.out, c_yaml=options.c_yaml, context=options.context)
    print(json.dumps({"triples": len(dataset)}))


if __name__ == "__main__":
    main()
