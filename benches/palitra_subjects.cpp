// palitra as a C host sees it: every operation here goes through include/palitra.h, checks the status and
// the length of the reply, and frees what it was given.
//
//   palitra-run         run a ready job on the calling thread
//   palitra-run-within  the same with a timeout
//   palitra-round-trip  submit a job, wait for it, free reply and token, then the next
//   palitra-window      the same in windows: submit them all, then wait for each
//   palitra-submitters  windows from several threads at once
//   palitra-window-many      a window by palitra_runner_submit_many, then palitra_runner_gather
//   palitra-submitters-many  the same from several threads at once
//   palitra-submit           windows, of which only the submitting is timed
//   palitra-submit-many      the same by palitra_runner_submit_many
//   palitra-queue            submit a job with a queue, take its event, free reply and token, then the next
//   palitra-wake             a window of all operations that sleep 50 ms each, gathered
//   palitra-sleep       sleeping jobs in flight, each with its token
#include "subject.hpp"
#include "submitters.hpp"

#include <palitra.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace {

const std::uint8_t *bytes(std::string_view text) { return reinterpret_cast<const std::uint8_t *>(text.data()); }

class Runner {
public:
    Runner() {
        palitra_runner_options options;
        palitra_runner_options_init(&options);
        // A million sleepers may be more than the default bound; echo jobs pass the same check either way.
        options.max_in_flight = 0;
        require(palitra_runner_new(&options, &runner_) == PALITRA_OK, "palitra: no runner");
    }

    ~Runner() {
        require(palitra_runner_shutdown(runner_, 0) == PALITRA_OK, "palitra: no clean shutdown");
        palitra_runner_free(runner_);
    }

    Runner(const Runner &) = delete;
    Runner &operator=(const Runner &) = delete;

    void run(std::int64_t timeout_ns) const {
        palitra_reply reply;
        auto status = palitra_runner_run(runner_, "palitra.echo", bytes(payload), payload.size(), timeout_ns, &reply);
        require(status == PALITRA_OK && reply.len == payload.size(), "palitra: run failed");
        palitra_reply_free(&reply);
    }

    palitra_token submit(const char *job, std::string_view data) const {
        palitra_token token;
        auto status = palitra_runner_submit(runner_, job, bytes(data), data.size(), nullptr, &token);
        require(status == PALITRA_OK, "palitra: submit failed");
        return token;
    }

    void finish(palitra_token token) const {
        palitra_reply reply;
        auto status = palitra_runner_wait(runner_, token, PALITRA_FOREVER, &reply);
        require(status == PALITRA_OK && reply.len == payload.size(), "palitra: wait failed");
        palitra_reply_free(&reply);
        palitra_token_free(token);
    }

    void round_trip() const { finish(submit("palitra.echo", payload)); }

    // A host that blocks in palitra_queue_next, and never asks for the descriptor.
    void queue_trip(palitra_queue queue) const {
        palitra_submit_options options;
        palitra_submit_options_init(&options);
        options.queue = queue;
        palitra_token token;
        auto submitted =
            palitra_runner_submit(runner_, "palitra.echo", bytes(payload), payload.size(), &options, &token);
        require(submitted == PALITRA_OK, "palitra: submit failed");
        palitra_event event;
        require(palitra_queue_next(queue, PALITRA_FOREVER, &event, 1, nullptr) == PALITRA_OK, "palitra: no event");
        finish(event.token);
    }

    void window(std::size_t jobs) const {
        auto tokens = submit_each(jobs);
        for (auto token : tokens) finish(token);
    }

    void window_many(std::size_t jobs) const { gather(submit_many(jobs)); }

    std::vector<palitra_token> submit_each(std::size_t jobs) const {
        std::vector<palitra_token> tokens(jobs);
        for (auto &token : tokens) token = submit("palitra.echo", payload);
        return tokens;
    }

    std::vector<palitra_token> submit_many(std::size_t jobs) const {
        std::vector<palitra_submission> submissions(jobs, {"palitra.echo", bytes(payload), payload.size(), 0});
        std::vector<palitra_token> tokens(jobs);
        std::size_t taken;
        auto status = palitra_runner_submit_many(runner_, submissions.data(), jobs, nullptr, tokens.data(), &taken);
        require(status == PALITRA_OK && taken == jobs, "palitra: submit_many failed");
        return tokens;
    }

    void gather_empty(const std::vector<palitra_token> &tokens) const {
        auto status =
            palitra_runner_gather(runner_, tokens.data(), tokens.size(), PALITRA_FREE_TOKENS, PALITRA_FOREVER, nullptr);
        require(status == PALITRA_OK, "palitra: gather failed");
    }

    void gather(const std::vector<palitra_token> &tokens) const {
        std::vector<palitra_reply> replies(tokens.size());
        auto status = palitra_runner_gather(runner_, tokens.data(), tokens.size(), PALITRA_FREE_TOKENS, PALITRA_FOREVER,
                                            replies.data());
        require(status == PALITRA_OK, "palitra: gather failed");
        for (auto &reply : replies) {
            require(reply.status == PALITRA_OK && reply.len == payload.size(), "palitra: gather failed");
            palitra_reply_free(&reply);
        }
    }

private:
    palitra_runner runner_{};
};

class PalitraSubject : public Subject {
protected:
    // The first job starts what palitra starts lazily, so that no measurement pays for it.
    PalitraSubject() { runner.round_trip(); }

    Runner runner;
};

class Run : public PalitraSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) runner.run(PALITRA_FOREVER);
    }
};

class RunWithin : public PalitraSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) runner.run(PALITRA_SECONDS(5));
    }
};

class RoundTrip : public PalitraSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) runner.round_trip();
    }
};

class Queue : public PalitraSubject {
public:
    Queue() { require(palitra_queue_new(&queue_) == PALITRA_OK, "palitra: no queue"); }

    ~Queue() override { palitra_queue_free(queue_); }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) runner.queue_trip(queue_);
    }

private:
    palitra_queue queue_{};
};

class Window : public PalitraSubject {
    void run(std::size_t operations) override {
        in_windows(operations, [this](std::size_t jobs) { runner.window(jobs); });
    }
};

class Submitters : public PalitraSubject {
    void run(std::size_t operations) override {
        from_submitters(operations, [this](std::size_t jobs) { runner.window(jobs); });
    }
};

class WindowMany : public PalitraSubject {
    void run(std::size_t operations) override {
        in_windows(operations, [this](std::size_t jobs) { runner.window_many(jobs); });
    }
};

class SubmittersMany : public PalitraSubject {
    void run(std::size_t operations) override {
        from_submitters(operations, [this](std::size_t jobs) { runner.window_many(jobs); });
    }
};

// What the calls that submit cost the thread that makes them, without what becomes of the jobs: its processor time, as
// a runner on the same core may run in the middle of a call.
template <std::vector<palitra_token> (Runner::*submit)(std::size_t) const>
class SubmitOnly : public PalitraSubject {
    void run(std::size_t operations) override { nanoseconds(operations); }

    double nanoseconds(std::size_t operations) override {
        double sum = 0;
        in_windows(operations, [&](std::size_t jobs) {
            std::vector<palitra_token> tokens;
            auto start = thread_nanoseconds();
            tokens = (runner.*submit)(jobs);
            sum += thread_nanoseconds() - start;
            runner.gather(tokens);
        });
        return sum;
    }

private:
    static double thread_nanoseconds() {
        timespec time;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
    }
};

class Wake : public PalitraSubject {
    void run(std::size_t operations) override {
        std::vector<palitra_token> tokens(operations);
        for (auto &token : tokens) token = runner.submit("palitra.sleep", "{\"seconds\": 0.05}");
        runner.gather_empty(tokens);
    }
};

class Sleep : public PalitraSubject {
public:
    ~Sleep() override {
        for (auto token : tokens) palitra_token_cancel(token);
        for (auto token : tokens) palitra_token_free(token);
    }

    void run(std::size_t operations) override {
        tokens.reserve(tokens.size() + operations);
        in_windows(operations, [this](std::size_t jobs) { fall_asleep(jobs); });
    }

private:
    void fall_asleep(std::size_t jobs) {
        for (std::size_t i = 0; i < jobs; ++i) {
            tokens.push_back(runner.submit("palitra.sleep", "{\"seconds\": 3600}"));
        }
        // Jobs start in the order in which they were submitted: after this one, all are asleep.
        runner.round_trip();
    }

    // Kept, as a host keeps them that means to wait: their eight bytes count as palitra's memory.
    std::vector<palitra_token> tokens;
};

} // namespace

SubjectPointer make_palitra_run() { return std::make_unique<Run>(); }
SubjectPointer make_palitra_run_within() { return std::make_unique<RunWithin>(); }
SubjectPointer make_palitra_round_trip() { return std::make_unique<RoundTrip>(); }
SubjectPointer make_palitra_window() { return std::make_unique<Window>(); }
SubjectPointer make_palitra_submitters() { return std::make_unique<Submitters>(); }
SubjectPointer make_palitra_window_many() { return std::make_unique<WindowMany>(); }
SubjectPointer make_palitra_submitters_many() { return std::make_unique<SubmittersMany>(); }
SubjectPointer make_palitra_submit() { return std::make_unique<SubmitOnly<&Runner::submit_each>>(); }
SubjectPointer make_palitra_submit_many() { return std::make_unique<SubmitOnly<&Runner::submit_many>>(); }
SubjectPointer make_palitra_queue() { return std::make_unique<Queue>(); }
SubjectPointer make_palitra_wake() { return std::make_unique<Wake>(); }
SubjectPointer make_palitra_sleep() { return std::make_unique<Sleep>(); }
