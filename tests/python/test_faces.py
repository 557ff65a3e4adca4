"""The synchronous faces of classes and objects: what they accept, return, compare, inherit; and their twins ``aio``."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

import palitra
import pytest
from asynchronous import counting
from palitra import EventLoopThreadRunner
from waits import wait_until

T = TypeVar("T")


class Account:
    """Money, with a parent."""

    currency = "EUR"

    def __init__(self, total: int = 0, parent: Account | None = None) -> None:
        self.total = total
        self.parent = parent
        self.left: Any = "not entered"

    async def add(self, amount: int) -> int:
        await asyncio.sleep(0)
        self.total += amount
        return self.total

    async def take_from(self, *others: Any, also: Any = ()) -> int:
        for other in [*others, *also]:
            assert type(other) is Account, "a face came through"
            self.total += other.total
        return self.total

    async def split(self) -> tuple[Account, Account]:
        return Account(self.total // 2), Account(self.total - self.total // 2)

    def sibling(self) -> Account:
        return Account(self.total, self.parent)

    async def by_name(self) -> dict[str, Any]:
        return {"self": self, "total": self.total}

    @property
    async def slow_total(self) -> int:
        await asyncio.sleep(0)
        return self.total

    @property
    def double(self) -> int:
        return 2 * self.total

    @double.setter
    def double(self, value: int) -> None:
        self.total = value // 2

    async def history(self) -> AsyncIterator[Account]:
        for total in range(self.total):
            yield Account(total)

    @classmethod
    async def opened(cls, total: int) -> Account:
        return cls(total)

    @staticmethod
    async def rate() -> float:
        return 1.5

    async def __aenter__(self) -> Account:
        self.left = None
        return self

    async def __aexit__(self, *details: Any) -> None:
        self.left = details[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Account) and other.total == self.total

    def __hash__(self) -> int:
        return hash(self.total)

    def __lt__(self, other: Account) -> bool:
        return self.total < other.total

    def __add__(self, other: Account) -> Account:
        return Account(self.total + other.total)

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, key: str) -> Any:
        return self if key == "self" else self.total

    def __setitem__(self, key: str, value: int) -> None:
        self.total = value

    def __contains__(self, value: object) -> bool:
        return value == self.total

    async def __call__(self, amount: int) -> int:
        return await self.add(amount)


Face: Any = palitra.to_sync(Account)


class Savings(Account):
    async def interest(self) -> int:
        return self.total // 10


def test_arguments_are_unwrapped_also_in_containers() -> None:
    one, two = Face(1), Face(2)
    assert one.take_from(two, also=[two, two]) == 7
    assert one.take_from(also=(Face(1),)) == 8
    assert Face(5, parent=one).wrapped.parent is one.wrapped
    one.parent = two
    assert one.wrapped.parent is two.wrapped
    assert palitra.to_sync(Account.take_from)(one, two) == 10


def test_results_are_wrapped_also_in_containers() -> None:
    account = Face(5, parent=Account(1))
    assert [type(half) for half in account.split()] == [Face, Face]
    assert account.sibling().add(1) == 6
    assert account.parent.add(1) == 2
    named = account.by_name()
    assert (type(named["self"]), named["total"]) == (Face, 5)
    assert [one.add(1) for one in account.history()] == [1, 2, 3, 4, 5]
    assert account["self"].add(1) == 6
    assert Face.opened(4).add(1) == 5


def test_containers_without_asynchronous_objects_stay_the_same() -> None:
    class Holder:
        def __init__(self) -> None:
            self.items: list[Any] = [1]

        async def get(self) -> list[Any]:
            return self.items

    holder: Any = palitra.to_sync(Holder())
    assert holder.get() is holder.wrapped.items
    assert holder.items is holder.wrapped.items


def test_isinstance_knows_both_classes() -> None:
    account = Face(1)
    assert isinstance(account, Face)
    assert isinstance(account, Account)
    assert isinstance(palitra.to_sync(Savings)(1), Face)
    assert issubclass(palitra.to_sync(Savings), Face)
    assert not isinstance(account, palitra.to_sync(Savings))
    assert not isinstance(5, Face)
    assert not isinstance(Account(1), Face)
    assert Face is palitra.to_sync(Account)
    assert palitra.to_sync(account) is account
    assert palitra.to_sync(Face) is Face
    assert type(palitra.to_sync(Account(1))) is Face


def test_the_class_looks_like_the_wrapped_one() -> None:
    assert (Face.__name__, Face.__module__, Face.__doc__) == ("Account", __name__, "Money, with a parent.")
    assert "Account" in repr(Face)
    assert Face.currency == "EUR"
    assert Face.rate() == 1.5
    assert {"add", "currency"} <= set(dir(Face))
    assert {"add", "total"} <= set(dir(Face(1)))
    assert str(inspect.signature(Face(1).add)) == "(amount: 'int') -> 'int'"
    assert Face(1).add.__name__ == "add"
    assert not inspect.iscoroutinefunction(Face(1).add)
    assert inspect.iscoroutinefunction(Face(1).add.aio)
    assert Face(1).add.__doc__ is None
    assert Face.__init__.__wrapped__ is Account.__init__


def test_it_can_be_subclassed() -> None:
    class Mine(Face):  # type: ignore[misc]
        def __init__(self, total: int) -> None:
            super().__init__(total + 1)

        def add_twice(self, amount: int) -> int:
            self.add(amount)
            added: int = self.add(amount)
            return added

    mine = Mine(1)
    assert mine.add_twice(4) == 10
    assert mine.total == 10
    assert isinstance(mine, Face)
    assert isinstance(mine, Account)
    assert not isinstance(Face(1), Mine)
    with mine as entered:
        assert entered is mine


def test_a_generic_class_stays_one() -> None:
    class Box(Generic[T]):
        async def get(self) -> int:
            return 1

    Boxes: Any = palitra.to_sync(Box)
    assert Boxes[int].__args__ == (int,)
    assert Boxes[int]().get() == 1
    with pytest.raises(TypeError, match="not subscriptable"):
        Face[int]


def test_properties_are_awaited_or_not() -> None:
    account = Face(2)
    assert account.slow_total == 2
    assert account.double == 4
    account.double = 10
    assert account.total == 5


def test_special_methods_are_those_of_the_class() -> None:
    account = Face(2)
    assert account[""] == 2
    account[""] = 3
    assert len(account) == 3
    assert 3 in account
    assert (account + Face(4)).add(1) == 8
    assert account < Face(4)
    assert sorted([Face(4), account])[0] is account
    assert account(1) == 4
    assert bool(Face(0)) is False
    assert not callable(palitra.to_sync(asyncio.Lock()))
    assert str(account) == str(account.wrapped)
    with pytest.raises(TypeError):
        iter(palitra.to_sync(asyncio.Lock()))


def test_both_faces_of_one_object_are_equal() -> None:
    account = Account(3)
    first, second = palitra.to_sync(account), palitra.to_sync(account)
    assert first == second == account
    assert len({first, second, account}) == 1
    assert first != palitra.to_sync(Account(4))
    first.add(1)
    assert second.total == 4


def test_it_is_copied_and_pickled_with_its_object() -> None:
    account = Face(3)
    twin = copy.copy(account)
    assert twin.add(1) == 4
    assert account.total == 3
    assert copy.deepcopy(account).add(2) == 5
    restored = pickle.loads(pickle.dumps(account))
    assert isinstance(restored, Face)
    assert restored.add(5) == 8


def test_a_class_and_its_faces_can_be_collected() -> None:
    def make() -> weakref.ref[type]:
        class Temporary:
            async def get(self) -> int:
                return 1

        assert palitra.to_sync(Temporary)().get() == 1
        return weakref.ref(Temporary)

    reference = make()
    gc.collect()  # The class of faces,
    gc.collect()  # and then the class.
    assert reference() is None


def test_a_runner_of_ones_own_has_faces_of_its_own() -> None:
    with EventLoopThreadRunner() as runner:

        @runner.to_sync
        async def loop() -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

        class Here:
            async def loop(self) -> asyncio.AbstractEventLoop:
                return asyncio.get_running_loop()

            async def another(self) -> Here:
                return Here()

        assert loop() is runner.get_loop()
        here: Any = runner.to_sync(Here)()
        assert here.loop() is here.another().loop() is runner.get_loop()
        assert palitra.to_sync(Here)().loop() is not runner.get_loop()
        assert runner.to_sync(Here) is not palitra.to_sync(Here)
    with pytest.raises(RuntimeError, match="closed"):
        loop()


@pytest.mark.timeout(20)
def test_several_threads_enter_one_object_and_each_leaves_its_own() -> None:
    class Nested:
        def __init__(self) -> None:
            self.inside: list[int] = []

        async def __aenter__(self) -> Nested:
            self.inside.append(len(self.inside))
            return self

        async def __aexit__(self, *details: Any) -> None:
            self.inside.pop()

    nested: Any = palitra.to_sync(Nested())
    everybody = threading.Barrier(3)

    def work() -> None:
        with nested:
            everybody.wait(10)
            with nested:
                everybody.wait(10)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    with nested, nested:
        everybody.wait(10)
        everybody.wait(10)
        assert len(nested.inside) >= 2
    for thread in threads:
        thread.join(10)
    assert nested.inside == []
    with pytest.raises(RuntimeError, match="was not entered"):
        nested.__exit__(None, None, None)


# The twins for asynchronous code.


@pytest.fixture(params=["another loop", "the runner's loop"])
def anywhere(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return asyncio.run if request.param == "another loop" else palitra.run


def test_the_twins_of_methods_run_on_the_runners_loop(anywhere: Callable[[Any], Any]) -> None:
    class Here(Account):
        async def loop(self) -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

    async def main() -> None:
        here = face
        assert await here.loop.aio() is face_loop
        assert await here.add.aio(2) == 3
        assert [half.wrapped.total for half in await here.split.aio()] == [1, 2]
        async with here as entered:
            assert entered is here
            assert here.left is None
        with pytest.raises(LookupError):
            async with here:
                raise LookupError
        assert isinstance(here.left, LookupError)

    face: Any = palitra.to_sync(Here)(1)
    face_loop = face.loop()
    anywhere(main())


def test_the_twin_of_a_function(anywhere: Callable[[Any], Any]) -> None:
    @palitra.to_sync
    async def double(number: int) -> int:
        if number < 0:
            raise ValueError("negative")
        await asyncio.sleep(0)
        return 2 * number

    async def main() -> int:
        with pytest.raises(ValueError, match="negative"):
            await double.aio(-1)  # type: ignore[attr-defined]
        return await double.aio(4)  # type: ignore[attr-defined, no-any-return]

    assert anywhere(main()) == 8


def test_the_twin_of_a_generator(anywhere: Callable[[Any], Any]) -> None:
    generator, closed = counting()
    count: Any = palitra.to_sync(generator)

    async def main() -> list[int]:
        items = [item async for item in count.aio(3)]
        closed.clear()
        items_ = count.aio(3)
        assert await items_.__anext__() == 0
        await items_.aclose()
        assert closed.is_set()
        return items

    assert anywhere(main()) == [0, 1, 2]


@pytest.mark.timeout(20)
def test_a_cancelled_await_of_a_twin_waits_for_the_cleanup() -> None:
    events: list[str] = []
    started = threading.Event()

    @palitra.to_sync
    async def work() -> None:
        try:
            started.set()
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            events.append("cleaned up")

    async def main() -> None:
        task = asyncio.create_task(work.aio())  # type: ignore[attr-defined]
        while not started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        events.append("cancelled")

    asyncio.run(main())
    assert events == ["cleaned up", "cancelled"]


@pytest.mark.timeout(20)
def test_a_cancelled_await_raises_though_the_work_ended_well() -> None:
    started, released = threading.Event(), threading.Event()

    @palitra.to_sync
    async def work() -> int:
        started.set()
        released.wait(10)  # The cancellation cannot reach it before its end.
        return 1

    async def main() -> None:
        task = asyncio.create_task(work.aio())  # type: ignore[attr-defined]
        while not started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0)
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


@pytest.mark.timeout(20)
def test_an_item_that_comes_after_the_cancellation_closes_the_generator() -> None:
    started, closed = threading.Event(), threading.Event()

    @palitra.to_sync
    async def stubborn() -> AsyncIterator[int]:
        try:
            started.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                yield 1
        finally:
            closed.set()

    async def main() -> None:
        items = stubborn.aio()  # type: ignore[attr-defined]
        task = asyncio.create_task(items.__anext__())
        while not started.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert closed.is_set()

    asyncio.run(main())


@pytest.mark.parametrize("end", ["close", "shutdown_global_runner", "cancel"])
def test_a_cleanup_on_the_loop_that_ends_awaits_twins_there(end: str) -> None:
    own = palitra.EventLoopThreadRunner() if end == "close" else None
    runner: Any = own or palitra
    seen: list[Any] = []
    started = threading.Event()

    class Session:
        async def close(self) -> None:
            await asyncio.sleep(0)
            seen.append(asyncio.get_running_loop())

        async def left(self) -> AsyncIterator[str]:
            yield "left"

    async def serve() -> None:
        seen.append(asyncio.get_running_loop())
        started.set()
        try:
            await asyncio.sleep(600)
        finally:
            await session.close.aio()
            seen.extend([item async for item in session.left.aio()])

    session: Any = runner.to_sync(Session())
    future = runner.submit(serve())
    assert started.wait(20)
    if own is not None:
        own.close()
    elif end == "cancel":
        future.cancel()
    else:
        palitra.shutdown_global_runner()
        assert not palitra.is_runner_alive(), "no runner was made for what belongs to the one that ended"
    wait_until(lambda: len(seen) == 3, "the cleanup has ended")
    assert seen[0] is seen[1]
    assert seen[2] == "left"


def test_the_awaiting_loop_keeps_turning() -> None:
    @palitra.to_sync
    async def block() -> None:
        time.sleep(0.2)

    async def main() -> int:
        task, turns = asyncio.create_task(block.aio()), 0  # type: ignore[attr-defined]
        while not task.done():
            await asyncio.sleep(0.005)
            turns += 1
        return turns

    assert asyncio.run(main()) > 2
