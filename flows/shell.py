"""A flow called from the shell: parameters checked, errors of this package as they are.

Without settings of the user's it needs no server: an embedded one serves the run and ends with it.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=True)

import importlib
from collections.abc import Mapping
from typing import Any

from prefect import Flow
from pydantic import BaseModel, ValidationError

from . import parameters
from .config import wrong


def run(flow: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Run the flow of this name with some of its parameters, and return what it returns.

    Raises `UsageError` for a parameter that it does not have or that cannot be, and what the flow raises.
    """
    called: Flow[..., Any] = getattr(importlib.import_module(f".{flow}", __package__), flow)
    model: type[BaseModel] = getattr(parameters, flow.capitalize())
    try:
        asked = model(**flags)
    except ValidationError as error:
        raise wrong(error, dict.fromkeys(flags, "flag")) from None
    done = called(asked)
    return done.model_dump(mode="json") if isinstance(done, BaseModel) else dict(done or {})
