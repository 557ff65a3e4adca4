// coroutines: gets many URLs at once in coroutines of asio, on one thread, while a timer of the same thread ticks.
//
//     coroutines URL [URL ...]
//
// Prints one line for each URL as its response comes. C++20, standalone asio.
#include <asio.hpp>
#include <iostream>
#include <palitra/asio.hpp>

#include "request.hpp"

namespace {

using namespace std::chrono_literals;

asio::awaitable<void> fetch(const palitra::Runner& runner, std::string url) {
    try {
        const palitra::Reply body =
            co_await palitra::async_run(runner, "http.bytes", request(url), asio::use_awaitable);
        std::cout << url << ": " << body.size() << " bytes\n";
    } catch (const palitra::error& error) {
        std::cout << "failed: " << error.what() << '\n';
    }
}

// Ticks until everything has come: the pages keep the context running, this does not.
asio::awaitable<void> tick(asio::steady_timer& timer, int& ticks) {
    for (;; ticks++) {
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

} // namespace

int main(int count, char** arguments) try {
    const palitra::Runner runner;
    asio::io_context io;
    asio::steady_timer timer(io);
    int ticks = 0, left = count - 1;
    asio::co_spawn(io, tick(timer, ticks), asio::detached);
    for (int i = 1; i < count; i++)
        asio::co_spawn(io, fetch(runner, arguments[i]), [&](const std::exception_ptr&) {
            if (--left == 0) io.stop();
        });
    if (left > 0) io.run();
    std::cout << "meanwhile the timer ticked " << (ticks > 0 ? "on" : "not") << '\n';
} catch (const std::exception& error) {
    std::cerr << "coroutines: " << error.what() << '\n';
    return 1;
}
