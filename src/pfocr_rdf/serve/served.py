"""A running server: its processes, and the watch that sees when another dataset lies in its place."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from pfocr_rdf.errors import PfocrError, UsageError
from pfocr_rdf.serve.dataset import Dataset, Sight, is_large, look, prepare
from pfocr_rdf.serve.pool import Limits, Pool
from pfocr_rdf.serve.protocol import Refused

log = logging.getLogger("pfocr_rdf")

ENDPOINT = "/sparql"
LOOK_EVERY = 1.0
"""Seconds between two looks at the place."""

_AGAIN = 30
"""After so many looks what could not be served is tried again."""


@dataclass(frozen=True, slots=True)
class Server:
    """What is served from where, under which address the world sees it, and within which limits."""

    place: Path
    url: str
    limits: Limits

    @property
    def endpoint(self) -> str:
        """The address of the SPARQL endpoint."""
        return self.url.rstrip("/") + ENDPOINT


class Served:
    """The running server: its processes, and what lies in its place."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.pool = Pool(server.limits, folder)
        self.pool.gone = self.refresh
        self._failed: Sight | None = None
        self._looks = 0
        self._complaint = ""
        self._one = asyncio.Lock()

    @property
    def dataset(self) -> Dataset:
        """What is served now."""
        if self.pool.current is None:
            raise Refused(503, "nothing is served yet")
        return self.pool.current

    async def start(self) -> None:
        """Serve what lies in the place. Raises `UsageError` when it cannot be served."""
        await self.pool.switch(await self._prepared(look(self.server.place)))

    async def watch(self) -> None:
        """Look at the place until this is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.refresh()
            except Exception:  # whatever it was: what is served is served on
                log.exception("looking at %s failed", self.server.place)

    async def refresh(self) -> None:
        """Serve what lies in the place now, if it is another thing and can be served; else serve on what is."""
        async with self._one:
            sight = None
            try:
                sight = look(self.server.place)
                if sight == self.dataset.sight or not self._due(sight):
                    return
                await self.pool.switch(await self._prepared(sight))
            except (PfocrError, OSError, RuntimeError, ValueError) as error:
                if sight is None or sight == self._seen():  # else it has moved on meanwhile
                    self._fail(sight, " ".join(str(error).split()))
            else:
                self._failed, self._complaint = None, ""
                log.warning("serving %s", self.dataset.name)

    def _seen(self) -> Sight | None:
        """Return what lies in the place, or None when it is nothing that can be served."""
        try:
            return look(self.server.place)
        except UsageError:
            return None

    def _due(self, sight: Sight) -> bool:
        """Return whether to try a sight; one that failed is tried again only now and then."""
        self._looks += 1
        return sight != self._failed or self._looks % _AGAIN == 0

    def _fail(self, sight: Sight | None, message: str) -> None:
        """Note what failed, and say it once."""
        if message != self._complaint:
            log.warning("%s; %s is served on", message, self.dataset.name)
        self._failed, self._looks, self._complaint = sight, 0, message

    async def _prepared(self, sight: Sight) -> Dataset:
        """Open what lies in the place; a large release is loaded by another process first."""
        if await asyncio.to_thread(is_large, sight):
            command = (sys.executable, "-P", "-m", "pfocr_rdf.serve.dataset", str(sight.folder))
            process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            try:
                _, said = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
            if process.returncode:
                lines = said.decode("utf-8", "replace").strip().splitlines() or ["it cannot be loaded"]
                raise UsageError(lines[-1])
        return await asyncio.to_thread(prepare, sight)
