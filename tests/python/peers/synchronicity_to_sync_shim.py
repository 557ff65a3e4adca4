"""synchronicity's ``Synchronizer`` made of ``to_sync`` alone, for synchronicity's own tests.

A plugin of pytest: ``-p synchronicity_to_sync_shim``. What is left of synchronicity are its names for what it makes.
"""

import functools
import inspect
import threading

import palitra
import synchronicity
from synchronicity import synchronizer


class Synchronizer:
    def __init__(self, multiwrap_warning=False, async_leakage_warning=True, blocking_in_async_callback=None):
        self._runner = None
        self._lock = threading.Lock()

    def __getstate__(self):
        return {}

    def __setstate__(self, state):
        self.__init__()

    def _get_runner(self):
        with self._lock:
            if self._runner is None:
                self._runner = palitra.EventLoopThreadRunner()
            return self._runner

    def _get_loop(self, start=False):
        return self._get_runner().get_loop() if start or self._runner is not None else None

    _start_loop = _get_loop

    @property
    def _loop(self):
        return self._get_loop()

    def _close_loop(self):
        if self._runner is not None:
            self._runner.close()
        self._runner = None

    def wrap(self, obj, name=None, target_module=None):
        made = self._get_runner().to_sync(obj)
        if inspect.isclass(obj):
            made.__name__ = name or f"Blocking{obj.__name__}"
        else:
            made = _with_futures(self._get_runner(), made, obj)
            made.__name__, made.aio.__name__ = name or f"blocking_{obj.__name__}", name or f"aio_{obj.__name__}"
        if target_module is not None:
            made.__module__ = target_module
        return made

    create_blocking = wrap

    def is_synchronized(self, obj):
        return hasattr(obj, "wrapped") or hasattr(obj, "aio") or "synchronous" in repr(obj)

    def create_callback(self, function):
        return palitra.to_async(function)

    def nowrap(self, function):
        return function

    no_input_translation = no_output_translation = no_io_translation = nowrap

    def _translate_out(self, obj):
        return self._get_runner().to_sync(obj)

    def _translate_in(self, obj):
        return getattr(obj, "wrapped", obj)


def _with_futures(runner, made, function):
    """``function(..., _future=True)`` is ``submit``."""

    @functools.wraps(made)
    def call(*arguments, _future=False, **keywords):
        return runner.submit(function(*arguments, **keywords)) if _future else made(*arguments, **keywords)

    return call


synchronicity.Synchronizer = synchronizer.Synchronizer = Synchronizer
