from collections.abc import Iterable, Mapping, Sequence
from typing import Any

REVISION: int

def read_plain_yaml(source: str, /) -> tuple[dict[str, Any], dict[str, int], dict[str, list[int]]] | None: ...
def columns(body: str, width: int, picks: tuple[int, ...], limit: int, /) -> tuple[list[str], ...] | None: ...
def group_rows(
    words: list[str],
    matches: list[str],
    sources: list[str],
    gene_ids: list[str],
    symbols: list[str],
    taxids: list[str],
    names: list[str] | None,
    groups: list[str] | None,
    lexicons: dict[str, Any],
    /,
) -> tuple[dict[tuple[str, ...], dict[str, str]], dict[str, dict[str, int]], int, int, int] | None: ...
def gene_levels(
    prefix: str, genes: dict[tuple[str, ...], dict[str, str]], lexicons: dict[str, Any], /
) -> dict[str, Any]: ...
def mention_keys(prefix: str, groups: Iterable[tuple[str, ...]], /) -> list[str]: ...
def gene_blocks(
    start: str,
    target: str,
    mentions: list[tuple[str, tuple[str, ...], dict[str, str]]],
    texts: tuple[str, ...],
    lexicons: Mapping[str, str],
    /,
) -> bytes: ...
def turtle_string(value: str, /) -> str: ...
def turtle_block(subject: str, pairs: Iterable[tuple[str, str]], /) -> str: ...
def link_blocks(start: str, links: dict[str, Any], levels: int, /) -> list[bytes]: ...
def section_line(
    base: str, placed: Sequence[tuple[str, Sequence[str]]], numbers: dict[str, int], said: list[int], /
) -> str: ...
def usual_files(
    place: str, before: str, suffixes: tuple[str, ...], newest: int, /
) -> tuple[list[str], list[str], int, list[str]]: ...
def lines_at(data: bytes, numbers: list[int], /) -> list[str]: ...
