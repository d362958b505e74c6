"""A flow as a program of its own: `python -m flows.nightly --out DIR`. Each parameter is an option."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from pfocr_rdf.errors import PfocrError

from .config import need_server, wrong
from .parameters import Model

Asked = TypeVar("Asked", bound=Model)


def main(flow: Callable[[Asked], dict[str, Any]], model: type[Asked], words: Sequence[str] | None = None) -> int:
    """Run a flow with the options of the command line and print what it returns; return the exit code."""
    name = model.__name__.lower()
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}.{name}", description=(flow.__doc__ or "").splitlines()[0]
    )
    for option, schema in model.model_json_schema()["properties"].items():
        default = "" if schema.get("default") in (None, [], "") else f" (default: {schema['default']})"
        text = f"{schema['description']}{default}".replace("%", "%%")
        action = "append" if schema.get("type") == "array" else "store"
        flag = f"--{option.replace('_', '-')}"
        parser.add_argument(flag, default=argparse.SUPPRESS, metavar="VALUE", help=text, action=action)
    given = vars(parser.parse_args(words))
    try:
        try:
            asked = model(**given)
        except ValidationError as error:
            raise wrong(error, dict.fromkeys(given, "flag")) from None
        need_server()
        done = flow(asked)
    except PfocrError as error:
        print(f"pfocr-rdf: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(done, ensure_ascii=False, indent=2))
    return 0
