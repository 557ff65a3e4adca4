"""What pip installs: the wheel that `make wheel` made, an editable install, and the sdist where Rust is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

#: A package in an empty folder far from any checkout, which is to be that package and no other.
SHOW = "import palitra; print(palitra.__file__); print(palitra.run(palitra.job('palitra.echo', 'installed')).decode())"


def run(*command: str | Path, **details: str | Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables = {name: str(value) for name, value in details.items() if name.isupper()}
    ended = subprocess.run(
        [str(word) for word in command],
        cwd=details.get("cwd"),
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=580,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def new_environment(place: Path) -> Path:
    """The Python of a virtual environment that holds nothing but hatchling."""
    run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin/python"
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    import hatchling

    # The tools that build are this environment's: nothing is downloaded.
    Path(purelib, "tools.pth").write_text(str(Path(hatchling.__file__).parents[1]) + "\n")
    return python


def install(python: Path, *arguments: str | Path, **environment: str | Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install"]
    run(*pip, "--no-deps", "--no-build-isolation", "--ignore-installed", *arguments, **environment)


@pytest.fixture(scope="session")
def wheel(root: Path) -> Path:
    wheels = list(root.glob("target/wheels/*.whl"))
    assert len(wheels) == 1, "make wheel makes one"
    return wheels[0]


@pytest.fixture(scope="session")
def version(root: Path) -> str:
    found = re.search(r'^version = "(.*)"$', (root / "Cargo.toml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_wheel_is_named_by_the_crates_version_and_what_auditwheel_says(wheel: Path, version: str) -> None:
    said = " ".join(run(Path(sys.executable).parent / "auditwheel", "show", wheel).split())
    fits = re.search(r'platform tag: "(manylinux_\d+_\d+_\w+)"', said)
    assert fits is not None, said
    assert wheel.name == f"palitra-{version}-py3-none-{fits[1]}.whl"


def test_the_wheel_holds_the_package_its_types_its_licence_and_one_stripped_library(
    wheel: Path, root: Path, version: str, tmp_path: Path
) -> None:
    package = root / "bindings/python/src/palitra"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/") and ".dist-info/" not in name}
        sources = {str(path.relative_to(package.parent)) for path in package.rglob("*.py")}
        assert names == sources | {"palitra/py.typed", "palitra/libpalitra.so", "palitra/THIRD-PARTY.txt"}
        licences = archive.read("palitra/THIRD-PARTY.txt").decode()
        assert licences.startswith(f"Third-party software in palitra {version}\n")
        information = f"palitra-{version}.dist-info"
        assert archive.read(f"{information}/licenses/LICENSE") == (root / "LICENSE").read_bytes()
        assert b"Root-Is-Purelib: false" in archive.read(f"{information}/WHEEL")
        metadata = archive.read(f"{information}/METADATA").decode()
        assert "Requires-Dist" not in metadata
        assert "Requires-Python: >=3.10" in metadata
        library = Path(archive.extract("palitra/libpalitra.so", tmp_path))
    assert wheel.stat().st_size < 2_500_000
    with library.open("rb") as file:
        elf = ELFFile(file)
        assert not [section.name for section in elf.iter_sections() if section.name.startswith(".debug")]
        symbols = elf.get_section_by_name(".symtab")
        kinds = (
            {(one["st_info"]["bind"], one["st_info"]["type"]) for one in symbols.iter_symbols()} if symbols else set()
        )
        assert ("STB_LOCAL", "STT_FUNC") not in kinds, "the library is not stripped"


def test_the_installed_package_finds_its_library_beside_it(wheel: Path, tmp_path: Path) -> None:
    python = new_environment(tmp_path / "environment")
    install(python, wheel)
    place, echoed = run(python, "-c", SHOW, cwd=tmp_path).splitlines()
    assert Path(place).is_relative_to(tmp_path)
    assert echoed == "installed"


@pytest.fixture(scope="session")
def sdist(root: Path, version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", place, root / "bindings/python")
    made = place / f"palitra-{version}.tar.gz"
    assert list(place.iterdir()) == [made]
    return made


def test_the_sdist_holds_the_workspace_and_nothing_that_was_built(sdist: Path, root: Path, version: str) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"palitra-{version}/") for name in archive.getnames()}
        assert all(member.isfile() for member in archive.getmembers())
    assert {"rust/Cargo.toml", "rust/Cargo.lock", "rust/src/lib.rs", "rust/macros/src/lib.rs"} <= names
    assert {"rust/include/palitra.h", "hatch_build.py", "README.md", "LICENSE", "PKG-INFO", "THIRD-PARTY.txt"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc")) or "target/" in name]
    assert (root / "bindings/python/LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


@pytest.mark.timeout(600)
def test_the_sdist_builds_where_rust_is_far_from_the_checkout(
    sdist: Path, root: Path, version: str, tmp_path: Path
) -> None:
    python = new_environment(tmp_path / "environment")
    # Built as quickly as cargo can, and kept for the next run: only the sources of the sdist are new each time.
    # tests/readme.rs builds in the same way there, so they share the dependencies.
    quick = {
        "CARGO_TARGET_DIR": root / "target/quick",
        "CARGO_PROFILE_RELEASE_LTO": "off",
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
        "PALITRA_LIBRARY_FILE": "",
    }
    install(python, sdist, cwd=tmp_path, **quick)
    place, echoed = run(python, "-c", SHOW, cwd=tmp_path).splitlines()
    assert Path(place).is_relative_to(tmp_path)
    assert echoed == "installed"
    show = "import palitra; print(palitra._native.library.default.get().version())"
    assert run(python, "-c", show).strip() == version


def test_an_editable_install_sees_the_sources_and_the_library_of_cargo(
    root: Path, palitra_library: Path, tmp_path: Path
) -> None:
    link = root / "bindings/python/src/palitra/libpalitra.so"
    before = os.readlink(link) if link.is_symlink() else None
    python = new_environment(tmp_path / "environment")
    try:
        install(python, "--editable", root / "bindings/python", PALITRA_LIBRARY_FILE=palitra_library)
        place, echoed = run(python, "-c", SHOW, cwd=tmp_path).splitlines()
        assert Path(place).parent == link.parent
        assert echoed == "installed"
        assert link.resolve() == palitra_library.resolve()
    finally:
        link.unlink()
        if before is not None:
            link.symlink_to(before)


def test_a_library_handed_in_that_is_missing_is_named(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    environment = {**os.environ, "PALITRA_LIBRARY_FILE": "/no/libpalitra.so"}
    ended = subprocess.run(
        [*command, str(root / "bindings/python")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert ended.returncode != 0
    assert "PALITRA_LIBRARY_FILE names /no/libpalitra.so, which is no file" in ended.stdout + ended.stderr
