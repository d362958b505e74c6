"""Reading a PFOCR checkout as a competent script would: PyYAML for records, csv for tables, counters for votes.

Shared by the obvious program and by the tables that the peers map. It knows the rules of the data model
(`docs/model.md`) for well-formed records: a row or value that breaks its form is left out without a word. Not known
here: which place said what of a thing (`pfocr:dissent`), keys and columns that nobody knows, keywords read as genes.
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

SHIPPED = Path(__file__).resolve().parent.parent.parent / "ontologies"

PFD = "https://w3id.org/pfocr/"
SCHEMA = "http://schema.org/"
OBO = "http://purl.obolibrary.org/obo/"
MESH = "http://id.nlm.nih.gov/mesh/"
GENES = "https://identifiers.org/ncbigene/"
SITE = "https://pfocr.wikipathways.org"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
WIKIPATHWAYS = "https://www.wikipathways.org/"

LEVELS = {
    "ncbigene_symbol": 0,
    "hgnc_symbol": 0,
    "ncbigene_synonym": 1,
    "hgnc_alias_symbol": 1,
    "hgnc_prev_symbol": 1,
    "famplex_relations": 2,
    "bioentities_symbol": 2,
}
GENE_LAYERS = ("links-genes-symbol", "links-genes-synonym", "links-genes-family")
PAPER_FIELDS = (
    "papertitle",
    "reftext",
    "year",
    "doi",
    "journal_title",
    "journal_nlm_ta",
    "publisher_name",
    "keywords",
)
NAME_FIELDS = ("organism_name", "latin", "organisms", "organisms_ner")
MISSING = frozenset({"", ".na.character"})
INLINE = {"genes", "chemicals", "diseases"}
_FORMS = {
    "year": re.compile(r"(19|20)\d\d"),
    "doi": re.compile(r"10\.\d{4,9}/\S+"),
    "ndex": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "wpid": re.compile(r"WP\d+"),
}
_SCORE = re.compile(r"-?[0-9]*\.?[0-9]+([eE][+-]?[0-9]{1,2})?")
_NUMBER = re.compile(r"[1-9][0-9]*")
_IDS = {"mesh": re.compile(r"[DC](\d{6}|\d{9})"), "chebi": re.compile(r"\d+"), "doid": re.compile(r"\d+")}
_OTHER = {"chemical": "chebi", "disease": "doid"}
_CLASS = {"chemical": f"{SCHEMA}ChemicalSubstance", "disease": f"{SCHEMA}MedicalCondition"}

Votes = dict[tuple[str, str], Counter[str]]


@dataclass
class Mention:
    """A word of a figure with what it was taken for; None is missing."""

    iri: str
    kind: str
    word: str
    match: str | None
    name: str | None
    lexicon: str
    bodies: list[str]
    related: str | None = None
    symbol: str | None = None
    taxon: str | None = None


@dataclass
class Figure:
    """A record with its tables."""

    iri: str
    figid: str
    pmcid: str
    generation: str
    fields: dict[str, Any]
    texts: dict[str, str]
    mentions: list[Mention] = field(default_factory=list)
    genes: dict[str, int] = field(default_factory=dict)
    links: dict[str, set[str]] = field(default_factory=lambda: {"chemical": set(), "disease": set()})
    taxa: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def filename(self) -> str:
        return self.texts["filename"].removeprefix(f"{self.pmcid}__")

    @property
    def image(self) -> str:
        return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{self.pmcid}/bin/{slug(self.filename)}"

    @property
    def source(self) -> str:
        return path_at("https://www.ncbi.nlm.nih.gov", self.texts["figlink"]) + "/" if self.texts["figlink"] else ""

    @property
    def score(self) -> str:
        text = self.texts["automl_pathway"] or self.texts["pathway_score"]
        return canonical_decimal(text) if _SCORE.fullmatch(text) and 0 <= Decimal(text) <= 1 else ""

    @property
    def replaces(self) -> list[str]:
        return [path_at(SITE, path) for path in items(self.fields, "redirect_from")]

    @property
    def organisms_as_given(self) -> list[str]:
        return items(self.fields, "organisms") if self.generation == "2021" else []

    def links_by_layer(self) -> Iterator[tuple[str, str]]:
        """Yield the layer and the entity of each link."""
        for gene, level in self.genes.items():
            yield GENE_LAYERS[level], gene
        for entity in self.links["chemical"]:
            yield "links-chemicals", entity
        for entity in self.links["disease"] - self.links["chemical"]:
            yield "links-diseases", entity


def slug(text: str) -> str:
    return quote(text, safe="")


def path_at(host: str, path: str) -> str:
    return host + "/" + "/".join(slug(part) for part in path.strip("/").split("/"))


def label_of(text: str) -> str:
    return " ".join(text.split())


def canonical_decimal(text: str) -> str:
    if not text:
        return ""
    plain = format(Decimal(text), "f")
    if "." not in plain:
        return plain + ".0"
    plain = plain.rstrip("0")
    return plain + "0" if plain.endswith(".") else plain


def taxon(taxid: str) -> str:
    return f"{OBO}NCBITaxon_{taxid}"


def items(fields: dict[str, Any], key: str, missing: Set[str] = MISSING | {"NA"}) -> list[str]:
    """Return the items of a list or of a lone text, each once, without missing ones."""
    value = fields.get(key, [])
    given = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(item for item in given if isinstance(item, str) and item not in missing))


def author_keywords(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(" | ") if part.strip()))


def front_matter(path: Path, loader: Any) -> dict[str, Any]:
    """Read the front matter; every scalar is a text.

    `loader` is yaml.BaseLoader or yaml.CBaseLoader. With safe_load the gene symbols `Off` and `NO` would become
    booleans and `1E5` a number; the base loaders read the same grammar and leave them texts, so they do a little
    less work than the safe ones.
    """
    text = path.read_text(encoding="utf-8-sig")
    loaded: dict[str, Any] = yaml.load(text.split("\n---", 1)[0], Loader=loader)  # noqa: S506 - makes texts only
    return loaded


def table(path: Path) -> list[dict[str, str]]:
    """Read a table by its header; cells end at tabs only."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = next(rows, [])
        return [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]


def _generation(fields: dict[str, Any]) -> str:
    if fields.keys() & (INLINE | {"pathway_score", "pmc_ranked_result_index", "annotations"}):
        return "2021"
    keys = list(fields)
    return "2024" if "organisms" in keys and keys[keys.index("organisms") + 1 :][:1] == ["organisms_ner"] else "2023"


class Source:
    """A checkout: reads its figures one by one, and gathers what they say of shared things."""

    def __init__(self, root: Path, loader: Any) -> None:
        """Read pages and maps of the checkout at `root`."""
        self.root, self.loader = root, loader
        self.votes: Votes = defaultdict(Counter)
        self.types: dict[str, set[str]] = {}
        self.identifiers: dict[str, str] = {}
        self.close: dict[str, set[str]] = defaultdict(set)
        self.dois: dict[str, Counter[str]] = defaultdict(Counter)
        self.has_creator = False
        with (SHIPPED / "organisms.tsv").open(encoding="utf-8") as stream:
            self.common = {row["name"]: row["taxid"] for row in csv.DictReader(stream, delimiter="\t")}
        self.organisms = dict(self.common)
        pages = sorted((root / "_organisms").glob("*.md"), reverse=True)
        for page in pages:
            self._page(page.stem, front_matter(page, loader))
        self.maps = {
            key: dict(reversed([line.partition("\t")[::2] for line in path.read_text(encoding="utf-8").splitlines()]))
            for key in ("ndex", "wpid")
            if (path := root / "_data" / f"{key}_map.tsv").exists()
        }

    def figures(self) -> Iterator[Figure]:
        """Yield each figure, in the order of file names."""
        for path in sorted((self.root / "_figures").glob("*.md")):
            try:
                fields = front_matter(path, self.loader)
            except yaml.YAMLError as error:
                print(f"{path}: {' '.join(str(error).split())}", file=sys.stderr)  # left out
                continue
            yield self._figure(fields)

    def _page(self, name: str, fields: dict[str, Any]) -> None:
        given = {
            key: "" if fields.get(key, "") in MISSING | {"NA"} else fields[key]
            for key in ("latin", "common", "ncbi", "group", "image")
        }
        iri = taxon(given["ncbi"]) if given["ncbi"] else f"{PFD}organism/{slug(given['latin'])}"
        if given["ncbi"]:
            self.organisms[given["latin"]] = given["ncbi"]
        self.types[iri] = {f"{SCHEMA}Taxon"}
        self.votes[iri, "page"][name] += 1
        for key in ("latin", "common", "group", "image"):
            self.votes[iri, key][given[key]] += 1

    def _figure(self, fields: dict[str, Any]) -> Figure:
        texts: dict[str, str] = defaultdict(str)
        for key, value in fields.items():
            if isinstance(value, str) and value not in MISSING and value.strip():
                texts[key] = value
        figid, pmcid = texts["figid"], texts["pmcid"]
        for key, lines in self.maps.items():
            texts[key] = texts[key] or lines.get(figid, "")
        for key, form in _FORMS.items():
            if not form.fullmatch(texts[key]):
                texts[key] = ""
        figure = Figure(f"{SITE}/figures/{slug(figid)}.html", figid, pmcid, _generation(fields), fields, texts)
        own = self._genes(figure)
        for kind, other in _OTHER.items():
            self._concepts(figure, kind, other)
        self._taxa(figure, own)
        paper = f"https://identifiers.org/pmc/{pmcid}"
        for key in PAPER_FIELDS:
            self.votes[paper, key][texts[key].lower() if key == "doi" else texts[key]] += 1
        self.dois[paper][texts["doi"]] += 1
        return figure

    def _genes(self, figure: Figure) -> dict[str, Counter[str]]:
        """Take the gene rows; return the taxonomy ids that they give each name."""
        rows = [
            {
                "organism_id": "9606",
                "word": row.get("word", ""),
                "match": row.get("symbol", ""),
                "source": row.get("source", ""),
                "ncbigene_symbol": row.get("hgnc_symbol", ""),
                "ncbigene_id": row.get("entrez", ""),
            }
            for row in figure.fields.get("genes") or []
        ]
        rows += table(self.root / "_data" / f"{figure.figid}-genes.tsv")
        found: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
        for row in rows:
            gene_id = "" if row["ncbigene_id"] == "NA" else row["ncbigene_id"]
            cells: tuple[str, ...] = (row["word"], row["match"], row["source"])
            if not gene_id:
                cells += ("NA", row["ncbigene_symbol"] or "NA", row["organism_id"])
            elif not _NUMBER.fullmatch(gene_id):
                continue
            named = row["word"].strip() and row["match"] and row["source"] in LEVELS
            if named and _NUMBER.fullmatch(row["organism_id"]):
                found.setdefault(cells, {}).setdefault(gene_id, row)
        own: dict[str, Counter[str]] = defaultdict(Counter)
        for cells, members in found.items():
            word, match, source = cells[:3]
            mention = Mention(_mention(figure, "gene", cells), "gene", word, match, None, source, [])
            figure.mentions.append(mention)
            for gene_id, row in members.items():
                self._gene_row(gene_id, row)
                if _known(row.get("organism_name", "")):
                    own[row["organism_name"]][row["organism_id"]] += 1
                if gene_id:
                    gene = GENES + gene_id
                    mention.bodies.append(gene)
                    figure.genes[gene] = min(LEVELS[source], figure.genes.get(gene, 2))
                else:
                    mention.symbol = row["ncbigene_symbol"] if row["ncbigene_symbol"] not in ("", "NA") else None
                    mention.taxon = taxon(row["organism_id"])
        return own

    def _gene_row(self, gene_id: str, row: dict[str, str]) -> None:
        place = taxon(row["organism_id"])
        self.types[place] = {f"{SCHEMA}Taxon"}
        for key in ("organism_name", "organism_group"):
            if key in row:
                self.votes[place, key][_known(row[key])] += 1
        if gene_id:
            gene = GENES + gene_id
            self.types[gene] = {f"{SCHEMA}Gene"}
            self.votes[gene, "label"][label_of(row["ncbigene_symbol"])] += 1
            self.votes[gene, "organism_id"][row["organism_id"]] += 1

    def _concepts(self, figure: Figure, kind: str, other: str) -> None:
        rows = list(figure.fields.get(f"{kind}s") or [])
        inline = len(rows)
        rows += table(self.root / "_data" / f"{figure.figid}-{kind}s.tsv")
        seen: set[tuple[str, ...]] = set()
        for number, row in enumerate(rows):
            if "mesh" not in row:  # the columns of 2023 and the lists of 2021
                row = {"word": row["word"], "mesh" if row["source"].upper() == "MESH" else other: row["identifier"]}
            mesh, second = _accession(row, "mesh"), _accession(row, other)
            if mesh is None or second is None:
                continue
            match, name = (_known(row.get(key, "")) for key in ("match", "name"))
            prefix = other.upper()
            cells = (
                row["word"],
                match or "NA",
                name or "NA",
                f"MESH:{mesh}" if mesh else "NA",
                f"{prefix}:{second}" if second else "NA",
            )
            if cells in seen or not row["word"].strip():
                continue
            seen.add(cells)
            second_iri = f"{OBO}{prefix}_{second}" if second else None
            main = MESH + mesh if mesh else second_iri
            lexicon = f"{kind}-mesh" if mesh else f"{kind}-{other}" if second else kind
            mention = Mention(
                _mention(figure, kind, cells),
                kind,
                row["word"],
                match or None,
                name or None,
                f"pubtator-{kind}" if number < inline else lexicon,
                [main] if main else [],
                related=second_iri if mesh else None,
            )
            figure.mentions.append(mention)
            if main:
                figure.links[kind].add(main)
            if mesh:
                self._concept(MESH + mesh, kind, mesh, match)
                if second_iri:
                    self.close[MESH + mesh].add(second_iri)
            if second_iri:
                self._concept(second_iri, kind, second if kind == "chemical" else f"DOID:{second}", name)

    def _concept(self, iri: str, kind: str, identifier: str, label: str) -> None:
        self.types.setdefault(iri, set()).add(_CLASS[kind])
        self.identifiers[iri] = identifier
        self.votes[iri, "label"][label_of(label)] += 1

    def _taxa(self, figure: Figure, own: dict[str, Counter[str]]) -> None:
        for key in ("organisms", "organisms_ner"):
            if key == "organisms" and figure.generation == "2021":
                continue
            for name in items(figure.fields, key):
                taxid = winner(own[name]) if name in own else self.organisms.get(name, "")
                iri = taxon(taxid) if taxid else f"{PFD}organism/{slug(name)}"
                figure.taxa.append((key, name, iri))
                self.types[iri] = {f"{SCHEMA}Taxon"}
                self.votes[iri, key][name] += 1

    def described(self, cls: str) -> list[str]:
        """Return all things of a class."""
        return [iri for iri, classes in self.types.items() if cls in classes]

    def label(self, iri: str) -> tuple[str, list[str]]:
        """Return the label of a gene or a concept, and its other names."""
        names = self.votes[iri, "label"]
        best = winner(names)
        return best, sorted(set(names) - {best, ""})

    def taxon_label(self, iri: str) -> tuple[str, list[str]]:
        """Return the label of a taxon, and its other names: rows are trusted most, then pages, then lists."""
        names = {key: _cleaned(self.votes.get((iri, key), Counter())) for key in (*NAME_FIELDS, "common")}
        lists = names["organisms"] + names["organisms_ner"]
        best = winner(names["organism_name"]) or winner(names["latin"]) or winner(lists)
        if not best:
            best = next((name for name, taxid in self.common.items() if taxon(taxid) == iri), "")
        return best, sorted({name for counter in names.values() for name in counter} - {best, ""})

    def group(self, iri: str) -> str:
        """Return the group of a taxon."""
        return winner(self.votes[iri, "organism_group"]) or winner(self.votes[iri, "group"])

    def taxon_variants(self, iri: str) -> list[str]:
        """Return what else was said of a taxon's group and image."""
        group = self.group(iri)
        keys = ("organism_group", "group")
        found = [f"{key}={value}" for key in keys for value in _others(self.votes[iri, key], group)]
        return found + self.variants(iri, ("image",))

    def papers(self) -> dict[str, dict[str, str]]:
        """Return what is known of each paper: its fields, `doi_iri`, and the IRIs of journal and publisher."""
        found: dict[str, dict[str, str]] = {}
        for iri in self.dois:
            paper = {key: winner(self.votes[iri, key]) for key in PAPER_FIELDS}
            spellings = Counter({text: n for text, n in self.dois[iri].items() if text.lower() == paper["doi"]})
            paper["doi_iri"] = f"https://doi.org/{quote(winner(spellings), safe='/:;()')}" if paper["doi"] else ""
            short, title = paper["journal_nlm_ta"], paper["journal_title"]
            journal = slug(short) if short else f"title/{slug(title)}"
            paper["journal"] = f"{PFD}journal/{journal}" if short or title else ""
            name = paper["publisher_name"]
            paper["publisher"] = f"{PFD}publisher/{slug(name)}" if name else ""
            if paper["journal"]:
                self.votes[paper["journal"], "journal_title"] += self.votes[iri, "journal_title"]
            found[iri] = paper
        return found

    def variants(self, iri: str, keys: tuple[str, ...]) -> list[str]:
        """Return `key=value` for each value that did not win."""
        return [f"{key}={value}" for key in keys for value in _others(self.votes[iri, key])]


def winner(votes: Counter[str]) -> str:
    """Return the commonest value, ties by code point; missing ones do not count."""
    return min((value for value in votes if value), key=lambda value: (-votes[value], value), default="")


def _others(votes: Counter[str], best: str | None = None) -> list[str]:
    best = winner(votes) if best is None else best
    return [value for value in votes if value not in ("", best)]


def _cleaned(votes: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for value, number in votes.items():
        found[label_of(value)] += number
    return found


def _known(text: str) -> str:
    return "" if text == "NA" else text


def _accession(row: dict[str, str], column: str) -> str | None:
    """Return the bare id of a cell, an empty text for a missing one, None for one that breaks its form."""
    text = _known(row.get(column, ""))
    bare = text[len(column) + 1 :] if text.lower().startswith(f"{column}:") else text
    return bare if not bare or _IDS[column].fullmatch(bare) else None


def _mention(figure: Figure, kind: str, cells: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
    return f"{PFD}mention/{slug(figure.figid)}/{kind}-{digest[:12]}"
