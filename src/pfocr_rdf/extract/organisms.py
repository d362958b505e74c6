"""Organism pages (`_organisms/*.md`) and the two map files (`ndex_map.tsv`, `wpid_map.tsv`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pfocr_rdf import identifiers
from pfocr_rdf.errors import Kind, Problem, problem
from pfocr_rdf.extract.records import count_rows, hash_file, read_bytes, read_record
from pfocr_rdf.extract.tables import lines_of
from pfocr_rdf.extract.text import clean
from pfocr_rdf.identifiers import NO_VALUES
from pfocr_rdf.settings import Limits
from pfocr_rdf.terms import is_iri

MAPS = {"ndex_map.tsv": "ndex", "wpid_map.tsv": "wpid"}
"""Map files in `_data` and the front-matter field that each feeds."""

MISSING = frozenset({"", ".na.character", "NA"})


@dataclass(frozen=True, slots=True, order=True)
class OrganismPage:
    """A page about one organism; an empty text is a missing value."""

    slug: str
    latin: str
    common: str
    ncbi: str
    group: str
    image: str

    @property
    def iri(self) -> str:
        """The taxon's IRI: by its id, else by its name."""
        return identifiers.taxon(self.ncbi) if self.ncbi else identifiers.unresolved_taxon(self.latin)


class MapLine(NamedTuple):
    """A line of a map file: figid and the id that it gives."""

    path: str
    line: int
    figid: str
    value: str


def read_page(root: Path, path: str, limits: Limits) -> tuple[OrganismPage | None, list[Problem], str]:
    """Read one page: the page or None, problems (the first says why it was refused), SHA-256 of the file."""
    front, refused, digest = read_record(root, path, limits)
    if front is None:
        return (
            None,
            [
                problem(
                    "bad-organism-page",
                    path,
                    line=refused.line if refused else 0,
                    value=refused.code if refused else "",
                    kind=Kind.ORGANISM_PAGE,
                )
            ],
            digest,
        )
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for key in ("latin", "common", "ncbi", "group", "image"):
        value = front.fields.get(key, "")
        line = front.lines.get(key, 0)
        if not isinstance(value, str):
            problems.append(problem("wrong-type", path, line=line, field=key, value=value))
            value = ""
        if value not in MISSING and value.strip() in NO_VALUES:
            problems.append(problem("missing-value", path, line=line, field=key, value=value))
        values[key] = "" if value.strip() in NO_VALUES else value
    if not values["latin"] or (values["ncbi"] and not identifiers.TAXON_ID.fullmatch(values["ncbi"])):
        bad = "ncbi" if values["latin"] else "latin"
        refusal = problem("bad-organism-page", path, field=bad, value=values[bad], kind=Kind.ORGANISM_PAGE)
        return None, [refusal], digest
    image = values["image"]
    if image and not (image.startswith(("http://", "https://")) and is_iri(image)):
        problems.append(problem("bad-image", path, line=front.lines["image"], field="image", value=image))
        values["image"] = ""
    for key in front.fields.keys() - {"latin", "common", "ncbi", "group", "image", "title", "layout"}:
        problems.append(problem("unknown-key", path, line=front.lines[key], field=key, value=front.fields[key]))
    return OrganismPage(PurePosixPath(path).stem, **values), problems, digest


def read_map(root: Path, path: str, limits: Limits) -> tuple[list[MapLine], list[Problem], str]:
    """Read one map file: its lines, the problems of those that cannot be read, SHA-256 of the file."""
    digest = hash_file(root / path)
    data = read_bytes(root / path, limits.table_bytes)
    kind = Kind.MAP_LINE
    if data is None or data.count(b"\n") > limits.table_rows:
        rows = 1 + count_rows(root / path)  # a map has no header
        return [], [problem("table-too-large", path, value=f"{rows} lines", kind=kind, count=rows)], digest
    lines: list[MapLine] = []
    problems: list[Problem] = []
    for number, raw in lines_of(data):
        try:
            cells = clean(raw.decode("utf-8"))[0].split("\t")
        except UnicodeDecodeError:
            problems.append(problem("not-utf8", path, line=number, value=repr(raw[:80]), kind=kind))
            continue
        if len(cells) != 2 or not all(cells):
            problems.append(problem("bad-map-line", path, line=number, value="\t".join(cells), kind=kind))
            continue
        lines.append(MapLine(path, number, cells[0], cells[1]))
    return lines, problems, digest
