"""The jobs that one asyncio loop awaits: how they start, and how the loop notices their end.

How they start. An inline job, one whose author declares that its first poll never blocks, is polled once on the loop's
thread: if it is ready then, it costs one call of the library, and no turn of the loop. No other job ever runs there:
none keeps the loop from turning. Which jobs are inline, only the library knows. So a job that pends, because it was not
ready or is no inline job, is handed to the runner the next times that it is awaited (:class:`Pended`). All that are
handed over in one turn of the loop go in one call: the runner is woken once.

How they end. The loop watches the descriptor of its queue from the first job that pends in it until the loop is closed.
To watch it anew for each job would take longer than most jobs; a watched descriptor costs an epoll set nothing while
nothing happens.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from . import abi
from .events import CompletionQueue
from .payload import Call
from .slot import Slot


class Submitter(Protocol):
    """What an ``Invoker`` does for a loop."""

    def submit(self, call: Call, options: Any, slot: Slot) -> int: ...

    def submit_many(
        self, calls: Mapping[int, Call], options: Any
    ) -> Iterable[tuple[int, int, BaseException | None]]: ...


#: How many times a job is handed over after it has pended.
AFTER_PENDING = 64


class Pended(dict[bytes, int]):
    """The jobs of a library that pended when they were started, by name, with how many times more they are handed over.

    Used from any thread; a count that is lost in a race does no harm.
    """

    def add(self, name: bytes) -> None:
        """The job has pended."""
        self[name] = AFTER_PENDING

    def count(self, name: bytes) -> None:
        """The job is handed over once more. After the last time the next one is started at once again."""
        times = self.get(name, 0)
        if times > 1:
            self[name] = times - 1
        else:
            self.pop(name, None)


class Waiter:
    """Who waits in a loop for an event of a job, or of each of many: ``await waiter.notified``."""

    __slots__ = ("_loop", "events", "notified", "wanted")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: The tags that came, each with the error of its refusal or with None.
        self.events: list[tuple[int, BaseException | None]] = []
        #: Is done when so many events have come, or that of a failure.
        self.notified: asyncio.Future[None] = loop.create_future()
        self.wanted = 1

    def notify(self, tag: int, is_failure: bool, refusal: BaseException | None) -> None:
        self.events.append((tag, refusal))
        if (len(self.events) >= self.wanted or is_failure) and not self.notified.done():
            self.notified.set_result(None)

    def take_events(self) -> list[tuple[int, BaseException | None]]:
        """The events that came. Whoever waits on does so for the next ones."""
        events, self.events = self.events, []
        self.notified = self._loop.create_future()
        return events


class LoopQueue:
    """The queue of one asyncio loop, the jobs that wait to be submitted, and who waits for an event. Used on the loop's
    thread, but for ``release`` and ``close``."""

    def __init__(
        self,
        functions: abi.Functions,
        loop: asyncio.AbstractEventLoop,
        pended: Pended,
        on_collected: Callable[[weakref.ref[asyncio.AbstractEventLoop]], object],
    ) -> None:
        """``on_collected`` is called when the loop is."""
        self.pended = pended
        #: For one call of the library and what it left.
        self.slot = Slot()
        #: For one call of the library: whoever uses them sets the tag before.
        self.batch_options = functions.submit_options(abi.NO_ITEMS | abi.INLINE_ONLY)
        self._functions = functions
        self._queue = CompletionQueue(functions)
        self.handle = self.batch_options.queue = self._queue.handle
        self._loop = weakref.ref(loop, on_collected)
        self._watched = False
        self._tag = 1
        self._options = functions.submit_options(abi.NO_ITEMS | abi.INLINE_ONLY)
        self._options.queue, self._options.tag = self.handle, self._tag
        #: The options, by reference, of a job that has none of its own. Their tag is the next one.
        self.options = ctypes.byref(self._options)
        # By tag: what is to be submitted at the end of the turn, the tokens, and who waits for the next event. They are
        # held from here: a loop holds neither its tasks nor what they wait for.
        self._outbox: dict[int, tuple[Submitter, Call]] = {}
        self._tokens: dict[int, int] = {}
        self._waiting: dict[int, Waiter] = {}

    # Jobs on their way out.

    def take_tags(self, count: int) -> range:
        """Tags of jobs that are submitted elsewhere."""
        tags = range(self._tag, self._tag + count)
        self._tag = self._options.tag = tags.stop
        return tags

    def _take_tag(self) -> int:
        tag = self._tag
        self._tag = self._options.tag = tag + 1
        return tag

    def own_options(self, options: abi.SubmitOptions) -> Any:
        """As ``options``, for a job that has some of its own."""
        options.queue, options.tag = self.handle, self._tag
        return ctypes.byref(options)

    def keep(self) -> int:
        """Keeps the token in ``slot``, of a job that was submitted with the next tag and pends; returns that tag."""
        tag = self._take_tag()
        self._tokens[tag] = self.slot.token.value
        return tag

    def submit_now(self, invoker: Submitter, call: Call, options: abi.SubmitOptions) -> int:
        """Submits a job with options of its own; returns its tag. Raises the error of a refusal."""
        invoker.submit(call, self.own_options(options), self.slot)
        return self.keep()

    def submit_soon(self, invoker: Submitter, call: Call) -> int:
        """Submits a job when the loop has finished its turn; returns its tag. A refusal is raised where it waits."""
        if not self._outbox:
            self._running_loop().call_soon(self._submit_outbox)
        tag = self._take_tag()
        self._outbox[tag] = invoker, call
        return tag

    def _submit_outbox(self) -> None:
        outbox, self._outbox = self._outbox, {}
        for invoker in dict.fromkeys(invoker for invoker, _ in outbox.values()):
            calls = {tag: call for tag, (one, call) in outbox.items() if one is invoker}
            try:
                for tag, token, error in invoker.submit_many(calls, self.options):
                    if error is not None:
                        self._notify(tag, True, error)
                    elif tag in self._waiting:
                        self._tokens[tag] = token
                    else:  # It was released meanwhile, on another thread.
                        self._functions.token_cancel(token)
                        self._functions.token_free(token)
            except Exception as raised:
                # The loop would only log it, and who waits would wait forever.
                for tag in calls:
                    if tag not in self._tokens:
                        self._notify(tag, True, raised)

    # Events on their way in.

    def wait(self, tags: Iterable[int]) -> Waiter:
        """Who waits for the next event of each of these jobs. No event passes unseen between the submission and this
        call, as long as the loop does not turn: it takes the events out of the queue.

        Raises InternalError if the system refuses the loop a descriptor; a later call asks for it again.
        """
        loop = self._running_loop()
        if not self._watched:
            descriptor = self._queue.descriptor()
            # In an empty context: that of the first who waits would live as long as the loop.
            contextvars.Context().run(loop.add_reader, descriptor, self._drain)
            self._watched = True
        waiter = Waiter(loop)
        self._waiting.update(dict.fromkeys(tags, waiter))
        return waiter

    def _drain(self) -> None:
        # If a batch leaves events behind, the descriptor is readable again at once.
        events = self._queue.next(0)
        for tag, status in zip(events[::3], events[2::3], strict=True):
            # The status is the lower half of its word; the other half is padding.
            self._notify(tag, status & 0xFFFFFFFF >= abi.JOB_FAILED, None)

    def _notify(self, tag: int, is_failure: bool, refusal: BaseException | None) -> None:
        waiter = self._waiting.pop(tag, None)
        if waiter is not None:
            waiter.notify(tag, is_failure, refusal)

    def token(self, tag: int) -> int:
        """The token of the job; 0, which is none, if it has not been submitted."""
        return self._tokens.get(tag, 0)

    def forget(self, tags: Iterable[int]) -> None:
        """Nobody waits for these jobs any more, whose tokens are kept elsewhere. From any thread."""
        for tag in tags:
            self._waiting.pop(tag, None)

    def take_token(self, tag: int) -> int:
        """The token of the job, which the caller frees."""
        return self._tokens.pop(tag)

    def release(self, tag: int) -> None:
        """Nobody waits for the job any more. From any thread, such as one that collects garbage."""
        self._outbox.pop(tag, None)
        self._waiting.pop(tag, None)
        token = self._tokens.pop(tag, 0)
        if token:
            self._functions.token_free(token)

    def close(self) -> None:
        """Frees the queue of a loop that is closed, and drops what still waits there. From any thread."""
        self._queue.close()
        self._outbox.clear()
        self._waiting.clear()

    def is_of_closed_loop(self) -> bool:
        """From any thread."""
        loop = self._loop()
        return loop is not None and loop.is_closed()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        loop = self._loop()
        assert loop is not None
        return loop
