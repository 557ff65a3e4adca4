"""What an import of the package does: little, at once, on every platform, and in every interpreter of a process.

Each test is a program of its own, since this one has imported the package. Whether an import is quick is judged by what
it loads, which no busy machine changes; ``make bench-python`` measures it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import palitra
import programs
import pytest
from palitra._native.abi import ABI_VERSION

#: What the package loads besides its own modules and asyncio: about a third of the time that asyncio takes.
LOADED = {
    "__future__ _ctypes _json _struct _typing concurrent.futures.thread copy ctypes ctypes._endian ctypes._layout",
    "_queue gc json json.decoder json.encoder json.scanner queue struct sysconfig typing",
}

COROUTINES = """
async def double(number):
    await asyncio.sleep(0.001)
    return 2 * number

async def count():
    for number in range(3):
        yield number

@contextlib.asynccontextmanager
async def manager():
    yield "entered"

def use_coroutines():
    assert palitra.run(double(1), timeout=10) == 2
    assert palitra.gather(double(1), double(2)) == [2, 4]
    assert palitra.submit(double(2)).result(10) == 4
    assert [done.result() for done in palitra.as_completed(double(3))] == [6]
    assert list(palitra.iterate(count())) == [0, 1, 2]
    with palitra.enter(manager()) as entered:
        assert entered == "entered"
    assert palitra.to_sync(double)(4) == 8
    assert palitra.run(palitra.to_async(int)("5")) == 5
    with palitra.EventLoopThreadRunner() as runner:
        assert runner.run(double(6)) == 12
    assert palitra.is_runner_alive()
"""

NO_LIBRARY = "import asyncio, contextlib, palitra\n" + COROUTINES


def test_an_import_loads_asyncio_and_little_else(run_python: Callable[..., Any]) -> None:
    show = "import sys, asyncio; before = {*sys.modules}; import palitra; print(*{*sys.modules} - before)"
    loaded = {name for name in run_python(show).stdout.split() if name.split(".")[0] != "palitra"}
    assert loaded <= {name for line in LOADED for name in line.split()}


def test_an_import_starts_no_thread(run_python: Callable[..., Any]) -> None:
    assert run_python("import os, palitra; print(len(os.listdir('/proc/self/task')))").stdout == "1\n"


def test_coroutines_need_no_library_and_native_jobs_say_that_it_is_missing(tmp_path: Path) -> None:
    ended = programs.run(
        f"""
import os
os.environ["PALITRA_LIBRARY"] = {str(tmp_path / "libpalitra.so")!r}
for name in ("eventfd", "register_at_fork", "fork"):  # As on other systems.
    delattr(os, name) if hasattr(os, name) else None
{NO_LIBRARY}
use_coroutines()
for use in (lambda: palitra.job("palitra.echo", b""), palitra.jobs, lambda: palitra.configure(None)):
    try:
        use()
    except OSError as error:
        print(error)
palitra.shutdown_global_runner()
assert not palitra.is_runner_alive()
"""
    )
    message = f"native jobs are not available: there is no {tmp_path / 'libpalitra.so'}; coroutines need none\n"
    assert (ended.status, ended.output, ended.errors) == (0, 3 * message, ""), str(ended)


def test_a_package_without_a_library_takes_the_one_that_the_system_has(tmp_path: Path, palitra_library: Path) -> None:
    without = shutil.ignore_patterns("libpalitra.so", "__pycache__")
    shutil.copytree(Path(palitra.__file__).parent, tmp_path / "palitra", ignore=without)
    program = ["-c", "import palitra; print(palitra.__file__, palitra.run(palitra.job('palitra.echo', b'system')))"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)}
    environment.pop("PALITRA_LIBRARY", None)

    def ends() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-B", *program]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    assert f"there is no {tmp_path / 'palitra/libpalitra.so'}; coroutines need none" in ends().stderr
    (tmp_path / f"libpalitra.so.{ABI_VERSION}").symlink_to(palitra_library)
    assert ends().stdout == f"{tmp_path / 'palitra/__init__.py'} b'system'\n", ends().stderr


#: Runs a program in another interpreter of the process. Each version has names of its own for that.
IN_ANOTHER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
if hasattr(interpreters, "exec"):
    failure = interpreters.exec(other, PROGRAM)
    print(failure.formatted, flush=True) if failure else None
else:
    interpreters.run_string(other, PROGRAM)
interpreters.destroy(other)
print("kept", flush=True)
"""

EVERYTHING = (
    NO_LIBRARY
    + """
def use_jobs():
    job = palitra.job("palitra.echo", b"echo")
    assert palitra.run(job) == b"echo" == palitra.submit(job).result(10)
    assert palitra.gather(job, double(1), palitra.job("palitra.sleep", seconds=0.01))[:2] == [b"echo", 2]
    assert palitra.iterate(job)

use_jobs()
use_coroutines()
palitra.submit(asyncio.sleep(60))
palitra.submit(palitra.job("palitra.sleep", seconds=60))
print("used", flush=True)
"""
)

REFUSED = f"""
{NO_LIBRARY}
assert palitra.run(palitra.job("palitra.echo", b"echo")) == b"echo"
try:
    use_coroutines()
except RuntimeError as error:
    print(error, flush=True)
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="before 3.13 such an interpreter starts no threads")
def test_another_interpreter_of_the_process_works_and_ends_like_the_first(root: Path) -> None:
    programs.check(f"PROGRAM = {EVERYTHING!r}\n{IN_ANOTHER}", output="used\nkept\n")
    in_both = f"PROGRAM = {EVERYTHING!r}\nexec(PROGRAM)\n{IN_ANOTHER}"
    programs.check(in_both, output="used\nused\nkept\n")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="since 3.13 it works; 3.12 has no ctypes there")
def test_another_interpreter_that_starts_no_threads_says_so() -> None:
    message = "thread is not supported for isolated subinterpreters\n"
    programs.check(f"PROGRAM = {REFUSED!r}\n{IN_ANOTHER}", output=f"{message}kept\n")


def test_elsewhere_than_on_linux_a_wheel_is_built_without_rust(root: Path, tmp_path: Path) -> None:
    code = """
import sys
sys.platform = "darwin"
sys.path.insert(0, sys.argv[1])
from hatch_build import LibraryHook
class Hook(LibraryHook):
    def __init__(self): pass
    root, target_name = sys.argv[1], "wheel"
data = {"force_include": {}, "pure_python": True}
hook = Hook()
hook.initialize("standard", data)
hook.finalize("standard", data, "")
print(data)
"""
    environment = {**os.environ, "PATH": str(tmp_path)}
    environment.pop("PALITRA_LIBRARY_FILE", None)
    command = [sys.executable, "-c", code, str(root / "bindings/python")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert ended.stdout == "{'force_include': {}, 'pure_python': True}\n", ended.stderr
