"""JSON with bytes behind it: one payload, and one reply."""

from __future__ import annotations

import math

import palitra
import pytest


@pytest.mark.parametrize("body", [b"", b"a\0\n\xff", bytearray(b"x"), memoryview(b"x")])
def test_a_frame_is_one_payload_and_one_reply(tests: palitra.Library, body: bytes) -> None:
    reply = palitra.run(tests.job("test.framed", palitra.frame({"width": "ä\n"}, body)))
    assert palitra.unframe(reply) == ({"head": {"width": "ä\n"}, "bytes": len(body)}, bytes(body))


def test_a_head_that_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError):
        palitra.frame(math.nan)
    with pytest.raises(TypeError):
        palitra.frame(object())
    with pytest.raises(ValueError):
        palitra.unframe(b"no JSON\nbody")


def test_a_reply_without_bytes_may_lack_the_line_feed() -> None:
    assert palitra.unframe(b"[1]") == palitra.unframe(b"[1]\n") == ([1], b"")
