"""Which version of the hottest leaf functions runs: the compiled one, or the Python that it was made after.

The kernels (`kernels/*.c`, the module `_native`) are optional: without a compiler, or where `PFOCR_RDF_PURE` is set
to anything but 0, all runs as Python, with the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

PURE = "PFOCR_RDF_PURE"
"""Environment variable that asks for Python alone."""

REVISION = 3
"""What the kernels take and give; those of another revision, left from an earlier installation, are not used."""

_Function = TypeVar("_Function", bound=Callable[..., Any])

try:
    from pfocr_rdf import _native as _found
except ImportError:
    _found = None  # type: ignore[assignment]

_kernels = _found if os.environ.get(PURE, "") in ("", "0") and getattr(_found, "REVISION", 0) == REVISION else None


def in_use() -> bool:
    """Whether the compiled kernels run."""
    return _kernels is not None


def fastest(kernel: str, pure: _Function) -> _Function:
    """Return the kernel of that name, or where kernels do not run the function that it stands for.

    Raises `AttributeError` for a name that is no kernel's.
    """
    return pure if _kernels is None else getattr(_kernels, kernel)
