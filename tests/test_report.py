"""The report says what SPARQL says of the same release, and the same each time; errors are one line."""

from __future__ import annotations

import builtins
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pfocr_rdf import blocks, build, query
from pfocr_rdf.cli import app
from pfocr_rdf.errors import UsageError
from pfocr_rdf.pipeline import Options
from pfocr_rdf.report import data, outcomes, page
from pfocr_rdf.report.data import Item, Number, ReportData
from pfocr_rdf.shards import Output
from pfocr_rdf.validation import checks
from pfocr_rdf.validation.checks import Severity
from pfocr_rdf.validation.findings import Finding, Report
from tests.reporting import EXAMPLE, FIGURE, build_releases, check, outcome

Ask = Callable[[str], list[tuple[str, ...]]]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build_releases(tmp_path_factory.mktemp("releases"))


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
    whole = core.read_bytes()
    core.write_bytes(whole[:-20])
    with pytest.raises(UsageError, match=r"core\.ttl\.zst: cannot be read \(the file ends inside a zstd frame\)"):
        data.gather(broken)
    core.write_bytes(whole[: blocks.read_index(broken / blocks.INDEX)["core"][-1].offset])
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
    with pytest.raises(UsageError, match=r"core\.ttl: ends within a subject"):
        data.gather(plain)
    with pytest.raises(UsageError, match="no such folder"):
        data.gather(releases["example"], previous=tmp_path / "none")


def test_a_kind_without_account_is_left_out(releases: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(releases["example"], tmp_path / "build", ignore=shutil.ignore_patterns(".cache"))
    manifest = _manifest(tmp_path / "build")
    del manifest["accounts"]["map-lines"]
    (tmp_path / "build" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert list(data.gather(tmp_path / "build").accounts) == list(manifest["accounts"])


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


@pytest.mark.parametrize("place", ["/proc/none", "/proc/report.html", "x" * 300, "x" * 300 + ".html"])
def test_a_place_that_cannot_be_written_is_a_wrong_call(place: str, releases: dict[str, Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(releases["example"]), "--out", str(tmp_path / place)])
    assert done.exit_code == 2
    assert "cannot be written" in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_page_and_json(releases: dict[str, Path], tmp_path: Path) -> None:
    command = ["report", str(releases["example"]), "--previous", str(releases["seeds"])]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "sub" / "r.html")])
    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(tmp_path / "sub" / "r.html"), str(tmp_path / "sub" / "r.json")]
    assert (tmp_path / "sub" / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    inside = CliRunner().invoke(app, [*command, "--out", str(releases["example"])])
    assert inside.exit_code == 2
    assert "is the build itself" in inside.output
