"""asgiref's bridges made of palitra's, for asgiref's own tests: a plugin of pytest (``-p asgiref_shim``).

``sync_to_async`` and ``async_to_sync`` become ``palitra.to_async`` and ``palitra.to_sync``, with asgiref's words for
what cannot be wrapped. The contexts that choose a thread, ``ThreadSensitiveContext`` among them, stay asgiref's:
palitra heeds them where asgiref is loaded.
"""

import asgiref.sync
import palitra


def async_to_sync(awaitable=None, *, force_new_loop=False):
    if awaitable is None:
        return lambda function: async_to_sync(function, force_new_loop=force_new_loop)
    return palitra.to_sync(awaitable)


def sync_to_async(func=None, *, thread_sensitive=True, executor=None, context=None):
    if func is None:
        return lambda function: sync_to_async(
            function, thread_sensitive=thread_sensitive, executor=executor, context=context
        )
    if thread_sensitive and executor is not None:
        return palitra.to_async(func, thread_sensitive=thread_sensitive, executor=executor)
    try:
        return palitra.to_async(func, thread_sensitive=thread_sensitive, executor=executor, context=context)
    except TypeError as error:
        raise TypeError("sync_to_async can only be applied to sync functions.") from error


asgiref.sync.async_to_sync = async_to_sync
asgiref.sync.sync_to_async = sync_to_async
