"""pyld's expansion of one JSON-LD block, under one context document that stands for schema.org's; nothing is fetched.

Imported when a block is expanded for the first time: pyld takes longer to load than many figures to convert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyld import jsonld
from pyld.context_resolver import ContextResolver

from pfocr_rdf.errors import NotJsonLd
from pfocr_rdf.resources import CONTEXT_URLS
from pfocr_rdf.shapes import Shapes

_FAILURES = (jsonld.JsonLdError, RecursionError, ValueError, TypeError, KeyError, AttributeError)
"""What pyld raises for input that is no JSON-LD."""


class Expander:
    """Expands blocks under one context; knows the shapes of those it has expanded."""

    def __init__(self, document: Mapping[str, Any], base: str = "") -> None:
        """Use `document` for all names in `CONTEXT_URLS`, and `base` for relative IRIs."""
        self._document, self._base = document, base
        self._resolved: dict[str, Any] = {}
        self.shapes = Shapes()

    def _load(self, url: str, _options: object = None) -> dict[str, Any]:
        if url not in CONTEXT_URLS:
            raise NotJsonLd(f"the context {url} is not fetched")
        return {"contextUrl": None, "documentUrl": url, "document": self._document, "tag": "static"}

    def expand(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """Expand one block.

        Raises `NotJsonLd` for what is none.
        """
        options = {
            "documentLoader": self._load,
            "base": self._base,
            # pyld's own cache knows contexts by address only, whatever document stands for it
            "contextResolver": ContextResolver(self._resolved, self._load),
        }
        try:
            nodes = jsonld.expand(dict(block), options)
        except _FAILURES as error:
            raise NotJsonLd(type(error).__name__) from error
        node: dict[str, Any] = nodes[0] if nodes else {}
        return node
