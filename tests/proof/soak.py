"""A soak of the library and of every binding, side by side: two tables and two pictures.

    python3 -B tests/proof/soak.py PROGRAM MINUTES

PROGRAM, of soak.c, has mixed load on the C ABI: its latency is drawn in target/proof/latency.svg. Beside it the
interpreters of tests/conformance carry out all scenarios over and over, and are looked at from outside: their memory is
drawn in target/proof/memory.svg.
"""

import csv
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "target/proof"
sys.path.insert(0, str(ROOT / "benches"))

import plot  # noqa: E402

BINDINGS = ["cargo", "test", "--quiet", "--test", "conformance", "--", "--ignored", "--nocapture"]
#: A line of soak.c's table: minutes, operations, four percentiles of a ready job and of one that sleeps, memory.
ROW = re.compile(r" +([\d.]+) +(\d+) \|((?: +[\d.]+){4}) \|((?: +[\d.]+){4}) \| +(\d+) +\d+$")
PERCENTILES = ("50 %", "99 %", "99.9 %", "longest")


def printed(command: list[str], environment: dict[str, str]) -> tuple[int, list[str]]:
    """Runs it, and shows its lines as they come."""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return process.returncode, lines


def draw_latency(rows: list[re.Match[str]]) -> None:
    curves = {}
    for group, job in ((3, "ready"), (4, "sleeps 1 ms")):
        for number, percentile in enumerate(PERCENTILES):
            points = [(float(row[1]), float(row[group].split()[number])) for row in rows]
            curves[f"{job}, {percentile}"] = points
    title = "microseconds that palitra_runner_run takes, against minutes"
    plot.draw_curves(curves, str(OUT / "latency.svg"), plot.machine(), title, plot.linear)


def draw_memory() -> None:
    curves: dict[str, list[tuple[float, float]]] = {}
    with (OUT / "bindings.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            curves.setdefault(row["language"], []).append((float(row["seconds"]) / 60, int(row["KiB"]) / 1024))
    title = "MiB of memory of a program in each language, against minutes"
    plot.draw_curves(curves, str(OUT / "memory.svg"), plot.machine(), title, plot.linear)


def main() -> int:
    program, minutes = sys.argv[1:]
    environment = os.environ | {"PALITRA_SOAK_MINUTES": minutes}
    results: dict[str, tuple[int, list[str]]] = {}

    def soak(name: str, command: list[str]) -> None:
        results[name] = printed(command, environment)

    threads = [
        threading.Thread(target=soak, args=["program", [program, minutes]]),
        threading.Thread(target=soak, args=["bindings", BINDINGS]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [name for name, (code, _) in results.items() if code != 0]
    rows = [row for row in map(ROW.match, results["program"][1]) if row]
    if not failed:
        draw_latency(rows)
        draw_memory()
    operations = sum(int(row[2]) for row in rows)
    print(f"{operations:,} operations; failed: {', '.join(failed) or 'none'}; drawn in {OUT.relative_to(ROOT)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
