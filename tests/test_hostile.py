"""Sources that were made to do harm: each is refused or read within bounds, and its neighbour comes out unchanged."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Triple

from tests.blackbox import ACCEPT_ALL, Build, figure, gene, pfocr, run, schema, stream

GOOD = "PMC9009001__good"
HEADER = "organism_id\torganism_name\torganism_group\tword\tmatch\tncbigene_symbol\tncbigene_id\tsource\n"
GOOD_FILES = {
    f"_figures/{GOOD}.md": f"---\nfigid: {GOOD}\npmcid: PMC9009001\nfigtitle: Good neighbour\n---\n".encode(),
    f"_data/{GOOD}-genes.tsv": (
        HEADER + "9606\tHomo sapiens\tPrimates\tp53\tP53\tTP53\t7157\tncbigene_synonym\n"
    ).encode(),
}
BAD = "PMC9009002__bad"
MEMORY = 300 * 1024 * 1024

DRIVER = """
import pathlib, re, resource, sys
from typer.testing import CliRunner
from pfocr_rdf.cli import app

result = CliRunner().invoke(app, sys.argv[1:])
status = pathlib.Path("/proc/self/status")
if status.exists():  # the program's own peak; rusage counts the test run's too, from which it was forked
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
crashed = not (result.exception is None or isinstance(result.exception, SystemExit))
print(result.exit_code, int(crashed), peak)
"""


def write(source: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return source


def record(lines: str, figid: str = BAD) -> bytes:
    return f"---\nfigid: {figid}\npmcid: {figid.partition('__')[0]}\n{lines}\n---\n".encode()


def own(triple: Triple) -> bool:
    """Whether it is said of the neighbour itself: its figure or one of its mentions."""
    starts = (figure(GOOD).value, f"https://w3id.org/pfocr/mention/{GOOD}/")
    return isinstance(triple.subject, NamedNode) and triple.subject.value.startswith(starts)


@cache
def alone() -> frozenset[Triple]:
    """The neighbour's triples when it has no neighbours."""
    with tempfile.TemporaryDirectory() as folder:
        built = run(write(Path(folder, "source"), GOOD_FILES), Path(folder, "out"))
    assert built.exit_code == 0, built.output
    return frozenset(filter(own, built.triples()))


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file in the folder with size and time."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all that a run may reach by accident: working folder, temporary files, home."""
    for name in ("work", "temporary", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def survive(place: Path, source: Path) -> Build:
    """Run on a hostile source: no crash, nothing written beside the output; built, unless refused in one line."""
    before = contents(place)
    built = run(source, place / "results" / "out")
    assert built.exception is None or isinstance(built.exception, SystemExit), repr(built.exception)
    assert "Traceback" not in built.output
    ours = ("results/", "home/cache/")
    assert {name: seen for name, seen in contents(place).items() if not name.startswith(ours)} == before
    beside = [path for path in (place / "results").glob("*") if path.name != "out"]
    assert all(path.name.endswith(".lock") and path.stat().st_size == 0 for path in beside), beside
    if built.exit_code == 0:
        built.check_accounts()
        assert set(filter(own, built.triples())) == alone()
    else:
        assert built.layers == {}
    return built


def survive_folder(place: Path, files: dict[str, bytes]) -> Build:
    """The same of a folder with the good neighbour in it, which must be built."""
    built = survive(place, write(place / "source", {**GOOD_FILES, **files}))
    assert built.exit_code == 0, built.output
    return built


def laughs() -> str:
    lines = ['a0: &a0 ["ha"]']
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines)


BOMBS = {
    "billion laughs": laughs(),
    "merge key": "a: &a {x: 1}\nb:\n  <<: *a",
    "alias to itself": "a: &a [*a]",
    "nested dashes": "extra:\n" + "- " * 100_000 + "x",
    "nested brackets": "extra: " + "[" * 100_000,
    "nested and closed brackets": "extra: " + "[" * 100_000 + "]" * 100_000,
    "nested braces": "extra: " + "{a: " * 100_000,
    "nested explicit keys": "extra:\n" + "? " * 100_000 + "x",
    "nested indentation": "extra:\n" + "\n".join(" " * i + "a:" for i in range(1, 1_500)),
    "brackets as an organism": "organisms:\n- " + "[" * 100_000,
    "object tag": "extra: !!python/object/apply:os.system ['touch escape.md']",
    "second document": "figtitle: One\n--- \nfigid: PMC9009003__second\npmcid: PMC9009003",
}
REFUSED = set(BOMBS) - {"brackets as an organism", "object tag", "second document"}


@pytest.mark.parametrize("name", BOMBS)
def test_a_yaml_bomb_is_refused(name: str, place: Path) -> None:
    built = survive_folder(place, {f"_figures/{BAD}.md": record(BOMBS[name])})
    if name in REFUSED:
        (problem,) = [p for p in built.rejected if p["kind"] == "records"]
        assert problem["code"] in {"yaml-alias", "too-complex", "unreadable-yaml", "too-large"}
        assert built.account("records") == {"read": 2, "emitted": 1, "rejected": 1}
    assert len(json.dumps(built.rejected)) < 10_000


@pytest.mark.parametrize("lines", ["k" * 1_000_000 + ": v", "? " + "k" * 1_000_000 + "\n: v"])
def test_a_key_of_a_megabyte_does_no_harm(lines: str, place: Path) -> None:
    built = survive_folder(place, {f"_figures/{BAD}.md": record(lines)})
    assert all(len(p["value"]) <= 200 for p in (*built.rejected, *built.warnings))


def test_nul_bytes_do_no_harm(place: Path) -> None:
    built = survive_folder(
        place,
        {
            f"_figures/{BAD}.md": record("figtitle: Zero\0title\ncaption: \0"),
            f"_data/{BAD}-genes.tsv": (HEADER + "9606\tHomo sapiens\tP\tp\0q\tPQ\tPQ1\t99\tncbigene_symbol\n").encode(),
            "_figures/zeros.md": bytes(10_000),
            "_data/PMC9009004__zeros-genes.tsv": bytes(10_000),
        },
    )
    assert [t for t in built.triples() if "\0" in str(t.object)] == []


@pytest.mark.parametrize("data", [b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", b"\xf5\x80\x80\x80"])
def test_bytes_that_are_no_utf8_refuse_the_record(data: bytes, place: Path) -> None:
    built = survive_folder(place, {f"_figures/{BAD}.md": record("figtitle: A@B").replace(b"@", data)})
    (problem,) = built.rejected
    assert (problem["code"], problem["kind"]) == ("not-utf8", "records")


@pytest.mark.parametrize("data", [b"\xed\xa0\x80", b"\xff\xfe", b"\xc0\xaf", b"\xf5\x80\x80\x80"])
def test_bytes_that_are_no_utf8_refuse_the_row(data: bytes, place: Path) -> None:
    row = b"9606\tHomo sapiens\tPrimates\tA@B\tAB\tAB1\t990001\tncbigene_symbol\n".replace(b"@", data)
    files = {f"_figures/{BAD}.md": record("figtitle: T"), f"_data/{BAD}-genes.tsv": HEADER.encode() + row}
    built = survive_folder(place, files)
    assert {(p["code"], p["kind"]) for p in built.rejected} == {("not-utf8", "gene-rows")}
    assert built.texts("core", figure(BAD), schema("name")) == {"T"}
    assert built.account("gene-rows") == {"read": 2, "emitted": 1, "rejected": 1}


ODD_FIGIDS = [
    "PMC9009005__a b",
    'PMC9009005__a"b',
    "PMC9009005__a'b",
    "PMC9009005__<b>",
    "PMC9009005__a/b",
    "PMC9009005__../../up",
    "PMC9009005__a\\b",
    "PMC9009005__a{b}",
    "PMC9009005__a|b^`",
    "PMC9009005__a\u00a0b",
    "PMC9009005__a\u2028b",
    "PMC9009005__" + "x" * 200,
    "PMC9009005__",
    "../PMC9009005__a",
]


@pytest.mark.parametrize("figid", ODD_FIGIDS)
def test_a_figid_that_could_not_stand_in_an_address_is_refused(figid: str, place: Path) -> None:
    text = f"---\nfigid: {json.dumps(figid)}\npmcid: PMC9009005\nfigtitle: Odd\n---\n"
    built = survive_folder(place, {"_figures/odd.md": text.encode()})
    (problem,) = built.rejected
    assert (problem["code"], problem["kind"]) == ("bad-figid", "records")
    assert [t for t in built.triples() if "PMC9009005" in str(t)] == []


HARMFUL = 'x" . <urn:a> <urn:b> "c\\u0022 \\n > <y> ; \'\'\' """ {z} ^^<urn:d> @en #'


def test_text_cannot_break_out_of_turtle(place: Path) -> None:
    lines = "\n".join(f"{key}: {json.dumps(HARMFUL)}" for key in ("figtitle", "number", "publisher_name", "filename"))
    cells = f"9606\tHomo sapiens\t{HARMFUL}\t{HARMFUL}\t{HARMFUL}\t{HARMFUL}\t990001\tncbigene_symbol\n"
    files = {f"_figures/{BAD}.md": record(lines), f"_data/{BAD}-genes.tsv": (HEADER + cells).encode()}
    built = survive_folder(place, files)
    assert built.texts("core", figure(BAD), schema("name")) == {HARMFUL}
    assert built.texts("evidence", built.mention(BAD, HARMFUL), pfocr("match")) == {HARMFUL}
    assert [t for t in built.triples() if str(t.subject).startswith("<urn:")] == []


def test_ten_thousand_columns_do_no_harm(place: Path) -> None:
    head = HEADER.rstrip("\n") + "".join(f"\tx{i}" for i in range(10_000)) + "\n"
    cells = "9606\tHomo sapiens\tPrimates\ta\tA\tA1\t990001\tncbigene_symbol" + "\tv" * 10_000 + "\n"
    files = {f"_figures/{BAD}.md": record("figtitle: Wide"), f"_data/{BAD}-genes.tsv": (head + cells).encode()}
    built = survive_folder(place, files)
    assert built.account("gene-rows")["read"] == 2
    assert built.texts("core", figure(BAD), schema("name")) == {"Wide"}


SECRET = b"---\nfigid: PMC9009006__secret\npmcid: PMC9009006\nfigtitle: SECRET\n---\n"
SECRET_TABLE = (HEADER + "9606\tHomo sapiens\tPrimates\tSECRET\tSECRET\tS1\t990666\tncbigene_symbol\n").encode()


def test_links_are_not_followed(place: Path) -> None:
    write(place / "outside", {"secret.md": SECRET, "secret.tsv": SECRET_TABLE})
    source = write(place / "source", {**GOOD_FILES, f"_figures/{BAD}.md": record("figtitle: Bad")})
    (source / "_figures" / "PMC9009006__secret.md").symlink_to(place / "outside" / "secret.md")
    (source / "_figures" / "PMC9009007__gone.md").symlink_to(place / "nowhere.md")
    (source / "_data" / f"{BAD}-genes.tsv").symlink_to(place / "outside" / "secret.tsv")
    built = survive(place, source)
    assert built.exit_code == 0, built.output
    assert [t for t in built.triples() if "SECRET" in str(t) or "990666" in str(t)] == []
    assert "SECRET" not in json.dumps([*built.rejected, *built.warnings])
    assert {p["file"] for p in built.refused("symlink")} >= {
        "_figures/PMC9009006__secret.md",
        f"_data/{BAD}-genes.tsv",
    }
    assert built.texts("core", figure(BAD), schema("name")) == {"Bad"}


def test_a_linked_folder_is_not_followed(place: Path) -> None:
    write(place / "outside", {"mus.md": b"---\nlatin: SECRET\nncbi: '990666'\n---\n"})
    source = write(place / "source", GOOD_FILES)
    (source / "_organisms").symlink_to(place / "outside", target_is_directory=True)
    built = survive(place, source)
    assert [t for t in built.triples() if "SECRET" in str(t) or "990666" in str(t)] == []


def zipped(path: Path, plain: dict[str, bytes], links: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in plain.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)


def tarred(path: Path, plain: dict[str, bytes], links: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for name, data in plain.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind in (("_data/device.tsv", tarfile.CHRTYPE), ("_figures/pipe.md", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.devmajor, info.devminor = kind, 1, 5
            archive.addfile(info)
        info = tarfile.TarInfo("_figures/PMC9009008__hard.md")
        info.type, info.linkname = tarfile.LNKTYPE, "../../outside/secret.md"
        archive.addfile(info)


@pytest.mark.parametrize(("make", "ending"), [(zipped, ".zip"), (tarred, ".tar.gz")])
@pytest.mark.parametrize("members", ["climbing", "absolute", "backslash", "link", "link folder", "harmless"])
def test_an_archive_writes_and_reads_nothing_outside(
    members: str, make: Callable[[Path, dict[str, bytes], dict[str, str]], None], ending: str, place: Path
) -> None:
    write(place / "outside", {"secret.md": SECRET})
    escape = {
        "climbing": "../" * 30 + str(place).lstrip("/") + "/escape.md",
        "absolute": str(place / "escape.md"),
        "backslash": "..\\..\\escape.md",
        "link": "",
        "link folder": "_organisms/escape.md",
        "harmless": "",
    }[members]
    links = {
        "link": {"_figures/PMC9009006__secret.md": str(place / "outside" / "secret.md")},
        "link folder": {"_organisms": str(place / "outside")},
    }.get(members, {})
    archive = place / f"source{ending}"
    make(archive, {**GOOD_FILES, **({escape: SECRET} if escape else {})}, links)
    built = survive(place, archive)
    assert [path for path in place.rglob("*escape*") if "results" not in path.relative_to(place).parts] == []
    if members != "link folder":
        assert [t for t in built.triples() if "SECRET" in str(t)] == []
    if members == "harmless" and make is zipped:
        assert built.exit_code == 0, built.output


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    """A header of a tar file, of a size that no writer would give."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size.to_bytes(12, "big", signed=True) if size < 0 else f"{size:011o}\0".encode()
    block[148:156] = b"        "
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


@pytest.mark.parametrize(
    "members",
    [
        header("a.png") + header("b.png", size=-512) + bytes(1024),
        header("a.md") + header("b.md", size=-512) + bytes(1024),
        header("././@LongLink", tarfile.GNUTYPE_LONGNAME, 1 << 30) + bytes(4096),
        header("x", tarfile.XHDTYPE, 1 << 30) + bytes(4096),
        header("x.md", tarfile.GNUTYPE_SPARSE, 512) + bytes(4096),
        header("x.png", size=1 << 32) * 20,
    ],
    ids=["back", "back to a record", "long name", "long header", "holes", "too long"],
)
def test_a_tar_file_that_no_writer_makes_is_refused_at_once(members: bytes, place: Path) -> None:
    archive = place / "source.tar"
    archive.write_bytes(members)
    built = survive(place, archive)
    assert built.exit_code == 2
    assert built.output.count("\n") == 1, built.output


def test_a_lone_record_reads_no_table_outside_its_folder(place: Path) -> None:
    write(place / "source", {"x.md": b"---\nfigid: ../outside/secret\npmcid: PMC1\n---\n"})
    write(place, {"outside/secret-genes.tsv": SECRET})
    built = run(place / "source" / "x.md", place / "results" / "out")
    assert [problem for problem in built.rejected if "secret-genes" in str(problem)] == []
    write(place / "source", {"y.md": f"---\nfigid: PMC1__{'y' * 300}\npmcid: PMC1\n---\n".encode()})
    assert run(place / "source" / "y.md", place / "results" / "other").refused("bad-figid")


@pytest.mark.parametrize("line", [b"a\n", b"a" * 200 + b"\n"], ids=["lines", "bytes"])
def test_a_map_that_is_too_large_is_refused_whole(line: bytes, place: Path) -> None:
    write(place / "source", {**GOOD_FILES, "_data/ndex_map.tsv": line * 200_001})
    built = survive(place, place / "source")
    [told] = [problem for problem in built.rejected if problem["file"] == "_data/ndex_map.tsv"]
    assert (told["code"], told["value"]) == ("table-too-large", "200001 lines")
    assert built.account("map-lines")["rejected"] == 200_001


def measured(place: Path, source: Path) -> tuple[int, int]:
    """Run in a process of its own; return its exit code and the memory it used at most."""
    command = [sys.executable, "-c", DRIVER, "build", str(source), "--out", str(place / "results" / "out"), *ACCEPT_ALL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    exit_code, crashed, peak = map(int, done.stdout.split()[-3:])
    assert not crashed
    return exit_code, peak


def said_of_neighbour(out: Path) -> set[Triple]:
    """The neighbour's triples, without holding the others."""
    return {triple for path in out.glob("pfocr-*.ttl") for triple in stream(path) if own(triple)}


def accounts(out: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["accounts"]
    for count in found.values():
        assert count["read"] == count["emitted"] + count["merged"] + count["rejected"]
    return found


@pytest.mark.parametrize("packed", [False, True])
def test_a_record_of_a_hundred_megabytes_is_refused_unread(packed: bool, place: Path) -> None:
    name = f"_figures/{BAD}.md"
    start, size = record("figtitle: Huge")[:-4] + b"caption: ", 100 * 1024 * 1024
    if packed:
        source = place / "source.zip"
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            for good, data in GOOD_FILES.items():
                archive.writestr(good, data)
            with archive.open(name, "w") as member:
                member.write(start)
                for _ in range(100):
                    member.write(bytes(1024 * 1024))
    else:
        source = write(place / "source", {**GOOD_FILES, name: start})
        with (source / name).open("r+b") as file:
            file.truncate(size)
    exit_code, peak = measured(place, source)
    assert exit_code == 0
    assert peak < MEMORY
    assert accounts(place / "results" / "out")["records"]["rejected"] == 1
    assert said_of_neighbour(place / "results" / "out") == alone()
    (line,) = (place / "results" / "out" / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["code"] == "too-large"


def test_a_table_of_a_million_rows_is_bounded_and_accounted_for(place: Path) -> None:
    rows = 1_000_000
    source = write(place / "source", {**GOOD_FILES, f"_figures/{BAD}.md": record("figtitle: Long")})
    with (source / "_data" / f"{BAD}-genes.tsv").open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for i in range(1, rows + 1):
            file.write(f"9606\tHomo sapiens\tPrimates\tw{i}\tW{i}\tS{i}\t{i}\tncbigene_symbol\n")
    exit_code, peak = measured(place, source)
    assert exit_code == 0
    assert peak < 2 * MEMORY
    counted = accounts(place / "results" / "out")["gene-rows"]
    assert counted["read"] == rows + 1
    assert counted["emitted"] in {1, rows + 1}
    assert said_of_neighbour(place / "results" / "out") == alone()
    if counted["rejected"]:
        lines = (place / "results" / "out" / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
        assert {json.loads(line)["code"] for line in lines} == {"table-too-large"}


def test_the_neighbour_is_what_it_should_be() -> None:
    said = {(t.predicate, t.object) for t in alone()}
    assert (schema("mentions"), gene("7157")) in said
    assert {t for t in alone() if t.predicate == pfocr("word")}
