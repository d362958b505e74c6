"""How the files of a build are compressed: plain, gzip members or zstd frames, the same bytes for the same text.

A block of a layer is one member or frame of its own, so any number of them one after the other is a legal file
(RFC 1952 section 2.2, RFC 8878 section 3), and a block can be copied without being unpacked.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard

from pfocr_rdf.errors import UsageError

_inflate: Any = zlib
with suppress(ImportError):  # takes half the time of zlib to unpack; made for some processors only
    from isal import isal_zlib as _inflate

GZIP_LEVEL = 6
ZSTD_LEVEL = 3
_PIECE = 1 << 17
_GZIP_WINDOW = 31
"""zlib's number for a gzip member; its header bears no name and no time."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to compress: the suffix of file names, text to bytes and back, and a whole file to a stream."""

    name: str
    suffix: str
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]
    open: Callable[[Path], AbstractContextManager[IO[bytes]]]


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(data) + packer.flush()


def _ungzip(data: bytes) -> bytes:
    """Return the text of one member; its checksum and length are compared."""
    return bytes(_inflate.decompress(data, _GZIP_WINDOW))


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compress(data)


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(data)


class _Frames(io.RawIOBase):
    """The text of zstd frames, one after the other; `EOFError` where the file ends inside one.

    The library's own reader takes such an end for that of the text.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._packed = self._text = b""
        self._inside = False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._text:
            packed = self._packed or self._file.read(_PIECE)
            if not packed:
                if self._inside:
                    raise EOFError("the file ends inside a zstd frame")
                return 0
            self._inside = True
            self._text = self._frame.decompress(packed)
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
                self._inside = False
        given = self._text[: len(buffer)]
        buffer[: len(given)] = given
        self._text = self._text[len(given) :]
        return len(given)


def _open_zstd(path: Path) -> AbstractContextManager[IO[bytes]]:
    return io.BufferedReader(_Frames(path), 1 << 20)


def _open_gzip(path: Path) -> AbstractContextManager[IO[bytes]]:
    return io.BufferedReader(gzip.open(path, "rb"), 1 << 20)


PLAIN = Codec("none", "", bytes, bytes, lambda path: path.open("rb"))
GZIP = Codec("gzip", ".gz", _gzip, _ungzip, _open_gzip)
ZSTD = Codec("zstd", ".zst", _zstd, _unzstd, _open_zstd)
CODECS = {codec.name: codec for codec in (PLAIN, GZIP, ZSTD)}


DAMAGED: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, _inflate.error, zstandard.ZstdError)
"""What reading a file or decoding a block may raise."""


def named(name: str) -> Codec:
    """Return the codec of a name.

    Raises `UsageError` for an unknown one.
    """
    try:
        return CODECS[name]
    except KeyError:
        raise UsageError(f"compression {name!r} is unknown; use one of {', '.join(CODECS)}") from None


def of_file(path: Path) -> Codec:
    """Return the codec that a file's name tells."""
    return next((codec for codec in (GZIP, ZSTD) if path.name.endswith(codec.suffix)), PLAIN)
