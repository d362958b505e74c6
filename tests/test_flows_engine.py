"""The engine of the flows: parts of a step are taken by whoever is free, each once; what fails stops the others."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("prefect", reason="the extra `flows` is not installed")
pytestmark = pytest.mark.flows


@pytest.fixture
def engine(prefect: None) -> Iterator[Any]:
    del prefect
    from prefect.task_runners import ThreadPoolTaskRunner

    from flows.engine import TaskEngine

    runner: Any = ThreadPoolTaskRunner(max_workers=2)
    with runner:
        yield TaskEngine(runner, 2, None)


def double(number: int) -> int:
    return 2 * number


def in_flow(function: Any) -> Any:
    from prefect import flow

    return flow(persist_result=False)(function)()


def test_each_part_is_done_once(engine: Any) -> None:
    found = in_flow(lambda: sorted(engine.map(double, range(50))))
    assert found == [2 * number for number in range(50)]


@pytest.mark.parametrize("parts", [0, 1])
def test_few_parts_need_few_tasks(parts: int, engine: Any) -> None:
    assert in_flow(lambda: list(engine.map(double, range(parts)))) == [2 * number for number in range(parts)]


def test_steps_begin_at_once_and_are_read_in_any_order(engine: Any) -> None:
    def run() -> list[list[int]]:
        steps = [engine.map(double, [number]) for number in range(6)]
        return [list(step) for step in reversed(steps)]

    assert in_flow(run) == [[2 * number] for number in reversed(range(6))]


def test_a_part_that_fails_raises_and_the_rest_is_dropped(engine: Any) -> None:
    done: list[int] = []
    stopped = threading.Event()

    def fail_at_three(number: int) -> None:
        if number == 3:
            raise ValueError("part 3 is bad")
        done.append(number)
        if number > 3:
            stopped.wait(30)

    def run() -> None:
        try:
            list(engine.map(fail_at_three, range(100)))
        finally:
            threading.Timer(0.2, stopped.set).start()
            engine.stop()

    with pytest.raises(ValueError, match="part 3 is bad"):
        in_flow(run)
    assert len(done) < 10
