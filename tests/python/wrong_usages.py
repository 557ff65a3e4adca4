"""Wrong uses of the public API: each marked line must be an error, for mypy --strict and for pyright.

Both complain of a mark that is not needed. Checked, never run; typed_usages.py has the right uses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import palitra


async def number(text: str) -> int:
    return int(text)


async def numbers() -> AsyncIterator[int]:
    yield 1


def length(text: str) -> int:
    return len(text)


def calls() -> None:
    palitra.run(number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.run(numbers())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.run(number("1"), 5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    palitra.run(number("1"), timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.gather([number("1")])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    palitra.submit(length)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    palitra.iterate(number("1"))  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    palitra.enter(numbers())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def results() -> None:
    text: str = palitra.run(number("1"))  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    first: str = palitra.gather(number("1"))[0]  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    palitra.gather(number("1"), number("2"))[2]  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    done: str = palitra.submit(number("1")).result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(text, first, done)


def bridges() -> None:
    palitra.to_sync(number)(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    call = palitra.to_async(length)(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.run(palitra.to_sync(number).aio(1))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.to_async(length, limit="2")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    print(call, palitra.to_async(length)("text") + 1)  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]


def jobs() -> None:
    palitra.job(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.job("palitra.echo").with_deadline("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    palitra.EventLoopThreadRunner(loop_factory="uvloop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
