"""Compares the ABI that include/palitra.h declares with the one that was promised under the same ABI version.

    python3 -B tests/abi/abi.py check [HEADER]       fails, and says what changed, if a built program would notice
    python3 -B tests/abi/abi.py complete [HEADER]    fails also on what was added and is not promised yet
    python3 -B tests/abi/abi.py write [HEADER]       promises what HEADER declares

What was promised stands in tests/abi/palitra-VERSION.h, the header without its comments, VERSION being the number of
PALITRA_ABI_VERSION. abidiff compares two libraries that are compiled from the headers alone: the release has no
debugging information, and Rust's would tell of Rust. That the header is the code's, and that the library exports what
it declares, is what tests/header proves.

Functions, constants, and fields at the end of a struct that carries its size may be added. Everything else is a change
that a program built before would notice.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
HEADER = FOLDER.parents[1] / "include/palitra.h"

#: What may grow: what begins with its size, which tells the library how much the program knows of it.
GROWING = """
[suppress_type]
  label = the library reads no further than the size says
  type_kind = struct
  name_regexp = ^palitra_(runner_options|stats|submit_options)$
  has_data_member_inserted_at = end
"""

FUNCTION = re.compile(r"^(?!typedef|#)(\w[^;{}()]*\b(palitra_\w+)\([^;{}]*\));", re.MULTILINE)
CONSTANT = re.compile(r"^#define (PALITRA_(?!ABI_VERSION|VERSION_)\w+) (?=\S)", re.MULTILINE)


def without_comments(header: str) -> str:
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in code.splitlines() if line.strip())


def version(header: str) -> int:
    found = re.search(r"^#define PALITRA_ABI_VERSION (\d+)$", header, re.MULTILINE)
    if found is None:
        raise SystemExit("abi.py: the header has no PALITRA_ABI_VERSION")
    return int(found[1])


def stand_in(header: str) -> str:
    """A library in C with the functions of the header, which do nothing. Its constants are those of an enumeration,
    since debugging information knows no macros."""
    code = without_comments(header)
    functions = FUNCTION.findall(code)
    constants = CONSTANT.findall(code)
    assert len(functions) > 50 and len(constants) > 40, "the header is written in another way than this reads it"
    undefined = "".join(f"#undef {name}\n" for _, name in functions)
    bodies = "".join(f"{declaration} {{ __builtin_trap(); }}\n" for declaration, _ in functions)
    values = "".join(f"    VALUE_OF_{name} = {name},\n" for name in constants)
    return f"{code}{undefined}{bodies}enum palitra_constants {{\n{values}}} palitra_constants;\n"


def compiled(header: str, folder: Path) -> Path:
    folder.mkdir()
    library = folder / "libpalitra.so"
    command = ["cc", "-x", "c", "-std=gnu11", "-g", "-O0", "-fPIC", "-shared", "-Wl,-soname,libpalitra.so"]
    subprocess.run([*command, "-o", str(library), "-"], input=stand_in(header), text=True, check=True)
    return library


def differences(promised: str, header: str, *, additions: bool) -> str:
    """What abidiff has to say, or nothing."""
    with tempfile.TemporaryDirectory(prefix="palitra-abi-") as name:
        folder = Path(name)
        libraries = [str(compiled(text, folder / side)) for side, text in (("promised", promised), ("now", header))]
        command = ["abidiff", "--no-show-locs"]
        if additions:
            command.append("--harmless")
        else:
            Path(folder, "growing.ini").write_text(GROWING)
            command += ["--no-added-syms", "--suppressions", str(folder / "growing.ini")]
        ended = subprocess.run([*command, *libraries], stdout=subprocess.PIPE, text=True, check=False)
    # Bits: 1 and 2 for an error of the tool or of its use, 4 for a change, 8 for one that is surely incompatible.
    if ended.returncode & 3:
        raise SystemExit(f"abi.py: abidiff failed with {ended.returncode}: {ended.stdout}")
    return ended.stdout if ended.returncode else ""


def check(header: str, *, additions: bool) -> int:
    number = version(header)
    promised = FOLDER / f"palitra-{number}.h"
    if not promised.exists():
        print(f"nothing is promised of ABI version {number} yet: run `make abi-baseline`")
        return 1
    found = differences(promised.read_text(), header, additions=additions)
    if not found:
        return 0
    print(found)
    if additions:
        print(f"{promised.name} does not promise all that the header declares: run `make abi-baseline`")
    else:
        print(f"a program built for ABI version {number} would not work: raise PALITRA_ABI_VERSION, or take it back")
    return 1


def write(header: str) -> int:
    promised = FOLDER / f"palitra-{version(header)}.h"
    if promised.exists() and check(header, additions=False):
        return 1
    promised.write_text(without_comments(header))
    return 0


def main() -> int:
    action, *files = sys.argv[1:]
    header = Path(*files or [HEADER]).read_text()
    if action == "write":
        return write(header)
    return check(header, additions=action == "complete")


if __name__ == "__main__":
    sys.exit(main())
