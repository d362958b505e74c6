"""The description of a release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Description:
    """A release described: `pfocr-void.ttl`, `void-endpoint.ttl`, and the JSON-LD of the page one lands on."""

    void: str
    endpoint: str
    jsonld: str
