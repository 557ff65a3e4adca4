// A program of two files, of which one is built with exceptions and one without: what throws in the one throws,
// whichever of them the linker takes first. Exits with 0 if all went well.
#include <palitra.hpp>

// Objects of the binding do not pass from the one to the other; handles do.
bool echo_without_exceptions(palitra_runner runner);

#if defined(__cpp_exceptions)
int main() {
    const palitra::Runner runner;
    if (!echo_without_exceptions(runner.get())) return 1;
    try {
        (void)runner.run("no.such.job");
    } catch (const palitra::error& error) {
        return error.status() == palitra::StatusCode::unknown_job ? 0 : 2;
    }
    return 3;
}
#else
bool echo_without_exceptions(palitra_runner runner) {
    return palitra::Runner::borrow(runner).run("palitra.echo", "x").text() == "x";
}
#endif
