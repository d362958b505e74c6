"""What the tests of the report share: releases to report on, and outcomes of checks."""

from __future__ import annotations

from pathlib import Path

from benchmarks import corpus_build
from pfocr_rdf import build
from pfocr_rdf.pipeline import Options
from pfocr_rdf.shards import Output
from pfocr_rdf.validation.checks import Check, Severity, Way
from pfocr_rdf.validation.findings import Finding, Outcome
from tests.support import ROOT, SEEDS

EXAMPLE = ROOT / "docs" / "example"
FIGURE = "https://pfocr.wikipathways.org/figures/PMC9100001__aqs-12-0045-g003.html"


def check(number: int, severity: Severity, title: str = "what it looks for") -> Check:
    return Check(f"Q{number}", "name", title, severity, Way.SPARQL, ("structure",), "What.", "Why.", "Mend.", "", "")


def outcome(number: int, severity: Severity, *findings: Finding, reason: str = "") -> Outcome:
    made = Outcome(check(number, severity), reason=reason)
    made.add(findings)
    return made


def build_releases(folder: Path) -> dict[str, Path]:
    """Builds by name: the example, a generated corpus with compressed layers and PubMed ids, and the seed."""
    corpus_build.build(folder / "source", 300, 3)
    numbers = sorted({path.name.partition("__")[0] for path in (folder / "source" / "_figures").iterdir()})[::2]
    lines = ["PMCID,PMID", *(f"{pmcid},{number}" for number, pmcid in enumerate(numbers, 1))]
    (folder / "ids.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    options = Options(pmc_ids=folder / "ids.csv", output=Output("zstd", False))
    return {
        "example": build(str(EXAMPLE), folder / "example", Options()).folder,
        "corpus": build(str(folder / "source"), folder / "corpus", options).folder,
        "seeds": build(str(SEEDS), folder / "seeds", Options()).folder,
    }
