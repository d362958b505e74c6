"""What people read of a run: its tables and its page, as text. Pure: from the values of releases, without Prefect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]

_STATUS = {"failed": 0, "not-run": 1, "passed": 2}


def counts(release: Values, before: Values | None) -> list[dict[str, Any]]:
    """Return each count of a release, the triples of each layer too, beside those of the one before."""
    had = _numbers(before) if before else {}
    return [
        {"count": name, "before": had.get(name), "now": now, "difference": now - had[name] if name in had else None}
        for name, now in {**dict.fromkeys(had, 0), **_numbers(release)}.items()
    ]


def _numbers(release: Values) -> dict[str, int]:
    layers = {f"triples of {layer}": number for layer, number in release["triples"].items()}
    return {**release["counts"], "triples": sum(release["triples"].values()), **layers}


def checks(release: Values) -> list[dict[str, Any]]:
    """Return how each check ended, those first that found something."""
    rows = [{"check": name, **outcome} for name, outcome in release["checks"]["outcomes"].items()]
    return sorted(rows, key=lambda row: (_STATUS.get(row["status"], 0), row["check"]))


def release_page(
    release: Values,
    before: Values | None,
    changes: Values | None,
    links: Mapping[str, str],
    place: str,
    deleted: Sequence[str],
) -> str:
    """Return the page of a release that was published: what it is, what changed, and where to look.

    `links` lead to the world's copy, `place` is the folder on the machine of the run.
    """
    found = release["checks"]
    after = f", after {release['previous']}" if release["previous"] else ", the first one"
    parts = [
        f"# Release {release['version']}{after}",
        _source(release["source"]),
        f"{_links(links)}\n- on the machine of the run: `{place}`",
        "## Counts",
        _table(("", "before", "now", "difference"), [_row(row) for row in counts(release, before)]),
        "## Checks",
        f"{found['violations']:,} violations, {found['warnings']:,} warnings. {_ended(found['outcomes'])}",
    ]
    if changes is not None:
        told = ", ".join(f"{number:,} {how}" for how, number in changes["figures"].items())
        parts += ["## Figures that changed", f"{told}."]
    if deleted:
        parts.append(f"Deleted, for their time was over: {', '.join(map(_text, deleted))}.")
    return "\n\n".join(parts) + "\n"


def rejected_page(version: str, reasons: Sequence[str], place: str, current: str | None) -> str:
    """Return the page of a release that was kept aside: why, where it lies, and how it is taken after all."""
    lines = [f"# {_text(version)} was not published", "", *(f"- {_text(reason)}" for reason in reasons)]
    stays = f"The release {_text(current)} stays the current one" if current else "There is no release"
    parts = ["\n".join(lines), f"{stays}; the stores were left as they were."]
    if place:
        parts.append(
            f"What was found lies in `{place}`, with the build. If it is right after all, run the flow with "
            f"the parameter `accept` set to `{version}`."
        )
    return "\n\n".join(parts) + "\n"


def stores_page(stores: Sequence[Values]) -> str:
    """Return the page of the stores: what each holds now, and what it took."""
    rows = [
        (_text(row["store"]), _text(row["version"]), row["way"], _number(row["added"]), _number(row["removed"]))
        for row in stores
    ]
    return f"# Stores\n\n{_table(('store', 'release', 'by', 'triples added', 'removed'), rows)}\n"


def _source(source: Values) -> str:
    revision = f"revision `{source['revision']}`" if source["revision"] else "no revision"
    return f"Source: {revision}, {source['date'] or 'without a date'}."


def _links(links: Mapping[str, str]) -> str:
    return "\n".join(f"- [{name}]({target})" for name, target in links.items())


def _ended(outcomes: Values) -> str:
    told = [(name, found) for name, found in outcomes.items() if found["status"] == "failed"]
    if not told:
        return "No check found anything."
    return "Found by " + ", ".join(f"{name} ({found['count']:,})" for name, found in told) + "."


def _row(row: Values) -> tuple[str, ...]:
    change = row["difference"]
    return (
        row["count"],
        _number(row["before"]),
        _number(row["now"]),
        "" if change is None else "0" if change == 0 else f"{change:+,}",
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _text(value: str) -> str:
    """Return a text that Markdown shows as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in " ".join(str(value).split()))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
