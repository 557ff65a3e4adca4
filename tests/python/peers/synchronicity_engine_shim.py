"""synchronicity with palitra as its engine, for synchronicity's own tests: ``-p synchronicity_engine_shim``.

Wrapping, names and translation stay synchronicity's. Its loop's thread, and every way to run something there, become
those of an ``EventLoopThreadRunner``.
"""

import asyncio
import threading

import palitra
from synchronicity import synchronizer
from synchronicity.exceptions import unwrap_coro_exception, wrap_coro_exception


class Engine(synchronizer.Synchronizer):
    """The methods that run something."""

    _runner = None

    def _reinitialize_after_fork(self):
        self._loop_creation_lock = threading.Lock()

    def _get_loop(self, start=False):
        with self._loop_creation_lock:
            if self._runner is None and start:
                self._runner = palitra.EventLoopThreadRunner()
        self._loop = None if self._runner is None else self._runner.get_loop()
        return self._loop

    async def _get_loop_async(self):
        return self._get_loop(start=True)

    def _close_loop(self):
        if getattr(self, "_runner", None) is not None:
            self._runner.close()
        self._runner = self._loop = None

    def _is_inside_loop(self):
        return self._runner is not None and asyncio._get_running_loop() is self._runner.get_loop()

    def _own_coroutine(self, coroutine):
        return self._wrap_check_async_leakage(wrap_coro_exception(coroutine))

    def _out(self, value, original_func):
        return self._translate_out(value) if getattr(original_func, self._output_translation_attr, True) else value

    def _run_function_sync(self, coro, original_func):
        if self._is_inside_loop():
            raise Exception("Deadlock detected: calling a sync function from the synchronizer loop")
        if self._blocking_in_async_callback is not None and asyncio._get_running_loop() is not None:
            self._blocking_in_async_callback(original_func)
        self._get_loop(start=True)
        return self._out(self._runner.run(self._own_coroutine(coro)), original_func)

    def _run_function_sync_future(self, coro, original_func):
        self._get_loop(start=True)
        coro = unwrap_coro_exception(self._own_coroutine(coro))
        return self._runner.submit(self._translate_coro_out(coro, original_func=original_func))

    async def _run_function_async(self, coro, original_func):
        self._get_loop(start=True)
        coro = self._own_coroutine(coro)
        return self._out(await self._runner.to_sync(lambda: coro).aio(), original_func)

    def _run_generator_sync(self, gen, original_func):
        self._get_loop(start=True)
        items = self._runner.iterate(gen)
        del gen  # Referred to by nobody else, it is closed with the iteration.
        return (yield from _outs(self, items, original_func))

    async def _run_generator_async(self, gen, original_func):
        self._get_loop(start=True)
        holder = [gen]
        del gen
        items, value, error = self._runner.to_sync(holder.pop).aio(), None, None
        try:
            while True:
                try:
                    item = await (items.asend(value) if error is None else items.athrow(error))
                except StopAsyncIteration:
                    return
                try:
                    value, error = (yield self._out(item, original_func)), None
                except GeneratorExit:
                    raise
                except BaseException as thrown:
                    value, error = None, thrown
        finally:
            await items.aclose()


def _outs(engine, items, original_func):
    value, error = None, None
    try:
        while True:
            try:
                item = items.send(value) if error is None else items.throw(error)
            except StopIteration:
                return
            try:
                value, error = (yield engine._out(item, original_func)), None
            except GeneratorExit:
                raise
            except BaseException as thrown:
                value, error = None, thrown
    finally:
        items.close()


for module in (synchronizer, __import__("synchronicity")):
    module.Synchronizer = Engine
