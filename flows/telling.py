"""Telling Prefect and people how a run ended: artifacts, events, assets, a notice. Nothing here fails a run."""

from __future__ import annotations

from .environment import prepare

prepare(program=False)

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.assets import Asset, AssetProperties
from prefect.events import emit_event
from prefect.runtime import flow_run

from pfocr_rdf.errors import NotValid, PfocrError, TooManyRejected
from pfocr_rdf.extract import git
from pfocr_rdf.release.gate import Kept

from . import pages
from .engine import logger

PUBLISHED = "pfocr.release.published"
REJECTED = "pfocr.release.rejected"

_REPORT = "report.html"
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9:/._@+-]")


def published(
    release: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    changes: Mapping[str, Any] | None,
    place: Path,
    deleted: Sequence[str],
) -> None:
    """Tell of a release that was published."""
    version = str(release["version"])
    with _quiet("the page of the release"):
        page = pages.release_page(release, before, changes, _links(release), str(place), deleted)
        create_markdown_artifact(page, key="pfocr-rdf-release", description=f"Release {version}")
        rows = pages.counts(release, before)
        create_table_artifact(rows, key="pfocr-rdf-counts", description="Counts, and what changed in them")
        create_table_artifact(pages.checks(release), key="pfocr-rdf-checks", description="How each check ended")
    with _quiet("the event"):
        emit_event(
            PUBLISHED,
            resource={"prefect.resource.id": f"pfocr.release.{version}", "prefect.resource.name": version},
            payload={name: release[name] for name in ("version", "previous", "source", "counts", "triples")},
        )


def rejected(error: PfocrError, current: Path | None) -> None:
    """Tell of a release that was not published."""
    kept = error if isinstance(error, Kept) else None
    version = kept.version if kept else "this build"
    reasons = kept.reasons if kept else [str(error)]
    with _quiet("the page of what was rejected"):
        page = pages.rejected_page(version, reasons, str(kept.place) if kept else "", current.name if current else None)
        create_markdown_artifact(page, key="pfocr-rdf-rejected", description=f"{version} was not published")
    with _quiet("the event"):
        emit_event(
            REJECTED,
            resource={"prefect.resource.id": f"pfocr.release.{kept.version if kept else 'none'}"},
            payload={"version": kept.version if kept else None, "reasons": reasons},
        )


def stores(found: Sequence[Mapping[str, Any]]) -> None:
    """Tell what became of the stores."""
    with _quiet("the page of the stores"):
        create_markdown_artifact(pages.stores_page(found), key="pfocr-rdf-stores", description="What the stores hold")


@contextmanager
def ending(what: str, notify: str | None) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Send a notice when the `with` block ends, well or not; what it yields is called with what is told then."""
    told: dict[str, Any] = {}
    try:
        yield told.update
    except Exception as error:
        if notify:
            how = "rejected" if isinstance(error, (NotValid, TooManyRejected)) else "failed"
            _notice(notify, what, how, {"message": _line(error)})
        raise
    if notify:
        _notice(notify, what, "completed", told)


def _notice(block: str, what: str, how: str, more: Mapping[str, Any]) -> None:
    """Let a block of type Webhook tell how a run ended."""
    from prefect.blocks.webhook import Webhook
    from prefect.utilities.asyncutils import run_coro_as_sync

    async def send() -> None:
        run = {"run": flow_run.name, "url": flow_run.ui_url}
        said = {"text": f"pfocr-rdf {what}: {how}", "flow": what, "state": how, **run, **more}
        found: Any = await Webhook.aload(block)
        (await found.call(said)).raise_for_status()

    with _quiet("the notice", hide=True):
        run_coro_as_sync(send())


def release_asset(root: Path) -> Asset:
    """Return the asset that a folder of releases is."""
    place = root.resolve()
    about = AssetProperties(name="PFOCR RDF releases", url=f"file://{place}/current", description=str(place))
    return Asset(key=_key(f"file://{place}"), properties=about)


def source_asset(source: str) -> Asset:
    """Return the asset that a source is."""
    address = git.without_secrets(git.split(source)[0])
    return Asset(
        key=_key(address if "://" in address else f"file://{Path(address).resolve()}"),
        properties=AssetProperties(name="PFOCR database"),
    )


def store_asset(address: str) -> Asset:
    """Return the asset that a served store is."""
    shown = git.without_secrets(address)
    key = shown if "://" in shown else f"file://{Path(shown).resolve()}"
    return Asset(key=_key(key), properties=AssetProperties(name="PFOCR RDF store", description=shown))


def _key(text: str) -> str:
    """Return a key of an asset, which may not have all signs."""
    kind, _, rest = text.partition("://")
    return f"{kind.rpartition(':')[2].lower()}://{_NOT_IN_KEYS.sub('_', rest)}"[:512]


def _links(release: Mapping[str, Any]) -> dict[str, str]:
    """Return links below the address that the releases have for the world: browsers follow none to files."""
    there = f"{release['base_url']}/{release['version']}"
    return {"Report": f"{there}/{_REPORT}", "Changes": f"{there}/CHANGELOG.md", "Release": there}


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


@contextmanager
def _quiet(what: str, *, hide: bool = False) -> Iterator[None]:
    """Turn what goes wrong into a warning; `hide` says only its type, for its text may hold an address."""
    try:
        yield
    except Exception as error:
        logger().warning("%s could not be sent: %s", what, type(error).__name__ if hide else _line(error))
