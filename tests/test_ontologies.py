"""The shipped files of `ontologies/`, and the tool that makes one of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml
from pyld import jsonld

from pfocr_rdf import vocab
from tests.support import ROOT

ONTOLOGIES = ROOT / "ontologies"
TOOL = ROOT / "tools" / "make_context.py"
TURTLE = ("lexicon.ttl", "pfocr.ttl")

PFD = "https://w3id.org/pfocr/"
PFOCR = "https://w3id.org/pfocr/vocab#"
ONTOLOGY = "https://w3id.org/pfocr/vocab"
SCHEME = "https://w3id.org/pfocr/lexicon"
DCTERMS = "http://purl.org/dc/terms/"
OWL = "http://www.w3.org/2002/07/owl#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
VANN = "http://purl.org/vocab/vann/"
XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"

LEVEL_OF = {
    "ncbigene_symbol": "level-symbol",
    "hgnc_symbol": "level-symbol",
    "ncbigene_synonym": "level-synonym",
    "hgnc_alias_symbol": "level-synonym",
    "hgnc_prev_symbol": "level-synonym",
    "famplex_relations": "level-family",
    "bioentities_symbol": "level-family",
}
LEVELS = set(LEVEL_OF.values())
WITHOUT_LEVEL = {
    "chemical",
    "chemical-chebi",
    "chemical-mesh",
    "disease",
    "disease-doid",
    "disease-mesh",
    "pubtator-chemical",
    "pubtator-disease",
}
OWN_TERMS = sorted(
    token.removeprefix("pfocr:")
    for token in vars(vocab).values()
    if isinstance(token, str) and token.startswith("pfocr:")
)
PROPERTIES = sorted(
    token
    for token in vars(vocab).values()
    if isinstance(token, str) and re.fullmatch(r"[a-z]+:[a-z][A-Za-z]*", token) is not None
)

Json = dict[str, Any]
Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


def triples(name: str) -> list[ox.Quad]:
    return list(ox.parse(path=ONTOLOGIES / name, format=ox.RdfFormat.TURTLE))


def objects(name: str, subject: str, predicate: str) -> list[Term]:
    wanted = (ox.NamedNode(subject), ox.NamedNode(predicate))
    return [quad.object for quad in triples(name) if (quad.subject, quad.predicate) == wanted]


def iris(name: str, subject: str, predicate: str) -> set[str]:
    found = objects(name, subject, predicate)
    assert len(set(found)) == len(found)
    return {term.value for term in found if isinstance(term, ox.NamedNode)}


def instances(name: str, kind: str) -> set[str]:
    pair = (ox.NamedNode(RDF_TYPE), ox.NamedNode(kind))
    return {str(quad.subject)[1:-1] for quad in triples(name) if (quad.predicate, quad.object) == pair}


def english(name: str, subject: str, predicate: str) -> str:
    """The one value of a property that must have exactly one, in English."""
    (value,) = objects(name, subject, predicate)
    assert isinstance(value, ox.Literal)
    assert value.language == "en"
    assert value.value == value.value.strip() != ""
    return value.value


def plain(name: str, subject: str, predicate: str) -> str:
    """The one value of a property that must have exactly one, a plain string."""
    (value,) = objects(name, subject, predicate)
    assert isinstance(value, ox.Literal)
    assert (value.language, value.datatype.value) == (None, XSD_STRING)
    return value.value


def read_json(name: str) -> Json:
    document: Json = json.loads((ONTOLOGIES / name).read_text(encoding="utf-8"))
    return document


def prefixes() -> dict[str, str]:
    found: dict[str, str] = read_json("prefixes.json")["@context"]
    return found


# the vocabulary


def test_the_vocabulary_and_the_code_have_the_same_own_terms() -> None:
    subjects = {str(quad.subject)[1:-1] for quad in triples("pfocr.ttl")}
    assert {iri for iri in subjects if iri.startswith(PFOCR)} == {PFOCR + name for name in OWN_TERMS}


@pytest.mark.parametrize("name", OWN_TERMS)
def test_each_own_term_says_what_it_is(name: str) -> None:
    assert OWL + "DatatypeProperty" in iris("pfocr.ttl", PFOCR + name, RDF_TYPE)
    assert english("pfocr.ttl", PFOCR + name, RDFS + "label")
    assert len(english("pfocr.ttl", PFOCR + name, SKOS + "definition")) > 80
    assert iris("pfocr.ttl", PFOCR + name, RDFS + "isDefinedBy") == {ONTOLOGY}
    assert len(objects("pfocr.ttl", PFOCR + name, RDFS + "range")) == 1


def test_labels_of_own_terms_are_unique() -> None:
    labels = [english("pfocr.ttl", PFOCR + name, RDFS + "label") for name in OWN_TERMS]
    assert len(set(labels)) == len(labels)


def test_each_own_term_is_in_the_readme() -> None:
    text = (ONTOLOGIES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `pfocr:(\w+)` \|", text, flags=re.MULTILINE)) == OWN_TERMS


def test_each_shipped_file_is_in_the_readme() -> None:
    text = (ONTOLOGIES / "README.md").read_text(encoding="utf-8")
    shipped = {path.name for path in ONTOLOGIES.iterdir() if path.suffix in {".ttl", ".json", ".jsonld", ".tsv"}}
    assert set(re.findall(r"^\| `([\w.]+)` \|", text, flags=re.MULTILINE)) == shipped


def test_what_stands_on_many_kinds_of_things_has_no_domain() -> None:
    for name in ("variant", "dissent"):
        assert objects("pfocr.ttl", PFOCR + name, RDFS + "domain") == []


def test_the_ontology_describes_itself() -> None:
    assert instances("pfocr.ttl", OWL + "Ontology") == {ONTOLOGY}
    version = plain("pfocr.ttl", ONTOLOGY, OWL + "versionInfo")
    assert iris("pfocr.ttl", ONTOLOGY, OWL + "versionIRI") == {f"{ONTOLOGY}/{version}"}
    assert english("pfocr.ttl", ONTOLOGY, DCTERMS + "title")
    assert english("pfocr.ttl", ONTOLOGY, DCTERMS + "description")
    licence = "http://creativecommons.org/publicdomain/zero/1.0/"
    assert iris("pfocr.ttl", ONTOLOGY, DCTERMS + "license") == {licence}
    assert len(iris("pfocr.ttl", ONTOLOGY, DCTERMS + "creator")) == 1
    assert plain("pfocr.ttl", ONTOLOGY, VANN + "preferredNamespacePrefix") == "pfocr"
    assert plain("pfocr.ttl", ONTOLOGY, VANN + "preferredNamespaceUri") == PFOCR


# the lexicons


def test_the_scheme_has_the_known_lexicons_and_no_others() -> None:
    assert instances("lexicon.ttl", SKOS + "ConceptScheme") == {SCHEME}
    assert english("lexicon.ttl", SCHEME, SKOS + "prefLabel")
    assert english("lexicon.ttl", SCHEME, SKOS + "definition")
    values = LEVELS | WITHOUT_LEVEL | set(LEVEL_OF)
    assert instances("lexicon.ttl", SKOS + "Concept") == {f"{SCHEME}/{value}" for value in values}


@pytest.mark.parametrize("value", sorted(LEVELS | WITHOUT_LEVEL | set(LEVEL_OF)))
def test_each_lexicon_is_complete(value: str) -> None:
    concept = f"{SCHEME}/{value}"
    assert english("lexicon.ttl", concept, SKOS + "prefLabel")
    assert len(english("lexicon.ttl", concept, SKOS + "definition")) > 40
    assert iris("lexicon.ttl", concept, SKOS + "inScheme") == {SCHEME}
    if value in LEVELS:  # no value of the source
        assert objects("lexicon.ttl", concept, SKOS + "notation") == []
    else:
        assert plain("lexicon.ttl", concept, SKOS + "notation") == value


@pytest.mark.parametrize("value", sorted(LEVELS | WITHOUT_LEVEL | set(LEVEL_OF)))
def test_gene_lexicons_stand_under_their_level_and_all_others_on_top(value: str) -> None:
    broader = {f"{SCHEME}/{LEVEL_OF[value]}"} if value in LEVEL_OF else set()
    assert iris("lexicon.ttl", f"{SCHEME}/{value}", SKOS + "broader") == broader
    tops = set() if broader else {SCHEME}
    assert iris("lexicon.ttl", f"{SCHEME}/{value}", SKOS + "topConceptOf") == tops


def test_the_top_concepts_are_named_both_ways() -> None:
    tops = {f"{SCHEME}/{value}" for value in LEVELS | WITHOUT_LEVEL}
    assert iris("lexicon.ttl", SCHEME, SKOS + "hasTopConcept") == tops


def test_notations_and_labels_are_unique() -> None:
    for predicate in (SKOS + "notation", SKOS + "prefLabel"):
        found = [quad.object.value for quad in triples("lexicon.ttl") if quad.predicate.value == predicate]  # type: ignore[union-attr]
        assert len(set(found)) == len(found)


# both, as Turtle


@pytest.mark.parametrize("name", TURTLE)
def test_there_is_no_blank_node(name: str) -> None:
    terms = [term for quad in triples(name) for term in (quad.subject, quad.object)]
    assert [term for term in terms if isinstance(term, ox.BlankNode)] == []


@pytest.mark.parametrize("name", TURTLE)
def test_nothing_is_said_of_foreign_terms(name: str) -> None:
    assert [quad for quad in triples(name) if not str(quad.subject)[1:-1].startswith(PFD)] == []


@pytest.mark.parametrize("name", TURTLE)
def test_the_prefixes_of_a_file_are_those_of_the_prefix_file(name: str) -> None:
    lines = (ONTOLOGIES / name).read_text(encoding="utf-8").splitlines()
    expected = [f"@prefix {prefix}: <{namespace}> ." for prefix, namespace in prefixes().items()]
    assert [
        line for line in lines if line.lower().lstrip().startswith(("@prefix", "prefix", "@base", "base"))
    ] == expected
    assert lines[: len(expected)] == expected


@pytest.mark.parametrize("name", TURTLE)
def test_the_layout_is_that_of_all_our_turtle(name: str) -> None:
    text = (ONTOLOGIES / name).read_bytes().decode("utf-8")
    assert "\r" not in text
    assert "\t" not in text
    assert text.endswith(" .\n")
    _, *blocks = text[:-1].split("\n\n")
    subjects = [block.partition(" ")[0] for block in blocks]
    bare = [expand(subject) for subject in subjects]
    assert bare == sorted(set(bare))
    for subject, block in zip(subjects, blocks, strict=True):
        assert block.endswith(" .")
        first, *rest = block.removeprefix(subject + " ").removesuffix(" .").split(" ;\n    ")
        assert first.startswith("a ")
        assert "\n" not in "".join([first, *rest])
        predicates = [line.partition(" ")[0] for line in rest]
        assert predicates == sorted(set(predicates))
        for line in (first, *rest):
            _, _, listed = line.partition(" ")
            tokens = [listed] if listed.startswith('"') else listed.split(", ")
            assert tokens == sorted(set(tokens))
        for token in re.findall(r"<[^<>\s]*>", re.sub(r'"[^"]*"', "", block)):
            assert shortest(token[1:-1]) == token


def expand(token: str) -> str:
    prefix, _, local = token.partition(":")
    return token[1:-1] if token.startswith("<") else prefixes()[prefix] + local


def shortest(iri: str) -> str:
    for prefix, namespace in sorted(prefixes().items(), key=lambda item: -len(item[1])):
        local = iri.removeprefix(namespace)
        if local != iri and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", local):
            return f"{prefix}:{local}"
    return f"<{iri}>"


def test_the_two_files_can_be_written_one_after_the_other() -> None:
    lexicons, terms = ({str(quad.subject)[1:-1] for quad in triples(name)} for name in TURTLE)
    assert max(lexicons) < min(terms)


# the small files


def test_prefixes_are_in_alphabetical_order_and_end_where_a_name_can_begin() -> None:
    assert list(prefixes()) == sorted(prefixes())
    assert len(set(prefixes().values())) == len(prefixes())
    assert [namespace for namespace in prefixes().values() if namespace[-1] not in "/#"] == []


def test_organisms_have_one_taxonomy_id_each() -> None:
    header, *lines = (ONTOLOGIES / "organisms.tsv").read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    assert header == "name\ttaxid"
    names, taxids = zip(*(line.split("\t") for line in lines), strict=True)
    assert len(set(names)) == len(set(taxids)) == len(lines)
    assert [name for name in names if re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+", name) is None] == []
    assert [taxid for taxid in taxids if re.fullmatch(r"[1-9][0-9]*", taxid) is None] == []


# the context in which a figure is shown


def figure_keys() -> dict[str, Any]:
    """The keys of the context that are neither prefixes nor keywords."""
    context: Json = read_json("pfocr.context.jsonld")["@context"]
    return {key: value for key, value in context.items() if key not in prefixes() and not key.startswith("@")}


def key_token(value: Any) -> str:
    return str(value["@id"] if isinstance(value, dict) else value)


def test_the_context_of_a_figure_has_all_prefixes() -> None:
    context: Json = read_json("pfocr.context.jsonld")["@context"]
    assert {prefix: context.get(prefix) for prefix in prefixes()} == prefixes()


def test_the_context_of_a_figure_has_one_short_key_for_each_property() -> None:
    tokens = [key_token(value) for value in figure_keys().values()]
    assert len(set(tokens)) == len(tokens)
    assert set(PROPERTIES) - set(tokens) == set()
    assert list(figure_keys()) == sorted(figure_keys())


def test_a_figure_needs_no_compact_iri_as_key() -> None:
    context = read_json("pfocr.context.jsonld")["@context"]
    node: Json = {"@id": "https://pfocr.wikipathways.org/figures/PMC1__f1.html", "@type": [expand(vocab.FIGURE)]}
    for value in figure_keys().values():
        token = key_token(value)
        if token in PROPERTIES:
            kind = value.get("@type") if isinstance(value, dict) else None
            iri = {"@id": "https://example.org/thing"}
            typed = {"@value": "2020", "@type": expand(kind)} if kind not in {None, "@id"} else {"@value": "text"}
            node[expand(token)] = [iri if kind == "@id" else typed]
    compacted = jsonld.compact(node, context, {"documentLoader": refuse})
    assert [key for key in compacted if ":" in key] == []
    assert jsonld.expand(compacted, {"documentLoader": refuse}) == [node]


def refuse(url: str, _options: Json) -> Json:
    raise AssertionError(f"tried to load {url}")


# the reduced context of schema.org, and its tool


def run_tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOOL, *arguments], capture_output=True, text=True, check=False)


def reduce(folder: Path, terms: Json) -> tuple[str, Json]:
    """What the tool makes of a context with these terms: the text, and the terms that it keeps."""
    official, output = folder / "official.jsonld", folder / "reduced.jsonld"
    official.write_text(json.dumps({"@context": terms}), encoding="utf-8")
    done = run_tool(official, "--output", output)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = output.read_bytes().decode("utf-8")
    return text, json.loads(text)["@context"]


def test_the_tool_leaves_out_only_what_the_vocabulary_says_already(tmp_path: Path) -> None:
    kept = {
        "@vocab": "http://schema.org/",
        "id": "@id",
        "schema": "http://schema.org/",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "HTML": {"@id": "rdf:HTML"},
        "url": {"@id": "schema:url", "@type": "@id"},
        "renamed": {"@id": "schema:other"},
        "steps": {"@id": "schema:steps", "@container": "@list"},
        "simple": "schema:simple",
        "rdf:value": {"@id": "schema:rdf:value"},
        "gone": None,
    }
    dropped = {
        "name": {"@id": "schema:name"},
        "3DModel": {"@id": "schema:3DModel"},
        "spelledOut": {"@id": "http://schema.org/spelledOut"},
    }
    text, terms = reduce(tmp_path, {**dropped, **kept})
    assert terms == kept
    assert list(terms) == sorted(terms)
    assert len(text.splitlines()) == len(kept) + 4
    assert "\r" not in text


def test_the_tool_leaves_out_nothing_without_a_vocabulary(tmp_path: Path) -> None:
    terms = {"schema": "http://schema.org/", "name": {"@id": "schema:name"}}
    assert reduce(tmp_path, terms)[1] == terms


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"@context": "https://schema.org/"}'])
def test_the_tool_refuses_what_is_no_context_in_one_line(tmp_path: Path, text: str) -> None:
    official, output = tmp_path / "official.jsonld", tmp_path / "reduced.jsonld"
    official.write_text(text, encoding="utf-8")
    done = run_tool(official, "--output", output)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"make_context: [^\n]+\n", done.stderr)
    assert not output.exists()


def test_the_help_of_the_tool_has_an_example() -> None:
    done = run_tool("--help")
    assert done.returncode == 0
    assert "example:\n  python tools/make_context.py " in done.stdout


@pytest.fixture(scope="session")
def official_file(shared: Path) -> Path:
    return shared / "schemaorg-context-30.0.jsonld"


@pytest.fixture(scope="session")
def official(official_file: Path) -> Json:
    document: Json = json.loads(official_file.read_text(encoding="utf-8"))
    return document


def loader(context: Json) -> Callable[[str, Json], Json]:
    """A loader of documents that knows schema.org's context under its usual addresses, and nothing else."""

    def load(url: str, _options: Json) -> Json:
        assert re.fullmatch(r"https?://schema\.org/?", url), url
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": context}

    return load


def assert_same_expansion(official: Json, document: Json | list[Json], nodes: int) -> None:
    """Compare expansion with both contexts; `nodes` of them must come out, so that something is compared."""
    reduced = read_json("schemaorg.context.jsonld")
    results = [
        jsonld.expand(document, {"documentLoader": loader(context), "base": "https://example.org/folder/page"})
        for context in (official, reduced)
    ]
    assert len(results[0]) == nodes
    for expected, found in zip(*results, strict=True):
        assert found == expected


def test_the_shipped_context_is_what_the_tool_makes(official_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "again.jsonld"
    assert run_tool(official_file, "--output", output).returncode == 0
    assert output.read_bytes() == (ONTOLOGIES / "schemaorg.context.jsonld").read_bytes()


def front_matters(folder: Path) -> Iterator[Json]:
    for path in sorted([*folder.rglob("*.md"), *folder.rglob("*.txt")]):
        text = path.read_text(encoding="utf-8")
        if text.startswith("---\n"):
            front_matter = yaml.load(text.split("\n---", 1)[0], Loader=yaml.BaseLoader)  # noqa: S506 - makes strings only
            if "schema-jsonld" in front_matter:
                yield front_matter


@pytest.mark.parametrize("folder", ["records", "seeds"])
def test_every_block_of_a_record_expands_as_with_the_official_context(
    shared: Path, official: Json, folder: str
) -> None:
    blocks = [front_matter["schema-jsonld"] for front_matter in front_matters(shared / folder)]
    assert blocks
    assert {type(block) for block in blocks} == {dict}
    assert_same_expansion(official, blocks, len(blocks))


SHAPES: dict[str, Callable[[str], Json]] = {
    "string": lambda term: {"@id": "#it", term: "text"},
    "relative IRI": lambda term: {"@id": "#it", term: ["../other#part", {"@id": "../other#part"}]},
    "absolute IRI": lambda term: {"@id": "#it", term: ["https://example.com/x", {"@id": "https://example.com/x"}]},
    "compact IRI": lambda term: {"@id": "#it", term: ["schema:Thing", {"@id": "dct:title"}, {"@id": f"{term}:x"}]},
    "node": lambda term: {"@id": "#it", term: {"@type": term, "name": "text", "url": "page"}},
    "type": lambda term: {"@id": "#it", "@type": [term, f"{term}:x"]},
    "alias of type": lambda term: {"id": "#it", "type": term},
    "datatype": lambda term: {"@id": "#it", "name": {"@value": "text", "@type": term}},
    "prefix of a key": lambda term: {"@id": "#it", f"{term}:x": "text", "name": "text"},
    "term as value": lambda term: {"@id": "#it", "name": term, "url": term, "birthDate": term},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_term_expands_as_with_the_official_context(official: Json, shape: str) -> None:
    names = [term for term in official["@context"] if not term.startswith("@")]
    if shape in {"relative IRI", "absolute IRI", "compact IRI", "node", "datatype"}:  # a keyword takes no such value
        names = [term for term in names if term not in {"id", "type"}]
    if shape == "string":
        names = [term for term in names if term != "id"]  # beside @id
    nodes = [SHAPES[shape](term) for term in names]
    assert_same_expansion(official, {"@context": "https://schema.org/", "@graph": nodes}, len(nodes))


def test_unknown_words_expand_as_with_the_official_context(official: Json) -> None:
    nodes = [{"@id": "#it", "@type": word, word: "text"} for word in ("nobody", "name2", "Name", "x:y", "http", "a b")]
    assert_same_expansion(official, {"@context": "https://schema.org/", "@graph": nodes}, len(nodes))
