"""The flow `backfill`: past revisions of a source as releases, one after the other.

Annotations are not postponed here: a served flow is sent to a process of its own without the names that only
annotations use.
"""

from .environment import prepare

prepare(program=__name__ == "__main__")

import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from prefect import flow

from pfocr_rdf.errors import NotValid, TooManyRejected, UsageError
from pfocr_rdf.extract import git
from pfocr_rdf.release import folder
from pfocr_rdf.release.folder import Releases

from . import steps, telling
from .config import configured
from .engine import logger
from .parameters import Backfill
from .program import main

DEFAULT = Backfill()
_SHORT = re.compile(r"[0-9a-f]{4,39}")


@flow(name="pfocr-rdf-backfill", persist_result=False)
def backfill(asked: Backfill = DEFAULT) -> dict[str, Any]:
    """Publish past revisions of a source in their order, to make the history.

    A revision that is published already is passed over, so a run that was stopped is simply started again. One that the
    gate keeps aside, or of which too much is refused, is left out; the others come, and the run fails at the end.

    Args:
        asked: The source and its revisions, the oldest first.
    """
    with configured(asked) as wanted, telling.ending("backfill", wanted.notify) as told:
        address, revision = git.split(wanted.source)
        if revision is not None or (wanted.revisions and not git.is_address(address)):
            raise UsageError(
                f"{git.without_secrets(wanted.source)}: give a git address without a revision; `revisions` names them"
            )
        made: list[str] = []
        left: list[str] = []
        with steps.held(wanted.out) as held:
            there = _revisions(held)
            for each in wanted.revisions:
                one = wanted.model_copy(update={"source": f"{address}@{each}"})
                if _is_there(steps.look(one.source), each, there):
                    logger().info("%s is published already", each)
                    continue
                try:
                    done = steps.bring(one, held)
                except (NotValid, TooManyRejected) as error:
                    left.append(f"{each}: {error}")
                    continue
                if done.new:
                    made.append(str(done.release["version"]))
        told({"releases": made})
        if left:
            raise NotValid("; ".join(left))
        return {"releases": made}


def _revisions(releases: Releases) -> set[str]:
    """Return the revisions of which there are releases."""
    places = sorted((releases.root / folder.RELEASES).glob(f"*/{folder.RELEASE}"))
    found = [folder.read_release(Path(path).parent).get("source", {}).get("revision") for path in places]
    return {str(revision) for revision in found if revision}


def _is_there(tip: str | None, revision: str, there: Collection[str]) -> bool:
    """Return whether there is a release of a revision: of its commit, or for a shortened hash of one that begins so."""
    if tip is None and _SHORT.fullmatch(revision):
        return any(each.startswith(revision) for each in there)
    return tip in there


if __name__ == "__main__":
    sys.exit(main(backfill, Backfill))
