"""Runs a program to a good end. Beside the panics that its jobs were asked for it may print nothing on stderr.

python3 -B tests/proof/silent.py PROGRAM ARGUMENTS...
"""

import os
import re
import subprocess
import sys

#: What Rust prints of a panic, and the message that the program asked for.
PANIC = re.compile(r"|thread '.*' \(\d+\) panicked at .*|as the storm asked|note: run with `RUST_BACKTRACE=1` .*")


def main() -> int:
    ended = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE, text=True, env=os.environ | {"RUST_BACKTRACE": "0"})
    printed = [line for line in ended.stderr.splitlines() if not PANIC.fullmatch(line)]
    for line in printed[:40]:
        print(f"stderr: {line}")
    return ended.returncode or int(bool(printed))


if __name__ == "__main__":
    sys.exit(main())
