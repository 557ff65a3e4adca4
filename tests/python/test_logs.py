"""The log of a native library in Python's logging: levels, targets, spans, the end of the process, forked children."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import palitra
import pytest
from waits import wait_until


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def seen(self) -> list[tuple[int, str, str]]:
        """Level, target and message of what a job of the tests has logged."""
        own = [record for record in self.records if "test_jobs" in record.target]  # type: ignore[attr-defined]
        return [(record.levelno, record.target, record.getMessage()) for record in own]  # type: ignore[attr-defined]


@pytest.fixture
def kept(tests: palitra.Library) -> Iterator[Kept]:
    handler = Kept()
    logger = logging.getLogger("palitra.tests")
    logger.propagate = False
    logger.addHandler(handler)
    yield handler
    palitra.set_logger(None, library=tests)
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


IN_PAGE = "job{name=test.log}:page{number=7 kind=plain}: "
TARGET = "palitra_test_jobs::logging"
MESSAGES = [
    (logging.INFO, TARGET, IN_PAGE + "100 % hello n=1"),
    (logging.WARNING, TARGET, IN_PAGE + "100 % hello by log"),
    (logging.ERROR, TARGET, "job{name=test.log}: 100 % hello in a task"),
]


def test_messages_come_with_level_target_and_spans_on_a_thread_of_pythons(tests: palitra.Library, kept: Kept) -> None:
    logging.getLogger("palitra.tests").setLevel(1)
    palitra.set_logger("palitra.tests", library=tests)
    palitra.run(tests.job("test.log", "100 % hello"))
    wait_until(lambda: len(kept.seen()) == len(MESSAGES), "all messages had come")
    assert kept.seen() == MESSAGES
    assert {record.threadName for record in kept.records} == {"palitra-log"}


def test_a_logger_gets_what_it_is_enabled_for(tests: palitra.Library, kept: Kept) -> None:
    logger = logging.getLogger("palitra.tests")
    logger.setLevel(logging.WARNING)
    palitra.set_logger(logger, library=tests)
    palitra.run(tests.job("test.log", "100 % hello"))
    wait_until(lambda: len(kept.seen()) == 2, "both messages had come")
    assert [level for level, _, _ in kept.seen()] == [logging.WARNING, logging.ERROR]


def test_none_ends_the_logging_after_what_was_logged_before(tests: palitra.Library, kept: Kept) -> None:
    logging.getLogger("palitra.tests").setLevel(logging.INFO)
    palitra.set_logger("palitra.tests", library=tests)
    palitra.run(tests.job("test.log", "100 % hello"))
    palitra.set_logger(None, library=tests)
    assert kept.seen() == MESSAGES
    palitra.run(tests.job("test.log", "unheard"))
    assert kept.seen() == MESSAGES
    assert "palitra-log" not in [thread.name for thread in threading.enumerate()]


AT_EXIT = """
import logging, palitra, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(target)s %(message)s", stream=sys.stdout)
tests = palitra.load(sys.argv[1])
palitra.set_logger(library=tests)
for number in range(200):
    palitra.run(tests.job("test.log", f"number {number}"))
"""


def test_every_message_is_written_before_the_process_ends(
    run_python: Callable[..., Any], tests: palitra.Library
) -> None:
    ended = run_python(AT_EXIT, tests.path)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [line for line in ended.stdout.splitlines() if "test_jobs" in line]
    assert len(lines) == 600
    assert lines[-1] == f"ERROR palitra {TARGET} job{{name=test.log}}: number 199 in a task"


AFTER_FORK = """
import logging, os, palitra, sys, warnings
warnings.filterwarnings("ignore", "This process", DeprecationWarning)  # CPython's own, of a fork where threads run.
logging.basicConfig(level=logging.WARNING, format="%(process)d %(message)s", stream=sys.stdout)
tests = palitra.load(sys.argv[1])
palitra.set_logger(library=tests)
palitra.run(tests.job("test.log", "parent"))
palitra.set_logger(None, library=tests)
palitra.set_logger(library=tests)
sys.stdout.flush()
child = os.fork()
palitra.run(tests.job("test.log", "silent" if child == 0 else "parent"))
if child == 0:
    palitra.set_logger(library=tests)
    palitra.run(tests.job("test.log", "child"))
    palitra.set_logger(None, library=tests)
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_logs_nothing_until_it_asks(run_python: Callable[..., Any], tests: palitra.Library) -> None:
    ended = run_python(AFTER_FORK, tests.path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "silent" not in ended.stdout
    by_process: dict[str, int] = {}
    for line in ended.stdout.splitlines():
        process, message = line.split(" ", 1)
        by_process[process] = by_process.get(process, 0) + ("hello" in message or "by log" in message)
    assert sorted(by_process.values()) == [1, 2]
