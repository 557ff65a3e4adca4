// One runner, one job: running, submitting, waiting, failing.
//
// Promise 3: timeouts and deadlines hold.
// Promise 5: nothing deadlocks on the runner's own thread.
// Promise 7: a panic ends its job and nothing else.
// Promise 11: bad input and limits return a status.
#include <array>
#include <cstddef>
#include <fstream>
#include <limits>
#include <vector>

#include "support.hpp"

TEST_CASE("a run returns what the job left") {
    const palitra::Runner runner;
    const palitra::Reply reply = runner.run("palitra.sleep", R"({"seconds": 0.001})");
    CHECK(reply);
    CHECK(reply.status() == Status::ok);
    CHECK(reply.format() == palitra::Format::json);
    CHECK(reply.text() == R"({"seconds":0.001})");
    CHECK(std::string(reply.begin(), reply.end()) == reply.text());
    CHECK(runner.run("test.ready").empty());
}

TEST_CASE("a payload is any container of bytes") {
    const palitra::Runner runner;
    const std::string text = "hello";
    const std::vector<std::uint8_t> numbers{'h', 'e', 'l', 'l', 'o'};
    const std::array<std::byte, 2> bytes{std::byte{'h'}, std::byte{'i'}};
    CHECK(runner.run("palitra.echo", "hello").text() == "hello");
    CHECK(runner.run("palitra.echo", text).text() == "hello");
    CHECK(runner.run("palitra.echo", std::string_view(text).substr(1)).text() == "ello");
    CHECK(runner.run("palitra.echo", numbers).text() == "hello");
    CHECK(runner.run("palitra.echo", bytes).text() == "hi");
    CHECK(runner.run("palitra.echo", {text.data(), 3}).text() == "hel");
    CHECK(runner.run("palitra.echo", std::string("a\0b", 3)).size() == 3);
    CHECK(runner.run("palitra.echo", runner.run("palitra.echo", "again")).text() == "again");
    static_assert(!std::is_convertible_v<std::vector<int>, palitra::Payload>, "numbers have an order of bytes");
}

TEST_CASE("JSON with bytes behind it is one payload, and one reply") {
    const palitra::Runner runner;
    const std::string bytes("a\0\n\xff", 4);
    const palitra::Reply reply = runner.run("test.framed", palitra::frame(R"({"width": 1})", bytes));
    const auto [json, body] = palitra::unframe(reply.text());
    CHECK(json == R"({"bytes":4,"head":{"width":1}})");
    CHECK(body == bytes);
    CHECK(palitra::unframe("[1]").json == "[1]");
    CHECK(palitra::unframe("[1]").bytes.empty());
    CHECK(palitra::unframe("[1]\n").bytes.empty());
}

TEST_CASE("a failure has the details that its job gave it, as JSON") {
    const palitra::Runner runner;
    const char* const detailed = R"({"code": 7, "message": "broken", "details": {"sqlstate": "23505"}})";
    try {
        (void)runner.run("test.fail", detailed);
        FAIL("nothing was thrown");
    } catch (const palitra::job_failed& thrown) {
        palitra::error copy = thrown;
        copy = palitra::error(thrown);
        CHECK(copy.details() == R"({"sqlstate":"23505"})");
    }
    const auto result = runner.try_run("test.fail", detailed);
    CHECK(result.details() == R"({"sqlstate":"23505"})");
    CHECK(result.error().details() == result.details());
}

TEST_CASE("a failure throws its status, code and message; the twin says the same and throws nothing") {
    const palitra::Runner runner;
    try {
        (void)runner.run("test.fail", failing);
        FAIL("nothing was thrown");
    } catch (const std::runtime_error& standard) {
        const auto& error = dynamic_cast<const palitra::error&>(standard);
        CHECK(error.status() == Status::job_failed);
        CHECK(error.code() == 7);
        CHECK(error.message() == "broken");
        CHECK(error.what() == std::string("broken"));
    }
    const auto result = runner.try_run("test.fail", failing);
    CHECK_FALSE(result);
    CHECK(result.status() == Status::job_failed);
    CHECK(result.code() == 7);
    CHECK(result.message() == "broken");
    CHECK(result->text() == "broken");
    CHECK(result.details().empty());
    static_assert(noexcept(runner.try_run("x")) && noexcept(runner.try_submit("x")));
}

TEST_CASE("a job's own failure and a payload that it refuses have classes, and the second is a kind of the first") {
    const palitra::Runner runner;
    CHECK_THROWS_AS((void)runner.run("test.fail", failing), palitra::job_failed);
    try {
        (void)runner.run("test.fail", failing);
    } catch (const palitra::bad_payload&) {
        FAIL("the payload is well");
    } catch (const palitra::job_failed& failed) {
        CHECK(failed.code() == 7);
    }
    const auto refused = [](const palitra::error& error) {
        CHECK(error.status() == Status::bad_payload);
        CHECK(error.message().find("the payload does not fit") == 0);
    };
    try {
        (void)runner.run("palitra.sleep", "no json");
        FAIL("nothing was thrown");
    } catch (const palitra::bad_payload& error) {
        refused(error);
    }
    // Who knows only its base catches it still.
    try {
        (void)palitra::as_future(runner.submit("palitra.sleep", "no json")).get();
        FAIL("nothing was thrown");
    } catch (const palitra::job_failed& error) {
        refused(error);
    }
    CHECK(runner.try_run("palitra.sleep", "no json").status() == Status::bad_payload);
    CHECK_THROWS_AS((void)runner.run("test.panic", "boom"), palitra::error);
    CHECK(runner.run("palitra.echo", "x").exception() == nullptr);
}

TEST_CASE("an unknown job is named, with the nearest that there is") {
    const palitra::Runner runner;
    const auto text = [](auto&& call) {
        try {
            call();
        } catch (const palitra::error& error) {
            CHECK(error.status() == Status::unknown_job);
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    const std::string message = "no job is registered as \"palitra.ech\"; the nearest is \"palitra.echo\"";
    CHECK(text([&] { (void)runner.run("palitra.ech"); }) == message);
    CHECK(text([&] { (void)runner.submit("palitra.ech"); }) == message);
    CHECK(text([&] { runner.submit_detached("palitra.ech"); }) == message);
    CHECK(text([&] { (void)runner.stream("palitra.ech"); }) == message);
    CHECK(runner.try_run("palitra.ech").message() == message);
    CHECK(text([&] { (void)runner.submit("no.such.job"); }) == "no job is registered as \"no.such.job\"");
}

TEST_CASE("a deadline that has passed already is one") {
    const palitra::Runner runner;
    palitra::SubmitOptions late;
    late.deadline = std::chrono::seconds(-1);
    CHECK(runner.submit("test.never", {}, late).try_wait().status() == Status::deadline);
}

TEST_CASE("a panic is a failure with a message, and the runner lives on") {
    const palitra::Runner runner;
    const auto result = runner.try_run("test.panic", "boom");
    CHECK(result.status() == Status::job_panicked);
    CHECK(result.message() == "boom");
    CHECK(runner.is_alive());
    CHECK(runner.run("palitra.echo", "alive").text() == "alive");
}

TEST_CASE("what cannot be meant is refused") {
    const palitra::Runner runner;
    CHECK(thrown_by([&] { (void)runner.run("no.such.job"); }) == Status::unknown_job);
    CHECK(runner.try_submit("no.such.job").status() == Status::unknown_job);
    CHECK(runner.try_run(std::string(1000, 'x')).status() == Status::unknown_job);
    CHECK(runner.try_run(std::string_view("palitra.echo\0", 13)).status() == Status::invalid_argument);
    CHECK(runner.try_run("palitra.echo", {nullptr, 5}).status() == Status::invalid_argument);
    CHECK(runner.try_run("").message() == "no job is registered as \"\"");
    palitra::RunnerOptions options;
    options.worker_threads = 1'000'000;
    CHECK(thrown_by([&] { const palitra::Runner impossible(options); }) == Status::invalid_argument);
    options = {};
    options.thread_name = std::string("a\0b", 3);
    CHECK(palitra::Runner::try_make(options).status() == Status::invalid_argument);
}

TEST_CASE("a name may be a part of a longer text, of any length") {
    const palitra::Runner runner;
    CHECK(runner.run(std::string_view("palitra.echoes").substr(0, 12), "hello").text() == "hello");
    for (std::size_t length = 60; length < 70; length++)
        CHECK(runner.try_run(std::string(length, 'x')).status() == Status::unknown_job);
}

TEST_CASE("a timeout is any duration; negative is now, endless is forever") {
    using palitra::Timeout;
    CHECK(Timeout(20ms).nanoseconds() == 20'000'000);
    CHECK(Timeout(0s).nanoseconds() == 0);
    CHECK(Timeout(-1s).nanoseconds() == 0);
    CHECK(Timeout(std::chrono::duration<double, std::nano>(1.5)).nanoseconds() == 2);
    CHECK(Timeout(std::chrono::duration<double>(0.25)).nanoseconds() == 250'000'000);
    CHECK(Timeout(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).nanoseconds() == 0);
    CHECK(Timeout(std::chrono::hours::max()).nanoseconds() < 0);
    CHECK(Timeout(std::chrono::nanoseconds::max()).nanoseconds() < 0);
    CHECK(Timeout(std::chrono::hours::min()).nanoseconds() == 0);
    CHECK(palitra::forever.nanoseconds() < 0);
}

TEST_CASE("a run past its timeout is cancelled") {
    const palitra::Runner runner;
    CHECK(thrown_by([&] { (void)runner.run("test.never", {}, 10ms); }) == Status::deadline);
    CHECK(runner.try_run("test.never", {}, -1s).status() == Status::deadline);
    CHECK(runner.run("palitra.echo", "soon", 20s).text() == "soon");
}

// Promise 2: a job that is ready at once costs no hand-off.
// Promise 3: timeouts and deadlines hold.
TEST_CASE("a bounded run polls an inline job on this thread and no other") {
    const palitra::Runner runner;
    const palitra::Token holding = runner.submit("test.hold", R"({"seconds": 60})");
    CHECK(runner.run("palitra.echo", "bounded", 20s).text() == "bounded");
    CHECK(runner.try_run("palitra.sleep", R"({"seconds": 60})", 20ms).status() == Status::deadline);
#if defined(__cpp_lib_jthread)
    std::stop_source stop;
    CHECK(runner.run("palitra.echo", "stoppable", stop.get_token()).text() == "stoppable");
    const std::jthread stopper([&] {
        eventually([&] { return runner.stats().queued == 1; });
        stop.request_stop();
    });
    CHECK(runner.try_run("test.spin", R"({"seconds": 60})", stop.get_token()).status() == Status::cancelled);
#endif
    CHECK(holding.try_poll().status() == Status::pending);
    CHECK(runner.try_run("test.let_go").status() == Status::ok);
}

TEST_CASE("a wait past its timeout leaves the job running") {
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    CHECK_FALSE(never.wait_for(1ms).has_value());
    CHECK_FALSE(never.poll().has_value());
    CHECK(never.try_wait(1ms).status() == Status::pending);
    CHECK(never.try_poll().status() == Status::pending);
    never.cancel();
    CHECK(thrown_by([&] { (void)never.wait(); }) == Status::cancelled);
    CHECK(thrown_by([&] { (void)never.wait_for(20s); }) == Status::cancelled);
    CHECK(thrown_by([&] { (void)never.poll(); }) == Status::cancelled);
    CHECK(never.try_cancel());
}

TEST_CASE("a call waits until a time of any clock") {
    using palitra::Timeout;
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    CHECK_FALSE(never.wait_until(std::chrono::steady_clock::now() + 1ms).has_value());
    CHECK_FALSE(never.wait_until(std::chrono::system_clock::now() - 1h).has_value());
    CHECK(never.try_wait(std::chrono::system_clock::now()).status() == Status::pending);
    CHECK(thrown_by([&] { (void)runner.run("test.never", {}, std::chrono::steady_clock::now() + 5ms); }) ==
          Status::deadline);
    CHECK(runner.submit("palitra.echo", "x").wait_until(std::chrono::steady_clock::time_point::max())->text() == "x");
    CHECK(Timeout(std::chrono::steady_clock::time_point::max()).nanoseconds() != 0);
    CHECK(Timeout(std::chrono::steady_clock::time_point::min()).nanoseconds() == 0);
    CHECK(Timeout(std::chrono::steady_clock::now() + 1h).nanoseconds() > 3'500'000'000'000);
}

TEST_CASE("an error is one of the standard's, with a category") {
    const palitra::Runner runner;
    try {
        (void)runner.run("test.never", {}, 1ms);
        FAIL("nothing was thrown");
    } catch (const std::system_error& error) {
        CHECK(error.code() == Status::deadline);
        CHECK(error.code() == std::errc::timed_out);
        CHECK(error.code().category() == palitra::category());
        CHECK(error.what() == std::string(palitra::message(Status::deadline)));
    }
    try {
        (void)runner.run("test.fail", failing);
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        const palitra::error copy = palitra::error(error);
        CHECK(copy.what() == std::string("broken"));
        CHECK(copy.code() == 7);
        CHECK(copy.error_code() == Status::job_failed);
        CHECK(copy.error_code().message() == palitra::message(Status::job_failed));
    }
    CHECK(runner.try_run("no.such.job").error_code() == Status::unknown_job);
    CHECK_FALSE(runner.run("palitra.echo", "x").error_code());
}

TEST_CASE("a job that is started is ready if it is inline, and waited for otherwise") {
    const palitra::Runner runner;
    palitra::Started ready = runner.start("palitra.echo", "x");
    CHECK(ready.is_ready());
    CHECK(std::move(ready).wait().text() == "x");
    palitra::Started pending = runner.start("test.nested", "y");
    CHECK_FALSE(pending.is_ready());
    CHECK(pending.token());
    CHECK(std::move(pending).wait().text() == "y");
    CHECK(runner.start("no.such.job").reply().status() == Status::unknown_job);
    CHECK(thrown_by([&] { (void)runner.start("test.fail", failing).wait(); }) == Status::job_failed);
}

TEST_CASE("a finished token is waited for again, each reply on its own") {
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("palitra.echo", "hello");
    palitra::Reply first = token.wait();
    const palitra::Reply second = token.wait();
    first = palitra::Reply();
    CHECK(second.text() == "hello");
    CHECK(token.poll()->text() == "hello");
    CHECK(token.wait_for(0s)->text() == "hello");
}

TEST_CASE("a deadline ends the job") {
    const palitra::Runner runner;
    palitra::SubmitOptions options;
    options.deadline = 10ms;
    CHECK(runner.submit("test.never", {}, options).try_wait().status() == Status::deadline);
    options.deadline = palitra::forever;
    CHECK(runner.submit("palitra.echo", "x", options).wait().text() == "x");
}

TEST_CASE("progress is what the job said") {
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("test.progress", R"({"steps": [[1, 4], [3, 4]], "finish": true})");
    (void)token.wait();
    CHECK(token.progress().done == 3);
    CHECK(token.try_progress()->total == 4);
}

TEST_CASE("replies outlive their token and their runner") {
    palitra::Reply reply;
    palitra::Token token;
    {
        const palitra::Runner runner;
        token = runner.submit("palitra.echo", "kept");
        reply = token.wait();
    }
    CHECK(reply.text() == "kept");
    CHECK(token.poll()->text() == "kept");
    CHECK(token.wait().text() == "kept");
    CHECK(token.wait_for(1s)->text() == "kept");
}

TEST_CASE("a configuration of the process is for the runners that are made after it") {
    palitra::configure(R"({"test.configured": {"text": "of all"}})");
    CHECK(palitra::Runner().run("test.configured").text() == "of all");
    palitra::RunnerOptions options;
    options.config = R"({"test.configured": {"text": "own"}})";
    CHECK(palitra::Runner(options).run("test.configured").text() == "own");
    CHECK(palitra::try_configure("{").status() == Status::invalid_argument);
    CHECK(palitra::try_configure(std::string_view("{}\0", 3)).status() == Status::invalid_argument);
    palitra::configure("");
    CHECK(palitra::Runner().try_run("test.configured").status() == Status::job_failed);
}

TEST_CASE("options bound what a runner takes") {
    palitra::RunnerOptions options;
    options.max_in_flight = 1;
    options.max_payload = 4;
    options.thread_name = "chosen";
    options.worker_threads = 1;
    options.spin_limit = std::chrono::seconds(1);
    CHECK(palitra::Runner::try_make(options).status() == Status::invalid_argument);
    options.spin_limit = std::chrono::microseconds(5);
    const palitra::Runner runner(options);
    const palitra::Token never = runner.submit("test.never");
    CHECK(runner.try_submit("test.ready").status() == Status::busy);
    CHECK(runner.try_run("palitra.echo", "12345").status() == Status::too_large);
    CHECK(runner.stats().threads == 2);
    never.cancel();
    eventually([&] { return runner.stats().cancelled == 1; });
    CHECK(runner.try_stats()->submitted == 1);
}

TEST_CASE("a shutdown finishes every token and refuses new work") {
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    const palitra::Token soon = runner.submit("palitra.sleep", R"({"seconds": 0.01})");
    CHECK(runner.shutdown(1s));
    CHECK(never.try_poll().status() == Status::cancelled);
    CHECK(soon.poll()->text() == R"({"seconds":0.01})");
    CHECK_FALSE(runner.is_alive());
    CHECK(runner.try_submit("palitra.echo").status() == Status::shut_down);
    CHECK(runner.try_shutdown());
}

TEST_CASE("a shutdown that a job holds up says so") {
    const palitra::Runner runner;
    const palitra::Token spinning = runner.submit("test.spin", R"({"seconds": 1.5})");
    eventually([&] { return runner.stats().queued == 0; });
    CHECK_FALSE(runner.shutdown());
    CHECK(spinning.try_poll().status() == Status::cancelled);
}

TEST_CASE("the global runner belongs to the library") {
    CHECK_FALSE(palitra::Runner::is_global_alive());
    CHECK(palitra::Runner::shutdown_global());
    {
        CHECK(palitra::Runner::global().run("palitra.echo", "hello").text() == "hello");
    }
    CHECK(palitra::Runner::is_global_alive());
    CHECK(palitra::Runner::global().get().id == palitra::Runner::try_global()->get().id);
    palitra::Runner moved = palitra::Runner::global();
    moved = palitra::Runner();
    CHECK(palitra::Runner::is_global_alive());
    CHECK(palitra::Runner::shutdown_global());
    CHECK_FALSE(palitra::Runner::is_global_alive());
}

TEST_CASE("a blocking call on the runner's own thread returns would_deadlock") {
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    Mailbox<Status> seen;
    runner.submit("palitra.sleep", R"({"seconds": 0.001})").on_complete([&](palitra::Reply) {
        seen.put(never.try_wait().status());
    });
    CHECK(seen.take() == Status::would_deadlock);
}

TEST_CASE("a job whose token nobody wanted runs") {
    const palitra::Runner runner;
    runner.submit_detached("test.ready");
    CHECK(runner.try_submit_detached("no.such.job").status() == Status::unknown_job);
    eventually([&] { return runner.stats().succeeded == 1; });
}

TEST_CASE("the library says its version and its jobs") {
    CHECK(palitra::version() == palitra_version());
    const auto jobs = palitra::jobs();
    CHECK(jobs.size() == palitra_job_count());
    const auto echo =
        std::find_if(jobs.begin(), jobs.end(), [](const auto& job) { return job.name == "palitra.echo"; });
    REQUIRE(echo != jobs.end());
    CHECK_FALSE(echo->doc.empty());
    CHECK(echo->input == palitra::Format::bytes);
}

TEST_CASE("a job is described in full, alone and among all") {
    const palitra::Reply price = palitra::describe_job("typed.price");
    CHECK(price.format() == palitra::Format::json);
    CHECK(price.text().find(R"("payload":{"format":"json","schema":{)") != std::string_view::npos);
    CHECK(palitra::describe_jobs().text().find(price.text()) != std::string_view::npos);
    const auto unknown = palitra::try_describe_job("typed.prices");
    CHECK(unknown.status() == palitra::Status::unknown_job);
    CHECK(unknown.message().find("the nearest is \"typed.price\"") != std::string_view::npos);
    CHECK(palitra::try_describe_job(std::string_view("typed.price\0", 12)).status() ==
          palitra::Status::invalid_argument);
}

TEST_CASE("the log goes to a lambda, which is destroyed once") {
    Counts counts;
    std::atomic<int> messages{0};
    palitra::set_log(palitra::LogLevel::warn, [counted = Counted(counts), &messages](
                                                  palitra::LogLevel level, std::string_view target, std::string_view) {
        if (level == palitra::LogLevel::warn && target == "palitra") messages++;
    });
    const palitra::Runner runner;
    // Again where a busy machine lets the library look too late to see the first.
    eventually([&] {
        (void)runner.run("test.spin", R"({"seconds": 0.2})", 20s);
        return messages > 0;
    });
    CHECK(counts.ends == 0);
    palitra::clear_log();
    eventually([&] { return counts.ends == 1; });
    CHECK(palitra::try_set_log(static_cast<palitra::LogLevel>(99), [counted = Counted(counts)](auto, auto, auto) {
          }).status() == Status::invalid_argument);
    CHECK(counts.ends == 2);
}

#if defined(__cpp_lib_jthread)
TEST_CASE("a stop token cancels a run and a wait") {
    const palitra::Runner runner;
    std::stop_source stop;
    {
        const std::jthread stopper([&] {
            eventually([&] { return runner.stats().running == 1; });
            stop.request_stop();
        });
        CHECK(runner.try_run("test.never", {}, stop.get_token()).status() == Status::cancelled);
    }
    CHECK(runner.try_run("no.such.job", {}, std::stop_token()).status() == Status::unknown_job);
    CHECK(runner.run("palitra.echo", "hello", std::stop_token()).text() == "hello");
    CHECK(runner.try_run("test.stream", R"({"items": 40})", std::stop_source().get_token()).message() ==
          "nobody reads the stream any more");
    CHECK(runner.try_run("test.never", {}, std::stop_source().get_token(), 5ms).status() == Status::deadline);
    CHECK(runner.run("test.nested", "in time", std::stop_source().get_token(), 20s).text() == "in time");
    const palitra::Token never = runner.submit("test.never");
    const auto submitted = runner.stats().submitted;
    CHECK(thrown_by([&] { (void)runner.run("palitra.echo", "never starts", stop.get_token()); }) == Status::cancelled);
    CHECK(runner.stats().submitted == submitted);
    Mailbox<Status> in_a_callback;
    runner.submit("test.nested", "x").on_complete([&](const palitra::Reply&) {
        in_a_callback.put(runner.try_run("test.never", {}, std::stop_source().get_token()).status());
    });
    CHECK(in_a_callback.take() == Status::would_deadlock);
    // The nested job and its own.
    CHECK(runner.stats().submitted == submitted + 2);
#if defined(__cpp_impl_coroutine)
    {
        const auto cancelling = palitra::cancel_on(std::stop_source().get_token(), never);
        CHECK(never.try_poll().status() == Status::pending);
    }
    const auto cancelling = palitra::cancel_on(stop.get_token(), never);
    CHECK(never.try_wait().status() == Status::cancelled);
#endif
}
#endif
