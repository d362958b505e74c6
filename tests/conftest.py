"""Options, fixtures and settings of all tests; the helpers themselves are in `tests/support.py`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import SHARED, require_jena, unavailable

# The same examples each time, whatever the machine's speed: a red test is red again when run again.
settings.register_profile("quick", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("quick"), max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--jar", type=Path, metavar="PATH", help="a copy of the pinned Jena jar")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--hypothesis-profile", default=None) is None:
        settings.load_profile("thorough" if config.getoption("-m") == "slow" else "quick")
    _isolate_prefect(config)


def _isolate_prefect(config: pytest.Config) -> None:
    """Keep flows away from the developer's own Prefect, and from the network; before anything imports Prefect."""
    home = tempfile.mkdtemp(prefix="prefect-")
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_HOME"] = home
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"  # it takes 12 s on a quiet machine
    os.environ["DO_NOT_TRACK"] = "1"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of records and notes beside the checkout."""
    if not SHARED.is_dir():
        unavailable("the folder shared/ is not there beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def jena(request: pytest.FixtureRequest) -> Path:
    """The Jena jar, for `java -cp JAR riotcmd.riot ...`."""
    return require_jena(request.config.getoption("--jar"))


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """A Prefect server of the tests' own, for flows that run in this process."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):  # it takes 12 s on a quiet machine
        yield


@pytest.fixture
def quiet_flows(prefect: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Flows with quick checks, without waiting before they try again, and without what lies in the developer's home."""
    from flows import steps
    from tests import releasing

    del prefect
    for name in [name for name in os.environ if name.startswith("PFOCR_RDF_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(steps, "Steps", releasing.steps)
    monkeypatch.setattr(steps, "WAITS", (0.1, 0.1))
    for task in (steps.look, steps.fetch, steps.convert):
        monkeypatch.setattr(task, "retry_delay_seconds", [0.1] * task.retries)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        unavailable(f"a small disk cannot be mounted: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)
