"""What is linked into libpalitra.so and the command palitra, as cargo knows it: crates, their licences and sources, and
who uses whom.

Macros and what only builds or tests are not in them, so they are not here. Read from the locked versions;
nothing is fetched but what a build or the library's own tests would fetch. CARGO, CARGOFLAGS, RUSTC and
CARGO_BUILD_TARGET of the environment are those of the build.
"""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The features that the library is built with.
FEATURES = ("--features", "schema")
#: The words of CARGOFLAGS that say which crates, and from where. Other words, such as --jobs, are for builds.
SOURCES = re.compile(r"--(locked|offline|frozen|config(=.*)?)")
#: A package of Cargo.lock that comes from a registry. Written by cargo, and read so because Python 3.10 has no tomllib.
LOCKED = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"\n')


@dataclass(frozen=True)
class Crate:
    name: str
    version: str
    #: An SPDX expression.
    licence: str
    repository: str
    #: Where its sources are.
    folder: Path
    #: SHA-256 of the file that its registry has of it; empty for what is of this tree.
    checksum: str
    #: The identities, as cargo writes them, of the crates it uses that are in the library too.
    uses: tuple[str, ...]


def cargo(*words: str, root: Path) -> str:
    command = [*shlex.split(os.environ.get("CARGO") or "cargo"), words[0], *_flags(), *words[1:]]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout


def _flags() -> list[str]:
    words = shlex.split(os.environ.get("CARGOFLAGS", "--locked"))
    return [word for before, word in zip(["", *words], words) if SOURCES.fullmatch(word) or before == "--config"]


def crates(root: Path = ROOT, packages: tuple[str, ...] = ("palitra",)) -> dict[str, Crate]:
    """All crates of the library, and of other packages of the tree, by their identities: palitra first, the others by
    name and version."""
    words = ["--edges", "normal,no-proc-macro", *FEATURES, "--prefix", "none", "--format", "{p}"]
    listed = cargo("tree", *words, *(f"--package={package}" for package in packages), root=root)
    linked = {tuple(line.split()[:2]) for line in listed.splitlines()}
    told = json.loads(cargo("metadata", "--format-version", "1", *FEATURES, "--filter-platform", platform(), root=root))
    packages = {p["id"]: p for p in told["packages"] if (p["name"], f"v{p['version']}") in linked}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    checksums = {
        (name, version): checksum for name, version, checksum in LOCKED.findall((root / "Cargo.lock").read_text())
    }

    def crate(identity: str) -> Crate:
        package = packages[identity]
        name, version = package["name"], package["version"]
        normal = [d["pkg"] for d in nodes[identity]["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]
        return Crate(
            name,
            version,
            # A slash is how crates wrote OR before SPDX.
            (package["license"] or "").replace("/", " OR "),
            package["repository"] or "",
            Path(package["manifest_path"]).parent,
            checksums.get((name, version), ""),
            tuple(sorted(used for used in normal if used in packages)),
        )

    first = told["resolve"]["root"]
    order = sorted(packages, key=lambda each: (each != first, packages[each]["name"], packages[each]["version"]))
    return {identity: crate(identity) for identity in order}


def _rustc(field: str) -> str:
    command = [os.environ.get("RUSTC") or "rustc", "-vV"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(line.removeprefix(f"{field}: ") for line in told.splitlines() if line.startswith(f"{field}: "))


def platform() -> str:
    """The one that cargo builds for, such as x86_64-unknown-linux-gnu."""
    return os.environ.get("CARGO_BUILD_TARGET") or _rustc("host")


def rust_version() -> str:
    """That of the compiler, whose standard library is linked in, too."""
    return _rustc("release")
