"""Which taxon an organism's name means, and which genes a record without tables names (the model, a.2b)."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import NamedNode

from .records import MISSING, SPELLED, Front
from .source import Corpus, Figure
from .vocabulary import COMMON_TAXA, slug, symbol_iri, taxon_iri, term
from .votes import winner

CONTEXTS = ("https://schema.org/", "https://schema.org", "http://schema.org/", "http://schema.org")


def block(front: Front) -> Front:
    """The `schema-jsonld` map of a record; under another context its keys mean nothing that we know."""
    value = front.values.get("schema-jsonld")
    return Front(value if isinstance(value, dict) and value.get("@context", CONTEXTS[0]) in CONTEXTS else {})


def listed(figure: Figure, name: str) -> list[str]:
    """Names in `organisms` or `organisms_ner`; `NA` is missing there (source format, 5)."""
    return [value for value in figure.front.strings(name) if value != "NA"]


class Names:
    """Organisms' names in one source."""

    def __init__(self, corpus: Corpus) -> None:
        self.has_tables = corpus.has_tables
        self.pages: dict[str, str] = {}
        for page in corpus.pages:
            if latin := page.front.scalar("latin"):
                self.pages.setdefault(latin, page.taxon)

    def number(self, figure: Figure, name: str) -> str | None:
        """The taxonomy id: the commonest in the record's own gene rows, then the pages, then the commonest names."""
        own = winner(row.organism_id for row in figure.genes if row.organism_name == name)
        return own or self.pages.get(name) or COMMON_TAXA.get(name)

    def taxon(self, figure: Figure, name: str) -> NamedNode:
        """The taxon that a name means in a record; one of our own if the name has no id."""
        number = self.number(figure, name)
        return taxon_iri(number) if number else term(f"pfd:organism/{slug(name)}")

    def organisms(self, figure: Figure) -> Iterator[tuple[str, str, NamedNode]]:
        """Field, name, taxon; the `organisms` of 2021 are no evidence of species."""
        for field in ("organisms", "organisms_ner"):
            if field == "organisms" and figure.generation == "2021":
                continue
            for name in listed(figure, field):
                yield field, name, self.taxon(figure, name)

    def symbols(self, figure: Figure) -> dict[str, tuple[NamedNode, str]]:
        """Keywords that are genes though no table says so: symbol -> gene, taxonomy id.

        Only without `_data` folder and inline lists, and if exactly one organism is named, one with an id.
        """
        if self.has_tables or {"genes", "chemicals", "diseases"} & set(figure.front.values):
            return {}
        organisms = listed(figure, "organisms_ner")
        number = self.number(figure, organisms[0]) if len(organisms) == 1 else None
        if number is None:
            return {}
        words = {word.strip() for word in block(figure.front).strings("keywords", SPELLED)} - set(MISSING)
        return {word: (symbol_iri(number, word), number) for word in words}
