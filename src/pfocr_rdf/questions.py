"""The questions that the graph is made to answer: one file of `ontologies/queries/` each, read into `Question`.

A file is a SPARQL query that runs as it stands in any store, below a head of comment lines. `# title:`, `# category:`
and `# description:` are those that the Snorql of WikiPathways reads; the others are for checks and pages:

- `# columns: figure iri, year year?`: what the answer has, each with its kind; `?` for one that may be empty;
- `# parameter: gene = <https://identifiers.org/ncbigene/3569>`: a term of the query to be put in by who asks; several
  terms, which stand side by side in the query too (such as in VALUES), are a list of any length;
- `# length: genes = 2`: a number of the query that is the length of such a list;
- `# when: PATTERN`: where a graph has this pattern, the question has an answer; it yields terms for the parameters too;
- `# rows: 1`: the answer has this number of rows.

A field goes on in lines that are indented further.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache

from pfocr_rdf import resources
from pfocr_rdf.errors import UsageError

FOLDER = "queries"
KINDS = ("iri", "string", "integer", "decimal", "year", "any")
_NAME = re.compile(r"([0-9]{2})-[a-z0-9-]+\.rq")
_FIELD = re.compile(r"# ([a-z]+): (\S.*)")
_MORE = re.compile(r"#  +(\S.*)")
_FIELDS = {"title", "category", "description", "keywords", "columns", "rows", "when", "parameter", "length"}
_NEEDED = {"title", "category", "description", "keywords", "columns"}
_PARAMETER = re.compile(r"([a-z]+) = (\S.*)")
_COLUMN = re.compile(rf"([a-z]+) ({'|'.join(KINDS)})(\?)?")
_TERM = re.compile(r"""<[^<>"{}|^`\\\s]*>|"(?:[^"\\\n]|\\.)*"|(?<![\w.?:-])[0-9]+(?:\.[0-9]+)?(?![\w.])""")
_KIND = re.compile(r"\^\^<[^<>\"{}|^`\\\s]+>|@[A-Za-z0-9-]+")
_SERVICE = re.compile(r"\bSERVICE\s+(?:SILENT\s+)?<([^<>\s]+)>")
_PREFIX = re.compile(r"^PREFIX ([a-z]+): <([^<>\s]+)>\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer: its name, the kind of its terms (one of `KINDS`), whether a row may lack it."""

    name: str
    kind: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a query has the terms of a parameter, or with a `tail`, their number and this after it; `text` is there."""

    parameter: str
    text: str
    tail: str | None

    def filled(self, terms: Mapping[str, Sequence[str]]) -> str:
        """Return what stands there with other terms for some parameters."""
        if self.parameter not in terms:
            return self.text
        new = terms[self.parameter]
        return " ".join(new) if self.tail is None else f"{len(new)}{self.tail}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question: its head, and the query below it, prefixes first.

    `parameters` has the terms that the query holds for each parameter, as SPARQL spells them: one, or several where it
    takes a list. `lengths` has the number that the query holds as the length of a list.
    """

    name: str
    title: str
    category: str
    description: str
    keywords: tuple[str, ...]
    columns: tuple[Column, ...]
    parameters: Mapping[str, tuple[str, ...]]
    lengths: Mapping[str, str]
    when: str
    rows: int | None
    text: str

    @property
    def number(self) -> int:
        """The number that the name begins with, by which questions are sorted."""
        return int(self.name[:2])

    @property
    def tail(self) -> str:
        """The name without its number."""
        return self.name[3:]

    @property
    def services(self) -> tuple[str, ...]:
        """The addresses of other people's endpoints that the query asks, in order."""
        return tuple(dict.fromkeys(_SERVICE.findall(self.text)))

    @property
    def prefixes(self) -> dict[str, str]:
        """Prefix to namespace, as the query declares them."""
        return dict(_PREFIX.findall(self.text))

    @property
    def body(self) -> str:
        """The query without its prefixes."""
        return _PREFIX.sub("", self.text).strip() + "\n"

    def without_services(self) -> Question:
        """Return the question with a named graph in the place of each endpoint: it can be read and asked anywhere."""
        return replace(self, text=_SERVICE.sub(r"GRAPH <\1>", self.text))

    def asking(self, terms: Mapping[str, str | Sequence[str]]) -> str:
        """Return the query with other terms for some of its parameters; for a list, with one or more.

        `terms` are spelled as SPARQL spells them, such as what `str` gives of a term of pyoxigraph. Whole terms take
        the place of whole terms, so no value can become part of the query's syntax.
        Raises `ValueError` for an unknown parameter, and for a text that is not one term.
        """
        known: dict[str, list[str]] = {}
        for name, given in terms.items():
            if name not in self.parameters:
                raise ValueError(f"{self.name}: has no parameter {name!r}")
            new = [given] if isinstance(given, str) else list(given)
            if wrong := [term for term in new if not is_term(term)]:
                raise ValueError(f"{self.name}: {name} = {wrong[0]!r} is not one IRI, text or number")
            old = self.parameters[name]
            if not new or (len(new) > 1 and len(old) == 1):
                raise ValueError(f"{self.name}: {name} takes {'one term' if len(old) == 1 else 'at least one term'}")
            known[name] = new
        return "".join(part if isinstance(part, str) else part.filled(known) for part in self.pieces())

    def pieces(self) -> list[str | Slot]:
        """Return the query cut where its parameters stand: one after the other, the pieces are the query."""
        slots: dict[str, tuple[str, str | None]] = {
            self.lengths[name]: (name, self.lengths[name].lstrip("0123456789")) for name in self.lengths
        }
        slots.update({" ".join(old): (name, None) for name, old in self.parameters.items()})
        lists = [r"\s+".join(map(re.escape, old)) for old in self.parameters.values() if len(old) > 1]
        found: list[str | Slot] = []
        end = 0
        for match in re.finditer("|".join((*lists, _TERM.pattern)), self.text):
            if slot := slots.get(re.sub(r">\s+<", "> <", match[0])):
                found += [self.text[end : match.start()], Slot(slot[0], match[0], slot[1])]
                end = match.end()
        return [*found, self.text[end:]]


def is_term(text: str) -> bool:
    """Whether a text is one IRI, one string (perhaps with a datatype or language) or one number, and nothing else."""
    match = _TERM.match(text)
    if match is None:
        return False
    rest = text[match.end() :]
    return not rest or (text[0] == '"' and _KIND.fullmatch(rest) is not None)


def read(name: str, text: str) -> Question:
    """Return the question that a file holds.

    Raises `ValueError` when the head lacks a field or has one that nobody knows, and when a parameter does not stand
    in the query.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name}: a question's file is named such as 05-figures-of-gene.rq")
    head, _, query = text.partition("\n\n")
    fields: list[tuple[str, str]] = []
    for line in head.split("\n"):
        if found := _FIELD.fullmatch(line):
            fields.append((found[1], found[2]))
        elif fields and (more := _MORE.fullmatch(line)):
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {more[1]}")
        else:
            raise ValueError(f"{name}: {line!r} is no line of a head")
    said = {key: value for key, value in fields if key not in ("parameter", "length")}
    given = {key for key, _ in fields}
    if wrong := (_NEEDED - given) | (given - _FIELDS):
        raise ValueError(f"{name}: missing or unknown in its head: {', '.join(sorted(wrong))}")
    parameters = dict(_parameter(name, value, query) for key, value in fields if key == "parameter")
    lengths = {
        at: number for key, value in fields if key == "length" for at, (number,) in [_parameter(name, value, query)]
    }
    if alone := [at for at in lengths if len(parameters.get(at, ())) < 2]:
        raise ValueError(f"{name}: length of {alone[0]!r}, which is no list")
    return Question(
        name.removesuffix(".rq"),
        said["title"],
        said["category"],
        said["description"],
        tuple(said["keywords"].split(", ")),
        tuple(_column(name, column) for column in said["columns"].split(", ")),
        parameters,
        lengths,
        said.get("when", ""),
        int(said["rows"]) if "rows" in said else None,
        query,
    )


def _column(name: str, text: str) -> Column:
    found = _COLUMN.fullmatch(text)
    if found is None:
        raise ValueError(f"{name}: column {text!r} is not such as `year year?`; kinds are {', '.join(KINDS)}")
    return Column(found[1], found[2], bool(found[3]))


def _parameter(name: str, text: str, query: str) -> tuple[str, tuple[str, ...]]:
    found = _PARAMETER.fullmatch(text)
    terms = tuple(term[0] for term in _TERM.finditer(found[2])) if found else ()
    pattern = r"\s+".join(map(re.escape, terms))
    if found is None or not re.fullmatch(pattern, found[2]) or not _stand_in(query, terms, pattern):
        raise ValueError(f"{name}: parameter {text!r} is not such as `gene = <IRI>`, or does not stand in the query")
    return found[1], terms


def _stand_in(query: str, terms: Sequence[str], pattern: str) -> bool:
    return bool(terms) and set(terms) <= set(_TERM.findall(query)) and re.search(pattern, query) is not None


@cache
def all_questions() -> tuple[Question, ...]:
    """Return all shipped questions, by number."""
    names = [name for name in resources.names(FOLDER) if name.endswith(".rq")]
    return tuple(read(name, resources.read_text(f"{FOLDER}/{name}")) for name in sorted(names))


def named(name: str) -> Question:
    """Return a question by its number, its name, or its name without the number; `.rq` may follow.

    Raises `UsageError` when there is none; it says which are near.
    """
    found = all_questions()
    wanted = name.strip().removesuffix(".rq")
    for each in found:
        if wanted in (each.name, each.tail) or (wanted.isdecimal() and int(wanted) == each.number):
            return each
    near = get_close_matches(wanted, [each.tail for each in found], 3, 0.5)
    said = f"near are {', '.join(near)}" if near else "`pfocr-rdf query --list` shows all"
    raise UsageError(f"--name {name}: is no question; {said}")
