// Tokens as asynchronous operations of asio.
#include <asio.hpp>
#include <palitra/asio.hpp>

#if defined(ASIO_HAS_CO_AWAIT)
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#endif

#include "support.hpp"

TEST_CASE("a callback of asio runs on its executor, which is kept at work until then") {
    const palitra::Runner runner;
    asio::io_context io;
    std::string seen;
    std::thread::id id;
    palitra::async_wait(runner.submit("test.nested", "hello"),
                        asio::bind_executor(io, [&](std::exception_ptr failure, palitra::Reply reply) {
                            if (!failure) seen = reply.text();
                            id = std::this_thread::get_id();
                        }));
    CHECK(seen.empty());
    CHECK(io.run() > 0);
    CHECK(seen == "hello");
    CHECK(id == std::this_thread::get_id());
}

TEST_CASE("a handler without an executor runs on the runner's thread") {
    const palitra::Runner runner;
    Mailbox<std::thread::id> id;
    palitra::async_wait(runner.submit("test.nested", "hello"),
                        [&](std::exception_ptr, palitra::Reply) { id.put(std::this_thread::get_id()); });
    Mailbox<std::thread::id> runners;
    runner.submit("test.nested").on_complete([&](palitra::Reply) { runners.put(std::this_thread::get_id()); });
    CHECK(id.take() == runners.take());
}

TEST_CASE("use_future returns a future that throws the job's error") {
    const palitra::Runner runner;
    CHECK(palitra::async_run(runner, "test.nested", "hello", asio::use_future).get().text() == "hello");
    auto failure = palitra::async_run(runner, "test.fail", failing, asio::use_future);
    try {
        (void)failure.get();
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.code() == 7);
        CHECK(error.message() == "broken");
    }
}

TEST_CASE("a handler is never called within the call that starts it, and is called in any case") {
    asio::io_context io;
    Status seen = Status::ok;
    bool is_starting = true;
    auto handler = asio::bind_executor(io, [&](std::exception_ptr failure, palitra::Reply reply) {
        CHECK_FALSE(is_starting);
        CHECK(failure);
        seen = reply.status();
    });
    const auto start = [&](auto&& operation) {
        // From within the context, where asio would be free to run it at once.
        asio::post(io, [&] {
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

TEST_CASE("destroying the token that was lent completes the operation") {
    const palitra::Runner runner;
    asio::io_context io;
    Status seen = Status::ok;
    {
        const palitra::Token lent = runner.submit("test.never");
        palitra::async_wait(
            lent, asio::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) { seen = reply.status(); }));
    }
    io.run();
    CHECK(seen == Status::invalid_handle);
}

TEST_CASE("the cancellation slot cancels the job") {
    const palitra::Runner runner;
    asio::io_context io;
    asio::cancellation_signal signal;
    Status seen = Status::ok;
    palitra::async_wait(runner.submit("test.never"),
                        asio::bind_cancellation_slot(
                            signal.slot(), asio::bind_executor(io, [&](std::exception_ptr, palitra::Reply reply) {
                                seen = reply.status();
                            })));
    asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
    io.run();
    CHECK(seen == Status::cancelled);
    signal.emit(asio::cancellation_type::terminal);
}

TEST_CASE("a handler may be move-only, and what it owns is freed with a context that never ran") {
    const palitra::Runner runner;
    auto owned = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = owned;
    {
        asio::io_context io;
        palitra::async_wait(runner.submit("test.nested", "x"),
                            asio::bind_executor(io, [owned = std::move(owned), only = std::make_unique<int>(2)](
                                                        std::exception_ptr, palitra::Reply) {}));
        CHECK_FALSE(watched.expired());
        (void)runner.run("palitra.sleep", R"({"seconds": 0.02})");
    }
    eventually([&] { return watched.expired(); });
}

#if defined(ASIO_HAS_CO_AWAIT)

namespace {

// Runs a coroutine to its end and throws what it throws.
template <class Coroutine>
void run(asio::io_context& io, Coroutine coroutine) {
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr failure) { thrown = failure; });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace

TEST_CASE("use_awaitable returns the reply and throws the job's error") {
    const palitra::Runner runner;
    asio::io_context io;
    const auto main_thread = std::this_thread::get_id();
    run(io, [&]() -> asio::awaitable<void> {
        palitra::Token token = runner.submit("test.nested", "token");
        CHECK((co_await palitra::async_wait(token, asio::use_awaitable)).text() == "token");
        CHECK((co_await palitra::async_wait(std::move(token), asio::use_awaitable)).text() == "token");
        CHECK(std::this_thread::get_id() == main_thread);
        try {
            (void)co_await palitra::async_run(runner, "test.fail", failing, asio::use_awaitable);
            FAIL("nothing was thrown");
        } catch (const palitra::error& error) {
            CHECK(error.code() == 7);
        }
        const auto [failure, reply] = co_await palitra::async_run(runner, "test.fail", failing,
                                                                  asio::experimental::as_tuple(asio::use_awaitable));
        CHECK(failure);
        CHECK(reply.message() == "broken");
    });
}

TEST_CASE("an operator of asio waits for the first, and cancels the other") {
    const palitra::Runner runner;
    asio::io_context io;
    run(io, [&]() -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        const palitra::Token never = runner.submit("test.never");
        asio::steady_timer timer(io, 5ms);
        const auto first =
            co_await (palitra::async_wait(never, asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
        CHECK(first.index() == 1);
        CHECK(never.try_poll().status() == Status::cancelled);
        const auto [a, b] = co_await (palitra::async_run(runner, "test.nested", "a", asio::use_awaitable) &&
                                      palitra::async_run(runner, "test.nested", "b", asio::use_awaitable));
        CHECK(a.text() == "a");
        CHECK(b.text() == "b");
    });
}

TEST_CASE("other coroutines resume on an io_context by its executor") {
    const palitra::Runner runner;
    asio::io_context io;
    std::thread::id id;
    struct Detached {
        struct promise_type {
            Detached get_return_object() { return {}; }
            std::suspend_never initial_suspend() noexcept { return {}; }
            std::suspend_never final_suspend() noexcept { return {}; }
            void return_void() {}
            void unhandled_exception() { std::terminate(); }
        };
    };
    const palitra::Token token = runner.submit("test.nested", "x");
    const auto wait = [&]() -> Detached {
        (void)co_await palitra::resume_on(palitra::post_to(io.get_executor()), token);
        id = std::this_thread::get_id();
    };
    wait();
    io.run();
    CHECK(id == std::this_thread::get_id());
}

#endif
