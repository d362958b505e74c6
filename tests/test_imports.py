"""Data flows one way: a module imports only from modules that stand above it in the table of `docs/design.md`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

SRC = ROOT / "src" / "pfocr_rdf"
PACKAGES = ("", "commands", "extract", "mapping", "export", "release", "report", "serve", "stores", "validation")
"""Packages whose `__init__` holds no code but public names."""


def order() -> list[str]:
    """The modules as the table lists them."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    table = text.partition("| module of `pfocr_rdf` | owns |")[2].partition("\n\n")[0]
    cells = (row.split("|")[1] for row in table.strip().splitlines()[1:])
    return [name for cell in cells for name in re.findall(r"`([a-z0-9_.]+)`", cell)]


def modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in SRC.rglob("*.py"):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(path: Path, known: set[str]) -> Iterator[str]:
    """The modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name == "pfocr_rdf" or name.startswith("pfocr_rdf."):
                inner = name.removeprefix("pfocr_rdf").removeprefix(".")
                yield inner if inner in known else inner.rpartition(".")[0]


def test_the_table_lists_every_module() -> None:
    assert sorted(order()) == sorted(set(modules()) - set(PACKAGES))


@pytest.mark.parametrize("name", order())
def test_a_module_imports_from_above_only(name: str) -> None:
    place = order().index(name)
    above = {*order()[:place], *PACKAGES}
    assert set(imported(modules()[name], set(modules()))) <= above


@pytest.mark.parametrize("name", PACKAGES[1:])
def test_packages_hold_no_code(name: str) -> None:
    body = ast.parse(modules()[name].read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [ast.Expr]


def test_prefect_is_only_in_the_flows() -> None:
    for path in modules().values():
        assert "prefect" not in path.read_text(encoding="utf-8").lower(), path


def test_the_big_libraries_stay_where_they_belong() -> None:
    homes = {
        "pyld": {"expansion", "show"},
        "matplotlib": {"report.plots"},
        "jinja2": {"report.page"},
        "rdflib": {"show", "validation.description"},
        "yaml": {"extract.front_matter", "export.records", "validation.second"},
        "httpx": {"stores.http"},
        "starlette": {"serve.app"},
        "uvicorn": {"serve.app"},
    }
    for library, allowed in homes.items():
        pattern = re.compile(rf"^\s*(?:import|from) {library}\b", re.MULTILINE)
        found = {name for name, path in modules().items() if pattern.search(path.read_text(encoding="utf-8"))}
        assert found == allowed


def test_the_second_reading_shares_nothing_with_the_first() -> None:
    """A count that is made by the code that it is held against proves nothing."""
    known = set(modules())
    second = ("validation.second", "validation.secondrows", "validation.secondsource", "validation.recount")
    used = {name for module in second for name in imported(modules()[module], known)}
    assert used <= {*second, "errors", "resources", "workers"}
