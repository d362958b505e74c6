"""What tests share: the folders, the programs of others that they use, and the pinned jars.

Whatever is not part of the checkout may be missing: then a test is skipped with one line that says how to
get it, and under `CI=true` it fails. Run as a program (`make jars`), it fetches the jars.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"
SHARED = ROOT.parent / "shared"
"""Records and notes that lie beside the checkout, where they do."""

JARS = ROOT / "build" / "jars"
PINS = Path(__file__).with_name("jars.json")
COMUNICA = ROOT / "build" / "comunica"
COMUNICA_VERSION = "4.5.0"
"""The last that runs on Node 20."""

JENA = "jena-fuseki-server"
BLAZEGRAPH = "blazegraph-jar"


class Missing(Exception):
    """Something that is not part of the checkout is not there; the message says how to get it."""


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
    """Return a jar of `tests/jars.json`, or skip the running test; `java` is there too."""
    try:
        find_tool("java", "default-jre-headless")
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

    Raises `Missing` when it can be neither found nor fetched, and `ValueError` when it is not the pinned one.
    """
    pin = json.loads(PINS.read_text(encoding="utf-8"))[pinned]
    name, version = pin["coordinates"].split(":")[1:]
    jar = given or JARS / f"{name}-{version}.jar"
    if given is not None and not given.is_file():
        raise ValueError(f"--jar {given}: no such file")
    if not jar.is_file():
        _fetch(pin["coordinates"], jar)
    found = _sha256(jar)
    if found != pin["sha256"]:
        raise ValueError(f"{jar}: SHA-256 is {found}, but {PINS.name} pins {pin['sha256']}; delete the file")
    return jar


def _fetch(coordinates: str, jar: Path) -> None:
    """Let Maven copy the artifact beside its place, then move it there, so that no half jar is ever found."""
    maven = find_tool("mvn", "maven")
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jar.parent) as folder:
        options = [f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
        command = [str(maven), "-q", "-B", "dependency:copy", *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
            raise Missing(f"mvn could not fetch {coordinates}: {said[0]}")
        (Path(folder) / jar.name).replace(jar)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    try:
        for each in json.loads(PINS.read_text(encoding="utf-8")):
            print(pinned_jar(each).relative_to(ROOT))
    except (Missing, ValueError) as problem:
        sys.exit(str(problem))
