"""YAML front matter to strings, lists and maps, with the line of each field.

Every scalar stays the text that stood there: no booleans, numbers, dates or nulls. The reader works on the
parser's events with bounds on depth and size, so that no document can exhaust stack, time or memory, and it
refuses anchors, aliases and repeated keys, which would lose or multiply data silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from pfocr_rdf.extract.text import clean
from pfocr_rdf.settings import Limits

try:
    from yaml import CBaseLoader as _Loader
except ImportError:  # PyYAML without libyaml: slower, the same events
    from yaml import BaseLoader as _Loader  # type: ignore[assignment]

Value = str | list[Any] | dict[str, Any]
"""What a field may hold: text, a list or a map of the same."""

RAW_LISTS = ("organisms", "organisms_ner")
"""Lists whose items the source's writer prints without any quoting (source format, reading rule 1)."""

_PLAIN_SAFE = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`](?:(?!: | #|:$)[^\t])*")
_ITEM = re.compile(r"( *)- (.*)")
_CLOSE = re.compile(r"(?:---|\.\.\.)\s*")


class FrontMatterError(ValueError):
    """The front matter cannot be read: a code of `errors.REJECTIONS`, the line and what was met."""

    def __init__(self, code: str, line: int, value: str) -> None:
        """Keep the parts as data."""
        super().__init__(code, line, value)
        self.code, self.line, self.value = code, line, value


@dataclass(slots=True)
class FrontMatter:
    """The fields of one document.

    `lines` gives where each top-level key stands in the file, `item_lines` where each item of its list does.
    """

    fields: dict[str, Value]
    lines: dict[str, int]
    item_lines: dict[str, list[int]]
    requoted: list[tuple[int, str]] = field(default_factory=list)
    body: tuple[int, str] | None = None
    cleaned: bool = False


def split(text: str) -> tuple[list[str], tuple[int, str] | None]:
    """Split a record into the lines of its front matter and what follows it (line and text), if anything.

    Raises `FrontMatterError` `no-front-matter` when one of the two dashed lines is missing.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise FrontMatterError("no-front-matter", 1, lines[0])
    for number, line in enumerate(lines[1:], 1):
        if line.startswith(("---", "...")) and _CLOSE.fullmatch(line):
            body = "\n".join(lines[number + 1 :])
            return lines[1:number], (number + 2, body.strip()) if body.strip() else None
    raise FrontMatterError("no-front-matter", len(lines), lines[-1])


def requote(lines: list[str]) -> list[tuple[int, str]]:
    """Quote, in place, the raw list items that YAML would misread; return line (in the file) and name.

    Only one-line items under the keys of `RAW_LISTS` are touched, and none that is quoted already.
    """
    done: list[tuple[int, str]] = []
    inside = False
    for index, line in enumerate(lines):
        if not inside or not line.startswith(("-", " ")):
            inside = line.rstrip() in [f"{key}:" for key in RAW_LISTS]
            continue
        match = _ITEM.fullmatch(line)
        if match is None or (index + 1 < len(lines) and lines[index + 1].startswith((match[1] + " ",))):
            continue
        name = match[2].strip()
        if not name or _PLAIN_SAFE.fullmatch(name) or _is_quoted(name):
            continue
        lines[index] = f"{match[1]}- '{name.replace(chr(39), chr(39) * 2)}'"
        done.append((index + 2, name))
    return done


def _is_quoted(name: str) -> bool:
    return len(name) > 1 and name[0] == name[-1] and name[0] in "'\""


def parse(text: str, limits: Limits) -> FrontMatter:
    """Read a record's text (as `text.decode` gives it).

    Raises `FrontMatterError` for what cannot be read; the code says why.
    """
    lines, body = split(text)
    requoted = requote(lines)
    source = "\n".join(lines)
    if source.count("[") + source.count("{") > limits.yaml_brackets:
        raise FrontMatterError("too-complex", 0, "brackets")
    try:
        fields, key_lines, item_lines, cleaned = _build(source, limits.yaml_depth)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        raise FrontMatterError("unreadable-yaml", mark.line + 2 if mark else 0, said) from error
    except yaml.YAMLError as error:
        raise FrontMatterError("unreadable-yaml", 0, " ".join(str(error).split())) from error
    return FrontMatter(fields, key_lines, item_lines, requoted, body, cleaned)


def _build(source: str, depth: int) -> tuple[dict[str, Value], dict[str, int], dict[str, list[int]], bool]:
    loader = _Loader(source)
    stack: list[Any] = []
    keys: list[str | None] = []
    lines: dict[str, int] = {}
    items: dict[str, list[int]] = {}
    root: Any = None
    cleaned = False

    top = ""

    def place(value: Any, line: int) -> None:
        nonlocal root, top
        if not stack:
            root = value
        elif isinstance(stack[-1], list):
            stack[-1].append(value)
            if len(stack) == 2:
                items.setdefault(top, []).append(line)
        elif keys[-1] is None:
            if not isinstance(value, str):
                raise FrontMatterError("unreadable-yaml", line, "a key that is no text")
            if value in stack[-1]:
                raise FrontMatterError("duplicate-key", line, value)
            keys[-1] = value
            if len(stack) == 1:
                lines[value] = line
                top = value
        else:
            stack[-1][keys[-1]] = value
            keys[-1] = None

    try:
        documents = 0
        while True:
            event = loader.get_event()
            if event is None or isinstance(event, yaml.StreamEndEvent):
                break
            line = event.start_mark.line + 2 if event.start_mark else 0
            if isinstance(event, yaml.ScalarEvent):
                value, removed = clean(event.value)
                cleaned |= removed
                if event.anchor:
                    raise FrontMatterError("yaml-alias", line, event.anchor)
                place(value, line)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if event.anchor:
                    raise FrontMatterError("yaml-alias", line, event.anchor)
                if len(stack) >= depth:
                    raise FrontMatterError("too-complex", line, "nesting")
                container: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                place(container, line)
                stack.append(container)
                keys.append(None)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
                keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                raise FrontMatterError("yaml-alias", line, str(event.anchor))
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise FrontMatterError("unreadable-yaml", line, "a second document")
    finally:
        loader.dispose()
    if not isinstance(root, dict):
        raise FrontMatterError("unreadable-yaml", 2, "the front matter is no list of fields")
    return root, lines, items, cleaned
