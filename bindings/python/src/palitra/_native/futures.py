"""The future of a submitted job, completed by the thread of ``FutureQueue``."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import weakref

from . import abi
from .completions import Completable
from .invoke import UNREADABLE, Invoker
from .job import Job
from .slot import Slot

logger = logging.getLogger("palitra")


class JobFuture(Completable):
    """The future of a submitted native job. It frees the token when it is collected."""

    def __init__(self, invoker: Invoker, job: Job) -> None:
        """Submits the job. Raises the error of a refusal."""
        super().__init__()
        self._invoker = invoker
        self._futures = invoker.completions.of_futures()
        self._token = 0
        self._name = job.name
        #: Of the two, the submission and its announced end, the second to come completes the future. Neither waits.
        self._arrivals = [True]
        options, slot = invoker.options(job.deadline), Slot()
        tag = self._futures.register(options, self)
        try:
            self._token = invoker.submit(job, ctypes.byref(options), slot)
            self.runner = slot.runner.value
            # The job may have finished before the submission returned its token.
            self.receive()
            weakref.finalize(self, invoker.functions.token_free, self._token).atexit = False
        except BaseException:
            token = slot.token.value
            if token:
                # A signal's handler raised: nobody gets this future, which its queue drops at the job's event.
                self._asked = True
                invoker.abandon(token)
            else:
                self._futures.forget(tag)
            raise

    def receive(self) -> None:
        with contextlib.suppress(IndexError):
            self._arrivals.pop()
            return
        slot = Slot()
        status = self._invoker.poll(self._token, slot)
        value = error = None
        # What a signal's handler raises here comes through: it is not what the job failed with.
        try:
            if status == abi.OK:
                value = self._invoker.take(status, slot)
            else:
                error = self._invoker.failure(status, slot)
        except UNREADABLE as unreadable:
            # Its frames hold this future, which would live until a collection.
            error = unreadable.with_traceback(None)
        self.complete(value, error)

    def _cancel_work(self) -> None:
        self._invoker.functions.token_cancel(self._token)

    def _report_forgotten(self, error: BaseException) -> None:
        message = "the job %s was submitted and failed, and nobody asked for its result"
        logger.error(message, self._name, exc_info=error)

    def _check_may_wait(self) -> None:
        self._futures.check_may_wait()
        self._invoker.check_may_wait()

    def progress(self) -> tuple[int, int]:
        """How far the job reports to be: what is done, and of how much. (0, 0) before it reports anything."""
        return self._invoker.progress(self._token)
