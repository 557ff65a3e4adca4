"""The servers that the hosts' tests share: nginx for pages to fetch, redis for Celery, and how to start a host.

nginx-light, redis-server and wrk come from tests/setup.sh, the rest from tests/python/requirements.txt.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from celery import Celery
from processes import Server, free_port
from worker import Worker

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hosts")


@pytest.fixture(scope="session")
def pages(folder: Path) -> Iterator[str]:
    """The address of a real nginx, which responds with ``page`` to every request."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
        events {{ worker_connections 512; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "page"; }} }}
        }}"""
    )
    with Server(["nginx", "-p", str(folder), "-c", str(configuration)], folder / "nginx.log") as nginx:
        nginx.wait_for_port(port)
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="session")
def redis_port(folder: Path) -> Iterator[int]:
    """The port of a real redis-server that keeps nothing."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with Server([*command, "--databases", "64"], folder / "redis.log") as redis:
        redis.wait_for_port(port)
        yield port


Gunicorn = Callable[..., tuple[Server, str]]


def start_gunicorn(logs: Path, pages: str) -> Iterator[Gunicorn]:
    counter = itertools.count()
    with ExitStack() as servers:

        def start(
            *options: str,
            place: Path = HERE,
            application: str = "flask_site:app",
            environment: dict[str, str] | None = None,
        ) -> tuple[Server, str]:
            port = free_port()
            command = [sys.executable, "-m", "gunicorn", "--chdir", str(place), "--bind", f"127.0.0.1:{port}"]
            # In memory: a heartbeat on a slow disk is a worker's timeout.
            command += ["--worker-tmp-dir", "/dev/shm", "--no-control-socket", *options, application]
            settings = {"PAGES": pages, **(environment or {})}
            server = servers.enter_context(Server(command, logs / f"gunicorn{next(counter)}.log", settings))
            server.wait_for_port(port)
            server.wait_until(server.children, "it had a worker")
            return server, f"http://127.0.0.1:{port}"

        yield start


@pytest.fixture
def gunicorn(tmp_path: Path, pages: str) -> Iterator[Gunicorn]:
    """``gunicorn(*options, place=..., application=..., environment=...)`` starts one, with flask_site unless another
    application is named, and returns it and its address."""
    yield from start_gunicorn(tmp_path, pages)


@pytest.fixture(scope="module")
def shared_gunicorn(tmp_path_factory: pytest.TempPathFactory, pages: str) -> Iterator[Gunicorn]:
    """The same for all tests of a module."""
    yield from start_gunicorn(tmp_path_factory.mktemp("gunicorn"), pages)


_databases = itertools.count()


@pytest.fixture(scope="module")
def start_worker(
    tmp_path_factory: pytest.TempPathFactory, redis_port: int, pages: str
) -> Iterator[Callable[..., Worker]]:
    """``start_worker(*options, place=..., application=..., program=..., redis=..., environment=..., pool=...)`` starts
    one with a prefork pool unless another is named: with celery_site unless another application is named, by Celery's
    own program unless another is named, and on a database of its own unless the address of one is."""
    with ExitStack() as servers:

        def start(
            *options: str,
            place: Path = HERE,
            application: str = "celery_site",
            program: str | None = None,
            redis: str | None = None,
            environment: dict[str, str] | None = None,
            pool: str = "prefork",
        ) -> Worker:
            url = redis or f"redis://127.0.0.1:{redis_port}/{next(_databases)}"
            command = [sys.executable, *(["-c", program] if program else ["-m", "celery"])]
            command += ["--app", application, "--workdir", str(place), "worker"]
            command += ["--pool", pool, "--loglevel", "info", "--without-mingle", "--without-gossip", *options]
            log = tmp_path_factory.mktemp("worker") / "worker.log"
            settings = {"PAGES": pages, "REDIS_URL": url, **(environment or {})}
            server = servers.enter_context(Server(command, log, settings))
            server.wait_until(lambda: " ready." in server.output(), "the worker was ready")
            client = Celery("client", broker=url, backend=url, set_as_current=False)
            servers.callback(client.close)
            return Worker(server, client, application)

        yield start


@pytest.fixture(scope="session")
def original_packages() -> str:
    """What PYTHONPATH has to be for hosts to import palitra 0.1.0 in place of this one."""
    python = Path(os.environ.get("PALITRA_ORIGINAL_PYTHON", ROOT / "target/venv-original/bin/python"))
    assert python.exists(), f"{python} is missing: run make target/venv-original/made"
    program = "import palitra, pathlib; print(pathlib.Path(palitra.__file__).parents[1])"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples/python"
