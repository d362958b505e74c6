"""Write `docs/checks.md` from the heads of the release checks: python -m tools.write_checks"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pfocr_rdf.validation.checks import Check, Way, all_checks

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checks.md"
_WAYS = {Way.SPARQL: "query", Way.SHACL: "shapes", Way.CODE: "program"}
_SUFFIXES = {Way.SPARQL: ".rq", Way.SHACL: ".ttl", Way.CODE: ".md"}

_INTRODUCTION = """\
# Release checks

What a release is checked for before it is published, why, and how a fault is mended at its source. This page is made
from the heads of the files in `ontologies/checks` by `python -m tools.write_checks`; edit those.

A finding of a **violation** is a fault of the program or of the folder, and stops a release. A finding of a **warning**
is a fault of the source: it is listed and counted. A check is a *query* over the graph with each layer in its named
graph (each row is a finding), *shapes* of SHACL, or a *program* where a query could not do it at the size of the whole
database. One that *needs* something from outside is not run, and says so, where the option of that name is not given.
"""


def page() -> str:
    """Return the page."""
    checks = all_checks()
    parts = [_INTRODUCTION, _table(checks), *map(_section, checks)]
    return "\n".join(parts)


def _table(checks: tuple[Check, ...]) -> str:
    severities = Counter(str(check.severity) for check in checks)
    numbers = " and ".join(f"{number} {name}s" for name, number in sorted(severities.items(), reverse=True))
    lines = [
        f"{len(checks)} checks: {numbers} in kind.\n",
        "| check | | severity | way | needs |",
        "|---|---|---|---|---|",
    ]
    for check in checks:
        needs = ", ".join(f"`--{name.strip()}`" for name in check.needs.split(",") if name.strip())
        lines.append(
            f"| [{check.id}](#{_anchor(check)}) | {check.title} | {check.severity} | {_WAYS[check.way]} | {needs} |"
        )
    return "\n".join(lines) + "\n"


def _section(check: Check) -> str:
    name = f"{check.name}{_SUFFIXES[check.way]}"
    about = f"*{check.severity}; {_WAYS[check.way]}, [{name}](../ontologies/checks/{name}); {', '.join(check.tags)}*"
    paragraphs = [check.what, f"**Why.** {check.why}", f"**Mend.** {check.mend}"]
    return "\n\n".join([f"## {_heading(check)}", about, *paragraphs]) + "\n"


def _heading(check: Check) -> str:
    return f"{check.id}: {check.title}"


def _anchor(check: Check) -> str:
    """Return the anchor that Markdown gives the heading of a check."""
    kept = "".join(letter for letter in _heading(check).lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
