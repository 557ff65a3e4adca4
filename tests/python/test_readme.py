"""The README of the package does what it says: its Python blocks run one after another, as one program, against local
servers.

A block whose first line names a file is written to that file and imported; tests/python/hosts runs the hosts' under
their real ones, and pytest runs the one with tests. examples/python/progress.py runs too.
"""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = b"x" * 300_000

#: Runs the blocks, which are in files of their own, each under its number for the traceback.
RUN_BLOCKS = """
import pathlib, sys
space = {"__name__": "__main__"}
for path in sorted(pathlib.Path().glob("block-*.py")):
    exec(compile(path.read_text(), str(path), "exec"), space)
    print(path)
import app, tasks
response = app.app.test_client().get("/")
assert response.status_code == 200 and set(response.json.values()) == {300_000}, response.json
assert tasks.total([1, 2, 3]) == 12
assert tasks.length(app.URLS[0]) == 300_000
import subprocess
subprocess.run([sys.executable, "-m", "pytest", "-q", "test_shop.py"], check=True, stdout=subprocess.PIPE)
"""


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_details: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def blocks(root: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (root / "bindings/python/README.md").read_text(), re.M | re.S)


def test_every_block_of_the_page_runs(root: Path, address: str, example_jobs: Path, tmp_path: Path) -> None:
    (tmp_path / "libexample_jobs.so").symlink_to(example_jobs)
    numbers = iter(range(100))
    shown = [re.sub(r'https://[^"]*', lambda _: f"{address}{next(numbers)}", block) for block in blocks(root)]
    assert len(shown) >= 9
    files = 0
    for number, block in enumerate(shown):
        named = re.match(r"# (\w+\.py)\n", block)
        files += named is not None
        (tmp_path / (named[1] if named else f"block-{number:02}.py")).write_text(block)
    assert files == 3
    command = [sys.executable, "-X", "dev", "-W", "error:::palitra", "-c", RUN_BLOCKS]
    # A proxy that the machine is set up with is not for servers on the loopback.
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=50
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ResourceWarning" not in ended.stderr
    assert "never awaited" not in ended.stderr
    assert ended.stdout.splitlines() == [path.name for path in sorted(tmp_path.glob("block-*.py"))]


@pytest.mark.parametrize("arguments", [0, 1])
def test_the_progress_bars_are_drawn(arguments: int, address: str, root: Path) -> None:
    command = [sys.executable, str(root / "examples/python/progress.py"), *[address] * arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 0, ended.stderr
    if arguments:
        assert ended.stdout == f"300000 bytes of {address}\n"
        assert "300000/300000" in ended.stderr
    else:
        assert ended.stdout == "20 jobs slept\n"
        assert "20/20" in ended.stderr


def test_every_name_of_the_package_is_on_the_page_or_an_error(root: Path, run_python: Callable[..., Any]) -> None:
    names = run_python("import palitra; print(*palitra.__all__)").stdout.split()
    page = (root / "bindings/python/README.md").read_text()
    missing = {name for name in names if not re.search(rf"\b{name}\b", page)}
    # What functions return, and users do not make by name.
    assert missing == {"InternalError", "Job", "JobCall", "JobDescription", "Library"}
