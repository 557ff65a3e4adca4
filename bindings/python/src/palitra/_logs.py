"""The log of a native library, for Python's ``logging``.

The library collects its messages, and a thread of Python's hands them on: so no thread of the library ever waits for
the interpreter, and none is in it when it ends. There is no such thread before :func:`set_logger` is called.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import logging
from typing import Any

from ._fork import inheritors, start_anew_if_forked
from ._native import abi
from ._native.library import Library, default
from ._threads import Thread, start_thread

#: The levels of the library, from 1 on, as logging has them. Its traces are more than the most detailed of those.
_LEVELS = (0, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG, logging.DEBUG - 5)

#: The longest single wait for a message, in nanoseconds.
_SLICE = 10**9


class _Forwarder:
    """Hands on the messages of one library. In a forked child it is the parent's, and ends with the child."""

    def __init__(self, library: Library, logger: logging.Logger) -> None:
        self._functions: Any = library.functions
        self._refusal = library.invoker.refusal
        self._logger = logger
        self._thread: Thread | None = None

    def start(self) -> None:
        level = sum(self._logger.isEnabledFor(level) for level in _LEVELS[1:])
        status = self._functions.log_collect(level, 0)
        if status != abi.OK:
            raise self._refusal(status)
        self._thread = start_thread(self._forward, "palitra-log")

    def end(self) -> None:
        """Ends the logging, after the messages that were logged before."""
        self._functions.log_collect(0, 0)
        if self._thread is not None:
            self._thread.join(1)

    def _forward(self) -> None:
        reply = abi.Reply()
        address = ctypes.addressof(reply)
        while True:
            status = self._functions.log_next(_SLICE, address)
            if status == abi.OK:
                text = ctypes.string_at(reply.data, reply.len)
                self._functions.reply_free(address)
                self._hand_on(json.loads(text))
            elif status != abi.PENDING:
                return

    def _hand_on(self, message: dict[str, Any]) -> None:
        level = _LEVELS[message["level"]]
        if self._logger.isEnabledFor(level):
            target = message["target"]
            # A record without the file and the line of this one, which are nobody's.
            record = self._logger.makeRecord(
                self._logger.name, level, target, 0, message["message"], (), None, extra={"target": target}
            )
            self._logger.handle(record)


class _Forwarders:
    """One for each library at most."""

    def __init__(self) -> None:
        self._after_fork_in_child()
        inheritors.add(self)

    def _after_fork_in_child(self) -> None:
        # The child's library logs to nobody, and the thread is the parent's.
        self._running: dict[str, _Forwarder] = {}

    def replace(self, library: Library, logger: logging.Logger | None) -> None:
        start_anew_if_forked()
        before = self._running.pop(library.path, None)
        if before is not None:
            before.end()
        if logger is not None:
            forwarder = _Forwarder(library, logger)
            forwarder.start()
            self._running[library.path] = forwarder

    def end(self) -> None:
        while self._running:
            self._running.popitem()[1].end()


_forwarders = _Forwarders()
# Before logging itself ends, which has registered its end earlier.
atexit.register(_forwarders.end)


def set_logger(logger: logging.Logger | str | None = "palitra", *, library: Library | None = None) -> None:
    """Hands the messages of a native library and of its jobs to a logger, as far as it is enabled for their level now.

    ``library`` is by default the one that comes with palitra. The records have the attribute ``target``, which says
    where in the library a message comes from; the message says which job and which spans it is of. A thread of its own
    hands them on, a moment later. ``None`` ends the logging. A forked child logs nothing until it calls this.

    Raises InternalError if Rust code of the library has a logger of its own.
    """
    named = logging.getLogger(logger) if isinstance(logger, str) else logger
    _forwarders.replace(library or default.get(), named)
