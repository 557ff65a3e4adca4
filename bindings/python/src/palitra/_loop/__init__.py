"""The loop: coroutines run on one asyncio event loop in a background thread, while synchronous code waits.

Called by ``EventLoopThreadRunner`` (``palitra._runner``) and by the bridges (``palitra._bridges``,
``palitra._to_async``), and by nothing else. A caller makes a piece of *work*, posts
it to the loop's thread and waits for its outcome. There are four kinds of work: one awaitable (``work``), one awaitable
that completes a future (``futures``), several awaitables (``gather``, ``as_completed``), and an asynchronous iterator
or context manager that takes turns with its caller (``conversation``).

Threads. Any thread may post work and wait for it. Only the loop's thread starts, drives and ends it. In each class the
methods stand under the thread that calls them. A post takes no lock, so that signal handlers and finalizers may post.

The modules, each of which imports only those above it:

    doorbell      wakes the loop's thread
    executor      where the loop's blocking calls run
    thread        the loop, its thread, its inbox; how it ends, in the process and in a forked child
    desk          what other threads want done on a thread that waits
    contexts      context variables from thread to thread and back, asgiref's too
    work          one awaitable, and the caller that waits for it
    borrowed      work on the loop that awaits a function of ``to_async``
    futures       work whose outcome completes a future
    gather        several awaitables, their results in order
    as_completed  several awaitables, their futures in order of time
    conversation  asynchronous iterators and context managers
    awaited       work that a coroutine of another loop awaits

Native jobs do not come here, except where a coroutine awaits one. ``palitra._native`` is their chapter.
"""
