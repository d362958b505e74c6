"""`Settings`: the few numbers and patterns that a user may turn; checked when made."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

from pfocr_rdf.errors import UsageError

IMAGE_PATTERN = "https://www.ncbi.nlm.nih.gov/pmc/articles/{pmcid}/bin/{filename}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too large to be a record or table of PFOCR; sizes in bytes."""

    record_bytes: int = 4 * 1024 * 1024
    table_bytes: int = 32 * 1024 * 1024
    table_rows: int = 200_000
    table_columns: int = 64
    yaml_depth: int = 20
    yaml_brackets: int = 2_000
    archive_bytes: int = 64 * 1024**3


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a conversion; they change its result, so `manifest.json` lists them.

    `image_pattern` makes the address of an image from `{pmcid}` and `{filename}`; PMC moves hosts.
    `shard_records` is the number of records that one worker holds at a time; it bounds memory and changes no byte.
    """

    image_pattern: str = IMAGE_PATTERN
    max_rejected: float = 0.01
    max_rejected_rows: float = 0.01
    shard_records: int = 1_000
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        example = self.image_pattern.replace("{pmcid}", "PMC1").replace("{filename}", "f.jpg")
        if not example.startswith(("http://", "https://")) or not all(
            part in self.image_pattern for part in ("{pmcid}", "{filename}")
        ):
            example = ""
        try:
            ox.NamedNode(example)
        except ValueError:
            raise UsageError(
                f"image pattern {self.image_pattern!r}: give an http(s) address with {{pmcid}} and {{filename}}"
            ) from None
        for share in (self.max_rejected, self.max_rejected_rows):
            if not 0 <= share <= 1:
                raise UsageError(f"share {share}: give a number from 0 to 1, or a percentage up to 100%")
        if self.shard_records < 1:
            raise UsageError("a shard holds at least one record")
