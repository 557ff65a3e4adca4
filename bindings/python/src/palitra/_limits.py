"""The bounds that callers set: timeouts, deadlines, limits. Checked here, and turned into the units of locks and of
the native library. Used by both chapters, on the caller's thread."""

from __future__ import annotations

import math
import threading
from sys import modules

#: A timeout that never passes, for locks and for the native library alike.
FOREVER = -1
#: The longest timeout that is passed to the native library, in seconds: 285 years.
LONGEST = 9e9


def seconds(timeout: float | None) -> float:
    """A timeout as locks take it: FOREVER for None, and never longer than the system can express. For gevent it is a
    number in any case: without a timer it takes a wait for another thread for one that nothing will end."""
    if timeout is None:
        return FOREVER if "gevent.monkey" not in modules else threading.TIMEOUT_MAX
    check_number(timeout)
    return min(max(timeout, 0.0), threading.TIMEOUT_MAX)


def nanoseconds(timeout: float | None) -> int:
    """A timeout in seconds as the native library takes it: FOREVER for None."""
    if timeout is None:
        return FOREVER
    check_number(timeout)
    return int(min(max(timeout, 0.0), LONGEST) * 1e9)


def deadline_nanoseconds(deadline: float | None) -> int:
    """A deadline in seconds as the native library takes it. 0 means none there, so one that has passed is 1."""
    return nanoseconds(deadline) or 1


def check_number(timeout: float) -> None:
    """Raises ValueError for NaN, which is neither before nor after anything."""
    if math.isnan(timeout):
        raise ValueError("a timeout cannot be NaN")


def check_limit(limit: int | None) -> None:
    """Raises ValueError for a limit that lets nothing through."""
    if limit is not None and limit < 1:
        raise ValueError("limit must be at least 1")
