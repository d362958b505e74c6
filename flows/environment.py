"""What Prefect reads from the environment when it is first imported; call `prepare` before that.

What the user has set wins. Imports no Prefect.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

ALWAYS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Prefect gives its embedded server 20 s; it took 12 s on a quiet machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
PROGRAM = {
    # A failed flow is told in one line, by us; the API still gets the whole log.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}
CHOICES = ("PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_API_URL")
"""With one of these the user has said which Prefect is meant."""


def prepare(*, program: bool) -> None:
    """Keep telemetry off. For a program also keep the terminal quiet, and the user's own `~/.prefect` untouched.

    Ends the program in one line when it cannot make Prefect's home.
    """
    values = dict(ALWAYS)
    if program:
        values |= PROGRAM
        if not any(name in os.environ for name in CHOICES):
            # Runs are kept here, on an embedded server that listens on the loopback address and ends with the program.
            values["PREFECT_HOME"] = str(platformdirs.user_cache_path("pfocr-rdf") / "prefect")
            values["PREFECT_SERVER_EPHEMERAL_ENABLED"] = "true"
            values["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] = "events,flow_runs"  # those of more than 90 days ago
    for name, value in values.items():
        os.environ.setdefault(name, value)
    if program and "PREFECT_HOME" in os.environ:
        _make(Path(os.environ["PREFECT_HOME"]).expanduser())


def _make(home: Path) -> None:
    """Make Prefect's home with the folders above it, which Prefect does not: its server would never come up."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"pfocr-rdf: {home}: cannot be made ({error.strerror}); set PREFECT_HOME to another", file=sys.stderr)
        raise SystemExit(2) from error
