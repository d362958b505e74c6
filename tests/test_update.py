"""A build that is brought up to date has the bytes of one that was made from nothing, with little converted."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pfocr_rdf import cache, facts, layers, pipeline, resources, state, workers
from pfocr_rdf.facts import Tally
from pfocr_rdf.mapping import entities
from pfocr_rdf.workers import Processes
from tests import changing
from tests.changing import Files, build, contents, options, same
from tests.test_sources import Repository, place, repository

__all__ = ["place", "repository"]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return changing.small(tmp_path / "source", 30)


@pytest.fixture
def few(tmp_path: Path) -> Files:
    return changing.small(tmp_path / "source", 30, fixtures=False)


def checked(files: Files, folder: Path, **asked: object) -> int:
    """Bring `folder/out` up to date and compare it with a new build; return how many records were converted."""
    built = build(files, folder / "out", options(**asked))  # type: ignore[arg-type]
    build(files, folder / "full", options(**asked), full=True)  # type: ignore[arg-type]
    same(folder / "out", folder / "full")
    return built.converted


def sequence(seed: int, folder: Path, steps: int) -> None:
    """Change a source in random ways, a few at a time, and compare after each step."""
    rng = random.Random(f"update {seed}")  # noqa: S311
    files = changing.small(folder / "source", rng.choice((12, 40)), seed=seed, fixtures=seed % 3 != 0)
    asked: dict[str, object] = {
        "shard_records": rng.choice((1, 3, 1000)),
        "compress": rng.choice(("none", "none", "gzip", "zstd")),
        "nquads": rng.random() < 0.4,
    }
    if rng.random() < 0.3:
        asked["image_pattern"] = "https://images.example.net/i/{pmcid}/{filename}"
    checked(files, folder, **asked)
    total = len(files.records())
    converted = []
    for step in range(steps):
        made = changing.change(files, rng, rng.choice((1, 1, 2, 5)))
        try:
            converted.append(checked(files, folder, **asked))
        except BaseException:
            print(f"seed {seed} step {step}: {made} with {asked}")
            raise
    assert min(converted) < total / 2


def test_only_an_update_compares_what_papers_said_before(few: Files, tmp_path: Path) -> None:
    for compares in (False, True):
        with pipeline.making(str(few.root), tmp_path / "out", options()) as (prepared, folder), Processes(1) as engine:
            results = pipeline.run_shards(prepared, engine)
            assert (prepared.state.moved is not None) is compares
            pipeline.finish(prepared, results, folder, options(), engine, keep_cache=True)


def test_a_source_of_which_no_file_can_be_read_is_built_and_followed(tmp_path: Path) -> None:
    """A link is refused unread: nothing is known of any file, and the next build takes up from that."""
    record = tmp_path / "source" / "_figures" / "PMC9700001__a.md"
    record.parent.mkdir(parents=True)
    record.symlink_to(tmp_path / "elsewhere")
    files = Files(tmp_path / "source")
    assert checked(files, tmp_path) == 0
    (refused,) = (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()
    assert (json.loads(refused)["code"], json.loads(refused)["file"]) == ("symlink", "_figures/PMC9700001__a.md")
    record.unlink()
    files.write("_figures/PMC9700001__a.md", "---\nfigid: PMC9700001__a\npmcid: PMC9700001\n---\n")
    assert checked(files, tmp_path) == 1


@pytest.mark.parametrize("seed", range(8))
def test_an_updated_build_has_the_bytes_of_a_new_one(seed: int, tmp_path: Path) -> None:
    sequence(seed, tmp_path, 6)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 200))
def test_an_updated_build_has_the_bytes_of_a_new_one_after_many_changes(seed: int, tmp_path: Path) -> None:
    sequence(seed, tmp_path, 10)


def first_record(files: Files) -> str:
    return files.records()[0]


def edited(files: Files, path: str) -> None:
    files.edit(path, lambda text: text.replace("figtitle: ", "figtitle: Anew ", 1))


def test_only_changed_papers_are_converted(few: Files, tmp_path: Path) -> None:
    assert checked(few, tmp_path) == 30
    assert checked(few, tmp_path) == 0
    edited(few, few.records()[7])
    assert checked(few, tmp_path) == 1


def test_touching_files_converts_nothing(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    for path in few.names("_*/*"):
        few.touch(path)
    assert checked(few, tmp_path) == 0


def test_other_content_of_the_same_size_is_seen_by_its_time(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    few.edit(few.records()[3], lambda text: text.replace("figtitle: ", "figtitle: X", 1)[:-6] + "\n---\n"[-5:])
    path = few.records()[4]
    size = (few.root / path).stat().st_size
    few.edit(path, lambda text: text.replace("license: CC0", "license: XX0"))
    assert (few.root / path).stat().st_size == size
    assert checked(few, tmp_path) == 2


def test_names_that_a_new_page_resolves_convert_only_the_papers_that_say_them(few: Files, tmp_path: Path) -> None:
    later = [path for path in few.records() if "\norganisms_ner:" in few.text(path)][:2]
    for path in later:
        few.edit(path, lambda text: text.replace("\norganisms_ner:\n", "\norganisms_ner:\n- Planta incognita\n"))
    named = [path for path in few.records() if "Planta incognita" in few.text(path)]
    checked(few, tmp_path)
    few.write("_organisms/planta.md", "---\nlatin: Planta incognita\nncbi: '990777'\ngroup: Plants\n---\n")
    assert checked(few, tmp_path) == len(named) > 0
    few.write("_organisms/planta.md", "---\nlatin: Planta incognita\nncbi: '990778'\ngroup: Plants\n---\n")
    assert checked(few, tmp_path) == len(named)
    few.remove("_organisms/planta.md")
    assert checked(few, tmp_path) == len(named)


def test_first_and_last_figures_and_papers_may_come_and_go(few: Files, tmp_path: Path) -> None:
    model = few.records()[5]
    checked(few, tmp_path)
    for figid in ("PMC1__a", "PMC10__a", "PMC100__a", "PMC100__b", "PMC1__0", "PMC999999999__z"):
        changing.clone(few, model, figid)
        assert checked(few, tmp_path) in (1, 2)
    for path in ("PMC1__a", "PMC10__a", "PMC1__0", "PMC100__a", "PMC999999999__z", "PMC100__b"):
        changing.drop(few, f"_figures/{path}.md")
        assert checked(few, tmp_path) <= 1
    for path in few.records()[:-1]:
        changing.drop(few, path)
    assert checked(few, tmp_path) == 0


def symbols(files: Files, gene: str) -> list[tuple[str, int]]:
    """Return table and line of each row that names a gene."""
    return [
        (path, number)
        for path in files.tables("genes")
        for number, line in enumerate(files.text(path).split("\n"))
        if line.split("\t")[6:7] == [gene]
    ]


def set_cell(files: Files, at: tuple[str, int], column: int, value: str) -> None:
    lines = files.text(at[0]).split("\n")
    cells = lines[at[1]].split("\t")
    cells[column] = value
    lines[at[1]] = "\t".join(cells)
    files.write(at[0], "\n".join(lines))


@pytest.mark.parametrize("column", [1, 2, 5], ids=["organism", "group", "symbol"])
def test_votes_tie_and_flip_and_unanimity_is_lost_and_regained(column: int, few: Files, tmp_path: Path) -> None:
    names = "organism_id organism_name organism_group word match ncbigene_symbol ncbigene_id source"
    head = "\t".join([*names.split(), "count_direct", "count_match"]) + "\n"
    made = []
    for path in few.records()[:4]:
        table = f"_data/{Path(path).stem}-genes.tsv"
        few.write(table, f"{head}990555\tBestia una\tBestiae\tw\tW\tWW1\t990555\tncbigene_symbol\t1\t1\n")
        made.append((table, 1))
    checked(few, tmp_path)
    assert symbols(few, "990555") == made
    usual = few.text(made[0][0]).split("\n")[1].split("\t")[column]
    for at, value in (
        (0, "Alia"),  # one dissents
        (1, "Alia"),  # a tie
        (2, "Alia"),  # flipped
        (3, "Alia"),  # all say the other
        (0, usual),
        (0, "Tertia"),
        (1, f" {usual}  "),
        (2, usual),
        (0, "Alia"),
        (1, "Alia"),
        (2, "Alia"),
    ):
        set_cell(few, made[at], column, value)
        assert checked(few, tmp_path) in (1, 2)


def test_records_that_break_and_are_mended_leave_no_trace(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    before = contents(tmp_path / "out")
    path = few.records()[2]
    text = few.text(path)
    for bad in ("", "---\nfigid: [\n---\n", text[:50], "---\nfigid: x\n---\n"):
        few.write(path, bad)
        checked(few, tmp_path)
        assert contents(tmp_path / "out")["rejected.jsonl"] != before["rejected.jsonl"]
        few.write(path, text)
        checked(few, tmp_path)
        assert contents(tmp_path / "out") == before


def test_figids_that_are_none_come_change_and_go(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    before = contents(tmp_path / "out")
    for figid in ("not a figid", "'PMC1 <__\u2028'", "PMC1"):
        few.write("_figures/odd.md", f"---\nfigid: {figid}\npmcid: PMC1\nfigtitle: x\n---\n")
        checked(few, tmp_path)
        few.write("_figures/odd.md", f"---\nfigid: {figid}\npmcid: PMC1\nfigtitle: y\n---\n")
        checked(few, tmp_path)
    few.remove("_figures/odd.md")
    checked(few, tmp_path)
    assert contents(tmp_path / "out") == before


def test_an_address_of_which_two_records_speak_survives_the_one_that_goes(few: Files, tmp_path: Path) -> None:
    one, two, three = few.records()[:3]
    pmcid = Path(three).name.partition("__")[0]
    host = "https://images.example.net/i"
    asked = {"image_pattern": f"{host}/{{pmcid}}/{{filename}}"}
    for path, node, name in (
        (one, f"{host}/{pmcid}/a.jpg", "A"),
        (two, f"{host}/{pmcid}/b.jpg", "B"),
        (few.records()[4], f"{host}/{pmcid}/a.jpg", "C"),
    ):
        few.edit(
            path,
            lambda text, node=node, name=name: text.replace(  # type: ignore[misc]
                "  license: CC0", f"  license: CC0\n  funder:\n    '@id': {node}\n    name: {name}", 1
            ),
        )
    checked(few, tmp_path, **asked)
    assert b"i/" + pmcid.encode() + b"/a.jpg" in contents(tmp_path / "out")["pfocr-compat.ttl"]
    edited(few, three)  # the paper whose images have such addresses
    checked(few, tmp_path, **asked)
    few.edit(one, lambda text: text.replace("    name: A\n", "    name: AA\n"))  # one of the nodes
    checked(few, tmp_path, **asked)
    changing.drop(few, one)
    checked(few, tmp_path, **asked)
    changing.drop(few, two)
    checked(few, tmp_path, **asked)


def test_a_list_of_pmids_may_come_change_and_go(few: Files, tmp_path: Path) -> None:
    listed = tmp_path / "PMC-ids.csv"
    papers = [Path(path).name.partition("__")[0] for path in few.records()]
    header = "Journal Title,ISSN,eISSN,Year,Volume,Issue,Page,DOI,PMCID,PMID,Manuscript Id,Release Date\n"

    def write(pmids: dict[str, int]) -> None:
        listed.write_text(header + "".join(f"J,,,2020,1,1,1,,{p},{n},,live\n" for p, n in pmids.items()))

    checked(few, tmp_path)
    write(dict(zip(papers[:6], range(1, 7), strict=False)))
    assert checked(few, tmp_path, pmc_ids=listed) == 0
    assert b"pubmed" in contents(tmp_path / "out")["pfocr-xrefs-pubmed.ttl"]
    write(dict(zip(papers[2:9], range(1, 8), strict=False)))
    edited(few, first_record(few))
    assert checked(few, tmp_path, pmc_ids=listed) == 1
    assert checked(few, tmp_path) == 0
    assert "pfocr-xrefs-pubmed.ttl" not in contents(tmp_path / "out")


OTHERS: dict[str, dict[str, object]] = {
    "images": {"image_pattern": "https://images.example.net/{pmcid}/{filename}"},
    "images that give no paper away": {"image_pattern": "https://images.example.net/{filename}?of={pmcid}"},
    "gzip": {"compress": "gzip"},
    "zstd": {"compress": "zstd"},
    "quads": {"nquads": True},
    "limit": {"limit": 7},
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_options_convert_all_and_so_do_the_first_ones_again(name: str, few: Files, tmp_path: Path) -> None:
    total = 7 if name == "limit" else 30
    checked(few, tmp_path)
    assert checked(few, tmp_path, **OTHERS[name]) == total
    edited(few, first_record(few))
    assert checked(few, tmp_path, **OTHERS[name]) in ({30} if name == "images that give no paper away" else {1, 2})
    assert checked(few, tmp_path) == 30


def test_another_version_of_the_program_converts_all(
    few: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(few, tmp_path)
    monkeypatch.setattr(resources, "converter", lambda: "another")
    assert checked(few, tmp_path) == 30
    assert checked(few, tmp_path) == 0


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_at_a_line(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 4)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: tuple[Callable[[Path], object], ...] = (
    Path.unlink,
    halved,
    cut_at_a_line,
    garbage,
    flipped,
    as_folder,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes() + b"more\n"),
)


@pytest.mark.parametrize("name", ["state.json", "papers.txt", "files.txt", "hashes.txt", "tally.txt", "facts-0.txt"])
def test_a_damaged_cache_is_as_none(name: str, tmp_path: Path) -> None:
    few = changing.small(tmp_path / "source", 8, fixtures=False)
    checked(few, tmp_path)
    for damage in DAMAGES:
        edited(few, few.records()[1])
        path = tmp_path / "out" / cache.FOLDER / name
        assert path.is_file()
        before = path.read_bytes()
        damage(path)
        if path.is_file() and path.read_bytes() == before:  # a single line cannot be cut at one
            continue
        assert checked(few, tmp_path) == 8
    shutil.rmtree(tmp_path / "out" / cache.FOLDER)
    assert checked(few, tmp_path) == 8
    assert checked(few, tmp_path) == 0


def test_the_cache_of_another_build_is_as_none(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    shutil.copytree(tmp_path / "out" / cache.FOLDER, tmp_path / "kept")
    edited(few, first_record(few))
    checked(few, tmp_path)
    shutil.rmtree(tmp_path / "out" / cache.FOLDER)
    shutil.move(tmp_path / "kept", tmp_path / "out" / cache.FOLDER)
    assert checked(few, tmp_path) == 30


def test_the_cache_of_another_source_lends_no_figid(few: Files, tmp_path: Path) -> None:
    """Files of the same path, size and time may be other ones there."""
    checked(few, tmp_path)
    other = changing.small(tmp_path / "other", 30, fixtures=False)
    path = other.records()[3]
    state_of = (other.root / path).stat()
    figid = Path(path).stem
    renamed = figid[:-1] + ("0" if figid[-1] != "0" else "1")
    other.edit(path, lambda text: text.replace(figid, renamed))
    os.utime(other.root / path, ns=(state_of.st_mtime_ns, state_of.st_mtime_ns))
    assert (other.root / path).stat().st_size == state_of.st_size
    checked(other, tmp_path)


def test_a_damaged_layer_is_not_taken_over(few: Files, tmp_path: Path) -> None:
    checked(few, tmp_path)
    for name in ("pfocr-core.ttl", "pfocr-entities.ttl", "blocks.tsv"):
        for damage in (halved, garbage, Path.unlink):
            edited(few, first_record(few))
            damage(tmp_path / "out" / name)
            assert checked(few, tmp_path) == 30


def test_files_of_facts_pile_up_and_are_made_one(few: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MAX_FILES", 3)
    checked(few, tmp_path)
    many = []
    for number in range(8):
        edited(few, few.records()[number % 3])
        checked(few, tmp_path)
        many.append(len(list((tmp_path / "out" / cache.FOLDER).glob("facts-*"))))
    assert max(many) == 3
    assert many.count(1) >= 2


def test_facts_that_grow_too_large_are_made_one(few: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MAX_GROWTH", 1)
    checked(few, tmp_path)
    kept = tmp_path / "out" / cache.FOLDER
    sizes = []
    for number in range(6):
        edited(few, few.records()[number % 2])
        checked(few, tmp_path)
        sizes.append(sum(path.stat().st_size for path in kept.glob("facts-*")))
        assert len(json.loads((kept / cache.ABOUT).read_text().partition("\n")[2])["sections"]) <= 3
    assert max(sizes) < 1.5 * min(sizes)


def test_few_counts_in_memory_give_the_same_bytes(few: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(few, tmp_path)
    expected = contents(tmp_path / "full")
    monkeypatch.setattr(facts.Tally.__init__, "__defaults__", (5,))
    monkeypatch.chdir(tmp_path)
    assert Tally(tmp_path)._limit == 5
    for path in few.records()[:3]:
        edited(few, path)
        checked(few, tmp_path)
    monkeypatch.undo()
    build(few, tmp_path / "full", full=True)
    same(tmp_path / "out", tmp_path / "full")
    assert contents(tmp_path / "full") != expected
    changing.no_debris(tmp_path, "full", "out", "source")


def test_few_open_files_give_the_same_bytes(few: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(few, tmp_path / "usual", full=True)
    monkeypatch.setattr(layers, "MAX_OPEN", 2)
    checked(few, tmp_path, shard_records=1)
    same(tmp_path / "out", tmp_path / "usual")
    changing.clone(few, first_record(few), "PMC1__a")
    edited(few, few.records()[3])
    checked(few, tmp_path, shard_records=1)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("shard_records", [1, 3, 1000])
def test_workers_and_shards_change_no_byte(workers: int, shard_records: int, tmp_path: Path) -> None:
    files = changing.small(tmp_path / "source", 12)
    build(files, tmp_path / "out", options(shard_records=shard_records), workers=workers)
    changing.change(files, random.Random(5), 6)  # noqa: S311
    build(files, tmp_path / "out", options(shard_records=shard_records), workers=workers)
    build(files, tmp_path / "full", full=True)
    same(tmp_path / "out", tmp_path / "full")


def test_a_repository_is_compared_by_its_trees(repository: Repository, tmp_path: Path) -> None:
    def converted() -> int:
        return build(repository.root, tmp_path / "out").converted

    total = len(list((repository.root / "_figures").glob("*.md")))
    assert converted() == total
    for path in repository.root.rglob("_*/*"):
        os.utime(path, ns=(changing.OLD, changing.OLD))
    assert converted() == 0
    repository.root.joinpath("_figures").rename(repository.root / "away")
    (repository.root / "away").rename(repository.root / "_figures")
    build(repository.root, tmp_path / "full", full=True)
    same(tmp_path / "out", tmp_path / "full")


def test_a_build_without_cache_writes_and_reads_none(few: Files, tmp_path: Path) -> None:
    build(few, tmp_path / "out", full=True)
    assert not (tmp_path / "out" / cache.FOLDER).exists()
    assert build(few, tmp_path / "out").converted == 30
    assert build(few, tmp_path / "out").converted == 0


@pytest.mark.parametrize("seed", range(3))
def test_papers_that_are_too_many_to_compare_give_the_same_bytes(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MAX_COMPARED", 0)
    sequence(seed, tmp_path, 3)


@pytest.mark.parametrize("alone", [True, False])
def test_workers_are_copies_of_this_process_only_where_no_other_thread_runs(
    alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 1 if alone else 2)
    assert workers._method() == ("fork" if alone and sys.platform == "linux" else "spawn")
    with workers.Processes(2) as engine:
        assert sorted(engine.map(abs, [-1, -2, -3])) == [1, 2, 3]


def test_the_kinds_of_sayings_are_all_that_are_understood_in_order() -> None:
    """An update asks for sayings kind by kind: one that is not listed would be lost in it."""

    def understood(letter: str) -> bool:
        for parts in range(1, 9):
            try:
                if list(entities.expand("\x1f".join([letter, *"1" * parts]), "")):
                    return True
            except ValueError:  # another number of parts
                continue
        return False

    assert list(entities.KINDS) == sorted(filter(understood, map(chr, range(128))))
