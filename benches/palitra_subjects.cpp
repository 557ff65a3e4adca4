// palitra as a C host sees it: every operation here goes through include/palitra.h, checks the status and
// the length of the reply, and frees what it was given.
//
//   palitra-run         run a ready job on the calling thread
//   palitra-run-within  the same with a timeout
//   palitra-round-trip  submit a job, wait for it, free reply and token, then the next
//   palitra-window      the same in windows: submit them all, then wait for each
//   palitra-submitters  windows from several threads at once
//   palitra-sleep       sleeping jobs in flight, each with its token
#include "subject.hpp"
#include "submitters.hpp"

#include <palitra.h>

#include <cstdint>
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

    void window(std::size_t jobs) const {
        std::vector<palitra_token> tokens(jobs);
        for (auto &token : tokens) token = submit("palitra.echo", payload);
        for (auto token : tokens) finish(token);
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
SubjectPointer make_palitra_sleep() { return std::make_unique<Sleep>(); }
