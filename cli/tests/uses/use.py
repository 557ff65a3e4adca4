"""Real calls through what `palitra bindgen` wrote, which both type checkers read too."""

from __future__ import annotations

import asyncio
import sys

import palitra
from palitra_test_jobs import (
    Class,
    Event,
    Literal_,
    Order,
    OrderError,
    PalitraTestJobs,
    Record,
    RecordError,
    Stop,
    Term,
    Tree,
)

jobs = PalitraTestJobs(palitra.load(sys.argv[1]))

order: Order = {
    "id": 7,
    "customer": {"name": "Ada"},
    "lines": [{"article": "pen", "count": 2, "price": 150}, {"article": "ink", "count": 1, "price": 700}],
    "priority": "same_day",
    "shipping": {"by": "parcel", "weight": 0.2},
    "discount": 10,
}
receipt = jobs.typed_price(order)
assert receipt["total"] == 900
assert [line["article"] for line in receipt["repeated"]] == ["pen"]
assert receipt["shipping"]["by"] == "parcel" and receipt["shipping"]["weight"] == 0.2
assert asyncio.run(jobs.typed_price_async(order)) == receipt
try:
    jobs.typed_price({**order, "lines": []})
except palitra.JobError as error:
    assert error.code == OrderError.NO_LINES, error
else:
    raise AssertionError("an order without lines")

assert [tick["n"] for tick in jobs.typed_count({"to": 3})] == [1, 2, 3]
assert list(jobs.typed_lines("a\nb")) == ["a", "b"]
assert list(jobs.typed_bytes(b"ab")) == [b"a", b"b"]


async def awaited() -> list[int]:
    assert await jobs.typed_shout_async("a") == "A"
    return [tick["n"] async for tick in jobs.typed_count_async({"to": 2})]


assert asyncio.run(awaited()) == [1, 2]

events: list[Event] = ["Started", {"Moved": {"x": 1, "y": -2}}, {"Said": "x"}]
assert jobs.typed_events(events) == events[::-1]
tree: Tree = {"value": 1, "children": [{"value": 2}]}
assert jobs.typed_double(tree) == {"value": 2, "children": [{"value": 4, "children": []}]}
stop: Stop = {"name": "first", "next": {"name": "last", "changes": [{"minutes": 3, "to": []}]}}
assert jobs.typed_last(stop)["name"] == "last"
term: Term = {"op": "sum", "left": {"op": "number", "value": 1}, "right": {"op": "all", "terms": []}}
assert jobs.typed_value(term) == 1
assert jobs.typed_swap(["k", -1]) == [-1, "k"]
assert jobs.typed_cut({"at": 2}, b"abcde") == ({"bytes": 3}, b"ab")
assert jobs.typed_reverse(b"ab") == b"ba"
assert jobs.typed_answer(timeout=5) == 42
assert jobs.typed_any(None) is None
assert jobs.typed_opaque({"value": 3}) == {"value": 3}
words: Class = {"class": "c", "content-type": "t", "func": True}
assert jobs.typed_return(words) == {**words, "from": None}

# Names that would be one, or are the module's own, get a line behind them.
literal: Literal_ = {"id": 1}
record: Record = {
    "compared": ">",
    "unit": "MB",
    "os": "Linux",
    "linux": True,
    "errno": None,
    "turn": {"to": ">", "by": 3},
    "step": {"-1": {"by": 4}},
    "client": {"id": 5},
    "runners": {"a": {"id": 6}},
    "literal": literal,
}
assert jobs.typed_record(record) == record
assert (RecordError.DEFAULT, RecordError.MB, RecordError.MB_) == (1, 2, 3)
