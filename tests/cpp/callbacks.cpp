// Lambdas as callbacks, and futures: called once, and freed once.
//
// Promise 6: callbacks run once.
#include <vector>

#include "support.hpp"

TEST_CASE("a callback is given the reply, the status or nothing") {
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("palitra.sleep", R"({"seconds": 0.001})");
    Mailbox<palitra::Reply> reply;
    Mailbox<Status> status;
    Mailbox<int> nothing;
    token.on_complete([&](palitra::Reply left) { reply.put(std::move(left)); });
    token.on_complete([&](Status ended) { status.put(ended); });
    token.on_complete([&] { nothing.put(1); });
    CHECK(reply.take().text() == R"({"seconds":0.001})");
    CHECK(status.take() == Status::ok);
    CHECK(nothing.take() == 1);
}

TEST_CASE("a callback runs on the runner's thread, also for a job that has finished") {
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("test.fail", failing);
    (void)token.try_wait();
    Mailbox<std::thread::id> first, second;
    token.on_complete([&](Status) { first.put(std::this_thread::get_id()); });
    token.on_complete([&](Status) { second.put(std::this_thread::get_id()); });
    const auto id = first.take();
    CHECK(id != std::this_thread::get_id());
    CHECK(id == second.take());
}

TEST_CASE("a callback is called once and destroyed once, though it is move-only") {
    Counts counts;
    {
        const palitra::Runner runner;
        const palitra::Token token = runner.submit("test.nested", "hello");
        token.on_complete(Counted(counts));
        (void)token.wait();
        eventually([&] { return counts.ends == 1; });
    }
    CHECK(counts.calls == 1);
    CHECK(counts.ends == 1);
}

TEST_CASE("a callback that is refused is destroyed once and never called") {
    Counts counts;
    const palitra::Token none;
    CHECK(none.try_on_complete(Counted(counts)).status() == Status::invalid_handle);
    CHECK(thrown_by([&] { none.on_complete(Counted(counts)); }) == Status::invalid_handle);
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("test.never");
    runner.shutdown();
    CHECK(token.try_on_complete(Counted(counts)).status() == Status::shut_down);
    CHECK(counts.calls == 0);
    CHECK(counts.ends == 3);
}

TEST_CASE("destroying the pending token takes its callbacks back") {
    Counts counts;
    const palitra::Runner runner;
    {
        const palitra::Token token = runner.submit("test.never");
        token.on_complete(Counted(counts));
        token.on_complete(Counted(counts));
    }
    CHECK(counts.ends == 2);
    CHECK(counts.calls == 0);
}

TEST_CASE("a shutdown calls back for what it cancels") {
    Counts counts;
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("test.never");
    std::atomic<Status> seen{Status::ok};
    token.on_complete([&](const palitra::Reply& reply) { seen = reply.status(); });
    token.on_complete(Counted(counts));
    runner.shutdown();
    CHECK(seen.load() == Status::cancelled);
    CHECK(counts.calls == 1);
    eventually([&] { return counts.ends == 1; });
}

TEST_CASE("a callback keeps a token that nobody else keeps") {
    Counts counts;
    const palitra::Runner runner;
    runner.submit("test.nested", "hello").on_complete(Counted(counts));
    eventually([&] { return counts.ends == 1; });
    CHECK(counts.calls == 1);

    palitra_token raw;
    Mailbox<palitra::Reply> reply;
    {
        palitra::Token token = runner.submit("test.nested", "kept");
        raw = token.get();
        std::move(token).on_complete([&](palitra::Reply left) { reply.put(std::move(left)); });
    }
    CHECK(reply.take().text() == "kept");
    eventually([&] { return palitra_token_poll(raw, nullptr) == PALITRA_INVALID_HANDLE; });
}

TEST_CASE("a callback that keeps its token is called exactly once, whatever becomes of the runner") {
    Counts counts;
    Mailbox<Status> seen;
    {
        const palitra::Runner runner;
        runner.submit("test.never").on_complete(Counted(counts));
        palitra::Token late = runner.submit("test.never");
        runner.shutdown();
        std::move(late).on_complete([&](palitra::Reply reply) { seen.put(reply.status()); });
        CHECK(seen.take() == Status::cancelled);
        palitra::Token none;
        std::move(none).on_complete([&](palitra::Reply reply) { seen.put(reply.status()); });
        CHECK(seen.take() == Status::invalid_handle);
    }
    eventually([&] { return counts.ends == 1; });
    CHECK(counts.calls == 1);
}

TEST_CASE("the twin keeps such a token, too, also where the token comes from a twin") {
    Counts counts;
    const palitra::Runner runner;
    constexpr const char* soon = R"({"seconds": 0.02})";
    CHECK(runner.submit("palitra.sleep", soon).try_on_complete(Counted(counts)));
    CHECK(runner.try_submit("palitra.sleep", soon)->try_on_complete(Counted(counts)));
    runner.try_submit("palitra.sleep", soon)->on_complete(Counted(counts));
    CHECK((*runner.try_submit("palitra.sleep", soon)).try_on_complete(Counted(counts)));
    eventually([&] { return counts.ends == 4; });
    CHECK(counts.calls == 4);
    // One that was not submitted is no token.
    CHECK(runner.try_submit("no.such.job")->try_on_complete(Counted(counts)));
    CHECK(counts.calls == 5);
}

TEST_CASE("a callback that keeps its token takes the reply, the status or nothing, too") {
    const palitra::Runner runner;
    Mailbox<Status> status;
    Mailbox<int> nothing;
    runner.submit("test.fail", failing).on_complete([&](Status ended) { status.put(ended); });
    runner.submit("test.fail", failing).on_complete([&] { nothing.put(1); });
    CHECK(status.take() == Status::job_failed);
    CHECK(nothing.take() == 1);
}

TEST_CASE("a callback may submit, look and free") {
    const palitra::Runner runner;
    Mailbox<palitra::Reply> last;
    auto token = std::make_unique<palitra::Token>(runner.submit("test.nested", "first"));
    token->on_complete([&](const palitra::Reply& reply) {
        runner.submit("palitra.echo", std::string(reply.text()) + " second").on_complete([&](palitra::Reply next) {
            last.put(std::move(next));
        });
        token.reset();
    });
    CHECK(last.take().text() == "first second");
}

TEST_CASE("every callback of many is destroyed once, whoever wins: the job, a cancel or the token's end") {
    constexpr int jobs = 600;
    Counts kept, given;
    {
        const palitra::Runner runner;
        std::vector<palitra::Token> tokens;
        for (int i = 0; i < jobs; i++) {
            tokens.push_back(runner.submit("test.nested", "x"));
            tokens.back().on_complete(Counted(given));
            auto other = runner.submit(i % 2 == 0 ? "test.nested" : "palitra.echo", "y");
            if (i % 3 == 0) other.cancel();
            std::move(other).on_complete(Counted(kept));
        }
        std::thread canceller([&] {
            for (std::size_t i = 0; i < tokens.size(); i += 2) (void)tokens[i].try_cancel();
        });
        canceller.join();
        tokens.clear();
    }
    eventually([&] { return kept.ends == jobs && given.ends == jobs; });
    CHECK(kept.calls == jobs);
    CHECK(given.calls <= jobs);
}

TEST_CASE("a future has the reply, or throws the failure") {
    const palitra::Runner runner;
    std::future<palitra::Reply> reply = palitra::as_future(runner.submit("test.nested", "hello"));
    CHECK(reply.get().text() == "hello");
    auto failure = palitra::as_future(runner.submit("test.fail", failing));
    try {
        (void)failure.get();
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.code() == 7);
        CHECK(error.message() == "broken");
    }
}

TEST_CASE("a future is ready whatever becomes of its runner, and its destructor does not block") {
    auto never = [] {
        const palitra::Runner runner;
        {
            const auto abandoned = palitra::as_future(runner.submit("test.never"));
        }
        return palitra::as_future(runner.submit("test.never"));
    }();
    CHECK(never.wait_for(20s) == std::future_status::ready);
    CHECK(thrown_by([&] { (void)never.get(); }) == Status::cancelled);
}

// Promise 3: deadlines hold, also while a job blocks the runner's thread.
TEST_CASE("a future becomes ready while a job blocks the runner's thread") {
    const palitra::Runner runner;
    palitra::SubmitOptions soon;
    soon.deadline = 50ms;
    const Blocked blocked(runner);
    auto late = palitra::as_future(runner.submit("test.never", {}, soon));
    palitra::Token token = runner.submit("test.never");
    const palitra_token raw = token.get();
    auto cancelled = palitra::as_future(std::move(token));
    palitra_token_cancel(raw);
    CHECK(thrown_by([&] { (void)cancelled.get(); }) == Status::cancelled);
    CHECK(thrown_by([&] { (void)late.get(); }) == Status::deadline);
    CHECK(blocked.still());
}

TEST_CASE("a future is ready when the shutdown has returned, though a callback blocks the runner's thread") {
    std::promise<void> release;
    auto released = release.get_future().share();
    Mailbox<int> entered;
    std::future<palitra::Reply> future;
    {
        const palitra::Runner runner;
        runner.submit("test.ready").on_complete([released, &entered](const palitra::Reply&) {
            entered.put(1);
            released.wait();
        });
        (void)entered.take();
        future = palitra::as_future(runner.submit("test.never"));
        CHECK_FALSE(runner.shutdown());
        CHECK(future.wait_for(0s) == std::future_status::ready);
        release.set_value();
    }
    CHECK(thrown_by([&] { (void)future.get(); }) == Status::cancelled);
}

TEST_CASE("a function that returns is a job, called by name as any other") {
    const palitra::Runner runner;
    palitra::register_job(runner, "cpp.twice", [](std::string_view payload) { return std::string(payload) += payload; },
                          {palitra::Format::text, palitra::Format::text});
    CHECK(runner.run("cpp.twice", "ab").text() == "abab");
    CHECK(runner.run("cpp.twice", "ab").format() == palitra::Format::text);
    CHECK(runner.submit("cpp.twice", "ab").wait().text() == "abab");
    CHECK(runner.try_run("cpp.twice", "\xff").status() == Status::bad_payload);
    palitra::register_job(runner, "cpp.throws",
                          [](std::string_view) -> std::string { throw std::runtime_error("no luck"); });
    const auto failed = runner.try_run("cpp.throws");
    CHECK(failed.status() == Status::job_failed);
    CHECK(failed.message() == "no luck");
}

TEST_CASE("a job whose text or failure is not UTF-8 fails and says so") {
    const palitra::Runner runner;
    const palitra::JobFormats text{palitra::Format::bytes, palitra::Format::text};
    palitra::register_job(runner, "cpp.text", [](std::string_view) { return std::string("caf\xe9"); }, text);
    palitra::register_job(runner, "cpp.throws",
                          [](std::string_view) -> std::string { throw std::runtime_error("no caf\xe9"); });
    for (const char* job : {"cpp.text", "cpp.throws"}) {
        const auto failed = runner.try_run(job);
        CHECK(failed.status() == Status::job_failed);
        CHECK(failed.message() == "the answer is not UTF-8");
    }
}

TEST_CASE("a call may be answered elsewhere, streams, and comes before the library's job of its name") {
    const palitra::Runner runner;
    std::thread answers;
    palitra::register_job(runner, "palitra.echo", [&](palitra::Call call, std::string_view payload) {
        answers = std::thread([call = std::move(call), payload = std::string(payload)]() mutable {
            for (int i = 0; i < 100; ++i) call.send(payload);
            call.progress(100, 100);
            CHECK(!call.is_cancelled());
            call.complete("all");
            CHECK(call.try_complete("again").status() == Status::end);
            CHECK(call.try_fail(1, "again").status() == Status::end);
        });
    });
    const palitra::Token token = runner.submit("palitra.echo", "item");
    int items = 0;
    for (palitra::result<palitra::Reply> item = token.try_next(); item; item = token.try_next())
        items += item->text() == "item";
    CHECK(items == 100);
    CHECK(token.wait().text() == "all");
    answers.join();
}

TEST_CASE("a call that nobody answers fails, and one that is not needed notifies once") {
    Counts counts;
    Mailbox<palitra::Call> kept;
    {
        const palitra::Runner runner;
        palitra::register_job(runner, "cpp.drops", [](palitra::Call, std::string_view) {});
        CHECK(runner.try_run("cpp.drops").status() == Status::job_failed);
        palitra::register_job(runner, "cpp.keeps", [&](palitra::Call call, std::string_view) {
            call.on_cancel([counted = Counted(counts)]() mutable { counted(palitra::Reply()); });
            kept.put(std::move(call));
        });
        const palitra::Token token = runner.submit("cpp.keeps");
        palitra::Call call = kept.take();
        token.cancel();
        eventually([&] { return counts.calls == 1; });
        CHECK(call.is_cancelled());
        CHECK(call.try_complete().status() == Status::cancelled);
        CHECK(call.try_on_cancel([] {}).status() == Status::cancelled);
        CHECK(palitra::try_register_job(runner, "cpp.keeps", [](palitra::Call, std::string_view) {}).status() ==
              Status::invalid_argument);
    }
    CHECK(counts.calls == 1);
    CHECK(counts.ends == 1);
    CHECK(palitra::Call().try_complete().status() == Status::invalid_handle);
}

TEST_CASE("C++ and C of one process call each other's jobs") {
    const palitra::Runner runner;
    palitra::register_job(runner, "cpp.shout", [](std::string_view text) { return std::string(text) + '!'; });
    const palitra_job_info info{"c.echo", nullptr, PALITRA_TEXT, PALITRA_TEXT};
    const auto echo = [](palitra_call call, const void* data, std::size_t size, void*) {
        palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, size);
        palitra_call_free(call);
    };
    REQUIRE(palitra_runner_register(runner.get(), &info, echo, nullptr, nullptr) == PALITRA_OK);
    CHECK(runner.run("c.echo", "from C++").text() == "from C++");
    palitra_reply reply;
    CHECK(palitra_runner_run(runner.get(), "cpp.shout", "from C", 6, PALITRA_FOREVER, &reply) == PALITRA_OK);
    CHECK(std::string_view(reinterpret_cast<const char*>(reply.data), reply.len) == "from C!");
    palitra_reply_free(&reply);
}
