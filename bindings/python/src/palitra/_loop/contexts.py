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
from threading import get_ident
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


def move_in(context: Context, desk: Desk | None) -> None:
    """Hands the asgiref Locals in a copy of a context on to this thread, which is going to run something in it.

    ``desk`` is that of the thread that waits. Called where asgiref is loaded.
    """
    asgiref = _asgiref()
    if asgiref is None:
        return
    for variable, value in context.items():
        if type(value) is asgiref.storage:
            context.run(variable.set, asgiref.on_this_thread(value))
    if desk is None:
        return
    if desk.for_asgiref is None:
        desk.for_asgiref = {"current": DeskForAsgiref(desk)}
    if asgiref.storage is _MISSING:
        context.run(setattr, asgiref.to_sync.executors, "current", desk.for_asgiref["current"])
    else:
        # As the Local does, without its lock. Nobody changes the dictionary.
        context.run(asgiref.executor_variable.set, asgiref.storage(get_ident(), desk.for_asgiref))


def copy_back(context: Context) -> None:
    """Sets the variables that were set in the context since it was copied from the current one."""
    asgiref = _asgiref()
    executor = None if asgiref is None else asgiref.executor_of_older_versions()
    for variable, value in context.items():
        if asgiref is not None and type(value) is asgiref.storage:
            if variable is asgiref.executor_variable:
                continue  # Who waits for whom ends with the wait.
            value = asgiref.on_this_thread(value)
        if variable.get(_MISSING) is not value and variable is not waiting_desk:
            variable.set(value)
    if asgiref is not None and executor is not _MISSING:
        asgiref.to_sync.executors.current = executor


def sensitive_executor(loop: Any) -> Any:
    """Where a function that wants to be on the thread of its caller's caller runs: the thread that waits for the
    running coroutine; the thread that asgiref has chosen; or the one thread for all such functions."""
    asgiref = _asgiref()
    if asgiref is None:
        return waiting_desk.get() or fallback
    executor = getattr(asgiref.to_sync.executors, "current", None)
    chosen = asgiref.to_async.thread_sensitive_context.get(None)
    if executor is None and chosen is not None:
        if getattr(chosen, "_exited", False):
            raise RuntimeError("ThreadSensitiveContext has exited: the task has outlived it")
        executors = asgiref.to_async.context_to_thread_executor
        executor = executors.get(chosen)
        if executor is None:
            executor = executors[chosen] = ThreadPoolExecutor(max_workers=1)
    return (
        executor
        or waiting_desk.get()
        or asgiref.to_sync.loop_thread_executors.get(loop)
        or asgiref.to_async.single_thread_executor
    )


_MISSING: Any = object()


class Asgiref:
    """What is used of asgiref."""

    def __init__(self, sync: Any, local: Any) -> None:
        self.module = sync
        self.to_sync: Any = sync.AsyncToSync
        self.to_async: Any = sync.SyncToAsync
        #: The type of a Local's value; older versions keep each attribute in a variable, and it belongs to no thread.
        self.storage: Any = getattr(local, "_Storage", _MISSING)
        self.on_this_thread: Any = getattr(local, "_rehome", None)
        inner = getattr(self.to_sync.executors, "_storage", None)
        #: The context variable that holds the executor of the thread that waits.
        self.executor_variable: Any = getattr(inner, "_data", None)

    def executor_of_older_versions(self) -> Any:
        """The executor of the current context, where its variable is not known."""
        return getattr(self.to_sync.executors, "current", None) if self.storage is _MISSING else _MISSING


_known: Asgiref | None = None


def _asgiref() -> Asgiref | None:
    """asgiref, if it is loaded."""
    global _known
    module = sys.modules.get(ASGIREF)
    if module is None or not hasattr(module, "async_to_sync"):
        return None
    if _known is None or _known.module is not module:
        _known = Asgiref(module, sys.modules.get("asgiref.local"))
    return _known


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
