"""pfocr-rdf: the Pathway Figure OCR database as an RDF knowledge graph.

from pfocr_rdf import Options, build, to_rdflib

built = build("pfocr-database", Path("output/build"), Options())
print(built.manifest["counts"])

graph = to_rdflib("seeds/000_26657023af6d47af.txt")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pfocr_rdf.errors import PfocrError, Problem, TooManyRejected, UsageError
    from pfocr_rdf.model import Layer
    from pfocr_rdf.pipeline import Built, Options, build
    from pfocr_rdf.settings import Settings
    from pfocr_rdf.show import to_rdflib

__version__ = "0.1.0"

_HOMES = {
    "Built": "pipeline",
    "Layer": "model",
    "Options": "pipeline",
    "PfocrError": "errors",
    "Problem": "errors",
    "Settings": "settings",
    "TooManyRejected": "errors",
    "UsageError": "errors",
    "build": "pipeline",
    "to_rdflib": "show",
}

__all__ = [
    "Built",
    "Layer",
    "Options",
    "PfocrError",
    "Problem",
    "Settings",
    "TooManyRejected",
    "UsageError",
    "__version__",
    "build",
    "to_rdflib",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first used: importing the package costs nothing."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
