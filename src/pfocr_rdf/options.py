"""Arguments and options that commands share: names, help, and how their values are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_BUILD = Path("output/build")


class GraphFormat(StrEnum):
    """Forms in which a figure is shown."""

    TURTLE = "turtle"
    NTRIPLES = "ntriples"
    JSONLD = "jsonld"


class Compression(StrEnum):
    """How files are compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class DiffFormat(StrEnum):
    """Forms in which a difference is written."""

    NTRIPLES = "ntriples"
    PATCH = "patch"
    SPARQL = "sparql"
    FIGURES = "figures"


class ResultFormat(StrEnum):
    """Forms of a query's answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    TURTLE = "turtle"


class LevelName(StrEnum):
    """How far links to genes are followed, each with those before it."""

    SYMBOL = "symbol"
    SYNONYM = "synonym"
    FAMILY = "family"


def share(text: str) -> float:
    """Read a share: `1%` or `0.01`.

    Raises `typer.BadParameter` for anything else.
    """
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no share; write 1% or 0.01") from None
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{text} is not between 0 and 100%")
    return value


Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A checkout of pfocr-database, a folder of records, one record, a .zip or .tar.gz, or a git address "
        "with an optional @REVISION.",
    ),
]
Release = Annotated[Path, typer.Argument(metavar="RELEASE", help="A build folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
GeneInfo = Annotated[
    Path | None, typer.Option(help="NCBI's gene_info (plain or .gz): ids for genes that are known by symbol only.")
]
PmcIds = Annotated[Path | None, typer.Option(help="NCBI's PMC-ids list (plain or .gz): adds the layer xrefs-pubmed.")]
ContextFile = Annotated[Path | None, typer.Option("--context", help="A JSON-LD context to use for schema.org's.")]
Only = Annotated[str | None, typer.Option(metavar="FIGID", help="Convert this figure alone.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Convert the first N figures.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes that convert at the same time.", show_default="all cores")
]
ShardRecords = Annotated[
    int, typer.Option(min=1, help="Records that one process holds at a time: bounds memory, changes no byte.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Let the workers of this Dask scheduler convert, such as tcp://host:8786."),
]
Work = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Where the parts go meanwhile: a folder that all workers reach, or an address such as s3://bucket/prefix.",
        show_default="beside OUT",
    ),
]
ImagePattern = Annotated[str, typer.Option(help="Address of an image, with {pmcid} and {filename}.")]
MaxRejected = Annotated[
    float, typer.Option(parser=share, metavar="SHARE", help="Share of records that may be rejected; one always may.")
]
MaxRejectedRows = Annotated[
    float, typer.Option(parser=share, metavar="SHARE", help="Share of rows that may be rejected; one always may.")
]
DiffOut = Annotated[Path | None, typer.Option(help="A new folder for the difference in all its forms.")]
DiffForm = Annotated[list[DiffFormat] | None, typer.Option("--format", help="A form to write; give it again for more.")]
UpTo = Annotated[
    LevelName,
    typer.Option("--level", help="Genes found by symbol alone; by synonym too; or as members of a family too."),
]
Organisms = Annotated[
    list[str] | None,
    typer.Option("--organism", metavar="TAXID", help="Only genes of this organism; give it again for more."),
]
NewFile = Annotated[Path, typer.Option("--out", help="A new file; compressed when it ends with .gz or .zst.")]
NewFolder = Annotated[Path, typer.Option("--out", help="A new folder.")]
