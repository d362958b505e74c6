"""A flow called from the shell: parameters checked, errors of this package as they are.

Without settings of the user's it needs no server: an embedded one serves the run and ends with it.
"""

from __future__ import annotations

from .environment import prepare

prepare(program=True)

import importlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from prefect import Flow
from pydantic import BaseModel, ValidationError

from . import parameters
from .config import need_server, wrong


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
    need_server()
    with _quiet():
        return dict(cast(dict[str, Any], called(asked)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Prefect's messages through as the command line wants them; how a run ended is told at its end, by others."""
    root = logging.getLogger()

    def told(record: logging.LogRecord) -> bool:
        ending = record.exc_info or str(record.msg).startswith("Finished in state")
        return record.levelno >= root.level and not (ending and record.name.startswith("prefect"))

    for handler in root.handlers:
        handler.addFilter(told)
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.removeFilter(told)
