"""The hosts of examples/services, in C, C++, Go and Python: each is compiled, run and says what the transcript says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import LIBRARY, PROMPT, ROOT, Host, eventually
from servers import Servers

HOSTS = ROOT / "examples/services/hosts"

#: The longest that compiling the hosts, or one host, may take, in seconds.
LIMIT = 100


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled hosts."""
    folder = tmp_path_factory.mktemp("hosts")
    subprocess.run([HOSTS / "build.sh", folder, LIBRARY.parent], check=True, timeout=LIMIT)
    return folder


@pytest.mark.parametrize("language", ["c", "cpp", "go", "python"])
def test_a_host_in_any_language_does_the_same(language: str, compiled: Path, servers: Servers, admin: Host) -> None:
    python = [sys.executable, "-B", str(HOSTS / "host.py"), str(LIBRARY)]
    command = python if language == "python" else [str(compiled / f"host-{language}")]
    environment = {**os.environ, "SERVICES_CONFIG": json.dumps(servers.config())}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (HOSTS / "transcript.txt").read_text()
    left = "select pid from pg_stat_activity where application_name = 'palitra'"
    eventually(lambda: not admin.query(left))


def test_servers_end_with_the_program_that_started_them() -> None:
    command = [
        sys.executable,
        "-B",
        str(ROOT / "examples/services/servers.py"),
        "sh",
        "-c",
        "echo $SERVICES_CONFIG; cat",
    ]
    starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert starter.stdout is not None and starter.stdin is not None
    folder = Path(json.loads(starter.stdout.readline())["objects"]["root"]).parent
    assert running_in(folder)
    starter.send_signal(signal.SIGKILL)
    starter.wait(PROMPT)
    starter.stdin.close()
    starter.stdout.close()
    eventually(lambda: not running_in(folder))
    shutil.rmtree(folder)  # who is killed removes nothing


def running_in(folder: Path) -> list[str]:
    """The processes that work in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "comm").read_text().strip())
        except OSError:
            pass  # it has ended
    return found
