"""The web application: its addresses, headers and limits, and the server that runs it on 127.0.0.1."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from pfocr_rdf.errors import UsageError
from pfocr_rdf.serve import describe, page, protocol
from pfocr_rdf.serve.dataset import Dataset
from pfocr_rdf.serve.pool import Answer, Pool
from pfocr_rdf.serve.protocol import GRAPH_FORMATS, Asked, Refused
from pfocr_rdf.serve.served import ENDPOINT, Served, Server

CONNECTIONS = 200
"""So many connections at a time; more are told to come again."""

HEAD_BYTES = 64 * 1024
"""The largest head of a request, its address with it; a longer query is sent with POST."""

_BODY_SECONDS = 30.0
_PIECE = 1 << 18
_EVERYONE = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "PFOCR-Release",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Max-Age": "86400",
}


def application(served: Served) -> Starlette:
    """Return the application over a running server.

    Raises `UsageError` when the page lacks a file.
    """
    server, files = served.server, page.assets()

    async def sparql(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_EVERYONE | _PREFLIGHT)
        if request.method not in ("GET", "HEAD", "POST"):
            raise Refused(405, f"{request.method} is refused; this endpoint is read only")
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refused(415, "the body is compressed; send it as it is")
        body = await _body(request)
        header = request.headers.get("accept", "")
        kind = request.headers.get("content-type", "")
        asked = protocol.read(request.method, kind, request.scope["query_string"], body, header)
        if asked is None:
            return _description(request, served)
        return _send(await _unless_gone(request, served.pool, asked))

    async def void(request: Request) -> Response:
        turtle = describe.void(server.endpoint, served.dataset, server.limits)
        return _described(request, turtle, served.dataset)

    async def start(_: Request) -> Response:
        text = page.render(served.dataset, server.limits)
        return Response(text, headers={"Content-Security-Policy": page.POLICY}, media_type="text/html")

    async def health(_: Request) -> Response:
        dataset = served.dataset
        said = {"status": "ok", "version": dataset.version, "manifest": dataset.manifest}
        return Response(json.dumps(said) + "\n", headers=_named(dataset), media_type="application/json")

    def asset(media: str, content: bytes) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_: Request) -> Response:
            return Response(content, media_type=media, headers={"Cache-Control": "max-age=3600"})

        return answer

    return Starlette(
        routes=[
            Route("/", start),
            Route(ENDPOINT, sparql, methods=["GET", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]),
            Route("/.well-known/void", void),
            Route("/health", health),
            *(Route(f"/{name}", asset(*each)) for name, each in files.items()),
        ],
        exception_handlers={Refused: _refusal, ClientDisconnect: _nobody},
    )


async def _refusal(_: Request, error: Exception) -> Response:
    """Return what is said of a request that gets no answer."""
    status, message = (error.status, error.message) if isinstance(error, Refused) else (500, "something went wrong")
    headers = {405: {"Allow": "GET, HEAD, POST, OPTIONS"}, 503: {"Retry-After": "2"}}.get(status, {})
    return Response(f"{message}\n", status, _EVERYONE | headers, "text/plain")


async def _nobody(_: Request, _error: Exception) -> Response:
    """Return what is said to a client that has gone."""
    return Response(status_code=499)


async def _body(request: Request) -> bytes:
    """Return the body of a request, if it is not too large and comes in time."""
    body = b""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > protocol.REQUEST_BYTES:
                    raise Refused(413, f"the request is larger than {protocol.REQUEST_BYTES >> 20} MiB")
    except TimeoutError:
        raise Refused(408, "the request did not come to its end") from None
    return body


async def _unless_gone(request: Request, pool: Pool, asked: Asked) -> Answer:
    """Return the answer to a query, which is given up when the client goes away.

    Raises `Refused`, and `ClientDisconnect` when nobody waits for the answer.
    """
    answering = asyncio.create_task(pool.ask(asked))
    going = asyncio.ensure_future(request.receive())  # the body is read, so what comes now is that the client goes
    try:
        await asyncio.wait((answering, going), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientDisconnect
        return answering.result()
    finally:
        for task in (answering, going):
            task.cancel()
        await asyncio.gather(answering, going, return_exceptions=True)


def _send(answer: Answer) -> Response:
    headers = _named(answer.dataset) | {"Content-Length": str(answer.size)}
    return StreamingResponse(_pieces(answer.file), headers=headers, media_type=answer.media)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _description(request: Request, served: Served) -> Response:
    """Return the service description; a browser is led to the page."""
    if protocol.accepted(request.headers.get("accept", ""), [*GRAPH_FORMATS, "text/html"]) == "text/html":
        return RedirectResponse("./", 303, _EVERYONE)
    turtle = describe.service(served.server.endpoint, served.dataset, served.server.limits)
    return _described(request, turtle, served.dataset)


def _described(request: Request, turtle: str, dataset: Dataset) -> Response:
    """Return a description in the form that a client likes best; Turtle when it likes none."""
    try:
        media = protocol.accepted(request.headers.get("accept", ""), list(GRAPH_FORMATS))
    except Refused:
        media = "text/turtle"
    return Response(describe.in_format(turtle, media), headers=_named(dataset), media_type=media)


def _named(dataset: Dataset) -> dict[str, str]:
    return _EVERYONE | {"PFOCR-Release": dataset.name, "Cache-Control": "no-cache"}


def run(server: Server, port: int, folder: Path, ready: Callable[[], None]) -> None:
    """Serve on 127.0.0.1 until a signal ends it; `ready` is called when the first query can be asked.

    Raises `UsageError` when the port is not free or the place cannot be served.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); give another with --port"
        ) from error
    served = Served(server, folder)
    config = uvicorn.Config(
        application(served),
        http="h11",
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=int(server.limits.seconds) + 1,
    )
    asyncio.run(_serve(served, _Web(config), listening, ready))


class _Web(uvicorn.Server):
    """A server that leaves signals to who runs it, so that what is begun is also ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def _serve(served: Served, web: _Web, listening: socket.socket, ready: Callable[[], None]) -> None:
    loop, starting = asyncio.get_running_loop(), asyncio.create_task(served.start())

    def stop(number: int) -> None:
        web.handle_exit(number, None)
        starting.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    with suppress(asyncio.CancelledError):
        await starting
    watching = asyncio.create_task(served.watch())
    try:
        if not web.should_exit:
            ready()
            await web.serve([listening])
    finally:
        watching.cancel()
        await served.pool.close()
