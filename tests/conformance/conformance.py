"""The conformance scenarios through the Python package: carries out the steps of a file, prints what came of each.

README.md tells the format and what each verb means. Called by tests/conformance.rs, with the package importable:

    python3 tests/conformance/conformance.py FILE

It judges nothing and exits with 0 when it has come to the end of the file. A token is the future that ``submit``
returns. What a Python program cannot do, or cannot get wrong, is done by the C functions beneath, and said there.
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import ctypes
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import palitra
from palitra._native import abi
from palitra._native.payload import Call

FORGED = 0x0123456789ABCDEF
CHILD_SECONDS = 20

library = palitra.load(Path(os.environ["PALITRA_LIBRARY_DIR"], "libpalitra_test_jobs.so"))
beneath = library.functions


# ---- outcomes --------------------------------------------------------------------------------------------


def name_of(status: int) -> str:
    return str(beneath.status_name(status).decode().removeprefix("PALITRA_"))


def text_of(value: Any) -> str:
    """A reply as the scenarios write it."""
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def outcome_of(call: Callable[[], Any]) -> str:
    """What a call that fills a reply came to: its value, or its exception."""
    try:
        text = text_of(call())
    except palitra.BadPayloadError as error:
        return f"BAD_PAYLOAD {error.message}".rstrip()
    except palitra.JobError as error:
        return f"JOB_FAILED {error.code} {error.message}".rstrip()
    except palitra.JobPanickedError as error:
        return f"JOB_PANICKED {error}".rstrip()
    except BaseException as error:
        return status_of(error)
    return f"OK {text}".rstrip()


def status_of(error: BaseException) -> str:
    if isinstance(error, palitra.TimeoutError):
        return "DEADLINE"
    if isinstance(error, concurrent.futures.CancelledError):
        return "CANCELLED"
    if isinstance(error, palitra.Error):
        return error.status.removeprefix("PALITRA_")
    raise error


def status_after(call: Callable[[], object]) -> str:
    """What a call that fills no reply came to."""
    try:
        call()
    except palitra.Error as error:
        return status_of(error)
    return "OK"


def reply_beneath(call: Callable[[int], int]) -> str:
    """The outcome of a C function that fills the reply at an address."""
    reply = abi.Reply()
    status = call(ctypes.addressof(reply))
    text = ctypes.string_at(reply.data, reply.len).decode() if reply.len else ""
    code = f" {reply.code}" if status == 10 else ""
    beneath.reply_free(ctypes.addressof(reply))
    shown = f" {text}" if status in (abi.OK, 10, 11, 14) and text else ""
    return name_of(status) + code + shown


def seconds(time: str) -> float:
    return int(time[:-2]) / 1000 if time.endswith("ms") else int(time[:-1])


# ---- jobs of the program ---------------------------------------------------------------------------------

#: What the code of the jobs leaves to be read, by the name of the job.
notes: dict[str, queue.SimpleQueue[str]] = collections.defaultdict(queue.SimpleQueue)


async def fail(text: str) -> None:
    raise palitra.JobError(text, 7)


async def wait(_text: str) -> None:
    call = palitra.current_call()
    call.progress(1, 2)
    notes[call.name].put("CALLED")
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        notes[call.name].put("CANCELLED")
        raise


async def count(to: str) -> AsyncIterator[str]:
    for number in range(int(to)):
        yield str(number)


async def twice(text: str) -> None:
    # A function returns once.
    call = palitra.current_call()
    for _ in range(2):
        status = beneath.call_complete(call._handle, abi.OK, 0, abi.TEXT, text.encode(), len(text))
        notes[call.name].put(name_of(status))


async def give_up(_text: str) -> None:
    # A function returns or raises.
    beneath.call_free(palitra.current_call()._handle)


async def echo(text: str) -> str:
    return text


JOBS = {one.__name__: one for one in (echo, fail, wait, count, twice, give_up)}


# ---- what steps give names to ----------------------------------------------------------------------------


class Token:
    """A submitted job. Freed, or submitted beneath the futures, it is no more than a handle, which a Python program
    never holds."""

    def __init__(self, runner: palitra.Runner, handle: int, future: Any = None) -> None:
        self.runner = runner
        self.handle = handle
        self.future = future
        self.is_bare = future is None

    def wait(self, timeout: float | None = None) -> str:
        if self.is_bare:
            return reply_beneath(lambda out: beneath.runner_wait(self.runner.invoker.runner, self.handle, -1, out))
        try:
            self.future.exception(timeout)
        except concurrent.futures.TimeoutError:
            return "PENDING"
        except concurrent.futures.CancelledError:
            return "CANCELLED"
        except palitra.Error as error:
            return status_of(error)
        return outcome_of(self.future.result)

    def poll(self) -> str:
        if self.is_bare:
            return reply_beneath(lambda out: beneath.token_poll(self.handle, out))
        # A thread of the binding's settles the future, a moment after its token has finished.
        is_pending = reply_beneath(lambda out: beneath.token_poll(self.handle, out)) == "PENDING"
        return self.wait(0 if is_pending else None)

    def cancel(self) -> str:
        if self.is_bare:
            return name_of(beneath.token_cancel(self.handle))
        self.future.cancel()
        return "OK"

    def next(self) -> str:
        # What `iterate` reads, it submits itself: no future of Python's has a stream.
        return reply_beneath(lambda item: beneath.token_next(self.handle, -1, item))

    def free(self) -> None:
        # Python frees a token with its future, at a time of its own.
        self.is_bare = True
        beneath.token_free(self.handle)


class Thread:
    def __init__(self, scenario: Scenario, step: list[str]) -> None:
        self.outcome = "error: its step has not ended"
        self.thread = threading.Thread(target=self._carry_out, args=(scenario, step), daemon=True)
        self.thread.start()

    def _carry_out(self, scenario: Scenario, step: list[str]) -> None:
        self.outcome = scenario.carry_out(step)

    def join(self) -> str:
        self.thread.join()
        return self.outcome


# ---- the verbs -------------------------------------------------------------------------------------------


class Scenario:
    """The names of one scenario, and a method for each verb."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps = 0
        self.runners: dict[str, palitra.Runner] = {}
        self.tokens: dict[str, Token] = {}
        self.threads: dict[str, Thread] = {}

    def carry_out(self, words: list[str]) -> str:
        verb, *operands = words
        named = dict(word.split("=", 1) for word in operands[-2:] if "=" in word and word[0].isalpha())
        plain = [word for word in operands if word.split("=", 1)[0] not in named]
        try:
            return str(getattr(self, f"do_{verb}")(*plain, **named))
        except Exception as error:
            return f"error: {error!r}"

    def free_everything(self) -> None:
        for token in self.tokens.values():
            token.free()
        for runner in self.runners.values():
            runner.close()

    def job(self, runner: str, job: str, payload: str) -> palitra.Job:
        return self.runners[runner].job(job, b"" if payload == "-" else payload.encode())

    def do_runner(self, name: str, max_in_flight: str = "0", max_payload: str = "0", config: str = "") -> str:
        def make() -> None:
            self.runners[name] = library.Runner(
                max_in_flight=int(max_in_flight), max_payload=int(max_payload), config=config
            )

        return status_after(make)

    def do_alive(self, runner: str) -> str:
        return "true" if self.runners[runner].is_alive() else "false"

    def do_submit(self, name: str, runner: str, job: str, payload: str, deadline: str | None = None) -> str:
        def submit() -> None:
            made = self.job(runner, job, payload)
            if deadline is not None:
                made = made.with_deadline(seconds(deadline))
            future = self.runners[runner].submit(made)
            self.tokens[name] = Token(self.runners[runner], future._token, future)

        return status_after(submit)

    def do_submit_many(self, runner: str, *jobs: str) -> str:
        # What `gather` and the awaits of one turn of a loop submit with: no call returns the tokens.
        calls = {}
        for index in range(0, len(jobs), 3):
            job, payload = jobs[index + 1 : index + 3]
            calls[index] = Call(job.encode(), b"" if payload == "-" else payload.encode())
        invoker = self.runners[runner].invoker
        status, taken = "OK", 0
        for index, handle, error in invoker.submit_many(calls, None):
            if error is None:
                self.tokens[jobs[index]] = Token(self.runners[runner], handle)
                taken += 1
            elif status == "OK":
                status = status_of(error)
        return f"{status} {taken}"

    def do_run(self, runner: str, job: str, payload: str, timeout: str | None = None) -> str:
        limit = None if timeout is None else seconds(timeout)
        return outcome_of(lambda: self.runners[runner].run(self.job(runner, job, payload), timeout=limit))

    def do_wait(self, token: str, time: str | None = None) -> str:
        return self.tokens[token].wait(None if time is None else seconds(time))

    def do_poll(self, token: str) -> str:
        return self.tokens[token].poll()

    def do_cancel(self, token: str) -> str:
        return self.tokens[token].cancel()

    def do_gather(self, *names: str) -> str:
        fail_fast = names[0] == "fail_fast"
        tokens = [self.tokens[name] for name in names[fail_fast:]]
        futures = [token.future for token in tokens]
        if fail_fast:
            concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
            for future in futures:
                future.cancel()
        return " | ".join(token.wait() for token in tokens)

    def do_next(self, token: str) -> str:
        return self.tokens[token].next()

    def do_drain(self, token: str) -> str:
        items = [self.tokens[token].next()]
        while items[-1].startswith("OK"):
            items[-1] = items[-1].removeprefix("OK ")
            items.append(self.tokens[token].next())
        return " ".join(items)

    def do_progress(self, token: str) -> str:
        done, total = self.tokens[token].future.progress()
        return f"OK {done} {total}"

    def do_free(self, name: str) -> str:
        if name in self.tokens:
            self.tokens[name].free()
        else:
            self.runners[name].close()
        return "OK"

    def do_forged(self, kind: str) -> str:
        # Nobody can make a future or a runner of a number.
        if kind == "token":
            return reply_beneath(lambda out: beneath.token_poll(FORGED, out))
        return name_of(beneath.runner_submit(FORGED, b"palitra.echo", b"", 0, None, None))

    def do_shutdown(self, runner: str, grace: str) -> str:
        try:
            return "OK" if self.runners[runner].shutdown(seconds(grace)) else "PENDING"
        except palitra.Error as error:
            return status_of(error)

    def do_register(self, runner: str, job: str, does: str) -> str:
        return status_after(lambda: self.runners[runner].register(job, JOBS[does], input="text", output="text"))

    def do_note(self, job: str) -> str:
        return notes[job].get()

    def do_callback(self, token: str, _wait: str, other: str) -> str:
        # The callback of a future runs on another thread than the runner's.
        on_complete = ctypes.CDLL(library.path).palitra_token_on_complete
        on_complete.argtypes = [abi.Handle, abi.CompleteFunction, ctypes.c_void_p, ctypes.c_void_p]
        called = threading.Event()
        outcome = ""

        def callback(_token: int, _status: int, _user_data: object) -> None:
            nonlocal outcome
            waited = self.tokens[other]
            wait = beneath.runner_wait
            outcome = reply_beneath(lambda out: wait(waited.runner.invoker.runner, waited.handle, -1, out))
            called.set()

        function = abi.CompleteFunction(callback)
        status = on_complete(self.tokens[token].handle, function, None, None)
        if status != abi.OK:
            return name_of(status)
        called.wait()
        return outcome

    def do_ready(self, name: str) -> str:
        called = threading.Event()
        outcome = ""

        def callback(_future: object) -> None:
            nonlocal outcome
            outcome = self.tokens[name].wait(0)
            called.set()

        self.tokens[name].future.add_done_callback(callback)
        called.wait()
        return outcome

    def do_thread(self, name: str, *step: str) -> str:
        self.threads[name] = Thread(self, list(step))
        return "OK"

    def do_join(self, name: str) -> str:
        return self.threads[name].join()

    def do_fork(self, call: str, *operands: str) -> str:
        child = os.fork()
        if child == 0:
            signal.alarm(CHILD_SECONDS)
            try:
                outcome = self.in_child(call, *operands)
            except BaseException as error:
                outcome = repr(error)
            os._exit(next((n for n in range(30) if name_of(n) == outcome.split(" ")[0]), 255))
        _, ended = os.waitpid(child, 0)
        if os.WIFSIGNALED(ended):
            return f"error: signal {os.WTERMSIG(ended)}"
        return name_of(os.WEXITSTATUS(ended))

    def in_child(self, call: str, *operands: str) -> str:
        if call == "global":
            return outcome_of(lambda: library.run(library.job("palitra.echo")))
        if call == "run":
            return self.do_run(*operands)
        token = self.tokens[operands[0]]
        if token.future.done():
            # Its result has become a value of Python's, which a child inherits; the parent's token is none of it.
            return reply_beneath(lambda out: beneath.runner_wait(token.runner.invoker.runner, token.handle, -1, out))
        return token.wait()


# ---- the file --------------------------------------------------------------------------------------------


def main(path: str) -> None:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    scenario = Scenario("")
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        words = line.split(" ")
        if words[0] == "scenario":
            scenario.free_everything()
            scenario = Scenario(words[1])
            continue
        scenario.steps += 1
        print(scenario.name, scenario.steps, scenario.carry_out(words), sep="\t", flush=True)
    scenario.free_everything()


if __name__ == "__main__":
    main(*sys.argv[1:])
