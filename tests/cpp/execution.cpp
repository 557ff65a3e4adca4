// Jobs as senders: completed once, whatever happens, cancelled by their receiver's stop token, and gone at once.
//
// Promise 6: callbacks run once.
#if __cplusplus >= 202002L

#include <palitra/execution.hpp>

#include "support.hpp"

namespace {

// How a sender completed: with a reply, an error or a stop, which has a status too.
struct Completed {
    std::string channel;
    Status status;
    std::string text;
    std::thread::id thread;
};

// Receives what an operation on the heap completes with, and destroys the operation right there.
struct Destroy {
    virtual ~Destroy() = default;
};
struct Place {
    Mailbox<Completed> mailbox;
    std::atomic<int> completions{0};
    std::atomic<Destroy*> operation{nullptr};
    stdexec::inplace_stop_source stop;
};
struct Env {
    Place* place;
    auto query(stdexec::get_stop_token_t) const noexcept { return place->stop.get_token(); }
};
struct Receiver {
    using receiver_concept = stdexec::receiver_t;
    Place* place;

    void set_value(palitra::Reply reply) noexcept { complete("value", reply.status(), std::string(reply.text())); }
    void set_error(std::exception_ptr failure) noexcept {
        const Status status = thrown_by([&] { std::rethrow_exception(failure); });
        complete("error", status, "");
    }
    void set_stopped() noexcept { complete("stopped", Status::cancelled, ""); }
    Env get_env() const noexcept { return {place}; }

private:
    void complete(const char* channel, Status status, std::string text) const {
        // The operation, and with it this receiver, ends here.
        Place* const kept = place;
        kept->completions++;
        delete kept->operation.exchange(nullptr);
        kept->mailbox.put({channel, status, std::move(text), std::this_thread::get_id()});
    }
};

template <class Sender>
struct OnHeap : Destroy {
    OnHeap(Sender sender, Place& place) : operation(stdexec::connect(std::move(sender), Receiver{&place})) {}
    decltype(stdexec::connect(std::declval<Sender>(), std::declval<Receiver>())) operation;
};

template <class Sender>
void start(Sender sender, Place& place) {
    auto* heap = new OnHeap<Sender>(std::move(sender), place);
    place.operation = heap;
    stdexec::start(heap->operation);
}

template <class Sender>
Completed outcome(Sender sender) {
    Place place;
    start(std::move(sender), place);
    Completed completed = place.mailbox.take();
    CHECK(place.completions == 1);
    return completed;
}

} // namespace

TEST_CASE("a sender completes with the job's reply, where it was started if that is ready there") {
    const palitra::Runner runner;
    const Completed ready = outcome(palitra::as_sender(runner, "palitra.echo", "hello"));
    CHECK(ready.channel == "value");
    CHECK(ready.text == "hello");
    CHECK(ready.thread == std::this_thread::get_id());
    const Completed later = outcome(palitra::as_sender(runner, "palitra.sleep", R"({"seconds": 0.01})"));
    CHECK(later.text == R"({"seconds":0.01})");
    CHECK(later.thread != std::this_thread::get_id());
    CHECK(outcome(palitra::as_sender(runner.submit("palitra.echo", "a token"))).text == "a token");
}

TEST_CASE("a sender that names a job is copyable and starts one each time") {
    const palitra::Runner runner;
    const auto sender = palitra::as_sender(runner, "palitra.echo", std::string("kept"));
    CHECK(runner.stats().submitted == 0);
    CHECK(outcome(sender).text == "kept");
    CHECK(outcome(sender).text == "kept");
    CHECK(runner.stats().submitted == 2);
}

TEST_CASE("a sender completes with an error for what fails, for what is refused and past the deadline") {
    const palitra::Runner runner;
    palitra::SubmitOptions soon;
    soon.deadline = 5ms;
    const auto status = [](Completed completed) {
        CHECK(completed.channel == "error");
        return completed.status;
    };
    CHECK(status(outcome(palitra::as_sender(runner, "test.fail", failing))) == Status::job_failed);
    CHECK(status(outcome(palitra::as_sender(runner, "test.panic"))) == Status::job_panicked);
    CHECK(status(outcome(palitra::as_sender(runner, "no.such"))) == Status::unknown_job);
    CHECK(status(outcome(palitra::as_sender(runner, "test.never", {}, soon))) == Status::deadline);
    CHECK(status(outcome(palitra::as_sender(palitra::Token()))) == Status::invalid_handle);
    runner.shutdown();
    CHECK(status(outcome(palitra::as_sender(runner, "test.never"))) == Status::shut_down);
}

TEST_CASE("the receiver's stop token cancels the job of a sender") {
    const palitra::Runner runner;
    for (const bool named : {true, false}) {
        Place place;
        if (named) start(palitra::as_sender(runner, "test.never"), place);
        else start(palitra::as_sender(runner.submit("test.never")), place);
        place.stop.request_stop();
        CHECK(place.mailbox.take().channel == "stopped");
        CHECK(place.completions == 1);
    }
    eventually([&] { return runner.stats().cancelled + runner.stats().running + runner.stats().queued == 2; });
}

TEST_CASE("a sender that is stopped before its start starts nothing and leaves nothing running") {
    const palitra::Runner runner;
    Place unstarted;
    unstarted.stop.request_stop();
    start(palitra::as_sender(runner, "test.never"), unstarted);
    CHECK(unstarted.mailbox.take().channel == "stopped");
    CHECK(runner.stats().submitted == 0);
    Place submitted;
    submitted.stop.request_stop();
    start(palitra::as_sender(runner.submit("test.never")), submitted);
    CHECK(submitted.mailbox.take().channel == "stopped");
    eventually([&] { return runner.stats().running + runner.stats().queued == 0; });
}

TEST_CASE("a sender completes once, though its stop and its job's end race") {
    const palitra::Runner runner;
    int stopped = 0;
    for (int round = 0; round < 500; round++) {
        Place place;
        std::thread stopping([&] { place.stop.request_stop(); });
        start(palitra::as_sender(runner, round % 2 == 0 ? "test.nested" : "palitra.sleep", R"({"seconds": 0})"), place);
        stopping.join();
        const Completed completed = place.mailbox.take();
        stopped += completed.channel == "stopped";
        CHECK((completed.channel == "value" || completed.channel == "stopped"));
        CHECK(place.completions == 1);
    }
    MESSAGE(stopped, " of 500 were stopped");
}

TEST_CASE("a sender completes on time while a job blocks the runner's thread, and when the runner ends") {
    const palitra::Runner runner;
    const Blocked blocked(runner);
    Place place;
    start(palitra::as_sender(runner, "test.never"), place);
    place.stop.request_stop();
    CHECK(place.mailbox.take().channel == "stopped");
    CHECK(blocked.still());
    Place ended;
    start(palitra::as_sender(runner, "test.never"), ended);
    CHECK_FALSE(runner.shutdown());
    CHECK(ended.mailbox.take().channel == "stopped");
}

#if __has_include(<stdexec/__detail/__execution_fwd.hpp>)
TEST_CASE("senders compose with those of stdexec, and the failure of one cancels the other") {
    const palitra::Runner runner;
    auto length = palitra::as_sender(runner, "palitra.echo", "hello") |
                  stdexec::then([](const palitra::Reply& reply) { return reply.text().size(); });
    auto both = stdexec::when_all(std::move(length), palitra::as_sender(runner.submit("palitra.echo", "token")));
    auto [size, reply] = stdexec::sync_wait(std::move(both)).value();
    CHECK(size == 5);
    CHECK(reply.text() == "token");
    CHECK(thrown_by([&] {
              (void)stdexec::sync_wait(stdexec::when_all(palitra::as_sender(runner, "test.never"),
                                                         palitra::as_sender(runner, "test.fail", failing)));
          }) == Status::job_failed);
    palitra::Token cancelled = runner.submit("test.never");
    cancelled.cancel();
    CHECK_FALSE(stdexec::sync_wait(palitra::as_sender(std::move(cancelled))).has_value());
}
#endif

#endif
