"""Writes THIRD-PARTY.txt: whose code is in libpalitra.so, under which licences, and the texts of these.

    python3 -B make/third_party.py FILE [PACKAGE ...]

The packages are others of the tree whose code is distributed with it, such as palitra-cli, the command.

The texts are those that each crate's own package has, each text once with the crates that it is of. A crate without any
has those of a crate of the same repository; where there is none the file is not written.
"""

import re
import sys
from pathlib import Path

import linked
from linked import Crate

#: The names of files with the text of a licence, or with what a licence wants passed on.
TEXT = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)([-._].*)?", re.IGNORECASE)
#: Offered beside the licence that the crate names, and not taken.
NOT_TAKEN = {("zstd-sys", "zstd/COPYING")}

HEAD = """Third-party software in palitra {version}

{what} contain code of the crates below, for {platform}
as built with the default features. palitra itself is under the BSD 3-Clause License: see LICENSE. Where a licence is
"A OR B", both are printed.

The standard library of Rust {rust} is linked in as well: MIT OR Apache-2.0, copyright The Rust Project Developers
(https://www.rust-lang.org/policies/licenses); its texts are among those below.

"""
RULE = "=" * 80


def files(crate: Crate) -> list[Path]:
    found = (path for path in crate.folder.rglob("*") if path.is_file() and TEXT.fullmatch(path.name))
    return sorted(p for p in found if (crate.name, p.relative_to(crate.folder).as_posix()) not in NOT_TAKEN)


def texts(crate: Crate, all_crates: list[Crate]) -> list[str]:
    found = files(crate)
    if not found:
        family = (c for c in all_crates if crate.repository and c.repository == crate.repository)
        found = next(filter(None, map(files, family)), [])
    if not found or not crate.licence:
        raise SystemExit(f"third_party.py: {crate.name} {crate.version} has no licence, or no text of {crate.licence}")
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in found]


def document(all_crates: list[Crate], packages: list[str]) -> str:
    palitra, *others = (crate for crate in all_crates if crate.name not in packages)
    what = "libpalitra.so, libpalitra.a and the command palitra" if packages else "libpalitra.so and libpalitra.a"
    parts = [HEAD.format(what=what, version=palitra.version, platform=linked.platform(), rust=linked.rust_version())]
    # By what is left of a text without its layout: the same text comes with other line ends and indents.
    owners: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for crate in others:
        name = f"{crate.name} {crate.version}"
        parts.append(f"{name:40} {crate.licence}\n")
        for text in texts(crate, others):
            key = " ".join(text.split())
            first.setdefault(key, text)
            names = owners.setdefault(key, [])
            if name not in names:
                names.append(name)
    for key, names in owners.items():
        parts.append(f"\n{RULE}\n{', '.join(names)}\n{RULE}\n\n{first[key]}\n")
    return "".join(parts)


def main() -> None:
    target, *packages = sys.argv[1:]
    # What this builds for somebody else is of the tree that this file is in.
    text = document(list(linked.crates(packages=("palitra", *packages)).values()), packages)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
