"""A native job and its payload: what ``palitra.job(...)`` answers.

Nothing runs until the job is handed to ``run``, ``gather``, ``submit`` or ``iterate``, or awaited. The same
job may be run again and again, in any thread or loop.
"""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _abi

if TYPE_CHECKING:
    from ._native import Calls

#: Is told how far a job is: what is done, and of how much (0: unknown).
ProgressFunction = Callable[[int, int], object]

# Once, and not for each call as json.dumps and json.loads do.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder().decode

_FORMATS = {_abi.BYTES: "bytes", _abi.TEXT: "text", _abi.JSON: "json"}


class JobDescription(NamedTuple):
    """What a library says of one of its jobs. The formats are ``"bytes"``, ``"text"`` or ``"json"``."""

    name: str
    doc: str
    input: str
    output: str
    wire_name: bytes


def describe(name: bytes, doc: bytes, input: int, output: int) -> JobDescription:
    return JobDescription(name.decode(), doc.decode(), _FORMATS[input], _FORMATS[output], name)


def encode(description: JobDescription, payload: Any, fields: dict[str, Any]) -> bytes:
    """The payload in the format that the job declares. Bytes are taken as they are.

    Raises TypeError for a payload that the format has no room for.
    """
    if fields:
        if payload is not None:
            raise TypeError("a job takes a payload or fields, not both")
        if description.input != "json":
            raise TypeError(f"{description.name} takes {description.input}, not fields")
        payload = fields
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, bytearray | memoryview):
        return bytes(payload)
    if description.input == "json":
        return _to_json({} if payload is None else payload).encode()
    if payload is None:
        return b""
    if isinstance(payload, str):
        return payload.encode()
    raise TypeError(f"{description.name} takes {description.input}, not {type(payload).__name__}")


def decode(format: int, data: bytes) -> Any:
    """A reply in the format that it says it has."""
    if format == _abi.JSON:
        return _from_json(str(data, "utf-8"))
    if format == _abi.TEXT:
        return data.decode()
    return data


class Job:
    """One native job with its payload. Awaitable in any asyncio loop; ``async for`` reads what it streams."""

    __slots__ = ("data", "deadline", "library", "name", "plain", "progress", "wire_name")

    def __init__(self, library: Calls, description: JobDescription, data: bytes) -> None:
        self.library = library
        self.name = description.name
        self.wire_name = description.wire_name
        self.data = data
        #: Seconds after its submission at which it is cancelled and raises TimeoutError, or None.
        self.deadline: float | None = None
        #: Who is told how far it is, or None.
        self.progress: ProgressFunction | None = None
        #: Neither of the two.
        self.plain = True

    def with_deadline(self, deadline: float) -> Job:
        """The same job, cancelled by its runner so many seconds after it was submitted."""
        other = copy.copy(self)
        other.deadline, other.plain = deadline, False
        return other

    def with_progress(self, progress: ProgressFunction) -> Job:
        """The same job, which tells the function what is done and of how much, every tenth of a second while
        it is waited for, and at its end; after each item of one that streams."""
        other = copy.copy(self)
        other.progress, other.plain = progress, False
        return other

    def __await__(self) -> Generator[Any, None, Any]:
        return self.library._await(self)

    def __aiter__(self) -> AsyncGenerator[Any, None]:
        return self.library._stream(self)

    def __repr__(self) -> str:
        payload = self.data if len(self.data) <= 60 else self.data[:57] + b"..."
        return f"<job {self.name} {payload!r}>"
