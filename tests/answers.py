"""What the local questions have to answer on a source, computed from its tables and front matter, without RDF.

The source is read by `tests/checker`, which shares no code with the converter; each function here answers one question
in plain Python, with the parameters that stand in its query. Rows are texts in the order of the columns, in no order
among themselves, "" where a cell is empty; `plain` makes them comparable with what stores say.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from importlib import metadata
from pathlib import Path

from tests.checker import vocabulary as v
from tests.checker.expecting import layers_of
from tests.checker.figures import core, good_year
from tests.checker.names import Names
from tests.checker.rows import GeneRow
from tests.checker.source import Corpus, Figure, Reader
from tests.checker.votes import winner

Row = tuple[str, ...]
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(E-?[0-9]+)?", re.IGNORECASE)
ORDER = ("symbol", "synonym", "family")
CLASSES = {"chemical": "http://schema.org/ChemicalSubstance", "disease": "http://schema.org/MedicalCondition"}


def number(value: Decimal | int) -> str:
    return str(value)


def plain(question: int, row: Sequence[str]) -> Row:
    """A row as far as stores agree on it.

    Numbers are rounded to six places, for stores differ in the places of a division, and Virtuoso drops zeros and
    has doubles; the genes of a set (question 20) are put in order, for no store need keep that of a subquery.
    """
    if question == 20:
        row = [*row[:2], " ".join(sorted(row[2].split(" ")))]
    return tuple(f"{Decimal(cell):.6f}" if _NUMBER.fullmatch(cell) else cell for cell in row)


def curie(name: str) -> str:
    return v.curie_iri(name).value


def gene(id_: str) -> str:
    return v.gene_iri(id_).value


class Source:
    """A source as the questions see it: figures with their genes, things, papers."""

    def __init__(self, folder: Path) -> None:
        self.corpus: Corpus = Reader(folder).read()
        self.figures = self.corpus.figures
        self.names = Names(self.corpus)
        rows = [row for figure in self.figures for row in figure.genes if row.gene]
        self.symbol = {
            id_: winner(r.symbol for r in rows if r.gene == id_) or "" for id_ in {r.gene or "" for r in rows}
        }
        self.taxon = {id_: winner(r.organism_id for r in rows if r.gene == id_) or "" for id_ in self.symbol}
        self.matches: set[tuple[str, str]] = set()
        labels: dict[str, list[str | None]] = defaultdict(list)
        self.kinds: dict[str, set[str]] = defaultdict(set)
        for figure in self.figures:
            for row in figure.things:
                for name, said in ((row.mesh, row.match), (row.other, row.name)):
                    if name:
                        labels[name].append(said)
                        self.kinds[name].add(row.kind)
                if row.mesh and row.other:
                    self.matches.add((row.mesh, row.other))
        self.label = {name: winner(said) or "" for name, said in labels.items()}

    def figure(self, figid: str) -> Figure:
        return next(figure for figure in self.figures if figure.figid == figid)

    def with_gene(self, id_: str) -> list[Figure]:
        return [figure for figure in self.figures if id_ in levels(figure)]

    def journal(self, figure: Figure) -> str:
        """The title of the journal that the paper's records name."""
        of_paper = [other for other in self.figures if other.pmcid == figure.pmcid]
        return winner(other.front.scalar("journal_title") for other in of_paper) or ""

    def keywords(self, figure: Figure) -> set[str]:
        of_paper = [other for other in self.figures if other.pmcid == figure.pmcid]
        said = winner(other.front.scalar("keywords") for other in of_paper) or ""
        return {word.strip() for word in said.split(" | ") if word.strip()}


def page(figure: Figure) -> str:
    return v.figure_iri(figure.figid).value


def title(figure: Figure) -> str:
    return (figure.front.scalar("figtitle") or "").strip()


def year(figure: Figure) -> str:
    return good_year(figure.front.scalar("year")) or ""


def image(figure: Figure) -> str:
    name = (figure.front.scalar("filename") or "").removeprefix(f"{figure.pmcid}__")
    return f"{v.NCBI}/pmc/articles/{figure.pmcid}/bin/{v.slug(name)}" if name else ""


def seen(figures: Sequence[Figure]) -> Row:
    """One of some figures, the one whose figid comes first: its page, image and paper."""
    first = min(figures, key=lambda figure: figure.figid)
    return page(first), image(first), first.pmcid


def score(figure: Figure) -> Decimal:
    return Decimal(figure.front.scalar("automl_pathway") or figure.front.scalar("pathway_score") or "0")


def levels(figure: Figure) -> dict[str, str]:
    """The best level of each gene of a figure."""
    found: dict[str, str] = {}
    for row in figure.genes:
        if row.gene:
            new = v.LEVELS[row.lexicon]
            found[row.gene] = min(new, found.get(row.gene, new), key=ORDER.index)
    return found


def strict(figure: Figure) -> list[str]:
    return sorted(id_ for id_, level in levels(figure).items() if level == "symbol")


def things(figure: Figure) -> set[str]:
    return {row.body for row in figure.things if row.body}


def mentions(figure: Figure) -> dict[str, list[GeneRow]]:
    """The gene rows of each mention."""
    found: dict[str, list[GeneRow]] = defaultdict(list)
    for row in figure.genes:
        found[figure.key[row]].append(row)
    return found


def _1(s: Source) -> Iterable[Row]:
    taxa = {v.taxon_iri(row.organism_id) for figure in s.figures for row in figure.genes}
    taxa |= {taxon for figure in s.figures for _, _, taxon in s.names.organisms(figure)}
    taxa |= {v.taxon_iri(found.taxon) for found in s.corpus.pages}
    counts = (
        len(s.figures),
        len({figure.pmcid for figure in s.figures}),
        sum(len(set(figure.key.values())) for figure in s.figures),
        len(s.symbol),
        *(sum(kind in kinds for kinds in s.kinds.values()) for kind in CLASSES),
        len(taxa),
    )
    yield tuple(map(number, counts))


def _2(s: Source) -> Iterable[Row]:
    figure = s.figure("PMC9100005__exres.0042.fig.001")
    for name, value in core(figure):
        yield v.term(name).value, value.value
    yield v.term("schema:image").value, image(figure)
    yield v.term("pfocr:geneCount").value, number(len(levels(figure)))
    yield v.term("pfocr:strictGeneCount").value, number(len(strict(figure)))
    for field, _, taxon in s.names.organisms(figure):
        yield v.term("schema:about" if field == "organisms" else "schema:mentions").value, taxon.value


def _3(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if figure.pmcid == "PMC9100002":
            yield page(figure), figure.front.scalar("number") or "", title(figure)


def _4(s: Source) -> Iterable[Row]:
    for id_ in levels(s.figure("PMC9100001__aqs-12-0045-g003")):
        yield gene(id_), id_, s.symbol[id_], v.taxon_iri(s.taxon[id_]).value


def _5(s: Source) -> Iterable[Row]:
    return ((page(figure), title(figure), figure.pmcid, year(figure)) for figure in s.with_gene("3569"))


def _6(s: Source) -> Iterable[Row]:
    for id_, symbol in s.symbol.items():
        if symbol == "TNF" and s.taxon[id_] == "9606":
            for figure in s.with_gene(id_):
                yield gene(id_), page(figure), title(figure), figure.pmcid, year(figure)


def _7(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if {"3569", "7124"} <= set(levels(figure)):
            yield page(figure), number(2), image(figure), figure.pmcid


def _8(s: Source) -> Iterable[Row]:
    drawn = Counter(id_ for figure in s.figures for id_ in levels(figure) if s.taxon[id_] == "10090")
    return ((gene(id_), s.symbol[id_], number(count)) for id_, count in drawn.items())


def _9(s: Source) -> Iterable[Row]:
    for value, count in Counter(filter(None, map(year, s.figures))).items():
        yield value, "", number(count)
    for value, count in Counter(filter(None, map(s.journal, s.figures))).items():
        yield "", value, number(count)


def _10(s: Source) -> Iterable[Row]:
    for name in things(s.figure("PMC9100001__aqs-12-0045-g003")):
        for kind in s.kinds[name]:
            yield curie(name), CLASSES[kind], s.label[name]


def _11(s: Source) -> Iterable[Row]:
    asked = "DOID:8893"
    names = {asked, *(mesh for mesh, other in s.matches if other == asked), *(o for m, o in s.matches if m == asked)}
    for figure in s.figures:
        for name in things(figure) & names:
            yield page(figure), title(figure), curie(name), s.label[name]


def _12(s: Source) -> Iterable[Row]:
    for rows in mentions(s.figure("PMC9100003__exphys-07-0101-g002")).values():
        if any(row.gene == "207" for row in rows):
            yield rows[0].word, rows[0].match, rows[0].lexicon


def _13(s: Source) -> Iterable[Row]:
    for id_, level in levels(s.figure("PMC9100002__jed-04-0017-g002")).items():
        yield level, s.symbol[id_], gene(id_)


def _14(s: Source) -> Iterable[Row]:
    genes: dict[str, set[str]] = defaultdict(set)
    figures: dict[str, set[str]] = defaultdict(set)
    for figure in s.figures:
        for row in figure.genes:
            if row.gene:
                genes[row.word].add(row.gene)
                figures[row.word].add(figure.figid)
    return ((word, number(len(ids)), number(len(figures[word]))) for word, ids in genes.items() if len(ids) > 3)


def _15(s: Source) -> Iterable[Row]:
    found = (rows for figure in s.figures for rows in mentions(figure).values())
    words = Counter(rows[0].word for rows in found if any(row.gene == "3569" for row in rows))
    return ((word, number(count)) for word, count in words.items())


def _16(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if score(figure) > Decimal("0.9") and len(strict(figure)) >= 5:
            yield page(figure), number(score(figure)), number(len(strict(figure)))


def _17(s: Source) -> Iterable[Row]:
    shared = Counter(id_ for figure in s.with_gene("3569") for id_ in levels(figure) if id_ != "3569")
    for id_, count in shared.items():
        if count >= 2:
            yield gene(id_), s.symbol[id_], v.taxon_iri(s.taxon[id_]).value, number(count)


def _18(s: Source) -> Iterable[Row]:
    together: dict[str, list[Figure]] = defaultdict(list)
    for figure in s.with_gene("3569"):
        for name in things(figure):
            together[name].append(figure)
    for name, figures in together.items():
        yield curie(name), s.label[name], number(len(figures)), *seen(figures)


def _19(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        found = set(levels(figure))
        if both := len(found & {"3569", "7124", "3605", "6364"}):
            size = Decimal(4 + len(found) - both)
            yield page(figure), number(both), number(len(found)), number(both / size)


def _20(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if figure.pmcid == "PMC9100002":
            yield figure.front.scalar("figid_alias") or figure.figid, title(figure), " ".join(strict(figure))


def _21(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if "psoriasis" in s.keywords(figure) or "inflamm" in (figure.front.scalar("caption") or "").lower():
            yield page(figure), title(figure)


def _22(s: Source) -> Iterable[Row]:
    for figure in s.figures:
        if figure.ndex or figure.wpid:
            network = f"https://www.ndexbio.org/viewer/networks/{figure.ndex}" if figure.ndex else ""
            pathway = f"https://identifiers.org/wikipathways/{figure.wpid}" if figure.wpid else ""
            yield page(figure), network, pathway


def _24(s: Source) -> Iterable[Row]:
    """All layers but `ontology`, which comes from no source."""
    mentions_ = v.term("schema:mentions")
    for layer, triples in layers_of(s.corpus).items():
        links = sum(triple.predicate == mentions_ for triple in triples)
        yield f"{v.PFD}graph/{layer}", number(len(triples)), number(links) if links else "", "2025-01-01"


def _32(s: Source) -> Iterable[Row]:
    together: dict[str, list[Figure]] = defaultdict(list)
    for figure in s.figures:
        if "D011565" in {name.rpartition(":")[2] for name in things(figure)}:
            for id_ in levels(figure):
                together[id_].append(figure)
    for id_, figures in together.items():
        yield gene(id_), s.symbol[id_], number(len(figures)), *seen(figures)


ANSWERS: dict[int, Callable[[Source], Iterable[Row]]] = {
    1: _1,
    2: _2,
    3: _3,
    4: _4,
    5: _5,
    6: _6,
    7: _7,
    8: _8,
    9: _9,
    10: _10,
    11: _11,
    12: _12,
    13: _13,
    14: _14,
    15: _15,
    16: _16,
    17: _17,
    18: _18,
    19: _19,
    20: _20,
    21: _21,
    22: _22,
    24: _24,
    32: _32,
}
"""By the number of the question. 23 asks for what no source says: the name of the release and what made it."""


def answers(folder: Path, version: str, ontology: int) -> dict[int, list[Row]]:
    """The rows of each local question on a source, comparable and in order.

    Those of 23 and 24 are for a store with a release of a version of 2025-01-01, and so many triples of `ontology`.
    """
    source = Source(folder)
    found = {at: list(answer(source)) for at, answer in ANSWERS.items()}
    found[24].append((f"{v.PFD}graph/ontology", number(ontology), "", "2025-01-01"))
    release = f"{v.PFD}dataset/pfocr/{version}"
    tool = f"{v.PFD}tool/pfocr-rdf/{metadata.version('pfocr-rdf')}"
    found[23] = [(release, version, "2025-01-01", v.CC0, f"{release}#source", tool)]
    return {at: sorted(plain(at, row) for row in rows) for at, rows in found.items()}
