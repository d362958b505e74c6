"""What the flows are asked: one model for each flow, with defaults that work. Prefect's pages show and check them.

Imports no Prefect, so that other programs may read the models. Prefect stores what it is given: secrets go into
blocks and the environment, of which parameters hold the names alone.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pfocr_rdf.errors import UsageError
from pfocr_rdf.release.info import VERSION
from pfocr_rdf.settings import IMAGE_PATTERN, Settings

SOURCE = "https://github.com/wikipathways/pfocr-database"

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]


class Model(BaseModel):
    """Values that are checked when they are given; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Running(Model):
    """Where the work is done, and who is told of it."""

    runner: Literal["processes", "threads", "dask"] = Field(
        default="processes",
        title="Runner",
        description="What converts: processes of this machine, threads of the flow's own process, or Dask's workers.",
    )
    workers: Positive | None = Field(
        default=None,
        title="Workers",
        description="How many processes or threads work at once; without it, one for each core.",
    )
    scheduler: str | None = Field(
        default=None, title="Dask scheduler", description="Address for the runner dask, such as tcp://host:8786."
    )
    notify: str | None = Field(
        default=None,
        title="Notice",
        description="Name of a block of type Webhook that is told how the run ended.",
        pattern=r"^[a-z0-9][a-z0-9-]*$",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.runner == "dask") != (self.scheduler is not None):
            raise ValueError("the runner dask needs the address of a scheduler, and no other runner has one")
        return self


class Converting(Running):
    """What is converted, and how."""

    source: str = Field(
        default=SOURCE,
        title="Source",
        description="A git address[@REVISION], a checkout of pfocr-database, a folder of records, or an archive. "
        "Leave passwords to git's credential helper.",
        min_length=1,
    )
    limit: Positive | None = Field(default=None, title="Limit", description="Convert the first N figures, for a trial.")
    gene_info: Path | None = Field(
        default=None,
        title="gene_info",
        description="NCBI's list (plain or .gz): ids for genes known by symbol; for the checks.",
    )
    pmc_ids: Path | None = Field(
        default=None, title="PMC-ids", description="NCBI's list (plain or .gz): adds the layer xrefs-pubmed."
    )
    context: Path | None = Field(
        default=None, title="JSON-LD context", description="A JSON-LD context to use for schema.org's."
    )
    image_pattern: str = Field(
        default=IMAGE_PATTERN, title="Image pattern", description="Address of an image, with {pmcid} and {filename}."
    )
    max_rejected: Share = Field(
        default=0.01,
        title="Rejected records",
        description="Share of records that may be rejected, 0 to 1; one always may.",
    )
    max_rejected_rows: Share = Field(
        default=0.01, title="Rejected rows", description="Share of rows that may be rejected, 0 to 1; one always may."
    )
    shard_records: Positive = Field(
        default=1_000, title="Records in a shard", description="Some shards are one task: seconds of work."
    )
    compress: Literal["none", "gzip", "zstd"] = Field(
        default="none", title="Compression", description="How the layers' files are compressed."
    )
    nquads: bool = Field(default=False, title="N-Quads", description="Write pfocr-all.nq.gz with the build already.")

    @field_validator("image_pattern")
    @classmethod
    def _pattern(cls, value: str) -> str:
        try:
            Settings(value)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value


class Release(Converting):
    """From a source to a release that was checked."""

    out: Path = Field(
        default=Path("output/site"),
        title="Folder of releases",
        description="The folder with releases/, current and rejected/.",
    )
    version: str | None = Field(
        default=None,
        title="Version",
        description="Name of the release. Empty: the date of the source's commit, for only git sources have one.",
    )
    base_url: str | None = Field(
        default=None,
        title="Base address",
        description="Address of the folder's releases/ for the world, without it one of w3id.org.",
    )
    endpoint: str | None = Field(
        default=None,
        title="SPARQL service",
        description="Address of a SPARQL service over the release, for its description.",
    )
    max_drop: Share | None = Field(
        default=0.1,
        title="Drop that is allowed",
        description="Share by which figures, papers, genes, mentions or a layer's triples may fall against the "
        "release before; more is kept aside. Empty: any.",
    )
    accept: str | None = Field(
        default=None,
        title="Accept",
        description="Version in rejected/ that somebody looked at: it is published as it is, whatever was found, and "
        "the source is not looked at.",
    )
    keep: Positive | None = Field(
        default=14,
        title="Releases that stay",
        description="The newest N releases stay, and the current one; older ones are deleted. Empty: all stay.",
    )
    gene_history: Path | None = Field(default=None, title="gene_history", description="NCBI's list, for the checks.")
    retired: Path | None = Field(
        default=None, title="Retired ids", description="Retired ids of MeSH, ChEBI and DO, for the checks."
    )
    retractions: Path | None = Field(default=None, title="Retractions", description="Retracted papers, for the checks.")
    words: Path | None = Field(
        default=None, title="Words", description="Plain English words, one a line, for the checks."
    )

    @field_validator("accept", "version")
    @classmethod
    def _version(cls, value: str | None) -> str | None:
        if value is not None and not VERSION.fullmatch(value):
            raise ValueError("letters, digits, '.', '_' and '-' only, such as 20230907")
        return value


class Stores(Model):
    """Where a release is served from."""

    to: list[str] = Field(
        default=[],
        title="Stores",
        description="Stores that are brought up to date: an address such as http://localhost:3030/ds, or a folder "
        "of Oxigraph's.",
    )
    graphs: list[str] = Field(
        default=[], title="Layers", description="Load these layers alone, such as core; without any, all of them."
    )


class Load(Stores):
    """From a release to the stores."""

    out: Path = Field(
        default=Path("output/site"),
        title="Release",
        description="The folder of releases, whose current one is loaded, or the folder of a release or a build.",
    )
    to: list[str] = Field(
        default=["output/store"],
        title="Stores",
        description="Stores that are brought up to date: an address such as http://localhost:3030/ds, or a folder "
        "of Oxigraph's.",
        min_length=1,
    )
    notify: str | None = Field(
        default=None,
        title="Notice",
        description="Name of a block of type Webhook that is told how the run ended.",
        pattern=r"^[a-z0-9][a-z0-9-]*$",
    )


class Nightly(Release, Stores):
    """From a source to a release and to the stores, if anything changed."""


class Backfill(Release):
    """From past states of a source to releases, in order."""

    keep: Positive | None = Field(
        default=None,
        title="Releases that stay",
        description="The newest N releases stay, and the current one; older ones are deleted. Empty: all stay.",
    )
    revisions: list[str] = Field(
        default=[], title="Revisions", description="Revisions of the source, which is a git address, the oldest first."
    )
