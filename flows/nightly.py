"""The flow `nightly`: from the source to the release and the stores; nothing where nothing changed.

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
from .parameters import Nightly
from .program import main

DEFAULT = Nightly()


@flow(name="pfocr-rdf-nightly", persist_result=False)
def nightly(asked: Nightly = DEFAULT) -> dict[str, Any]:
    """Build, check, publish and load what is new in the source; nothing where it has not changed.

    Args:
        asked: What is converted, where it goes, and what is let through; what is not set here is of the configuration.
    """
    with configured(asked) as wanted, telling.ending("nightly", wanted.notify) as told, steps.held(wanted.out) as held:
        done = steps.bring(wanted, held)
        found = done.to_json()
        told(found)
        # Even if nothing is new: a store that did not answer last night is behind.
        found["stores"] = steps.load(wanted, done.place, wanted.out)
        told(found)
        return found


if __name__ == "__main__":
    sys.exit(main(nightly, Nightly))
