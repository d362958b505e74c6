"""Reading of source files: text, front matter, tables. Nothing is judged here but whether it can be read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

Value = str | list[Any] | dict[str, Any]
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"")
SPELLED = ("", ".na.character")
MISSING = (*SPELLED, "null", "NA", "nan", "-", "noIdentifier", "unknown")


class Unreadable(Exception):
    """A file that cannot be read as what it should be."""


@dataclass
class Item:
    """One entry of an inline list of 2021, with the lines it covers."""

    cells: dict[str, str]
    first: int
    last: int


@dataclass
class Front:
    """The front matter of a record or page: every scalar a string, keys in order."""

    values: dict[str, Value]
    items: dict[str, list[Item]] = field(default_factory=dict)

    def scalar(self, key: str) -> str | None:
        """A value, or None for every spelling of missing (source format, 5)."""
        value = self.values.get(key)
        if not isinstance(value, str) or value.strip() in MISSING:
            return None
        return value

    def strings(self, key: str, missing: tuple[str, ...] = MISSING) -> list[str]:
        """A scalar or a list as a list of strings, repeats and missing ones left out."""
        value = self.values.get(key)
        found = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(v for v in found if isinstance(v, str) and v.strip() not in missing))


@dataclass
class Line:
    """A row of a table: its number in the file and its cells by column, or None if it does not fit the header."""

    number: int
    cells: dict[str, str] | None


def read_text(path: Path) -> str:
    """UTF-8 without byte order mark, LF, without the controls that XML forbids (the model, a.2b)."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(str(error)) from error
    return FORBIDDEN.sub("", content.replace("\r\n", "\n").replace("\r", "\n"))


def quote_names(lines: list[str]) -> list[str]:
    """Organism names stand raw in the source (source format, 7.1): put each in quotes, keep the number of lines."""
    result: list[str] = []
    inside = False
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line and not line[0].isspace() and not line.startswith("-"):
            inside = re.fullmatch(r"organisms(_ner)?:\s*", line) is not None
        found = re.fullmatch(r"(\s*-)\s+(\S.*)", line) if inside else None
        if found is None:
            result.append(line)
            continue
        name, blank = found[2].rstrip(), 0
        while at < len(lines) and re.match(r"\s+(?!- )\S", lines[at]):
            name += " " + lines[at].strip()
            at, blank = at + 1, blank + 1
        if not QUOTED.fullmatch(name):
            name = "'" + name.replace("'", "''") + "'"
        result += [f"{found[1]} {name}", *[""] * blank]
    return result


def build(node: Any) -> Value:
    """A YAML node as strings, lists and maps; no scalar is ever guessed to be anything but text."""
    if isinstance(node, ScalarNode):
        return str(node.value)
    if isinstance(node, SequenceNode):
        return [build(child) for child in node.value]
    if isinstance(node, MappingNode):
        return {str(key.value): build(value) for key, value in node.value}
    raise Unreadable(f"unexpected YAML node {node!r}")


def read_front(content: str) -> Front:
    """The YAML between the two lines of dashes."""
    lines = content.split("\n")
    if lines[0].rstrip() != "---":
        raise Unreadable("no front matter")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise Unreadable("front matter does not end")
    document = "\n".join(quote_names(lines[:end])) + "\n"
    try:
        if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(document)):
            raise Unreadable("an alias")
        root = YAML(typ="safe", pure=True).compose(document)
    except Exception as error:
        raise Unreadable(str(error)) from error
    if not isinstance(root, MappingNode):
        raise Unreadable("front matter is no map")
    front = Front({})
    for key, node in root.value:
        name = str(key.value)
        if name in front.values:
            raise Unreadable(f"key {name} twice")
        front.values[name] = build(node)
        if name in ("genes", "chemicals", "diseases") and isinstance(node, SequenceNode):
            front.items[name] = [
                Item(
                    {str(k.value): str(v.value) for k, v in child.value} if isinstance(child, MappingNode) else {},
                    child.start_mark.line + 1,
                    child.end_mark.line + 1,
                )
                for child in node.value
            ]
    return front


def read_lines(content: bytes) -> Iterator[tuple[int, str | None]]:
    """The lines that are not empty with their numbers; None for a line that is not UTF-8."""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            if text := FORBIDDEN.sub("", line.decode("utf-8")):
                yield number, text
        except UnicodeDecodeError:
            yield number, None


def read_table(content: bytes) -> Iterator[Line]:
    """The rows of a table, split at tabs: no quote character, no guess at missing values (source format, 7.2).

    A row that is not UTF-8 does not fit; the others are read.
    """
    csv.field_size_limit(1 << 30)
    header: list[str] | None = None
    for number, line in read_lines(content):
        cells = [] if line is None else next(csv.reader([line], delimiter="\t", quoting=csv.QUOTE_NONE, strict=True))
        if header is None:
            header = cells
        elif len(cells) != len(header):
            yield Line(number, None)
        else:
            yield Line(number, dict(zip(header, cells, strict=True)))
