"""`make pins`: can the pins of the extra `flows` be lifted? Each is tried without its bound, in a fresh environment.

What decides is what once failed: does the server start, can a deployment with a schedule be made, do runs with
the state SCHEDULED appear, without a fault in the server's log. Nothing is changed in this checkout but build/pins.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.prefect_server import Server, wait_until
from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "pins"
PINNED = ("prefect", "fastapi", "sqlalchemy")
_NAME = re.compile(r"([A-Za-z0-9._-]+)(\[[^]]*\])?")

FLOW = """
from prefect import flow

@flow
def empty() -> None:
    pass
"""
DEPLOYMENT = """
name: pins
deployments:
  - {name: empty, entrypoint: "empty.py:empty", work_pool: {name: local}, schedules: [{cron: "* * * * *"}]}
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was tried: the requirements that were not pinned, the versions that came, and why it failed (or "")."""

    lifted: tuple[str, ...]
    versions: Mapping[str, str]
    fault: str


def named(requirement: str) -> tuple[str, str]:
    """Return the name of a requirement in lower case, and the requirement without its bounds.

    Raises `ValueError` for what is no requirement.
    """
    found = _NAME.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} is no requirement")
    return found[1].lower(), found[0]


def without_bounds(requirements: Iterable[str], lifted: Iterable[str]) -> list[str]:
    """Return requirements, those of some names without their bounds.

    Raises `KeyError` for a name that no requirement has.
    """
    made = {named(requirement)[0]: requirement for requirement in requirements}
    for name in lifted:
        made[name] = named(made[name])[1]
    return list(made.values())


def verdicts(tried: Iterable[Tried], bounds: Mapping[str, str]) -> list[str]:
    """Return one line for each try: what may be lifted, what not and why."""
    lines = []
    for each in tried:
        names = " and ".join(each.lifted)
        newest = ", ".join(f"{name} {each.versions.get(name, '?')}" for name in each.lifted)
        if each.fault:
            lines.append(f"keep {names} ({newest}): {each.fault}")
        elif all(_within(each.versions.get(name, ""), bounds[name]) for name in each.lifted):
            lines.append(f"nothing to lift of {names}: without its bound {newest} comes, which it allows")
        else:
            lines.append(f"can be lifted: {names} ({newest}) works")
    return lines


def _within(version: str, requirement: str) -> bool:
    """Whether a requirement allows a version."""
    from packaging.requirements import Requirement

    return bool(version) and Requirement(requirement).specifier.contains(version)


def bounds() -> dict[str, str]:
    """Return the requirements of the extra `flows`, by name in lower case."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return {named(requirement)[0]: requirement for requirement in listed["flows"]}


def attempt(lifted: tuple[str, ...], place: Path) -> Tried:
    """Install the newest of some requirements beside the others, and see whether a server schedules runs."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    python = place / "venv" / "bin" / "python"
    fault = _run([sys.executable, "-m", "venv", str(place / "venv")])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    fault = fault or _run([*pip, "install", "--quiet", *without_bounds(bounds().values(), lifted)])
    if fault:
        return Tried(lifted, {}, f"cannot be installed: {fault}")
    listed = subprocess.run([*pip, "list", "--format=freeze"], capture_output=True, text=True, check=True).stdout
    versions = {name.lower(): version for name, _, version in (line.partition("==") for line in listed.splitlines())}
    return Tried(lifted, versions, smoke(python.parent, place))


def smoke(programs: Path, place: Path) -> str:
    """Start a server with the programs of an environment, deploy with a schedule; return what went wrong, or ""."""
    (place / "empty.py").write_text(FLOW, encoding="utf-8")
    (place / "prefect.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    server = Server(place, free_port(), programs=programs)
    try:
        server.start()
        server.call("prefect", "work-pool", "create", "local", "--type", "process", cwd=place)
        server.call("prefect", "--no-prompt", "deploy", "--all", cwd=place)
        server.call("prefect", "flow-run", "ls", cwd=place)
        wait_until(lambda: bool(server.runs("SCHEDULED")), place / "server.log", 90.0)
        return "; ".join(server.complaints()[:1])
    except AssertionError as error:
        lines = [line for line in str(error).splitlines() if line.strip(" │╭╰─╯")]
        told = [line for line in lines if re.match(r"\S*(?:Error|Exception)\b", line)] or lines or ["no message"]
        return f"the server does not do its work: {told[-1].strip()[:200]}"
    finally:
        server.stop()


def _run(command: list[str]) -> str:
    """Run a program; return the last line of what it says when it fails, else ""."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return "" if done.returncode == 0 else (said or ["no message"])[-1][:300]


def main() -> int:
    """Try each pin alone and all together; print what can be lifted. Ends with 1 when the pins themselves fail."""
    known = bounds()
    tries: list[tuple[str, ...]] = [(), *((name,) for name in PINNED), PINNED]
    done = []
    for lifted in tries:
        print(f"trying {' and '.join(lifted) or 'the pins as they are'} ...", file=sys.stderr, flush=True)
        done.append(attempt(lifted, PLACE / ("-".join(lifted) or "pinned")))
    pinned, *others = done
    if pinned.fault:
        print(f"the pins themselves fail: {pinned.fault}")
        return 1
    print("the pins as they are work: " + ", ".join(f"{name} {pinned.versions[name]}" for name in PINNED))
    print("\n".join(verdicts(others, known)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
