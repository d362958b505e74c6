"""Signatures of a source's files: what has changed is seen without reading, what may have changed is read."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from pfocr_rdf.extract import signatures, source
from pfocr_rdf.extract.known import Files
from pfocr_rdf.extract.source import Snapshot, open_source
from pfocr_rdf.settings import Limits
from tests.test_sources import FIGID, FILES, Repository, place, repository, tarred, write, zipped

__all__ = ["place", "repository"]

LIMITS = Limits()
RECORD = f"_figures/{FIGID}.md"
OLD = 1_600_000_000_000_000_000


def aged(root: Path, changed: int = OLD) -> Path:
    for path in root.rglob("_*/*"):
        os.utime(path, ns=(changed, changed))
    return root


def opened(folder: object, known: Files | None = None) -> Snapshot:
    with open_source(str(folder), limits=LIMITS, known=lambda: known or Files()) as snapshot:
        return snapshot


def signed(folder: object) -> dict[str, str]:
    return opened(folder).signatures


def known_of(snapshot: Snapshot) -> Files:
    figids = {files.path: files.figid for files in snapshot.records}
    return Files.of({path: (signature, "", figids.get(path, "")) for path, signature in snapshot.signatures.items()})


def test_each_file_that_is_read_and_no_other_is_signed(tmp_path: Path) -> None:
    extra = {"_data/nobody-genes.tsv": "h\n1\n", "_data/unknown.tsv": "", "_figures/notes.html": ""}
    folder = aged(write(write(tmp_path), extra))
    assert signed(folder).keys() == {*FILES, "_data/nobody-genes.tsv"}
    assert all(signed(folder).values())


def test_the_size_of_a_source_is_that_of_the_files_that_will_be_read(tmp_path: Path) -> None:
    folder = write(write(tmp_path), {"_data/nobody-genes.tsv": "h\n1\n", "_data/unknown.tsv": "x"})
    sizes = {path: (folder / path).stat().st_size for path in FILES}
    snapshot = opened(folder)
    assert snapshot.bytes == sum(sizes.values())
    assert snapshot.select(only=FIGID, limit=None).bytes == snapshot.bytes - sizes["_figures/PMC9700002__b.md"]
    lone = opened(folder / RECORD)
    assert lone.bytes == snapshot.bytes - sizes["_figures/PMC9700002__b.md"]
    assert lone.signatures.keys() == FILES.keys() - {"_figures/PMC9700002__b.md"}


def by_stat(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size}-{OLD}-{state.st_dev:x}.{state.st_ino:x}"


def test_a_file_of_a_folder_is_signed_by_its_size_time_and_number(tmp_path: Path) -> None:
    folder = aged(write(tmp_path))
    before = signed(folder)
    assert before[RECORD] == by_stat(folder / RECORD)
    assert signed(folder) == before
    os.utime(folder / RECORD, ns=(OLD + 1, OLD + 1))
    touched = signed(folder)
    assert [path for path in before if touched[path] != before[path]] == [RECORD]
    write(folder, {f"_data/{FIGID}-genes.tsv": "longer" * 100})
    os.utime(folder / "_data" / f"{FIGID}-genes.tsv", ns=(OLD, OLD))
    assert signed(folder)[f"_data/{FIGID}-genes.tsv"] != before[f"_data/{FIGID}-genes.tsv"]


@pytest.mark.parametrize("later", [-1_000_000_000, 0, 3_600_000_000_000])
def test_a_file_that_was_changed_just_now_or_in_the_future_is_not_signed(later: int, tmp_path: Path) -> None:
    folder = aged(write(tmp_path))
    changed = time.time_ns() + later
    os.utime(folder / RECORD, ns=(changed, changed))
    assert [path for path, signature in signed(folder).items() if not signature] == [RECORD]


def test_the_order_of_a_folder_makes_no_difference(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one"), write(tmp_path / "two", dict(reversed(FILES.items())))
    (first, second) = (opened(aged(folder)) for folder in (one, two))
    second.root = first.root
    assert list(first.signatures) == list(second.signatures)
    second.signatures = first.signatures
    assert first == second


def test_a_file_is_known_under_another_path_and_what_is_put_in_its_place_is_not(tmp_path: Path) -> None:
    folder = aged(write(tmp_path / "one"))
    before = signed(folder)
    shutil.copytree(folder, tmp_path / "linked", copy_function=os.link)
    assert signed(tmp_path / "linked") == before
    shutil.copytree(folder, tmp_path / "copied")
    copied = signed(aged(tmp_path / "copied"))
    assert all(copied[path] != signature for path, signature in before.items())


def test_a_file_of_a_repository_is_signed_by_its_blob_whatever_its_time(repository: Repository, place: Path) -> None:
    folder = opened(aged(repository.root))
    assert folder.kind == "git"
    blob = repository.git("rev-parse", f"HEAD:{RECORD}")
    assert folder.signatures[RECORD] == f"git-{blob}-{(repository.root / RECORD).stat().st_size}"
    assert folder.signatures.keys() == FILES.keys()
    other = Repository(place / "other")
    for changed in (OLD + 5, time.time_ns() + 3_600_000_000_000):
        assert signed(aged(other.root, changed)) == folder.signatures
    assert signed(f"{repository.root}@main") == folder.signatures


def test_a_changed_file_of_a_repository_has_another_signature(repository: Repository) -> None:
    before = signed(aged(repository.root))
    write(repository.root, {RECORD: "figtitle: Other"})
    uncommitted = signed(aged(repository.root))
    assert all(not signature.startswith("git-") for signature in uncommitted.values())
    repository.commit("second")
    after = signed(aged(repository.root))
    assert [path for path in before if after[path] != before[path]] == [RECORD]
    assert after[RECORD].startswith("git-")


def test_a_file_that_was_changed_after_git_looked_is_not_signed(tmp_path: Path) -> None:
    began = time.time_ns()
    path = tmp_path / "x"
    path.write_bytes(b"x")
    os.utime(path)
    sign = signatures.by_blob({"x": "0" * 40}, began - 50_000_000)
    assert sign("x", path.stat()) == ""
    os.utime(path, ns=(OLD, OLD))
    assert sign("x", path.stat()) == f"git-{'0' * 40}-1"


def test_a_file_that_git_was_told_not_to_compare_is_signed_by_its_time(repository: Repository) -> None:
    repository.git("update-index", "--assume-unchanged", RECORD)
    write(repository.root, {RECORD: "figtitle: Forst"})  # as long as it was
    found = opened(aged(repository.root))
    assert found.kind == "git"
    assert found.signatures[RECORD] == by_stat(repository.root / RECORD)


def test_files_that_programs_may_have_converted_are_signed_by_their_time(repository: Repository) -> None:
    repository.git("config", "filter.rot13.smudge", "rot13")
    assert signed(aged(repository.root)) == {path: by_stat(repository.root / path) for path in FILES}


def test_files_of_one_blob_with_other_line_ends_have_other_signatures(repository: Repository, place: Path) -> None:
    other = Repository(place / "other")
    other.git("config", "core.autocrlf", "true")
    (other.root / RECORD).unlink()
    other.git("checkout", "--", RECORD)
    assert b"\r\n" in (other.root / RECORD).read_bytes()
    assert signed(aged(repository.root))[RECORD] != signed(other.root)[RECORD]


def test_reading_a_repository_writes_nothing_into_it(repository: Repository) -> None:
    os.utime(repository.root / RECORD, ns=(1, 1))  # git would note in its index that the file is the same
    index = repository.root / ".git" / "index"
    before = index.read_bytes(), index.stat().st_mtime_ns
    assert opened(repository.root).kind == "git"
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before


def test_a_file_of_an_archive_is_signed_by_its_content(tmp_path: Path) -> None:
    folder = write(tmp_path / "source")
    found = signed(zipped(folder, tmp_path / "a.zip", "top/more/"))
    assert found.keys() == FILES.keys()
    assert all(signature.startswith("sha256-") for signature in found.values())
    assert signed(tarred(aged(folder), tmp_path / "a.tar.gz")) == found
    write(folder, {RECORD: "figtitle: Forst"})
    changed = signed(tarred(aged(folder), tmp_path / "b.tar.gz"))
    assert [path for path in found if changed[path] != found[path]] == [RECORD]


@pytest.fixture
def sniffed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that were read for their figid."""
    paths: list[str] = []
    sniff = source.sniff

    def noting(root: Path, path: str, limits: Limits) -> str:
        paths.append(path)
        return sniff(root, path, limits)

    monkeypatch.setattr(source, "sniff", noting)
    return paths


def test_a_known_record_is_not_read_for_its_figid(tmp_path: Path, sniffed: list[str]) -> None:
    folder = aged(write(tmp_path))
    first = opened(folder)
    assert sorted(sniffed) == [files.path for files in first.records]
    sniffed.clear()
    assert opened(folder, known_of(first)) == first
    assert sniffed == []


def test_a_known_record_with_another_signature_is_read(tmp_path: Path, sniffed: list[str]) -> None:
    folder = aged(write(tmp_path))
    known = Files.of({path: (sign, "", "PMC1__wrong") for path, sign in opened(folder).signatures.items()})
    sniffed.clear()
    os.utime(folder / RECORD, ns=(OLD + 1, OLD + 1))
    assert [files.figid for files in opened(folder, known).records] == ["PMC1__wrong", FIGID]
    assert sniffed == [RECORD]


def test_a_record_without_signature_is_never_known(tmp_path: Path, sniffed: list[str]) -> None:
    folder = write(tmp_path)
    known = Files.of(dict.fromkeys(FILES, ("", "", "PMC1__wrong")))
    assert [files.figid for files in opened(folder, known).records] == [FIGID, "PMC9700002__b"]
    assert len(sniffed) == 2


@pytest.mark.parametrize(
    ("text", "figid"),
    [
        (f"---{' ' * 600}\nfigid: PMC1__a\nx: y\n---\n", "PMC1__a"),
        (f"---\nx: {'y' * 600}\nfigid: PMC1__a\n---\n", "PMC1__a"),
        (f"---\nfigid: PMC1__{'a' * 600}\nx: y\n---\n", f"PMC1__{'a' * 600}"),
        ("---\nfigid: PMC1__a\n  b\nx: y\n---\n", "PMC1__a b"),
        ("\ufeff---\nfigid: PMC1__a\n---\n", "PMC1__a"),
        ("", ""),
    ],
)
def test_a_figid_is_found_wherever_it_stands(text: str, figid: str, tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(text.encode())
    assert source.sniff(tmp_path, "x.md", LIMITS) == figid


def test_a_record_that_is_too_large_has_no_figid(tmp_path: Path) -> None:
    text = "---\nfigid: PMC1__a\nx: y\n---\n"
    (tmp_path / "x.md").write_text(text, encoding="utf-8")
    assert source.sniff(tmp_path, "x.md", Limits(record_bytes=len(text))) == "PMC1__a"
    assert source.sniff(tmp_path, "x.md", Limits(record_bytes=len(text) - 1)) == ""


def test_many_records_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = [f"PMC{number}__a" for number in range(1000, 1600)]
    write(tmp_path, {f"_figures/{name}.md": "x: y" for name in names})
    assert [(files.figid, files.path) for files in opened(tmp_path).records] == [
        (name, f"_figures/{name}.md") for name in names
    ]
