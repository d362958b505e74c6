"""Stand-ins for the endpoints of others: the smallest data in the form of each, what the federated questions answer
beside them, and a Fuseki server that offers each at an address of its own.

They show that our queries speak the partners' vocabularies as these were published; they are not the partners.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import servers
from tests.answers import Row, Source, gene, levels, number, page, plain
from tests.checker import vocabulary as v

REMOTES = {
    "https://sparql.wikipathways.org/sparql": """
        @prefix dc: <http://purl.org/dc/elements/1.1/> . @prefix dcterms: <http://purl.org/dc/terms/> .
        @prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix wp: <http://vocabularies.wikipathways.org/wp#> .
        @prefix gene: <https://identifiers.org/ncbigene/> .
        <urn:pathway> a wp:Pathway ; dc:title "Plaque"@en .
        <urn:pathway> wp:organism <http://purl.obolibrary.org/obo/NCBITaxon_9606> .
        <urn:n1> wp:bdbEntrezGene gene:3569 , gene:7124 ; dcterms:isPartOf <urn:pathway> .
        <urn:n2> wp:bdbEntrezGene gene:3605 , gene:6774 , gene:6364 ; dcterms:isPartOf <urn:pathway> .
        <https://identifiers.org/pubmed/1> a wp:PublicationReference ; dcterms:isPartOf <urn:pathway> ;
          owl:sameAs <https://doi.org/10.5555/jed.2022.0017> .
        <https://identifiers.org/pubmed/9> a wp:PublicationReference ; dcterms:isPartOf <urn:pathway> .""",
    "https://sparql.uniprot.org/sparql": """
        @prefix up: <http://purl.uniprot.org/core/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        <http://purl.uniprot.org/uniprot/P05231> rdfs:seeAlso <http://purl.uniprot.org/geneid/3569> ; up:reviewed true ;
          up:classifiedWith <http://purl.obolibrary.org/obo/GO_0005125> , <http://purl.uniprot.org/keywords/202> .
        <http://purl.obolibrary.org/obo/GO_0005125> rdfs:label "cytokine activity" .
        <http://purl.uniprot.org/keywords/202> rdfs:label "Cytokine" .""",
    "https://id.nlm.nih.gov/mesh/sparql": """
        @prefix mesh: <http://id.nlm.nih.gov/mesh/> . @prefix meshv: <http://id.nlm.nih.gov/mesh/vocab#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        mesh:D011565 meshv:broaderDescriptor mesh:D017444 ; rdfs:label "Psoriasis"@en .
        mesh:D017444 meshv:broaderDescriptor mesh:D012871 ; rdfs:label "Skin Diseases, Papulosquamous"@en .
        mesh:D012871 rdfs:label "Skin Diseases"@en .""",
    "https://query-scholarly.wikidata.org/sparql": """
        @prefix wdt: <http://www.wikidata.org/prop/direct/> .
        <urn:paper> wdt:P932 "9100002" ; wdt:P921 <urn:psoriasis> .""",
    "https://query.wikidata.org/sparql": """
        @prefix wdt: <http://www.wikidata.org/prop/direct/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        <urn:il6> wdt:P351 "3569" ; wdt:P2293 <urn:arthritis> .
        <urn:psoriasis> rdfs:label "psoriasis"@en , "Psoriasis"@de . <urn:arthritis> rdfs:label "arthritis"@en .""",
}
"""What endpoints of others hold, a few triples in the form of each; by the endpoint's address."""
PUBTATOR = """
    @prefix oa: <http://www.w3.org/ns/oa#> .
    <urn:found> oa:hasTarget <http://rdf.ncbi.nlm.nih.gov/pubmed/1> .
    <urn:found> oa:hasBody <http://identifiers.org/ncbigene/3569> ."""
PUBTATOR_AT = "https://rdfportal.org/ncbi/sparql"
PUBTATOR_GRAPH = "http://rdfportal.org/dataset/pubtator_central"
LOCAL = re.compile(r"(?<=SERVICE )<(https://[^>]+)>")


def answers(folder: Path) -> dict[int, list[Row]]:
    """The rows of the federated questions on a source beside the stand-ins, comparable and in order.

    Question 26 is asked with `least` = 1.
    """
    source = Source(folder)
    figure = source.figure("PMC9100002__jed-04-0017-g001")
    drawn = Counter(id_ for each in source.figures for id_ in levels(each) if source.taxon[id_] == "9606")
    held = {"3569", "7124", "3605", "6774", "6364"}
    of_paper = [each for each in source.figures if each.pmcid == figure.pmcid]
    paper = v.paper_iri(figure.pmcid).value
    obo = "http://purl.obolibrary.org/obo/"
    rows: dict[int, list[Row]] = {
        25: [("urn:pathway", "Plaque", number(len(held & set(levels(figure)))))],
        26: [(gene(id_), source.symbol[id_], number(count)) for id_, count in drawn.items() if id_ not in held],
        27: [("urn:pathway", "Plaque", paper, page(each)) for each in of_paper],
        28: [(gene("3569"), "http://purl.uniprot.org/uniprot/P05231", f"{obo}GO_0005125", "cytokine activity")],
        29: [(page(figure), v.curie_iri("MESH:D011565").value, "Psoriasis")],
        30: [
            *((page(each), "urn:paper", "urn:psoriasis", "psoriasis") for each in of_paper),
            *((page(each), "urn:il6", "urn:arthritis", "arthritis") for each in source.with_gene("3569")),
        ],
        31: [(gene(id_), source.symbol[id_]) for id_ in levels(figure) if id_ != "3569"],
    }
    return {at: sorted(plain(at, row) for row in found) for at, found in rows.items()}


@contextmanager
def standing_in(jar: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Run a Fuseki server with a dataset for each endpoint; yield the local address of each."""
    port, services, local = servers.free_port(), [], {}
    data = REMOTES | {PUBTATOR_AT: _in_graph(PUBTATOR, PUBTATOR_GRAPH)}
    for at, (address, text) in enumerate(sorted(data.items())):
        file = folder / f"remote{at}.trig"
        file.write_text(text, encoding="utf-8")
        local[address] = f"http://localhost:{port}/remote{at}/sparql"
        services.append(
            f'[] a fuseki:Service ; fuseki:name "remote{at}" ;\n'
            '  fuseki:endpoint [ fuseki:operation fuseki:query ; fuseki:name "sparql" ] ;\n'
            f"  fuseki:dataset [ a ja:MemoryDataset ; ja:data <{file.as_uri()}> ] .\n"
        )
    config = folder / "remotes.ttl"
    fuseki, assembler = "http://jena.apache.org/fuseki#", "http://jena.hpl.hp.com/2005/11/Assembler#"
    prefixes = [f"@prefix fuseki: <{fuseki}> .\n", f"@prefix ja: <{assembler}> .\n"]
    config.write_text("".join([*prefixes, *services]), encoding="utf-8")
    server = "org.apache.jena.fuseki.main.cmds.FusekiMainCmd"
    options = ["--localhost", f"--port={port}", "--ping", f"--config={config}"]
    ready = servers.answers(f"http://localhost:{port}/$/ping")
    with servers.running([*servers.JAVA, "-cp", jar, server, *options], folder, ready):
        yield local


def _in_graph(turtle: str, graph: str) -> str:
    lines = turtle.strip().splitlines()
    prefixes = [line for line in lines if line.strip().startswith("@prefix")]
    return "\n".join([*prefixes, f"<{graph}> {{", *(line for line in lines if line not in prefixes), "}"])
