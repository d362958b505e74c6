"""Front matter as R's yaml package writes it: quotes only where YAML needs them, long lines folded after column 80.

Both rules are those of libyaml's emitter: a line is broken at the first single blank beyond the width.
"""

from __future__ import annotations

import re

_WIDTH = 80
_QUOTED = re.compile(
    r"""\s|[#,\[\]{}&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\."""
    r"""|[-+]?(?:\.?[0-9][0-9_,]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|0[xo][0-9a-fA-F]+|\.inf|\.nan)$|=$|<<$"""
    r"""|(?:~|null|y|n|yes|no|on|off|true|false)$""",
    re.IGNORECASE,
)


def quoted(text: str) -> str:
    """Return a text as a plain scalar, in single quotes where YAML would take it for something else."""
    if not text or _QUOTED.match(text) or ": " in text or " #" in text or text[-1] in " :":
        return "'" + text.replace("'", "''") + "'"
    return text


def scalar(start: str, text: str, indent: int) -> str:
    """Return the lines of one value, the first after `start`, the others indented."""
    line = start + quoted(text)
    if len(line) <= _WIDTH + 2:
        return line + "\n"
    parts: list[str] = []
    begin, at, last = 0, line.find(" ", _WIDTH + 1), len(line) - 1
    while 0 <= at < last:
        if line[at + 1] == " " or line[at - 1] == " ":
            at = line.find(" ", at + 1)
            continue
        parts.append(line[begin:at])
        begin = at + 1
        at = line.find(" ", begin + _WIDTH + 1 - indent)
    parts.append(line[begin:])
    return ("\n" + " " * indent).join(parts) + "\n"
