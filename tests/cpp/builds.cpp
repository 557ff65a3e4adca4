// One program that calls everything in the way that does not throw, for compilers and flags that the other tests do not
// see: without exceptions, without types at run time, with coroutines in C++17, with another standard library, with
// names that are macros. Exits with 0 if all went well; else with the line.
#include "hostile.hpp"

#include <palitra.hpp>

#if !defined(forever) || !defined(Status) || !defined(Bool) || !defined(None)
#error "a macro of the user's is gone"
#endif

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "coroutines.hpp"

namespace {

using Code = palitra::StatusCode;

void check(bool condition, int line) {
    if (condition) return;
    std::printf("builds.cpp:%d\n", line);
    std::exit(1);
}
#define CHECK(condition) check(static_cast<bool>(condition), __LINE__)

struct Text {
    std::string encode(int value) const { return std::to_string(value); }
    template <class Out>
    Out decode(std::string_view text) const {
        return static_cast<Out>(text.size());
    }
};

void calls(const palitra::Runner& runner) {
    using namespace std::chrono_literals;
    CHECK(runner.try_run("palitra.echo", "x", palitra::no_timeout)->text() == "x");
    CHECK(runner.try_run("no.such.job").error_code() == Code::unknown_job);
    CHECK(!runner.try_run("palitra.echo", "x").error_code());
    const auto token = runner.try_submit("palitra.echo", "x");
    CHECK(token->try_wait(std::chrono::steady_clock::now() + 20s)->text() == "x");
    CHECK(token->try_poll()->text() == "x");
    CHECK(token->try_cancel());
    CHECK(token->try_progress()->done == 0);
    CHECK(token->try_on_complete([] {}));
    CHECK(runner.try_submit("palitra.echo")->try_on_complete([](const palitra::Reply&) {}));
    CHECK(runner.start("palitra.echo", "x").try_wait()->text() == "x");
    const palitra::Token* pointers[] = {&*token};
    CHECK(palitra::try_gather(*token, *token));
    CHECK(palitra::try_gather(pointers));
    CHECK(*palitra::try_when_any(palitra::no_timeout, *token) == 0);
    const palitra::Submission jobs[] = {{"palitra.echo", "x"}};
    CHECK(palitra::try_run_many(runner, jobs));
    CHECK(runner.try_stream("palitra.echo")->token().try_next().status() == Code::end);
    CHECK(palitra::Typed(palitra::Runner::borrow(runner.get()), Text()).try_run<int>("palitra.echo", 25).has_value());
}

void queues(const palitra::Runner& runner) {
    const auto queue = palitra::Queue::try_make();
    palitra::SubmitOptions options;
    options.queue = &*queue;
    std::vector<palitra::Submission> jobs(200, {"palitra.echo", "x"});
    auto submitted = runner.try_submit_many(jobs, options);
    CHECK(submitted && palitra::try_gather(submitted.tokens));
    CHECK(queue->try_next().has_value());
    CHECK(queue->try_next_batch(150)->size() == 150);
    // As many as there are, without room for as many as there might be. The last events may come after the gather.
    std::size_t left = 49;
    while (left > 0) {
        const std::size_t taken = queue->try_next_batch(static_cast<std::size_t>(-1))->size();
        CHECK(taken > 0 && taken <= left);
        left -= taken;
    }
    CHECK(queue->try_next_batch(0).status() == Code::invalid_argument);
    CHECK(queue->try_close());
    CHECK(queue->try_next_batch(static_cast<std::size_t>(-1)).status() == Code::end);
}

#if defined(__cpp_impl_coroutine)
Detached coroutine(const palitra::Runner& runner, std::atomic<int>& steps) {
    CHECK((co_await palitra::try_await(runner.start("palitra.echo", "x")))->text() == "x");
    steps++;
    const auto stream = runner.try_submit("palitra.sleep", R"({"seconds": 0.01})");
    CHECK((co_await palitra::try_next_item(*stream)).status() == Code::end);
    const auto here = [](const auto& work) { work(); };
    CHECK(co_await palitra::try_resume_on(here, *stream));
    steps++;
}
#endif

} // namespace

int main() {
    const auto runner = palitra::Runner::try_make();
    CHECK(runner.has_value());
    calls(*runner);
    queues(*runner);
#if defined(__cpp_impl_coroutine)
    std::atomic<int> steps{0};
    coroutine(*runner, steps);
    CHECK(steps >= 1);
    while (steps < 2) (void)runner->try_run("palitra.sleep", R"({"seconds": 0.001})");
#endif
#if defined(__cpp_exceptions)
    try {
        palitra::detail::raise(Code::deadline, 0, "late");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::timed_out);
        CHECK(error.code() == Code::deadline);
        CHECK(error.what() == std::string("late"));
    }
#endif
    CHECK(runner->try_shutdown());
}
