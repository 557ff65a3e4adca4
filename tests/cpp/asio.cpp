// Tokens as asynchronous operations of asio; of Boost.Asio where boost_asio.cpp includes this file.
#if defined(BOOST_ASIO_VERSION)
#define ASIO_HEADER(name) <boost/asio/name.hpp>
#define WITH ", with Boost.Asio"
namespace net = boost::asio;
#else
#include <asio.hpp>
#define ASIO_HEADER(name) <asio/name.hpp>
#define WITH ", with asio"
namespace net = asio;
#endif
#include <palitra/asio.hpp>

// What the asio at hand has: 1.18, which is that of Boost 1.74, has no cancellation.
// clang-format off
#if __has_include(ASIO_HEADER(bind_cancellation_slot))
#define HAS_CANCELLATION 1
#endif
#if defined(ASIO_VERSION) ? defined(ASIO_HAS_CO_AWAIT) : defined(BOOST_ASIO_HAS_CO_AWAIT)
#define HAS_CO_AWAIT 1
#endif
#if defined(HAS_CANCELLATION) && defined(HAS_CO_AWAIT)
#include ASIO_HEADER(experimental/awaitable_operators)
#endif
#if __has_include(ASIO_HEADER(experimental/parallel_group))
#include ASIO_HEADER(experimental/parallel_group)
#endif
#if __has_include(ASIO_HEADER(experimental/use_promise))
#include ASIO_HEADER(experimental/promise)
#include ASIO_HEADER(experimental/use_promise)
#define HAS_USE_PROMISE 1
#endif
#if __has_include(ASIO_HEADER(cancel_after))
#include ASIO_HEADER(cancel_after)
#define HAS_CANCEL_AFTER 1
#endif
#if __has_include(ASIO_HEADER(deferred))
#include ASIO_HEADER(deferred)
#define HAS_DEFERRED 1
#endif
// clang-format on

#include "coroutines.hpp"
#include "support.hpp"

TEST_CASE("a callback of asio runs on its executor, which is kept at work until then" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    std::string seen;
    std::thread::id id;
    palitra::async_wait(runner.submit("test.nested", "hello"),
                        net::bind_executor(io, [&](std::exception_ptr failure, palitra::Reply reply) {
                            if (!failure) seen = reply.text();
                            id = std::this_thread::get_id();
                        }));
    CHECK(seen.empty());
    CHECK(io.run() > 0);
    CHECK(seen == "hello");
    CHECK(id == std::this_thread::get_id());
}

TEST_CASE("a handler without an executor runs on the runner's thread" WITH) {
    const palitra::Runner runner;
    Mailbox<std::thread::id> id;
    palitra::async_wait(runner.submit("test.nested", "hello"),
                        [&](std::exception_ptr, palitra::Reply) { id.put(std::this_thread::get_id()); });
    Mailbox<std::thread::id> runners;
    runner.submit("test.nested").on_complete([&](palitra::Reply) { runners.put(std::this_thread::get_id()); });
    CHECK(id.take() == runners.take());
}

TEST_CASE("use_future returns a future that throws the job's error" WITH) {
    const palitra::Runner runner;
    CHECK(palitra::async_run(runner, "test.nested", "hello", net::use_future).get().text() == "hello");
    auto failure = palitra::async_run(runner, "test.fail", failing, net::use_future);
    try {
        (void)failure.get();
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.code() == 7);
        CHECK(error.message() == "broken");
    }
}

TEST_CASE("a handler is never called within the call that starts it, and is called in any case" WITH) {
    net::io_context io;
    Status seen = Status::ok;
    bool is_starting = true;
    auto handler = net::bind_executor(io, [&](std::exception_ptr failure, palitra::Reply reply) {
        CHECK_FALSE(is_starting);
        CHECK(failure);
        seen = reply.status();
    });
    const auto start = [&](auto&& operation) {
        // From within the context, where asio would be free to run it at once.
        net::post(io, [&] {
            is_starting = true;
            operation();
            is_starting = false;
        });
        io.restart();
        io.run();
        return std::exchange(seen, Status::ok);
    };
    palitra::Token late;
    {
        const palitra::Runner runner;
        CHECK(start([&] { palitra::async_run(runner, "no.such.job", {}, handler); }) == Status::unknown_job);
        CHECK(start([&] { palitra::async_wait(palitra::Token(), handler); }) == Status::invalid_handle);
        late = runner.submit("test.never");
        CHECK(start([&] {
                  palitra::async_wait(late, handler);
                  runner.shutdown();
              }) == Status::cancelled);
        CHECK(start([&] { palitra::async_wait(late, handler); }) == Status::cancelled);
    }
    CHECK(start([&] { palitra::async_wait(late, handler); }) == Status::cancelled);
}

TEST_CASE("destroying the token that was lent completes the operation" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    Status seen = Status::ok;
    {
        const palitra::Token lent = runner.submit("test.never");
        palitra::async_wait(
            lent, net::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) { seen = reply.status(); }));
    }
    io.run();
    CHECK(seen == Status::invalid_handle);
}

#if defined(HAS_CANCELLATION)
TEST_CASE("the cancellation slot cancels the job, and of a token that was lent only the wait" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    net::cancellation_signal signal;
    Status seen = Status::ok;
    const auto handler = [&] {
        return net::bind_cancellation_slot(
            signal.slot(),
            net::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) { seen = reply.status(); }));
    };
    const auto cancelled = [&] {
        net::post(io, [&] { signal.emit(net::cancellation_type::terminal); });
        io.restart();
        io.run();
        return std::exchange(seen, Status::ok);
    };
    palitra::Token owned = runner.submit("test.never");
    palitra::async_wait(std::move(owned), handler());
    CHECK(cancelled() == Status::cancelled);
    eventually([&] { return runner.stats().cancelled == 1; });
    palitra::async_run(runner, "test.never", {}, handler());
    CHECK(cancelled() == Status::cancelled);
    eventually([&] { return runner.stats().cancelled == 2; });
    const palitra::Token lent = runner.submit("palitra.sleep", R"({"seconds": 0.05})");
    palitra::async_wait(lent, handler());
    CHECK(cancelled() == Status::cancelled);
    CHECK(lent.wait().text() == R"({"seconds":0.05})");
    signal.emit(net::cancellation_type::terminal);
}

TEST_CASE("a read that is cancelled takes no item" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    net::cancellation_signal signal;
    const palitra::Token stream = runner.submit("test.stream", R"({"items": 1, "forever": true})");
    std::string items;
    std::exception_ptr last;
    const auto read = [&](auto token) {
        palitra::async_next(stream, net::bind_executor(io, std::move(token)));
        io.restart();
    };
    const auto note = [&](std::exception_ptr failure, std::optional<palitra::Reply> item) {
        if (item) items += item->text();
        last = failure;
    };
    read(net::bind_cancellation_slot(signal.slot(), note));
    // Before its handler runs: an item has come, or will.
    signal.emit(net::cancellation_type::terminal);
    io.run();
    if (items.empty()) {
        CHECK(last);
        read(note);
        io.run();
    }
    CHECK(items == "0");
    CHECK(stream.try_next(0s).status() == Status::pending);
}
#endif

TEST_CASE("the items of a stream are read one by one, and then none" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    const palitra::Token stream = runner.submit("test.stream", R"({"items": 20, "fail_at": 18})");
    const palitra::Token whole = runner.submit("test.stream", R"({"items": 18})");
    const auto read_all = [&](const palitra::Token& token) {
        std::pair<std::string, std::exception_ptr> seen;
        std::function<void(std::exception_ptr, std::optional<palitra::Reply>)> next =
            [&](std::exception_ptr failure, std::optional<palitra::Reply> item) {
                seen.second = failure;
                if (!item) return;
                seen.first += item->text();
                palitra::async_next(token, net::bind_executor(io, std::ref(next)));
            };
        palitra::async_next(token, net::bind_executor(io, std::ref(next)));
        io.restart();
        io.run();
        return seen;
    };
    std::string expected;
    for (int i = 0; i < 18; i++) expected += std::to_string(i);
    const auto failed = read_all(stream);
    CHECK(failed.first == expected);
    CHECK(thrown_by([&] { std::rethrow_exception(failed.second); }) == Status::job_failed);
    const auto succeeded = read_all(whole);
    CHECK(succeeded.first == expected);
    CHECK_FALSE(succeeded.second);
}

TEST_CASE("a job runs with options, and one that is ready needs no other thread" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    Status seen = Status::ok;
    auto handler = net::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) { seen = reply.status(); });
    palitra::SubmitOptions soon;
    soon.deadline = 20ms;
    palitra::async_run(runner, "test.never", {}, soon, handler);
    io.run();
    CHECK(seen == Status::deadline);
    const Blocked blocked(runner);
    palitra::async_run(runner, "palitra.echo", "x", handler);
    io.restart();
    io.run();
    CHECK(seen == Status::ok);
    // Promise 3: deadlines hold. So they do of what waits while a job blocks the runner's thread.
    palitra::async_run(runner, "test.never", {}, soon, handler);
    io.restart();
    io.run();
    CHECK(seen == Status::deadline);
    CHECK(palitra::async_run(runner, "palitra.echo", "x", net::use_future).get().text() == "x");
    CHECK(thrown_by([&] { palitra::async_run(runner, "test.never", {}, soon, net::use_future).get(); }) ==
          Status::deadline);
    CHECK(blocked.still());
}

TEST_CASE("what is pending as its context is destroyed is destroyed with it, without a call" WITH) {
    const palitra::Runner runner;
    std::vector<palitra::Token> lent;
    bool is_called = false;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    for (const bool runs : {false, true}) {
        net::io_context io;
        lent.push_back(runner.submit("test.never"));
        const auto handler = [&, owned](auto&&...) { is_called = true; };
        palitra::async_wait(lent.back(), net::bind_executor(io, handler));
        palitra::async_wait(runner.submit("test.never"), net::bind_executor(net::make_strand(io), handler));
        palitra::async_run(runner, "test.never", {},
                           net::bind_executor(net::any_io_executor(io.get_executor()), handler));
        palitra::async_next(lent.back(), net::bind_executor(io, handler));
        palitra::async_run(runner, "palitra.sleep", R"({"seconds": 0.01})", net::bind_executor(io, handler));
        if (runs) io.poll();
    }
    owned.reset();
    CHECK(watched.expired());
    for (const palitra::Token& token : lent) token.cancel();
    (void)runner.run("palitra.sleep", R"({"seconds": 0.03})");
    CHECK_FALSE(is_called);
}

TEST_CASE("contexts are destroyed while jobs finish" WITH) {
    const palitra::Runner runner;
    std::atomic<int> calls{0};
    for (int i = 0; i < 200; i++) {
        net::io_context io;
        std::thread thread([&] { io.run(); });
        for (int j = 0; j < 5; j++)
            palitra::async_run(runner, j % 2 == 0 ? "test.nested" : "palitra.echo", "x",
                               net::bind_executor(io, [&](auto&&...) { calls++; }));
        if (i % 2 == 0) io.stop();
        thread.join();
    }
    CHECK(calls <= 1000);
}

TEST_CASE("a plain lambda, a detached operation and each way of asio's to compose them" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    Mailbox<std::string> seen;
    palitra::async_run(runner, "test.nested", "plain",
                       [&](std::exception_ptr, const palitra::Reply& reply) { seen.put(std::string(reply.text())); });
    CHECK(seen.take() == "plain");
    palitra::async_run(runner, "test.nested", "x", net::detached);
#if defined(HAS_DEFERRED)
    palitra::async_run(runner, "test.nested", "deferred")(
        [&](std::exception_ptr, const palitra::Reply& reply) { seen.put(std::string(reply.text())); });
    CHECK(seen.take() == "deferred");
    std::string both;
    net::experimental::make_parallel_group(palitra::async_run(runner, "test.nested", "a", net::deferred),
                                           palitra::async_run(runner, "test.nested", "b", net::deferred))
        .async_wait(net::experimental::wait_for_all(),
                    net::bind_executor(io, [&](const std::array<std::size_t, 2>&, std::exception_ptr, palitra::Reply a,
                                               std::exception_ptr, palitra::Reply b) {
                        both = std::string(a.text()) + std::string(b.text());
                    }));
    io.run();
    CHECK(both == "ab");
#endif
#if defined(HAS_USE_PROMISE)
    auto promise =
        palitra::async_run(runner, "test.nested", "promised", net::bind_executor(io, net::experimental::use_promise));
    std::move(promise)([&](std::exception_ptr, const palitra::Reply& reply) { seen.put(std::string(reply.text())); });
    io.restart();
    io.run();
    CHECK(seen.take() == "promised");
#endif
#if defined(HAS_CANCEL_AFTER)
    Status late = Status::ok;
    palitra::async_run(runner, "test.never", {},
                       net::cancel_after(10ms, net::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) {
                                             late = reply.status();
                                         })));
    io.restart();
    io.run();
    CHECK(late == Status::cancelled);
#endif
}

TEST_CASE("a handler may be move-only, and what it owns is freed with a context that never ran" WITH) {
    const palitra::Runner runner;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    {
        net::io_context io;
        palitra::async_wait(runner.submit("test.nested", "x"),
                            net::bind_executor(io, [owned = std::move(owned), only = std::make_unique<int>(2)](
                                                       std::exception_ptr, palitra::Reply) {}));
        CHECK_FALSE(watched.expired());
        (void)runner.run("palitra.sleep", R"({"seconds": 0.02})");
    }
    eventually([&] { return watched.expired(); });
}

#if defined(HAS_CO_AWAIT)

namespace {

// Runs a coroutine to its end and throws what it throws.
template <class Coroutine>
void run(net::io_context& io, Coroutine coroutine) {
    std::exception_ptr thrown;
    net::co_spawn(io, std::move(coroutine), [&](std::exception_ptr failure) { thrown = failure; });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace

TEST_CASE("use_awaitable returns the reply and throws the job's error" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    const auto main_thread = std::this_thread::get_id();
    run(io, [&]() -> net::awaitable<void> {
        const palitra::Token token = runner.submit("test.nested", "token");
        CHECK((co_await palitra::async_wait(token, net::use_awaitable)).text() == "token");
        CHECK((co_await palitra::async_wait(runner.submit("test.nested", "y"), net::use_awaitable)).text() == "y");
        CHECK(std::this_thread::get_id() == main_thread);
        try {
            (void)co_await palitra::async_run(runner, "test.fail", failing, net::use_awaitable);
            FAIL("nothing was thrown");
        } catch (const palitra::error& error) {
            CHECK(error.code() == 7);
        }
#if defined(HAS_DEFERRED)
        const auto [failure, reply] =
            co_await palitra::async_run(runner, "test.fail", failing, net::as_tuple(net::use_awaitable));
        CHECK(failure);
        CHECK(reply.message() == "broken");
#endif
        // Without a completion token.
        CHECK((co_await palitra::async_run(runner, "test.nested", "default")).text() == "default");
        CHECK((co_await palitra::async_wait(token)).text() == "token");
        const palitra::Token stream = runner.submit("test.stream", R"({"items": 2})");
        CHECK((co_await palitra::async_next(stream))->text() == "0");
        CHECK((co_await palitra::async_next(stream))->text() == "1");
        CHECK_FALSE((co_await palitra::async_next(stream)).has_value());
    });
}

TEST_CASE("coroutines are destroyed with the context that they wait in" WITH) {
    const palitra::Runner runner;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    {
        net::io_context io;
        net::co_spawn(
            io,
            [&runner, owned = std::move(owned)]() -> net::awaitable<void> {
                (void)co_await palitra::async_run(runner, "test.never", {}, net::use_awaitable);
            },
            net::detached);
        io.poll();
        CHECK_FALSE(watched.expired());
    }
    CHECK(watched.expired());
}

#if defined(HAS_CANCELLATION)
TEST_CASE("an operator of asio waits for the first, and cancels the other" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    run(io, [&]() -> net::awaitable<void> {
        using namespace net::experimental::awaitable_operators;
        net::steady_timer timer(io, 5ms);
        const auto first = co_await (palitra::async_run(runner, "test.never", {}, net::use_awaitable) ||
                                     timer.async_wait(net::use_awaitable));
        CHECK(first.index() == 1);
        eventually([&] { return runner.stats().cancelled == 1; });
        const auto [a, b] = co_await (palitra::async_run(runner, "test.nested", "a", net::use_awaitable) &&
                                      palitra::async_run(runner, "test.nested", "b", net::use_awaitable));
        CHECK(a.text() == "a");
        CHECK(b.text() == "b");
    });
}

#endif

TEST_CASE("other coroutines resume on an io_context by its executor" WITH) {
    const palitra::Runner runner;
    net::io_context io;
    std::thread::id id;
    const palitra::Token token = runner.submit("test.nested", "x");
    const auto wait = [&]() -> Detached {
        (void)co_await palitra::resume_on(palitra::post_to(io.get_executor()), token);
        id = std::this_thread::get_id();
    };
    wait();
    io.run();
    CHECK(id == std::this_thread::get_id());
    // One whose context is gone does not resume, and is destroyed by its owner.
    const palitra::Token never = runner.submit("test.never");
    std::optional<net::io_context> gone(std::in_place);
    const Owned waiting = [](auto executor, const palitra::Token& token) -> Owned {
        (void)co_await palitra::try_resume_on(executor, token);
        FAIL("resumed");
    }(palitra::post_to(gone->get_executor()), never);
    gone.reset();
    never.cancel();
    (void)runner.run("palitra.sleep", R"({"seconds": 0.01})");
}

#endif
