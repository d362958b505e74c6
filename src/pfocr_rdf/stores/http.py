"""Requests to a store over HTTP: credentials from the environment, patience, retries where they can help.

The only place with httpx. A message of an error holds the address without user, password and query.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from urllib.parse import urlencode, urlsplit

import httpx
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, stop_after_delay, wait_random_exponential

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores.contract import StoreError, StoreUnavailable

USER, PASSWORD = "PFOCR_RDF_STORE_USER", "PFOCR_RDF_STORE_PASSWORD"
"""Environment variables with the credentials of a store; an address with credentials in it is refused."""

STORES = "PFOCR_RDF_STORES__"
"""Begins those of one store among several: PFOCR_RDF_STORES__NAME__URL, ..._USER and ..._PASSWORD."""

PATIENCE = 60.0
"""Seconds for which a request that may be sent again is tried again while the store cannot be reached."""

ANSWER = 3_600.0
"""Seconds that a store may take to answer a request that loads or changes much."""

RESULTS = "application/sparql-results+json"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}

_KIND = re.compile(r"^[a-z]+:(?=https?://)")
"""What may stand before an address to say which kind of store it is."""

_BUSY = frozenset({429, 502, 503, 504})
_LOG = logging.getLogger(__name__)

Body = bytes | Callable[[], Iterator[bytes]]
"""The body of a request: bytes, or what makes its pieces anew for each attempt."""


@dataclass(frozen=True, slots=True)
class Http:
    """The requests to one store, at an address that was checked."""

    client: httpx.Client
    url: str
    patience: float = PATIENCE

    @property
    def address(self) -> str:
        """The address for people; see `shown`."""
        return shown(self.url)

    def send(
        self,
        method: str,
        url: str,
        body: Body = b"",
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        again: bool = True,
        seconds: float = ANSWER,
        allow: frozenset[int] = frozenset(),
    ) -> httpx.Response:
        """Send a request and return the whole answer, of status 2xx or one of `allow`.

        `again` is whether the request may be sent again when the store does not answer: not for what may have been done
        in part. Raises `StoreUnavailable` or `StoreError`.
        """

        def once() -> httpx.Response:
            with self._errors():
                content = _begun(body()) if callable(body) else body
                timeout = httpx.Timeout(seconds, connect=10.0)
                place = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url  # a key stays
                got = self.client.request(
                    method, place, content=content or None, headers=dict(headers or {}), timeout=timeout
                )
            if got.is_success or got.status_code in allow:
                return got
            raise self._refused(got)

        if not again:
            return once()
        tries = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.2, max=10.0),
            stop=stop_after_delay(self.patience),
            before_sleep=before_sleep_log(_LOG, logging.INFO),
            reraise=True,
        )
        return tries(once)

    def ask(
        self,
        url: str,
        query: str,
        seconds: float | None = None,
        *,
        accept: str = RESULTS,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        grace: float = 0.0,
    ) -> httpx.Response:
        """Send a SPARQL query as a form, which every endpoint takes, and return the whole answer.

        One with a limit of time is sent once; a server that knows the limit is waited for some `grace` longer. Raises
        as `send` does.
        """
        return self.send(
            "POST",
            url,
            urlencode({"query": query, **(fields or {})}).encode(),
            {**FORM, "Accept": accept, **(headers or {})},
            params=params,
            again=seconds is None,
            seconds=ANSWER if seconds is None else seconds + grace,
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise StoreUnavailable(f"{self.address}: did not answer in time; is it busy, or stopped?") from error
        except httpx.UnsupportedProtocol as error:
            raise UsageError(f"{self.address}: is no address of a store; give one with http:// or https://") from error
        except httpx.ConnectError as error:
            raise StoreUnavailable(f"{self.address}: cannot be reached ({error}); is the store running?") from error
        except httpx.TransportError as error:
            raise StoreUnavailable(f"{self.address}: the connection was cut ({type(error).__name__})") from error

    def _refused(self, got: httpx.Response) -> StoreError:
        said = " ".join(got.text.split())[:300]
        code = got.status_code
        if code in (401, 403):
            return StoreError(f"{self.address}: refused (HTTP {code}); set {USER} and {PASSWORD} to who may do this")
        if code == 404:
            return StoreError(f"{self.address}: there is nothing at {got.url.path} (HTTP 404); see its documentation")
        kind = StoreUnavailable if code in _BUSY else StoreError
        return kind(f"{self.address}: HTTP {code}: {said}")


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same pieces, of which the first is made: a server that got headers alone may take that for all."""
    return chain([next(pieces, b"")], pieces)


@contextmanager
def opened(address: str, auth: httpx.Auth | None = None, patience: float = PATIENCE) -> Iterator[Http]:
    """Yield the requests to the store at an address.

    Raises `UsageError` for an address with user or password in it, or that is none of http and https.
    """
    checked(address)
    with httpx.Client(auth=auth or credentials(address), follow_redirects=False) as client:
        yield Http(client, address, patience)


def checked(address: str) -> str:
    """Return an address as it is.

    Raises `UsageError` for one with user or password in it, that cannot be read, or that is none of http and https.
    """
    try:
        place = urlsplit(address)
        _ = place.port, httpx.URL(address)
    except (ValueError, httpx.InvalidURL):  # which may quote a part of a password
        raise UsageError("this address cannot be read; give one such as http://localhost:3030/pfocr") from None
    if place.username or place.password:
        raise UsageError(f"{place.hostname}: put no user and password into the address; set {USER} and {PASSWORD}")
    if place.scheme not in ("http", "https") or not place.hostname:
        told = "this" if "@" in address else f"{shown(address)}:"  # before '@' may stand a password
        raise UsageError(f"{told} is no address of a store; give one with http:// or https://")
    return address


def shown(address: str) -> str:
    """Return an address for people: without what follows '?' or '#', where some stores want a key."""
    return re.split("[?#]", address, maxsplit=1)[0]


def digest(user: str, password: str) -> httpx.Auth:
    """Return Digest authentication, which Virtuoso asks for; bodies must be bytes, since the first one is refused."""
    return httpx.DigestAuth(user, password)


def anonymous() -> httpx.Auth:
    """Return what sends no user and no password, whatever the environment says."""
    return httpx.Auth()


def credentials(address: str = "") -> httpx.Auth | None:
    """Return user and password of the environment for Basic authentication, or None."""
    found = login(address)
    return httpx.BasicAuth(*found) if found else None


def login(address: str = "") -> tuple[str, str] | None:
    """Return user and password for the store at an address: its own of `STORES`, else `USER` and `PASSWORD`, or None.

    A store's own are those whose URL (after its kind) is the address or a folder above it; the longest such URL wins.
    A store that is named without a user gets none: what is meant for others is not sent to it.
    """
    named = {
        _KIND.sub("", url).rstrip("/"): name.removesuffix("__URL")
        for name, url in os.environ.items()
        if name.startswith(STORES) and name.endswith("__URL") and url
    }
    address = _KIND.sub("", address)
    above = [url for url in named if address.rstrip("/") == url or address.startswith(f"{url}/")]
    if above:
        name = named[max(above, key=len)]
        user, password = os.environ.get(f"{name}__USER", ""), os.environ.get(f"{name}__PASSWORD", "")
    else:
        user, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
    return (user, password) if user else None
