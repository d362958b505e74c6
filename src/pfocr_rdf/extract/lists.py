"""NCBI's lists: gene_info (symbols to gene ids) and PMC-ids (papers to PubMed ids), plain or gzipped.

Both are read line by line and only what is wanted is kept, for the lists hold tens of millions of lines.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError

_GZIP = b"\x1f\x8b"


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    """Open a plain or gzipped text; trouble with it ends in a `UsageError`."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
        opener = gzip.open if zipped else open
        with opener(path, "rt", encoding="utf-8", errors="replace", newline="") as stream:
            yield stream
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{path}: cannot be read ({reason}); fetch the list again") from error


def read_gene_info(path: Path, wanted: Container[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the gene ids of each wanted (taxonomy id, symbol) that the list knows, in order.

    Only official symbols count, in their own letter case. Raises `UsageError` for what is no gene_info file.
    """
    found: dict[tuple[str, str], set[str]] = {}
    with _open(path) as stream:
        names = stream.readline().rstrip("\r\n").removeprefix("#").split("\t")
        try:
            taxid, gene, symbol = (names.index(name) for name in ("tax_id", "GeneID", "Symbol"))
        except ValueError:
            raise UsageError(f"{path}: no gene_info file; its first line names tax_id, GeneID and Symbol") from None
        last = max(taxid, gene, symbol)
        for line in stream:
            cells = line.rstrip("\r\n").split("\t")
            if (
                len(cells) > last
                and (key := (cells[taxid], cells[symbol])) in wanted
                and ids.GENE_ID.fullmatch(cells[gene])
            ):
                found.setdefault(key, set()).add(cells[gene])
    return {key: tuple(sorted(genes, key=int)) for key, genes in found.items()}


def read_pmc_ids(path: Path, wanted: Container[str]) -> dict[str, tuple[str, ...]]:
    """Return the PubMed ids of each wanted PMCID, in order.

    Raises `UsageError` for what is no PMC-ids file.
    """
    found: dict[str, set[str]] = {}
    with _open(path) as stream:
        reader = csv.reader(stream)
        names = [name.removeprefix("\ufeff") for name in next(reader, [])]
        try:
            pmcid, pmid = names.index("PMCID"), names.index("PMID")
        except ValueError:
            raise UsageError(f"{path}: no PMC-ids file; its first line names PMCID and PMID") from None
        last = max(pmcid, pmid)
        for cells in reader:
            if len(cells) > last and cells[pmcid] in wanted and ids.GENE_ID.fullmatch(cells[pmid]):
                found.setdefault(cells[pmcid], set()).add(cells[pmid])
    return {key: tuple(sorted(pmids, key=int)) for key, pmids in found.items()}
