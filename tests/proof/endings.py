"""Forks and exits with work in flight, in every language that runs from the checkout: a table.

    python3 -B tests/proof/endings.py FORKS EXITS

Each program of endings/ submits jobs that sleep, runs one, and exits with 7. With `forks` it forks children first, one
after the other: each finds palitra ready, submits and runs too, and ends as the language ends programs. Go, Node and
the JVM cannot fork and go on. Nothing may be printed. C has programs of its own for both: tests/c/fork/under_load.c and
tests/c/exit.
"""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARIES = Path(os.environ.get("PALITRA_LIBRARY_DIR", ROOT / "target/release"))
BINDINGS = ROOT / "bindings"
BUILT = ROOT / "target/proof"
CPP, GO = BUILT / "ends", BUILT / "ends-go"
JNA = "/usr/share/java/jna.jar"

#: The command of each language. One whose interpreter is missing is said to be.
LANGUAGES = {
    "C++": [str(CPP)],
    "Python": [sys.executable, "-B", "ends.py"],
    "Ruby": ["ruby", f"-I{BINDINGS}/ruby/lib", "ends.rb"],
    "PHP": ["php", "ends.php"],
    "LuaJIT": ["luajit", "ends.lua"],
    "Perl": ["perl", f"-I{BINDINGS}/perl/lib", "ends.pl"],
    "Go": [str(GO)],
    "Node": ["node", "ends.mjs"],
    "Java": ["java", "-cp", f"{BUILT}/java:{JNA}", "Ends"],
}
CANNOT_FORK = {"Go", "Node", "Java"}

GOOD_END = 7
#: The longest that one program may take: an exit, and a fork of those that it makes.
PATIENCE = 120
PATIENCE_FOR_A_FORK = 5


def environment() -> dict[str, str]:
    return os.environ | {
        "PALITRA_LIBRARY": str(LIBRARIES / "libpalitra.so"),
        "PYTHONPATH": str(BINDINGS / "python/src"),
        "LUA_PATH": f"{BINDINGS}/lua/?.lua;{BINDINGS}/lua/?/init.lua;;",
    }


def build() -> None:
    """What is no script, and the addon of Node."""
    BUILT.mkdir(parents=True, exist_ok=True)
    here = ROOT / "tests/proof/endings"
    java = sorted(map(str, BINDINGS.glob("java/src/main/java/palitra/*.java")))
    for command in (
        [os.environ.get("CXX", "g++"), "-std=c++17", "-O1", f"-I{ROOT}/include", f"-I{BINDINGS}/cpp/include",
         f"{here}/ends.cpp", "-o", CPP, f"-L{LIBRARIES}", "-lpalitra", f"-Wl,-rpath,{LIBRARIES}", "-pthread"],
        [f"{ROOT}/tests/go/go.sh", "library", "go", "build", "-o", GO, f"{here}/ends.go"],
        [f"{ROOT}/tests/node/conformance.sh"],
        ["javac", "-cp", JNA, "-d", f"{BUILT}/java", f"{here}/Ends.java", *java],
    ):  # fmt: skip
        subprocess.run(command, check=True)


def ends_well(command: list[str], patience: float) -> str:
    """Empty, or what was wrong."""
    try:
        ended = subprocess.run(
            command,
            cwd=ROOT / "tests/proof/endings",
            env=environment(),
            capture_output=True,
            text=True,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {patience} s"
    if ended.returncode == GOOD_END and not ended.stdout and not ended.stderr:
        return ""
    return f"ended with {ended.returncode}: {ended.stdout}{ended.stderr}"


def repeat_exits(command: list[str], exits: int) -> list[str]:
    """Two programs at a time."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda _: ends_well([*command, "exit"], PATIENCE), range(exits))
        return [wrong for wrong in results if wrong]


def main() -> int:
    forks, exits = int(sys.argv[1]), int(sys.argv[2])
    build()
    failed = False
    for language, command in LANGUAGES.items():
        if shutil.which(command[0]) is None:
            print(f"{language:8} {command[0]} is missing")
            failed = True
            continue
        start = time.monotonic()
        forking = 0 if language in CANNOT_FORK else forks
        patience = PATIENCE + forking * PATIENCE_FOR_A_FORK
        wrong = ends_well([*command, "forks", str(forking)], patience) if forking else ""
        after_forks = time.monotonic()
        wrong_exits = repeat_exits(command, exits)
        print(
            f"{language:8} {forking:6} forks in {after_forks - start:6.1f} s{': ' + wrong if wrong else ''}"
            f" {exits:6} exits in {time.monotonic() - after_forks:6.1f} s, {len(wrong_exits)} wrong"
            f"{': ' + wrong_exits[0] if wrong_exits else ''}",
            flush=True,
        )
        failed |= bool(wrong or wrong_exits)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
