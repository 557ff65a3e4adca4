"""Native jobs: async functions in Rust, run by the native runner of a shared library that this package loads.

Called through the public functions ``job``, ``jobs`` and ``load``, through the ``Library`` and the ``Runner`` that they
lead to, and by ``EventLoopThreadRunner`` (``palitra._runner``) for the jobs that are passed to it. No event loop takes
part unless a coroutine awaits a job.

Threads. Anything here may be called from any thread. The job itself runs on the native runner's threads, or starts on
the caller's. Its end reaches Python on the thread that waits: the caller's own, the thread of the asyncio loop that
awaits the job, or the one thread that completes futures. A call of a job in Python reaches it on the thread of a loop.
No Rust thread ever runs Python code.

The modules, each of which imports only those above it:

    abi          the C functions and structs of a library, as ctypes has them
    slot         memory for one reply and one token
    signals      waits that let the main thread handle signals
    payload      what goes into a job and what comes out: formats, encoding, the names of a library's jobs
    events       a completion queue of the library
    loops        the jobs that an asyncio loop awaits: how they start, and how it notices their end
    completions  the completion queues of a library: one for each loop, one for all futures
    calls        jobs in Python: how a loop answers the calls of those that are registered on a runner
    invoke       submits, waits and reads replies on one native runner
    job          a job with its payload, and how a coroutine awaits it
    futures      the future of a submitted job
    run          one job, for a caller that waits: its reply, or its items
    batch        the jobs of one gather: how they are submitted, and how their replies are read
    gather       many jobs, for a caller that waits, or awaited in an asyncio loop
    runner       run, gather, submit and iterate, as libraries and runners have them
    library      a loaded library, and the runners that it makes

``palitra._loop`` is the chapter of coroutines. Neither uses the other.
"""
