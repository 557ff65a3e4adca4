"""Celery tasks that are written as coroutines: a base class for tasks.

For all tasks of an application, or for one::

    app = Celery("shop", broker=..., task_cls="palitra.celery:Task")

    @app.task
    async def fetch(url): ...

    @app.task(base=palitra.celery.Task, bind=True, autoretry_for=(OSError,))
    async def fetch(self, url): ...

The coroutine runs on the global runner of the worker process, whose loop, connections and caches live from task to
task. For Celery the task is a synchronous one: time limits, retries, ``bind``, ``self.request``, chains, eager mode and
every pool work as they always do; but where eventlet has patched threading, no native job can be waited for. A soft
time limit cancels the coroutine before SoftTimeLimitExceeded is raised. Tasks that are plain functions are left as they
are.

Tested with Celery 5.7. This package does not install it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

# Celery has no types.
import celery  # type: ignore[import-untyped]

# What Celery's own tracer calls before and after the body of a task.
from celery._state import (  # type: ignore[import-untyped]
    pop_current_task,
    push_current_task,
)

from ._global import run
from ._runner import EventLoopThreadRunner

__all__ = ("Task",)

#: The requests of the tasks whose coroutines run in this context. Celery keeps them by thread, but many coroutines
#: share one thread.
_requests: ContextVar[Mapping[Task, Any]] = ContextVar("palitra.celery.requests", default=MappingProxyType({}))


class Task(celery.Task):  # type: ignore[misc]
    """The base class of tasks whose body may be a coroutine: ``async def`` under ``@app.task``, or the method
    ``run`` of a class-based task.

    Whoever calls the body gets its result: a worker, ``apply``, ``fetch(url)`` in synchronous code. A coroutine that
    calls a task like that, or in eager mode, blocks its event loop until the result is there. ``self.request`` is right
    also in the coroutines that the body starts by ``asyncio.gather`` or as tasks. ``celery.current_task``, and the
    parent of a task that is sent, are right only in the body and in what it awaits.
    """

    abstract = True

    def __new__(cls, *arguments: Any, **keywords: Any) -> Task:
        # Set on the instance, as Celery's own autoretry does, and before it: `super().run()` in a subclass stays a
        # coroutine, and a retry sees what the coroutine raised.
        task: Task = super().__new__(cls)
        body = task.run

        @functools.wraps(body)
        def synchronous(*arguments: Any, **keywords: Any) -> Any:
            return _result(task, body(*arguments, **keywords))

        task.run = synchronous
        return task

    def _get_request(self) -> Any:
        stack: Any = self.request_stack
        if stack.top is None and self in _requests.get():
            return _requests.get()[self]
        return super()._get_request()

    request = property(_get_request, doc="The request being executed, in its coroutines too.")


def _result(task: Task, result: Any) -> Any:
    """The result of a task whose body returned this: the result of a coroutine, or what it is."""
    if not asyncio.iscoroutine(result):
        return result
    token = _requests.set({**_requests.get(), task: task.request})
    try:
        return _run(_Body(task, result))
    finally:
        _requests.reset(token)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run(coroutine)
    # Eager mode: a coroutine sent a task, and waits for the result on its loop's thread.
    with EventLoopThreadRunner(name="EagerTask") as runner:
        return runner.run(coroutine)


class _Body(Coroutine[Any, Any, Any]):
    """The coroutine of a task. At each of its steps the task is Celery's current one; others run in between."""

    def __init__(self, task: Task, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._task = task
        self._coroutine = coroutine

    def send(self, value: Any) -> Any:
        push_current_task(self._task)
        try:
            return self._coroutine.send(value)
        finally:
            pop_current_task()

    def throw(self, *error: Any) -> Any:
        push_current_task(self._task)
        try:
            return self._coroutine.throw(*error)
        finally:
            pop_current_task()

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> _Body:
        return self

    def __iter__(self) -> _Body:
        return self

    def __next__(self) -> Any:
        return self.send(None)
