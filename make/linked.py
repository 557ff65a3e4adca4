"""What is linked into libpalitra.so and the command palitra, as cargo knows it: crates, their licences and sources, and
who uses whom.

Macros and what only builds or tests are not in them, so they are not here. Read from the locked versions;
nothing is fetched but what a build would fetch.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The features that the library is built with.
FEATURES = ("--features", "schema")
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
    command = ["cargo", words[0], "--locked", *words[1:]]
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout


def crates(root: Path = ROOT, packages: tuple[str, ...] = ("palitra",)) -> dict[str, Crate]:
    """All crates of the library, and of other packages of the tree, by their identities: palitra first, the others by
    name and version."""
    words = ["--edges", "normal,no-proc-macro", *FEATURES, "--prefix", "none", "--format", "{p}"]
    listed = cargo("tree", *words, *(f"--package={package}" for package in packages), root=root)
    linked = {tuple(line.split()[:2]) for line in listed.splitlines()}
    told = json.loads(cargo("metadata", "--format-version", "1", *FEATURES, "--filter-platform", host(), root=root))
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
    told = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return next(line.removeprefix(f"{field}: ") for line in told.splitlines() if line.startswith(f"{field}: "))


def host() -> str:
    """The platform that cargo builds for, such as x86_64-unknown-linux-gnu."""
    return _rustc("host")


def rust_version() -> str:
    """That of the compiler, whose standard library is linked in, too."""
    return _rustc("release")
