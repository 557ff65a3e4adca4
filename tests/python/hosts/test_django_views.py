"""Django under ASGI: synchronous views call coroutines that use Django's database, language and time zone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).with_name("django_site.py")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    database = tmp_path_factory.mktemp("django") / "notes.sqlite3"
    ended = subprocess.run([sys.executable, SITE, database], capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr
    answers: dict[str, Any] = json.loads(ended.stdout)
    return answers


@pytest.mark.parametrize("view", ["by_run", "by_to_sync", "by_gather"])
def test_a_coroutine_in_a_synchronous_view_uses_the_database_on_the_views_thread(
    answers: dict[str, Any], view: str
) -> None:
    assert answers[view]["same thread"] is True
    assert answers[view]["count"] >= 2


def test_what_it_writes_belongs_to_the_views_transaction(answers: dict[str, Any]) -> None:
    assert answers["in_transaction"] == {"kept": 0}


def test_language_and_time_zone_go_in_and_come_back(answers: dict[str, Any]) -> None:
    assert answers["languages"] == {"inside": ["de", "Europe/Paris", "de"], "after": ["fr", "Asia/Tokyo"]}


def test_an_asynchronous_view_shares_djangos_thread(answers: dict[str, Any]) -> None:
    assert answers["asynchronous"] == {"same thread": True}
