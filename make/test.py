"""Runs the parts of `make test` and prints in one line how many tests passed and how much time each part took.

    python3 -B make/test.py MAKE

A part is a target of the Makefile. Whatever becomes of one, the others run too; at the end stands what failed and the
last that it printed. All that a part prints is kept in target/test. Tests are counted from the lines by which cargo
test, pytest, doctest and go test -v end. A part in which no test ran has failed, as has one that exits with another
code than 0. The time that the processors worked for a part stands in parentheses.
"""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

BUILD = "build-tests"
#: Three lanes side by side, the suites of each one after the other: about half of what they do is waiting. The pages
#: that test-rust runs make packages that other suites make, too: those follow it.
LANES = (
    ("test-rust", "test-node", "test-ruby", "test-php", "test-lua", "test-perl", "test-java"),
    ("test-python", "test-go"),
    ("test-cpp",),
)
#: Measure nothing, so they run beside those, on processors that nobody else wants.
ASIDE = ("test-models", "test-proof")

LOGS = Path("target/test")

#: How many of the last lines of a part that failed are printed once more at the end, where a reader looks first.
TAIL = 60

#: How many tests passed: a line at the end of a run of cargo, of pytest, of doctest, of node --test and of the tests in
#: PHP and Lua, of minitest, of prove and of JUnit; and at the end of a short proof, which is one.
PASSED = re.compile(
    r"test result: .*? (\d+) passed;"
    r"|=+ .*?\b(\d+) passed\b.* in \d"
    r"|\[doctest\] test cases: +\d+ \| +(\d+) passed"
    r"|# pass (\d+)"
    r"|(\d+) runs, \d+ assertions, 0 failures, 0 errors, 0 skips"
    r"|Files=\d+, Tests=(\d+),"
    r"|\[ +(\d+) tests successful "
    r"|== .* held in a short proof, (\d+)$"
)
#: What go test -v prints for each test beside its failures, and of that the line of one that passed.
GO_VERBOSE = re.compile(r"=== (RUN|PAUSE|CONT|NAME) |\s*--- PASS: |PASS$")
GO_PASSED = re.compile(r"\s*--- PASS: ")
#: A failed test as cargo, pytest, doctest and go name it, and a failed command as make does. The one of the tests of
#: tests/support fails because they want it.
FAILED = re.compile(
    r"test (?!meant_to_fail\b).* \.\.\. FAILED\b"
    r"|FAILED |ERROR |not ok |.*: ERROR: |\s*--- FAIL: |make.*: \*\*\* "
)


class Part:
    """One target. It prints line by line as it comes, each below its name, or all of it at the end if it runs aside."""

    def __init__(self, make: str, target: str, *, aside: bool = False) -> None:
        self.name = "build" if target == BUILD else target.removeprefix("test-")
        self.target = target
        self.passed = 0
        self.failures: list[str] = []
        self.code: int | None = None
        self.seconds = 0.0
        self.processor_seconds = 0.0
        self._aside = aside
        self._command = [*(["chrt", "--idle", "0"] if aside else []), make, "--no-print-directory", target]
        self._thread = threading.Thread(target=self._run)

    def start(self) -> "Part":
        self._thread.start()
        return self

    def wait(self) -> "Part":
        self._thread.join()
        if self._aside:
            print(self.log.read_text(errors="replace"), end="", flush=True)
        return self

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    @property
    def failed(self) -> bool:
        return self.code != 0 or (self.passed == 0 and self.target != BUILD)

    def tail(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()[-TAIL:]

    def _run(self) -> None:
        start = time.monotonic()
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        with process, self.log.open("wb") as log:
            for line in process.stdout:
                log.write(line)
                self._read(line.decode(errors="replace").rstrip("\n"))
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.code = process.returncode
        self.seconds = time.monotonic() - start
        self.processor_seconds = usage.ru_utime + usage.ru_stime

    def _read(self, line: str) -> None:
        if passed := PASSED.match(line):
            self.passed += int(passed[passed.lastindex or 0])
        elif GO_PASSED.match(line):
            self.passed += 1
        elif FAILED.match(line):
            self.failures.append(line.strip())
        if not self._aside and not GO_VERBOSE.match(line):
            print(f"{self.name:6} | {line}", flush=True)


def clock(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def summary(parts: list[Part], seconds: float) -> str:
    def took(part: Part) -> str:
        tests = "" if part.target == BUILD else f" {part.passed:,}"
        return f"{part.name}{tests} in {clock(part.seconds)} ({clock(part.processor_seconds)} of a processor)"

    whole = f"{round(seconds) // 60} min {round(seconds) % 60} s"
    return f"{sum(part.passed for part in parts):,} tests passed in {whole}: {', '.join(map(took, parts))}"


def run_lanes(make: str) -> list[Part]:
    """All suites, each lane on a thread of its own, in the order of the table."""
    lanes = [[Part(make, target) for target in lane] for lane in LANES]

    def run(lane: list[Part]) -> None:
        for part in lane:
            part.start().wait()

    threads = [threading.Thread(target=run, args=[lane]) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [part for lane in lanes for part in lane]


def main() -> int:
    make = sys.argv[1]
    os.makedirs(LOGS, exist_ok=True)
    start = time.monotonic()
    parts = [Part(make, BUILD).start().wait()]
    if not parts[0].failed:
        aside = [Part(make, target, aside=True).start() for target in ASIDE]
        parts += run_lanes(make)
        parts += [part.wait() for part in aside]
    failed = [part for part in parts if part.failed]
    for part in failed:
        print(f"make {part.target} failed with {part.code}, {part.passed} tests passed; its output: {part.log}")
        tail = part.tail()
        shown = {line.strip() for line in tail}
        for line in [*tail, "", *(failure for failure in part.failures if failure not in shown)]:
            print(f"    {line}")
    print(summary(parts, time.monotonic() - start) + (", WITH FAILURES, see above" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
