"""A small source and changes to it, for tests that bring builds up to date and compare them.

Changes are made to the files alone. Each file that is written gets a time of its own, long ago, so that its signature
tells it from what stood there before and a file that was not touched is not read again.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import corpus_build
from pfocr_rdf import pipeline
from pfocr_rdf.pipeline import Built, Options
from pfocr_rdf.settings import Settings
from pfocr_rdf.shards import Output

FIXTURES = Path(__file__).with_name("fixtures")
ACCEPT = Settings(max_rejected=1, max_rejected_rows=1)
OLD = 1_500_000_000_000_000_000
NAMES = ("Homo sapiens", "Mus musculus", "Nova planta", "Gemina una", "Planta incognita", "Rattus norvegicus")
GROUPS = ("Primates", "Vertebrates", "Plants and Fungi", "Bacteria")
NOBODY = "---\ntitle: nothing here\n---\n"


@dataclass(slots=True)
class Files:
    """A source that changes."""

    root: Path
    ticks: int = 0
    stored: dict[str, bytes] = field(default_factory=dict)

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file, with a time of change that no file had before."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode(errors="surrogateescape") if isinstance(text, str) else text)
        self.touch(path)

    def touch(self, path: str) -> None:
        """Give a file another time of change."""
        self.ticks += 1
        os.utime(self.root / path, ns=(OLD + self.ticks, OLD + self.ticks))

    def text(self, path: str) -> str:
        return (self.root / path).read_bytes().decode("utf-8", "surrogateescape")

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        text = change(self.text(path))
        self.write(path, text.encode("utf-8", "surrogateescape"))

    def remove(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)

    def names(self, pattern: str) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(pattern))

    def records(self) -> list[str]:
        return self.names("_figures/*.md")

    def tables(self, kind: str = "*") -> list[str]:
        return self.names(f"_data/*-{kind}.tsv")


def small(root: Path, figures: int = 40, *, seed: int = 1, fixtures: bool = True) -> Files:
    """Return a source of made-up figures, and of those fixtures that are checkouts."""
    corpus_build.build(root, figures, seed)
    files = Files(root)
    for fixture in sorted(FIXTURES.iterdir()) if fixtures else ():
        for path in sorted(fixture.rglob("*")) if fixture.is_dir() else ():
            name = path.relative_to(fixture).as_posix()
            if path.is_file() and name.startswith("_"):
                if name.endswith("_map.tsv"):
                    (root / name).write_bytes((root / name).read_bytes() + path.read_bytes())
                elif not (root / name).exists():
                    shutil.copyfile(path, root / name)
    for name in files.names("_*/*"):
        files.touch(name)
    return files


def options(
    *,
    shard_records: int = 1000,
    compress: str = "none",
    nquads: bool = False,
    limit: int | None = None,
    **other: object,
) -> Options:
    """Return options that refuse nothing."""
    settings = Settings(max_rejected=1, max_rejected_rows=1, shard_records=shard_records)
    if "image_pattern" in other:
        settings = Settings(str(other.pop("image_pattern")), 1, 1, shard_records)
    return Options(settings=settings, output=Output(compress, nquads), limit=limit, **other)  # type: ignore[arg-type]


def build(
    files: Files | Path, out: Path, asked: Options | None = None, *, full: bool = False, workers: int = 1
) -> Built:
    """Build, bringing what is there up to date unless `full`."""
    root = files.root if isinstance(files, Files) else files
    return pipeline.build(str(root), out, asked or options(), workers=workers, use_cache=not full)


def contents(out: Path) -> dict[str, bytes]:
    """Return all files of a build that must be the same for the same source."""
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name not in ("run.json", ".cache")}


def same(found: Path, expected: Path) -> None:
    """Assert that two builds are equal, byte for byte."""
    one, two = contents(found), contents(expected)
    assert one.keys() == two.keys()
    assert [name for name in two if one[name] != two[name]] == []


def no_debris(folder: Path, *names: str) -> None:
    """Assert that a folder holds nothing but what is named."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


# Changes. Each takes a source and a random number generator, and does something to some file.


def title(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.records())
    files.edit(path, lambda text: _with_field(text, "figtitle", f"Title no. {rng.randrange(10**6)}"))


def caption(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.records())
    files.edit(path, lambda text: _with_field(text, "caption", rng.choice(("", "NA", f"Caption {rng.random()}"))))


def paper_field(files: Files, rng: random.Random) -> None:
    name = rng.choice(("year", "papertitle", "doi", "journal_title", "journal_nlm_ta", "publisher_name", "keywords"))
    value = {"year": "'1999'", "doi": f"10.1000/{rng.choice('aAbB')}"}.get(name, f"Said {rng.randrange(3)}")
    for path in rng.sample(files.records(), 3):
        files.edit(path, lambda text: _with_field(text, name, value))


def organism_names(files: Files, rng: random.Random) -> None:
    for path in rng.sample(files.records(), 3):
        names = "".join(f"\n- {name}" for name in rng.sample(NAMES, rng.randrange(1, 3)))
        files.edit(path, lambda text, names=names: _with_field(text, "organisms", names.lstrip(" ")))  # type: ignore[misc]


def rows_added(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.tables())
    lines = files.text(path).split("\n")
    other = files.text(rng.choice(files.tables(path.rpartition("-")[2].removesuffix(".tsv")))).split("\n")
    files.write(path, "\n".join([lines[0], *rng.sample(other[1:], min(2, len(other[1:]))), *lines[1:]]))


def rows_removed(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.tables())
    lines = files.text(path).split("\n")
    files.write(path, "\n".join([lines[0], *(line for line in lines[1:] if rng.random() < 0.7)]))


def cells(files: Files, rng: random.Random) -> None:
    """Change the symbol, the organism's name or its group in one row, one table or all rows of one gene or taxon."""
    tables = files.tables("genes")
    column, value = rng.choice(
        [(5, f"SYM{rng.randrange(3)}"), (1, rng.choice(NAMES)), (2, rng.choice(GROUPS)), (5, "two  words\\n")]
    )
    rows = [line.split("\t") for path in tables for line in files.text(path).split("\n")[1:] if line.count("\t") >= 8]
    picked = rng.choice(rows)
    key = 6 if column == 5 else 0
    times = rng.choice((1, 2, 10**6))
    for path in rng.sample(tables, len(tables)):
        lines = files.text(path).split("\n")
        changed = False
        for number, line in enumerate(lines[1:], 1):
            parts = line.split("\t")
            if times and len(parts) > 8 and parts[key] == picked[key] and parts[column] != value:
                parts[column] = value
                lines[number] = "\t".join(parts)
                changed, times = True, times - 1
        if changed:
            files.write(path, "\n".join(lines))


def page_added(files: Files, rng: random.Random) -> None:
    name = rng.choice(NAMES)
    taxid = rng.choice(("", "'9606'", "'10090'", f"'99{rng.randrange(3)}'"))
    image = rng.choice(("", "http://images.example.org/1", "http://images.example.org/2"))
    files.write(
        f"_organisms/{rng.choice(('page-a', 'page-b', 'page-c'))}.md",
        f"---\ncommon: C{rng.randrange(2)}\nlatin: {name}\nncbi: {taxid}\ntitle: x\ngroup: {rng.choice(GROUPS)}\n"
        f"image: {image}\n---\n",
    )


def page_changed(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.names("_organisms/*.md"))
    files.edit(path, lambda text: re.sub(r"(?m)^ncbi: .*", f"ncbi: '{rng.choice((9606, 10090, 7, 'x'))}'", text))


def page_removed(files: Files, rng: random.Random) -> None:
    files.remove(rng.choice(files.names("_organisms/*.md")))


def map_lines(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.names("_data/*_map.tsv"))
    lines = [line for line in files.text(path).split("\n") if line]
    figid = Path(rng.choice(files.records())).stem
    new = (
        f"{figid}\tWP{rng.randrange(1, 99)}"
        if "wpid" in path
        else f"{figid}\t{rng.getrandbits(32):08x}-1111-4111-8111-000000000001"
    )
    match rng.randrange(3):
        case 0:
            lines.insert(rng.randrange(len(lines) + 1), new)
        case 1 if lines:
            lines.pop(rng.randrange(len(lines)))
        case _ if lines:
            lines[rng.randrange(len(lines))] = new
    files.write(path, "\n".join(lines) + "\n")


def figure_removed(files: Files, rng: random.Random) -> None:
    records = files.records()
    drop(files, rng.choice((records[0], records[-1], rng.choice(records))))


def paper_removed(files: Files, rng: random.Random) -> None:
    paper = Path(rng.choice(files.records())).name.partition("__")[0]
    for path in files.names(f"_figures/{paper}__*.md"):
        drop(files, path)


def figure_added(files: Files, rng: random.Random) -> None:
    """Add a copy of a figure: to its own paper, before or after all of it, or to a paper that begins like another."""
    path = rng.choice(files.records())
    own = Path(path).name.partition("__")[0]
    paper = rng.choice((own, "PMC1", "PMC10", "PMC100", "PMC1000", "PMC99999999"))
    clone(files, path, f"{paper}__{rng.choice(('0a', 'm', 'zz', 'x.y-genes'))}{rng.randrange(3)}")


def broken(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.records())
    files.stored[path] = (files.root / path).read_bytes()
    files.write(
        path, rng.choice(("---\nfigid: [\n---\n", "", NOBODY, files.text(path)[:40], "---\nfigid: x\npmcid: y\n---\n"))
    )


def mended(files: Files, rng: random.Random) -> None:
    if files.stored:
        path = rng.choice(sorted(files.stored))
        files.write(path, files.stored.pop(path))


def duplicate(files: Files, rng: random.Random) -> None:
    path = rng.choice(files.records())
    text = files.text(path)
    other = f"_figures/{rng.choice(('AAA', 'zzz'))}{rng.randrange(9)}.md"
    files.write(
        other,
        (text if rng.random() < 0.5 else _with_field(text, "figtitle", "Twin")).encode("utf-8", "surrogateescape"),
    )


def orphan(files: Files, rng: random.Random) -> None:
    name = f"_data/PMC77__orphan{rng.randrange(3)}-genes.tsv"
    if (files.root / name).exists():
        files.remove(name)
    else:
        files.write(name, files.text(rng.choice(files.tables("genes"))))


def foreign(files: Files, rng: random.Random) -> None:
    """Let two records speak of one address that is none of the graph's own."""
    node = rng.choice(("https://things.example.org/1", "https://images.example.net/i/PMC100001/x.jpg"))
    name = f"Some body {rng.randrange(3)}"
    usual = "\n  '@context': https://schema.org/\n  '@type': Dataset\n  license: CC0"
    block = f"{usual}\n  funder:\n    '@id': {node}\n    name: {name}"
    for path in rng.sample(files.records(), 2):
        files.edit(path, lambda text: _with_field(text, "schema-jsonld", block))


def alias(files: Files, rng: random.Random) -> None:
    for path in rng.sample(files.records(), rng.randrange(1, 4)):
        files.edit(path, lambda text: _with_field(text, "figid_alias", rng.choice(("PMC1__F1", "PMC1__F2"))))


def touched(files: Files, _rng: random.Random) -> None:
    for path in files.names("_*/*"):
        files.touch(path)


def same_size(files: Files, rng: random.Random) -> None:
    path = rng.choice([*files.records(), *files.tables()])
    files.edit(path, lambda text: text[:-30] + text[-30:].swapcase())


CHANGES: tuple[Callable[[Files, random.Random], None], ...] = (
    title,
    caption,
    paper_field,
    organism_names,
    rows_added,
    rows_removed,
    cells,
    cells,
    cells,
    page_added,
    page_changed,
    page_removed,
    map_lines,
    figure_removed,
    paper_removed,
    figure_added,
    figure_added,
    broken,
    mended,
    duplicate,
    orphan,
    foreign,
    alias,
    touched,
    same_size,
)


def change(files: Files, rng: random.Random, times: int) -> list[str]:
    """Make some changes; return their names."""
    chosen = [rng.choice(CHANGES) for _ in range(times)]
    for one in chosen:
        one(files, rng)
    return [one.__name__ for one in chosen]


def drop(files: Files, path: str) -> None:
    """Remove a record and its tables."""
    for table in files.names(f"_data/{Path(path).stem}-*.tsv"):
        files.remove(table)
    files.remove(path)


def clone(files: Files, path: str, figid: str) -> None:
    """Add a copy of a record, with its tables, under another figid."""
    text = _with_field(files.text(path), "figid", figid)
    text = _with_field(text, "pmcid", figid.partition("__")[0])
    files.write(f"_figures/{figid}.md", text.encode("utf-8", "surrogateescape"))
    for table in files.names(f"_data/{Path(path).stem}-*.tsv"):
        files.write(f"_data/{figid}-{table.rpartition('-')[2]}", (files.root / table).read_bytes())


def _with_field(text: str, name: str, value: str) -> str:
    """Return a record with a field set, in its place or as the last one."""
    line = f"{name}:{value}\n" if value.startswith("\n") else f"{name}: {value}\n"
    pattern = re.compile(rf"^{re.escape(name)}:.*\n(?:(?:[ ]|- ).*\n)*", re.MULTILINE)
    if pattern.search(text):
        return pattern.sub(lambda _: line, text, count=1)
    head, mark, rest = text.rpartition("\n---")
    return f"{head}\n{line}---{rest}" if mark else text
