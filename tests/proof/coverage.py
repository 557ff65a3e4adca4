"""How much of each room of src the tests reach, and the places that none of them does.

    python3 -B tests/proof/coverage.py FOLDER [ROOM ...]

Builds the library and its tests into FOLDER, instrumented by the compiler, runs them, and prints a table by room. A
place is what LLVM calls a region: the whole of a function, a branch, an arm, the right side of `&&` or of `?`. Of the
rooms named, every line with a place that nothing reached is printed, but for those that unreached.txt has a reason for.
Threads come where they do only at times: what is printed once need not be the next time.
"""

import collections
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REASONS = Path(__file__).parent / "unreached.txt"
#: What cargo runs. Those of tests/c, which call all that other languages do, take the library in FOLDER.
TESTS = ("--lib", "--test=rust", "--test=properties", "--test=c", "--test=process", "--test=http", "--test=panic_hook")
#: Not what runs under valgrind, and not what an instrumented library is too large, too slow or too well connected for.
NOT_RUN = ("memory::", "run::small_stacks", "runner::spinning", "scheduler::fairness", "that_installs_a_handler")


@dataclass(frozen=True, order=True)
class Place:
    """One that nothing reached."""

    path: str
    line: int
    column: int

    def text(self) -> str:
        return (ROOT / self.path).read_text().splitlines()[self.line - 1].strip()


@dataclass
class Room:
    places: int = 0
    reached: int = 0


def rustc(*words: str) -> str:
    return subprocess.run(["rustc", *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Coverage:
    """A build of its own, and what running it counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.triple = next(line[6:] for line in rustc("-vV").splitlines() if line.startswith("host: "))
        self.tools = Path(rustc("--print", "sysroot"), "lib/rustlib", self.triple, "bin")
        self.libraries = self.folder / self.triple / "debug"
        self.counts = self.folder / "counts"
        if not (self.tools / "llvm-cov").exists():
            sys.exit("coverage.py: llvm-cov is missing: rustup component add llvm-tools")

    def cargo(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "CARGO_TARGET_DIR": str(self.folder),
            # Counted in the file itself, for a process that is killed or leaves by _exit writes none at its end; and by
            # all threads without a loss, for places that have no counter have the difference of others'.
            "RUSTFLAGS": "-Cinstrument-coverage -Cllvm-args=-runtime-counter-relocation "
            "-Cllvm-args=-instrprof-atomic-counter-update-all",
            "LLVM_PROFILE_FILE": f"{self.counts}/%m%c.profraw",
            "PALITRA_LIBRARY_DIR": str(self.libraries),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        command = ["cargo", words[0], f"--target={self.triple}", *words[1:]]
        return subprocess.run(command, cwd=ROOT, env=environment, text=True, **options)  # type: ignore[call-overload]

    def build(self, *words: str) -> list[str]:
        """The programs and the shared libraries that cargo makes of this."""
        told = self.cargo(*words, "--message-format=json", check=True, stdout=subprocess.PIPE).stdout
        made = (json.loads(line) for line in told.splitlines() if line.startswith("{"))
        files = (file for each in made for file in [each.get("executable"), *each.get("filenames", [])])
        return [file for file in files if file and (file.endswith(".so") or not Path(file).suffix)]

    def measure(self) -> dict[str, list[tuple[Place, int]]]:
        """Every place of src, and how often it was reached, by file."""
        shutil.rmtree(self.counts, ignore_errors=True)
        libraries = self.build("build", "--package=palitra", "--package=palitra-test-jobs")
        link = self.libraries / "libpalitra.so.1"
        link.unlink(missing_ok=True)
        link.symlink_to("libpalitra.so")
        tests = ["test", "--workspace", "--exclude=palitra-rivals", "--exclude=palitra-models", *TESTS]
        programs = self.build(*tests, "--no-run")
        if self.cargo(*tests, "--no-fail-fast", "--", *(f"--skip={name}" for name in NOT_RUN)).returncode != 0:
            print("coverage.py: tests failed: they count for what they reached", flush=True)
        counts = self.folder / "counts.profdata"
        merge = [
            self.tools / "llvm-profdata",
            "merge",
            "--failure-mode=all",
            "-o",
            counts,
            *self.counts.glob("*.profraw"),
        ]
        subprocess.run(merge, check=True)
        objects = [f"--object={file}" for file in dict.fromkeys([*libraries, *programs])]
        export = [self.tools / "llvm-cov", "export", f"--instr-profile={counts}", *objects, "--sources", ROOT / "src"]
        told = json.loads(subprocess.run(export, check=True, stdout=subprocess.PIPE).stdout)
        return {file["filename"]: list(places(file)) for file in told["data"][0]["files"]}


def places(file: dict) -> Iterator[tuple[Place, int]]:
    """Each place of a file, and how often it was reached. What begins with a brace is the end of another."""
    path = str(Path(file["filename"]).relative_to(ROOT))
    source = (ROOT / path).read_text().splitlines()
    for line, column, count, is_counted, is_entry, is_gap in file["segments"]:
        if is_counted and is_entry and not is_gap and not source[line - 1].startswith("}", column - 1):
            yield Place(path, line, column), count


def room_of(path: str) -> str:
    return Path(path).parts[1].removesuffix(".rs")


def print_table(files: dict[str, list[tuple[Place, int]]]) -> None:
    rooms: dict[str, Room] = collections.defaultdict(Room)
    for path, counted in files.items():
        for room in (rooms[room_of(str(Path(path).relative_to(ROOT)))], rooms["all of src"]):
            room.places += len(counted)
            room.reached += sum(count > 0 for _, count in counted)
    print(f"{'room of src':16} {'places':>7} {'reached':>8}")
    for name in sorted(rooms, key=lambda name: (name == "all of src", name)):
        room = rooms[name]
        print(f"{name:16} {room.places:7,} {room.reached / room.places:8.1%}")


class Reasons:
    """Why nothing reaches what nothing reaches: unreached.txt."""

    def __init__(self, text: str) -> None:
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        self.unused = [tuple(line.split(": ", 1)) for line in lines]
        self._all = tuple(self.unused)

    def has_one_for(self, place: Place) -> bool:
        text = place.text()
        for known in self._all:
            if known[0] == place.path and known[1] in text:
                if known in self.unused:
                    self.unused.remove(known)
                return True
        return False


def main() -> int:
    folder, *rooms = sys.argv[1:]
    files = Coverage(Path(folder)).measure()
    print_table(files)
    reasons = Reasons(REASONS.read_text())
    unreached = {place for counted in files.values() for place, count in counted if count == 0}
    asked = [place for place in sorted(unreached) if room_of(place.path) in rooms]
    unexplained = [place for place in asked if not reasons.has_one_for(place)]
    for path, line in dict.fromkeys((place.path, place.line) for place in unexplained):
        print(f"{path}:{line}: {Place(path, line, 1).text()}")
    for path, text in reasons.unused:
        print(f"unreached.txt: {path}: {text} (was reached this time, or is there no more)")
    print(f"{len(asked)} places of {', '.join(rooms)} are reached by no test, {len(unexplained)} without a reason")
    return int(bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
