"""A virtual environment for each program that is compared, made once from pins and kept under `build/bench`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PINS = Path(__file__).resolve().parent
FOLDER = ROOT / "build" / "bench"


def ensure(name: str, pins: Path = PINS, home: Path = FOLDER) -> Path:
    """Return the Python of the environment `home/name`, made from `pins/{name}.txt` unless it is there with these."""
    listed = pins / f"{name}.txt"
    wanted = listed.read_text(encoding="utf-8")
    folder = home / name
    python, stamp = folder / "bin" / "python", folder / "pins.txt"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--requirement", str(listed)], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def pinned(name: str, *packages: str) -> dict[str, str]:
    """Return the pinned versions of some packages of an environment."""
    lines = (PINS / f"{name}.txt").read_text(encoding="utf-8").split()
    versions = dict(line.split("==", 1) for line in lines)
    return {package: versions[package] for package in packages}


def machine() -> dict[str, str]:
    """Return what the figures were measured on."""
    model = _field("/proc/cpuinfo", "model name") or platform.machine()
    memory = int((_field("/proc/meminfo", "MemTotal") or "0").split()[0]) / 1024**2
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GiB",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "python": platform.python_version(),
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
