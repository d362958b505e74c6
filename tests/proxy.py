"""A proxy that cuts connections when a test says: before a request reaches the store, amid it, or before its answer."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

_PIECE = 1 << 16
_REQUEST = re.compile(rb"([A-Z]+) ([^ ?]*)[^ ]* HTTP/1\.1\r\n")


class Cut(Enum):
    """When a connection is cut."""

    BEFORE = "the request is not passed on"
    AMID = "a part of the request is passed on"
    ANSWER = "the answer is not passed on"


class Proxy:
    """Passes connections on to a server; the requests that change something are cut as `cuts` says, one by one."""

    def __init__(self, host: str, port: int) -> None:
        """Listen at a free port of 127.0.0.1, and pass on to a server."""
        self.target = (host, port)
        self.cuts: list[Cut] = []
        self.done: list[Cut] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        """Pass on what a client sends; each request is looked at, for connections are kept."""
        swallow = threading.Event()
        with client, suppress(OSError), socket.create_connection(self.target) as server:
            back = threading.Thread(target=_back, args=(server, client, swallow), daemon=True)
            back.start()
            while data := client.recv(_PIECE):
                cut = self._next(data)
                if cut is Cut.BEFORE:
                    break
                if cut is Cut.AMID:
                    server.sendall(data[: len(data) - 1])
                    break
                if cut is Cut.ANSWER:
                    swallow.set()
                server.sendall(data)
            for each in (server, client):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR if not swallow.is_set() else socket.SHUT_WR)
            back.join()

    def _next(self, data: bytes) -> Cut | None:
        """Return how the connection is to be cut, when a request begins here that changes something."""
        request = _REQUEST.match(data)
        if request is None or not self.cuts:
            return None
        method, path = request.groups()
        if method == b"GET" or path.endswith((b"/query", b"/ping")) or b"sparql-query" in data or b"query=" in data:
            return None
        self.done.append(self.cuts[0])
        return self.cuts.pop(0)


def _back(server: socket.socket, client: socket.socket, swallow: threading.Event) -> None:
    """Pass on what the server answers, or, when it is to be lost, cut the connection as soon as it answers."""
    with suppress(OSError):
        while data := server.recv(_PIECE):
            if swallow.is_set():
                break
            client.sendall(data)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """Run a proxy while the block lasts."""
    made = Proxy(host, port)
    try:
        yield made
    finally:
        made.close()
