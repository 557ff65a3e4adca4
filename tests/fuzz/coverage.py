"""How much of src the corpora reach: the edges that the fuzzing programs count, by room, as a table.

    python3 -B tests/fuzz/coverage.py FOLDER

FOLDER holds the fuzzing programs, and what was found besides in FOLDER/found. Edges are those of the compiler's own
view of the optimised code: no lines, but as good for comparing.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
#: What says where in the sources an edge is. The sanitizer does not find it by itself.
SYMBOLIZER = shutil.which("llvm-symbolizer") or sys.exit("fuzz/coverage.py: llvm-symbolizer is missing")
#: A line of libFuzzer's -print_coverage: whether a function was reached, its edges, and where it stands.
FUNCTION = re.compile(
    r"(UN)?COVERED_FUNC: hits: (\d+) edges: (\d+)/(\d+) .*? " + re.escape(str(SOURCES)) + r"/(\S+?\.rs):"
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
            _, _, reached, edges, path = match.groups()
            rooms["/".join(path.split("/")[:2])][line.split(" ", 4)[-1]] = (int(reached), int(edges))
    return rooms


def main() -> int:
    folder = Path(sys.argv[1])
    counts = {target: count(folder, target) for target in ("abi", "http")}
    rooms = sorted(set().union(*counts.values()))
    total = [0, 0]
    print(f"{'room of src':28} {'edges':>7} {'abi':>6} {'http':>6} {'either':>7}")
    for room in rooms:
        functions = set().union(*(counts[target].get(room, {}) for target in counts))
        edges = sum(max(counts[target][room].get(name, (0, 0))[1] for target in counts) for name in functions)
        reached = [sum(counts[target][room].get(name, (0, 0))[0] for name in functions) for target in counts]
        either = sum(max(counts[target][room].get(name, (0, 0))[0] for target in counts) for name in functions)
        print(f"{room:28} {edges:7} {reached[0]:6} {reached[1]:6} {either / max(edges, 1):7.0%}")
        total = [total[0] + edges, total[1] + either]
    print(f"{'all of src':28} {total[0]:7} {'':6} {'':6} {total[1] / max(total[0], 1):7.0%}")
    return 0 if total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
