"""From what the user gives, an address or a folder, to an opened store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pfocr_rdf.errors import UsageError
from pfocr_rdf.stores import blazegraph, fuseki, oxigraph, oxigraphdir, sparql, starting, tdb2, virtuoso
from pfocr_rdf.stores import http as requests
from pfocr_rdf.stores.contract import Kind, Store
from pfocr_rdf.stores.http import PATIENCE

Opener = Callable[..., AbstractContextManager[Store]]
"""Called with the address, and `update`, `graph_store` and `patience`."""


SERVED: dict[Kind, Opener] = {
    Kind.OXIGRAPH: oxigraph.opened,
    Kind.FUSEKI: fuseki.opened,
    Kind.BLAZEGRAPH: blazegraph.opened,
    Kind.VIRTUOSO: virtuoso.opened,
    Kind.SPARQL: sparql.opened,
}
"""How each kind of store is opened at an address."""

_ANY = frozenset(range(300, 600))


@contextmanager
def opened(
    to: str,
    *,
    kind: Kind | None = None,
    update: str = "",
    graph_store: str = "",
    jar: Path | None = None,
    patience: float = PATIENCE,
) -> Iterator[Store]:
    """Yield the store at an address or in a folder, which may begin with its kind (`fuseki:http://...`, `fuseki:DIR`).

    The server at an address is asked which kind it is, unless that is said. `jar` is Jena's, for folders of TDB2, or
    Blazegraph's, for its own.
    Raises `UsageError` when the kind is not known, or has no such thing as a folder.
    """
    kind, place = parted(to, kind)
    if is_address(place):
        if jar:
            raise UsageError(f"{requests.shown(place)}: is an address; --jar is for a folder of fuseki or blazegraph")
        for other in filter(None, (update, graph_store)):
            requests.checked(other)
        kind = kind or detected(place, patience)
        if kind is None:
            kinds = ", ".join(SERVED)
            told = requests.shown(place)
            raise UsageError(f"{told}: does not tell which kind of store it is; say so with --store ({kinds})")
        opener: AbstractContextManager[Store] = SERVED[kind](
            place, update=update, graph_store=graph_store, patience=patience
        )
    else:
        if update or graph_store:
            raise UsageError(f"{place}: is a folder; --update and --graph-store are for servers")
        opener = _folder(Path(place), kind, jar)
    with ExitStack() as stack:
        yield stack.enter_context(opener)


def parted(to: str, kind: Kind | None = None) -> tuple[Kind | None, str]:
    """Return the kind that an address begins with, or the given one, and the rest.

    Raises `UsageError` when the two differ, nothing is left, or the rest is an address that cannot be.
    """
    word, colon, rest = to.partition(":")
    named = Kind(word) if colon and word in set(Kind) else None
    place = rest if named else to
    told = requests.shown(requests.checked(place)) if is_address(place) else place
    if named and kind and named is not kind:
        raise UsageError(f"{told}: is said to be {named}, and by --store to be {kind}")
    if not place:
        raise UsageError("--to needs the address of a store or a folder")
    return named or kind, place


def is_address(place: str) -> bool:
    """Tell whether this is an address rather than a folder."""
    return "://" in place


def detected(address: str, patience: float = PATIENCE) -> Kind | None:
    """Ask a server which kind of store it is; None when it does not tell.

    Raises `StoreUnavailable` when it cannot be reached.
    """
    place = urlsplit(requests.checked(address))
    root = f"{place.scheme}://{place.netloc}"
    with requests.opened(address, patience=patience) as http:
        for url in (address, f"{root}/$/ping", f"{root}/"):
            got = http.send("GET", url, params={"query": "ASK {}"}, allow=_ANY, seconds=30.0)
            server = got.headers.get("Server", "").partition("/")[0].lower()
            if server in (Kind.OXIGRAPH, Kind.VIRTUOSO):
                return Kind(server)
            if "Fuseki-Request-Id" in got.headers:
                return Kind.FUSEKI
    if place.path.startswith(("/blazegraph", "/bigdata")):
        return Kind.BLAZEGRAPH
    return None


def _folder(place: Path, kind: Kind | None, jar: Path | None) -> AbstractContextManager[Store]:
    if kind is None:
        kind = Kind.FUSEKI if tdb2.holds(place) else Kind.OXIGRAPH
        if (place / starting.SETTINGS).exists():
            kind = Kind.BLAZEGRAPH
    if kind is Kind.OXIGRAPH:
        if jar:
            raise UsageError(f"{place}: is a folder of oxigraph; --jar is for one of fuseki or blazegraph")
        return oxigraphdir.opened(place)
    if kind is Kind.FUSEKI:
        return tdb2.opened(place, jar=jar)
    if kind is Kind.BLAZEGRAPH:
        return blazegraph.opened_folder(place, jar=jar)
    raise UsageError(
        f"{place}: a folder can be a database of oxigraph, fuseki or blazegraph; of {kind} give the server's address"
    )
