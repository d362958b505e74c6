"""The usual front matter, read by its form alone: the lines that the source's writer makes, and nothing else.

A program wrote nearly all records, in one layout of block YAML: simple keys, scalars that are plain or quoted and
folded with an indent of two, lists of scalars, lists of flat maps, maps within maps. What those lines mean is
certain without a YAML parser, so they are matched by patterns, many times faster. Whatever does not match (odd
indents, comments, tabs, escapes, anchors, flow collections, empty values, repeated keys, control characters, odd
line breaks) is no document of this form, and the parser's events decide (`extract.front_matter`).
"""

from __future__ import annotations

import re
from typing import Any

from pfocr_rdf import native

DEEPEST = 5
"""No document of this form nests deeper: map, map, map, list, map."""

LARGEST = 256 * 1024
"""Characters; patterns hold their way back in memory, about a hundred times a hostile text of many short lines."""

# Characters of a line: `_is_odd` has found no control, tab or other line end in the text.
_ANY = r"."
_SOLID = r"[^ \n]"
_KEY = r"(?:[A-Za-z_][A-Za-z0-9_-]{0,99}|'[^'\n]{1,99}')"
_C0 = bytes(code for code in (*range(0x20), 0x7F) if code != 0x0A)
_C1 = re.compile(r"[\x80-\x9f]")
_NO_START = frozenset(" -?:,[]{}#&*!|>'\"%@`")
"""What begins no plain scalar, or not always."""


def _scalar(indent: int) -> str:
    """The pattern of a scalar's lines: those after the first are indented by so many blanks, neither more nor less."""
    return rf"{_ANY}*{_SOLID}(?:\n {{{indent}}}{_SOLID}(?:{_ANY}*{_SOLID})?)*"


def _entry(indent: int) -> re.Pattern[str]:
    """The pattern of a map's entry at an indent.

    Groups: key; scalar on its line; else the lines of a list of maps, or of a list of scalars, or of a map; and, where
    no entry stands, all the rest.
    """
    margin = " " * indent
    maps = rf"(?={margin}- {_KEY}: )((?:{margin}[- ] {_ANY}+\n)+)"
    lists = "|".join(rf"(?:{margin}{deeper}- {_scalar(indent + len(deeper) + 2)}\n)+" for deeper in ("", "  "))
    inner = rf"((?:{margin}  {_ANY}+\n)+)"
    return re.compile(rf"{margin}({_KEY}):(?: ({_scalar(indent + 2)})\n|\n(?:{maps}|({lists})|{inner}))|([\s\S]+)")


_ENTRIES = {indent: _entry(indent) for indent in (0, 2, 4)}

# A line of a list of maps: dash, key and scalar; and, where there is none, all the rest.
_ROWS = {
    indent: re.compile(rf" {{{indent}}}(- |  )({_KEY}): ({_scalar(indent + 4)})\n|([\s\S]+)") for indent in _ENTRIES
}


class _OtherForm(Exception):
    """The document is none of this form."""


def read_by_patterns(source: str) -> tuple[dict[str, Any], dict[str, int], dict[str, list[int]]] | None:
    """Read the lines between the dashes: the fields, the line of each, and the lines of each list's items.

    The lines are those of the file, where the dashes are the first. Returns None for any document that is not surely
    of the usual form; one that it reads, YAML reads the same.
    """
    text = source.rstrip("\n") + "\n"
    if len(text) > LARGEST or _is_odd(text):
        return None
    lines: dict[str, int] = {}
    items: dict[str, list[int]] = {}
    try:
        return _read_map(text, 0, lines, items), lines, items
    except _OtherForm:
        return None


read = native.fastest("read_plain_yaml", read_by_patterns)
"""See `read_by_patterns`."""


def _read_map(text: str, indent: int, lines: dict[str, int], items: dict[str, list[int]]) -> dict[str, Any]:
    """The map whose entries, at that indent, are the whole text; the lines of its keys and items if it is the first."""
    pattern = _ENTRIES.get(indent)
    if pattern is None:
        raise _OtherForm
    found: dict[str, Any] = {}
    line = 2
    for key, scalar, maps, block, inner, rest in pattern.findall(text):
        if rest:
            raise _OtherForm
        if key[0] == "'":
            key = key[1:-1]
        if key in found:
            raise _OtherForm
        lines[key] = line
        line += 1
        if scalar:
            if scalar[0] in _NO_START or ":" in scalar or "#" in scalar or "\n" in scalar:
                found[key] = _read_scalar(scalar, indent + 2)
                line += scalar.count("\n")
            else:
                found[key] = scalar
        elif inner:
            found[key] = _read_map(inner, indent + 2, {}, {})
            line += inner.count("\n")
        else:
            found[key] = _read_list(block, indent) if block else _read_maps(maps, indent)
            items[key] = _item_lines(block or maps, line, len(found[key]))
            line += (block or maps).count("\n")
    return found


def _item_lines(block: str, line: int, size: int) -> list[int]:
    """The lines where the items of a list begin: those that begin as the first does, since all others are deeper."""
    lines = block.split("\n")
    if len(lines) == size + 1:
        return [*range(line, line + size)]
    mark = block[: block.index("-") + 2]
    return [number for number, text in enumerate(lines, line) if text.startswith(mark)]


def _is_odd(text: str) -> bool:
    """Whether there is a control (also a tab), or another character that YAML or the data model treats apart."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:  # a surrogate
        return True
    if len(data.translate(None, _C0)) < len(data):
        return True
    if text.isascii():
        return False
    if b"\xc2" in data and _C1.search(text):  # the first byte of U+0080 to U+00BF
        return True
    return any(odd in text for odd in "\u2028\u2029\ufeff\ufffe\uffff")


def _read_scalar(scalar: str, indent: int) -> Any:
    """The text of a scalar whose further lines are indented by so many blanks, or the list for `[]`.

    Raises `_OtherForm` for what is not surely plain, or quoted with nothing escaped but quotes.
    """
    first = scalar[0]
    if first not in _NO_START:
        if ":" in scalar and (": " in scalar or ":\n" in scalar or scalar[-1] == ":"):
            raise _OtherForm
        if "#" in scalar and " #" in scalar:
            raise _OtherForm
    elif first == "'":
        scalar = scalar[1:-1] if len(scalar) > 1 and scalar[-1] == "'" else "'"
        if "'" in scalar:
            if "'" in scalar.replace("''", ""):
                raise _OtherForm
            scalar = scalar.replace("''", "'")
    elif first == '"':
        scalar = scalar[1:-1] if len(scalar) > 1 and scalar[-1] == '"' else '"'
        if '"' in scalar or "\\" in scalar:
            raise _OtherForm
    elif scalar == "[]":
        return []
    else:
        raise _OtherForm
    return scalar.replace("\n" + " " * indent, " ") if "\n" in scalar else scalar


def _read_list(block: str, indent: int) -> list[Any]:
    """The items of a list of scalars that belongs to a key at that indent."""
    if block[indent] == " ":
        indent += 2
    margin = " " * indent
    parts = block[indent + 2 : -1].split(f"\n{margin}- ")
    if f"\n{margin}  " in block or ":" in block or "#" in block or not _NO_START.isdisjoint([x[0] for x in parts]):
        return [_read_text(part, indent + 2) for part in parts]
    return parts


def _read_text(scalar: str, indent: int) -> str:
    """A scalar that is an item of a list, where no list may be."""
    if scalar == "[]":
        raise _OtherForm
    text: str = _read_scalar(scalar, indent)
    return text


def _read_maps(block: str, indent: int) -> list[dict[str, Any]]:
    """The maps of a list whose dashes are at that indent."""
    found: list[dict[str, Any]] = []
    item: dict[str, Any] = {}
    for dash, key, scalar, rest in _ROWS[indent].findall(block):
        if rest:
            raise _OtherForm
        if dash == "- ":
            item = {}
            found.append(item)
        if key[0] == "'":
            key = key[1:-1]
        if key in item:
            raise _OtherForm
        if scalar[0] in _NO_START or ":" in scalar or "#" in scalar or "\n" in scalar:
            scalar = _read_scalar(scalar, indent + 4)
        item[key] = scalar
    return found
