"""How much of src the corpora reach: the functions and edges that the fuzzing programs count, by room, as a table.

    python3 -B tests/fuzz/coverage.py FOLDER

FOLDER holds the fuzzing programs, and what was found besides in FOLDER/found. Functions and edges are those of the
compiled code: each instance of a generic function by itself. Half of the edges lead to where the compiler or
the address sanitizer would stop the process, which no input can reach: their shares are for comparing.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
#: What says where in the sources an edge is. The sanitizer does not find it by itself.
SYMBOLIZER = shutil.which("llvm-symbolizer") or sys.exit("fuzz/coverage.py: llvm-symbolizer is missing")
#: A line of libFuzzer's -print_coverage: whether a function was reached, its edges, and where it stands.
FUNCTION = re.compile(
    r"(?:UN)?COVERED_FUNC: hits: \d+ edges: (\d+)/(\d+) (.*? " + re.escape(str(SOURCES)) + r"/(\S+?\.rs):\d+)"
)


def count(folder: Path, target: str) -> dict[str, dict[str, tuple[int, int]]]:
    """By room and function: the edges reached, and all of them."""
    found = folder / "found" / target
    found.mkdir(parents=True, exist_ok=True)
    command = [
        str(folder / f"fuzz-{target}"),
        "-runs=0",
        "-print_coverage=1",
        str(HERE / "corpus" / target),
        str(HERE / "grown" / target),
        str(found),
    ]
    ended = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=3600,
        env=os.environ | {"ASAN_SYMBOLIZER_PATH": SYMBOLIZER},
    )
    rooms: dict[str, dict[str, tuple[int, int]]] = collections.defaultdict(dict)
    for line in ended.stderr.splitlines():
        if match := FUNCTION.match(line):
            reached, edges, name, path = match.groups()
            rooms["/".join(path.split("/")[:2])][name] = (int(reached), int(edges))
    return rooms


class Room(NamedTuple):
    """What one part of src has, and what the inputs of abi, of http and of either reach of it."""

    functions: int
    reached: int
    edges: int
    passed: tuple[int, int, int]

    def __str__(self) -> str:
        functions, edges = self.reached / max(self.functions, 1), self.passed[2] / max(self.edges, 1)
        counts = f"{self.edges:7} {self.passed[0]:6} {self.passed[1]:6}"
        return f"{self.functions:9} {functions:8.0%} {counts} {edges:7.0%}"


def room_of(counts: list[dict[str, tuple[int, int]]]) -> Room:
    """Of what each target counts in one room."""
    names = set().union(*counts)
    most = {name: [max(count.get(name, (0, 0))[part] for count in counts) for part in (0, 1)] for name in names}
    each = [sum(reached for reached, _ in count.values()) for count in counts]
    either = sum(reached for reached, _ in most.values())
    functions = sum(reached > 0 for reached, _ in most.values())
    return Room(len(names), functions, sum(edges for _, edges in most.values()), (each[0], each[1], either))


def main() -> int:
    folder = Path(sys.argv[1])
    counts = [count(folder, target) for target in ("abi", "http")]
    names = sorted(set().union(*counts))
    rooms = {name: room_of([target.get(name, {}) for target in counts]) for name in names}
    rooms["all of src"] = room_of(
        [{at: edges for room in target.values() for at, edges in room.items()} for target in counts]
    )
    print(f"{'room of src':20} functions  reached   edges    abi   http  either")
    for name, room in rooms.items():
        print(f"{name:20} {room}")
    return 0 if rooms["all of src"].edges > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
