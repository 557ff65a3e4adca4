"""What the package is besides its Python files: the native library in a wheel, its Rust sources in an sdist.

Run by hatchling, for ``pip install``, ``python -m build`` and editable installs. A wheel holds
``palitra/libpalitra.so``, built by cargo and stripped, and ``palitra/THIRD-PARTY.txt``, the licences of what is linked
into it. An sdist holds the part of the cargo workspace that the library is built from, under ``rust/`` and with its
lock file, so that it builds wherever Rust is; and those licences.

Elsewhere than on Linux a wheel holds Python alone. ``PALITRA_LIBRARY_FILE`` names a library that is built already and
is not built again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # A dependency of hatchling's there.

LIBRARY = "libpalitra.so"
LICENCES = "THIRD-PARTY.txt"

#: What cargo builds the library from: in the workspace, and in each of its members. Cargo.toml names tests/c.rs.
CRATE = ("Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "build", "build.rs", "cbindgen.toml", "include", "src")
CRATE += ("tests/c.rs",)
MEMBER = ("Cargo.toml", "build.rs", "src")


class LibraryHook(BuildHookInterface[Any]):
    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "sdist":
            build_data["force_include"].update(rust_sources(self._workspace()))
            build_data["force_include"][str(self._licences())] = LICENCES
            return
        library = handed_in()
        if library is None and sys.platform != "linux":
            return  # Coroutines need no library, and palitra's is for Linux.
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        library = library or build(self._workspace())
        if version == "editable":
            link_beside_sources(library, Path(self.root, "src/palitra", LIBRARY))
        else:
            stripped = strip(library, self._place() / LIBRARY)
            build_data["force_include"][str(stripped)] = f"palitra/{LIBRARY}"
            build_data["force_include"][str(self._licences())] = f"palitra/{LICENCES}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()

    def _place(self) -> Path:
        """A folder for what is made on the way, until the archive is written."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="palitra-package-")
        return Path(self._scratch.name)

    def _licences(self) -> Path:
        """The licences of what is linked in: an sdist brings them, in a checkout they are collected."""
        brought = Path(self.root, LICENCES)
        if brought.is_file():
            return brought
        require_cargo()
        collected = self._place() / LICENCES
        collect = [sys.executable, "-B", str(self._workspace() / "make/third_party.py"), str(collected)]
        subprocess.run(collect, check=True)
        return collected

    def _workspace(self) -> Path:
        """The folder with Cargo.toml: in an sdist, or in a checkout."""
        inside = Path(self.root, "rust")
        return inside if inside.is_dir() else Path(self.root).parents[1]


def rust_sources(workspace: Path) -> dict[str, str]:
    """The files of the workspace that an sdist holds, and their places in it. Of every member, since cargo looks for
    each."""
    members = tomllib.loads((workspace / "Cargo.toml").read_text())["workspace"]["members"]
    parts = [Path(part) for part in CRATE]
    parts += [Path(member, part) for member in members for part in MEMBER]
    return {str(workspace / part): f"rust/{part.as_posix()}" for part in parts if (workspace / part).exists()}


def handed_in() -> Path | None:
    named = os.environ.get("PALITRA_LIBRARY_FILE")
    if not named:
        return None
    library = Path(named).resolve()
    if not library.is_file():
        raise FileNotFoundError(f"PALITRA_LIBRARY_FILE names {named}, which is no file")
    return library


def require_cargo() -> None:
    if shutil.which("cargo") is None:
        raise RuntimeError("palitra is built by cargo, which is not here: install Rust 1.88 or later")


def build(workspace: Path) -> Path:
    """Builds the library with cargo and returns its path. CARGO_TARGET_DIR is respected."""
    require_cargo()
    command = ["cargo", "rustc", "--locked", "--release", "--lib", "--features", "schema", "--crate-type", "cdylib"]
    command += ["--message-format", "json-render-diagnostics"]
    messages = subprocess.run(command, cwd=workspace, check=True, stdout=subprocess.PIPE, text=True).stdout
    for message in map(json.loads, messages.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "palitra":
            for name in message["filenames"]:
                if Path(name).suffix in (".so", ".dylib"):
                    return Path(name)
    raise RuntimeError("cargo built no shared library of palitra")


def strip(library: Path, stripped: Path) -> Path:
    """Makes a copy without what only a debugger reads, and returns its path."""
    subprocess.run(["strip", "-S", "-x", "-o", str(stripped), str(library)], check=True)
    return stripped


def link_beside_sources(library: Path, link: Path) -> None:
    """For an editable install: a link, so that the library that cargo builds next is found too."""
    link.unlink(missing_ok=True)
    link.symlink_to(library)
