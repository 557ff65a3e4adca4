"""Every defect of palitra 0.1.0 is shown on it, and mended here, by one and the same program."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import programs
import pytest
from scenarios import COMMON, HANGS, SCENARIOS, Scenario

#: How long the original is given, in seconds, where it hangs for ever.
HANGING = 1.5

each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"row-{scenario.row}")


def code(scenario: Scenario) -> str:
    return COMMON + dedent(scenario.code)


@each
def test_the_original_has_the_defect(scenario: Scenario, original_python: Path) -> None:
    ended = programs.run(
        code(scenario), "1", python=original_python, timeout=HANGING if scenario.shown == HANGS else 30
    )
    if scenario.shown == HANGS:
        assert ended.status is None and "kept" not in ended.output, str(ended)
    else:
        assert ended.status is not None, str(ended)
        assert re.search(scenario.shown, ended.output + ended.errors), str(ended)


@each
def test_this_package_has_it_not(scenario: Scenario) -> None:
    programs.check(code(scenario), "20")


def test_every_row_has_its_scenario() -> None:
    assert [scenario.row for scenario in SCENARIOS] == list(range(1, 16))
