"""Blocks of layers: where they are cut, that all ways to write them agree, and that their index tells the truth."""

from __future__ import annotations

import gzip
import io
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pyoxigraph as ox
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pfocr_rdf import blocks, serialize, storage, terms
from pfocr_rdf import identifiers as ids
from pfocr_rdf.blocks import Block, Cuts, Item, Seam, Source, Writer
from pfocr_rdf.codecs import CODECS, GZIP, PLAIN, Codec
from pfocr_rdf.errors import UsageError
from pfocr_rdf.layers import merged
from pfocr_rdf.model import Layer
from pfocr_rdf.settings import IMAGE_PATTERN
from pfocr_rdf.shards import Output, Run, RunWriter, run_from
from tests import changing
from tests.changing import build, options

PAPERS = [f"PMC{number}" for number in (1, 10, 100, 101, 11, 2, 20, *range(500, 900, 3), 1000000, 9999999)]
ENTITIES = [
    *(ids.gene(str(number)) for number in range(1, 400, 3)),
    *(ids.mesh(f"D{number:06d}") for number in range(1, 300, 3)),
    *(ids.taxon(str(number)) for number in range(1, 60)),
    *(ids.journal(f"J {number}", "") for number in range(40)),
    ids.WIKIPATHWAYS,
    "https://things.example.org/a",
    "https://things.example.org/b",
    "urn:uuid:1234",
]
LAYERS = (Layer.CORE, Layer.EVIDENCE_GENES, Layer.ENTITIES, Layer.COMPAT, Layer.LINKS_GENES_SYMBOL)
CUTS = {layer: Cuts(layer, IMAGE_PATTERN) for layer in LAYERS}


def of_paper(pmcid: str, layer: Layer, many: int) -> list[str]:
    """Return subjects of one paper."""
    figids = [f"{pmcid}__{name}" for name in ("a", "b.jpg", "gr-ü")[:many]]
    if layer is Layer.EVIDENCE_GENES:
        return [ids.mention(figid, f"{key}") for figid in figids for key in range(3)]
    own = [ids.figure(figid) for figid in figids]
    if layer is Layer.CORE:
        own += [ids.image(IMAGE_PATTERN, pmcid, f"{figid}.jpg") for figid in figids] + [ids.paper(pmcid)]
    if layer is Layer.COMPAT:
        own += [f"{ids.figure(figid)}#0123" for figid in figids]
    return own


def text_of(subject: str, version: int = 0) -> str:
    return serialize.block(subject, [("rdfs:label", terms.string(f"{subject} {version}")), ("a", "schema:Thing")])


def subjects(layer: Layer, papers: Iterable[str], entities: Iterable[str], many: int = 2) -> list[str]:
    found = [subject for pmcid in papers for subject in of_paper(pmcid, layer, many)]
    if layer in (Layer.CORE, Layer.ENTITIES, Layer.COMPAT):
        found += entities
    return sorted(set(found))


def written(
    items: Iterable[Item], layer: Layer, codec: Codec, *, quads: bool = True
) -> tuple[bytes, bytes, list[Block]]:
    """Write subjects one by one."""
    out, quads_out = io.BytesIO(), io.BytesIO()
    writer = Writer(out, CUTS[layer], codec, quads_out if quads else None)
    writer.header(serialize.HEADER)
    for subject, text in items:
        writer.add(subject, text)
    writer.flush()
    return out.getvalue(), quads_out.getvalue(), writer.blocks


def as_items(found: Iterable[str]) -> list[Item]:
    return [(subject, text_of(subject)) for subject in found]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_cut_before_families_and_before_chosen_ids_alone(layer: Layer) -> None:
    found = subjects(layer, PAPERS, ENTITIES)
    cuts, seam = CUTS[layer], Seam(CUTS[layer])
    firsts = [subject for subject in found if seam.cut(subject)]
    for before, subject in pairwise(found):
        (was, old), (family, key) = cuts.place(before), cuts.place(subject)
        assert (subject in firsts) == (family != was or (key != old and cuts.begins(key)))
    assert [block.first for block in written(as_items(found), layer, CODECS["none"])[2]] == ["", *firsts]
    families = [cuts.place(subject)[0] for subject in found]
    assert len(firsts) > len(set(families))
    switches = sum(one != two for one, two in pairwise(families))
    assert switches + 1 >= len(set(families))


@pytest.mark.parametrize(("layer", "one_in"), [(Layer.EVIDENCE_GENES, 4), (Layer.CORE, 16), (Layer.ENTITIES, 128)])
def test_one_id_in_so_many_begins_a_block(layer: Layer, one_in: int) -> None:
    begun = sum(CUTS[layer].begins(f"PMC{number}") for number in range(40_000))
    assert 0.8 < begun * one_in / 40_000 < 1.2


def test_subjects_of_one_paper_are_never_parted() -> None:
    for layer in LAYERS:
        cuts, seam = CUTS[layer], Seam(CUTS[layer])
        last = ("", "")
        for subject in subjects(layer, PAPERS, ENTITIES, 3):
            place = cuts.place(subject)
            assert not (seam.cut(subject) and place == last)
            last = place


def test_addresses_like_images_are_cut_as_images_in_core_alone() -> None:
    image = ids.image(IMAGE_PATTERN, "PMC5", "x.jpg")
    assert CUTS[Layer.CORE].place(image) == (IMAGE_PATTERN.partition("{")[0], "PMC5")
    assert CUTS[Layer.COMPAT].place(image) == ("https://www.ncbi.nlm.nih.gov/", image)


def cut_into_runs(items: list[Item], layer: Layer, output: Output, rng: random.Random, folder: Path) -> list[Run]:
    """Return runs as shards write them: figures and mentions by runs of papers, all else anyhow."""
    cuts = CUTS[layer]
    runs: list[Run] = []
    aligned: dict[str, list[tuple[str, list[Item]]]] = {}
    loose: list[list[Item]] = [[] for _ in range(3)]
    for item in items:
        family, key = cuts.place(item[0])
        if family in (ids.FIGURES, ids.MENTIONS):
            groups = aligned.setdefault(family, [])
            if not groups or groups[-1][0] != key:
                groups.append((key, []))
            groups[-1][1].append(item)
        else:
            rng.choice(loose).append(item)
    number = 0

    def finish(writer: RunWriter, path: Path, out: io.BytesIO) -> None:
        for found in writer.finish(layer):
            runs.append(Run(str(path), layer, found["first"], found["last"], found["blocks"]))
        path.write_bytes(out.getvalue())

    for groups in aligned.values():
        ends = sorted({*(rng.randrange(len(groups) + 1) for _ in range(rng.randrange(6))), len(groups)})
        start = 0
        for end in ends:
            out = io.BytesIO()
            writer = RunWriter(cuts, out, output)
            for key, group in groups[start:end]:
                writer.add(group[0][0], group[-1][0], "".join(text for _, text in group).encode(), key)
            finish(writer, folder / f"run-{number}", out)
            start, number = end, number + 1
    for part in loose:
        out = io.BytesIO()
        writer = RunWriter(cuts, out, None)
        rng.shuffle(part)
        writer.loose = part
        finish(writer, folder / f"run-{number}", out)
        number += 1
    rng.shuffle(runs)
    return runs


@given(st.integers(0, 10**9), st.sampled_from(LAYERS), st.sampled_from(sorted(CODECS)))
@settings(max_examples=60)
def test_subjects_runs_and_finished_blocks_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, seed: int, layer: Layer, codec_name: str
) -> None:
    rng = random.Random(seed)  # noqa: S311
    folder = tmp_path_factory.mktemp("runs")
    codec, quads = CODECS[codec_name], rng.random() < 0.5
    papers = rng.sample(PAPERS, rng.randrange(len(PAPERS)))
    items = as_items(subjects(layer, papers, rng.sample(ENTITIES, rng.randrange(len(ENTITIES))), rng.randrange(1, 4)))
    expected = written(items, layer, codec, quads=quads)
    out, quads_out = io.BytesIO(), io.BytesIO()
    writer = Writer(out, CUTS[layer], codec, quads_out if quads else None)
    writer.header(serialize.HEADER)
    for piece in merged(cut_into_runs(items, layer, Output(codec_name, nquads=quads), rng, folder), codec, str(folder)):
        if isinstance(piece[1], str):
            writer.add(*piece)
        else:
            writer.copy_all(*piece)
    writer.flush()
    assert (out.getvalue(), quads_out.getvalue(), writer.blocks) == expected
    assert writer.triples == 2 * len(items)
    # finished blocks of the file itself, some copied, some taken apart
    (folder / "file").write_bytes(expected[0])
    (folder / "quads").write_bytes(expected[1])
    source = Source(str(folder / "file"), codec, str(folder / "quads"))
    out, quads_out = io.BytesIO(), io.BytesIO()
    writer = Writer(out, CUTS[layer], codec, quads_out if quads else None)
    writer.header(serialize.HEADER)
    for block in expected[2][1:]:
        if rng.random() < 0.5:
            writer.copy(source, block)
        else:
            for item in source.items(block):
                writer.add(*item)
    writer.flush()
    source.close()
    assert (out.getvalue(), quads_out.getvalue(), writer.blocks) == expected


def contents_of(found: Iterable[Block]) -> Counter[tuple[str, str]]:
    return Counter((block.first, block.digest) for block in found)


def test_a_block_is_cut_open_only_where_subjects_of_another_run_come_between(tmp_path: Path) -> None:
    layer = Layer.ENTITIES
    items = as_items(sorted(f"{ids.GENES}{number}" for number in range(1, 2000)))
    between, both = items[700], items[900]
    runs: list[Run] = []
    for number, part in enumerate(([item for item in items if item != between], [between, both])):
        path, out = tmp_path / f"run-{number}", io.BytesIO()
        writer = RunWriter(CUTS[layer], out, None)
        for subject, text in part:
            writer.put(subject, text, subject)
        runs += [run_from(str(path), found) for found in writer.finish(layer)]
        path.write_bytes(out.getvalue())
    pieces = [piece for piece in merged(runs, PLAIN, str(tmp_path)) if isinstance(piece[1], str)]
    assert "".join(text for _, text in pieces) == "".join(text for _, text in items)
    assert len(pieces) <= sum(len(run.blocks) for run in runs) + 4
    out = io.BytesIO()
    whole = Writer(out, CUTS[layer], PLAIN)
    whole.header(serialize.HEADER)
    for subject, text in pieces:
        whole.add(subject, text)
    whole.flush()
    assert (out.getvalue(), b"", whole.blocks) == written(items, layer, PLAIN, quads=False)


def test_where_the_next_block_begins_is_told_by_the_last_subject_of_a_piece() -> None:
    cuts = CUTS[Layer.CORE]
    begins = next(pmcid for pmcid in (f"PMC{number}" for number in range(1, 1000)) if cuts.begins(pmcid))
    figures = [f"{ids.FIGURES}{begins}__{name}.html" for name in "abc"]
    items = [(f"{ids.FIGURES}PMC0__a.html", text_of(f"{ids.FIGURES}PMC0__a.html")), *as_items(figures)]
    out = io.BytesIO()
    writer = Writer(out, cuts, PLAIN)
    writer.header(serialize.HEADER)
    writer.add(items[0][0], items[0][1] + items[1][1])  # not cut as the rule cuts, so that the last one matters
    for subject, text in items[2:]:
        writer.add(subject, text)
    writer.flush()
    assert len(writer.blocks) == 2


@given(st.integers(0, 10**9), st.sampled_from(LAYERS))
@settings(max_examples=80)
def test_one_paper_or_thing_more_changes_its_block_and_at_most_a_neighbour(seed: int, layer: Layer) -> None:
    rng = random.Random(seed)  # noqa: S311
    codec = CODECS["none"]
    many = subjects(layer, PAPERS, ENTITIES)
    place = CUTS[layer].place(rng.choice(many))
    fewer = [subject for subject in many if CUTS[layer].place(subject) != place]
    one = written(as_items(fewer), layer, codec, quads=False)[2]
    two = written(as_items(many), layer, codec, quads=False)[2]
    gone, came = contents_of(one) - contents_of(two), contents_of(two) - contents_of(one)
    assert 0 < sum(came.values()) <= 3
    assert sum(gone.values()) <= 2
    firsts = [block.first for block in two]
    subject = next(subject for subject in many if CUTS[layer].place(subject) == place)
    near = bisect_left(firsts, subject)
    assert all(abs(firsts.index(first) - near) <= 2 for first, _ in came)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same source, in all ways to write files."""
    folder = tmp_path_factory.mktemp("builds")
    files = changing.small(folder / "source", 150)
    for codec in CODECS:
        build(files, folder / codec, options(compress=codec, nquads=True, shard_records=20), full=True)
        build(files, folder / f"{codec}-again", options(compress=codec, nquads=True, shard_records=7), full=True)
    return {codec: folder / codec for codec in CODECS}


@pytest.mark.parametrize("name", CODECS)
def test_the_index_tells_what_is_in_the_files(name: str, builds: dict[str, Path]) -> None:
    codec, out = CODECS[name], builds[name]
    all_quads = (out / "pfocr-all.nq.gz").read_bytes()
    at = 0
    for layer, found in blocks.read_index(out / blocks.INDEX).items():
        data = (out / f"pfocr-{layer}.ttl{codec.suffix}").read_bytes()
        offset = 0
        seen = []
        for block in found:
            text = codec.decode(data[block.offset : block.offset + block.size])
            assert block.offset == offset
            assert block.digest == blocks.digest(text)
            assert block.triples == blocks.count(text)
            if block.first:
                items = list(blocks.items(text))
                assert items[0][0] == block.first
                seen += [subject for subject, _ in items]
                quads = gzip.decompress(all_quads[block.quads_offset : block.quads_offset + block.quads_size]).decode()
                assert quads == serialize.quads(text.decode(), ids.graph(layer))
                assert quads.count("\n") == block.triples
                assert block.quads_offset == at
                at += block.quads_size
            else:
                assert text.decode() == serialize.HEADER
                assert (block.quads_offset, block.quads_size) == (0, 0)
            offset += block.size
        assert offset == len(data)
        assert seen == sorted(set(seen))
    assert at == len(all_quads)


@pytest.mark.parametrize("name", CODECS)
def test_two_runs_give_the_same_compressed_bytes(name: str, builds: dict[str, Path]) -> None:
    changing.same(builds[name], builds[name].with_name(f"{name}-again"))


def test_members_bear_no_time_and_no_name(builds: dict[str, Path]) -> None:
    out = builds["gzip"]
    for layer, found in blocks.read_index(out / blocks.INDEX).items():
        data = (out / f"pfocr-{layer}.ttl.gz").read_bytes()
        for block in found:
            assert data[block.offset : block.offset + 8] == b"\x1f\x8b\x08\x00\0\0\0\0"
    for layer, found in blocks.read_index(builds["zstd"] / blocks.INDEX).items():
        data = (builds["zstd"] / f"pfocr-{layer}.ttl.zst").read_bytes()
        for block in found:
            frame = zstandard.get_frame_parameters(data[block.offset : block.offset + block.size])
            assert frame.has_checksum
            assert frame.content_size > 0


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_an_unpacked_build_is_the_plain_build(name: str, builds: dict[str, Path]) -> None:
    codec = CODECS[name]
    for plain in builds["none"].glob("pfocr-*.ttl"):
        packed = builds[name] / f"{plain.name}{codec.suffix}"
        with codec.open(packed) as stream:
            assert stream.read() == plain.read_bytes()
        other = gzip.decompress if codec is GZIP else _unpacked
        assert other(packed.read_bytes()) == plain.read_bytes()


def _unpacked(data: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
        return stream.read()


@pytest.mark.parametrize("name", CODECS)
def test_the_quads_are_those_of_all_layers_in_order(name: str, builds: dict[str, Path]) -> None:
    lines = gzip.decompress((builds[name] / "pfocr-all.nq.gz").read_bytes()).decode().split("\n")[:-1]
    expected: list[str] = []
    for layer in Layer:
        path = builds["none"] / layer.filename
        if path.exists():
            expected += serialize.quads(path.read_text().partition("\n\n")[2], ids.graph(layer)).split("\n")[:-1]
    assert lines == expected
    found = {
        ox.Quad(triple.subject, triple.predicate, triple.object, ox.NamedNode(ids.graph(layer)))
        for layer in Layer
        if (builds["none"] / layer.filename).exists()
        for triple in ox.parse(path=builds["none"] / layer.filename, format=ox.RdfFormat.TURTLE)
    }
    parsed = list(ox.parse("\n".join(lines), format=ox.RdfFormat.N_QUADS))
    assert set(parsed) == found
    assert len(parsed) == len(found)


NASTY = st.text(
    st.one_of(
        st.sampled_from('"\\^@<>.,;:#_\n\r\t\x00\x01\x0b\x0c\x1f\x7f\x85\u2028\u2029\ufeff\U0001f9ec ab'),
        st.characters(codec="utf-8"),
    ),
    max_size=12,
)
DATATYPES = st.sampled_from(
    [f"http://www.w3.org/2001/XMLSchema#{name}" for name in ("date", "decimal", "double")]
    + ["https://e.org/a%20b", "https://e.org/x@y#z", "urn:x@y"]
)
OBJECTS = st.one_of(
    st.builds(terms.string, NASTY),
    st.builds(terms.typed, NASTY, DATATYPES),
    st.builds(terms.tagged, NASTY, st.sampled_from(["en", "EN-gb", "zh-Hant-x-any"])),
    st.builds(terms.integer, st.integers(-(10**18), 10**18)),
    st.builds(terms.decimal, st.decimals(allow_nan=False, allow_infinity=False, places=4)),
    st.builds(terms.gyear, st.integers(1900, 2099).map(str)),
    st.sampled_from(["true", "false", "schema:Thing", terms.iri("https://e.org/x;y,z.w")]),
)
PREDICATES = st.sampled_from(["rdfs:label", "schema:name", "<https://e.org/p;,.>", "dcterms:subject"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["https://e.org/s", ids.figure("PMC1__a.b"), f"{ids.PFD}journal/x", "urn:a:b"]),
            st.lists(st.one_of(st.tuples(PREDICATES, OBJECTS), st.just(("a", "schema:Thing"))), min_size=1, max_size=6),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda described: described[0],
    )
)
def test_lines_are_what_a_parser_reads_from_the_turtle(described: list[tuple[str, list[tuple[str, str]]]]) -> None:
    text = "".join(serialize.block(subject, pairs) for subject, pairs in described)
    expected = set(ox.parse(serialize.HEADER + text, format=ox.RdfFormat.TURTLE))
    lines = serialize.ntriples(text)
    assert len(lines) == len(set(lines)) == blocks.count(text.encode())
    assert all(line.count("\n") == 1 and line.endswith(" .\n") for line in lines)
    found = list(ox.parse("".join(lines), format=ox.RdfFormat.N_TRIPLES))
    assert len(found) == len(lines)
    as_triples = {ox.Triple(quad.subject, quad.predicate, quad.object) for quad in found}
    assert as_triples == {ox.Triple(quad.subject, quad.predicate, quad.object) for quad in expected}
    graph = ids.graph("core")
    quads = set(ox.parse(serialize.quads(text, graph), format=ox.RdfFormat.N_QUADS))
    assert quads == {ox.Quad(q.subject, q.predicate, q.object, ox.NamedNode(graph)) for q in expected}


@pytest.mark.parametrize("value", [Decimal("0.1"), Decimal(5), Decimal("-1E+3")])
def test_bare_numbers_keep_their_datatype(value: Decimal) -> None:
    assert serialize.full(terms.decimal(value)).endswith("XMLSchema#decimal>")


def test_a_file_that_is_not_what_its_index_says_is_refused(tmp_path: Path, builds: dict[str, Path]) -> None:
    found = blocks.read_index(builds["none"] / blocks.INDEX)["core"]
    data = bytearray((builds["none"] / "pfocr-core.ttl").read_bytes())
    data[found[2].offset + 3] ^= 1
    (tmp_path / "x.ttl").write_bytes(data)
    source = Source(str(tmp_path / "x.ttl"), CODECS["none"])
    source.text(found[1])
    with pytest.raises(UsageError, match="build again"):
        source.text(found[2])
    source.close()


def test_a_source_of_blocks_may_lie_in_a_store(builds: dict[str, Path]) -> None:
    place = "memory://blocks/core.ttl"
    storage.put(place, (builds["none"] / "pfocr-core.ttl").read_bytes())
    source = Source(place, CODECS["none"])
    for block in blocks.read_index(builds["none"] / blocks.INDEX)["core"]:
        source.text(block)
    source.close()
    storage.remove("memory://blocks")


@pytest.mark.parametrize("text", ["", "layer\tfirst\n", "\t".join(blocks.COLUMNS) + "\ncore\tx\n"])
def test_a_broken_index_is_refused_with_what_to_do(text: str, tmp_path: Path) -> None:
    path = tmp_path / blocks.INDEX
    path.write_text(text)
    with pytest.raises(UsageError, match="build again"):
        blocks.read_index(path)
