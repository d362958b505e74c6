"""Bytes to text: UTF-8, byte order mark, line ends, and the control characters that XML forbids.

The data model, section a.2b: such controls are removed on reading, before any hash.
"""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
BOM = b"\xef\xbb\xbf"


def clean(text: str) -> tuple[str, bool]:
    """Return a text without the characters that XML 1.0 forbids, and whether any was removed."""
    if _FORBIDDEN.search(text):
        return _FORBIDDEN.sub("", text), True
    return text, False


def decode(data: bytes) -> tuple[str, bool]:
    """Decode a file: no byte order mark, LF line ends, no forbidden controls; and whether any was removed.

    Raises `UnicodeDecodeError` for bytes that are not UTF-8 (lone surrogates included).
    """
    text = data.removeprefix(BOM).decode("utf-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return clean(text)
