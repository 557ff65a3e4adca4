"""Flask's own asynchronous views, through ``app.async_to_sync = palitra.to_sync``, under a real gunicorn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from processes import Server, get


@pytest.fixture(
    scope="module",
    params=[["--worker-class", "sync"], ["--worker-class", "gthread", "--threads", "4"]],
    ids=["sync", "gthread"],
)
def site(request: pytest.FixtureRequest, shared_gunicorn: Callable[..., tuple[Server, str]]) -> Iterator[str]:
    yield shared_gunicorn(*request.param)[1]


def test_the_request_and_g_are_seen_and_set_in_an_async_view(site: str) -> None:
    import urllib.request

    address = f"{site}/async/context?visitor=ada"
    assert get(address) == (200, "/async/context for ada; /async/context for ada")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as answer:
        assert answer.headers["X-Seen"] == "seen"


def test_an_async_view_awaits_jobs_and_coroutines(site: str) -> None:
    assert get(f"{site}/async/job") == (200, "page,6")


def test_what_an_async_view_raises_reaches_its_error_handler(site: str) -> None:
    assert get(f"{site}/async/refusal?visitor=bob") == (418, "refused entry to bob")


def test_what_nobody_handles_is_a_server_error(site: str) -> None:
    assert get(f"{site}/async/failure")[0] == 500
    assert get(f"{site}/async/job") == (200, "page,6")


def test_async_views_share_one_loop(site: str) -> None:
    assert len({get(f"{site}/async/loop")[1] for _ in range(5)}) == 1


def test_an_asynchronous_generator_is_streamed_and_closed(site: str) -> None:
    assert get(f"{site}/stream") == (200, "0\n1\n2\n")
