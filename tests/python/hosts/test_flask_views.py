"""Flask's own asynchronous views, through ``app.async_to_sync = palitra.to_sync``, under a real gunicorn."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from processes import Server, get

KINDS = [["--worker-class", "sync"], ["--worker-class", "gthread", "--threads", "4"]]


@pytest.fixture(scope="module", params=KINDS, ids=["sync", "gthread"])
def served(request: pytest.FixtureRequest, shared_gunicorn: Callable[..., tuple[Server, str]]) -> tuple[Server, str]:
    return shared_gunicorn(*request.param)


@pytest.fixture
def site(served: tuple[Server, str]) -> str:
    return served[1]


def test_the_request_and_g_are_seen_and_set_in_an_async_view(site: str) -> None:
    address = f"{site}/async/context?visitor=ada"
    assert get(address) == (200, "/async/context for ada; /async/context for ada")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as response:
        assert response.headers["X-Seen"] == "seen"


def test_an_async_view_awaits_jobs_and_coroutines(site: str) -> None:
    assert get(f"{site}/async/job") == (200, "page,6")


def test_what_an_async_view_raises_reaches_its_error_handler(site: str) -> None:
    assert get(f"{site}/async/refusal?visitor=bob") == (418, "refused entry to bob")


def test_what_nobody_handles_is_a_server_error(site: str) -> None:
    assert get(f"{site}/async/failure")[0] == 500
    assert get(f"{site}/async/job") == (200, "page,6")


def test_async_views_share_one_loop(site: str) -> None:
    assert len({get(f"{site}/async/loop")[1] for _ in range(5)}) == 1


def test_views_at_the_same_time_see_their_own_requests(site: str) -> None:
    visitors = [f"visitor{number}" for number in range(16)]
    with ThreadPoolExecutor(4) as clients:
        responses = clients.map(lambda visitor: get(f"{site}/async/context?visitor={visitor}"), visitors)
        for visitor, (status, body) in zip(visitors, responses, strict=True):
            assert (status, body) == (200, f"/async/context for {visitor}; /async/context for {visitor}")


def test_an_asynchronous_generator_is_streamed(site: str) -> None:
    assert get(f"{site}/stream/3") == (200, "0\n1\n2\n")


def test_a_stream_that_its_reader_leaves_is_closed(served: tuple[Server, str]) -> None:
    server, address = served
    server.notes_file.unlink(missing_ok=True)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}/stream/1000000", timeout=10) as response:
        assert response.readline() == b"0\n"
    server.wait_until(lambda: server.notes() == ["closed"], "the generator was closed", 10)
