"""Runs growth.c, and draws what it prints.

python3 -B benches/growth.py target/bench/growth              the table; `make growth` runs this
python3 -B benches/growth.py target/bench/growth --plot F     the same as a picture too
"""

import argparse
import re
import subprocess
import sys

import plot

COST = re.compile(r" (\d+) ns")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("growth", help="the program built from benches/growth.c")
    parser.add_argument("--plot", metavar="FILE", help="the SVG to draw the costs in")
    options = parser.parse_args()
    curves = {}
    with subprocess.Popen([options.growth], stdout=subprocess.PIPE, text=True) as growth:
        for line in growth.stdout:
            print(line, end="", flush=True)
            costs = [max(float(cost), 1) for cost in COST.findall(line)]
            curves[line[:28].strip()] = [(1000 * 10**power, cost) for power, cost in enumerate(costs)]
    if options.plot:
        plot.draw_curves(
            {name: curve for name, curve in curves.items() if curve},
            options.plot,
            plot.machine(),
            "nanoseconds for one item, against the number of items",
        )
    return growth.returncode


if __name__ == "__main__":
    sys.exit(main())
