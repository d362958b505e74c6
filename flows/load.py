"""The flow `load`: from a release to the stores.

Annotations are not postponed here: a served flow is sent to a process of its own without the names that only
annotations use.
"""

from .environment import prepare

prepare(program=__name__ == "__main__")

import sys
from contextlib import nullcontext
from typing import Any

from prefect import flow

from pfocr_rdf.release import folder

from . import steps, telling
from .config import configured
from .parameters import Load
from .program import main

DEFAULT = Load()


@flow(name="pfocr-rdf-load", persist_result=False)
def load(asked: Load = DEFAULT) -> dict[str, Any]:
    """Bring stores to the current release, by what changed where they can.

    Args:
        asked: The folder of releases and the stores; what is not set here is of the configuration.
    """
    with configured(asked) as wanted, telling.ending("load", wanted.notify) as told:
        # Held, so that no other run deletes or replaces meanwhile what is read.
        releases = (wanted.out / folder.RELEASES).is_dir()
        with steps.held(wanted.out) if releases else nullcontext(None) as held:
            place = (held.current() if held else None) or wanted.out
            found = {"stores": steps.load(wanted, place, wanted.out)}
        told(found)
        return found


if __name__ == "__main__":
    sys.exit(main(load, Load))
