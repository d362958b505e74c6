"""The triples that each layer must hold, computed from a source."""

from __future__ import annotations

from pathlib import Path

from pyoxigraph import Triple

from .entities import add_entities
from .figures import add_figure
from .names import Names
from .papers import add_papers
from .source import Corpus, Reader
from .vocabulary import LAYERS

Layers = dict[str, set[Triple]]


def expected(source: Path) -> Layers:
    """Layer name -> its triples, for every layer but `ontology` and `xrefs-pubmed` (the model, e)."""
    return layers_of(Reader(source).read())


def layers_of(corpus: Corpus) -> Layers:
    """The layers of a source that has been read."""
    layers: Layers = {layer: set() for layer in LAYERS}
    names = Names(corpus)
    for figure in corpus.figures:
        add_figure(layers, names, figure)
    add_papers(layers, corpus)
    add_entities(layers, names, corpus)
    return layers
