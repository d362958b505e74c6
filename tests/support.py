"""What tests share: the folders, the programs of others that they use, and the pinned jars.

Whatever is not part of the checkout may be missing: then a test is skipped with one line that says how to
get it, and under `CI=true` it fails. Run as a program (`make jars`), it fetches the jars.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import programs
from pfocr_rdf.stores.programs import BLAZEGRAPH as BLAZEGRAPH
from pfocr_rdf.stores.programs import JENA as JENA
from pfocr_rdf.stores.programs import Missing

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"
SHARED = ROOT.parent / "shared"
"""Records and notes that lie beside the checkout, where they do."""

JARS = ROOT / "build" / "jars"
COMUNICA = ROOT / "build" / "comunica"
COMUNICA_VERSION = "4.5.0"
"""The last that runs on Node 20."""


def unavailable(reason: str) -> NoReturn:
    """Skip the running test; under `CI=true` fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"must not be missing under CI=true: {reason}", pytrace=False)
    pytest.skip(reason)


def find_tool(name: str, package: str) -> Path:
    """Return where the program is, or raise `Missing` with the Debian package to install."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (Debian package {package})")
    return Path(found)


def require_tool(name: str, package: str) -> Path:
    """Return where the program is, or skip the running test."""
    try:
        return find_tool(name, package)
    except Missing as missing:
        unavailable(str(missing))


def require_jena(given: Path | None = None) -> Path:
    """Return the Jena jar, or skip the running test; `java` is there too."""
    return require_jar(JENA, given)


def require_jar(name: str, given: Path | None = None) -> Path:
    """Return a pinned jar, or skip the running test; `java` is there too."""
    try:
        programs.java()
        return pinned_jar(name, given)
    except Missing as missing:
        unavailable(str(missing))


def require_comunica() -> Path:
    """Return the folder in whose `node_modules` comunica is, fetched with npm, or skip the running test."""
    try:
        find_tool("node", "nodejs")
        found = COMUNICA / "node_modules" / "@comunica" / "query-sparql" / "package.json"
        if not found.is_file() or json.loads(found.read_text(encoding="utf-8"))["version"] != COMUNICA_VERSION:
            COMUNICA.mkdir(parents=True, exist_ok=True)
            package = f"@comunica/query-sparql@{COMUNICA_VERSION}"
            command = [
                str(find_tool("npm", "npm")),
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(COMUNICA),
            ]
            done = subprocess.run([*command, package], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                said = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
                raise Missing(f"npm could not fetch {package}: {said[0]}")
    except Missing as missing:
        unavailable(str(missing))
    return COMUNICA


def pinned_jar(pinned: str, given: Path | None = None) -> Path:
    """Return a pinned jar: the given one, else that of `build/jars`, else fetched with Maven.

    Raises `Missing` when it can be neither found nor fetched, and `UsageError` when it is not the pinned one.
    """
    return programs.jar(pinned, given, JARS)


if __name__ == "__main__":
    try:
        for each in programs.pins():
            print(pinned_jar(each).relative_to(ROOT))
    except UsageError as problem:
        sys.exit(str(problem))
