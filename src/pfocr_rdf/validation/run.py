"""Runs all checks over a release: which module does which, what runs beside what, one report.

A check with a query is run by `sparql`, one with shapes by `stream`, one without body by `stream` where it must look
at each triple, else by the function that a module of this package lists in its `CHECKS` under the check's id.

One job loads the store and asks it everything; meanwhile other processes hash files and stream over ranges of the
layers. What is found does not depend on the number of processes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pfocr_rdf import validation
from pfocr_rdf.validation import checks, stream
from pfocr_rdf.validation.checks import Check, Way
from pfocr_rdf.validation.findings import Finding, NotRun, Outcome, Report
from pfocr_rdf.validation.options import Options
from pfocr_rdf.validation.release import Damaged, Function, Release
from pfocr_rdf.workers import default_engine

BESIDE = ("figurewise", "files", "spellings")
"""Modules whose functions need no store, and are run beside it."""

Start = Callable[[int], Callable[[int], None]]
"""Begins a progress bar with a total, and returns what moves it on."""

_AT_ONCE = 10_000
"""Findings of a function that are taken at once."""


@dataclass(frozen=True, slots=True)
class Job:
    """Some checks of a release, to be run one after the other with one store."""

    folder: Path
    options: Options
    ids: tuple[str, ...]


@dataclass(slots=True)
class _Broken(Outcome):
    """A check that ended in an error: no wonder on damaged layers, but raised again when the layers are sound."""

    error: Exception | None = None


@cache
def functions() -> dict[str, tuple[str, Function]]:
    """Return the functions of checks without body, by id, each with the name of its module.

    Raises `ValueError` when two modules claim one check.
    """
    found: dict[str, tuple[str, Function]] = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(validation.__path__)):
        if module == __name__.rpartition(".")[2]:
            continue
        claimed: dict[str, Function] = getattr(importlib.import_module(f"{__package__}.{module}"), "CHECKS", {})
        if twice := sorted(found.keys() & claimed.keys()):
            raise ValueError(f"{module}: {', '.join(twice)} are another module's checks too")
        found |= {check: (module, function) for check, function in claimed.items()}
    return found


def validate(
    release: Path,
    options: Options,
    *,
    workers: int | None = None,
    start: Start | None = None,
    task_triples: int = stream.TASK_TRIPLES,
) -> Report:
    """Run all checks and return what they found, one outcome for each check, by number.

    `options` are inputs from outside; checks that need one that is not given are not run. Raises `UsageError` when
    `release` is no build, or an input from outside cannot be read.
    """
    opened = Release.open(release)
    layers, faults = stream.index(opened)
    ranges = [] if faults else stream.cut(opened, layers, task_triples)
    chosen = [check for check in checks.all_checks() if not options.lacking(check.needs)]
    outcomes = {check.id: Outcome(check) for check in checks.all_checks()}
    for check in checks.all_checks():
        outcomes[check.id].reason = _why_not(check, options)
    tally = stream.Tally()
    jobs: list[Job | stream.Range] = [*_jobs(opened.folder, options, chosen), *ranges]
    advance = start(sum(map(_weight, jobs))) if start else lambda _: None
    with default_engine(workers) as engine:
        for job, done in engine.map(_do, jobs):
            if isinstance(done, stream.Tally):
                tally.merge(done)
            else:
                outcomes |= {outcome.check.id: outcome for outcome in done}
            advance(_weight(job))
    _take_stream(outcomes, tally, [*faults, *(stream.counts(opened, tally.triples) if not faults else ())])
    for outcome in outcomes.values():
        if isinstance(outcome, _Broken) and outcome.error and not outcomes[stream.READ].count:
            raise outcome.error
    return Report([outcomes[check.id] for check in checks.all_checks()])


def _weight(job: Job | stream.Range) -> int:
    """Return how much of the progress a job is, about: triples."""
    return job.triples if isinstance(job, stream.Range) else stream.TASK_TRIPLES


def _why_not(check: Check, options: Options) -> str:
    """Return why a check is not run, or an empty text."""
    if lacking := options.lacking(check.needs):
        return f"needs {', '.join(lacking)}"
    if check.way is Way.CODE and check.id not in stream.OWN and check.id not in functions():
        return "has no function"
    return ""


def _jobs(folder: Path, options: Options, chosen: Iterable[Check]) -> list[Job]:
    """Return the jobs beside the stream: what asks the store, and what does not need it."""
    asked: list[str] = []
    beside: list[str] = []
    for check in chosen:
        if check.way is Way.CODE and check.id in functions():
            (beside if functions()[check.id][0] in BESIDE else asked).append(check.id)
        elif check.way is Way.SPARQL:
            asked.append(check.id)
    return [Job(folder, options, tuple(found)) for found in (asked, beside) if found]


def _do(job: Job | stream.Range) -> tuple[Job | stream.Range, list[Outcome] | stream.Tally]:
    """Do a job, in any process."""
    return job, stream.look(job) if isinstance(job, stream.Range) else run(job)


def run(job: Job) -> list[Outcome]:
    """Run the checks of a job over the release as it is now."""
    release = Release.open(job.folder)
    by_id = {check.id: check for check in checks.all_checks()}
    try:
        return [_outcome(by_id[name], release, job.options) for name in job.ids]
    finally:
        release.close()


def _outcome(check: Check, release: Release, options: Options) -> Outcome:
    """Return how one check ended; when the store cannot be loaded, why it was not run.

    A check that ends in an error is `_Broken`: the layers may be to blame, or what was given from outside.
    """
    try:
        if check.way is Way.SPARQL:
            outcome: Outcome = importlib.import_module(f"{__package__}.sparql").run(check, release.store())
            return outcome
        found = functions()[check.id][1](release, options)
        if isinstance(found, NotRun):
            return Outcome(check, reason=found.reason)
        outcome = Outcome(check)
        for findings in _pieces(iter(found)):
            outcome.add(findings)
        return outcome
    except Damaged as error:
        return Outcome(check, reason=f"the layers cannot be loaded: {error}")
    except Exception as error:  # code that trusts its files may fail anywhere when they are damaged
        return _Broken(check, reason=f"the layers cannot be used; see {stream.READ}", error=error)


def _pieces(found: Iterator[Finding]) -> Iterator[list[Finding]]:
    """Yield findings in lists that fit in memory."""
    while piece := [finding for _, finding in zip(range(_AT_ONCE), found, strict=False)]:
        yield piece


def _take_stream(outcomes: dict[str, Outcome], tally: stream.Tally, faults: list[Finding]) -> None:
    """Put what the streaming pass found into outcomes; with faults of the files as a whole, it was not done."""
    outcomes[stream.READ].add(faults)
    ran = bool(tally.triples)
    for outcome in outcomes.values():
        check = outcome.check
        if check.way is not Way.SHACL and check.id not in stream.OWN:
            continue
        found = tally.examples.get(check.id, [])
        outcome.add(found, tally.counts.get(check.id, 0) - len(found))
        if not ran and check.id != stream.READ:
            outcome.reason = f"the layers cannot be read; see {stream.READ}"
