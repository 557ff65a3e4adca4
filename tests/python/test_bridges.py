"""``to_sync`` and ``to_async``: whole functions, generators, classes and objects for the other side."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import functools
import gc
import inspect
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import palitra
import pytest
from asynchronous import counting, serving


async def double(number: int, *, plus: int = 0) -> int:
    """Twice the number."""
    await asyncio.sleep(0)
    return 2 * number + plus


# Functions.


def test_a_coroutine_function_returns_its_result() -> None:
    called = palitra.to_sync(double)
    assert called(2) == 4
    assert called(2, plus=1) == 5
    assert called.__name__ == "double"
    assert called.__doc__ == "Twice the number."
    assert not inspect.iscoroutinefunction(called)


def test_as_a_decorator_of_functions_and_methods() -> None:
    class Account:
        def __init__(self) -> None:
            self.total = 0

        @palitra.to_sync
        async def add(self, amount: int) -> int:
            await asyncio.sleep(0)
            self.total += amount
            return self.total

        @staticmethod
        @palitra.to_sync
        async def static() -> str:
            return "static"

        @classmethod
        @palitra.to_sync
        async def of_class(cls) -> str:
            return cls.__name__

    account = Account()
    assert account.add(5) == 5
    assert account.add(2) == 7
    assert account.static() == "static"
    assert Account.of_class() == "Account"


def test_a_generator_function_returns_a_generator() -> None:
    generator, closed = counting()
    count = palitra.to_sync(generator)
    assert list(count(3)) == [0, 1, 2]
    closed.clear()
    partly = count(3)
    next(partly)
    partly.close()
    assert closed.is_set()


def test_with_enters_a_context_manager_function() -> None:
    @palitra.to_sync
    @contextlib.asynccontextmanager
    async def manager() -> AsyncIterator[int]:
        yield 5

    with manager() as value:
        assert value == 5


def test_partials_and_callable_objects() -> None:
    class Doubler:
        async def __call__(self, number: int) -> int:
            return await double(number)

    assert palitra.to_sync(functools.partial(double, plus=1))(2) == 5
    assert palitra.to_sync(Doubler())(4) == 8


def test_errors_come_through() -> None:
    @palitra.to_sync
    async def fail() -> None:
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()


@pytest.mark.parametrize("wrong", [None, 5, "text", b"bytes", True, 1.5])
def test_what_cannot_be_wrapped_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="to_sync takes a function, a class or an object"):
        palitra.to_sync(wrong)


def test_it_serves_as_flasks_async_to_sync() -> None:
    async def view(name: str) -> str:
        await asyncio.sleep(0)
        return f"hello {name}"

    async_to_sync = palitra.to_sync
    assert async_to_sync(view)(name="you") == "hello you"


# Classes and objects.


class Client:
    """In the shape of redis.asyncio: commands, a pipeline, a subscription, an iterator."""

    kind = "client"

    def __init__(self, name: str = "it") -> None:
        self.loop = asyncio.get_running_loop()
        self.name = name
        self.values: dict[str, Any] = {}
        self.closed = False

    @classmethod
    def from_url(cls, url: str) -> Client:
        return cls(url)

    @classmethod
    async def connect(cls, url: str) -> Client:
        await asyncio.sleep(0)
        return cls(url)

    @staticmethod
    async def ping() -> str:
        return "PONG"

    async def set(self, key: str, value: Any) -> bool:
        await asyncio.sleep(0)
        self.values[key] = value
        return True

    async def get(self, key: str) -> Any:
        return self.values.get(key)

    async def scan_iter(self) -> AsyncIterator[str]:
        for key in list(self.values):
            yield key

    def pipeline(self) -> Pipeline:
        return Pipeline(self)

    def size(self) -> int:
        return len(self.values)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *details: Any) -> None:
        self.closed = True


class Pipeline:
    def __init__(self, client: Client) -> None:
        self.client, self.commands = client, []  # type: tuple[Client, list[tuple[str, Any]]]

    def set(self, key: str, value: Any) -> Pipeline:
        self.commands.append((key, value))
        return self

    async def execute(self) -> list[bool]:
        return [await self.client.set(key, value) for key, value in self.commands]

    async def __aenter__(self) -> Pipeline:
        return self

    async def __aexit__(self, *details: Any) -> None:
        self.commands.clear()


def test_a_class_makes_synchronous_objects_on_the_loops_thread() -> None:
    client = palitra.to_sync(Client)("name")
    assert client.set("key", 1) is True
    assert client.get("key") == 1
    assert client.size() == 1
    assert client.name == "name"
    assert client.kind == "client"
    assert list(client.scan_iter()) == ["key"]
    assert client.wrapped.loop.is_running()


def test_class_methods_are_there_too() -> None:
    clients = palitra.to_sync(Client)
    assert clients.ping() == "PONG"
    assert clients.kind == "client"
    client = clients.connect("redis://here")
    assert client.name == "redis://here"
    assert client.set("key", 1) is True


def test_an_object_becomes_synchronous() -> None:
    async def make() -> Client:
        return Client()

    client = palitra.to_sync(palitra.run(make()))
    client.name = "changed"
    assert client.wrapped.name == "changed"
    assert client.set("key", 2)
    assert client.get("key") == 2
    del client.name
    assert not hasattr(client, "name")


def test_with_enters_and_leaves_the_object() -> None:
    with palitra.to_sync(Client)() as client:
        client.set("a", 1)
        assert not client.closed
    assert client.closed


def test_what_its_methods_return_is_synchronous_too() -> None:
    with palitra.to_sync(Client)() as client:
        with client.pipeline() as pipeline:
            pipeline.set("a", 1).set("b", 2)
            assert pipeline.execute() == [True, True]
        assert sorted(client.scan_iter()) == ["a", "b"]


def test_it_can_be_tested_printed_and_copied() -> None:
    client = palitra.to_sync(Client)()
    assert bool(client) is True
    assert "Client" in repr(client)
    assert copy.copy(client).set("a", 1) is True
    with pytest.raises(TypeError):
        len(client)


def test_a_for_loop_iterates_over_an_object() -> None:
    class Countdown:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> Countdown:
            return self

        async def __anext__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return self.left

    assert list(palitra.to_sync(Countdown())) == [2, 1, 0]


def test_an_aiohttp_session_keeps_its_connections_from_call_to_call() -> None:
    connections: set[Any] = set()
    with palitra.EventLoopThreadRunner() as host, host.enter(serving(connections)) as address:
        with palitra.to_sync(aiohttp.ClientSession)() as session:
            for name in ("one", "two"):
                with session.get(f"{address}/{name}") as response:
                    assert response.status == 200
                    assert response.json() == {"path": f"/{name}"}
        assert session.closed
        assert len(connections) == 1


# to_async.


def test_a_blocking_function_runs_in_a_thread() -> None:
    ran: list[threading.Thread] = []

    @palitra.to_async
    def block(number: int, *, plus: int = 0) -> int:
        ran.append(threading.current_thread())
        time.sleep(0.01)
        return number + plus

    async def both() -> list[int]:
        return list(await asyncio.gather(block(1), block(2, plus=3)))

    assert palitra.run(both()) == [1, 5]
    assert asyncio.run(both()) == [1, 5]
    assert threading.main_thread() not in ran
    assert block.__name__ == "block"


def test_a_limit_holds() -> None:
    running, most, lock = 0, 0, threading.Lock()

    @functools.partial(palitra.to_async, limit=2)
    def block() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    palitra.gather(*[block() for _ in range(8)])
    assert most == 2
    with pytest.raises(ValueError, match="limit must be at least 1"):
        palitra.to_async(time.sleep, limit=0)


def test_errors_of_blocking_functions_come_through_and_free_their_place() -> None:
    @functools.partial(palitra.to_async, limit=1)
    def fail() -> None:
        raise ValueError("on purpose")

    assert [type(one) for one in palitra.gather(*[fail() for _ in range(3)], return_exceptions=True)] == [
        ValueError
    ] * 3


def test_a_cancelled_caller_continues_at_once_and_the_function_keeps_its_place() -> None:
    released, started, ran = threading.Event(), threading.Event(), []

    @functools.partial(palitra.to_async, limit=1)
    def block(number: int) -> None:
        started.set()
        released.wait(20)
        ran.append(number)

    first = palitra.submit(block(1))
    assert started.wait(10)
    start = time.monotonic()
    first.cancel()
    with pytest.raises(TimeoutError):
        palitra.run(block(2), timeout=0.1)
    assert time.monotonic() - start < 5
    assert ran == []
    released.set()
    palitra.run(block(3), timeout=20)
    assert ran == [1, 3]
    gc.collect()


def test_a_blocking_function_sees_the_callers_context_variables_and_sets_them() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    @palitra.to_async
    def read() -> int:
        seen = variable.get()
        variable.set(-1)
        return seen

    async def work() -> tuple[int, int]:
        variable.set(4)
        return await read(), variable.get()

    assert palitra.run(work()) == (4, -1)


def test_context_variables_come_back_also_with_an_error() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    def fail() -> None:
        variable.set(variable.get() + 1)
        raise ValueError("on purpose")

    async def fail_later() -> None:
        with pytest.raises(ValueError, match="on purpose"):
            await palitra.to_async(fail)()
        assert variable.get() == 2
        fail()

    def work() -> int:
        variable.set(1)
        with pytest.raises(ValueError, match="on purpose"):
            palitra.to_sync(fail_later)()
        return variable.get()

    assert contextvars.copy_context().run(work) == 3


def test_a_context_of_ones_own_keeps_what_is_set() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
    context = contextvars.copy_context()
    change = palitra.to_async(variable.set, context=context)

    async def work() -> int:
        await change(5)
        return variable.get()

    assert palitra.run(work()) == 0
    assert context[variable] == 5


def test_decorators_take_arguments() -> None:
    @palitra.to_async(limit=4)
    def add(first: int, second: int = 1) -> int:
        """Adds."""
        return first + second

    assert palitra.run(add(2)) == 3
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert inspect.iscoroutinefunction(add)
    assert str(inspect.signature(add)) == "(first: 'int', second: 'int' = 1) -> 'int'"


def test_bound_methods_keep_their_object() -> None:
    class Both:
        def block(self) -> int:
            return 1

        async def wait(self) -> int:
            return 2

    both = Both()
    blocking: Any = palitra.to_async(both.block)
    waiting: Any = palitra.to_sync(both.wait)
    assert blocking.__self__ is both
    assert waiting.__self__ is both
    assert palitra.run(blocking()) == 1
    assert waiting() == 2


class AsynchronousCall:
    async def __call__(self) -> None:
        pass


async def generate() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize("wrong", [double, functools.partial(double, 1), AsynchronousCall(), generate],
                         ids=["function", "partial", "object", "generator"])  # fmt: skip
def test_to_async_of_what_is_asynchronous_already_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="this one is asynchronous"):
        palitra.to_async(wrong)


@pytest.mark.parametrize("wrong", [1, "text"])
def test_to_async_of_what_cannot_be_called_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="to_async takes a blocking function, not"):
        palitra.to_async(wrong)


def test_to_sync_of_a_coroutine_is_an_error_that_names_the_way_out() -> None:
    coroutine = double(1)
    with pytest.raises(TypeError, match="to_sync takes the function, not what it returned, a coroutine"):
        palitra.to_sync(coroutine)
    assert palitra.run(coroutine) == 2


def test_there_and_back_again() -> None:
    @palitra.to_sync
    @palitra.to_async
    def block(number: int) -> int:
        return number + 1

    assert block(1) == 2
