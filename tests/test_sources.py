"""One source in many wrappings: folder, archive, git repository, single record; and broken or harmful ones."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pfocr_rdf.cli import app
from pfocr_rdf.extract import git
from tests.support import require_tool

FIGID = "PMC9700001__a"
HEADER = "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"
FILES = {
    f"_figures/{FIGID}.md": "figtitle: First\nyear: '2021'\norganisms_ner:\n- Homo sapiens\norganisms:\n- Danio rerio",
    "_figures/PMC9700002__b.md": "figtitle: Second, äöü → ↓",
    f"_data/{FIGID}-genes.tsv": HEADER + "9606\tHomo sapiens\tPrimates\tp53\tP53\tTP53\t7157\tncbigene_synonym\n",
    f"_data/{FIGID}-chemicals.tsv": "word\tmesh\tmatch\tname\tchebi\nTyrosine\tNA\ttyrosine\ttyrosine\tchebi:18186\n",
    "_data/wpid_map.tsv": "PMC9700002__b\tWP5283\n",
    "_organisms/danio-rerio.md": "---\nlatin: Danio rerio\nncbi: '7955'\n---\n",
}
COMMITTED = "2024-03-01T23:30:00+02:00"
COMMITTED_UTC = "2024-03-01T21:30:00Z"


def record(figid: str, fields: str) -> str:
    return f"---\nfigid: {figid}\npmcid: {figid.partition('__')[0]}\n{fields}\n---\n"


def write(root: Path, files: dict[str, str] | None = None) -> Path:
    for name, text in (FILES if files is None else files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = record(path.stem, text) if name.startswith("_figures/") else text
        path.write_bytes(whole.encode())
    return root


def build(source: object, out: Path) -> dict[str, Any]:
    """Build a source, which must go well; return the manifest."""
    result = CliRunner().invoke(app, ["-q", "build", "--out", str(out), "--", str(source)])
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def refuse(source: object, out: Path) -> str:
    """Build a source, which must be refused in one line and leave nothing; return that line."""
    result = CliRunner().invoke(app, ["build", "--out", str(out), "--", str(source)])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.fullmatch(r"pfocr-rdf: [^\n]+\n", result.stderr), result.stderr
    assert not out.exists()
    return result.stderr


def layers(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("pfocr-*.ttl"))}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for all that a run writes, and no settings of the user's git."""
    for name in ("home", "temporary", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


class Repository:
    """A git repository of the checkout's files, to be committed to."""

    def __init__(self, root: Path, files: dict[str, str] | None = None) -> None:
        self.root = root
        write(root, files)
        self.git("init", "--quiet", "--initial-branch=main")
        self.first = self.commit("first")

    def git(self, *arguments: str, date: str = COMMITTED) -> str:
        who = {f"GIT_{role}_{part}": "x@y" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        when = {"GIT_AUTHOR_DATE": "2001-01-01T00:00:00+00:00", "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.root,
            env={**os.environ, **who, **when},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str, date: str = COMMITTED) -> str:
        self.git("add", "--all", "--force", date=date)
        self.git("commit", "--quiet", "--allow-empty", "-m", message, date=date)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(place: Path) -> Repository:
    require_tool("git", "git")
    return Repository(place / "repository")


def zipped(folder: Path, target: Path, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.write(path, f"{top}{path.relative_to(folder).as_posix()}")
    return target


def tarred(folder: Path, target: Path, top: str = "") -> Path:
    with tarfile.open(target, "w:gz" if target.suffix in (".gz", ".tgz") else "w") as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.add(path, f"{top}{path.relative_to(folder).as_posix()}", recursive=False)
    return target


WRAPPINGS: dict[str, Callable[[Path, Path], Path]] = {
    "source.zip": lambda folder, place: zipped(folder, place / "source.zip"),
    "top folder.zip": lambda folder, place: zipped(folder, place / "source.zip", "pfocr-database-main/"),
    "two folders.zip": lambda folder, place: zipped(folder, place / "source.zip", "a/b/"),
    "source.tar.gz": lambda folder, place: tarred(folder, place / "source.tar.gz"),
    "top folder.tar.gz": lambda folder, place: tarred(folder, place / "source.tar.gz", "pfocr-database-main/"),
    "dot.tar.gz": lambda folder, place: tarred(folder, place / "source.tar.gz", "./"),
    "source.tgz": lambda folder, place: tarred(folder, place / "source.tgz"),
    "source.tar": lambda folder, place: tarred(folder, place / "source.tar"),
    "SOURCE.ZIP": lambda folder, place: zipped(folder, place / "SOURCE.ZIP"),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_an_archive_gives_what_its_folder_gives(name: str, place: Path) -> None:
    folder = write(place / "source")
    expected = build(folder, place / "a")
    found = build(WRAPPINGS[name](folder, place), place / "b")
    assert layers(place / "a") == layers(place / "b")
    assert (expected["source"].pop("kind"), found["source"].pop("kind")) == ("folder", "archive")
    assert expected == found
    assert (place / "a" / "rejected.jsonl").read_bytes() == (place / "b" / "rejected.jsonl").read_bytes()


def test_what_an_archive_unpacked_to_is_removed(place: Path) -> None:
    build(zipped(write(place / "source"), place / "source.zip"), place / "out")
    assert list((place / "temporary").iterdir()) == []


def test_a_relative_path_gives_what_the_absolute_one_gives(place: Path) -> None:
    write(place / "work" / "source")
    write(place / "work")
    assert build("source", place / "a") == build(place / "work" / "source", place / "b") == build(".", place / "c")


def test_revision_and_date_are_null_for_a_folder(place: Path) -> None:
    source = build(write(place / "source"), place / "out")["source"]
    assert (source["kind"], source["revision"], source["date"]) == ("folder", None, None)


REVISIONS = {
    "branch": "main",
    "branch with a slash": "topic/one",
    "tag": "v1",
    "annotated tag": "v1-annotated",
    "full hash": "{}",
}


@pytest.mark.parametrize("address", ["{}", "file://{}"])
@pytest.mark.parametrize("name", [*REVISIONS, "short hash", "none"])
def test_a_revision_of_a_repository_gives_what_its_folder_gives(
    name: str, address: str, repository: Repository, place: Path
) -> None:
    first = repository.first
    repository.git("branch", "topic/one")
    repository.git("tag", "v1")
    repository.git("tag", "-a", "-m", "one", "v1-annotated")
    if name not in ("branch", "none"):
        write(repository.root, {f"_figures/{FIGID}.md": "figtitle: Changed"})
        repository.commit("second", date="2024-05-01T00:00:00+00:00")
    revision = {"short hash": f"@{first[:8]}", "none": ""}.get(name, f"@{REVISIONS.get(name, '')}").format(first)
    expected = build(write(place / "source"), place / "a")
    found = build(f"{address.format(repository.root)}{revision}", place / "b")
    assert layers(place / "a") == layers(place / "b")
    assert found["source"] == {
        "kind": "git",
        "revision": first,
        "date": COMMITTED_UTC,
        "content_sha256": expected["source"]["content_sha256"],
    }
    assert {**expected, "source": {}} == {**found, "source": {}}


def test_a_second_build_sees_a_new_commit_and_an_old_one_is_still_found(repository: Repository, place: Path) -> None:
    address = f"file://{repository.root}"
    assert build(f"{address}@main", place / "out")["source"]["revision"] == repository.first
    write(repository.root, {"_figures/PMC9700003__c.md": "figtitle: Third"})
    (repository.root / "_figures" / "PMC9700002__b.md").unlink()
    second = repository.commit("second", date="2024-05-01T00:00:00+00:00")
    for _ in range(2):
        manifest = build(f"{address}@main", place / "out")
        assert manifest["source"]["revision"] == second
        assert manifest["source"]["date"] == "2024-05-01T00:00:00Z"
        assert manifest["accounts"]["records"]["read"] == 2
    assert "Third" in (place / "out" / "pfocr-core.ttl").read_text(encoding="utf-8")
    assert "Second" not in (place / "out" / "pfocr-core.ttl").read_text(encoding="utf-8")
    assert build(address, place / "out")["source"]["revision"] == second
    assert build(f"{address}@{repository.first[:7]}", place / "out")["source"]["revision"] == repository.first
    assert build(f"{address}@{repository.first}", place / "out")["source"]["revision"] == repository.first
    assert len([path for path in (place / "cache").rglob(".git") if path.is_dir()]) == 1


def test_a_branch_that_was_rewritten_is_followed(repository: Repository, place: Path) -> None:
    build(f"{repository.root}@main", place / "out")
    write(repository.root, {f"_figures/{FIGID}.md": "figtitle: Rewritten"})
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--amend", "-m", "rewritten")
    assert build(f"{repository.root}@main", place / "out")["source"]["revision"] == repository.git("rev-parse", "HEAD")
    assert "Rewritten" in (place / "out" / "pfocr-core.ttl").read_text(encoding="utf-8")


def test_leftovers_in_the_cache_are_no_part_of_a_source(repository: Repository, place: Path) -> None:
    build(f"{repository.root}@main", place / "a")
    (clone,) = (path.parent for path in (place / "cache").rglob(".git") if path.is_dir())
    write(clone, {"_figures/PMC9700009__left.md": "figtitle: Left over", f"_figures/{FIGID}.md": "figtitle: Changed"})
    build(f"{repository.root}@main", place / "b")
    assert layers(place / "a") == layers(place / "b")


def test_a_build_writes_nothing_into_the_repository(repository: Repository, place: Path) -> None:
    def state() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in repository.root.rglob("*") if path.is_file())

    before = state()
    build(f"{repository.root}@main", place / "a")
    build(repository.root, place / "b")
    assert [name for name, _ in state() if not name.endswith("/.git/index")] == [
        name for name, _ in before if not name.endswith("/.git/index")
    ]
    assert layers(place / "a") == layers(place / "b")


@pytest.mark.parametrize("change", ["changed", "added", "ignored", "removed"])
def test_a_changed_checkout_claims_no_revision(change: str, repository: Repository, place: Path) -> None:
    match change:
        case "changed":
            write(repository.root, {f"_figures/{FIGID}.md": "figtitle: Changed"})
        case "removed":
            (repository.root / "_figures" / "PMC9700002__b.md").unlink()
        case "ignored":
            (repository.root / ".git" / "info").mkdir(exist_ok=True)
            (repository.root / ".git" / "info" / "exclude").write_text("PMC9700009*\n", encoding="utf-8")
    if change in ("added", "ignored"):
        write(repository.root, {"_figures/PMC9700009__new.md": "figtitle: New"})
    source = build(repository.root, place / "out")["source"]
    assert (source["kind"], source["revision"], source["date"]) == ("folder", None, None)


def test_a_folder_of_a_repository_is_read_without_git_installed(
    repository: Repository, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(place / "work"))
    assert build(repository.root, place / "out")["source"]["revision"] is None


def test_a_repository_without_a_commit_is_a_folder(place: Path) -> None:
    require_tool("git", "git")
    subprocess.run(["git", "init", "--quiet", str(write(place / "source"))], check=True)
    assert build(place / "source", place / "out")["source"]["revision"] is None


def test_a_git_folder_that_is_broken_is_a_folder(place: Path) -> None:
    (write(place / "source") / ".git").mkdir()
    assert build(place / "source", place / "out")["source"]["kind"] == "folder"


def test_a_record_in_a_checkout_finds_its_tables(place: Path) -> None:
    folder = write(place / "source")
    manifest = build(folder / "_figures" / f"{FIGID}.md", place / "out")
    assert manifest["accounts"]["records"]["read"] == 1
    assert manifest["accounts"]["gene-rows"]["emitted"] == 1
    assert manifest["accounts"]["chemical-rows"]["emitted"] == 1
    assert manifest["source"]["kind"] == "file"
    assert "NCBITaxon_7955" in (place / "out" / "pfocr-core.ttl").read_text(encoding="utf-8")
    build(folder / "_figures" / "PMC9700002__b.md", place / "mapped")
    assert "WP5283" in "".join(data.decode() for data in layers(place / "mapped").values())


def test_a_record_in_a_checkout_is_found_by_a_relative_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(place / "source")
    build(folder / "_figures" / f"{FIGID}.md", place / "a")
    monkeypatch.chdir(folder / "_figures")
    build(f"{FIGID}.md", place / "b")
    assert layers(place / "a") == layers(place / "b")


@pytest.mark.parametrize("ending", [".md", ".txt"])
def test_a_lone_record_is_a_source(ending: str, place: Path) -> None:
    folder = write(place / "source")
    lone = place / "elsewhere" / f"lone{ending}"
    lone.parent.mkdir()
    lone.write_bytes((folder / "_figures" / f"{FIGID}.md").read_bytes())
    manifest = build(lone, place / "out")
    assert manifest["accounts"]["records"]["emitted"] == 1
    assert manifest["accounts"]["gene-rows"]["read"] == 0
    assert manifest["source"] == {
        "kind": "file",
        "revision": None,
        "date": None,
        "content_sha256": manifest["source"]["content_sha256"],
    }


# Nothing of a repository is executed.


def trap(place: Path) -> tuple[str, Callable[[], bool]]:
    """A command that leaves a mark, and whether it has run."""
    mark = place / "executed"
    return f"touch {mark}; cat", mark.exists


def test_links_in_a_repository_lead_nowhere(place: Path) -> None:
    require_tool("git", "git")
    secret = write(place / "outside", {"_figures/PMC9700008__secret.md": "figtitle: SECRET"})
    root = write(place / "repository")
    target = secret / "_figures" / "PMC9700008__secret.md"
    (root / "_figures" / "PMC9700008__secret.md").symlink_to(target)
    (root / "_data" / "PMC9700002__b-genes.tsv").symlink_to(target)
    (root / "_organisms" / "link.md").symlink_to(target)
    Repository(root, {})
    accept = ["--max-rejected", "100%", "--max-rejected-rows", "100%"]
    for source in (f"{root}@main", str(root)):
        out = place / hashlib.sha256(source.encode()).hexdigest()
        result = CliRunner().invoke(app, ["build", source, "--out", str(out), *accept])
        assert result.exit_code == 0, result.output
        written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        assert b"SECRET" not in written
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["accounts"]["records"] == {
            "read": 3,
            "emitted": 2,
            "merged": 0,
            "rejected": 1,
            "unresolved": 0,
        }


def test_hooks_of_a_repository_are_not_run(repository: Repository, place: Path) -> None:
    command, executed = trap(place)
    hooks = repository.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    names = ("post-checkout", "post-merge", "reference-transaction", "post-index-change", "fsmonitor-watchman")
    for name in (*names, "pre-auto-gc", "query-watchman", "proc-receive"):
        (hooks / name).write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    os.utime(repository.root / "_figures" / f"{FIGID}.md")
    build(f"{repository.root}@main", place / "a")
    build(repository.root, place / "b")
    assert not executed()


CONFIGURED = {
    "filter": '[filter "trap"]\n\tclean = {0}\n\tsmudge = {0}\n\trequired = false\n',
    "process filter": '[filter "trap"]\n\tprocess = {0}\n\trequired = false\n',
    "fsmonitor": "[core]\n\tfsmonitor = {0}\n",
    "hooks path": "[core]\n\thooksPath = .\n",
    "pager": "[core]\n\tpager = {0}\n[pager]\n\tlog = true\n\tstatus = true\n",
    "external diff": '[diff]\n\texternal = {0}\n[diff "trap"]\n\tcommand = {0}\n\ttextconv = {0}\n',
    "aliases": "[alias]\n\tlog = !{0}\n\tstatus = !{0}\n",
    "signatures": "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {1}\n",
    "pack hook": "[uploadpack]\n\tpackObjectsHook = {0}\n",
    "ssh": "[core]\n\tsshCommand = {0}\n\tgitProxy = {0}\n\taskPass = {0}\n",
    "merge driver": '[merge "trap"]\n\tdriver = {0}\n',
    "rewritten address": '[url "ext::{0} "]\n\tinsteadOf = file\n',
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_settings_that_a_repository_brings_execute_nothing(name: str, repository: Repository, place: Path) -> None:
    command, executed = trap(place)
    program = place / "program"
    program.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    program.chmod(0o755)
    attributes = "* filter=trap diff=trap merge=trap text eol=crlf ident working-tree-encoding=UTF-16\n"
    write(repository.root, {".gitattributes": "*.md filter=trap diff=trap merge=trap\n"})
    commit = repository.commit("attributes")
    if name == "signatures":
        _sign(repository)
        commit = repository.git("rev-parse", "HEAD")
    config = repository.root / ".git" / "config"
    text = CONFIGURED[name].format(command.replace(";", "&&"), program)
    config.write_text(config.read_text(encoding="utf-8") + text, encoding="utf-8")
    info = repository.root / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "attributes").write_text(attributes.partition(" text")[0] + "\n", encoding="utf-8")
    for path in (repository.root / "_figures").iterdir():
        os.utime(path, ns=(1, 1))  # git must look into the file to see that it is the same
    found = build(repository.root, place / "a")["source"]
    assert not executed()
    assert build(f"{repository.root}@main", place / "b")["source"]["revision"] == commit
    assert not executed()
    assert layers(place / "a") == layers(place / "b")
    assert found["revision"] in (None, commit)


def _sign(repository: Repository) -> None:
    """Give the last commit a signature that nobody made."""
    text = repository.git("cat-file", "commit", "HEAD")
    head, _, message = text.partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    file = repository.root / ".git" / "signed"
    file.write_text(f"{head}\n{signature}\n\n{message}\n", encoding="utf-8")
    commit = repository.git("hash-object", "-t", "commit", "-w", str(file))
    repository.git("update-ref", "refs/heads/main", commit)


@pytest.mark.parametrize(
    "attributes",
    ["* text eol=crlf", "* ident", "*.md working-tree-encoding=UTF-16", "* filter=lfs", "_data export-ignore"],
)
def test_attributes_neither_execute_nor_lose_a_record(attributes: str, repository: Repository, place: Path) -> None:
    odd = {"_figures/PMC9700003__c.md": "figtitle: Cost $Id$ of it"}
    expected = build(write(write(place / "source"), odd), place / "a")
    write(repository.root, {**odd, ".git/info/attributes": "* -text -ident -filter -working-tree-encoding\n"})
    (repository.root / ".gitattributes").write_text(f"{attributes}\n", encoding="utf-8")
    repository.commit("attributes")
    command, executed = trap(place)
    home = place / "home" / ".gitconfig"
    home.write_text(f'[filter "lfs"]\n\tsmudge = {command.replace(";", "&&")}\n\trequired = true\n', encoding="utf-8")
    found = build(f"{repository.root}@main", place / "b")
    assert not executed()
    assert layers(place / "a") == layers(place / "b")
    assert found["source"]["content_sha256"] == expected["source"]["content_sha256"]


def test_a_submodule_is_not_fetched(repository: Repository, place: Path) -> None:
    other = Repository(place / "other", {"_figures/PMC9700008__other.md": "figtitle: OTHER"})
    hooks = other.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    command, executed = trap(place)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    (hooks / "post-checkout").chmod(0o755)
    (place / "home" / ".gitconfig").write_text(
        '[submodule]\n\trecurse = true\n[protocol "file"]\n\tallow = always\n', encoding="utf-8"
    )
    repository.git("submodule", "--quiet", "add", f"file://{other.root}", "_figures/more")
    repository.git("submodule", "--quiet", "add", f"file://{other.root}", "more")
    repository.commit("submodules")
    for source in (f"{repository.root}@main", str(repository.root)):
        build(source, place / "out")
        assert b"OTHER" not in b"".join(layers(place / "out").values())
    clones = [path for path in (place / "cache").rglob("*") if path.name == "PMC9700008__other.md"]
    assert clones == []
    assert not executed()


# What cannot be read is refused in one line.


@pytest.mark.parametrize("revision", ["nope", "0123456789abcdef0123456789abcdef01234567", "abcdef0", "refs/heads/nope"])
@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_a_revision_that_is_not_there_is_refused(
    revision: str, address: str, repository: Repository, place: Path
) -> None:
    assert "revision" in refuse(f"{address.format(repository.root)}@{revision}", place / "out")


def test_a_revision_that_is_not_there_leaves_the_cache_usable(repository: Repository, place: Path) -> None:
    refuse(f"{repository.root}@nope", place / "out")
    build(f"{repository.root}@main", place / "a")
    refuse(f"{repository.root}@nope", place / "out")
    assert build(f"{repository.root}@main", place / "b")["source"]["revision"] == repository.first


def test_a_folder_that_is_no_repository_has_no_revisions(place: Path) -> None:
    require_tool("git", "git")
    refuse(f"{write(place / 'source')}@main", place / "out")


@pytest.mark.parametrize("address", ["file://{}/nowhere", "file://{}/nowhere@main", "file://", "{}/nowhere@main"])
def test_an_address_where_nothing_is_is_refused(address: str, place: Path) -> None:
    require_tool("git", "git")
    refuse(address.format(place), place / "out")


@pytest.mark.parametrize("source", ["{}@main", "file://{}"])
def test_without_git_a_repository_is_refused(
    source: str, repository: Repository, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(place / "work"))
    assert "git is not installed" in refuse(source.format(repository.root), place / "out")


HARMFUL = [
    "ext::sh -c touch% executed",
    "ext::touch executed",
    "ext::touch${{IFS}}executed@main",
    "--upload-pack=touch executed",
    "--upload-pack=touch executed@main",
    "-u touch executed",
    "--help",
    "fd::17",
    "file://x/ --upload-pack=touch",
    "ssh://-oProxyCommand=touch%20executed/x",
    "ssh://-oProxyCommand=touch${{IFS}}executed/x@main",
    "x@-oProxyCommand=touch:executed",
    "remote-ext::touch",
    "{}@--upload-pack=touch",
    "{}@-",
    "{}@main:x",
    "{}@+refs/heads/*:refs/heads/*",
    "{}@main..x",
    "{}@@{{upstream}}",
    "file://{}@--output=executed",
]


@pytest.mark.parametrize("source", HARMFUL)
def test_an_address_cannot_smuggle_in_a_command(source: str, repository: Repository, place: Path) -> None:
    refuse(source.format(repository.root), place / "out")
    assert list((place / "work").iterdir()) == []


def test_a_folder_named_like_an_option_is_a_folder(place: Path) -> None:
    write(place / "work" / "--upload-pack=touch")
    assert build("--upload-pack=touch", place / "out")["accounts"]["records"]["read"] == 2


@pytest.mark.parametrize(
    ("source", "address", "revision"),
    [
        ("https://github.com/wikipathways/pfocr-database", None, None),
        (
            "https://github.com/wikipathways/pfocr-database@main",
            "https://github.com/wikipathways/pfocr-database",
            "main",
        ),
        ("git@github.com:wikipathways/pfocr-database", None, None),
        ("git@github.com:wikipathways/pfocr-database@v1", "git@github.com:wikipathways/pfocr-database", "v1"),
        ("ssh://git@github.com/wikipathways/pfocr-database", None, None),
        ("ssh://git@github.com/wikipathways/x@topic/one", "ssh://git@github.com/wikipathways/x", "topic/one"),
        ("https://user:secret@example.org/x", None, None),
        ("https://user:secret@example.org/x@v1", "https://user:secret@example.org/x", "v1"),
    ],
)
def test_the_user_of_an_address_is_no_revision(source: str, address: str | None, revision: str | None) -> None:
    assert git.is_address(source)
    assert git.split(source) == (address or source, revision)


def test_a_password_in_an_address_is_not_repeated(place: Path) -> None:
    require_tool("git", "git")
    said = refuse("http://user:hunter2@127.0.0.1:9/x@main", place / "out")
    assert "hunter2" not in said


@pytest.mark.parametrize("length", [300, 5000])
def test_a_name_that_is_too_long_is_refused(length: int, place: Path) -> None:
    refuse("x" * length, place / "out")
    refuse("x" * length + "@main", place / "out")
    refuse("x/" * length + "x.zip", place / "out")


def test_a_name_that_no_file_can_have_is_refused(place: Path) -> None:
    refuse("a\0b", place / "out")


def test_an_archive_is_refused_when_it_is_cut_short(place: Path) -> None:
    folder = write(place / "source")
    noise = random.Random(1)  # noqa: S311 - the same noise each time
    (folder / "_data" / "PMC9700002__b-genes.tsv").write_bytes(HEADER.encode() + noise.randbytes(50_000))
    for whole in (tarred(folder, place / "whole.tar.gz"), zipped(folder, place / "whole.zip")):
        data = whole.read_bytes()
        for size in (0, 1, 10, 100, len(data) // 2, len(data) - 30, len(data) - 4):
            cut = place / f"cut{size}{''.join(whole.suffixes)}"
            cut.write_bytes(data[:size])
            refuse(cut, place / "out")
    assert list((place / "temporary").iterdir()) == []


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tgz", ".tar"])
def test_an_archive_of_random_bytes_is_refused(ending: str, place: Path) -> None:
    noise = random.Random(2)  # noqa: S311 - the same noise each time
    for start in (b"", b"PK\3\4", b"\x1f\x8b\x08\0\0\0\0\0\0\3"):
        path = place / f"noise{ending}"
        path.write_bytes(start + noise.randbytes(5_000))
        refuse(path, place / "out")


def test_a_zip_with_a_password_is_refused(place: Path) -> None:
    path = zipped(write(place / "source"), place / "source.zip")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 1)
    path.write_bytes(data)
    refuse(path, place / "out")


def test_a_zip_whose_member_was_changed_is_refused(place: Path) -> None:
    path = place / "source.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"_figures/{FIGID}.md", record(FIGID, "figtitle: First"))
    path.write_bytes(path.read_bytes().replace(b"First", b"Worst"))
    refuse(path, place / "out")


@pytest.mark.parametrize("flips", range(30))
def test_a_damaged_archive_is_refused_or_read_but_never_a_crash(flips: int, place: Path) -> None:
    noise = random.Random(flips)  # noqa: S311 - the same noise each time
    folder = write(place / "source")
    for whole in (tarred(folder, place / "w.tar.gz"), tarred(folder, place / "w.tar"), zipped(folder, place / "w.zip")):
        data = bytearray(whole.read_bytes())
        for _ in range(3):
            data[noise.randrange(len(data))] ^= 1 << noise.randrange(8)
        whole.write_bytes(data)
        result = CliRunner().invoke(app, ["-q", "build", str(whole), "--out", str(place / "out")])
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code in (0, 2, 3)
        assert len(result.stderr.splitlines()) == (result.exit_code != 0)


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz", "git", "figures only"])
def test_a_source_without_records_is_refused(form: str, place: Path) -> None:
    folder = place / "empty"
    folder.mkdir()
    source: object = folder
    match form:
        case "zip":
            source = zipped(folder, place / "empty.zip")
        case "tar.gz":
            source = tarred(folder, place / "empty.tar.gz")
        case "git":
            require_tool("git", "git")
            source = f"{Repository(folder, {'README': 'nothing'}).root}@main"
        case "figures only":
            (folder / "_figures").mkdir()
    assert "no records" in refuse(source, place / "out")


def test_an_archive_without_end_is_refused(place: Path) -> None:
    path = place / "source.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo(f"_figures/{FIGID}.md")
        info.size = 100
        archive.addfile(info, io.BytesIO(record(FIGID, "figtitle: First").encode().ljust(100)))
        info.name, info.size = "_figures/PMC9700002__b.md", 0
        archive.addfile(info)
    import gzip

    data = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(data[:700]))
    refuse(path, place / "out")


def test_what_is_neither_record_nor_archive_is_refused(place: Path) -> None:
    (place / "notes.pdf").write_text("text", encoding="utf-8")
    refuse(place / "notes.pdf", place / "out")
    refuse(place / "nothing.md", place / "out")
