"""What a release says of the one before: its changelog, and the figures that are gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from pfocr_rdf import identifiers as ids
from pfocr_rdf.errors import UsageError
from pfocr_rdf.release import changelog, withdrawn
from tests.changing import Files, _with_field, build, clone, drop
from tests.releasing import release
from tests.support import ROOT

GONE = "PMC9100005__exres.0042.fig.001"
RETITLED = "PMC9100004__excell.0010023.g002"
HEIR = "PMC9100003__new.g9"
OWL, DCTERMS, RDFS = ids.PREFIXES["owl"], ids.PREFIXES["dcterms"], ids.PREFIXES["rdfs"]

EXPECTED = f"""# Changes of the PFOCR graph

## b

Since a: 1 figure came, 1 went, 1 changed with another title, 0 otherwise.

| kind | before | now | came | went |
|---|---:|---:|---:|---:|
| figures | 6 | 6 | 1 | 1 |
| papers | 5 | 4 | 0 | 1 |
| genes | 54 | 47 | 0 | 7 |
| chemicals | 5 | 4 | 0 | 1 |
| diseases | 5 | 5 | 0 | 0 |
| taxa | 5 | 5 | 0 | 0 |
| mentions | 56 | 55 | 11 | 12 |

| layer | before | now | triples added | removed |
|---|---:|---:|---:|---:|
| core | 210 | 197 | 24 | 37 |
| links-genes-symbol | 25 | 26 | 3 | 2 |
| links-genes-synonym | 20 | 18 | 3 | 5 |
| links-genes-family | 16 | 20 | 8 | 4 |
| links-chemicals | 7 | 7 | 2 | 2 |
| links-diseases | 4 | 3 | 0 | 1 |
| evidence-genes | 272 | 281 | 60 | 51 |
| evidence-chemicals | 50 | 53 | 16 | 13 |
| evidence-diseases | 43 | 29 | 0 | 14 |
| entities | 270 | 240 | 0 | 30 |
| xrefs | 177 | 154 | 0 | 23 |
| compat | 86 | 87 | 17 | 16 |
| ontology | 215 | 215 | 0 | 0 |

### Figures that came

- [Two ways for glucose into a muscle cell]({ids.figure(HEIR)}), `{HEIR}`

### Figures that went

- [A barley gel calms the skin by holding back NF-kB]({ids.figure(GONE)}), `{GONE}`

### Figures with another title

- `{RETITLED}`: Mitochondria decide over the death of a cell → \\<b\\>New\\</b\\> \\[one\\]\\(http://example.org\\)

### Source, settings and program

- `source.content_sha256`: OLD → NEW

All figures: `changes/figures.txt`.

## a

The first release: 6 figures, 5 papers, 54 genes, 5 chemicals, 5 diseases, 5 taxa, 56 mentions; 1,395 triples.
"""


class Three:
    """Three releases of the example: a figure goes and comes back, another takes its place meanwhile."""

    def __init__(self, root: Path) -> None:
        self.root, self.site = root, root / "site"
        shutil.copytree(ROOT / "docs" / "example", root / "source")
        self.files = Files(root / "source")
        self.kept = {path: self.files.text(path) for path in self.files.names("*/*") if GONE in path}
        self.publish("a")
        drop(self.files, f"_figures/{GONE}.md")
        title = "figtitle: <b>New</b> [one](http://example.org)  "
        self.files.write(
            f"_figures/{RETITLED}.md",
            self.files.text(f"_figures/{RETITLED}.md").replace("figtitle: ", f"{title}#", 1),
        )
        clone(self.files, "_figures/PMC9100003__exphys-07-0101-g002.md", HEIR)
        self.redirect(f"/figures/{GONE}")
        self.publish("b")
        self.publish("c")
        for path, text in self.kept.items():
            self.files.write(path, text)
        self.redirect("/figures/PMC9100003__F77")
        self.publish("d")

    def redirect(self, path: str) -> None:
        name = f"_figures/{HEIR}.md"
        self.files.write(name, _with_field(self.files.text(name), "redirect_from", path))

    def publish(self, version: str) -> None:
        if version == "c":
            drop(self.files, "_figures/PMC9100002__jed-04-0017-g002.md")
        build(self.files, self.root / version, full=True)
        release(self.root / version, self.site, version)

    def text(self, version: str, name: str) -> str:
        return (self.site / "releases" / version / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    return Three(tmp_path_factory.mktemp("three"))


def test_the_first_changelog_says_that_it_is_the_first(three: Three) -> None:
    first = EXPECTED[EXPECTED.index("## a") :]
    assert three.text("a", "CHANGELOG.md") == f"{changelog.TITLE}\n{first}"
    assert not (three.site / "releases" / "a" / "changes").exists()


def test_the_second_changelog_tells_what_came_went_and_changed(three: Three) -> None:
    hashes = [json.loads(three.text(version, "manifest.json"))["source"]["content_sha256"] for version in "ab"]
    expected = EXPECTED.replace("OLD", hashes[0]).replace("NEW", hashes[1])
    assert three.text("b", "CHANGELOG.md") == expected


def test_older_entries_follow_as_they_were_written(three: Three) -> None:
    for version, older in (("c", "b"), ("d", "c")):
        entries = three.text(older, "CHANGELOG.md").removeprefix(changelog.TITLE)
        assert three.text(version, "CHANGELOG.md").endswith(entries)
    assert [line for line in three.text("d", "CHANGELOG.md").split("\n") if line.startswith("## ")] == [
        "## d",
        "## c",
        "## b",
        "## a",
    ]


def test_what_came_less_what_went_is_how_the_counts_changed(three: Three) -> None:
    for version in "bcd":
        entry = three.text(version, "CHANGELOG.md").partition("\n## ")[2].partition("\n## ")[0]
        rows = [line.strip("| ").replace(",", "").split(" | ") for line in entry.split("\n") if line.startswith("| ")]
        numbers = [row for row in rows if row[0] not in ("kind", "layer")]
        assert len(numbers) == 7 + 13
        for name, before, now, came, went in numbers:
            assert int(before) + int(came) - int(went) == int(now), (version, name)


def test_all_figures_that_changed_are_listed_beside(three: Three) -> None:
    lines = [line.split("\t")[:2] for line in three.text("b", "changes/figures.txt").splitlines()]
    assert lines == [["added", HEIR], ["changed", RETITLED], ["removed", GONE]]


def test_long_lists_are_cut_and_say_so(three: Three, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(changelog, "SHOWN", 2)
    shutil.copytree(three.site / "releases" / "a", tmp_path / "site" / "releases" / "a")
    (tmp_path / "site" / "current").symlink_to("releases/a")
    for path in three.files.records():
        three.files.edit(path, lambda text: text.replace("number: F", "number: G"))
    build(three.files, tmp_path / "build", full=True)
    release(tmp_path / "build", tmp_path / "site", "z")
    text = (tmp_path / "site" / "current" / "CHANGELOG.md").read_text()
    listed = text.partition("### Figures that changed otherwise\n\n")[2].partition("\n\n")[0].split("\n")
    assert len(listed) == 3
    assert listed[2] == "- and 2 more"


def test_settings_and_programs_that_changed_are_told() -> None:
    before = {"tool": {"version": "1"}, "settings": {"limit": None, "limits": {"rows": 1}}, "inputs": {}}
    now = {"tool": {"version": "2"}, "settings": {"limit": 5, "limits": {"rows": 1}}, "inputs": {"x": {"sha256": "a"}}}
    assert list(changelog._settings(before, now)) == [
        "`inputs.x.sha256`: none → a",
        "`settings.limit`: none → 5",
        "`tool.version`: 1 → 2",
    ]


# Figures that are gone


def stones(three: Three, version: str) -> dict[str, dict[str, set[str]]]:
    """What each release says of figures that are gone: figid, predicate, values."""
    found: dict[str, dict[str, set[str]]] = {}
    text = three.text(version, "pfocr-withdrawn.ttl")
    for quad in ox.parse(text, format=ox.RdfFormat.TURTLE):
        figid = ids.figid_of(str(getattr(quad.subject, "value", "")))
        found.setdefault(figid, {}).setdefault(quad.predicate.value, set()).add(str(getattr(quad.object, "value", "")))
    return found


def test_a_figure_that_goes_leaves_a_tombstone_until_it_comes_back(three: Three) -> None:
    other = "PMC9100002__jed-04-0017-g002"
    assert [sorted(stones(three, version)) for version in "abcd"] == [[], [GONE], [other, GONE], [other]]


def test_a_tombstone_says_what_the_figure_was_and_what_replaces_it(three: Three) -> None:
    for version in "bc":
        assert stones(three, version)[GONE] == {
            f"{DCTERMS}identifier": {GONE},
            f"{DCTERMS}isReplacedBy": {ids.figure(HEIR)},
            f"{OWL}deprecated": {"true"},
            f"{RDFS}label": {"A barley gel calms the skin by holding back NF-kB"},
            "http://schema.org/alternateName": {"PMC9100005__F1"},
            "http://rdfs.org/ns/void#inDataset": {"https://w3id.org/pfocr/dataset/pfocr/a"},
        }


def test_a_tombstone_has_no_type_and_its_graph_is_in_no_layer(three: Three) -> None:
    text = three.text("c", "pfocr-withdrawn.ttl")
    assert "rdf-syntax-ns#type" not in {q.predicate.value for q in ox.parse(text, format=ox.RdfFormat.TURTLE)}
    assert "\n    a " not in text
    manifest = json.loads(three.text("c", "manifest.json"))
    assert withdrawn.NAME not in {entry["file"] for entry in manifest["layers"].values()}
    assert withdrawn.NAME not in manifest["files"]


def test_tombstones_are_read_back_as_they_were_written(three: Three) -> None:
    found = withdrawn.read(three.site / "releases" / "c")
    assert found[GONE] == withdrawn.Tombstone(
        GONE, "A barley gel calms the skin by holding back NF-kB", ("PMC9100005__F1",), "a"
    )


def test_tombstones_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / withdrawn.NAME).write_text("@prefix a: <urn:a> .\n\n<urn:a>\n    a <urn:b> .\n\n")
    with pytest.raises(UsageError, match="the release is damaged"):
        withdrawn.read(tmp_path)
