"""What `validate` is given from outside the release: lists of other authorities, the source, the release before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Parser(StrEnum):
    """Programs that can be the second parser of a check, in the order in which they are looked for."""

    RIOT = "riot"
    SERDI = "serdi"
    RAPPER = "rapper"


@dataclass(frozen=True, slots=True)
class Options:
    """Inputs from outside; what is None was not given, and the checks that need it are not run.

    `source` is what the release was built from, `previous` the release before, `gene_info` and `gene_history` NCBI's
    lists, `retired` ids of MeSH, ChEBI and DO that are no longer in use, `retractions` papers, `words` plain words;
    `parser` names a program that reads each file too.
    """

    source: str | None = None
    previous: Path | None = None
    gene_info: Path | None = None
    gene_history: Path | None = None
    retired: Path | None = None
    retractions: Path | None = None
    words: Path | None = None
    parser: Parser | None = None

    def lacking(self, needs: str) -> list[str]:
        """Return those of some needs of a check (names of options, such as `gene-info, retired`) that are not given.

        Raises `AttributeError` for a need that is no option.
        """
        names = [name.strip() for name in needs.split(",") if name.strip()]
        return [f"--{name}" for name in names if getattr(self, name.replace("-", "_")) is None]
