/// palitra for C++17 and later: synchronous programs call asynchronous jobs.
///
///     palitra::Runner runner;
///     palitra::Token slow = runner.submit("palitra.sleep", R"({"seconds": 0.1})");
///     palitra::Token fast = runner.submit("palitra.echo", "hello");
///     auto [first, second] = palitra::gather(slow, fast);
///     std::cout << second.text() << '\n';
///
/// Header-only, over the C functions of palitra.h; link libpalitra, or a library of jobs of your own.
///
/// - Runner, Token, Queue, Reply and Stream own what they stand for. They move and do not copy. One that was moved from
///   is safe to use: its calls fail with Status::invalid_handle.
/// - Calls throw palitra::error. Each has a twin whose name begins with `try_`, which returns a result<T> and does not
///   throw. Past a timeout, wait_for returns nothing and try_ calls return Status::pending.
/// - Any number of threads may use the same object at once, as long as none of them moves, assigns or destroys it.
/// - Callbacks run on the runner's thread, where whatever would block fails with Status::would_deadlock. One that
///   throws ends the program by std::terminate: its exception has nowhere to go. What somebody waits for comes on time,
///   though a job blocks that thread: futures, coroutines, callbacks that keep their token.
/// - The headers start no threads and have no global objects and no macros but the include guards. Objects may be
///   static: what is destroyed last at exit still finds its library.
/// - A program in which `forever` or `Status` is a macro says no_timeout and StatusCode.
///
/// palitra/asio.hpp is for those who use asio, palitra/execution.hpp for those who use stdexec: include them yourself.
#ifndef PALITRA_HPP
#define PALITRA_HPP

#include "palitra/argument.hpp"
#include "palitra/call.hpp"
#include "palitra/callback.hpp"
#include "palitra/coroutine.hpp"
#include "palitra/framed.hpp"
#include "palitra/future.hpp"
#include "palitra/gather.hpp"
#include "palitra/http.hpp"
#include "palitra/library.hpp"
#include "palitra/queue.hpp"
#include "palitra/reply.hpp"
#include "palitra/runner.hpp"
#include "palitra/started.hpp"
#include "palitra/status.hpp"
#include "palitra/stream.hpp"
#include "palitra/submission.hpp"
#include "palitra/token.hpp"
#include "palitra/typed.hpp"

#endif
