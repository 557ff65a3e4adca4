"""Runs the proofs of `make proof` one after the other and prints one table.

    python3 -B make/proof.py MAKE

A proof is a target of make/proof.mk. Whatever becomes of one, the others run too. What a proof prints is kept in
target/proof/NAME.log; its last line but blank ones stands in the table.
"""

import subprocess
import sys
import time
from pathlib import Path

LOGS = Path("target/proof")
PROOFS = ("simulation", "planted", "faults", "storms", "growth-memory", "growth", "fuzz-replay", "fuzz", "soak")


def last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "(nothing)"


def run(make: str, proof: str) -> tuple[int, float, str]:
    log = LOGS / f"{proof}.log"
    start = time.monotonic()
    with log.open("wb") as file:
        ended = subprocess.run([make, "--no-print-directory", proof], stdout=file, stderr=subprocess.STDOUT)
    return ended.returncode, time.monotonic() - start, last_line(log)


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    results = {}
    for proof in PROOFS:
        results[proof] = run(sys.argv[1], proof)
        print(f"{proof}: {'well' if results[proof][0] == 0 else 'FAILED'}, target/proof/{proof}.log", flush=True)
    print()
    for proof, (code, seconds, line) in results.items():
        print(f"{proof:14} {'well' if code == 0 else 'FAILED':6} {seconds / 60:6.1f} min  {line[:110]}")
    return int(any(code != 0 for code, _, _ in results.values()))


if __name__ == "__main__":
    sys.exit(main())
