"""The report says what SPARQL says of the same release, and anyone can read its page, which asks for nothing."""

from __future__ import annotations

import builtins
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from typer.testing import CliRunner

from benchmarks import corpus_build
from pfocr_rdf import build, query
from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.pipeline import Options
from pfocr_rdf.report import data, outcomes, page, plots
from pfocr_rdf.report.data import Item, Number, ReportData
from pfocr_rdf.shards import Output
from pfocr_rdf.validation import checks
from pfocr_rdf.validation.checks import Check, Severity, Way
from pfocr_rdf.validation.findings import Finding, Outcome, Report
from tests.browser import Opened, chromium, opened
from tests.support import ROOT, SEEDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EXAMPLE = ROOT / "docs" / "example"
SCREENSHOTS = ROOT / "build" / "screenshots"
FIGURE = "https://pfocr.wikipathways.org/figures/PMC9100001__aqs-12-0045-g003.html"
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\" ' & $x^{$ ]]> {{ 7 * 7 }} -->"

Ask = Callable[[str], list[tuple[str, ...]]]


def check(number: int, severity: Severity, title: str = "what it looks for") -> Check:
    return Check(f"Q{number}", "name", title, severity, Way.SPARQL, ("structure",), "What.", "Why.", "Mend.", "", "")


def outcome(number: int, severity: Severity, *findings: Finding, reason: str = "") -> Outcome:
    made = Outcome(check(number, severity), reason=reason)
    made.add(findings)
    return made


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds by name: the example, a generated corpus with compressed layers and PubMed ids, and the seed."""
    folder = tmp_path_factory.mktemp("releases")
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


@pytest.fixture(scope="module")
def reports(releases: dict[str, Path]) -> dict[str, ReportData]:
    """What there is to say of each release."""
    return {name: data.gather(release) for name, release in releases.items()}


@pytest.fixture(scope="module", params=["example", "corpus", "seeds"])
def both(
    request: pytest.FixtureRequest, releases: dict[str, Path], reports: dict[str, ReportData]
) -> Iterator[tuple[ReportData, Ask]]:
    """What the report says of a release, and the means to ask the same in SPARQL."""
    with query.open_store(releases[request.param]) as store:

        def ask(text: str) -> list[tuple[str, ...]]:
            rows = query.table(query.ask(store, text)).rows
            return [tuple(str(getattr(term, "value", "")) for term in row) for row in rows]

        yield reports[request.param], ask


def numbers(rows: list[tuple[str, ...]]) -> dict[str, int]:
    return {name: int(number) for name, number in rows}


def pairs(rows: list[tuple[str, ...]]) -> dict[str, str]:
    return {first: second for first, second in rows}  # noqa: C416 - rows are of any length for the type checker


CLASSES = {
    "figures": "sio:SIO_000080",
    "papers": "bibo:AcademicArticle",
    "genes": "schema:Gene",
    "chemicals": "schema:ChemicalSubstance",
    "diseases": "schema:MedicalCondition",
    "taxa": "schema:Taxon",
    "mentions": "oa:Annotation",
}


def test_counts_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    for name, cls in CLASSES.items():
        assert ask(f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ ?x a {cls} }}") == [(str(report.count(name)),)]
    layers = numbers(
        ask("SELECT (STRAFTER(STR(?g), 'graph/') AS ?l) (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    )
    assert {number.name: number.now for number in report.layers if number.now} == layers


def test_figures_by_year_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    found = numbers(
        ask(
            "SELECT ?y (COUNT(*) AS ?n) { ?f a sio:SIO_000080 OPTIONAL { ?f schema:datePublished ?d } "
            "BIND (COALESCE(STR(?d), '') AS ?y) } GROUP BY ?y"
        )
    )
    assert dict(report.years) == found
    assert [year for year, _ in report.years] == sorted(found)


def test_figures_by_organism_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    genes = numbers(
        ask(
            "SELECT ?t (COUNT(DISTINCT ?f) AS ?n) { ?f schema:mentions ?g . ?g a schema:Gene ; "
            "schema:taxonomicRange ?t } GROUP BY ?t"
        )
    )
    about = numbers(ask("SELECT ?t (COUNT(DISTINCT ?f) AS ?n) { ?f schema:about ?t } GROUP BY ?t"))
    labels = pairs(ask("SELECT ?t ?l { ?t a schema:Taxon ; rdfs:label ?l }"))
    ranked = sorted({*genes, *about}, key=lambda t: (-genes.get(t, 0), -about.get(t, 0), t))
    expected = [(t, labels[t], genes.get(t, 0), about.get(t, 0)) for t in ranked[: data.TOP_ORGANISMS]]
    assert [(o.iri, o.label, o.genes, o.about) for o in report.organisms] == expected
    assert report.other_organisms == len(ranked[data.TOP_ORGANISMS :])


def test_figures_by_journal_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    found = numbers(
        ask(
            "SELECT ?j (COUNT(DISTINCT ?f) AS ?n) { ?f a sio:SIO_000080 ; dcterms:isPartOf/dcterms:isPartOf ?j } "
            "GROUP BY ?j"
        )
    )
    names = {iri: short or title for iri, short, title in ask(
        "SELECT ?j ?s ?t { ?j a bibo:Journal OPTIONAL { ?j bibo:shortTitle ?s } OPTIONAL { ?j dcterms:title ?t } }"
    )}  # fmt: skip
    ranked = sorted(found, key=lambda j: (-found[j], j))
    top, others = ranked[: data.TOP_JOURNALS], ranked[data.TOP_JOURNALS :]
    assert report.journals.top == tuple(Item(j, names[j], found[j]) for j in top)
    assert (report.journals.others, report.journals.others_figures) == (len(others), sum(found[j] for j in others))
    assert report.journals.without == report.count("figures") - sum(found.values())


@pytest.mark.parametrize("kind", ["genes", "chemicals", "diseases"])
def test_the_most_frequent_are_those_of_the_graph(both: tuple[ReportData, Ask], kind: str) -> None:
    report, ask = both
    layers = {
        "genes": ["links-genes-symbol", "links-genes-synonym", "links-genes-family"],
        "chemicals": ["links-chemicals"],
        "diseases": ["links-diseases"],
    }[kind]
    found: Counter[str] = Counter()
    for layer in layers:
        found.update(
            numbers(
                ask(
                    f"SELECT ?x (COUNT(*) AS ?n) {{ GRAPH pfd:graph\\/{layer} {{ ?f schema:mentions ?x }} }} "
                    "GROUP BY ?x"
                )
            )
        )
    labels = pairs(ask(f"SELECT ?x ?l {{ ?x a {CLASSES[kind]} ; rdfs:label ?l }}"))
    taxa = pairs(ask("SELECT ?x ?l { ?x schema:taxonomicRange/rdfs:label ?l }"))
    limit = data.TOP_GENES if kind == "genes" else data.TOP_OTHERS
    ranked = sorted(found, key=lambda x: (-found[x], x))[:limit]
    shown: tuple[Item, ...] = getattr(report, kind)
    assert [(item.iri, item.count) for item in shown] == [(x, found[x]) for x in ranked]
    assert [item.label for item in shown] == [labels.get(x) or x.rpartition("/")[2] for x in ranked]
    assert [item.note for item in shown] == [taxa.get(x, "") if kind == "genes" else "" for x in ranked]


def test_genes_per_figure_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    found = Counter(
        int(number)
        for _, number in ask(
            "SELECT ?f (COUNT(DISTINCT ?g) AS ?n) { ?f a sio:SIO_000080 "
            "OPTIONAL { ?f schema:mentions ?g . ?g a schema:Gene } } GROUP BY ?f"
        )
    )
    each = sorted(found.elements())
    spread = report.genes_per_figure
    assert (spread.mean, spread.most) == (round(sum(each) / len(each), 2), each[-1])
    assert {b.low: b.count for b in spread.bins if b.count} == Counter(
        1 << n.bit_length() - 1 if n else 0 for n in each
    )
    for share, value in spread.quantiles:
        assert sum(n <= value for n in each) >= share * len(each) > sum(n < value for n in each)
    assert found == Counter(int(n) for (n,) in ask("SELECT ?n { ?f pfocr:geneCount ?n }"))
    most = ask("SELECT ?f ?l ?n { ?f pfocr:geneCount ?n ; rdfs:label ?l FILTER (?n > 0) }")
    ranked = sorted(((f, label, int(n)) for f, label, n in most), key=lambda row: (-row[2], row[0]))[:10]
    assert [(item.iri, item.label, item.count) for item in report.largest] == ranked


def test_levels_and_mentions_are_those_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    layers = {number.name: number.now for number in report.layers}
    assert report.levels == tuple((n, layers[f"links-genes-{n}"]) for n in ("symbol", "synonym", "family"))
    found = {
        (kind, lexicon, level): int(number)
        for kind, lexicon, level, number in ask(
            "SELECT ?kind ?lexicon ?level (COUNT(*) AS ?n) { ?m a oa:Annotation ; dcterms:source ?l . "
            "?l skos:notation ?lexicon OPTIONAL { ?l skos:broader ?b } "
            "BIND (REPLACE(STR(?m), '^.*/([a-z]+)-[0-9a-f]+$', '$1') AS ?kind)"
            "BIND (COALESCE(STRAFTER(STR(?b), 'level-'), '') AS ?level) } GROUP BY ?kind ?lexicon ?level"
        )
    }
    assert {(m.kind, m.lexicon, m.level): m.count for m in report.mentions} == found
    assert sum(found.values()) == report.count("mentions")


def test_coverage_is_that_of_the_graph(both: tuple[ReportData, Ask]) -> None:
    report, ask = both
    links = {
        "a gene, at any level": "?g . ?g a schema:Gene",
        "a gene by symbol": "?g FILTER EXISTS { GRAPH pfd:graph\\/links-genes-symbol { ?x schema:mentions ?g } }",
        "a chemical": "?g FILTER EXISTS { GRAPH pfd:graph\\/links-chemicals { ?x schema:mentions ?g } }",
        "a disease": "?g FILTER EXISTS { GRAPH pfd:graph\\/links-diseases { ?x schema:mentions ?g } }",
        "an organism of the paper": "?g",
        "an NDEx network": "?g FILTER (STRSTARTS(STR(?g), 'https://www.ndexbio.org/'))",
        "a pathway at WikiPathways": "?g FILTER (STRSTARTS(STR(?g), 'https://identifiers.org/wikipathways/'))",
    }
    assert [found.what for found in report.coverage if found.kind == "figures"] == list(links)
    for found in report.coverage:
        end = links.get(found.what, f"?g FILTER (STRSTARTS(STR(?g), '{found.what}'))")
        text = f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ ?x a {CLASSES[found.kind]} ; {found.predicate} {end} }}"
        assert ask(text) == [(str(found.count),)], found
        assert found.total == report.count(found.kind)
    rows = ask("SELECT ?p (STR(?o) AS ?i) { GRAPH pfd:graph\\/xrefs { ?s ?p ?o } }")
    shown = {(found.predicate, found.what) for found in report.coverage}
    for predicate, iri in rows:
        verb = predicate.replace("http://www.w3.org/2004/02/skos/core#", "skos:")
        assert any(verb == p and iri.startswith(what) for p, what in shown)


def test_pubmed_ids_are_counted_where_their_layer_is(reports: dict[str, ReportData]) -> None:
    with_ids, without = reports["corpus"], reports["example"]
    share = {name: [c for c in d.coverage if "pubmed" in c.what] for name, d in (("w", with_ids), ("o", without))}
    assert with_ids.pubmed
    assert 0 < share["w"][0].count < share["w"][0].total
    assert not without.pubmed
    assert share["o"][0].count == 0
    assert "PubMed ids are not part of this release" in page.render(without)
    assert "PubMed ids are not part of this release" not in page.render(with_ids)


def test_problems_are_those_of_the_lists_with_advice_and_place(
    releases: dict[str, Path], reports: dict[str, ReportData]
) -> None:
    for name in ("example", "corpus"):
        report = reports[name]
        manifest = json.loads((releases[name] / "manifest.json").read_text(encoding="utf-8"))
        assert {r.code: r.times for r in report.rejected} == manifest["problems"]["rejected"]
        assert {r.code: r.times for r in report.warnings} == manifest["problems"]["warnings"]
        assert all(reason.advice and reason.kinds and reason.examples for reason in report.rejected + report.warnings)
        assert report.accounts == manifest["accounts"]
    example = reports["example"]
    assert example.warnings[0].examples[0] == "_figures/PMC9100001__aqs-12-0045-g003.md:8 organisms aquatic metagenome"


def test_the_release_before_stands_beside(releases: dict[str, Path]) -> None:
    report = data.gather(releases["corpus"], previous=releases["example"], version="20250101")
    assert report.counts[0] == Number("figures", 300, 6)
    assert {n.name: n.before for n in report.layers}["xrefs-pubmed"] == 0
    assert (report.previous, report.release.version) == (data.Release.of(_manifest(releases["example"])), "20250101")
    text = page.changed(report)
    assert "figures +294 (+4,900.0\u00a0%)" in text
    assert page.changed(data.gather(releases["example"])).startswith("No earlier release")
    same = page.changed(data.gather(releases["example"], previous=releases["example"]))
    assert same.endswith("none of the counts has changed.")


def _manifest(release: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("before", "now", "text", "marked"),
    [
        (None, 5, "", False),
        (5, 5, "±0", False),
        (100, 109, "+9 (+9.0\u00a0%)", False),
        (100, 90, "\N{MINUS SIGN}10 (\N{MINUS SIGN}10.0\u00a0%)", True),
        (0, 3, "+3", True),
    ],
)
def test_a_change_of_a_tenth_is_marked(before: int | None, now: int, text: str, marked: bool) -> None:
    number = Number("figures", now, before)
    assert (page.difference(number), page.notable(number)) == (text, marked)


def test_the_version_is_the_day_of_the_source_unless_given() -> None:
    source = {"kind": "git", "revision": "abc", "date": "2025-03-04T23:00:00+00:00", "content_sha256": "f" * 64}
    manifest = {"source": source, "tool": {"name": "pfocr-rdf", "version": "1.0"}}
    assert data.Release.of(manifest).version == "20250304"
    assert data.Release.of(manifest, "20250304-r2").version == "20250304-r2"
    assert page.name_of(data.Release.of({**manifest, "source": {**source, "date": None}})) == (
        "a build without version (ffffffff)"
    )


def test_quantiles_of_nothing_and_of_one() -> None:
    assert data.distribution(Counter()) == data.Distribution(0.0, 0, (), (data.Bin(0, 0, 0),))
    one = data.distribution(Counter({5: 1}))
    assert [value for _, value in one.quantiles] == [5] * len(data.QUANTILES)
    assert [(b.low, b.high) for b in one.bins] == [(0, 0), (1, 1), (2, 3), (4, 7)]


VERDICTS = [
    (None, "open", "Not checked."),
    (Report([outcome(1, Severity.VIOLATION, reason="no network")]), "open", "Not checked."),
    (Report([outcome(1, Severity.VIOLATION)]), "good", "All 1 check passed and found nothing."),
    (
        Report([outcome(1, Severity.VIOLATION), outcome(2, Severity.WARNING, Finding(FIGURE))]),
        "good",
        "1 of 2 checks list 1 oddity of the source.",
    ),
    (
        Report([outcome(1, Severity.VIOLATION, Finding(FIGURE)), outcome(2, Severity.WARNING, reason="no list")]),
        "bad",
        "1 check of 1 found 1 violation: this must not be published. 1 check could not be run.",
    ),
]


@pytest.mark.parametrize(("report", "mark", "said"), VERDICTS, ids=range(len(VERDICTS)))
def test_the_verdict_is_said_in_words(report: Report | None, mark: str, said: str) -> None:
    found = page.verdict(report)
    assert found[0] == mark
    assert said in " ".join(found[1:])


def test_the_verdict_stands_at_the_head(reports: dict[str, ReportData]) -> None:
    text = page.render(replace(reports["example"], checks=VERDICTS[-1][0]))
    head = text.partition("<nav")[0]
    assert '<p class="verdict bad"><strong>Does not conform.</strong> 1 check of 1 found 1 violation' in head
    assert "No earlier release was given to compare with." in head


def test_examples_of_checks_lead_to_the_pages_of_their_figures() -> None:
    mention = "https://w3id.org/pfocr/mention/PMC9100001__aqs-12-0045-g003/gene-275b64be580a"
    assert page.place(FIGURE) == ("PMC9100001__aqs-12-0045-g003", FIGURE)
    assert page.place(mention) == ("PMC9100001__aqs-12-0045-g003, gene-275b64be580a", FIGURE)
    assert page.place("pfocr-core.ttl") == ("pfocr-core.ttl", "")
    for hostile in ("javascript:alert(1)", "data:text/html,x", 'https://a"onclick=', "https://a b", "//evil.example"):
        assert page.address(hostile) == ""


def test_validation_is_read_back_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "all_checks", lambda: (check(2, Severity.WARNING),))
    report = Report(
        [
            outcome(2, Severity.WARNING, *(Finding(FIGURE, str(n), "wrong", "core") for n in range(30))),
            outcome(10, Severity.VIOLATION, reason="no list"),
        ]
    )
    file = tmp_path / "validation.json"
    file.write_text(json.dumps(report.to_json()), encoding="utf-8")
    again = outcomes.read(file)
    assert again.to_json() == report.to_json()
    assert [each.check.mend for each in again.outcomes] == ["Mend.", ""]
    for wrong in ("", "[]", "{}", '{"checks": [{"check": "Q1"}]}', '{"checks": 3}'):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(UsageError, match=r"validation\.json: is no report of"):
            outcomes.read(file)


@pytest.fixture(scope="module")
def hostile(releases: dict[str, Path]) -> ReportData:
    """The example's report in which every text that a source or a check can set is an attack."""
    found = Finding(f"javascript:alert(1){HOSTILE}", HOSTILE, HOSTILE)
    report = Report([outcome(1, Severity.VIOLATION, found), outcome(2, Severity.WARNING, reason=HOSTILE)])
    plain = data.gather(releases["example"], previous=releases["seeds"], validation=report)
    item = Item(f"javascript:{HOSTILE}", HOSTILE, 3, HOSTILE)
    return replace(
        plain,
        release=replace(plain.release, version=HOSTILE, revision=HOSTILE, date=HOSTILE),
        genes=(item, *plain.genes),
        chemicals=(item,),
        diseases=(item,),
        largest=(item,),
        organisms=(data.Organism(item.iri, HOSTILE, 2, 1),),
        journals=replace(plain.journals, top=(item,)),
        mentions=(data.Mentions("gene", HOSTILE, "", 5),),
        rejected=(data.Reason(HOSTILE, HOSTILE, ("values",), 1, 1, 0, (HOSTILE,)),),
    )


class _Tags(HTMLParser):
    """The tags of a page, in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_hostile_texts_stay_texts(hostile: ReportData) -> None:
    text = page.render(hostile)
    tags = _Tags(text).tags
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert all(re.match(r"(https?://|#|data:,)", at["href"] or "") for _, at in tags if "href" in at)
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    assert text.count("&lt;script&gt;") > 12


def test_the_page_fetches_nothing_and_leads_to_what_is_there(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    tags = _Tags(text).tags
    assert not [attributes for _, attributes in tags if {"src", "srcset", "poster", "action"} & attributes.keys()]
    policy = next(at["content"] for _, at in tags if at.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    outside = [at for tag, at in tags if tag == "a" and not (at["href"] or "").startswith("#")]
    assert outside
    assert all(at["rel"] == "noopener" for at in outside)
    ids = [at["id"] for _, at in tags if "id" in at]
    assert len(ids) == len(set(ids))
    assert {(at["href"] or "")[1:] for _, at in tags if (at.get("href") or "").startswith("#")} <= set(ids)
    assert not re.search(r"url\((?!#)|@import|@font-face", text)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_the_same_release_gives_the_same_bytes(releases: dict[str, Path], tmp_path: Path) -> None:
    for folder in ("one", "two"):
        page.write(data.gather(releases["corpus"], previous=releases["example"]), tmp_path / folder)
    for name in ("report.html", "report.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    stored = json.loads((tmp_path / "one" / "report.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(data.gather(releases["corpus"], previous=releases["example"]).to_json()))
    assert stored["counts"][0] == {"name": "figures", "now": 300, "before": 6}
    assert str(tmp_path) not in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")


def test_compression_changes_no_number(reports: dict[str, ReportData], tmp_path: Path) -> None:
    packed = build(str(EXAMPLE), tmp_path / "packed", Options(output=Output("gzip", True))).folder
    assert data.gather(packed) == reports["example"]


def test_progress_counts_every_triple_that_is_read(releases: dict[str, Path]) -> None:
    totals: list[int] = []
    steps: list[int] = []

    def start(total: int) -> Callable[[int], None]:
        totals.append(total)
        return steps.append

    report = data.gather(releases["corpus"], start=start)
    read = sum(number.now for number in report.layers if number.name not in ("compat", "ontology"))
    assert totals == [read]
    assert sum(steps) == read


def test_a_damaged_build_is_one_line(releases: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(releases["corpus"], broken, ignore=shutil.ignore_patterns(".cache"))
    core = broken / "pfocr-core.ttl.zst"
    core.write_bytes(core.read_bytes()[:-20])
    with pytest.raises(
        UsageError, match=r"broken: its layers hold .* triples where manifest\.json says .*; build again"
    ):
        data.gather(broken)
    core.write_bytes(b"no zstd")
    with pytest.raises(UsageError, match=r"core\.ttl\.zst: cannot be read"):
        data.gather(broken)
    core.unlink()
    with pytest.raises(UsageError, match="is in the manifest but not in the folder"):
        data.gather(broken)
    plain = tmp_path / "plain"
    shutil.copytree(releases["example"], plain, ignore=shutil.ignore_patterns(".cache"))
    core = plain / "pfocr-core.ttl"
    core.write_bytes(core.read_bytes()[:-300])
    with pytest.raises(UsageError, match=r"core\.ttl: ends in the middle of a subject"):
        data.gather(plain)
    with pytest.raises(UsageError, match="no such folder"):
        data.gather(releases["example"], previous=tmp_path / "none")


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_a_missing_extra_is_one_line(
    library: str, releases: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    done = CliRunner().invoke(app, ["report", str(releases["example"]), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "the report needs the extra `release`: pip install 'pfocr-rdf[release]'" in done.output
    assert not (tmp_path / "out").exists()


def test_the_command_writes_page_and_json(releases: dict[str, Path], tmp_path: Path) -> None:
    command = ["report", str(releases["example"]), "--previous", str(releases["seeds"])]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "sub" / "r.html")])
    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(tmp_path / "sub" / "r.html"), str(tmp_path / "sub" / "r.json")]
    assert (tmp_path / "sub" / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    inside = CliRunner().invoke(app, [*command, "--out", str(releases["example"])])
    assert inside.exit_code == 2
    assert "is the build itself" in inside.output


def test_plots_take_colour_and_font_from_the_page_and_shorten_labels() -> None:
    drawn = plots.bars(
        plots.Text("p", "Title & more", 'Alt "text"'),
        [HOSTILE, "#010101 font-family: a;"],
        [plots.Series("one", [1, 2]), plots.Series("two", [0, 3])],
    )
    assert drawn.startswith("<svg viewBox=")
    assert 'role="img" aria-label="Alt &quot;text&quot;"><title>Title &amp; more</title>' in drawn
    assert "#010101 font-family: a;" in drawn
    assert "font-family" not in drawn.replace("#010101 font-family: a;", "")
    assert not re.search(r"(fill|stroke)[:=]\s*\"?#", drawn)
    assert "<style" not in drawn
    assert "<metadata" not in drawn
    assert "…" in drawn
    assert "url(#h" in drawn, "the second series is hatched"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def written(releases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the generated corpus, with checks of every kind of result."""
    report = Report(
        [
            outcome(1, Severity.VIOLATION, Finding(FIGURE, "a value", "what is wrong")),
            outcome(2, Severity.VIOLATION),
            outcome(15, Severity.WARNING, *(Finding(FIGURE, str(n), "x" * 90) for n in range(30))),
            outcome(19, Severity.WARNING, reason="no list was given"),
        ]
    )
    gathered = data.gather(releases["corpus"], previous=releases["example"], validation=report)
    return page.write(gathered, tmp_path_factory.mktemp("page"))[0]


SIGHTS: list[tuple[int, Literal["light", "dark"]]] = [(1400, "light"), (1400, "dark"), (400, "light"), (400, "dark")]


@pytest.mark.parametrize(("width", "scheme"), SIGHTS)
def test_the_page_in_a_browser(browser: Browser, written: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    with opened(browser, written, width, scheme) as seen:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        seen.page.screenshot(path=SCREENSHOTS / f"report-{width}-{scheme}.png", full_page=True)
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert _scroll(seen) <= width
        assert _plots_out_of_sight(seen) == []
        assert _too_faint(seen) == []
        assert seen.messages == []
        assert seen.requests == [written.resolve().as_uri()]


def test_a_hostile_page_runs_nothing(browser: Browser, hostile: ReportData, tmp_path: Path) -> None:
    file = page.write(hostile, tmp_path)[0]
    with opened(browser, file, 400) as seen:
        dialogs: list[str] = []
        seen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        assert _scroll(seen) <= 400
        assert seen.page.title() == f"PFOCR as RDF, release {HOSTILE}: report"
        assert (dialogs, seen.messages, seen.requests) == ([], [], [file.resolve().as_uri()])


def test_the_page_can_be_read_aloud(browser: Browser, written: Path) -> None:
    with opened(browser, written) as seen:
        found = seen.page.evaluate(
            """() => ({
              lang: document.documentElement.lang,
              title: document.title,
              headings: [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1]),
              plots: [...document.querySelectorAll('svg')].map(s => [s.getAttribute('role'),
                s.getAttribute('aria-label'), s.querySelector('title').textContent]),
              tables: [...document.querySelectorAll('table')].map(t => [t.caption?.textContent,
                [...t.querySelectorAll('thead th')].every(h => h.scope == 'col' && h.textContent.trim()),
                [...t.querySelectorAll('tbody tr')].every(r => r.querySelector('th[scope=row]')),
                new Set([...t.rows].map(r => r.cells.length)).size]),
              landmarks: ['header', 'nav[aria-label]', 'main', 'footer'].map(s => document.querySelectorAll(s).length),
              links: [...document.querySelectorAll('a')].every(a => a.textContent.trim()),
              unnamed: [...document.querySelectorAll('section')].filter(s => !s.querySelector('h2,h3')).length,
            })"""
        )
    assert (found["lang"], found["landmarks"], found["links"], found["unnamed"]) == ("en", [1, 1, 1, 1], True, 0)
    assert found["title"]
    levels = found["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(found["plots"]) == 8
    assert all(role == "img" and len(label) > 20 and title for role, label, title in found["plots"])
    assert len(found["tables"]) > 12
    assert all(caption and heads and rows and widths == 1 for caption, heads, rows, widths in found["tables"])


def test_on_paper_all_is_black_on_white_and_nothing_is_folded(browser: Browser, written: Path) -> None:
    with opened(browser, written, 700, "dark") as seen:
        seen.page.emulate_media(media="print")
        folded = "[...document.querySelectorAll('details table')].filter(t => !(t.checkVisibility() && t.offsetHeight))"
        assert seen.page.evaluate(f"{folded}.length") == 0
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not seen.page.is_visible("nav")


def test_what_is_asked_of_the_page_can_fail(browser: Browser, written: Path) -> None:
    with opened(browser, written, 400) as seen:
        seen.page.evaluate(
            """() => { const root = document.documentElement.style;
              root.setProperty('--soft', '#aaaaaa'); root.setProperty('--accent', '#dddddd');
              const [first, second] = document.querySelectorAll('svg text'); first.setAttribute('x', 900);
              for (const name of ['x', 'y']) document.querySelectorAll('svg text')[3].setAttribute(name,
                second.getAttribute(name)); }"""
        )
        faint = _too_faint(seen)
        assert "Report of a release" in faint
        assert any(text.startswith("a bar") for text in faint)
        assert len(_plots_out_of_sight(seen)) == 2
        seen.page.evaluate("document.querySelector('h1').style.width = '500px'")
        assert _scroll(seen) > 400


def _scroll(seen: Opened) -> int:
    width: int = seen.page.evaluate("document.documentElement.scrollWidth")
    return width


def _plots_out_of_sight(seen: Opened) -> list[str]:
    """Plots that are not shown, and texts of plots that stick out of them or lie on another one."""
    found: list[str] = seen.page.evaluate(
        """() => [...document.querySelectorAll('svg')].flatMap(svg => {
          const name = svg.querySelector('title').textContent, box = svg.getBoundingClientRect();
          if (!svg.checkVisibility() || box.width < 300 || box.height < 40) return [name];
          const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          const out = texts.filter(([, b]) => b.left < box.left - 1 || b.right > box.right + 1
            || b.top < box.top - 1 || b.bottom > box.bottom + 1);
          const over = texts.filter(([, a], i) => texts.some(([, b], j) => j > i
            && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.35 * Math.min(a.height, b.height)));
          return [...out, ...over].map(([text]) => `${name}: ${text}`);
        })"""
    )
    return found


def _too_faint(seen: Opened) -> list[str]:
    """Texts whose contrast with what is behind them is below 4.5 to 1 (WCAG 2.2, 1.4.3), and bars below 3 to 1."""
    found: list[str] = seen.page.evaluate(
        """() => {
          const rgb = c => (c.match(/[0-9.]+/g) || []).map(Number);
          const light = c => rgb(c).slice(0, 3).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
          const ratio = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
          const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (rgb(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
          const bad = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const e = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
            if (!text || !e.checkVisibility()) continue;
            const style = getComputedStyle(e), colour = e.closest('svg') ? style.fill : style.color;
            if (ratio(colour, behind(e)) < 4.5) bad.push(text);
          }
          for (const path of document.querySelectorAll('svg path[clip-path]')) {
            const fill = getComputedStyle(path).fill;
            if (fill.startsWith('rgb') && ratio(fill, behind(path)) < 3) bad.push('a bar: ' + fill);
          }
          return bad;
        }"""
    )
    return found
