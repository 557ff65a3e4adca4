// An exception that nobody catches ends the process as it always does, by std::terminate and abort, with a thousand
// jobs and callbacks in flight: never by another signal, never by a hang.
//
// Promise 10: the host's process stays as it is.
#include "endings.h"

#include <exception>
#include <fcntl.h>
#include <stdexcept>

// What terminate has to say, so many times over, is not for the test's output.
static void be_silent() {
    int nowhere = open("/dev/null", O_WRONLY);
    CHECK(nowhere >= 0 && dup2(nowhere, STDERR_FILENO) == STDERR_FILENO);
}

static void by_an_exception_in_main() {
    be_silent();
    throw std::runtime_error("nobody catches this");
}

static void *throw_here(void *) { throw std::runtime_error("nor this"); }

static void by_an_exception_in_another_thread() {
    be_silent();
    start_thread(throw_here, nullptr);
    for (;;) pause();
}

static void throw_in_callback(palitra_token, palitra_status, void *) {
    throw std::runtime_error("nor this, on the runner's thread");
}

static void by_an_exception_in_a_callback() {
    be_silent();
    palitra_token token = submit(busy_runner, "palitra.echo", "the end");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, throw_in_callback, nullptr, nullptr));
    for (;;) pause();
}

static void exit_well() { _exit(GOOD_END); }

// A terminate handler of the host's own is called, and may leave as it likes.
static void by_a_terminate_handler() {
    std::set_terminate(exit_well);
    throw std::runtime_error("handled at the last");
}

int main(int argc, char **argv) {
    static const way ways[] = {
        {"by_an_exception_in_main", by_an_exception_in_main, SIGABRT},
        {"by_an_exception_in_another_thread", by_an_exception_in_another_thread, SIGABRT},
        {"by_an_exception_in_a_callback", by_an_exception_in_a_callback, SIGABRT},
        {"by_a_terminate_handler", by_a_terminate_handler, 0},
    };
    return end_in_every_way(ways, LENGTH(ways), argc, argv);
}
