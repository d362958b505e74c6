"""What callers of exports choose from, and what they get without choosing; imported at once, so it imports little."""

from __future__ import annotations

from enum import StrEnum

MIN_GENES = 3
"""Genes that a gene set has at least, as in the site's files."""
MIN_FIGURES = 2
"""Figures that a pair has at least; pairs of a single figure stand in the graph itself."""
MAX_FIGURES = 50
"""Figures that are listed of one pair."""
MAX_GENES = 300
"""Figures with more genes give no pairs: a flood of names, not a pathway."""
MAX_LISTED = 50
"""Genes that are listed of one word."""


class GeneIds(StrEnum):
    """How genes are written in gene sets."""

    SYMBOL = "symbol"
    NCBIGENE = "ncbigene"


class PairKind(StrEnum):
    """Kinds of pairs; the names of their files."""

    GENE_CHEMICAL = "gene-chemical"
    GENE_DISEASE = "gene-disease"
    GENE_GENE = "gene-gene"
