"""The page to ask on: the editor of Oxigraph's own page, and above it our questions, ready to pick and to change.

The editor is taken from the command `oxigraph`, which serves it; nothing of the page comes from another address.
"""

from __future__ import annotations

import html
import http.client
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pfocr_rdf import questions
from pfocr_rdf.errors import UsageError
from pfocr_rdf.questions import Question, Slot
from pfocr_rdf.serve.dataset import Dataset
from pfocr_rdf.serve.pool import Limits

EDITOR = {"yasgui.min.js": "text/javascript", "yasgui.min.css": "text/css"}
"""Files of Oxigraph's page that ours takes, and their media types."""

OWN = {"page.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"}
"""Files of our own, in `serve/assets`."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may do for the page: it asks nobody but this server."""

_PATIENCE = 30.0


def assets() -> dict[str, tuple[str, bytes]]:
    """Return media type and bytes of each file that the page needs.

    Raises `UsageError` when the command `oxigraph` is missing or does not answer.
    """
    folder = files("pfocr_rdf.serve").joinpath("assets")
    own = {name: (media, folder.joinpath(name).read_bytes()) for name, media in OWN.items()}
    return own | _editor(_command())


def _command() -> str:
    found = shutil.which("oxigraph", path=str(Path(sys.executable).parent)) or shutil.which("oxigraph")
    if found is None:
        raise UsageError("the query page needs the extra `serve`: pip install 'pfocr-rdf[serve]'")
    return found


def _editor(command: str) -> dict[str, tuple[str, bytes]]:
    """Let an empty server of Oxigraph run for as long as it takes to ask it for the editor."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([command, "serve", "--bind", address], stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                return {name: (media, _fetch(address, name)) for name, media in EDITOR.items()}
            except (OSError, http.client.HTTPException) as error:
                if process.poll() is not None or time.monotonic() > end:
                    raise UsageError(f"{command}: does not serve its query page ({error})") from error
                time.sleep(0.05)
    finally:
        process.terminate()
        process.wait()


def _fetch(address: str, name: str) -> bytes:
    link = http.client.HTTPConnection(address, timeout=_PATIENCE)
    try:
        link.request("GET", f"/{name}")
        got = link.getresponse()
        if got.status != 200:
            raise http.client.HTTPException(f"{name}: {got.status}")
        return got.read()
    finally:
        link.close()


def render(dataset: Dataset, limits: Limits) -> str:
    """Return the page for a dataset."""
    page = files("pfocr_rdf.serve").joinpath("assets", "page.html").read_text(encoding="utf-8")
    return Template(page).substitute(
        name=html.escape((dataset.version and f"release {dataset.version}") or dataset.name),
        seconds=f"{limits.seconds:g}",
        rows=f"{limits.rows:,}",
        questions=_script(listed(questions.all_questions(), limits)),
    )


def listed(asked: Sequence[Question], limits: Limits) -> list[dict[str, Any]]:
    """Return the questions that this server answers, as the page's program reads them.

    A query is in pieces: text, and the names of parameters, whose terms stand beside it; with a `tail`, their number.
    """
    return [
        {
            "name": question.name,
            "title": question.title,
            "category": question.category,
            "description": question.description,
            "parameters": {name: " ".join(terms) for name, terms in question.parameters.items()},
            "lists": [name for name, terms in question.parameters.items() if len(terms) > 1],
            "query": [part if isinstance(part, str) else _slot(part) for part in question.pieces()],
        }
        for question in asked
        if set(question.services) <= set(limits.services)
    ]


def _slot(slot: Slot) -> dict[str, str]:
    return {"parameter": slot.parameter} | ({} if slot.tail is None else {"tail": slot.tail})


def _script(value: Any) -> str:
    """Return JSON that can stand in a `script` element."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
