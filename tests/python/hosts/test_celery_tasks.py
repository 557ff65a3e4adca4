"""palitra.celery.Task: tasks that are coroutines are tasks like others, in a worker and eagerly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import celery
import palitra
import palitra.celery
import pytest
from celery import Celery
from processes import PATIENCE
from worker import Worker


@pytest.fixture(scope="module")
def worker(start_worker: Callable[..., Worker]) -> Worker:
    return start_worker("--concurrency", "2")


def test_a_coroutine_is_a_task(worker: Worker) -> None:
    assert worker.result("add", 1, 2) == 3
    assert worker.result("fetch_and_add") == ["page", 4]


def test_a_class_based_task_calls_its_bases_coroutine(worker: Worker) -> None:
    assert worker.result("class_based", 4) == 9


def test_tasks_of_a_process_share_one_loop(worker: Worker) -> None:
    seen = {tuple(worker.result("loop")) for _ in range(20)}
    assert len(seen) == len({process for process, _ in seen})


def test_the_request_is_seen_in_the_coroutine_and_what_it_starts(worker: Worker) -> None:
    result = worker.send("see_request")
    assert result.get(timeout=PATIENCE) == [result.id] * 3 + ["celery_site.see_request"]


def test_retries_are_those_of_celery(worker: Worker) -> None:
    assert worker.result("retry_twice") == 2
    assert worker.result("retry_by_itself") == 2


def test_what_the_coroutine_raises_is_the_tasks_failure(worker: Worker) -> None:
    with pytest.raises(LookupError, match="nothing there"):
        worker.result("fail")


def test_a_task_sent_by_a_coroutine_knows_its_parent(worker: Worker) -> None:
    result = worker.send("send_another")
    child = worker.client.AsyncResult(result.get(timeout=PATIENCE))
    assert child.get(timeout=PATIENCE) == result.id


def test_chains_and_groups_are_made_of_coroutines(worker: Worker) -> None:
    add = worker.client.signature("celery_site.add", app=worker.client)
    assert (add.clone((1, 2)) | add.clone((3,))).apply_async().get(timeout=PATIENCE) == 6
    group = celery.group(add.clone((n, n)) for n in range(3))
    assert group.apply_async().get(timeout=PATIENCE) == [0, 2, 4]


def test_a_pool_of_threads_keeps_the_requests_of_its_tasks_apart(start_worker: Callable[..., Worker]) -> None:
    threads = start_worker("--pool", "threads", "--concurrency", "4")
    results = [threads.send("see_request") for _ in range(40)]
    for result in results:
        assert result.get(timeout=PATIENCE) == [result.id] * 3 + ["celery_site.see_request"]


# Eagerly, in this process.


@pytest.fixture
def app() -> Iterator[Celery]:
    app = Celery("eager", broker="memory://", task_cls="palitra.celery:Task", set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield app
    app.close()


def test_every_task_of_an_application_may_be_a_coroutine(app: Celery) -> None:
    @app.task
    async def asynchronous(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    @app.task
    def synchronous(number: int) -> int:
        assert threading.current_thread() is threading.main_thread()
        return number + 2

    assert asynchronous.delay(1).get() == 2
    assert asynchronous.apply((1,)).get() == 2
    assert asynchronous(1) == 2
    assert synchronous.delay(1).get() == synchronous(1) == 3


def test_eager_tasks_retry(app: Celery) -> None:
    # With it Celery raises the Retry itself, for every task.
    app.conf.task_eager_propagates = False

    @app.task(bind=True, autoretry_for=(OSError,), default_retry_delay=0)
    async def stubborn(self: palitra.celery.Task) -> int:
        await asyncio.sleep(0)
        if self.request.retries < 2:
            raise OSError
        return self.request.retries

    @app.task(bind=True)
    async def retries(self: palitra.celery.Task) -> int:
        await asyncio.sleep(0)
        if self.request.retries < 2:
            raise self.retry(countdown=0)
        return self.request.retries

    assert stubborn.delay().get() == 2
    assert retries.delay().get() == 2


def test_a_coroutine_sends_a_task_eagerly(app: Celery) -> None:
    @app.task(bind=True)
    async def inner(self: palitra.celery.Task, number: int) -> tuple[int, str]:
        await asyncio.sleep(0)
        return number + 1, self.request.id

    @app.task(bind=True)
    async def outer(self: palitra.celery.Task) -> list[object]:
        before = self.request.id
        number, identity = inner.delay(1).result  # `get` is forbidden in a task.
        await asyncio.sleep(0)
        return [number, identity != before, self.request.id == before, celery.current_task.name == self.name]

    assert outer.delay().get() == [2, True, True, True]


def test_threads_that_call_one_task_see_their_own_requests(app: Celery) -> None:
    @app.task(bind=True)
    async def identity(self: palitra.celery.Task) -> tuple[str, str]:
        before = self.request.id
        await asyncio.sleep(0.01)
        return before, self.request.id

    # As a worker does before its first task: at its first use Celery binds a task, which is not safe in many threads.
    app.finalize()
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: identity.apply().get(), range(32)))
    assert all(before == after for before, after in seen)
    assert len(set(seen)) == 32


def test_the_current_task_is_no_other_tasks(app: Celery) -> None:
    @app.task
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return celery.current_task.name

    @app.task
    async def quick() -> str:
        for _ in range(20):
            await asyncio.sleep(0.002)
            assert celery.current_task.name == quick.name
        return celery.current_task.name

    app.finalize()  # As above.
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.submit(lambda: slow.apply().get()), threads.submit(lambda: quick.apply().get())
        assert (one.result(10), other.result(10)) == (slow.name, quick.name)
    assert celery.current_task._get_current_object() is None


def test_a_cancelled_body_cancels_what_it_awaits(app: Celery) -> None:
    started, cancelled = threading.Event(), threading.Event()

    @app.task
    async def endless() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(endless)
        assert started.wait(PATIENCE)
        palitra.shutdown_global_runner()
        with pytest.raises(palitra.CancelledError):
            call.result(10)
    assert cancelled.is_set()
