"""Waits for what no call of the package can be waited on for: bounded, as every wait of the tests is."""

from __future__ import annotations

import time
from collections.abc import Callable

#: The longest wait without a bound of its own, in seconds, on a machine that is busy with other things.
PATIENCE = 30.0


def wait_until(condition: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Looks every few milliseconds whether the condition holds; ``what`` completes "waited in vain until"."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"waited {timeout} seconds in vain until {what}"
        time.sleep(0.005)
