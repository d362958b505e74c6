"""The flow `release`: from a source to a release that was checked.

Annotations are not postponed here: a served flow is sent to a process of its own without the names that only
annotations use.
"""

from .environment import prepare

prepare(program=__name__ == "__main__")

import sys
from typing import Any

from prefect import flow

from . import steps, telling
from .config import configured
from .parameters import Release
from .program import main

DEFAULT = Release()


@flow(name="pfocr-rdf-release", persist_result=False)
def release(asked: Release = DEFAULT) -> dict[str, Any]:
    """Bring the folder of releases to what the source is by now: build, check, publish.

    Args:
        asked: What is converted, where it goes, and what is let through; what is not set here is of the configuration.
    """
    with configured(asked) as wanted, telling.ending("release", wanted.notify) as told, steps.held(wanted.out) as held:
        found = steps.bring(wanted, held).to_json()
        told(found)
        return found


if __name__ == "__main__":
    sys.exit(main(release, Release))
