"""The invented world that the corpus draws from: organisms, genes, chemicals, diseases, journals, words.

All of it is the same for every seed. Popularity is by rank (`zipf`), so a few things are everywhere and most are rare.
"""

# ruff: noqa: RUF001 -- Greek letters and odd quotes are the point

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import cache

CONCEPTS = 19_500
"""Kinds of genes; an organism has one gene of a kind or none."""
GENE_ORGANISMS = 60
OTHERS = 2_230
NAMELESS = 400
"""Organisms that no page and no table gives an id."""
CHEMICALS, DISEASES, JOURNALS, PUBLISHERS = 21_000, 2_400, 3_000, 400
GROUPS = ("Primates", "Rodents", "Mammals", "Vertebrates", "Invertebrates", "Plants and Fungi", "Bacteria", "Viruses")

_SYLLABLES_TEXT = """\
ba ce do fi gu la me ni po ra se ti vo xa zy bra cle dri flo gra pla tro phe sca thy cho mar lin ter
ric tus lon mas gen sul nor vel pan der mus can"""
_SYLLABLES = tuple(_SYLLABLES_TEXT.split())
_REAL = """9606|Homo sapiens|Primates
10090|Mus musculus|Rodents
10116|Rattus norvegicus|Rodents
7955|Danio rerio|Vertebrates
7227|Drosophila melanogaster|Invertebrates
6239|Caenorhabditis elegans|Invertebrates
3702|Arabidopsis thaliana|Plants and Fungi
4932|Saccharomyces cerevisiae|Plants and Fungi
9913|Bos taurus|Mammals
9823|Sus scrofa|Mammals
9031|Gallus gallus|Vertebrates
8364|Xenopus tropicalis|Vertebrates
511145|Escherichia coli str. K-12 substr. MG1655|Bacteria
9615|Canis lupus familiaris|Mammals
8355|Xenopus laevis|Vertebrates
9986|Oryctolagus cuniculus|Mammals
9544|Macaca mulatta|Primates
4896|Schizosaccharomyces pombe|Plants and Fungi
208964|Pseudomonas aeruginosa PAO1|Bacteria
4577|Zea mays|Plants and Fungi"""
_COMMON = {"7955": "Zebrafish", "7227": "Fruitfly", "6239": "Worm", "9031": "Chicken", "9913": "Cow", "4577": "Maize"}
_PAGE_LATIN = {"9615": "Canis familiaris", "511145": "Escherichia coli K-12"}
_FLY = ("Off", "On", "na", "how", "tRNA:Arg-TCT-3-1", "Rst(2)At", "ref(2)P", "anon-70Db", "NO", "y", "e(y)1")
_WORDS_TEXT = """\
signaling pathway activation of the in and by with through expression inhibition receptor cells membrane complex
phosphorylation kinase nuclear translocation transcription factor downstream upstream proteins binding to mediated
induced which leads a increased decreased levels apoptosis proliferation differentiation migration invasion tumor
growth metastasis autophagy inflammation immune response stress oxidative damage repair mitochondrial metabolism
lipid glucose synthesis degradation ubiquitin proteasome regulation mechanism schematic model proposed
representation overview interaction network between ligand adaptor recruits promotes suppresses targets genes
release cytokine stimulation endothelial epithelial neuronal hepatic cardiac renal muscle bone development
resistance therapy treatment patients mice knockout wild-type mutant loss gain function role during after under
conditions hypoxia calcium influx channel synaptic plasticity feedback loop negative positive cross-talk crosstalk
axis cascade effector cleavage secretion vesicle transport endocytosis cytoskeleton actin remodeling adhesion
junction barrier integrity cell-cycle arrest senescence stem progenitor lineage specification fibrosis
angiogenesis vascular permeability infection virus replication host bacterial toxin innate adaptive antigen
presentation memory exhaustion blockade inhibitor agonist antagonist dose-dependent crystal domain catalytic
residues conserved motif promoter enhancer chromatin methylation acetylation epigenetic silencing microRNA
non-coding RNA splicing translation initiation ribosome for from is are that can be via on as or this was not"""
WORDS = tuple(_WORDS_TEXT.split())
ODD = (
    "(A)",
    "(B)",
    "TNF-α",
    "NF-κB",
    "β-catenin",
    "IFN-γ",
    "TGF-β1:",
    "5′-UTR",
    '"switch"',
    "'on'",
    "[]",
    "()",
    "→",
    "(i.e.,",
    "Ca2+",
    "p<0.05;",
    "#2",
    "µM",
    "Ras–Raf",
    "①",
    "±",
    "cells:",
    "e.g.",
)
AUTHORS = ("Li", "Chen", "Holm", "García", "Müller", "Okafor", "Sato", "Kim", "Novák", "O'Brien", "Rossi", "Singh")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Organism:
    """An organism: `name` as tables say it, `latin` and `common` as its page does; no `taxid` means none is known."""

    taxid: str
    name: str
    latin: str
    common: str
    group: str
    old_page: bool
    image: str


def zipf(u: float, size: int) -> int:
    """Return a rank from 0 to `size` - 1, for a number from 0 to 1; the probability falls with the rank."""
    return int(math.exp(u * math.log(size + 1))) - 1


def _name(rng: random.Random, low: int, high: int) -> str:
    return "".join(rng.choices(_SYLLABLES, k=rng.randint(low, high)))


@cache
def organisms() -> list[Organism]:
    """Return all organisms: first those with genes, then those with a page alone, last those without id."""
    rng = random.Random("organisms")  # noqa: S311
    made: list[Organism] = []
    seen: set[str] = set()
    for line in _REAL.split("\n"):
        taxid, name, group = line.split("|")
        latin = _PAGE_LATIN.get(taxid, name)
        made.append(Organism(taxid, name, latin, _COMMON.get(taxid, latin), group, taxid in _COMMON, ""))
        seen |= {name, latin}
    while len(made) < GENE_ORGANISMS + OTHERS + NAMELESS:
        name = f"{_name(rng, 2, 3).capitalize()} {_name(rng, 2, 4)}"
        number, kind = len(made), rng.random()
        if kind < 0.04:
            name += f" ATCC {rng.randint(1000, 60000)}  CIP {rng.randint(10, 99)}.{rng.randint(10, 99)}"
        elif kind > 0.97:
            name = f"{_name(rng, 2, 3)} metagenome"
        if name in seen:
            continue
        seen.add(name)
        known = number < GENE_ORGANISMS + OTHERS
        image = f"http://www.ncbi.nlm.nih.gov/Taxonomy/taxi/images/{number}" if rng.random() < 0.5 else ""
        group = GROUPS[rng.randrange(1, len(GROUPS))]
        old = rng.random() < 0.05
        common = _name(rng, 2, 2).capitalize() if old else name
        made.append(
            Organism(str(1_000_000 + number * 7) if known else "", name, name, common, group, old, "" if old else image)
        )
    return made


@cache
def families() -> tuple[list[str], list[tuple[int, int]], list[int]]:
    """Return the families' stems, each one's range of concepts, and the family of each concept."""
    rng = random.Random("families")  # noqa: S311
    stems: list[str] = []
    ranges: list[tuple[int, int]] = []
    family: list[int] = []
    seen: set[str] = set()
    while len(family) < CONCEPTS:
        stem = "".join(rng.choices("ABCDEFGHIKLMNPRSTVWXYZ", k=rng.choice((2, 3, 3, 3, 4, 4))))
        if stem in seen:
            continue
        seen.add(stem)
        size = min(int(rng.paretovariate(0.9)), 40, CONCEPTS - len(family))
        ranges.append((len(family), len(family) + size))
        family += [len(stems)] * size
        stems.append(stem)
    return stems, ranges, family


@cache
def popular() -> list[int]:
    """Return the concepts in order of popularity."""
    order = list(range(CONCEPTS))
    random.Random("popular").shuffle(order)  # noqa: S311
    return order


@cache
def ranks() -> list[int]:
    """Return the popularity of each concept, the other way round."""
    found = [0] * CONCEPTS
    for rank, concept in enumerate(popular()):
        found[concept] = rank
    return found


def genes_of(organism: int) -> int:
    """Return how many of the concepts an organism has genes of: the most popular ones; all of them for the first."""
    return CONCEPTS if organism == 0 else int(18_000 / organism**0.75)


@cache
def gene(concept: int, organism: int) -> tuple[str, str, str]:
    """Return id, symbol and older symbol (empty for none) of an organism's gene of a kind."""
    if organism == 0:
        number = 1 + concept * 7919 % 99_991
    else:
        number = 100_000 + (concept * (GENE_ORGANISMS - 1) + organism) * 48_271 % 9_999_991
    stems, ranges, family = families()
    which = family[concept]
    first, last = ranges[which]
    symbol = stems[which] + (str(concept - first + 1) if last - first > 1 else "")
    group = organisms()[organism].group
    if group == "Rodents":
        symbol = symbol.capitalize()
    elif group in ("Vertebrates", "Viruses"):
        symbol = symbol.lower() + ("", "", "", "a", "b")[concept % 5]
    elif group == "Invertebrates":
        symbol = _FLY[concept // 97 % len(_FLY)] if concept % 97 == 0 else symbol.capitalize().replace("1", "-1")
    elif group == "Plants and Fungi":
        symbol = f"AT{1 + concept % 5}G{number % 100_000:05d}" if concept % 2 else symbol
    elif group == "Bacteria":
        symbol = symbol[:3].lower() + symbol[3:].upper()
    old = ("" if number % 61 else f"LOC{number}") or ("" if number % 67 else f"{symbol}L")
    return str(number), symbol, old


@cache
def chemical(rank: int) -> tuple[str, str, str, str]:
    """Return word, MeSH id, ChEBI id (each may be empty) and name of a chemical."""
    rng = random.Random(f"chemical {rank}")  # noqa: S311
    word = _name(rng, 1, 4) + rng.choice(("", "", " acid", "ine", "ol", "-6-phosphate", "ate", " A"))
    word = word.capitalize() if rng.random() < 0.5 else word
    digits = f"{rank * 37 % 999_983:06d}"
    mesh = (f"D{digits}" if rank % 3 else f"C{digits}{rank % 1000:03d}") if rank % 10 < 7 else ""
    chebi = str(15_000 + rank) if rank % 3 == 0 or not mesh else ""
    name = (
        word.lower() if rng.random() < 0.5 else f"({rng.randint(1, 4)}->4)-{_name(rng, 3, 9)}'-[{_name(rng, 2, 5)}yl]"
    )
    return word, mesh, chebi, name


@cache
def disease(rank: int) -> tuple[str, str, str, str]:
    """Return word, MeSH id, DO id (each may be empty) and name of a disease."""
    rng = random.Random(f"disease {rank}")  # noqa: S311
    ends = (" disease", "itis", "osis", " syndrome", " cancer", "emia")
    word = _name(rng, 2, 3) + rng.choice(ends)
    mesh = f"D{700_000 + rank * 13:06d}" if rank % 10 < 7 else ""
    doid = f"{rank * 31:0{4 if rank % 2 else 7}d}" if rank % 4 == 0 or not mesh else ""
    return word, mesh, doid, word if rng.random() < 0.7 else f"{word}, familial"


@cache
def journal(rank: int) -> tuple[str, str, str]:
    """Return abbreviation, title and publisher of a journal."""
    rng = random.Random(f"journal {rank}")  # noqa: S311
    topic = f"{_name(rng, 2, 3).capitalize()} {_name(rng, 2, 3).capitalize()}"
    title = f"{rng.choice(('Journal of', 'Annals of', 'Frontiers in', 'Acta'))} {topic}"
    if rng.random() < 0.05:
        title += f": {_name(rng, 2, 3)}"
    abbreviation = " ".join(part[:5] for part in title.replace(":", "").split())
    house = random.Random(f"publisher {zipf(rng.random(), PUBLISHERS)}")  # noqa: S311
    publisher = (
        f"{_name(house, 2, 3).capitalize()} {house.choice(('Press', 'Publishing Group UK', 'Media S.A.', 'Ltd'))}"
    )
    return f"{abbreviation} {rank}", title, publisher
