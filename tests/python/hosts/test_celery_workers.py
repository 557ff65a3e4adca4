"""palitra in Celery's prefork pool with a real redis: through forks, recycling, kills, limits and ends.

The pool's processes are forked from a parent that has used palitra: see celery_site.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from billiard.exceptions import WorkerLostError
from celery.exceptions import SoftTimeLimitExceeded, TaskRevokedError
from conftest import Worker
from processes import PATIENCE, is_alive

StartWorker = Callable[..., Worker]

#: The tasks that sleep: in a coroutine that a plain task runs, in a native job, in a coroutine that is the task.
SLEEPS = ["sleep_in_coroutine", "sleep_in_job", "sleep"]


@pytest.fixture(scope="module")
def worker(start_worker: StartWorker) -> Worker:
    return start_worker("--concurrency", "2")


@pytest.fixture
def begun(worker: Worker) -> Callable[[], None]:
    """Waits until a task that notes it has begun."""
    worker.server.notes_file.unlink(missing_ok=True)
    return lambda: worker.server.wait_until(lambda: "begun" in worker.server.notes(), "the task had begun")


def test_tasks_run_coroutines_and_jobs(worker: Worker) -> None:
    sent = [(worker.send("run_coroutine", n, n), 2 * n) for n in range(10)]
    sent += [(worker.send("run_job"), "page") for _ in range(10)]
    sent += [(worker.send("gather_both"), ["page", 3, "page"]) for _ in range(10)]
    for answer, expected in sent:
        assert answer.get(timeout=PATIENCE) == expected


def test_the_original_hangs_in_a_child_whose_parent_used_it(start_worker: StartWorker, original_packages: str) -> None:
    # The module `palitra.celery` is none of the original's: its place is taken by a plain base class.
    program = (
        "import sys, types, celery, palitra; palitra.celery = types.ModuleType('palitra.celery'); "
        "sys.modules['palitra.celery'] = palitra.celery; palitra.celery.Task = celery.Task; palitra.Job = object; "
        "from celery.__main__ import main; main()"
    )
    original = start_worker("--concurrency", "1", program=program, environment={"PYTHONPATH": original_packages})
    answer = original.send("run_coroutine", 1, 1)
    time.sleep(1)
    assert answer.state == "PENDING"
    assert "received" in original.server.output()


def test_processes_are_recycled(start_worker: StartWorker) -> None:
    recycling = start_worker("--concurrency", "1", "--max-tasks-per-child", "2")
    processes = [recycling.result("process") for _ in range(6)]
    assert [processes.count(one) for one in dict.fromkeys(processes)] == [2, 2, 2]


def test_a_killed_process_loses_its_task_and_is_replaced(worker: Worker, begun: Callable[[], None]) -> None:
    lost = worker.send("sleep_in_coroutine", 60)
    begun()
    os.kill(process_of(worker, lost.id), signal.SIGKILL)
    with pytest.raises(WorkerLostError):
        lost.get(timeout=PATIENCE)
    for _ in range(6):
        assert worker.result("process") in worker.server.children()


def process_of(worker: Worker, task: str) -> int:
    active = worker.client.control.inspect(timeout=2).active()
    (process,) = (one["worker_pid"] for one in next(iter(active.values())) if one["id"] == task)
    return process


@pytest.mark.parametrize("task", SLEEPS)
def test_a_warm_shutdown_lets_the_work_in_flight_end(start_worker: StartWorker, task: str) -> None:
    leaving = start_worker("--concurrency", "2")
    answers = [leaving.send(task, 1.0), leaving.send(task, 1.0)]
    leaving.server.wait_until(lambda: leaving.server.notes().count("begun") == 2, "the tasks had begun")
    processes = leaving.server.children()
    assert leaving.server.end(signal.SIGTERM, timeout=10) == 0
    assert [answer.get(timeout=5) for answer in answers] == ["slept", "slept"]
    assert not any(map(is_alive, processes))


@pytest.mark.parametrize("task", SLEEPS)
def test_a_soft_time_limit_ends_the_wait(worker: Worker, begun: Callable[[], None], task: str) -> None:
    sent = time.monotonic()
    answer = worker.send(task, 60, soft_time_limit=1)
    with pytest.raises(SoftTimeLimitExceeded):
        answer.get(timeout=PATIENCE)
    assert time.monotonic() - sent < 10
    # The coroutine was cancelled and awaited before the task heard of it.
    assert worker.server.notes() == (["begun"] if task == "sleep_in_job" else ["begun", "cancelled"])
    assert worker.result("add", 1, 1) == 2


def test_a_task_catches_its_soft_time_limit_when_its_coroutine_has_ended(
    worker: Worker, begun: Callable[[], None]
) -> None:
    assert worker.result("sleep_until_told", 60, soft_time_limit=1) == "told"
    assert worker.server.notes() == ["begun", "cancelled", "told"]


@pytest.mark.parametrize("task", SLEEPS)
def test_a_revoked_task_is_terminated_and_its_process_replaced(
    worker: Worker, begun: Callable[[], None], task: str
) -> None:
    answer = worker.send(task, 60)
    begun()
    process = process_of(worker, answer.id)
    worker.client.control.revoke(answer.id, terminate=True)
    with pytest.raises(TaskRevokedError):
        answer.get(timeout=PATIENCE)
    worker.server.wait_until(lambda: not is_alive(process), "the process was gone")
    for _ in range(4):
        assert worker.result("process") != process
