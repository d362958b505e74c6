"""Exceptions, and the `Problem`: what was wrong with one piece of the source.

Bad data is a value (`Problem`), never an exception that leaves a stage; an exception is a wrong call or a
broken environment. The tree:

    PfocrError
    ├── UsageError         the call cannot work as given            exit code 2
    │   └── SourceUnavailable  the source's host did not answer: trying again may help
    ├── WorkerLost         a worker process died: trying again may help  exit code 1
    ├── TooManyRejected    more of the source refused than allowed  exit code 3
    └── NotValid           a check of a release found violations    exit code 4
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_VALUE = 200
"""Characters of a bad value that a `Problem` quotes."""


class PfocrError(Exception):
    """Base of all errors that this package raises on purpose."""

    exit_code = 1


class UsageError(PfocrError):
    """A bad option, a missing folder, an unreadable archive: the message says in one line what to do."""

    exit_code = 2


class SourceUnavailable(UsageError):
    """The host of a source could not be reached, was busy, or cut the connection: trying again may help."""


class WorkerLost(PfocrError):
    """A process that worked for this one was killed: trying again may help."""


class TookTooLong(PfocrError):
    """A step took longer than it may and was ended; it would hang again."""


class TooManyRejected(PfocrError):
    """More records or rows were rejected than the settings allow; nothing was replaced."""

    exit_code = 3


class NotValid(PfocrError):
    """A build or release breaks a rule of the data model; nothing was published."""

    exit_code = 4


class NotJsonLd(ValueError):
    """What should be JSON-LD is not; the message is for people."""


class Kind(StrEnum):
    """What a problem is about: one of the kinds of input that are accounted for, or a value inside one."""

    __hash__ = str.__hash__  # kinds are keys on the hot path, and the enumeration's own hash is slow

    RECORD = "records"
    GENE_ROW = "gene-rows"
    CHEMICAL_ROW = "chemical-rows"
    DISEASE_ROW = "disease-rows"
    MAP_LINE = "map-lines"
    ORGANISM_PAGE = "organism-pages"
    VALUE = "values"


INPUT_KINDS = tuple(kind for kind in Kind if kind is not Kind.VALUE)
ROW_KINDS = (Kind.GENE_ROW, Kind.CHEMICAL_ROW, Kind.DISEASE_ROW)

REJECTIONS: dict[str, str] = {
    # whole records
    "unreadable-yaml": "mend the YAML of the front matter; the value shows what the parser met",
    "no-front-matter": "a record begins with a line of three dashes and ends its front matter with another",
    "not-utf8": "store the file as UTF-8",
    "too-large": "split or remove the file; the limit is a setting",
    "too-complex": "remove the nested brackets or indentation; a record is a flat list of fields",
    "yaml-alias": "write the value out; anchors and aliases are not used in records",
    "duplicate-key": "keep one of the two",
    "missing-figid": "give the record its figid",
    "bad-figid": "a figid is PMCID, two underscores and a file name without blanks, quotes or slashes",
    "missing-pmcid": "give the record its pmcid, the start of its figid",
    "bad-pmcid": "a pmcid is PMC and digits",
    "pmcid-mismatch": "make pmcid the start of figid, or the other way round",
    "duplicate-figid": "keep one record for each figid; _figures/{figid}.md is the one that was used",
    "symlink": "put the file itself there; links are not followed",
    "unsafe-path": "make the archive anew; a name that leads outside, or is no plain file, is not unpacked",
    "unreadable-file": "check the rights and the disk",
    # rows
    "wrong-column-count": "give the row as many cells as the header has",
    "bad-header": "the table needs the columns named in the value",
    "empty-word": "a mention needs the word that was read",
    "empty-match": "a gene row needs the lexicon term that matched",
    "unknown-lexicon": "use one of the known values of source, or add the new one to the lexicon scheme",
    "bad-gene-id": "an NCBI Gene id is a positive whole number",
    "bad-taxon-id": "a taxonomy id is a positive whole number",
    "bad-mesh-id": "a MeSH id is D or C and 6 or 9 digits",
    "bad-chebi-id": "a ChEBI id is CHEBI: and digits",
    "bad-doid-id": "a Disease Ontology id is DOID: and digits",
    "contradictory-row": "an earlier row says otherwise of the same mention: keep the right one",
    "record-rejected": "mend the record that this row belongs to",
    "table-without-record": "add the record, or remove the table",
    "table-too-large": "split or remove the table; the limit is a setting",
    "bad-row": "an item of an inline list is a map of words",
    # map lines and pages
    "map-line-without-record": "remove the line, or add the record",
    "map-line-differs": "make the record and the map agree; the record was used",
    "bad-map-line": "a line is a figid, a tab and an id",
    "bad-organism-page": "a page names its organism in `latin`, and `ncbi` is a whole number",
    # values
    "missing-value": "leave a missing value out, or write .na.character; it was taken for missing",
    "wrong-type": "one text was expected here",
    "bad-year": "a year is four digits, 1900 to 2099",
    "bad-doi": "a DOI is 10., a registrant, a slash and a suffix, without blanks or an address before it",
    "bad-score": "a score is a number from 0 to 1",
    "bad-rank": "a rank is a whole number",
    "bad-figlink": "a figlink is a path at www.ncbi.nlm.nih.gov",
    "bad-filename": "a file name has no slash",
    "bad-ndex": "an NDEx id is a UUID",
    "bad-wpid": "a WikiPathways id is WP and digits",
    "bad-redirect": "an old address is a path that begins with a slash",
    "bad-image": "an image is an absolute http or https address",
    "unknown-licence": "use CC0 or the address of a Creative Commons licence",
    "jsonld-id-differs": "make @id the address of the figure's page, which was used instead",
    "jsonld-dropped": "JSON-LD gives no triple for this value",
    "jsonld-relative-iri": "give the whole address; a relative one has no meaning outside its page",
    "jsonld-address": "give an address that leads somewhere, spelled as this graph spells it; it was left out",
    "jsonld-context": "use https://schema.org/ as context; nothing is fetched, and the block was not read",
    "jsonld-reserved": "a block may use schema.org's properties and classes and foreign ones, not those of this graph",
    "jsonld-unsupported": "write the value as text, address or nested item",
    "unexpected-body": "a record ends with its front matter",
    "ambiguous-pmid": "NCBI's list gives several PubMed ids for this paper",
}
"""Codes of refused inputs and values, with what to do."""

WARNINGS: dict[str, str] = {
    "unresolved-organism": "no taxonomy id is known for this name: add a page to _organisms",
    "unclassified-keyword": "give gene tables or --gene-info to say what this keyword is",
    "ambiguous-keyword": "several genes have this symbol: give the gene table",
    "unknown-key": "kept as pfocr:variant; tell the developers about the new field",
    "unknown-column": "kept as pfocr:variant; tell the developers about the new column",
    "unknown-file": "not read: no table or map of a known name",
    "control-removed": "control characters that XML forbids were removed",
    "organism-requoted": "the name stands unquoted where YAML would misread it; it was read as it stands",
    "organisms-ner-differs": "the organisms of the gene table are others",
    "duplicate-alias": "two figures have this alias; both kept",
    "missing-title": "the figure has no title",
    "missing-licence": "the record states no licence",
    "facts-disagree": "the commonest value was used; the others are kept beside it",
}
"""Codes of what was emitted but deserves a look, with what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding: where, what stood there, and its code.

    `line` counts from 1 and is 0 where there is none. `kind` names the input that was refused, or
    `Kind.VALUE` for a value inside one that was emitted; `count` says how many inputs (a table that is refused as
    a whole is one problem with all its rows). Orders by place, so that lists are stable.
    """

    file: str
    line: int
    field: str
    code: str
    value: str
    kind: Kind = Kind.VALUE
    count: int = 1

    @property
    def rejected(self) -> bool:
        """Whether something was refused (else it is a warning)."""
        return self.code in REJECTIONS

    @property
    def advice(self) -> str:
        """What to do, in one line."""
        return REJECTIONS.get(self.code) or WARNINGS[self.code]

    def to_json(self) -> dict[str, str | int | None]:
        """Return the line of `rejected.jsonl` or `warnings.jsonl`."""
        return {
            "file": self.file,
            "line": self.line or None,
            "field": self.field,
            "value": self.value,
            "code": self.code,
            "advice": self.advice,
            "kind": str(self.kind),
            "count": self.count,
        }


def problem(
    code: str,
    file: str,
    *,
    line: int = 0,
    field: str = "",
    value: object = "",
    kind: Kind = Kind.VALUE,
    count: int = 1,
) -> Problem:
    """Make a `Problem`, its value cut to `MAX_VALUE` characters.

    Raises `KeyError` for a code that has no advice: every code is listed once, above.
    """
    if code not in REJECTIONS and code not in WARNINGS:
        raise KeyError(code)
    text = value if isinstance(value, str) else repr(value)
    return Problem(file, line, field, code, text[:MAX_VALUE], kind, count)
