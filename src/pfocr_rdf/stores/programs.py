"""The programs of triple stores on this machine: Java, the pinned jars, the commands of Virtuoso and Oxigraph.

A jar is the one that the user names, else that of a cache, else fetched once by the user's own `mvn`. Whichever it is,
its SHA-256 is that of `jars.json`, which is the one place where versions of jars are pinned.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

import platformdirs

from pfocr_rdf.errors import UsageError

JENA = "jena-fuseki-server"
BLAZEGRAPH = "blazegraph-jar"

JAVA = 17
"""The oldest Java that runs both jars."""

_VERSION = re.compile(r'version "(?:1\.)?([0-9]+)')


class Missing(UsageError):
    """A program is not on this machine, or too old; the message says how to get it."""


def java() -> Path:
    """Return the `java` of JAVA_HOME, else of the PATH.

    Raises `Missing`, which says the version that is needed, when there is none or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise Missing(f"Java {JAVA} or newer is needed and none is installed (Debian package default-jre-headless)")
    version = _java_version(found)
    if version < JAVA:
        raise Missing(f"{found}: is Java {version}, and Java {JAVA} or newer is needed; JAVA_HOME names another one")
    return Path(found)


@cache
def _java_version(program: str) -> int:
    done = subprocess.run([program, "-version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    told = _VERSION.search(done.stderr + done.stdout)
    if done.returncode != 0 or told is None:
        said = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
        raise Missing(f"{program}: does not tell its version ({said[0]}); Java {JAVA} or newer is needed")
    return int(told[1])


def virtuoso() -> Path:
    """Return the server `virtuoso-t` of Virtuoso 7. Raises `Missing`."""
    return _found("virtuoso-t", "virtuoso-opensource-7-bin")


def isql() -> Path:
    """Return Virtuoso's SQL client, which Debian calls `isql-vt`. Raises `Missing`."""
    return _found("isql-vt", "virtuoso-opensource-7-bin")


def oxigraph() -> Path:
    """Return the command `oxigraph`, of this environment before that of the PATH. Raises `Missing`."""
    found = shutil.which("oxigraph", path=str(Path(sys.executable).parent)) or shutil.which("oxigraph")
    if found is None:
        raise Missing("oxigraph is not installed: pip install oxigraph")
    return Path(found)


def _found(name: str, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (Debian package {package})")
    return Path(found)


def pins() -> dict[str, dict[str, str]]:
    """Return Maven coordinates and SHA-256 of each jar, by its name."""
    pinned: dict[str, dict[str, str]] = json.loads(files(__package__).joinpath("jars.json").read_text("utf-8"))
    return pinned


def jar(name: str, given: Path | None = None, folder: Path | None = None) -> Path:
    """Return a pinned jar: the given file, else that of a folder (of the user's cache), else fetched there by `mvn`.

    Raises `Missing` when it can be neither found nor fetched, `UsageError` when it is not the pinned one.
    """
    pin = pins()[name]
    artifact, version = pin["coordinates"].split(":")[1:]
    place = given or (folder or platformdirs.user_cache_path("pfocr-rdf") / "jars") / f"{artifact}-{version}.jar"
    if given is not None and not given.is_file():
        raise UsageError(f"--jar {given}: no such file")
    if not place.is_file():
        _fetch(pin["coordinates"], place)
    with place.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != pin["sha256"]:
        raise UsageError(f"{place}: is not {artifact} {version}: its SHA-256 is {found}, not {pin['sha256']}")
    return place.absolute()


def _fetch(coordinates: str, place: Path) -> None:
    """Let Maven copy the artifact beside its place, then move it there, so that no half jar is ever found."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing(
            f"{place.name} is not there: give it with --jar, or install Maven to have it fetched (Debian package maven)"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        options = [f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
        command = [maven, "-q", "-B", "dependency:copy", *options]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder, check=False
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines() or ["no message"]
            raise Missing(f"mvn could not fetch {coordinates}: {said[0]}")
        (Path(folder) / place.name).replace(place)
