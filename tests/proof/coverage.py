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
    path: str
    line: int
    column: int
    #: The line.
    text: str

    @property
    def room(self) -> str:
        return Path(self.path).parts[1].removesuffix(".rs")


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
        self.triple = rustc("--print", "host-tuple")
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

    def measure(self) -> dict[Place, int]:
        """Every place of src, and how often it was reached."""
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
        return dict(place for file in told["data"][0]["files"] for place in places(file))


def places(file: dict) -> Iterator[tuple[Place, int]]:
    """Each place of a file, and how often it was reached. What begins with a brace is the end of another."""
    path = str(Path(file["filename"]).relative_to(ROOT))
    source = (ROOT / path).read_text().splitlines()
    for line, column, count, is_counted, is_entry, is_gap in file["segments"]:
        text = source[line - 1]
        if is_counted and is_entry and not is_gap and not text.startswith("}", column - 1):
            yield Place(path, line, column, text.strip()), count


def print_table(counts: dict[Place, int]) -> None:
    rooms: dict[str, Room] = collections.defaultdict(Room)
    for place, count in counts.items():
        for room in (rooms[place.room], rooms["all of src"]):
            room.places += 1
            room.reached += count > 0
    print(f"{'room of src':16} {'places':>7} {'reached':>8}")
    for name in sorted(rooms, key=lambda name: (name == "all of src", name)):
        room = rooms[name]
        print(f"{name:16} {room.places:7,} {room.reached / room.places:8.1%}")


def reasons() -> set[tuple[str, str]]:
    """The lines that need not be reached, by file and text."""
    lines = (line for line in REASONS.read_text().splitlines() if line and not line.startswith("#"))
    return {(path, text) for path, text in (line.split(": ", 1) for line in lines)}


def main() -> int:
    folder, *rooms = sys.argv[1:]
    counts = Coverage(Path(folder)).measure()
    print_table(counts)
    unreached = [place for place, count in sorted(counts.items()) if count == 0 and place.room in rooms]
    known = reasons()
    unexplained = [place for place in unreached if (place.path, place.text) not in known]
    for line in dict.fromkeys(f"{place.path}:{place.line}: {place.text}" for place in unexplained):
        print(line)
    for path, text in sorted(known - {(place.path, place.text) for place in unreached}):
        print(f"unreached.txt: {path}: {text} (was reached this time, or is there no more)")
    print(f"{len(unreached)} places of {', '.join(rooms)} are reached by no test, {len(unexplained)} without a reason")
    return int(bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
