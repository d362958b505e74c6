"""pfocr-rdf side by side with the obvious program and with its peers, on one corpus.

In each round every way runs once, in turn; the table gives medians. In the first round the triples of every way are
compared with ours, and one that says something else ends the benchmark. What is covered by a way, see `WAYS`. Ours
always makes everything, so against a way that covers less it does more. Preparation counts; making environments
and corpora does not. For rdflib's serialiser the time is that of the writing alone, and the memory includes the
graph that it writes.

    python benchmarks/bench_peers.py --figures 2000 10000 --rounds 3 --markdown
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it also runs as a program

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import pfocr_rdf  # noqa: E402
from benchmarks import measure  # noqa: E402
from benchmarks.peers import comparing, environments  # noqa: E402

PROCESSES = 2
ONTOLOGY = ("ontology",)
NO_JSONLD = ("ontology", "compat")
DISSENT = (comparing.DISSENT,)


@dataclass(frozen=True, slots=True)
class Way:
    """A program: its environment, its arguments, and what of our triples it covers.

    `without` names the layers that it does not make, `left_out` the predicates; `layered` says that it tells layers
    apart. `needs_build` gives it our build in the place of the source.
    """

    name: str
    says: str
    environment: str
    arguments: Callable[[Path, Path], list[str]]
    without: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    layered: bool = True
    needs_build: bool = False


def _module(name: str, *options: str) -> Callable[[Path, Path], list[str]]:
    return lambda source, out: ["-m", f"benchmarks.peers.{name}", str(source), str(out), *options]


def _ours(source: Path, out: Path) -> list[str]:
    return ["-c", "from pfocr_rdf.cli import main; main()", "-q", "build", str(source), "--out", str(out)]


WAYS = [
    Way("ours", "all layers", "", _ours),
    Way(
        "obvious",
        "rdflib, pyld, PyYAML (pure); all but ontology and dissents",
        "obvious",
        _module("obvious"),
        ONTOLOGY,
        DISSENT,
    ),
    Way(
        "obvious-c",
        "the same with PyYAML's C loader",
        "obvious",
        _module("obvious", "--c-yaml"),
        ONTOLOGY,
        DISSENT,
    ),
    Way(
        "morph-kgc",
        f"RML over CSV, {PROCESSES} processes; all but ontology, compat and dissents",
        "morph-kgc",
        _module("run_morph_kgc", "--processes", str(PROCESSES)),
        NO_JSONLD,
        DISSENT,
        layered=False,
    ),
    Way(
        "maplib",
        "OTTR over polars frames; all but ontology, compat and dissents",
        "maplib",
        _module("run_maplib"),
        NO_JSONLD,
        DISSENT,
        layered=False,
    ),
    Way(
        "rdflib-turtle",
        "writing alone, graphs in memory; all layers",
        "rdflib",
        _module("run_rdflib", "--format", "turtle"),
        needs_build=True,
    ),
    Way(
        "rdflib-nt",
        "writing alone, graphs in memory; all layers",
        "rdflib",
        _module("run_rdflib", "--format", "nt"),
        needs_build=True,
    ),
]
PACKAGES = {
    "obvious": ("rdflib", "PyLD", "PyYAML"),
    "morph-kgc": ("morph_kgc", "pandas", "PyYAML"),
    "maplib": ("maplib", "polars", "PyYAML"),
    "rdflib": ("rdflib",),
}


@dataclass(slots=True)
class Result:
    """What a way cost on one corpus, a number for each round; `too_long` is true when it met the time limit."""

    way: str
    figures: int
    triples: int = 0
    same: bool = False
    too_long: bool = False
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    preparation_seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> dict[str, float]:
        """The medians over the rounds, and the rates that follow from them."""
        seconds = statistics.median(self.seconds)
        return {
            "seconds": seconds,
            "cpu_seconds": statistics.median(self.cpu_seconds),
            "peak_bytes": statistics.median(self.peak_bytes),
            "figures_per_second": self.figures / seconds,
            "triples_per_second": self.triples / seconds,
        }


class Different(Exception):
    """A way does not say what ours says."""


class Bench:
    """Runs ways on one corpus, in a folder of its own."""

    def __init__(self, source: Path, work: Path, limit: float) -> None:
        """Measure on `source`, writing below `work`; a run may take `limit` seconds."""
        self.source, self.work, self.limit = source, work, limit
        self.figures = len(list((source / "_figures").glob("*.md")))
        self.build = work / "reference"
        self.expected: dict[tuple[object, ...], Path] = {}

    def prepare(self) -> None:
        """Make our build that the others are compared with."""
        measure.run([sys.executable, *_ours(self.source, self.build)], cwd=ROOT)

    def run(self, way: Way, result: Result) -> str:
        """Run a way once and add what it cost; in the first round compare what it wrote. Return a word on it."""
        python = environments.ensure(way.environment) if way.environment else Path(sys.executable)
        given = self.build if way.needs_build else self.source
        with tempfile.TemporaryDirectory(dir=self.work) as folder:
            out = Path(folder) / "out"
            try:
                cost = measure.run([python, *way.arguments(given, out)], timeout=self.limit, cwd=ROOT)
            except subprocess.TimeoutExpired:
                result.too_long = True
                return "over the limit"
            said: dict[str, float] = json.loads(cost.stdout.splitlines()[-1]) if cost.stdout.strip() else {}
            if not result.seconds:
                result.triples = self._compare(way, out, Path(folder))
                result.same = True
            result.seconds.append(said.get("seconds", cost.seconds))
            result.cpu_seconds.append(said.get("cpu_seconds", cost.cpu_seconds))
            result.peak_bytes.append(cost.peak_bytes)
            if "preparation_seconds" in said:
                result.preparation_seconds.append(said["preparation_seconds"])
            return f"{result.seconds[-1]:.1f} s"

    def _compare(self, way: Way, out: Path, folder: Path) -> int:
        """Return the number of triples of a way; raise `Different` where they are not ours."""
        files = comparing.layer_files(out) or {"": out / "triples.nt"}
        here = comparing.sorted_lines(files, folder / "here", layered=way.layered, without=way.left_out)
        covered = (way.without, way.left_out, way.layered)
        if covered not in self.expected:
            self.expected[covered] = comparing.sorted_lines(
                comparing.layer_files(self.build, way.without),
                self.work / f"expected-{len(self.expected)}",
                layered=way.layered,
                without=way.left_out,
            )
        found = comparing.compare(here, self.expected[covered])
        if not found.same:
            counts = f"{found.only_here:,} triples more, {found.only_expected:,} less"
            raise Different("\n".join([f"{way.name} says something else: {counts}", *found.examples]))
        return found.triples


def measured(source: Path, ways: list[Way], rounds: int, limit: float, console: Console) -> list[Result]:
    """Run all ways on a corpus, in turn in each round; return what they cost.

    Raises `Different` when one of them does not say what ours says.
    """
    for way in ways:
        if way.environment:
            environments.ensure(way.environment)
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        bench = Bench(source, Path(folder), limit)
        bench.prepare()
        results = [Result(way.name, bench.figures) for way in ways]
        for number in range(rounds):
            for way, result in zip(ways, results, strict=True):
                if not result.too_long:
                    last = bench.run(way, result)
                    console.print(f"{bench.figures:,} figures, round {number + 1}, {way.name}: {last}")
    return results


COSTS = ("s", "of it preparing", "CPU s", "figures/s", "triples", "triples/s", "peak MiB")
HEADER = ("way", "figures", *COSTS, "time", "triples/s", "memory")


def rows(results: list[Result], limit: float) -> list[list[str]]:
    """Return the table's rows: medians, and how many times ours is better (time, triples per second, memory)."""
    ours = {result.figures: result.median for result in results if result.way == "ours" and result.seconds}
    table = []
    for result in results:
        row = [result.way, f"{result.figures:,}"]
        if result.too_long:
            row += [f"over {limit:,.0f}", *["" for _ in HEADER[3:]]]
        else:
            median = result.median
            base = ours.get(result.figures)
            prepared = result.preparation_seconds
            row += [f"{median['seconds']:,.2f}", f"{statistics.median(prepared):,.2f}" if prepared else ""]
            row.append(f"{median['cpu_seconds']:,.2f}")
            row += [f"{median['figures_per_second']:,.0f}", f"{result.triples:,}"]
            row += [f"{median['triples_per_second']:,.0f}", f"{median['peak_bytes'] / 2**20:,.0f}"]
            if base is None:
                row += ["", "", ""]
            else:
                row.append(f"{median['seconds'] / base['seconds']:.2f}")
                row.append(f"{base['triples_per_second'] / median['triples_per_second']:.2f}")
                row.append(f"{median['peak_bytes'] / base['peak_bytes']:.2f}")
        table.append(row)
    return table


def markdown(results: list[Result], ways: list[Way], rounds: int, limit: float) -> str:
    """Return the section for RESULTS.md."""
    about = environments.machine()
    lines = [
        f"{about['processor']}, {about['cores']} cores, {about['memory']}, {about['system']}, "
        f"Python {about['python']}, pfocr-rdf {pfocr_rdf.__version__}; {rounds} rounds, medians.",
        "",
        *(f"- {way.name}: {way.says}{_versions(way)}." for way in ways),
        "",
        "The last three columns say how many times the way takes ours: seconds, triples per second, peak memory",
        "(over 1, ours is better).",
        "",
        f"| {' | '.join(HEADER)} |",
        f"|---|{'---:|' * (len(HEADER) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows(results, limit)),
    ]
    return "\n".join(lines) + "\n"


def _versions(way: Way) -> str:
    if not way.environment:
        return ""
    versions = environments.pinned(way.environment, *PACKAGES[way.environment])
    return " (" + ", ".join(f"{name} {version}" for name, version in versions.items()) + ")"


def document(results: list[Result], rounds: int, limit: float) -> dict[str, Any]:
    """Return everything measured, for `--json`."""
    return {
        "machine": environments.machine(),
        "versions": {
            "pfocr-rdf": pfocr_rdf.__version__,
            **{name: environments.pinned(name, *packages) for name, packages in PACKAGES.items()},
        },
        "rounds": rounds,
        "limit_seconds": limit,
        "results": [asdict(result) | {"median": result.median if result.seconds else None} for result in results],
    }


def main() -> None:
    """Measure and print the table."""
    names = [way.name for way in WAYS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=int, nargs="+", default=[2_000, 10_000], metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=names, default=names, metavar="WAY")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="a checkout to measure on, instead of made ones")
    parser.add_argument("--limit", type=float, default=1_800, help="seconds that one run may take (%(default)s)")
    parser.add_argument("--context", type=Path, help="adds the way obvious-context, under this document")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", action="store_true", help="print the table for RESULTS.md")
    options = parser.parse_args()
    ways = [way for way in WAYS if way.name in options.ways]
    if options.context:
        arguments = _module("obvious", "--c-yaml", "--context", str(options.context.resolve()))
        says = "as obvious-c, under another context document"
        ways.append(Way("obvious-context", says, "obvious", arguments, ONTOLOGY, DISSENT))
    console = Console(stderr=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="bench-corpus-") as folder:
        sources = [options.corpus] if options.corpus else []
        for figures in [] if options.corpus else sorted(options.figures):
            sources.append(Path(folder) / f"corpus-{figures}")
            program = ROOT / "benchmarks" / "corpus.py"
            command = [sys.executable, str(program), str(sources[-1]), "--figures", str(figures), "--seed", "1"]
            subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        for source in sources:
            slow = {result.way for result in results if result.too_long}
            left = [way for way in ways if way.name not in slow]
            try:
                results += measured(source.resolve(), left, options.rounds, options.limit, console)
            except Different as error:
                raise SystemExit(str(error)) from error
            if options.json:
                options.json.write_text(
                    json.dumps(document(results, options.rounds, options.limit), indent=2) + "\n", encoding="utf-8"
                )
    table = Table(*HEADER)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows(results, options.limit):
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if options.markdown:
        print(markdown(results, ways, options.rounds, options.limit))


if __name__ == "__main__":
    main()
