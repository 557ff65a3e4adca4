"""The pages of docs/python/ do what they say: their programs run under the hosts that they name, by their own commands.

A block of Python whose first line names a file is written there. The commands of a page serve it, each in turn, and are
asked what the page's table asks; a port and the address of a broker are the tests' own. Without a table, what a command
prints is what the page shows. In jupyter.md the blocks are the cells of a notebook.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from processes import Server, free_port, get
from worker import Worker

PAGES = Path(__file__).parents[3] / "docs/python"
BIN = Path(sys.executable).parent

#: Where and how each server of the pages listens.
LISTENS = {
    "gunicorn": ["--bind", "127.0.0.1:{port}", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"],
    "uvicorn": ["--port", "{port}"],
    "uwsgi": [],
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (PAGES / page).read_text(), re.M | re.S)


def written(page: str, place: Path) -> list[str]:
    """Writes the files of the page; returns their names."""
    named = [(re.match(r"# (\w+\.py)\n", block), block) for block in blocks(page, "python")]
    assert all(name for name, _ in named), f"{page} has a block that is no file"
    for name, block in named:
        (place / name[1]).write_text(block)  # type: ignore[index]
    return [name[1] for name, _ in named]  # type: ignore[index]


def asked(page: str) -> dict[str, str]:
    """What the page's table asks, and what is answered."""
    table = re.findall(r"^\| `(/[^`]*)` \| `([^`]*)` \|$", (PAGES / page).read_text(), re.M)
    assert table, f"{page} asks nothing"
    return dict(table)


def commands(page: str, programs: tuple[str, ...]) -> Iterator[list[str]]:
    for block in blocks(page, "sh"):
        words = shlex.split(block)
        assert words[0] in programs, f"no test runs what {page} shows: {block}"
        yield words


SERVED = [
    pytest.param(page, command, id=f"{page}-{' '.join(command)}")
    for page in ("flask.md", "django.md", "fastapi.md", "gunicorn-uwsgi.md")
    for command in commands(page, tuple(LISTENS))
]


@pytest.mark.parametrize(("page", "command"), SERVED)
def test_what_a_page_serves_answers_as_it_says(page: str, command: list[str], tmp_path: Path) -> None:
    written(page, tmp_path)
    port = free_port()
    words = [str(BIN / command[0]), *(word.format(port=port) for word in LISTENS[command[0]])]
    words += [word.replace(":8000", f":{port}") for word in command[1:]]
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    with Server(words, tmp_path / "server.log", environment) as server:
        server.wait_for_port(port)
        for _ in range(2):
            for path, answer in asked(page).items():
                assert get(f"http://127.0.0.1:{port}{path}", timeout=30) == (200, answer), server.output()


def test_the_celery_worker_of_the_page_runs_its_tasks(
    start_worker: Callable[..., Worker], redis_port: int, tmp_path: Path
) -> None:
    page = "celery.md"
    assert written(page, tmp_path) == ["tasks.py", "caller.py"]
    assert list(commands(page, ("celery", "python"))) == [
        ["celery", "--app", "tasks", "worker"],
        ["python", "caller.py"],
    ]
    broker = f"redis://127.0.0.1:{redis_port}/62"
    start_worker(place=tmp_path, application="tasks", environment={"BROKER": broker})
    environment = {**os.environ, "BROKER": broker}
    assert output("python", ["caller.py"], tmp_path, environment) == blocks(page, "text")[0]


def output(program: str, arguments: list[str], place: Path, environment: dict[str, str] | None = None) -> str:
    command = [str(BIN / program), *arguments]
    ended = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=50)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_file_of_the_pytest_asyncio_page_passes(tmp_path: Path) -> None:
    names = written("pytest-asyncio.md", tmp_path)
    assert list(commands("pytest-asyncio.md", ("pytest",))) == [["pytest", *names]]
    assert " 4 passed" in output("python", ["-m", "pytest", "-p", "no:cacheprovider", *names], tmp_path)


def test_the_cells_of_the_notebook_show_what_the_page_says(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(block) for block in blocks("jupyter.md", "python")]
    notebook: Any = nbformat.v4.new_notebook(cells=cells)
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    kernel = nbclient.NotebookClient(notebook, timeout=50, kernel_name="python3")
    kernel.execute(env=environment, cwd=str(tmp_path))
    shown = ["".join(one["data"]["text/plain"] for one in cell["outputs"]) + "\n" for cell in notebook.cells]
    assert shown == blocks("jupyter.md", "text")


COMING_FROM = re.findall(r"^# (\w+\.py)$", (PAGES / "coming-from.md").read_text(), re.M)


@pytest.mark.parametrize("name", COMING_FROM)
def test_the_programs_of_the_page_of_peers_run(name: str, tmp_path: Path) -> None:
    assert name in written("coming-from.md", tmp_path)
    printed = output("python", ["-W", "error", name], tmp_path)
    assert printed == (blocks("coming-from.md", "text")[0] if name == "kept.py" else "")


def test_every_page_has_a_test_and_is_listed() -> None:
    tests = Path(__file__).read_text()
    index = (PAGES.parent / "README.md").read_text()
    for page in PAGES.glob("*.md"):
        assert f'"{page.name}"' in tests
        assert f"(python/{page.name})" in index
