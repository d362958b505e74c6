"""The configuration of nginx in front of two stores, of which one is live and the other one can be loaded."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.resources import files
from string import Template

from pfocr_rdf.errors import UsageError

_STORE = re.compile(r"http://([A-Za-z0-9.-]+(?::[0-9]{1,5})?)(/[A-Za-z0-9._~/%-]*)?")
_LISTEN = re.compile(r"(?:[0-9.]+:|\[[0-9a-f:]+\]:)?[0-9]{1,5}")


class Colour(StrEnum):
    """The two stores behind the proxy."""

    BLUE = "blue"
    GREEN = "green"


def configuration(stores: dict[Colour, str], live: Colour, listen: str, seconds: float) -> str:
    """Return the configuration in which the queries that come in at `listen` go to one of two stores.

    `stores` are the addresses of their services for queries; `seconds` is the patience with them. Raises `UsageError`
    for what is no address.
    """
    found = {colour: _STORE.fullmatch(address) for colour, address in stores.items()}
    for colour, match in found.items():
        if match is None:
            raise UsageError(
                f"--{colour} {stores[colour]!r}: give an address such as http://127.0.0.1:3030/pfocr/query"
            )
    if not _LISTEN.fullmatch(listen):
        raise UsageError(f"--listen {listen!r}: give an address such as 127.0.0.1:8080")
    servers = {str(colour): match[1] for colour, match in found.items() if match}
    path = next(match[2] or "/" for colour, match in found.items() if match and colour == live)
    template = Template(files("pfocr_rdf.serve").joinpath("assets", "nginx.conf").read_text(encoding="utf-8"))
    return template.substitute(servers, live=live, path=path, listen=listen, seconds=f"{seconds:g}")
