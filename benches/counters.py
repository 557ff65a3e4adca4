"""What a subject costs apart from time: instructions and system calls for one operation.

Times on a shared machine wander; these counts hardly do, so they say whether a change helped when the
clock cannot. Each counts all threads together and is a slope: the program runs twice, the second time with
twice the operations, and the difference divided by the operations leaves out start, load and shutdown.

perf counts without disturbing what it counts. Where the machine has no such counter (most virtual machines
lack one for instructions) valgrind or strace counts instead. Those slow the program and let its threads
run one at a time, so a figure for work that crosses threads is then about the work, not about how often
the threads happened to sleep.
"""

import functools
import os
import re
import shutil
import subprocess
import sys

INSTRUCTIONS = "instructions:u"
SYSTEM_CALLS = "raw_syscalls:sys_enter"


def instructions(command, operations):
    """Instructions in user space for one operation."""
    if perf_counts(INSTRUCTIONS):
        return slope(lambda args: with_perf(INSTRUCTIONS, args), command, operations)
    return slope(with_callgrind, command, operations)


def system_calls(command, operations):
    """System calls for one operation."""
    if perf_counts(SYSTEM_CALLS):
        return slope(lambda args: with_perf(SYSTEM_CALLS, args), command, operations)
    return slope(with_strace, command, operations)


def tools():
    """The names of the tools that count instructions and system calls here; installs what is missing."""
    counting = "perf" if perf_counts(INSTRUCTIONS) else need("valgrind")
    tracing = "perf" if perf_counts(SYSTEM_CALLS) else need("strace")
    return counting, tracing


def slope(total, command, operations):
    once, twice = (total([*command, str(n)]) for n in (operations, 2 * operations))
    # Where an operation costs nothing the two runs differ by chance, in either direction.
    return max(0.0, (twice - once) / operations)


@functools.cache
def perf_counts(event):
    """Whether perf is here, may be used, and knows a counter for the event."""
    return bool(shutil.which("perf")) and with_perf(event, ["true"]) is not None


def with_perf(event, command):
    output = run(["perf", "stat", "-x,", "-e", event, *command], check=False)
    line = next((line for line in output.splitlines() if event in line), "")
    value = line.split(",")[0]
    return int(value) if value.isdigit() else None


def with_callgrind(command):
    output = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command])
    return int(re.search(r"Collected : (\d+)", output).group(1))


def with_strace(command):
    output = run(["strace", "-f", "-c", *command])
    total = next(line for line in output.splitlines() if line.endswith(" total"))
    return int(total.split()[3])


def run(command, check=True):
    """Runs the command and returns what it wrote to standard error, where all these tools report."""
    done = subprocess.run(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stderr


def need(tool):
    """Makes sure that the tool is here; a count that cannot be made must not be left out in silence."""
    if not shutil.which(tool) and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-q", tool]
        subprocess.run(install, stdout=sys.stderr, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if not shutil.which(tool):
        sys.exit(f"{tool} is needed to count here and is not installed")
    return tool
