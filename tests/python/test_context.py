"""Context variables: work sees the caller's and sets its own; the caller sees those if it asks for them."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import palitra
import pytest
from palitra import EventLoopThreadRunner

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
other: contextvars.ContextVar[str] = contextvars.ContextVar("other", default="unset")


@pytest.fixture
def runner() -> Iterator[EventLoopThreadRunner]:
    with EventLoopThreadRunner() as runner:
        yield runner


@pytest.fixture(autouse=True)
def callers_value() -> Iterator[None]:
    token = variable.set("the caller's")
    yield
    variable.reset(token)


async def read() -> str:
    await asyncio.sleep(0)
    return variable.get()


async def change() -> str:
    before = variable.get()
    await asyncio.sleep(0)
    variable.set("the work's")
    other.set("the work's")
    return before


def test_every_way_in_takes_the_callers_context(runner: EventLoopThreadRunner) -> None:
    async def items() -> Any:
        yield variable.get()

    assert runner.run(read()) == "the caller's"
    assert runner.gather(read(), read(), limit=1) == ["the caller's"] * 2
    assert runner.submit(read()).result(10) == "the caller's"
    assert [future.result() for future in runner.as_completed(read())] == ["the caller's"]
    assert list(runner.iterate(items())) == ["the caller's"]
    assert palitra.to_sync(read)() == "the caller's"


def test_a_context_of_its_own_for_each_call(runner: EventLoopThreadRunner) -> None:
    assert runner.run(change()) == "the caller's"
    assert runner.run(read()) == "the caller's"
    assert variable.get() == "the caller's"


def test_the_context_is_copied_back_where_it_is_asked_for(runner: EventLoopThreadRunner) -> None:
    def call() -> tuple[str, str]:
        runner.run(change(), copy_context_back=True)
        return variable.get(), other.get()

    assert contextvars.copy_context().run(call) == ("the work's", "the work's")
    assert variable.get() == "the caller's"


def test_copying_back_leaves_alone_what_the_work_did_not_change(runner: EventLoopThreadRunner) -> None:
    def call() -> contextvars.Token[str]:
        token = variable.set("mine")
        runner.run(asyncio.sleep(0), copy_context_back=True)
        variable.reset(token)  # Would fail in another context.
        return token

    contextvars.copy_context().run(call)


def test_two_threads_have_two_contexts(runner: EventLoopThreadRunner) -> None:
    seen: dict[str, str] = {}

    def call(name: str) -> None:
        variable.set(name)
        for _ in range(50):
            seen[name] = runner.run(read())
            assert seen[name] == name

    threads = [threading.Thread(target=call, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == {str(number): str(number) for number in range(4)}


def test_a_native_job_keeps_the_context_of_the_coroutine_that_awaits_it(runner: EventLoopThreadRunner) -> None:
    async def work() -> str:
        await palitra.job("palitra.sleep", seconds=0.001)
        return variable.get()

    assert runner.run(work()) == "the caller's"
