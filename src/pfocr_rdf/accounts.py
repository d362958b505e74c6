"""The accounts: for each kind of input, read = emitted + merged + rejected, and the problems found."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from pfocr_rdf.errors import INPUT_KINDS, ROW_KINDS, Kind, Problem, TooManyRejected
from pfocr_rdf.settings import Settings


@dataclass(slots=True)
class Account:
    """Inputs of one kind. `unresolved` (no id is known) is a part of `emitted`."""

    emitted: int = 0
    merged: int = 0
    rejected: int = 0
    unresolved: int = 0

    @property
    def read(self) -> int:
        """All inputs of this kind."""
        return self.emitted + self.merged + self.rejected

    def to_json(self) -> dict[str, int]:
        """Return the account as `manifest.json` has it."""
        return {
            "read": self.read,
            "emitted": self.emitted,
            "merged": self.merged,
            "rejected": self.rejected,
            "unresolved": self.unresolved,
        }


@dataclass(slots=True)
class Ledger:
    """All accounts and problems of a run or of a part of it; parts add up in any order."""

    accounts: dict[Kind, Account] = field(default_factory=lambda: {kind: Account() for kind in INPUT_KINDS})
    problems: list[Problem] = field(default_factory=list)

    def report(self, *problems: Problem) -> None:
        """Take problems down; those that refuse an input are counted as rejected."""
        for found in problems:
            self.problems.append(found)
            if found.kind is not Kind.VALUE and found.rejected:
                self.accounts[found.kind].rejected += found.count

    def add(self, other: Ledger) -> None:
        """Add the accounts and problems of another part."""
        for kind, account in other.accounts.items():
            mine = self.accounts[kind]
            mine.emitted += account.emitted
            mine.merged += account.merged
            mine.rejected += account.rejected
            mine.unresolved += account.unresolved
        self.problems += other.problems

    def rejected(self) -> list[Problem]:
        """Return what was refused, in order of place."""
        return sorted(found for found in self.problems if found.rejected)

    def warnings(self) -> list[Problem]:
        """Return what was emitted but deserves a look, in order of place."""
        return sorted(found for found in self.problems if not found.rejected)

    def by_code(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the number of problems for each code: rejections and warnings."""
        rejected = Counter(found.code for found in self.problems if found.rejected)
        warnings = Counter(found.code for found in self.problems if not found.rejected)
        return dict(sorted(rejected.items())), dict(sorted(warnings.items()))

    def check(self, settings: Settings) -> None:
        """Raise `TooManyRejected` when more records or rows were refused than allowed (at least one is)."""
        rows = [self.accounts[kind] for kind in ROW_KINDS]
        for what, rejected, read, share in (
            ("records", self.accounts[Kind.RECORD].rejected, self.accounts[Kind.RECORD].read, settings.max_rejected),
            ("rows", sum(r.rejected for r in rows), sum(r.read for r in rows), settings.max_rejected_rows),
        ):
            allowed = max(1, math.floor(share * read))
            if rejected > allowed:
                option = "--max-rejected" if what == "records" else "--max-rejected-rows"
                raise TooManyRejected(
                    f"{rejected} of {read} {what} were rejected, allowed: {allowed} ({option} {share:.2%}); "
                    "a build replaces nothing then. `pfocr-rdf check` lists them"
                )
