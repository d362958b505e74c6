"""`python -m tests.checker SOURCE BUILD`: print every difference; exit code 1 if there is any."""

from __future__ import annotations

import sys
from pathlib import Path

from . import compare


def main(arguments: list[str]) -> int:
    """Compare the two folders that the command line names."""
    if len(arguments) != 2:
        print("usage: python -m tests.checker SOURCE BUILD", file=sys.stderr)
        return 2
    found = compare(Path(arguments[0]), Path(arguments[1]))
    for line in found:
        print(line)
    print(f"{len(found)} differences" if found else "proven: no difference", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
