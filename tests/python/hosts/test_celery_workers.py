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
from processes import PATIENCE, is_alive
from worker import Worker

StartWorker = Callable[..., Worker]

#: The tasks that sleep: in a coroutine that a plain task runs, in a native job, in a coroutine that is the task.
SLEEPS = ["sleep_in_coroutine", "sleep_in_job", "sleep"]

#: The longest that a warm shutdown takes, in seconds. A process of the pool waits up to 30 for its parent to count its
#: results (_ensure_messages_consumed in billiard/pool.py), which a parent that is shutting down may not do any more.
LEAVING = 45.0


@pytest.fixture(scope="module")
def worker(start_worker: StartWorker) -> Worker:
    return start_worker("--concurrency", "2")


@pytest.fixture
def started(worker: Worker) -> Callable[[], None]:
    """Waits until a task that notes it has started."""
    worker.server.notes_file.unlink(missing_ok=True)
    return lambda: worker.server.wait_until(lambda: "started" in worker.server.notes(), "the task had started")


def test_tasks_run_coroutines_and_jobs(worker: Worker) -> None:
    sent = [(worker.send("run_coroutine", n, n), 2 * n) for n in range(10)]
    sent += [(worker.send("run_job"), "page") for _ in range(10)]
    sent += [(worker.send("gather_both"), ["page", 3, "page"]) for _ in range(10)]
    for result, expected in sent:
        assert result.get(timeout=PATIENCE) == expected


@pytest.mark.parametrize("pool", ["gevent", "threads", "solo"])
def test_every_pool_runs_coroutines_and_jobs(start_worker: StartWorker, pool: str) -> None:
    worker = start_worker("--concurrency", "10", pool=pool)
    sent = [(worker.send("run_coroutine", n, n), 2 * n) for n in range(5)]
    sent += [(worker.send("add", n, 1), n + 1) for n in range(5)]
    sent += [(worker.send("gather_both"), ["page", 3, "page"]), (worker.send("run_job"), "page")]
    sent += [(worker.send("fetch_and_add"), ["page", 4])]
    for result, expected in sent:
        assert result.get(timeout=PATIENCE) == expected
    if pool != "solo":
        start = time.monotonic()
        sleeps = [worker.send(name, 2) for name in SLEEPS * 3]
        for result in sleeps:
            result.get(timeout=PATIENCE)
        assert time.monotonic() - start < 9  # One after the other they would take 18 seconds.
    assert worker.server.end(signal.SIGTERM, timeout=LEAVING) == 0


def test_the_original_hangs_in_a_child_whose_parent_used_it(start_worker: StartWorker, original_packages: str) -> None:
    # The original has no module `palitra.celery`: a plain base class takes its place.
    program = (
        "import sys, types, celery, palitra; palitra.celery = types.ModuleType('palitra.celery'); "
        "sys.modules['palitra.celery'] = palitra.celery; palitra.celery.Task = celery.Task; palitra.Job = object; "
        "from celery.__main__ import main; main()"
    )
    original = start_worker("--concurrency", "1", program=program, environment={"PYTHONPATH": original_packages})
    result = original.send("run_coroutine", 1, 1)
    time.sleep(1)
    assert result.state == "PENDING"
    assert "received" in original.server.output()


def test_processes_are_recycled(start_worker: StartWorker) -> None:
    recycling = start_worker("--concurrency", "1", "--max-tasks-per-child", "2")
    processes = [recycling.result("process") for _ in range(6)]
    assert [processes.count(one) for one in dict.fromkeys(processes)] == [2, 2, 2]


def test_a_killed_process_loses_its_task_and_is_replaced(worker: Worker, started: Callable[[], None]) -> None:
    lost = worker.send("sleep_in_coroutine", 60)
    started()
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
    results = [leaving.send(task, 1.0), leaving.send(task, 1.0)]
    leaving.server.wait_until(lambda: leaving.server.notes().count("started") == 2, "the tasks had started")
    processes = leaving.server.children()
    assert leaving.server.end(signal.SIGTERM, timeout=LEAVING) == 0
    assert [result.get(timeout=5) for result in results] == ["slept", "slept"]
    assert not any(map(is_alive, processes))


@pytest.mark.parametrize("task", SLEEPS)
def test_a_soft_time_limit_ends_the_wait(worker: Worker, started: Callable[[], None], task: str) -> None:
    sent = time.monotonic()
    result = worker.send(task, 60, soft_time_limit=1)
    with pytest.raises(SoftTimeLimitExceeded):
        result.get(timeout=PATIENCE)
    assert time.monotonic() - sent < 10
    # The coroutine was cancelled and awaited before the task saw the exception.
    assert worker.server.notes() == (["started"] if task == "sleep_in_job" else ["started", "cancelled"])
    assert worker.result("add", 1, 1) == 2


def test_a_task_catches_its_soft_time_limit_when_its_coroutine_has_ended(
    worker: Worker, started: Callable[[], None]
) -> None:
    assert worker.result("sleep_until_interrupted", 60, soft_time_limit=1) == "interrupted"
    assert worker.server.notes() == ["started", "cancelled", "interrupted"]


@pytest.mark.parametrize("task", SLEEPS)
def test_a_revoked_task_is_terminated_and_its_process_replaced(
    worker: Worker, started: Callable[[], None], task: str
) -> None:
    result = worker.send(task, 60)
    started()
    process = process_of(worker, result.id)
    worker.client.control.revoke(result.id, terminate=True)
    with pytest.raises(TaskRevokedError):
        result.get(timeout=PATIENCE)
    worker.server.wait_until(lambda: not is_alive(process), "the process was gone")
    for _ in range(4):
        assert worker.result("process") != process
