"""See tests/proof/endings.py."""

import asyncio
import os
import sys
import warnings

import palitra

# CPython's own, of a fork where threads run.
warnings.simplefilter("ignore", DeprecationWarning)


def use_and_leave() -> list:
    kept = [palitra.submit(palitra.job("palitra.sleep", seconds=100)) for _ in range(4)]
    kept += [palitra.submit(asyncio.sleep(100)) for _ in range(4)]
    assert palitra.run(palitra.job("palitra.echo", b"hello")) == b"hello"
    return kept


kept = use_and_leave()
for _ in range(int(sys.argv[2]) if sys.argv[1] == "forks" else 0):
    pid = os.fork()
    if pid == 0:
        kept = use_and_leave()
        sys.exit(7)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7, status
sys.exit(7)
