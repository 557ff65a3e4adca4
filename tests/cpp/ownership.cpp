// Who owns what: moving, freeing, and objects that were moved from.
//
// Promise 11: bad input and limits return a status.
#include <vector>

#include "support.hpp"

TEST_CASE("handles move and do not copy") {
    static_assert(!std::is_copy_constructible_v<palitra::Runner> && !std::is_copy_assignable_v<palitra::Runner>);
    static_assert(!std::is_copy_constructible_v<palitra::Token> && !std::is_copy_assignable_v<palitra::Token>);
    static_assert(!std::is_copy_constructible_v<palitra::Queue> && !std::is_copy_assignable_v<palitra::Queue>);
    static_assert(!std::is_copy_constructible_v<palitra::Reply> && !std::is_copy_assignable_v<palitra::Reply>);
    static_assert(!std::is_copy_constructible_v<palitra::Stream>);
    static_assert(std::is_nothrow_move_constructible_v<palitra::Runner> &&
                  std::is_nothrow_move_assignable_v<palitra::Runner>);
    static_assert(std::is_nothrow_move_constructible_v<palitra::Token> &&
                  std::is_nothrow_move_assignable_v<palitra::Token>);
    static_assert(std::is_nothrow_move_constructible_v<palitra::Queue> &&
                  std::is_nothrow_move_assignable_v<palitra::Queue>);
    static_assert(std::is_nothrow_move_constructible_v<palitra::Reply> &&
                  std::is_nothrow_move_assignable_v<palitra::Reply>);
    static_assert(std::is_nothrow_move_constructible_v<palitra::Stream>);
    CHECK(true);
}

TEST_CASE("a destroyed token, runner or queue is freed") {
    palitra_runner runner;
    palitra_token token;
    palitra_queue queue;
    {
        const palitra::Runner owner;
        const palitra::Token job = owner.submit("palitra.echo");
        const palitra::Queue events;
        runner = owner.get();
        token = job.get();
        queue = events.get();
        CHECK(palitra_queue_fd(queue) >= 0);
        (void)job.wait();
    }
    CHECK_FALSE(palitra_runner_is_alive(runner));
    CHECK(palitra_runner_shutdown(runner, 0) == PALITRA_INVALID_HANDLE);
    CHECK(palitra_token_poll(token, nullptr) == PALITRA_INVALID_HANDLE);
    CHECK(palitra_queue_close(queue) == PALITRA_INVALID_HANDLE);
}

TEST_CASE("moving frees what the target had, once, and leaves nothing behind") {
    palitra::Runner runner;
    palitra::Token kept = runner.submit("palitra.echo", "kept");
    palitra::Token lost = runner.submit("palitra.echo", "lost");
    const palitra_token freed = lost.get();
    const palitra_token handle = kept.get();
    lost = std::move(kept);
    CHECK(palitra_token_poll(freed, nullptr) == PALITRA_INVALID_HANDLE);
    CHECK(lost.get().id == handle.id);
    CHECK(lost.wait().text() == "kept");

    palitra::Runner other;
    const palitra_runner ended = other.get();
    other = std::move(runner);
    CHECK_FALSE(palitra_runner_is_alive(ended));
    CHECK(other.is_alive());
    const palitra::Runner last = std::move(other);
    CHECK(last.is_alive());

    palitra::Queue queue, second;
    const palitra_queue closed = second.get();
    second = std::move(queue);
    CHECK(palitra_queue_close(closed) == PALITRA_INVALID_HANDLE);
    CHECK(second.fd() >= 0);
}

TEST_CASE("assigned to itself an object stays as it is") {
    palitra::Runner runner;
    palitra::Token token = runner.submit("palitra.echo", "hello");
    palitra::Queue queue;
    palitra::Reply reply = token.wait();
    auto& same_runner = runner;
    auto& same_token = token;
    auto& same_queue = queue;
    auto& same_reply = reply;
    runner = std::move(same_runner);
    token = std::move(same_token);
    queue = std::move(same_queue);
    reply = std::move(same_reply);
    CHECK(runner.is_alive());
    CHECK(token.wait().text() == "hello");
    CHECK(queue.fd() >= 0);
    CHECK(reply.text() == "hello");
}

// NOLINTBEGIN(bugprone-use-after-move): that is what is tested
TEST_CASE("an object that was moved from is safe to touch") {
    palitra::Runner runner;
    palitra::Token token = runner.submit("palitra.echo", "hello");
    palitra::Queue queue;
    palitra::Reply reply = token.wait();
    palitra::Stream stream = runner.stream("test.stream", R"({"items": 3})");
    palitra::SubmitOptions options;
    options.queue = &queue;
    const auto kept = std::make_tuple(std::move(queue), std::move(reply), std::move(stream), std::move(token));
    CHECK(thrown_by([&] { (void)runner.submit("palitra.echo", {}, options); }) == Status::invalid_handle);

    CHECK(thrown_by([&] { (void)token.wait(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)token.wait_for(1s); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)token.poll(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)token.next(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { token.cancel(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)token.progress(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { token.on_complete([] {}); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)palitra::gather(token); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)palitra::when_any(token); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)palitra::as_future(std::move(token)).get(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)stream.begin(); }) == Status::invalid_handle);
    CHECK_FALSE(token);

    CHECK(reply.status() == Status::invalid_handle);
    CHECK(reply.text().empty());
    CHECK(reply.begin() == reply.end());
    CHECK(thrown_by([&] { reply.check(); }) == Status::invalid_handle);

    CHECK(queue.fd() == -1);
    CHECK(thrown_by([&] { (void)queue.next(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)queue.next_batch(3); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { queue.close(); }) == Status::invalid_handle);

    const palitra::Runner other = std::move(runner);
    CHECK(thrown_by([&] { (void)runner.run("palitra.echo"); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)runner.submit("palitra.echo"); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { (void)runner.stats(); }) == Status::invalid_handle);
    CHECK(thrown_by([&] { runner.shutdown(); }) == Status::invalid_handle);
    CHECK_FALSE(runner.is_alive());
    CHECK_FALSE(runner);
    CHECK(std::get<1>(kept).text() == "hello");
}
// NOLINTEND(bugprone-use-after-move)

TEST_CASE("what is released is the caller's to free") {
    const palitra::Runner runner;
    palitra_token token;
    palitra_reply raw;
    {
        palitra::Token owner = runner.submit("palitra.echo", "hello");
        palitra::Reply reply = owner.wait();
        raw = reply.release();
        token = owner.release();
    }
    const palitra::Token again(runner.get(), token);
    CHECK(again.wait().text() == "hello");
    CHECK(palitra::Reply::adopt(raw).text() == "hello");
}

TEST_CASE("tokens live in containers") {
    const palitra::Runner runner;
    std::vector<palitra::Token> tokens;
    for (int i = 0; i < 100; i++) tokens.push_back(runner.submit("palitra.echo", std::to_string(i)));
    tokens.erase(tokens.begin(), tokens.begin() + 50);
    CHECK(tokens.front().wait().text() == "50");
}
