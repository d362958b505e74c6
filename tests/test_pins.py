"""`make pins`: which requirements are tried without their bounds, and what is said of them."""

from __future__ import annotations

import pytest

from tools.try_pins import PINNED, Tried, bounds, named, verdicts, without_bounds

REQUIREMENTS = ["prefect==3.8.8", "fastapi>=0.139,<0.151", "sqlalchemy[asyncio]>=2.0,<2.1"]
BOUNDS = {named(requirement)[0]: requirement for requirement in REQUIREMENTS}


def test_only_what_is_lifted_loses_its_bounds() -> None:
    assert without_bounds(REQUIREMENTS, ()) == REQUIREMENTS
    assert without_bounds(REQUIREMENTS, ("sqlalchemy",)) == [*REQUIREMENTS[:2], "sqlalchemy[asyncio]"]
    assert without_bounds(REQUIREMENTS, PINNED) == ["prefect", "fastapi", "sqlalchemy[asyncio]"]


def test_a_name_that_is_not_required_is_refused() -> None:
    with pytest.raises(KeyError):
        without_bounds(REQUIREMENTS, ("flask",))
    with pytest.raises(ValueError, match="is no requirement"):
        named("==3")


def test_the_pins_of_the_project_are_tried() -> None:
    found = bounds()
    assert set(PINNED) <= set(found)
    assert all(found[name] != without_bounds([found[name]], [name])[0] for name in PINNED)


@pytest.mark.parametrize(
    ("tried", "line"),
    [
        (
            Tried(("fastapi",), {"fastapi": "0.165"}, "the server does not do its work: TypeError"),
            "keep fastapi (fastapi 0.165): the server does not do its work: TypeError",
        ),
        (Tried(("fastapi",), {"fastapi": "0.165"}, ""), "can be lifted: fastapi (fastapi 0.165) works"),
        (
            Tried(("fastapi",), {"fastapi": "0.150.2"}, ""),
            "nothing to lift of fastapi: without its bound fastapi 0.150.2 comes, which it allows",
        ),
        (
            Tried(("prefect", "fastapi"), {"prefect": "3.8.8", "fastapi": "0.165"}, ""),
            "can be lifted: prefect and fastapi (prefect 3.8.8, fastapi 0.165) works",
        ),
        (
            Tried(("prefect",), {}, "cannot be installed: no certifi"),
            "keep prefect (prefect ?): cannot be installed: no certifi",
        ),
    ],
)
def test_what_is_said_of_a_try(tried: Tried, line: str) -> None:
    assert verdicts([tried], BOUNDS) == [line]
