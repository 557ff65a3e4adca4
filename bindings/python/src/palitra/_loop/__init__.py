"""The loop: coroutines run on one asyncio event loop in a background thread, while synchronous code waits.

Called by ``EventLoopThreadRunner`` (``palitra._runner``) and by the bridges (``palitra._bridges``,
``palitra._to_async``), and by nothing else. A caller makes a piece of *work*, posts
it to the loop's thread and waits for its outcome. There are four kinds of work: one awaitable (``work``), one awaitable
that completes a future (``futures``), several awaitables (``gather``, ``as_completed``), and an asynchronous iterator
or context manager that takes turns with its caller (``conversation``).

Threads. Any thread may post work and wait for it. Only the loop's thread starts, drives and ends it. In each class the
methods stand under the thread that calls them. A post takes no lock, so that signal handlers and finalizers may post.

The modules, each of which imports only those above it:

    posted        what is handed over: work, functions
    counts        how work ended, in numbers
    inbox         what was handed over to one thread, from the post to the end of the work
    debug         the loop's debug mode while some work runs
    doorbell      wakes the loop's thread
    executor      where the loop's blocking calls run
    ending        how a loop winds down
    thread        the loop, its thread; how it ends, in the process and in a forked child
    at_exit       the end of all threads when the interpreter exits
    desk          what other threads want done on a thread that waits
    contexts      context variables from thread to thread and back, asgiref's too
    work          one awaitable, and the caller that waits for it
    borrowed      work on the loop that awaits a function of ``to_async``
    futures       work whose outcome completes a future
    portal        a function called on the loop; a task that says when it is ready
    gather        several awaitables, their results in order
    as_completed  several awaitables, their futures in order of time
    conversation  asynchronous iterators and context managers
    awaited       work that a coroutine of another loop awaits

Native jobs do not come here, except where a coroutine awaits one. ``palitra._native`` is their chapter.
"""
