"""The units of docs/systemd: systemd takes them, they run as a user of their own, and know no secret."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.prefect_server import BIN
from tests.support import ROOT, require_tool

UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
EXPOSED = 20
"""Tenths of the exposure that systemd reckons: 100 is a service without any protection."""


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units with the programs of this environment."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/pfocr-rdf/.venv/bin", str(BIN))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return [tmp_path / unit.name for unit in UNITS]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = require_tool("systemd-analyze", "systemd")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)


def test_there_is_a_unit_for_each_part() -> None:
    assert {unit.stem for unit in UNITS} >= {"pfocr-prefect", "pfocr-flows", "pfocr-worker", "pfocr-sparql"}


def test_systemd_finds_no_fault(installed: list[Path]) -> None:
    done = analyze("verify", "--man=no", *installed)
    names = tuple(str(unit) for unit in installed) + tuple(unit.name for unit in installed)
    complaints = [line for line in done.stderr.splitlines() if line.startswith(names)]
    assert (done.returncode, complaints) == (0, []), done.stderr


def test_verify_finds_what_is_wrong(installed: list[Path]) -> None:
    unit = installed[0]
    unit.write_text(unit.read_text(encoding="utf-8").replace("[Service]", "[Service]\nNoSuchSetting=1"))
    assert "NoSuchSetting" in analyze("verify", "--man=no", unit).stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_are_hardened(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={EXPOSED}", "--no-pager", unit)
    assert done.returncode == 0, done.stdout
    said = settings(unit)
    assert said["User"] == ["pfocr"]
    assert (said["NoNewPrivileges"], said["ProtectSystem"]) == (["yes"], ["strict"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_listen_here_only_and_hold_no_secret(unit: Path) -> None:
    said = settings(unit)
    # the endpoint is for everybody, so it knows no secret at all
    assert said.get("EnvironmentFile") == (None if unit.stem == "pfocr-sparql" else ["-/etc/pfocr-rdf/environment"])
    assert not [line for line in said["Environment"] if re.search(r"(?i)password|token|secret", line)]
    addresses = re.findall(r"\d+\.\d+\.\d+\.\d+", unit.read_text(encoding="utf-8"))
    assert set(addresses) <= {"127.0.0.1"}
