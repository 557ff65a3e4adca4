// Many tokens at once: gather, when_any, queues, streams.
//
// Promise 4: a gather keeps the order of its tokens.
#include <poll.h>

#include <list>
#include <limits>
#include <map>
#include <vector>

#if __has_include(<ranges>)
#include <ranges>
#endif

#include "support.hpp"

TEST_CASE("gather returns every reply in the order of the tokens") {
    const palitra::Runner runner;
    const palitra::Token slow = runner.submit("palitra.sleep", R"({"seconds": 0.02})");
    const palitra::Token fast = runner.submit("palitra.echo", "fast");
    const palitra::Token last = runner.submit("test.nested", "last");
    const auto [first, second, third] = palitra::gather(slow, fast, last);
    CHECK(first.text() == R"({"seconds":0.02})");
    CHECK(second.text() == "fast");
    CHECK(third.text() == "last");
    CHECK(palitra::gather(fast)[0].text() == "fast");
}

TEST_CASE("gather takes any range of tokens") {
    const palitra::Runner runner;
    std::vector<palitra::Token> tokens;
    for (int i = 0; i < 200; i++) tokens.push_back(runner.submit("palitra.echo", std::to_string(i)));
    const std::vector<palitra::Reply> replies = palitra::gather(tokens);
    REQUIRE(replies.size() == 200);
    for (std::size_t i = 0; i < replies.size(); i++) CHECK(replies[i].text() == std::to_string(i));

    std::list<palitra::Token> list;
    list.push_back(runner.submit("palitra.echo", "listed"));
    CHECK(palitra::gather(list)[0].text() == "listed");
    const palitra::Token array[] = {runner.submit("palitra.echo", "arrayed")};
    CHECK(palitra::gather(array)[0].text() == "arrayed");
    const std::vector<std::reference_wrapper<const palitra::Token>> chosen{tokens[7], list.front()};
    CHECK(palitra::gather(chosen)[0].text() == "7");
    CHECK(palitra::gather(chosen)[1].text() == "listed");
    const palitra::Token* pointers[] = {&tokens[8], &list.front()};
    CHECK(palitra::gather(pointers)[0].text() == "8");
    std::vector<std::shared_ptr<palitra::Token>> shared;
    shared.push_back(std::make_shared<palitra::Token>(runner.submit("palitra.echo", "shared")));
    CHECK(palitra::gather(shared)[0].text() == "shared");
    std::map<int, std::unique_ptr<palitra::Token>> owned;
    owned[1] = std::make_unique<palitra::Token>(runner.submit("palitra.echo", "owned"));
    std::vector<std::unique_ptr<palitra::Token>> unique;
    unique.push_back(std::move(owned[1]));
    CHECK(palitra::when_any(unique) == 0);
    CHECK(palitra::gather(palitra::fail_fast, unique)[0].text() == "owned");
#if defined(__cpp_lib_ranges)
    // A view that is iterated only as it is no constant.
    auto few = tokens | std::views::filter([&](const palitra::Token& token) { return &token < &tokens[3]; });
    CHECK(palitra::gather(few).size() == 3);
    CHECK(palitra::gather(tokens | std::views::reverse)[0].text() == "199");
    CHECK(palitra::when_any(tokens | std::views::take(1)) == 0);
#endif
    CHECK(palitra::gather(std::vector<palitra::Token>()).empty());
    CHECK(palitra::try_gather(std::vector<palitra::Token>()));
}

TEST_CASE("submit_many submits a range of jobs in order") {
    const palitra::Runner runner;
    std::vector<std::string> payloads;
    for (int i = 0; i < 200; i++) payloads.push_back(std::to_string(i));
    std::vector<palitra::Submission> jobs;
    for (const std::string& payload : payloads)
        jobs.push_back({payload.size() == 2 ? "palitra.echo" : "test.nested", payload});
    const std::vector<palitra::Token> tokens = runner.submit_many(jobs);
    REQUIRE(tokens.size() == jobs.size());
    const std::vector<palitra::Reply> replies = palitra::gather(tokens);
    for (std::size_t i = 0; i < replies.size(); i++) CHECK(replies[i].text() == payloads[i]);
    CHECK(runner.submit_many(std::vector<palitra::Submission>()).empty());

    const palitra::Submission array[] = {{"palitra.echo", "one"}, {"palitra.echo", "two"}};
    CHECK(palitra::run_many(runner, array)[1].text() == "two");
}

TEST_CASE("submit_many notifies the queue with the tag of each job") {
    const palitra::Runner runner;
    const palitra::Queue queue;
    palitra::SubmitOptions options;
    options.queue = &queue;
    const palitra::Submission jobs[] = {{"palitra.echo", "", 7}, {"test.ready", "", 8}};
    const std::vector<palitra::Token> tokens = runner.submit_many(jobs, options);
    CHECK(queue.next()->tag == 7);
    CHECK(queue.next()->tag == 8);
}

TEST_CASE("submit_many stops at the first job that is refused") {
    palitra::RunnerOptions options;
    options.max_in_flight = 3;
    const palitra::Runner runner(options);
    const std::vector<palitra::Submission> jobs(5, {"test.never"});
    {
        const palitra::Submitted submitted = runner.try_submit_many(jobs);
        CHECK_FALSE(submitted);
        CHECK(submitted.status == Status::busy);
        REQUIRE(submitted.tokens.size() == 3);
        CHECK(thrown_by([&] { (void)runner.submit_many(jobs); }) == Status::busy);
        for (const palitra::Token& token : submitted.tokens) token.cancel();
    }
    eventually([&] { return runner.stats().cancelled == 3; });
    // Those before it are cancelled where an exception leaves nobody their tokens.
    const palitra::Submission unknown[] = {{"test.never"}, {"palitra.ech"}, {"test.never"}};
    try {
        (void)runner.submit_many(unknown);
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.status() == Status::unknown_job);
        CHECK(std::string(error.what()).find("the nearest is \"palitra.echo\"") != std::string::npos);
    }
    eventually([&] { return runner.stats().cancelled == 4; });
    CHECK(palitra::try_run_many(runner, unknown).status == Status::unknown_job);
    const palitra::Submission nul[] = {{std::string_view("palitra\0echo", 12)}};
    CHECK(thrown_by([&] { (void)runner.submit_many(nul); }) == Status::invalid_argument);
}

TEST_CASE("gather throws the first failure in order; its twin keeps every reply") {
    const palitra::Runner runner;
    const palitra::Token good = runner.submit("palitra.echo", "good");
    const palitra::Token bad = runner.submit("test.fail", failing);
    const palitra::Token worse = runner.submit("test.panic_later", "boom");
    try {
        (void)palitra::gather(good, bad, worse);
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.status() == Status::job_failed);
        CHECK(error.code() == 7);
        CHECK(error.message() == "broken");
    }
    const auto gathered = palitra::try_gather(good, bad, worse);
    CHECK_FALSE(gathered);
    CHECK(gathered.status == Status::job_failed);
    CHECK(gathered.replies[0].text() == "good");
    CHECK(gathered.replies[1].code() == 7);
    CHECK(gathered.replies[2].message() == "boom");
}

TEST_CASE("a gather that fails fast throws the first failure in time and cancels the rest") {
    const palitra::Runner runner;
    std::vector<palitra::Token> tokens;
    tokens.push_back(runner.submit("test.never"));
    tokens.push_back(runner.submit("test.fail", failing));
    CHECK(thrown_by([&] { (void)palitra::gather(palitra::fail_fast, tokens); }) == Status::job_failed);
    CHECK(tokens[0].try_wait().status() == Status::cancelled);

    const palitra::Token never = runner.submit("test.never");
    const auto gathered = palitra::try_gather(palitra::fail_fast, never, tokens[1]);
    CHECK(gathered.status == Status::job_failed);
    CHECK(gathered.replies[0].status() == Status::cancelled);
}

TEST_CASE("a gather past its timeout leaves the jobs running") {
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    const palitra::Token done = runner.submit("palitra.echo", "done");
    (void)done.wait();
    palitra::GatherOptions options;
    options.timeout = 5ms;
    const auto gathered = palitra::try_gather(options, done, never);
    CHECK(gathered.status == Status::pending);
    CHECK(gathered.replies[0].text() == "done");
    CHECK(gathered.replies[1].status() == Status::pending);
    CHECK(thrown_by([&] { (void)palitra::gather(options, done, never); }) == Status::pending);
    CHECK(never.try_poll().status() == Status::pending);
    CHECK(thrown_by([&] { (void)palitra::gather({false, -1s}, never); }) == Status::pending);
}

TEST_CASE("gather takes the tokens of one runner") {
    const palitra::Runner runner, other;
    const palitra::Token here = runner.submit("palitra.echo", "here");
    const palitra::Token there = other.submit("palitra.echo", "there");
    const auto gathered = palitra::try_gather(here, there);
    CHECK(gathered.status == Status::invalid_argument);
    CHECK(gathered.replies[0].status() == Status::invalid_argument);
}

TEST_CASE("tokens that have finished are gathered when their runner is gone") {
    palitra::Token good, bad;
    {
        const palitra::Runner runner;
        good = runner.submit("palitra.echo", "good");
        bad = runner.submit("test.fail", failing);
        (void)palitra::try_gather(good, bad);
    }
    CHECK(palitra::gather(good)[0].text() == "good");
    const auto gathered = palitra::try_gather(good, bad);
    CHECK(gathered.status == Status::job_failed);
    CHECK(gathered.replies[0].text() == "good");
    CHECK(gathered.replies[1].code() == 7);
    CHECK(palitra::try_gather(palitra::fail_fast, good, bad).status == Status::job_failed);
    CHECK(palitra::when_any(bad, good) == 0);
}

TEST_CASE("when_any returns which has finished") {
    const palitra::Runner runner;
    const palitra::Token never = runner.submit("test.never");
    const palitra::Token soon = runner.submit("test.nested", "soon");
    CHECK(palitra::when_any(never, soon) == 1);
    CHECK(*palitra::try_when_any(palitra::forever, soon, never) == 0);
    CHECK(palitra::try_when_any(1ms, never).status() == Status::pending);

    std::vector<palitra::Token> tokens;
    CHECK(palitra::try_when_any(palitra::forever, tokens).status() == Status::invalid_argument);
    tokens.push_back(runner.submit("test.never"));
    tokens.push_back(runner.submit("test.fail", failing));
    CHECK(palitra::when_any(tokens) == 1);
}

TEST_CASE("a queue says what finished, with its tag and its token") {
    const palitra::Runner runner;
    const palitra::Queue queue;
    palitra::SubmitOptions options;
    options.queue = &queue;
    options.tag = 1;
    const palitra::Token never = runner.submit("test.never", {}, options);
    CHECK(queue.try_next(0s).status() == Status::pending);
    options.tag = 2;
    const palitra::Token failed = runner.submit("test.fail", failing, options);
    auto event = queue.next();
    REQUIRE(event);
    CHECK(event->tag == 2);
    CHECK(event->token.id == failed.get().id);
    CHECK(event->status == Status::job_failed);
    never.cancel();
    CHECK(queue.try_next()->tag == 1);
    options.tag = 3;
    runner.submit_detached("palitra.echo", "x", options);
    event = queue.next();
    CHECK(event->tag == 3);
    CHECK(event->token.id == 0);
}

TEST_CASE("a queue is drained in batches and ends when it is closed") {
    const palitra::Runner runner;
    const palitra::Queue queue;
    palitra::SubmitOptions options;
    options.queue = &queue;
    for (options.tag = 0; options.tag < 100; options.tag++) runner.submit_detached("test.ready", {}, options);
    std::uint64_t tags = 0;
    for (std::size_t seen = 0; seen < 100;) {
        const auto batch = queue.next_batch(16);
        CHECK(batch.size() <= 16);
        REQUIRE_FALSE(batch.empty());
        seen += batch.size();
        for (const auto& event : batch) tags += event.tag;
    }
    CHECK(tags == 99 * 100 / 2);
    CHECK(queue.try_next_batch(1, 0s).status() == Status::pending);
    CHECK(queue.try_next_batch(0).status() == Status::invalid_argument);
    // As many as there are, however many one would take.
    for (int i = 0; i < 150; i++) runner.submit_detached("test.ready", {}, options);
    eventually([&] { return runner.stats().succeeded == 250; });
    std::size_t taken = 0;
    while (taken < 150) taken += queue.next_batch(std::numeric_limits<std::size_t>::max()).size();
    CHECK(taken == 150);
    queue.close();
    CHECK_FALSE(queue.next().has_value());
    CHECK(queue.next_batch(16).empty());
    CHECK(queue.try_next().status() == Status::end);
    CHECK(queue.try_next_batch(16).status() == Status::end);
}

TEST_CASE("a queue is closed while events come") {
    palitra::RunnerOptions several;
    several.worker_threads = 2;
    const palitra::Runner runner(several);
    for (int i = 0; i < 50; i++) {
        const palitra::Queue queue;
        palitra::SubmitOptions options;
        options.queue = &queue;
        for (int job = 0; job < 50; job++) runner.submit_detached("test.ready", {}, options);
        std::thread closer([&] { queue.close(); });
        std::size_t taken = 0;
        while (queue.try_next()) taken++;
        CHECK(taken <= 50);
        closer.join();
    }
}

TEST_CASE("a queue's descriptor is readable while events wait") {
    const palitra::Runner runner;
    const palitra::Queue queue;
    pollfd readable{queue.fd(), POLLIN, 0};
    CHECK(::poll(&readable, 1, 0) == 0);
    palitra::SubmitOptions options;
    options.queue = &queue;
    runner.submit_detached("test.ready", {}, options);
    CHECK(::poll(&readable, 1, 20'000) == 1);
    CHECK(queue.try_next(0s));
    CHECK(queue.try_next(0s).status() == Status::pending);
    CHECK(::poll(&readable, 1, 0) == 0);
}

TEST_CASE("a stream is a range of replies") {
    const palitra::Runner runner;
    std::string seen;
    for (const palitra::Reply& item : runner.stream("test.stream", R"({"items": 40})")) seen += item.text();
    std::string expected;
    for (int i = 0; i < 40; i++) expected += std::to_string(i);
    CHECK(seen == expected);
    for (const palitra::Reply& item : runner.stream("palitra.echo", "streams nothing")) FAIL(item.text().size());
}

TEST_CASE("the items of a stream may be kept") {
    const palitra::Runner runner;
    std::vector<palitra::Reply> items;
    for (palitra::Reply& item : runner.stream("test.stream", R"({"items": 5})")) items.push_back(std::move(item));
    REQUIRE(items.size() == 5);
    CHECK(items[4].text() == "4");
}

TEST_CASE("a stream throws what its job failed with, after the items before") {
    const palitra::Runner runner;
    int items = 0;
    try {
        for (const palitra::Reply& item : runner.stream("test.stream", R"({"items": 5, "fail_at": 2})"))
            items += item ? 1 : 0;
        FAIL("nothing was thrown");
    } catch (const palitra::error& error) {
        CHECK(error.code() == 7);
        CHECK(error.message() == "failed at 2");
    }
    CHECK(items == 2);
    CHECK(runner.try_stream("no.such.job").status() == Status::unknown_job);
}

TEST_CASE("a stream that is left early ends its job") {
    const palitra::Runner runner;
    for (const palitra::Reply& item : runner.stream("test.stream", R"({"items": 1000000})"))
        if (item.text() == "3") break;
    eventually([&] { return runner.run("test.streams").text() == "0"; });
}

TEST_CASE("items are read by hand, with a timeout") {
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("test.stream", R"({"items": 1, "forever": true})");
    CHECK(token.next()->text() == "0");
    CHECK(token.try_next(1ms).status() == Status::pending);
    token.cancel();
    CHECK(token.try_next().status() == Status::cancelled);
    palitra::Stream stream(runner.submit("test.stream", R"({"items": 2})"));
    CHECK(stream.begin()->text() == "0");
    CHECK(stream.token().next()->text() == "1");
    CHECK_FALSE(stream.token().next().has_value());
}

#if defined(__cpp_lib_ranges)
static_assert(std::ranges::input_range<palitra::Stream>);
static_assert(std::input_iterator<palitra::Stream::iterator>);
static_assert(std::sentinel_for<palitra::Stream::sentinel, palitra::Stream::iterator>);

TEST_CASE("a stream goes through the views of std::ranges") {
    const palitra::Runner runner;
    auto stream = runner.stream("test.stream", R"({"items": 100})");
    auto even = stream |
                std::views::transform([](const palitra::Reply& item) { return std::stoi(std::string(item.text())); }) |
                std::views::filter([](int item) { return item % 2 == 0; }) | std::views::take(3);
    std::vector<int> seen;
    for (const int item : even) seen.push_back(item);
    CHECK(seen == std::vector<int>{0, 2, 4});
}
#endif
