"""A flow called from the shell: parameters checked, the configuration beneath them, errors of this package as they are.

Without settings of the user's it needs no server: an embedded one serves the run and ends with it.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=True)

import importlib
from collections.abc import Mapping
from typing import Any

from pfocr_rdf.errors import UsageError


def run(flow: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Run the flow of this name with some of its parameters, and return what it returns.

    Raises `UsageError` for a parameter that it does not have or that cannot be, and what the flow raises.
    """
    from prefect.exceptions import ParameterTypeError, SignatureMismatchError

    called = getattr(importlib.import_module(f".{flow}", __package__), flow)
    try:
        return dict(called(**flags))
    except (ParameterTypeError, SignatureMismatchError) as error:
        raise UsageError(f"{flow}: {' '.join(str(error).split())}") from None
