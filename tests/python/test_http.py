"""The HTTP jobs as Python calls them: their codes."""

from __future__ import annotations

import palitra
import pytest


def test_the_code_of_a_failure_has_a_name() -> None:
    with pytest.raises(palitra.JobError) as failed:
        palitra.run(palitra.job("http.get", url="http://127.0.0.1:1/"))
    assert failed.value.code == palitra.HttpCode.CANNOT_CONNECT
    with pytest.raises(palitra.JobError) as failed:
        palitra.run(palitra.job("http.get", url="ftp://127.0.0.1/"))
    assert failed.value.code == palitra.HttpCode.INVALID_REQUEST
