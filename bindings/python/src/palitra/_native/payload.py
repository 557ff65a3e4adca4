"""What goes into a job and what comes out of it: formats, encoding, and the names of a library's jobs."""

from __future__ import annotations

import ctypes
import json
from typing import Any, NamedTuple

from .._errors import UnknownJobError
from . import abi

# Made once: json.dumps and json.loads would make them anew for these arguments each time. NaN is an error, for JSON has
# none: Python's would be refused by whoever reads it in another language.
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_decoder: Any = json.JSONDecoder()


def _chunks_in_c() -> Any:
    """What ``_encoder`` makes anew for each value: json's encoder in C, without the search for circles. Returns None if
    this Python has another one."""
    encoder: Any = json.encoder
    try:
        chunks = encoder.c_make_encoder(
            None, _encoder.default, encoder.encode_basestring, None, ":", ",", False, False, False
        )
        return chunks if "".join(chunks({"ä": [1, 0.5]}, 0)) == '{"ä":[1,0.5]}' else None
    except (AttributeError, TypeError):
        return None


_chunks = _chunks_in_c()


def _to_json(value: Any) -> str:
    if _chunks is not None:
        try:
            return "".join(_chunks(value, 0))
        except RecursionError:
            pass  # A circle, or a depth that the other encoder says more about.
    return _encoder.encode(value)


def _from_json(text: str) -> Any:
    """Skips the decoder's search for white space, which jobs put around no reply."""
    try:
        value, end = _decoder.scan_once(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


#: The formats by their numbers.
FORMATS = ("bytes", "text", "json")
assert [FORMATS[number] for number in (abi.BYTES, abi.TEXT, abi.JSON)] == ["bytes", "text", "json"]


class JobDescription(NamedTuple):
    """A job of a library: its name, its documentation, and the formats of its payload and its reply.

    ``input`` and ``output`` are ``"bytes"``, ``"text"`` or ``"json"``; ``wire_name`` is the name as the library takes
    it.
    """

    name: str
    doc: str
    input: str
    output: str
    wire_name: bytes


class Call:
    """What the library is passed of a job: its name there, its payload and the payload's size."""

    __slots__ = ("data", "size", "wire_name")

    def __init__(self, wire_name: bytes, data: bytes) -> None:
        self.wire_name = wire_name
        self.data = data
        self.size = abi.size_of(data)


class Catalogue:
    """The jobs of one library, by name. Read when the library is loaded; they never change."""

    def __init__(self, functions: abi.Functions) -> None:
        self._functions = functions
        self.known = {one.name: one for one in _read(functions)}

    def descriptions(self) -> list[JobDescription]:
        """All jobs, in the order of their names."""
        return list(self.known.values())

    def describe(self, name: str) -> JobDescription:
        """The job of that name. Raises UnknownJobError."""
        try:
            return self.known[name]
        except KeyError:
            raise UnknownJobError(f"{self._functions.path} has no job {name!r}{self._hint(name)}") from None

    def _hint(self, name: str) -> str:
        """Names the job that may have been meant."""
        nearest = None if "\0" in name else self._functions.job_nearest(name.encode(errors="replace"))
        return f"; the nearest is {nearest.decode()!r}" if nearest else ""


def _read(functions: abi.Functions) -> list[JobDescription]:
    info = abi.JobInfo()
    jobs: list[JobDescription] = []
    for index in range(functions.job_count()):
        functions.job_at(index, ctypes.byref(info))
        name: bytes = info.name
        doc: bytes = info.doc
        jobs.append(JobDescription(name.decode(), doc.decode(), FORMATS[info.input], FORMATS[info.output], name))
    return jobs


def encode(description: JobDescription, payload: Any, fields: dict[str, Any]) -> bytes:
    """The payload in the format that the job declares. Bytes are taken as they are.

    Raises TypeError for a payload that the format cannot express.
    """
    if payload.__class__ is bytes and not fields:
        return payload
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
    """A reply, decoded by the format that it declares."""
    if format == abi.JSON:
        return _from_json(str(data, "utf-8"))
    if format == abi.TEXT:
        return data.decode()
    return data


def encode_result(description: JobDescription, value: Any) -> tuple[int, bytes]:
    """What a job in Python returned, or one of its items, in the format that it declares: its number, the data.

    Raises TypeError for what the format cannot express.
    """
    output = description.output
    if output == "json":
        return abi.JSON, _to_json(value).encode()
    if value is None:
        return FORMATS.index(output), b""
    if output == "text" and isinstance(value, str):
        return abi.TEXT, value.encode()
    if output == "bytes" and isinstance(value, bytes | bytearray | memoryview):
        return abi.BYTES, bytes(value)
    raise TypeError(f"{description.name} returns {output}, not {type(value).__name__}")
