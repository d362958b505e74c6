"""Bytes to text: UTF-8, byte order mark, line ends, and the control characters that XML forbids.

The data model, section a.2b: such controls are removed on reading, before any hash.
"""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NONCHARACTERS = b"\xef\xbf"  # with these begin U+FFFE and U+FFFF
BOM = b"\xef\xbb\xbf"


def clean(text: str) -> tuple[str, bool]:
    """Return a text without the characters that XML 1.0 forbids, and whether any was removed."""
    if _FORBIDDEN.search(text):
        return _FORBIDDEN.sub("", text), True
    return text, False


def is_plain(data: bytes) -> bool:
    """Whether UTF-8 bytes surely hold no character that `clean` removes; cheaper than looking at the text."""
    return len(data.translate(None, _CONTROLS)) == len(data) and _NONCHARACTERS not in data


def decode(data: bytes) -> tuple[str, bool]:
    """Decode a file: no byte order mark, LF line ends, no forbidden controls; and whether any was removed.

    Raises `UnicodeDecodeError` for bytes that are not UTF-8 (lone surrogates included).
    """
    text = data.removeprefix(BOM).decode("utf-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return (text, False) if is_plain(data) else clean(text)
