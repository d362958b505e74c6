"""Reduce the schema.org JSON-LD context to the part that changes what expansion yields.

The official context names every term of schema.org, and most entries only say what `@vocab` says
already: that a term is the schema.org term of the same name. Those entries are left out here. What
stays: `@vocab`, the keyword aliases, the prefixes, every term with a type coercion, and every term
whose IRI is not the vocabulary IRI followed by the term.

JSON-LD 1.1 expansion with the reduced context gives the result of the official one, unless a document
adds a context of its own that sets another `@vocab`: then the terms left out follow that one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DEFAULT_OUTPUT = Path(__file__).resolve().parents[1] / "ontologies" / "schemaorg.context.jsonld"
EXAMPLE = """\
example:
  python tools/make_context.py schemaorg-context-30.0.jsonld --output ontologies/schemaorg.context.jsonld

The official file is published with each release of schema.org as schemaorgcontext.jsonld.
"""

# A term outside this pattern could be read as a compact IRI, a keyword or a path, so its entry stays.
PLAIN_TERM = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")


def expand_iri(value: str, terms: Mapping[str, object]) -> str:
    """Write out a compact IRI with the prefixes of the context; leave all else as it is."""
    prefix, colon, local = value.partition(":")
    namespace = terms.get(prefix)
    if colon and not local.startswith("//") and isinstance(namespace, str):
        return namespace + local
    return value


def is_redundant(term: str, definition: object, terms: Mapping[str, object]) -> bool:
    """Tell whether `@vocab` alone gives this term the meaning of its entry."""
    vocabulary = terms.get("@vocab")
    if not isinstance(vocabulary, str) or not isinstance(definition, Mapping) or set(definition) != {"@id"}:
        return False
    iri = definition["@id"]
    if not isinstance(iri, str) or PLAIN_TERM.fullmatch(term) is None:
        return False
    return expand_iri(iri, terms) == vocabulary + term


def reduce_terms(terms: Mapping[str, object]) -> dict[str, object]:
    """Keep the entries of a context that `@vocab` does not make redundant, in order of code point."""
    return {term: terms[term] for term in sorted(terms) if not is_redundant(term, terms[term], terms)}


def format_context(terms: Mapping[str, object]) -> str:
    """Write a context with one term on each line."""
    lines = [
        f"    {json.dumps(term, ensure_ascii=False)}: {json.dumps(definition, ensure_ascii=False, sort_keys=True)}"
        for term, definition in terms.items()
    ]
    return '{\n  "@context": {\n' + ",\n".join(lines) + "\n  }\n}\n"


def read_terms(path: Path) -> dict[str, object]:
    """Read the entries of a context file; raise ValueError when it is not one map under `@context`."""
    document = json.loads(path.read_text(encoding="utf-8"))
    terms = document.get("@context") if isinstance(document, dict) else None
    if not isinstance(terms, dict):
        raise ValueError(f"{path}: expected an object with one map under @context")
    return terms


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description="Reduce the schema.org JSON-LD context to what changes the result of expansion.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("official", type=Path, metavar="OFFICIAL", help="the official context, a JSON-LD file")
    parser.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_OUTPUT,
        metavar="FILE",
        help="where to write the reduced context (default: the shipped file in ontologies/)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        text = format_context(reduce_terms(read_terms(options.official)))
        options.output.write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        print(f"make_context: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
