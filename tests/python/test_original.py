"""Every defect of palitra 0.1.0 is shown there, and shown to be mended here, by the same program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from textwrap import dedent

import programs
import pytest
from scenarios import COMMON, HANGS, SCENARIOS, Scenario

#: How long the original may run, in seconds, where it hangs forever.
HANGING = 2.0

each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"row-{scenario.row}")


def code(scenario: Scenario) -> str:
    return COMMON + dedent(scenario.code)


@pytest.fixture(scope="module")
def originals(original_python: Path) -> Iterator[dict[str, Future[programs.Ended]]]:
    def run(scenario: Scenario) -> programs.Ended:
        timeout = HANGING if scenario.shown == HANGS else programs.PATIENCE
        return programs.run(code(scenario), "1", python=original_python, timeout=timeout)

    with programs.together({scenario.promise: partial(run, scenario) for scenario in SCENARIOS}) as ends:
        yield ends


@each
def test_the_original_has_the_defect(scenario: Scenario, originals: dict[str, Future[programs.Ended]]) -> None:
    ended = originals[scenario.promise].result()
    if scenario.shown == HANGS:
        assert (ended.status, "kept" in ended.output) == (None, False), str(ended)
    else:
        assert ended.status is not None, str(ended)
        assert re.search(scenario.shown, ended.output + ended.errors), str(ended)


@pytest.fixture(scope="module")
def mended() -> Iterator[dict[str, Future[programs.Ended]]]:
    runs = {scenario.promise: partial(programs.run, code(scenario), "20") for scenario in SCENARIOS}
    with programs.together(runs) as ends:
        yield ends


@each
def test_this_package_does_not_have_the_defect(scenario: Scenario, mended: dict[str, Future[programs.Ended]]) -> None:
    ended = mended[scenario.promise].result()
    assert (ended.status, ended.output, ended.errors) == (0, "kept\n", ""), str(ended)


def test_every_row_has_its_scenario() -> None:
    assert [scenario.row for scenario in SCENARIOS] == list(range(1, 16))
