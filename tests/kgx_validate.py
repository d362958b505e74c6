"""Run with the Python of an environment that has kgx: what its validator says of a folder, as JSON; nothing is fetched.

The Biolink model and its prefixes are those of the package `biolink-model`, with the prefixes of the folder. Beside the
validator's report stand the nodes and edges as kgx read them.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from pathlib import Path
from typing import Any

import bmt  # type: ignore[import-not-found]

FOLDER = Path(sys.argv[1])
MODEL = Path(next(iter(importlib.util.find_spec("biolink_model").submodule_search_locations)))  # type: ignore[union-attr,arg-type]


class LocalToolkit(bmt.Toolkit):  # type: ignore[misc]
    """The toolkit on the installed model; its table of old predicates, which is not installed, is left empty."""

    def __init__(self, *_: Any, **__: Any) -> None:
        schema = MODEL / "schema" / "biolink_model.yaml"
        super().__init__(schema=str(schema), predicate_map={"predicate mappings": []})


def main() -> None:
    """Validate the folder and print the report."""
    bmt.Toolkit = LocalToolkit  # before kgx is imported, which makes one at once

    import kgx.config  # type: ignore[import-not-found]
    from kgx.transformer import Transformer  # type: ignore[import-not-found]
    from kgx.validator import Validator  # type: ignore[import-not-found]

    kgx.config.get_logger().setLevel(logging.ERROR)
    prefixes = json.loads((MODEL / "prefixmaps" / "biolink_model_prefix_map.json").read_text(encoding="utf-8"))
    ours = json.loads((FOLDER / "context.json").read_text(encoding="utf-8"))["@context"]
    kgx.config.jsonld_context_map["biolink"] = {**prefixes, **ours}
    transformer = Transformer()
    files = [str(FOLDER / name) for name in ("nodes.tsv", "edges.tsv")]
    transformer.transform({"filename": files, "format": "tsv"})
    graph = transformer.store.graph
    validator = Validator()
    validator.validate(graph)
    report = {
        "model": validator.get_validation_model_version(),
        "errors": validator.get_errors(),
        "required": [validator.required_node_properties, validator.required_edge_properties],
        "nodes": dict(graph.nodes(data=True)),
        "edges": [data for _, _, data in graph.edges(data=True)],
    }
    Path(sys.argv[2]).write_text(json.dumps(report, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
