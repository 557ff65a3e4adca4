"""How context variables cross from a thread to another and back, asgiref's among them.

Work runs in a copy of its caller's context. What it set is set in the caller's afterwards where the caller wants that.

asgiref, and with it Django, keeps its ``Local`` (Django's language and time zone) in context variables whose values
belong to one thread: on another they are invisible until they are handed on. Its ``sync_to_async`` looks in such a
Local for the executor of the thread that waits; Django's database connections depend on it. Palitra imports nothing of
asgiref; it looks whether the program has. The names are private there: a version without them is passed over.
"""

from __future__ import annotations

import sys
from asyncio import _get_running_loop
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

from .desk import Desk, Runnable, fallback, waiting_desk

#: The module that says whether asgiref is loaded: where it is not, ``move_in`` need not be called.
ASGIREF = "asgiref.sync"


def context_with(desk: Desk | None) -> Context:
    """A copy of the caller's context for work that it waits for at its desk, or for which nobody waits (None)."""
    if desk is None or waiting_desk.get() is desk:
        return copy_context()
    if waiting_desk.get() is None and _get_running_loop() is None:
        # A synchronous thread: the next copies have it already.
        waiting_desk.set(desk)
        return copy_context()
    context = copy_context()
    context.run(waiting_desk.set, desk)
    return context


def move_in(desk: Desk | None) -> None:
    """Called inside a copy of a context, on the thread it goes to; ``desk`` is that of the thread that waits."""
    asgiref = _asgiref()
    if asgiref is None:
        return
    for variable, value in copy_context().items():
        own = _on_this_thread(value)
        if own is not value:
            variable.set(own)
    if desk is not None:
        asgiref.AsyncToSync.executors.current = DeskForAsgiref(desk)


def copy_back(context: Context) -> None:
    """Sets the variables that were set in the context since it was copied from the current one."""
    asgiref = _asgiref()
    executor = None if asgiref is None else getattr(asgiref.AsyncToSync.executors, "current", None)
    for variable, value in context.items():
        if variable is waiting_desk:
            continue
        if asgiref is not None:
            value = _on_this_thread(value)
        if variable.get(_MISSING) is not value:
            variable.set(value)
    if asgiref is not None:
        asgiref.AsyncToSync.executors.current = executor


def sensitive_executor(loop: Any) -> Any:
    """Where a function that wants to be on the thread of its caller's caller runs: the thread that waits for the
    running coroutine; the thread that asgiref has chosen; or the one thread for all such functions."""
    asgiref = _asgiref()
    if asgiref is None:
        return waiting_desk.get() or fallback
    executor = getattr(asgiref.AsyncToSync.executors, "current", None)
    chosen = asgiref.SyncToAsync.thread_sensitive_context.get(None)
    if executor is None and chosen is not None:
        if getattr(chosen, "_exited", False):
            raise RuntimeError("ThreadSensitiveContext has exited: the task has outlived it")
        executors = asgiref.SyncToAsync.context_to_thread_executor
        executor = executors.get(chosen)
        if executor is None:
            executor = executors[chosen] = ThreadPoolExecutor(max_workers=1)
    return (
        executor
        or waiting_desk.get()
        or asgiref.AsyncToSync.loop_thread_executors.get(loop)
        or asgiref.SyncToAsync.single_thread_executor
    )


_MISSING: Any = object()


def _asgiref() -> Any:
    """The module ``asgiref.sync``, if it is loaded."""
    module = sys.modules.get(ASGIREF)
    return module if hasattr(module, "async_to_sync") else None


def _on_this_thread(value: Any) -> Any:
    """The value of a context variable, handed on to this thread if it is that of an asgiref Local."""
    local: Any = sys.modules.get("asgiref.local")
    storage = getattr(local, "_Storage", None)
    return local._rehome(value) if storage is not None and type(value) is storage else value


class DeskForAsgiref(Executor):
    """A desk in the shape of asgiref's ``CurrentThreadExecutor``, whose chain of older ones ends with it."""

    _broken = False
    _old_executor = None

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # asgiref appends to the items of an executor that works, with its condition held.
        self._work_ready = self
        self._work_items = self

    def __enter__(self) -> DeskForAsgiref:
        return self

    def __exit__(self, *details: object) -> None:
        pass

    def notify(self) -> None:
        """``append`` has woken the thread already."""

    def append(self, item: Runnable) -> None:
        if not self._desk.hand_over(item):
            fallback.submit(item.run)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        return self._desk.submit(function, *arguments, **keywords)
