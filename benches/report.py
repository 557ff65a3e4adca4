"""Prints how fast palitra is, as ratios to rivals that ran in turns with it on the same machine.

    python3 -B benches/report.py target/bench/speed            the whole table; `make bench` runs this
    python3 -B benches/report.py target/bench/speed --quick    a tenth of the work, to see that it all runs
    python3 -B benches/report.py target/bench/speed --plot F   the table, and its ratios as a picture: plot.py

The figure is the median over the rounds of a paired ratio; in brackets its quartiles, which show how much
the machine wandered. A cost is what one operation takes of the rival's time or memory, and has a goal "at
most"; a speed-up is how many times the rival's throughput was reached, and has a goal "at least". A line
without a goal is there to be watched. The nanoseconds (bytes for memory) are those of this machine in this
minute: compare them with nothing.

The rivals: a ready future through tokio's Handle::block_on; two threads that wake each other with a futex; a
mutex+condvar worker thread with promise and future; the same by asio::post; Handle::spawn from outside, on a runtime
with sockets as palitra's has, and without; bare sleeping tokio tasks. "submits" are windows of a thousand jobs that are
submitted and waited for one by one, "submit_many" the same windows by palitra_runner_submit_many and
palitra_runner_gather, "4 x" either from four threads. A run with a timeout or a stop
token stands beside one without.

speed.cpp tells what the program does, pair.hpp how two subjects are timed, placement.hpp on which cores,
counters.py how the instructions and system calls are counted.
"""

import argparse
import dataclasses
import functools
import statistics
import subprocess
import sys

import counters
import plot

COST, SPEED_UP = "at most", "at least"


@dataclasses.dataclass
class Timing:
    """Two subjects timed in turns."""

    title: str
    placement: str  # free, together or apart: placement.hpp
    ours: str
    rival: str
    sense: str  # COST or SPEED_UP
    goal: float | None
    operations: int  # for one subject in one round
    rounds: int
    counted: int  # operations for the instruction and system call counts; 0: not counted
    processor: bool = False  # the processor time of all threads, not the time on the clock


@dataclasses.dataclass
class Memory:
    """Two subjects that keep jobs in flight, each alone in processes of its own, in turns."""

    title: str
    ours: str
    rival: str
    sense: str
    goal: float | None
    jobs: int
    processes: int


# How the threads are placed, in the title of a row.
PLACES = {"together": "one core", "apart": "two cores", "free": "unpinned"}


def bulk(work, ours, rival_name, rival, goal, placements):
    """Many jobs at a time beside a rival, once for each placement."""
    return [
        Timing(f"{work} / {rival_name}, {PLACES[placement]}", placement, ours, rival,
               SPEED_UP, goal, 20_000, 50, 100_000)
        for placement in placements
    ]  # fmt: skip


def run(title, ours, rival):
    """A ready job that its caller runs, beside another way to run it."""
    return Timing(title, "free", ours, rival, COST, 2, 20_000, 200, 100_000)


def hand_off(work, ours, rival_name, rival, goal, placement):
    """One job at a time, from one thread to another and back."""
    title = f"{work} / {rival_name}, {PLACES[placement]}"
    return Timing(title, placement, ours, rival, COST, goal, 500, 200, 20_000)


def wake(count, jobs, rounds):
    """So many sleeping jobs that wake up together."""
    return Timing(f"{count} that wake together / tokio", "free", "palitra-wake", "tokio-wake",
                  COST, 1.5, jobs, rounds, 0)  # fmt: skip


TIMINGS = [
    run("run a ready job / block_on", "palitra-run", "tokio-block-on"),
    run("run, a timeout / none, C", "palitra-run-within", "palitra-run"),
    run("run, a timeout / none, C++", "palitra-cpp-run-within", "palitra-cpp-run"),
    run("run, a stop token / none, C++", "palitra-cpp-run-stoppable", "palitra-cpp-run"),
    hand_off("round trip", "palitra-round-trip", "futex", "futex-ping-pong", 0.5, "free"),
    Timing("the same, processor time", "free", "palitra-round-trip", "futex-ping-pong",
           COST, 1, 500, 200, 0, processor=True),
    hand_off("round trip", "palitra-round-trip", "condvar", "condvar-round-trip", 1, "free"),
    hand_off("round trip", "palitra-round-trip", "asio", "asio-round-trip", 1, "free"),
    hand_off("event of a queue", "palitra-queue", "condvar", "condvar-round-trip", 1, "free"),
    hand_off("round trip", "palitra-round-trip", "futex", "futex-ping-pong", 1.5, "together"),
    hand_off("round trip", "palitra-round-trip", "futex", "futex-ping-pong", 1.5, "apart"),
    *bulk("submits", "palitra-window", "condvar", "condvar-window", 3, PLACES),
    *bulk("submits", "palitra-window", "spawn", "tokio-spawn", 5, PLACES),
    *bulk("submits", "palitra-window", "socketless spawn", "tokio-spawn-bare", None, ["apart"]),
    *bulk("submit_many", "palitra-window-many", "condvar", "condvar-window", 3, PLACES),
    *bulk("submit_many", "palitra-window-many", "spawn", "tokio-spawn", 5, PLACES),
    *bulk("4 x submits", "palitra-submitters", "condvar", "condvar-submitters", 3, ["apart", "free"]),
    *bulk("4 x submits", "palitra-submitters", "spawn", "tokio-submitters", 5, ["apart", "free"]),
    *bulk("4 x submit_many", "palitra-submitters-many", "condvar", "condvar-submitters", 3, ["apart", "free"]),
    *bulk("4 x submit_many", "palitra-submitters-many", "spawn", "tokio-submitters", 5, ["apart", "free"]),
    *[Timing(f"submit_many / submit, {PLACES[placement]}", placement, "palitra-submit-many", "palitra-submit",
             COST, 0.5, 20_000, 50, 100_000)
      for placement in PLACES],
    wake("10,000", 10_000, 20),
    wake("100,000", 100_000, 10),
    wake("a million", 1_000_000, 5),
]  # fmt: skip

#: What a runner without jobs takes of a processor: milliseconds in so many seconds, after so many round trips.
IDLE_GOAL, IDLE_SECONDS, IDLE_AFTER = 5, 10, 10_000

MEMORY = Memory("a sleeping job / bare tokio", "palitra-sleep", "tokio-sleep",
                COST, 1.35, 1_000_000, 3)  # fmt: skip

ROW = "{:37}  {:>13}  {:>6}  {:7}  {:15}  {:>13}  {:>13}  {:>12}"


def main():
    options = parse_options()
    shrink = 10 if options.quick else 1
    counting, tracing = counters.tools()
    print(ROW.format("ours / rival", "goal", "figure", "reached", "quartiles",
                     "time, memory", "instructions", "system calls"))  # fmt: skip
    bars = [report_timing(options.speed, timing, shrink) for timing in TIMINGS]
    bars.append(report_memory(options.speed, MEMORY, shrink))
    report_idle(options.speed, shrink)
    print("\nTime (ns), memory (bytes), instructions and system calls are for one operation, ours / rival;")
    print(f"instructions counted by {counting}, system calls by {tracing}.")
    if options.plot:
        plot.draw(bars, options.plot, f"medians and quartiles of paired runs; goals in orange. {plot.machine()}")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("speed", help="the program built from benches/*.cpp")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--plot", metavar="FILE", help="the SVG to draw the ratios in")
    return parser.parse_args()


def report_timing(speed, timing, shrink):
    operations = timing.operations // shrink if timing.operations > 100_000 else timing.operations
    rounds = str(max(timing.rounds // shrink, 3))
    pair = [speed, "pair", timing.placement, timing.ours, timing.rival, str(operations), rounds]
    found = numbers(pair)
    ratio, lower, upper, ours, rival = found[5:] if timing.processor else found[:5]
    operations = timing.counted // shrink
    subjects = (timing.ours, timing.rival) if operations else ()
    counts = [count(speed, timing.placement, subject, operations) for subject in subjects]
    return print_row(
        timing,
        (ratio, lower, upper),
        f"{ours:.0f} / {rival:.0f}",
        " / ".join(f"{instructions:.0f}" for instructions, _ in counts),
        " / ".join(f"{system_calls:.2f}" for _, system_calls in counts),
    )


@functools.cache
def count(speed, placement, subject, operations):
    """Instructions and system calls of one operation."""
    command = [speed, "run", placement, subject]
    return counters.instructions(command, operations), counters.system_calls(command, operations)


def report_memory(speed, memory, shrink):
    jobs = str(memory.jobs // shrink)
    pairs = [
        [numbers([speed, "memory", subject, jobs])[0] for subject in (memory.ours, memory.rival)]
        for _ in range(memory.processes)
    ]
    ratios = sorted(ours / rival for ours, rival in pairs)
    ours, rival = (statistics.median(column) for column in zip(*pairs))
    return print_row(memory, (statistics.median(ratios), ratios[0], ratios[-1]), f"{ours:.0f} / {rival:.0f}", "", "")


def report_idle(speed, shrink):
    seconds = max(IDLE_SECONDS // shrink, 1)
    (used,) = numbers([speed, "idle", "palitra-round-trip", str(IDLE_AFTER), str(seconds)])
    reached = "yes" if used <= IDLE_GOAL else "NO"
    print(ROW.format("an idle runner", f"at most {IDLE_GOAL} ms", f"{used:.2f}ms", reached,
                     f"in {seconds} seconds", "", "", "").rstrip(), flush=True)  # fmt: skip


def numbers(command):
    """Runs the command and returns the numbers that it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    return [float(word) for word in done.stdout.split()]


def print_row(comparison, costs, absolutes, instructions, system_calls):
    """Prints one comparison; costs are ours divided by the rival's: median, lower and upper bound. Returns its bar."""
    goal = comparison.goal and (1 / comparison.goal if comparison.sense == SPEED_UP else comparison.goal)
    bar = plot.Bar(comparison.title, *costs, goal)
    figure, lower, upper = costs
    if comparison.sense == SPEED_UP:
        figure, lower, upper = 1 / figure, 1 / upper, 1 / lower
    spread = f"[{lower:.2f} - {upper:.2f}]"
    row = ROW.format(comparison.title, *judge(comparison, figure), spread, absolutes, instructions, system_calls)
    print(row.rstrip(), flush=True)
    return bar


def judge(comparison, figure):
    """The columns goal, figure and reached."""
    if comparison.goal is None:
        return "", f"{figure:.2f}x", ""
    reached = figure <= comparison.goal if comparison.sense == COST else figure >= comparison.goal
    return f"{comparison.sense} {comparison.goal:g}x", f"{figure:.2f}x", "yes" if reached else "NO"


if __name__ == "__main__":
    main()
