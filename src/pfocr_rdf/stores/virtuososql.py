"""SQL for Virtuoso, through its client `isql`: what SPARQL cannot say there.

The client ends with 0 whatever happens, so what it prints is looked at. It takes the password as an argument, so
whoever may list the processes of this machine can see it for as long as a statement runs.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import http, programs
from pfocr_rdf.stores.contract import StoreError, StoreUnavailable
from pfocr_rdf.stores.http import PASSWORD, USER

SQL = "PFOCR_RDF_VIRTUOSO_SQL"
"""Environment variable with HOST:PORT of the SQL server of a Virtuoso."""

DBA = "dba"
"""User, and password of a new database."""

_PASSWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,:%+/~^-]{0,127}")
_HINT = f"{PASSWORD}: use letters, digits and _.,:%+/~^- for a password of Virtuoso; its client misreads others"
_ERROR = re.compile(r"\*\*\* Error (\S+): (.*)")


@dataclass(frozen=True, slots=True)
class Sql:
    """The SQL server of a Virtuoso, and who asks it."""

    place: str
    user: str
    password: str

    def run(self, *statements: str, seconds: float = 36_000) -> list[str]:
        """Run statements (without `;`) and return the lines of their rows, columns parted by blanks.

        Raises `StoreUnavailable` when the server cannot be reached, `StoreError` for what it refuses.
        """
        if _PASSWORD.fullmatch(self.password) is None:
            raise UsageError(f"{self.place}: {_HINT}")
        # Its variables are written with a dollar, and a line that ends in a semicolon ends a statement.
        script = "".join(f"{statement};\n" for statement in ("SET MACRO_SUBSTITUTION OFF", *statements))
        options = ["VERBOSE=OFF", "BANNER=OFF", "PROMPT=OFF", "ERRORS=STDOUT", "BLOBS=ON"]
        command = [str(programs.isql()), self.place, self.user, self.password, *options]
        try:
            done = subprocess.run(
                command, input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
            )
        except subprocess.TimeoutExpired as error:
            raise StoreUnavailable(f"{self.place}: Virtuoso did not answer in time") from error
        said = done.stdout.decode("utf-8", "replace")
        if found := _ERROR.search(said):
            raise self._failed(found[1], said[found.start() :])
        if done.returncode != 0:
            raise self._failed("", said)
        return [line.strip() for line in said.splitlines() if line.strip()]

    def _failed(self, state: str, said: str) -> StoreError:
        told = said
        for secret in sorted({self.password, os.environ.get(PASSWORD) or self.password}, key=len, reverse=True):
            told = told.replace(secret, "...")
        told = " ".join(told.split())[:300]
        if state in ("S2801", "08S01", "08004", "08001"):
            return StoreUnavailable(f"{self.place}: the SQL server of Virtuoso cannot be reached ({told}); set {SQL}")
        if state in ("28000", "CL034") or "Bad login" in said:
            return StoreError(f"{self.place}: Virtuoso refuses the user {self.user}; set {USER} and {PASSWORD}")
        return StoreError(f"{self.place}: Virtuoso: {told}")


def text(value: str) -> str:
    """Return a literal of Virtuoso's SQL, in which a backslash begins an escape."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def login(address: str) -> tuple[str, str]:
    """Return user and password of the environment for a Virtuoso, else those of a new database."""
    return http.login(address) or (DBA, os.environ.get(PASSWORD) or DBA)


def check_password() -> None:
    """Raise `UsageError` when the password of the environment is one that Virtuoso's client could misread."""
    password = os.environ.get(PASSWORD, "")
    if password and _PASSWORD.fullmatch(password) is None:
        raise UsageError(_HINT)


def first_password(place: str) -> None:
    """Give the administrator of a new database the password of the environment, if there is one."""
    if password := os.environ.get(PASSWORD, ""):
        Sql(place, DBA, DBA).run(f"user_set_password ({text(DBA)}, {text(password)})")
