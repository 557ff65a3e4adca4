"""How a loop winds down: every task is cancelled and awaited, asynchronous generators are closed, before a deadline.

Called on the loop's thread. What refuses to end is left behind with a warning in the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

logger = logging.getLogger("palitra")


async def cancel_tasks(deadline: float, silent: bool) -> None:
    """Cancels all tasks but this one and awaits them until that time of the monotonic clock. ``silent`` says that
    nobody will read a warning."""
    own, loop = asyncio.current_task(), asyncio.get_running_loop()
    tasks = {task for task in asyncio.all_tasks(loop) if task is not own}
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    done, stubborn = await asyncio.wait(tasks, timeout=max(0.0, deadline - time.monotonic()))
    for task in done:
        if not task.cancelled() and task.exception() is not None:
            context = {"message": "unhandled exception while the runner was closed", "task": task}
            loop.call_exception_handler({**context, "exception": task.exception()})
    for task in stubborn:
        _do_not_report(task)
    if stubborn and not silent:
        logger.warning("closed a runner although %d of its tasks refused to be cancelled", len(stubborn))


async def close_generators(deadline: float, silent: bool) -> None:
    """Closes the asynchronous generators that are not exhausted; at least for a moment, also past the deadline."""
    closing = asyncio.ensure_future(asyncio.get_running_loop().shutdown_asyncgens())
    _, stubborn = await asyncio.wait({closing}, timeout=max(0.01, deadline - time.monotonic()))
    if stubborn:
        _do_not_report(closing)
        if not silent:
            logger.warning("closed a runner although an asynchronous generator refused to be closed")


def _do_not_report(task: asyncio.Task[Any]) -> None:
    """Has asyncio not report that a pending task was destroyed. Its caller has got an error already."""
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
