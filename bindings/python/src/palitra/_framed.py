"""JSON with bytes behind it, as jobs take and return a ``Framed<T>``: an image and how to scale it, a request and its
body."""

from __future__ import annotations

import json
from typing import Any


def frame(head: Any, body: bytes | bytearray | memoryview = b"") -> bytes:
    """A payload for a job: the head as JSON, a line feed, the body. Raises TypeError or ValueError for what JSON cannot
    express."""
    return b"\n".join((json.dumps(head, allow_nan=False).encode(), body))


def unframe(reply: bytes) -> tuple[Any, bytes]:
    """The head and the body of a reply, whose first line is JSON. Raises ValueError if it is not."""
    head, _, body = reply.partition(b"\n")
    return json.loads(head), body
