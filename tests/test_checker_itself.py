"""The checker of `tests/checker` can fail, and its predictions agree with cases worked out by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, serialize

from tests.checker import account, compare, expected
from tests.checker.__main__ import main

FIGURE = "https://pfocr.wikipathways.org/figures/{}.html"
GENE = "https://identifiers.org/ncbigene/7157"
PFOCR = "https://w3id.org/pfocr/vocab#"
HEADER = (
    "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\t"
    "count_direct\tcount_synonym\tcount_match"
)
Layers = dict[str, set[Triple]]


def write_build(source: Path, layers: Layers, build: Path) -> Path:
    """A build folder out of triples, with right accounts and as many refusals as there must be."""
    build.mkdir()
    accounts = account(source)
    for layer, triples in layers.items():
        serialize(triples, build / f"pfocr-{layer}.ttl", format=RdfFormat.TURTLE)
    (build / "manifest.json").write_text(json.dumps({"format": 1, "accounts": accounts}), "utf-8")
    refusals = [{"kind": k, "file": "", "line": None, "count": n["rejected"]} for k, n in accounts.items()]
    (build / "rejected.jsonl").write_text("".join(json.dumps(x) + "\n" for x in refusals), "utf-8")
    return build


def record(figid: str, **fields: str) -> str:
    """A record of the newest generation; organisms as in the source, unquoted."""
    lines = {
        "figid": figid,
        "figtitle": "A pathway",
        "organisms": "\n- Mus musculus\n- 'tis: a [bad] #name",
        "organisms_ner": "\n- Homo sapiens",
        "pmcid": figid.partition("__")[0],
        "filename": "f.jpg",
        "figlink": "pmc/articles/PMC1/figure/F1",
        "number": "F1",
        "caption": "Figure",
        "papertitle": "A title",
        "year": "'2023'",
        "doi": "10.1234/AbC",
        "journal_title": "The Journal",
        "journal_nlm_ta": "J",
        "publisher_name": "''",
        "keywords": "one | two",
        "automl_pathway": "0.90",
        "ndex": "''",
        "schema-jsonld": "\n  license: CC0\n  creator:\n    name: WikiPathways\n"
        "  keywords:\n  - 'Off '\n  - .na.character",
    } | fields
    return "---\n" + "".join(f"{key}:{'' if v.startswith(chr(10)) else ' '}{v}\n" for key, v in lines.items()) + "---\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three records of two papers that disagree, a page, a map, each kind of table."""
    root = tmp_path / "source"
    for folder in ("_figures", "_data", "_organisms"):
        (root / folder).mkdir(parents=True)
    figures = {
        "PMC1__a": record("PMC1__a"),
        "PMC1__b": record("PMC1__b", papertitle="Other title", year="'2022'"),
        "PMC1__c": record("PMC1__c", papertitle=".na.character", novel="\n- x\n- y"),
        "PMC2__d": record("PMC2__d", journal_title="The Journal (London)", doi="''"),
    }
    for figid, content in figures.items():
        (root / "_figures" / f"{figid}.md").write_text(content, "utf-8")
    human = "9606\tHomo sapiens\tPrimates\t"
    rows = {
        "PMC1__a-genes": [
            HEADER,
            human + "p53\tP53\tTP53\t7157\tncbigene_synonym\t1\t1\t2",
            human + "p53\tP53\tTP53\t7157\tncbigene_synonym\t9\t9\t9",
            human + "TP53\tTP53\tTP53\t7157\tncbigene_symbol\t1\t1\t2",
            human + "fam\tFAM\tNA\tNA\tfamplex_relations\t1\t1\t2",
            human + "short",
        ],
        "PMC1__b-genes": [HEADER, "9606\tHomo\tPrimates\tp53\tP53\tOLD53\t7157\tncbigene_synonym\tNA\t1\t1"],
        "PMC1__a-chemicals": [
            "word\tmesh\tmatch\tname\tchebi",
            "ATP\tmesh:D000255\tAdenosine Triphosphate\tATP\tchebi:15422",
            "NO\tNA\tNA\tNA\tNA",
        ],
        "PMC1__a-diseases": [
            "word\tmesh\tmatch\tname\tdoid",
            "Psoriasis\tNA\tpsoriasis\tpsoriasis\tDOID:8893",
            "ATP\tD000255\tNA\tNA\tNA",
        ],
        "ndex_map": ["PMC1__a\te93dea57-deb4-11ea-99da-0ac135e8bacf", "PMC9__x\te93dea57-deb4-11ea-99da-0ac135e8bacf"],
    }
    for name, lines in rows.items():
        (root / "_data" / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    page = '---\ncommon: "Human"\nlatin: "Homo sapiens"\nncbi: "9606"\ngroup: "Primates"\nimage: .na.character\n\n---\n'
    (root / "_organisms" / "homo_sapiens.md").write_text(page, "utf-8")
    return root


def lines(triples: set[Triple]) -> set[str]:
    """Triples in N-Triples, without brackets and the point."""
    return {str(triple) for triple in triples}


def mention(figid: str, kind: str, *cells: str) -> str:
    digest = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()[:12]
    return f"https://w3id.org/pfocr/mention/{figid}/{kind}-{digest}"


def says(layers: Layers, layer: str, subject: str, predicate: str, value: str) -> bool:
    return f"<{subject}> <{predicate}> {value}" in lines(layers[layer])


def test_a_build_of_what_is_expected_is_proven(source: Path, tmp_path: Path) -> None:
    assert compare(source, write_build(source, expected(source), tmp_path / "build")) == []


def test_mentions_have_the_hash_of_the_data_model(source: Path) -> None:
    layers = expected(source)
    gene = mention("PMC1__a", "gene", "p53", "P53", "ncbigene_synonym")
    assert gene.endswith("gene-275b64be580a")
    assert says(layers, "evidence-genes", gene, "http://www.w3.org/ns/oa#hasBody", f"<{GENE}>")
    lone = mention("PMC1__a", "gene", "fam", "FAM", "famplex_relations", "NA", "NA", "9606")
    taxon = "<http://purl.obolibrary.org/obo/NCBITaxon_9606>"
    assert says(layers, "evidence-genes", lone, "http://schema.org/taxonomicRange", taxon)
    chemical = mention("PMC1__a", "chemical", "ATP", "Adenosine Triphosphate", "ATP", "MESH:D000255", "CHEBI:15422")
    chebi = "<http://purl.obolibrary.org/obo/CHEBI_15422>"
    assert says(layers, "evidence-chemicals", chemical, "http://purl.org/dc/terms/relation", chebi)
    disease = mention("PMC1__a", "disease", "Psoriasis", "psoriasis", "psoriasis", "NA", "DOID:8893")
    doid = "<http://purl.obolibrary.org/obo/DOID_8893>"
    assert says(layers, "evidence-diseases", disease, "http://www.w3.org/ns/oa#hasBody", doid)


def test_links_stand_in_one_layer_each(source: Path) -> None:
    layers = expected(source)
    figure, mentions = FIGURE.format("PMC1__a"), "http://schema.org/mentions"
    assert says(layers, "links-genes-symbol", figure, mentions, f"<{GENE}>")
    assert len(layers["links-genes-synonym"]) == 1
    assert not layers["links-genes-family"]
    assert len(layers["links-chemicals"]) == 1
    assert len(layers["links-diseases"]) == 1  # D000255 of the diseases table is a link of the chemicals already


def test_the_commonest_value_wins_and_the_others_are_kept(source: Path) -> None:
    layers = expected(source)
    paper, dissent = "https://identifiers.org/pmc/PMC1", f"{PFOCR}dissent"
    assert says(layers, "core", paper, "http://purl.org/dc/terms/title", '"A title"')  # one each: ties by code point
    assert says(layers, "core", paper, f"{PFOCR}variant", '"papertitle=Other title"')
    assert says(layers, "core", paper, dissent, '"PMC1__b papertitle=Other title"')
    assert says(layers, "core", paper, dissent, '"PMC1__c papertitle="')
    assert says(layers, "core", paper, f"{PFOCR}variant", '"year=2022"')
    assert says(layers, "core", paper, "http://purl.org/ontology/bibo/doi", '"10.1234/abc"')
    assert says(layers, "core", paper, "http://www.w3.org/2002/07/owl#sameAs", "<https://doi.org/10.1234/AbC>")
    key = mention("PMC1__b", "gene", "p53", "P53", "ncbigene_synonym").rpartition("/")[2]
    assert says(layers, "entities", GENE, "http://www.w3.org/2000/01/rdf-schema#label", '"TP53"')
    assert says(layers, "entities", GENE, "http://www.w3.org/2004/02/skos/core#altLabel", '"OLD53"')
    assert says(layers, "entities", GENE, dissent, f'"PMC1__b/{key}/7157 ncbigene_symbol=OLD53"')
    human = "http://purl.obolibrary.org/obo/NCBITaxon_9606"
    assert says(layers, "entities", human, dissent, f'"PMC1__b/{key}/7157 organism_name=Homo"')
    journal = "https://w3id.org/pfocr/journal/J"
    assert says(layers, "core", journal, dissent, '"PMC2__d journal_title=The Journal (London)"')
    assert says(layers, "core", paper, dissent, '"PMC1__b year=2022"')


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    """A source of these files."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def objects(layers: Layers, layer: str, subject: str, predicate: str) -> set[str]:
    return {str(t.object) for t in layers[layer] if str(t.subject) == f"<{subject}>" and t.predicate.value == predicate}


def page(**fields: str) -> str:
    return "---\nncbi: '5'\n" + "".join(f"{key}: {value}\n" for key, value in fields.items()) + "---\n"


@pytest.mark.parametrize(
    ("pages", "others", "dissents"),
    [
        (["Fish"], {"Fish"}, set()),
        (["Lat"], set(), set()),
        ([""], set(), {"_organisms/0 common="}),
        (["Fish", "Lat"], {"Fish"}, {"_organisms/1 common=Lat"}),
        (["Fish", "Eel"], {"Fish", "Eel"}, {"_organisms/0 common=Fish", "_organisms/1 common=Eel"}),
        (["Two  blanks"], {"Two blanks"}, {"_organisms/0 common=Two  blanks"}),
    ],
)
def test_a_common_name_is_the_only_other_label_or_the_label(
    tmp_path: Path, pages: list[str], others: set[str], dissents: set[str]
) -> None:
    files: dict[str, str | bytes] = {f"_organisms/{n}.md": page(latin="Lat", common=c) for n, c in enumerate(pages)}
    layers = expected(write(tmp_path, files))
    taxon = "http://purl.obolibrary.org/obo/NCBITaxon_5"
    assert objects(layers, "entities", taxon, "http://www.w3.org/2004/02/skos/core#altLabel") == {
        f'"{other}"' for other in others
    }
    assert objects(layers, "entities", taxon, f"{PFOCR}dissent") == {f'"{one}"' for one in dissents}


def test_a_place_that_says_several_things_says_otherwise_with_each(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "_figures/PMC1__a.md": record("PMC1__a", organisms="\n- Lat\n- Old lat"),
        "_organisms/a.md": page(latin="Lat"),
        "_organisms/b.md": page(latin="Old lat"),
        "_organisms/c.md": page(latin="Lat"),
    }
    layers = expected(write(tmp_path, files))
    assert objects(layers, "entities", "http://purl.obolibrary.org/obo/NCBITaxon_5", f"{PFOCR}dissent") == {
        '"PMC1__a organisms=Lat"',
        '"PMC1__a organisms=Old lat"',
        '"_organisms/b latin=Old lat"',
        *(f'"_organisms/{slug} common="' for slug in "abc"),
    }


@pytest.mark.parametrize(
    ("given", "licence", "kept"),
    [
        ("CC0", "http://creativecommons.org/publicdomain/zero/1.0/", False),
        ("CC0 1.0", "http://creativecommons.org/publicdomain/zero/1.0/", True),
        (
            "http://creativecommons.org/publicdomain/zero/1.0/",
            "http://creativecommons.org/publicdomain/zero/1.0/",
            True,
        ),
        (
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "http://creativecommons.org/publicdomain/zero/1.0/",
            True,
        ),
        ("https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by/4.0/", False),
        ("CC BY-NC-ND 4.0", "http://creativecommons.org/licenses/by-nc-nd/4.0/", True),
        ("All rights reserved", None, False),
    ],
)
def test_a_licence_is_an_address_and_its_spelling_is_kept(
    tmp_path: Path, given: str, licence: str | None, kept: bool
) -> None:
    layers = expected(write(tmp_path, {"a.md": record("PMC1__a", **{"schema-jsonld": f"\n  license: {given}"})}))
    figure = FIGURE.format("PMC1__a")
    assert objects(layers, "core", figure, "http://schema.org/license") == ({f"<{licence}>"} if licence else set())
    variants = {f'"schema-jsonld:license={given}"'} if kept else set()
    assert objects(layers, "compat", figure, f"{PFOCR}variant") == variants


def test_a_table_beside_the_record_is_read_but_for_rows_that_are_not_utf8(tmp_path: Path) -> None:
    rows = f"{HEADER}\textra\n6\tX\tG\tw\tW\tS\t1\tncbigene_symbol\t1\t1\t1\tNA\n".encode()
    source = write(tmp_path, {"a.md": record("PMC1__a"), "PMC1__a-genes.tsv": rows + b"6\tX\tcaf\xe9\n"})
    assert account(source)["gene-rows"] == {"read": 2, "emitted": 1, "merged": 0, "rejected": 1, "unresolved": 0}
    layers = expected(source)
    gene = mention("PMC1__a", "gene", "w", "W", "ncbigene_symbol")
    assert says(layers, "compat", gene, f"{PFOCR}variant", '"extra@1=NA"')
    assert len(layers["links-genes-symbol"]) == 1  # a folder of tables: keywords are no genes


def test_the_commonest_id_of_a_name_counts_in_a_record(tmp_path: Path) -> None:
    rows = [f"{n}\tHomo sapiens\tG\tw{n}{m}\tW\tS\t{n}\tncbigene_symbol\t1\t1\t1" for n, m in ("61", "71", "72")]
    table = "\n".join([HEADER, *rows]) + "\n"
    layers = expected(write(tmp_path, {"_figures/a.md": record("PMC1__a"), "_data/PMC1__a-genes.tsv": table}))
    taxon = "<http://purl.obolibrary.org/obo/NCBITaxon_7>"
    assert says(layers, "core", FIGURE.format("PMC1__a"), "http://schema.org/mentions", taxon)


def test_rows_of_a_record_that_is_refused_are_refused(tmp_path: Path) -> None:
    content = record("PMC1__a", pmcid="PMC2", genes="\n- word: a\n- word: b")
    counted = account(write(tmp_path, {"_figures/a.md": content}))
    assert (counted["records"]["rejected"], counted["gene-rows"]["rejected"]) == (1, 2)


def test_what_is_refused_must_be_listed(source: Path, tmp_path: Path) -> None:
    build = write_build(source, expected(source), tmp_path / "build")
    (build / "rejected.jsonl").write_text("", "utf-8")
    assert compare(source, build) == [
        "rejected.jsonl: gene-rows: the source gives 1, the build lists 0",
        "rejected.jsonl: map-lines: the source gives 1, the build lists 0",
    ]


def test_raw_names_sentinels_and_unknown_keys(source: Path) -> None:
    layers = expected(source)
    figure = FIGURE.format("PMC1__c")
    name = "<https://w3id.org/pfocr/organism/%27tis%3A%20a%20%5Bbad%5D%20%23name>"
    assert says(layers, "core", figure, "http://schema.org/about", name)
    assert says(layers, "compat", figure, f"{PFOCR}variant", '"novel=x"')
    assert says(layers, "compat", figure, "http://schema.org/keywords", '"Off "')
    assert not any(".na.character" in line for triples in layers.values() for line in lines(triples))
    score = '"0.9"^^<http://www.w3.org/2001/XMLSchema#decimal>'
    assert says(layers, "core", figure, f"{PFOCR}pathwayScore", score)


def test_accounts_count_repeats_and_refusals(source: Path) -> None:
    counted = account(source)
    assert counted["gene-rows"] == {"read": 6, "emitted": 4, "merged": 1, "rejected": 1, "unresolved": 1}
    assert counted["map-lines"] == {"read": 2, "emitted": 1, "merged": 0, "rejected": 1, "unresolved": 0}
    assert counted["organism-pages"]["emitted"] == 1
    assert counted["records"]["read"] == 4


def test_keywords_are_genes_only_of_a_lone_record_with_one_organism(tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "one.txt").write_text(record("PMC1__a"), "utf-8")
    layers = expected(tmp_path / "flat")
    gene = "<https://w3id.org/pfocr/symbol/9606/Off>"
    assert says(layers, "links-genes-symbol", FIGURE.format("PMC1__a"), "http://schema.org/mentions", gene)
    one = '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert says(layers, "core", FIGURE.format("PMC1__a"), f"{PFOCR}strictGeneCount", one)
    symbol = "https://w3id.org/pfocr/symbol/9606/Off"
    assert says(layers, "entities", symbol, "http://www.w3.org/2000/01/rdf-schema#label", '"Off"')
    two = record("PMC1__a", organisms_ner="\n- Homo sapiens\n- Mus musculus")
    (tmp_path / "flat" / "one.txt").write_text(two, "utf-8")
    assert not expected(tmp_path / "flat")["links-genes-symbol"]


def drop_one(layers: Layers, layer: str) -> str:
    triple = min(layers[layer], key=str)
    layers[layer].remove(triple)
    return f"{layer}: missing: {triple.subject} {triple.predicate} {triple.object}"


def change_one(layers: Layers, layer: str) -> str:
    triple = min(layers[layer], key=str)
    assert isinstance(triple.subject, NamedNode)
    changed = Triple(NamedNode(triple.subject.value + "x"), triple.predicate, triple.object)
    layers[layer] = layers[layer] - {triple} | {changed}
    return f"{layer}: not in the source: {changed.subject} {changed.predicate} {changed.object}"


def double_one(layers: Layers, layer: str) -> str:
    triple = min(layers[layer], key=str)
    other = "compat" if layer != "compat" else "core"
    layers[other].add(triple)
    first, second = sorted([layer, other])
    return f"{second}: stands in {first} too: {triple.subject} {triple.predicate} {triple.object}"


LAYERS = [
    "core",
    "links-genes-symbol",
    "links-genes-synonym",
    "links-genes-family",
    "links-chemicals",
    "links-diseases",
    "evidence-genes",
    "evidence-chemicals",
    "evidence-diseases",
    "entities",
    "xrefs",
    "compat",
]


@pytest.fixture(scope="module")
def latest(shared: Path) -> tuple[Path, Layers]:
    """The newest real records and what is expected of them."""
    folder = shared / "records" / "latest"
    return folder, expected(folder)


@pytest.mark.parametrize("harm", [drop_one, change_one, double_one])
@pytest.mark.parametrize("layer", LAYERS)
def test_every_harm_to_real_records_is_reported(
    latest: tuple[Path, Layers], tmp_path: Path, harm: Callable[[Layers, str], str], layer: str
) -> None:
    folder, layers = latest
    harmed = {name: set(triples) for name, triples in layers.items()}
    line = harm(harmed, layer)
    found = compare(folder, write_build(folder, harmed, tmp_path / "build"))
    assert line in found
    assert len(found) <= 2


@pytest.mark.parametrize("generation", ["2021", "2023", "latest"])
def test_real_records_give_something_in_each_layer_they_have(shared: Path, tmp_path: Path, generation: str) -> None:
    folder = shared / "records" / generation
    layers = expected(folder)
    assert {"core", "evidence-genes", "entities", "xrefs", "compat"} <= {name for name in LAYERS if layers[name]}
    assert compare(folder, write_build(folder, layers, tmp_path / "build")) == []


def test_a_missing_file_and_a_broken_file_are_reported(source: Path, tmp_path: Path) -> None:
    build = write_build(source, expected(source), tmp_path / "build")
    (build / "pfocr-xrefs.ttl").unlink()
    (build / "pfocr-compat.ttl").write_text("<x", "utf-8")
    found = compare(source, build)
    assert any(line.startswith("xrefs: missing: ") for line in found)
    assert any(line.startswith("compat: cannot be parsed: ") for line in found)


def test_blank_nodes_are_reported_in_any_layer(source: Path, tmp_path: Path) -> None:
    blank = {Triple(BlankNode(), NamedNode("http://example.org/p"), NamedNode("http://example.org/o"))}
    build = write_build(source, expected(source) | {"ontology": blank}, tmp_path / "build")
    found = compare(source, build)
    assert len(found) == 1
    assert found[0].startswith("ontology: blank node: ")


def test_wrong_accounts_are_reported(source: Path, tmp_path: Path) -> None:
    build = write_build(source, expected(source), tmp_path / "build")
    accounts = account(source)
    accounts["gene-rows"]["merged"] += 1
    (build / "manifest.json").write_text(json.dumps({"accounts": accounts}), "utf-8")
    assert compare(source, build) == ["accounts: gene-rows merged: the source gives 1, the build 2"]


@pytest.mark.parametrize(
    ("kind", "file", "line"),
    [
        ("records", "_figures/PMC1__a.md", None),
        ("gene-rows", "_data/PMC1__a-genes.tsv", 2),
        ("map-lines", "_data/ndex_map.tsv", 1),
        ("organism-pages", "_organisms/homo_sapiens.md", None),
    ],
)
def test_a_sound_input_must_not_be_refused(
    source: Path, tmp_path: Path, kind: str, file: str, line: int | None
) -> None:
    build = write_build(source, expected(source), tmp_path / "build")
    refusal = {"file": file, "line": line, "field": None, "value": "", "code": "x", "advice": "", "kind": kind}
    (build / "rejected.jsonl").write_text(json.dumps(refusal) + "\n", "utf-8")
    assert any(found.startswith(f"{kind}: rejected though it is sound: {file}") for found in compare(source, build))


def test_the_command_prints_and_returns_one(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layers = expected(source)
    assert main([str(source), str(write_build(source, layers, tmp_path / "good"))]) == 0
    line = drop_one(layers, "core")
    assert main([str(source), str(write_build(source, layers, tmp_path / "bad"))]) == 1
    assert line in capsys.readouterr().out
