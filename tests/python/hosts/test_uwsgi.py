"""Flask under a real uWSGI, which forks its workers from a master that has used palitra.

Unless it is told to, it calls none of Python's fork handlers in them.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from processes import Server, free_port, get
from test_gunicorn import check_views

HERE = Path(__file__).parent
OPTIONS = {
    "a-process-a-request": [],
    "threads": ["--enable-threads", "--threads", "4"],
    "python's-handlers": ["--enable-threads", "--py-call-uwsgi-fork-hooks"],
    "imported-by-workers": ["--enable-threads", "--lazy-apps"],
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_workers_forked_after_the_master_used_palitra_have_a_runner_of_their_own(
    tmp_path: Path, pages: str, options: list[str]
) -> None:
    port = free_port()
    command = [str(Path(sys.executable).with_name("uwsgi")), "--http-socket", f"127.0.0.1:{port}", "--master"]
    command += ["--processes", "2", "--die-on-term", "--chdir", str(HERE), "--module", "flask_site:app"]
    with Server([*command, *options], tmp_path / "uwsgi.log", {"PAGES": pages, "BEFORE_FORK": "1"}) as server:
        server.wait_for_port(port)
        address = f"http://127.0.0.1:{port}"
        if "--lazy-apps" not in options:
            assert get(f"{address}/alive") == (200, "False")
        check_views(address)
        for path, body in {"/submit": "42,page", "/async/job": "page,6", "/stream/3": "0\n1\n2\n"}.items():
            assert get(address + path) == (200, body)
        if "--lazy-apps" in options:
            # A worker that still imports does not end in time.
            server.wait_until(lambda: server.output().count("WSGI app 0") == 2, "both workers had imported")
        assert server.end(signal.SIGTERM) == 0
