"""Several awaitables as one piece of work: each in a task of its own, their results in order.

Results, errors and messages are those of ``asyncio.gather``: without ``return_exceptions`` the first failure in time is
raised, and the others keep running. There is no future, callback or task for the whole: the last step of each task
writes its result and counts down. With a limit, the next awaitable starts when one has ended; those that have not
started when one fails are closed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from .._errors import CancelledError, without_own_frames
from .contexts import ASGIREF, move_in
from .thread import LoopThread
from .work import Work, check_loop, discard, make_task

#: Is called with the index, the value and the error of each awaitable that ended; with index -1 if none will end.
OnEnd = Callable[[int, Any, "BaseException | None"], None]


class Gathering(Work):
    """The awaitables of one ``gather``. Its value is the list of their values."""

    single = False

    __slots__ = (
        "_awaitables",
        "_limit",
        "_next",
        "_on_end",
        "_pending",
        "_places",
        "_return_exceptions",
        "_tasks",
        "_values",
    )

    def __init__(
        self,
        thread: LoopThread,
        awaitables: tuple[Any, ...],
        return_exceptions: bool = False,
        limit: int | None = None,
        on_end: OnEnd | None = None,
    ) -> None:
        super().__init__(thread, None)
        distinct = {id(awaitable): awaitable for awaitable in awaitables}
        #: Where each awaitable's value is, if one of them came more than once.
        self._places: list[int] | None = None
        if len(distinct) < len(awaitables):
            order = {identity: place for place, identity in enumerate(distinct)}
            self._places = [order[id(awaitable)] for awaitable in awaitables]
            awaitables = tuple(distinct.values())
        self._awaitables = awaitables
        self._return_exceptions = return_exceptions
        self._limit = limit or len(awaitables)
        self._on_end = on_end
        self._tasks: dict[int, asyncio.Task[Any]] = {}
        self._next = 0
        self._pending = len(awaitables)
        self._values: list[Any] = [None] * len(awaitables)

    # On the loop's thread.

    def start(self) -> None:
        if self._cancelled:
            return self.refuse(CancelledError())
        for awaitable in self._awaitables:
            if not (asyncio.iscoroutine(awaitable) or hasattr(awaitable, "__await__")):
                return self.refuse(TypeError("An asyncio.Future, a coroutine or an awaitable is required"))
            check_loop(awaitable, self._thread.loop)
        self._thread.running.add(self)
        if ASGIREF in sys.modules:
            move_in(self._context, self._desk)
        self._start_more()

    def refuse(self, error: BaseException) -> None:
        on_end, self._on_end = self._on_end, None
        self._close_waiting()
        super().refuse(error)
        if on_end is not None:
            on_end(-1, None, error)

    def _start_more(self) -> None:
        while self._next < len(self._awaitables) and len(self._tasks) < self._limit and not self._ended:
            index, self._next = self._next, self._next + 1
            drive = self._drive_one(index)
            try:
                task = make_task(self._thread.loop, drive, self._context.copy(), self._awaitables[index])
            except BaseException as error:
                drive.close()
                discard(self._awaitables[index])
                self._cancel_now()
                return self.refuse(error)
            if not task.done():  # A task that starts eagerly may have ended.
                self._tasks[index] = task
                task.add_done_callback(self._task_ended)

    async def _drive_one(self, index: int) -> None:
        try:
            value = await self._awaitables[index]
        except BaseException as error:
            error.__traceback__ = without_own_frames(error.__traceback__)
            self._one_ended(index, None, error)
        else:
            self._one_ended(index, value, None)

    def _task_ended(self, task: asyncio.Task[Any]) -> None:
        # Cancelled before its first step: `_drive_one` never ran.
        for index, known in self._tasks.items():
            if known is task:
                discard(self._awaitables[index])
                return self._one_ended(index, None, CancelledError())

    def _one_ended(self, index: int, value: Any, error: BaseException | None) -> None:
        task = self._tasks.pop(index, None)
        if task is not None:
            task.remove_done_callback(self._task_ended)
        self._pending -= 1
        if error is None:
            self._thread.counts.finished += 1
        else:
            self._thread.counts.count_failure(error)
        if self._on_end is not None:
            self._on_end(index, value, error)
            if self._pending == 0:
                self._on_end = None  # It refers to what refers to this work.
        if self._ended:
            if not self._tasks:
                self._thread.work_ended(self)
            return
        cancelled = self._cancelled or self._thread.closing
        if error is None:
            self._values[index] = value
        elif self._return_exceptions and isinstance(error, Exception | asyncio.CancelledError):
            self._values[index] = error
        elif not self._cancelled:
            self._close_waiting()
            return self._end(error)
        if cancelled:
            self._close_waiting()
        elif task is not None:
            self._start_more()
        if self._pending == 0 and not self._ended:
            values, self._values = self._values, []
            self._value = values if self._places is None else [values[place] for place in self._places]
            self._end(CancelledError() if cancelled else None)

    def _close_waiting(self) -> None:
        waiting = range(self._next, len(self._awaitables))
        self._next = len(self._awaitables)
        self._pending -= len(waiting)
        for index in waiting:
            discard(self._awaitables[index])
            self._thread.counts.count_failure(CancelledError())
            if self._on_end is not None:
                self._on_end(index, None, CancelledError())

    def _cancel_now(self) -> None:
        self._close_waiting()
        for task in list(self._tasks.values()):
            task.cancel()
        if self._pending == 0 and not self._ended:
            self._end(CancelledError())

    def _end(self, error: BaseException | None) -> None:
        super()._end(error)
        if not self._tasks:  # Those that still run after one has failed are work, too.
            self._thread.work_ended(self)

    def tasks(self) -> tuple[int, int]:
        return len(self._tasks), len(self._awaitables) - self._next

    def abandon(self, error: BaseException) -> None:
        super().abandon(error)
        if self._on_end is not None:
            self._on_end(-1, None, error)
