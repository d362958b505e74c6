"""Texts as they stand in lines and between tabs: what would end either is escaped."""

from __future__ import annotations

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_UNESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t"}


def escape(text: str) -> str:
    """Return a text as it stands in a line among others, parted by tabs."""
    if "\\" in text or "\t" in text or "\n" in text or "\r" in text:
        return text.translate(_ESCAPES)
    return text


def unescape(text: str) -> str:
    """Undo `escape`."""
    if "\\" not in text:
        return text
    parts: list[str] = []
    rest = iter(text)
    for character in rest:
        parts.append(_UNESCAPES[character + next(rest)] if character == "\\" else character)
    return "".join(parts)


def escape_all(texts: list[str]) -> list[str]:
    """Return texts as they stand in lines of their own."""
    whole = "".join(texts)
    return [escape(text) for text in texts] if any(special in whole for special in "\\\t\n\r") else texts


def unescape_all(texts: list[str]) -> list[str]:
    """Undo `escape_all`."""
    return [unescape(text) for text in texts] if "\\" in "".join(texts) else texts
