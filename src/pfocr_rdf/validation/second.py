"""A second reading of one figure's files, by its own short rules: it shares no code with the conversion.

It follows the source format, not the program: front matter is taken apart by its lines (YAML's own reader is asked only
where a value is written in an unusual way), tables by their tabs. It knows how much there is, not every fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

LISTS = ("genes", "chemicals", "diseases")
"""Lists of rows inside records of 2021, and the tables of a figure."""

_NAMES = ("organisms", "organisms_ner")
_OF_2021 = {*LISTS, "pathway_score", "pmc_ranked_result_index", "annotations"}
_ASKED = {
    *("figid", "pmcid", "figid_alias", "figtitle", "caption", "number", "figtype", "year", "doi", "filename"),
    *("automl_pathway", "pathway_score", "ndex", "wpid", "latin", "ncbi", "schema-jsonld", *_NAMES, *LISTS),
}
"""Fields of which anything is counted; of the others the text is not looked at."""

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML forbids; they are removed on reading."""
_KEY = re.compile(r"""([^\s#'"\[{&*!|>%@`-][^:]*|'[^']*'|"[^"]*"):(?:[ \t]+(.*))?""")
_UNUSUAL = re.compile(r"[\[{&*!|>%@`]")
_FIGID = re.compile(r"(PMC[1-9][0-9]{0,11})__[^\x00-\x20\x7f-\xa0\u2028\u2029/\\\"'<>{}|^`]+")
_MISSING = ("", ".na.character")
_NOTHING = ("null", "NA", "nan", "-", "noIdentifier", "unknown")
NO_ORGANISM = (*_MISSING, *_NOTHING)


class Unsound(ValueError):
    """Why a record cannot be used."""


class _NotPlain(ValueError):
    """A value is written in a way that only YAML's own reader knows."""


@dataclass(slots=True)
class Record:
    """A sound record: its ids and the values of its fields (text, list, or map, all texts as they stand)."""

    figid: str
    pmcid: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def inline(self) -> bool:
        """Whether the record is of 2021, with rows of its own."""
        return not _OF_2021.isdisjoint(self.values)

    def text(self, key: str) -> str:
        """Return a text, empty where it is missing."""
        value = self.values.get(key, "")
        return value if isinstance(value, str) and value.strip() not in NO_ORGANISM else ""

    def texts(self, key: str) -> list[str]:
        """Return the different texts of a list that are not missing."""
        value = self.values.get(key, [])
        items = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(item for item in items if isinstance(item, str) and item.strip() not in NO_ORGANISM))

    def keywords(self) -> list[str]:
        """Return the different keywords of the schema.org block."""
        block = self.values.get("schema-jsonld")
        value = block.get("keywords", []) if isinstance(block, Mapping) else []
        items = value if isinstance(value, list) else [value]
        return list(dict.fromkeys(item for item in items if isinstance(item, str) and item not in _MISSING))

    def symbols(self) -> set[str]:
        """Return the keywords of the schema.org block that may be symbols of genes."""
        return {keyword.strip() for keyword in self.keywords()} - {*NO_ORGANISM}


def text_of(data: bytes) -> str:
    """Return the text of a file, without byte order mark and controls, lines ended by a line feed.

    Raises `Unsound` when it is not UTF-8.
    """
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise Unsound("not UTF-8") from error
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def values_of(data: bytes) -> Mapping[str, Any]:
    """Return the fields of a record or page.

    Raises `Unsound` when it has no front matter that can be read.
    """
    text = text_of(data)
    first, _, rest = text.lstrip("\n").partition("\n")
    if first.rstrip() != "---":
        raise Unsound("no front matter")
    end = re.search(r"^---[ \t]*$", rest, re.MULTILINE)
    if end is None:
        raise Unsound("front matter without end")
    body = rest[: end.start()]
    try:
        return dict(_plain(body))
    except _NotPlain:
        return _by_yaml(body)


def record(data: bytes) -> Record:
    """Return the record that a file holds.

    Raises `Unsound` when it has no front matter, or its figid and pmcid are missing, illegal, or disagree.
    """
    values = values_of(data)
    figid, pmcid = values.get("figid"), values.get("pmcid")
    legal = _FIGID.fullmatch(figid) if isinstance(figid, str) and len(figid.encode()) <= 200 else None
    if legal is None or not isinstance(figid, str) or pmcid != legal[1]:
        raise Unsound("figid and pmcid are missing, illegal, or disagree")
    return Record(figid, legal[1], values)


def figid_of(data: bytes) -> str:
    """Return what a file gives as figid, whether it is sound or not; empty where it gives none."""
    found = re.search(rb"^figid:[ \t]*['\"]?([^\s'\"]+)", data, re.MULTILINE)
    return found[1].decode(errors="replace") if found else ""


def _plain(body: str) -> Iterator[tuple[str, Any]]:
    """Yield the fields of front matter in its usual layout."""
    seen: set[str] = set()
    for key, lines in _entries(body.split("\n")):
        if key in seen:
            raise Unsound(f"{key} stands twice")
        seen.add(key)
        if key in _ASKED:
            try:
                yield key, _field(key, lines)
            except _NotPlain:
                yield key, _by_yaml("\n".join([f"field: {lines[0]}", *lines[1:]]))["field"]
        else:
            yield key, None


def _field(key: str, lines: list[str]) -> Any:
    """Return the value of a field that is written in the usual way."""
    if key in LISTS and not lines[0].strip():
        return [dict(_entry_values(item)) for item in _items(lines[1:])]
    if key == "schema-jsonld":
        return dict(_block(lines))
    return _value(lines, raw=key in _NAMES)


def _entries(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each key that stands at the margin, with what is behind it and the lines below."""
    key, below = "", list[str]()
    for line in lines:
        if found := _KEY.fullmatch(line):
            if key:
                yield key, below
            key, below = found[1].strip("'\" "), [found[2] or ""]
        elif line.strip() and not line.startswith("#"):
            if not key or not (line.startswith((" ", "\t", "- ")) or line.rstrip() == "-"):
                raise _NotPlain(line)
            below.append(line)
    if key:
        yield key, below


def _entry_values(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of one item of a list of rows; the lines are those of a map."""
    for key, below in _entries(lines):
        value = _value(below, raw=False)
        if not isinstance(value, str):
            raise _NotPlain(key)
        yield key, value


def _block(lines: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the keywords of a schema.org block, the one of its fields that is asked for."""
    if lines[0].strip():
        raise _NotPlain(lines[0])
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:]), default=0)
    for key, below in _entries([line[margin:] for line in lines[1:]]):
        if key == "keywords":
            yield key, _value(below, raw=False)


def _value(lines: list[str], *, raw: bool) -> Any:
    """Return the text, or the list of texts, of a field."""
    if lines[0].strip() == "[]":
        return []
    if not lines[0].strip() and len(lines) > 1 and lines[1].lstrip().startswith("-"):
        return [_scalar(item, raw=raw) for item in _items(lines[1:])]
    return _scalar(lines, raw=False)


def _items(lines: list[str]) -> list[list[str]]:
    """Return the lines of each item of a list, without the dash and its margin."""
    margin = len(lines[0]) - len(lines[0].lstrip())
    items: list[list[str]] = []
    for line in (line[margin:] for line in lines):
        if line.startswith("- ") or line == "-":
            items.append([line[2:]])
        elif items and not line[:2].strip():
            items[-1].append(line[2:])
        else:
            raise _NotPlain(line)
    return items


def _scalar(lines: list[str], *, raw: bool) -> str:
    """Return a text that may go over several lines; a `raw` one stands as it is unless it is quoted."""
    text = " ".join(line.strip() for line in lines).strip()
    if text[:1] == "'":
        if len(text) < 2 or not re.fullmatch(r"'(?:[^']|'')*'", text):
            raise _NotPlain(text)
        return text[1:-1].replace("''", "'")
    if text[:1] == '"':
        if "\\" in text or not re.fullmatch(r'"[^"]*"', text):
            raise _NotPlain(text)
        return text[1:-1]
    if not raw and (_UNUSUAL.match(text) or " #" in text or ": " in text or text.endswith(":")):
        raise _NotPlain(text)
    return text


def _by_yaml(body: str) -> Mapping[str, Any]:
    """Return the fields as YAML's own reader takes them, all scalars as texts."""
    try:
        values = yaml.load(body, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - texts alone
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unsound("not YAML") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise Unsound("no map of fields")
    return values
