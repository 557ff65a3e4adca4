// Tokens in coroutines: where they resume, that they resume once, and what becomes of those that do not.
//
// Promise 1: a token finishes exactly once.
#include "coroutines.hpp"
#include "support.hpp"

#if defined(__cpp_impl_coroutine)

#include <deque>
#include <vector>

namespace {

// A user's event loop: work comes from any thread and runs on the one that calls run_one.
class Loop {
public:
    void push(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        work_.push_back(std::move(work));
        filled_.notify_one();
    }
    void run_one() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !work_.empty(); });
        auto work = std::move(work_.front());
        work_.pop_front();
        lock.unlock();
        work();
    }
    std::size_t waiting() {
        const std::lock_guard lock(mutex_);
        return work_.size();
    }
    auto executor() {
        return [this](std::function<void()> work) { push(std::move(work)); };
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<std::function<void()>> work_;
};

// The other form of an executor.
struct Member {
    Loop* loop;
    template <class Work>
    void execute(Work work) const {
        loop->push(std::move(work));
    }
};

// A job whose items the test sends.
class Sender {
public:
    explicit Sender(const palitra::Runner& runner) : runner_(&runner) {
        palitra::register_job(runner, "host.stream", [calls = calls_](palitra::Call call, std::string_view) {
            calls->put(std::make_shared<palitra::Call>(std::move(call)));
        });
    }
    // The job of before goes on without an answer of the test's.
    palitra::Token start() const {
        palitra::Token stream = runner_->submit("host.stream");
        call_ = calls_->take();
        return stream;
    }
    void send(std::string_view item) const { call_->send(item); }

private:
    const palitra::Runner* runner_;
    std::shared_ptr<Mailbox<std::shared_ptr<palitra::Call>>> calls_ =
        std::make_shared<Mailbox<std::shared_ptr<palitra::Call>>>();
    mutable std::shared_ptr<palitra::Call> call_;
};

} // namespace

TEST_CASE("a coroutine awaits a token") {
    const palitra::Runner runner;
    Mailbox<std::string> seen;
    [](const palitra::Runner& runner, Mailbox<std::string>& seen) -> Detached {
        const palitra::Token kept = runner.submit("test.nested", "kept");
        const palitra::Reply first = co_await kept;
        const palitra::Reply second = co_await runner.submit("test.nested", " and passing");
        const palitra::Reply again = co_await kept;
        seen.put(std::string(first.text()) + std::string(second.text()) + ", " + std::string(again.text()));
    }(runner, seen);
    CHECK(seen.take() == "kept and passing, kept");
}

TEST_CASE("without an executor it continues at once or resumes on the runner's thread") {
    const palitra::Runner runner;
    const palitra::Token done = runner.submit("palitra.echo", "done");
    (void)done.wait();
    Mailbox<std::thread::id> id;
    const auto where = [&](const palitra::Token& token) -> Detached {
        (void)co_await token;
        id.put(std::this_thread::get_id());
    };
    where(done);
    CHECK(id.take() == std::this_thread::get_id());
    const palitra::Token never = runner.submit("palitra.sleep", R"({"seconds": 0.01})");
    where(never);
    Mailbox<std::thread::id> runners;
    never.on_complete([&] { runners.put(std::this_thread::get_id()); });
    CHECK(id.take() == runners.take());
}

TEST_CASE("with an executor it resumes there, also if the job has finished") {
    const palitra::Runner runner;
    Loop loop;
    const palitra::Token done = runner.submit("palitra.echo", "done");
    (void)done.wait();
    std::vector<std::string> seen;
    const auto main_thread = std::this_thread::get_id();
    const auto read = [&](auto executor, const palitra::Token& token) -> Detached {
        const palitra::Reply reply = co_await palitra::resume_on(executor, token);
        CHECK(std::this_thread::get_id() == main_thread);
        seen.emplace_back(reply.text());
    };
    read(loop.executor(), done);
    CHECK(seen.empty());
    loop.run_one();
    const palitra::Token pending = runner.submit("test.nested", "pending");
    read(Member{&loop}, pending);
    loop.run_one();
    CHECK(seen == std::vector<std::string>{"done", "pending"});
}

TEST_CASE("a failure is thrown where it is awaited; its twin returns it") {
    const palitra::Runner runner;
    Loop loop;
    int failures = 0;
    [](const palitra::Runner& runner, Loop& loop, int& failures) -> Detached {
        const palitra::Token token = runner.submit("test.fail", failing);
        try {
            (void)co_await palitra::resume_on(loop.executor(), token);
        } catch (const palitra::error& error) {
            failures += error.code();
        }
        const palitra::result<palitra::Reply> twin = co_await palitra::try_resume_on(loop.executor(), token);
        failures += twin.code();
        failures += (co_await palitra::try_await(token)).code();
    }(runner, loop, failures);
    loop.run_one();
    loop.run_one();
    CHECK(failures == 21);
}

TEST_CASE("it resumes once, whatever becomes of the token and the runner") {
    Loop loop;
    std::vector<Status> seen;
    const auto await = [&](const palitra::Token& token) -> Detached {
        seen.push_back((co_await palitra::try_resume_on(loop.executor(), token)).status());
    };
    {
        const palitra::Runner runner;
        {
            const palitra::Token lost = runner.submit("test.never");
            await(lost);
        }
        loop.run_one();
        const palitra::Token never = runner.submit("test.never");
        await(never);
        runner.shutdown();
        loop.run_one();
        await(never);
        loop.run_one();
        await(palitra::Token());
        loop.run_one();
    }
    CHECK(seen ==
          std::vector<Status>{Status::invalid_handle, Status::cancelled, Status::cancelled, Status::invalid_handle});
    CHECK(loop.waiting() == 0);
}

TEST_CASE("a stop token cancels what is awaited") {
    const palitra::Runner runner;
    Loop loop;
    std::stop_source stop;
    Status seen = Status::ok;
    [](const palitra::Runner& runner, Loop& loop, std::stop_token stop, Status& seen) -> Detached {
        const palitra::Token never = runner.submit("test.never");
        const auto cancelling = palitra::cancel_on(stop, never);
        seen = (co_await palitra::try_resume_on(loop.executor(), never)).status();
    }(runner, loop, stop.get_token(), seen);
    stop.request_stop();
    loop.run_one();
    CHECK(seen == Status::cancelled);
}

TEST_CASE("a coroutine may be destroyed while it waits") {
    const palitra::Runner runner;
    Loop loop;
    int resumed = 0;
    const auto wait = [&](const palitra::Token& token) -> Owned {
        (void)co_await palitra::try_resume_on(loop.executor(), token);
        resumed++;
    };
    const palitra::Token never = runner.submit("test.never");
    {
        const Owned pending = wait(never);
    }
    never.cancel();
    loop.run_one();
    const palitra::Token soon = runner.submit("test.nested", "soon");
    {
        const Owned on_its_way = wait(soon);
        eventually([&] { return loop.waiting() == 1; });
    }
    loop.run_one();
    {
        const Owned inline_one = [](const palitra::Runner& runner) -> Owned {
            (void)co_await runner.submit("test.never");
        }(runner);
    }
    CHECK(resumed == 0);
}

TEST_CASE("an awaiter that is awaited again has the reply again") {
    const palitra::Runner runner;
    Loop loop;
    Mailbox<std::string> seen;
    const palitra::Token token = runner.submit("palitra.sleep", R"({"seconds": 0.02})");
    const auto twice = [&](auto executor) -> Detached {
        std::string texts;
        auto awaiter = palitra::try_resume_on(executor, token);
        for (int i = 0; i < 2; i++) {
            const palitra::Reply reply = *co_await awaiter;
            texts += reply.text();
        }
        seen.put(texts);
    };
    const std::string expected = R"({"seconds":0.02}{"seconds":0.02})";
    twice(palitra::InlineExecutor());
    CHECK(seen.take() == expected);
    twice(loop.executor());
    loop.run_one();
    loop.run_one();
    CHECK(seen.take() == expected);
}

TEST_CASE("a coroutine resumes while a job blocks the runner's thread") {
    const palitra::Runner runner;
    Mailbox<Status> seen;
    const auto await = [&](const palitra::Token& token) -> Detached {
        seen.put((co_await palitra::try_await(token)).status());
    };
    Loop loop;
    const auto await_in_loop = [&](const palitra::Token& token) -> Detached {
        seen.put((co_await palitra::try_resume_on(loop.executor(), token)).status());
    };
    palitra::SubmitOptions soon;
    soon.deadline = 50ms;
    const Blocked blocked(runner);
    const palitra::Token never = runner.submit("test.never"), late = runner.submit("test.never", {}, soon);
    await(never);
    never.cancel();
    CHECK(seen.take() == Status::cancelled);
    await_in_loop(late);
    loop.run_one();
    CHECK(seen.take() == Status::deadline);
    CHECK(blocked.still());
}

TEST_CASE("what resumes inline does so on a thread of the runner's, never in the call that ends the wait") {
    const palitra::Runner runner;
    Mailbox<Status> seen;
    std::thread::id resumed_on;
    const auto await = [&](const palitra::Token& token) -> Detached {
        const Status status = (co_await palitra::try_await(token)).status();
        resumed_on = std::this_thread::get_id();
        // A thread of the runner's is where waiting would deadlock.
        CHECK(runner.try_run("test.nested", "x").status() == Status::would_deadlock);
        seen.put(status);
    };
    auto lost = std::make_unique<palitra::Token>(runner.submit("test.never"));
    await(*lost);
    lost.reset();
    CHECK(seen.take() == Status::invalid_handle);
    CHECK(resumed_on != std::this_thread::get_id());
    const palitra::Token never = runner.submit("test.never");
    await(never);
    never.cancel();
    CHECK(seen.take() == Status::cancelled);
    CHECK(resumed_on != std::this_thread::get_id());
}

TEST_CASE("the items of a stream are awaited one by one, and then none") {
    const palitra::Runner runner;
    Loop loop;
    Mailbox<std::string> seen;
    const auto read = [&](auto next, const char* options) -> Detached {
        const palitra::Token stream = runner.submit("test.stream", options);
        std::string items;
        try {
            while (const std::optional<palitra::Reply> item = co_await next(stream)) items += item->text();
            const palitra::result<palitra::Reply> end = co_await palitra::try_next_item(stream);
            items += end.status() == Status::end ? "." : "?";
        } catch (const palitra::job_failed& failed) {
            items += failed.message();
        }
        seen.put(items);
    };
    std::string expected;
    for (int i = 0; i < 40; i++) expected += std::to_string(i);
    const auto here = [](const palitra::Token& token) { return palitra::next_item(token); };
    read(here, R"({"items": 40})");
    CHECK(seen.take() == expected + '.');
    read(here, R"({"items": 3, "fail_at": 2})");
    CHECK(seen.take() == "01failed at 2");
    read([&](const palitra::Token& token) { return palitra::resume_on(loop.executor(), palitra::next_item(token)); },
         R"({"items": 2})");
    for (int i = 0; i < 3; i++) loop.run_one();
    CHECK(seen.take() == "01.");
}

TEST_CASE("an item that a destroyed coroutine waited for stays in its stream") {
    const palitra::Runner runner;
    const Sender sender(runner);
    Loop loop;
    const auto wait = [](auto item) -> Owned { (void)co_await std::move(item); };
    const palitra::Token stream = sender.start();
    {
        const Owned here = wait(palitra::try_next_item(stream));
    }
    sender.send("0");
    (void)runner.run("test.nested"); // what was due on the runner's thread before has been called
    CHECK(stream.try_next(0s)->text() == "0");
    {
        const Owned on_its_way = wait(palitra::resume_on(loop.executor(), palitra::next_item(stream)));
        sender.send("1");
        eventually([&] { return loop.waiting() == 1; });
    }
    loop.run_one();
    CHECK(stream.try_next(0s)->text() == "1");
}

TEST_CASE("a coroutine whose item another reader took waits for the next") {
    const palitra::Runner runner;
    const Sender sender(runner);
    Loop loop;
    std::vector<std::string> seen;
    const palitra::Token stream = sender.start();
    const auto wait = [&]() -> Detached {
        const auto item = co_await palitra::resume_on(loop.executor(), palitra::next_item(stream));
        seen.emplace_back(item->text());
    };
    wait();
    sender.send("0");
    eventually([&] { return loop.waiting() == 1; });
    CHECK(stream.try_next(0s)->text() == "0");
    loop.run_one();
    CHECK(seen.empty());
    sender.send("1");
    loop.run_one();
    CHECK(seen == std::vector<std::string>{"1"});
}

namespace {

// As if another reader took the item that was there, and the token was freed before the coroutine waits for the next.
struct FreedMeanwhile : palitra::detail::Item {
    static inline int looks = 0;
    static palitra::result<palitra::Reply> look(palitra_token token) {
        if (++looks > 2) return palitra::detail::Item::look(token);
        if (looks == 2) palitra_token_free(token);
        return palitra::Reply(Status::pending);
    }
};

} // namespace

TEST_CASE("an inline coroutine resumes although its token is freed before it waits for the next item") {
    const palitra::Runner runner;
    const Sender sender(runner);
    Mailbox<Status> seen;
    const palitra::Token stream = sender.start();
    [](const palitra::Token& stream, Mailbox<Status>& seen) -> Detached {
        seen.put((co_await palitra::detail::await<FreedMeanwhile>(palitra::InlineExecutor(), stream)).status());
    }(stream, seen);
    sender.send("0");
    CHECK(seen.take() == Status::invalid_handle);
}

TEST_CASE("a job that is ready where it is started resumes there, without a hand-off") {
    const palitra::Runner runner;
    Loop loop;
    std::vector<std::string> seen;
    const auto run = [&](const char* job) -> Detached {
        seen.emplace_back((co_await runner.start(job, "x")).text());
        const palitra::Reply reply = co_await palitra::resume_on(loop.executor(), runner.start(job, "x"));
        seen.emplace_back(reply.text());
    };
    {
        const Blocked blocked(runner);
        run("palitra.echo");
        CHECK(seen == std::vector<std::string>{"x", "x"});
        CHECK(blocked.still());
    }
    const palitra::Runner other;
    const auto wait = [&]() -> Detached {
        const palitra::Reply reply = co_await palitra::resume_on(loop.executor(), other.start("test.nested", "y"));
        seen.emplace_back(reply.text());
        seen.emplace_back(palitra::name((co_await palitra::try_await(other.start("no.such.job"))).status()));
    };
    wait();
    loop.run_one();
    CHECK(seen == std::vector<std::string>{"x", "x", "y", "PALITRA_UNKNOWN_JOB"});
}

namespace {

// As cppcoro's when_all and the senders of std::execution do: what is awaited is passed by value, and moves.
template <class First, class Second>
Detached join(First first, Second second, Mailbox<std::string>& seen) {
    First moved = std::move(first);
    const palitra::Reply one = co_await std::move(moved);
    const palitra::Reply two = co_await std::move(second);
    seen.put(std::string(one.text()) + std::string(two.text()));
}

} // namespace

TEST_CASE("what is awaited moves, and owns a token that was passed as a temporary") {
    const palitra::Runner runner;
    Mailbox<std::string> seen;
    join(palitra::resume_on(palitra::InlineExecutor(), runner.submit("test.nested", "a")),
         palitra::resume_on(palitra::InlineExecutor(), runner.start("test.nested", "b")), seen);
    CHECK(seen.take() == "ab");
    join(runner.submit("test.nested", "c"), runner.submit("test.nested", "d"), seen);
    CHECK(seen.take() == "cd");
    auto kept = palitra::try_await(runner.submit("test.nested", "e"));
    [](auto awaitable, Mailbox<std::string>& seen) -> Detached {
        const palitra::Reply reply = *co_await awaitable;
        seen.put(std::string(reply.text()));
    }(std::move(kept), seen);
    CHECK(seen.take() == "e");
}

TEST_CASE("each of many resumes once, while jobs finish, are cancelled and are lost") {
    constexpr std::size_t coroutines = 600;
    Loop loop;
    std::vector<int> resumed(coroutines, 0);
    {
        const palitra::Runner runner;
        std::vector<palitra::Token> tokens(coroutines);
        const auto wait = [&](std::size_t index) -> Detached {
            (void)co_await palitra::try_resume_on(loop.executor(), tokens[index]);
            (void)co_await palitra::try_resume_on(loop.executor(), tokens[index]);
            resumed[index]++;
        };
        for (std::size_t i = 0; i < coroutines; i++) {
            tokens[i] = runner.submit(i % 2 == 0 ? "test.nested" : "test.never", "x");
            wait(i);
        }
        std::thread canceller([&] {
            for (std::size_t i = 0; i < coroutines; i++) (void)tokens[i].try_cancel();
        });
        for (std::size_t i = 0; i < 2 * coroutines; i++) loop.run_one();
        canceller.join();
    }
    CHECK(loop.waiting() == 0);
    CHECK(resumed == std::vector<int>(coroutines, 1));
}

#endif
