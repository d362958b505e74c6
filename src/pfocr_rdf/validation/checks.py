"""The release checks: one file of `ontologies/checks/` each, whose head says what it means and whose body does it.

The head is comment lines: `# Q5: title`, then fields `# severity: violation`. A field goes on in lines that are
indented further. The suffix tells how a check is run: `.rq` is a query over the whole graph whose rows are findings;
`.ttl` holds SHACL shapes; `.md` has no body, its work is done by the function of the package that bears its id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pfocr_rdf import resources

FOLDER = "checks"
_TITLE = re.compile(r"# (Q[1-9][0-9]*): (\S.*)")
_FIELD = re.compile(r"# ([a-z]+): (\S.*)")
_MORE = re.compile(r"#  +(\S.*)")


class Severity(StrEnum):
    """What a finding means: a fault of ours, which stops a release, or one of the source, which is listed."""

    VIOLATION = "violation"
    WARNING = "warning"


class Way(StrEnum):
    """How a check is run."""

    SPARQL = "sparql"
    SHACL = "shacl"
    CODE = "code"


_WAYS = {".rq": Way.SPARQL, ".ttl": Way.SHACL, ".md": Way.CODE}


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its head, and its body (empty where code does the work).

    `needs` names what must be given from outside (an option of `validate`), or the check is not run.
    """

    id: str
    name: str
    title: str
    severity: Severity
    way: Way
    tags: tuple[str, ...]
    what: str
    why: str
    mend: str
    needs: str
    body: str

    @property
    def number(self) -> int:
        """The number in the id, by which checks are sorted."""
        return int(self.id[1:])


def read(name: str, text: str) -> Check:
    """Return the check that a file holds.

    Raises `ValueError` when its head lacks a field or has one that nobody knows.
    """
    lines = text.split("\n")
    title = _TITLE.fullmatch(lines[0])
    stem, dot, suffix = name.rpartition(".")
    way = _WAYS.get(dot + suffix)
    if title is None or way is None:
        raise ValueError(f"{name}: no check; it begins with `# Q1: title` and ends in {', '.join(_WAYS)}")
    fields: dict[str, str] = {}
    last, end = "", len(lines)
    for number, line in enumerate(lines[1:], 1):
        if found := _FIELD.fullmatch(line):
            last = found[1]
            fields[last] = found[2]
        elif last and (more := _MORE.fullmatch(line)):
            fields[last] += f" {more[1]}"
        elif line != "#":
            end = number
            break
    known = {"severity", "tags", "what", "why", "mend", "needs"}
    if wrong := (known - {"needs"} - fields.keys()) | (fields.keys() - known):
        raise ValueError(f"{name}: missing or unknown in its head: {', '.join(sorted(wrong))}")
    return Check(
        title[1],
        stem,
        title[2],
        Severity(fields["severity"]),
        way,
        tuple(fields["tags"].split(", ")),
        fields["what"],
        fields["why"],
        fields["mend"],
        fields.get("needs", ""),
        "\n".join(lines[end:]).strip(),
    )


@cache
def all_checks() -> tuple[Check, ...]:
    """Return all shipped checks, by number."""
    names = [name for name in resources.names(FOLDER) if name.rpartition(".")[1]]
    return tuple(sorted((read(n, resources.read_text(f"{FOLDER}/{n}")) for n in names), key=lambda check: check.number))
