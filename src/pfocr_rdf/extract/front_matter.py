"""YAML front matter to strings, lists and maps, with the line of each field.

Every scalar stays the text that stood there: no booleans, numbers, dates or nulls. The usual layout is read by
its form alone (`extract.plain_yaml`); for all else the reader works on the parser's events with bounds on depth
and size, so that no document can exhaust stack, time or memory, and it refuses anchors, aliases and repeated
keys, which would lose or multiply data silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from pfocr_rdf.extract import plain_yaml
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

_SIMPLE_ITEMS = r"(?:\n- [A-Za-z][A-Za-z0-9. ]*)+(?!\n[- ]|[^\n])"
_RAW_LIST = re.compile(rf"\n(?:{'|'.join(RAW_LISTS)}):[^\S\n]*(?!{_SIMPLE_ITEMS})((?:\n[- ][^\n]*)+)")
_PLAIN_SAFE = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^\t:#]*(?:(?::(?! |$)|(?<! )#)[^\t:#]*)*")
_ITEM = re.compile(r"( *)- (.*)")
_CLOSE = re.compile(r"\n(?:---|\.\.\.)[^\S\n]*(?![^\n])")


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


def split(text: str) -> tuple[str, tuple[int, str] | None]:
    """Split a record into its front matter and what follows it (line and text), if anything.

    Raises `FrontMatterError` `no-front-matter` when one of the two dashed lines is missing.
    """
    usual = text.startswith("---\n") and text.endswith("\n---\n") and text.find("\n---", 3) == len(text) - 5
    if usual and "\n..." not in text:
        return text[4:-5], None
    first = text.partition("\n")[0]
    if first.rstrip() != "---":
        raise FrontMatterError("no-front-matter", 1, first)
    close = _CLOSE.search(text)
    if close is None:
        raise FrontMatterError("no-front-matter", text.count("\n") + 1, text.rpartition("\n")[2])
    body = text[close.end() + 1 :].strip()
    line = text.count("\n", 0, close.end()) + 2 if body else 0
    return text[len(first) + 1 : close.start()], (line, body) if body else None


def requote(source: str) -> tuple[str, list[tuple[int, str]]]:
    """Quote the raw list items that YAML would misread; return the new text, and line (in the file) and name of each.

    Only one-line items under the keys of `RAW_LISTS` are touched, and none that is quoted already.
    """
    done: list[tuple[int, str]] = []

    def mend(block: re.Match[str]) -> str:
        lines = block[1].split("\n")
        first = block.string.count("\n", 0, block.start(1)) + 1
        for index, line in enumerate(lines):
            match = _ITEM.fullmatch(line)
            if match is None or (index + 1 < len(lines) and lines[index + 1].startswith((match[1] + " ",))):
                continue
            name = match[2].strip()
            if not name or _PLAIN_SAFE.fullmatch(name) or _is_quoted(name):
                continue
            lines[index] = f"{match[1]}- '{name.replace(chr(39), chr(39) * 2)}'"
            done.append((first + index, name))
        return block[0][: block.start(1) - block.start()] + "\n".join(lines)

    return _RAW_LIST.sub(mend, "\n" + source)[1:], done


def _is_quoted(name: str) -> bool:
    return len(name) > 1 and name[0] == name[-1] and name[0] in "'\""


def parse(text: str, limits: Limits) -> FrontMatter:
    """Read a record's text (as `text.decode` gives it).

    Raises `FrontMatterError` for what cannot be read; the code says why.
    """
    source, body = split(text)
    source, requoted = requote(source)
    if source.count("[") + source.count("{") > limits.yaml_brackets:
        raise FrontMatterError("too-complex", 0, "brackets")
    if limits.yaml_depth >= plain_yaml.DEEPEST and (usual := plain_yaml.read(source)) is not None:
        return FrontMatter(*usual, requoted, body)
    fields, lines, item_lines, cleaned = read_events(source, limits.yaml_depth)
    return FrontMatter(fields, lines, item_lines, requoted, body, cleaned)


def read_events(source: str, depth: int) -> tuple[dict[str, Value], dict[str, int], dict[str, list[int]], bool]:
    """Read any YAML between the dashes: the fields, their lines, those of list items, and whether it was cleaned.

    Raises `FrontMatterError` for what cannot be read, and for containers nested deeper than `depth`.
    """
    try:
        return _build(source, depth)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        raise FrontMatterError("unreadable-yaml", mark.line + 2 if mark else 0, said) from error
    except yaml.YAMLError as error:
        raise FrontMatterError("unreadable-yaml", 0, " ".join(str(error).split())) from error


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
