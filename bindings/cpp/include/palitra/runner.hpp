/// Runner: the persistent runtime thread that jobs are submitted to, and what can be chosen about it and them.
#ifndef PALITRA_RUNNER_HPP
#define PALITRA_RUNNER_HPP

#include "queue.hpp"
#include "started.hpp"
#include "stream.hpp"
#include "submission.hpp"
#include "token.hpp"

#if __has_include(<stop_token>)
#include <stop_token>
#endif

#include "names_begin.inc"

namespace palitra {

/// How a runner is made. Set what is to differ; 0 and empty mean the library's default.
struct RunnerOptions {
    /// Threads that run jobs beside the runner's own. 0: the runner's own thread runs them all.
    std::uint32_t worker_threads = 0;
    /// The most threads for blocking parts of jobs at a time.
    std::uint32_t max_blocking_threads = 0;
    /// The name of the runner's threads.
    std::string thread_name = {};
    /// The stack of each thread in bytes.
    std::size_t thread_stack_size = 0;
    /// The most jobs in flight at a time: one more fails with Status::busy. 0: unbounded.
    std::size_t max_in_flight = 0;
    /// The largest payload in bytes: a larger one fails with Status::too_large. 0: unbounded.
    std::size_t max_payload = 0;
    /// The longest that the runner's thread without work, and a thread that waits for one of its jobs, spin before they
    /// sleep; at most a millisecond. Each spins only as long as that has paid lately. 0: 20 microseconds; negative:
    /// they sleep at once.
    std::chrono::nanoseconds spin_limit{0};
    /// What its jobs' states are configured by, such as a pool of connections: a JSON object with a member for each
    /// state, by the name that the documentation of the jobs says. What is not named here is as configure() set it
    /// before.
    std::string_view config = {};
};

/// How a job is submitted. Set what is to differ.
struct SubmitOptions {
    /// So long after the call the job is cancelled and its token finishes with Status::deadline.
    Timeout deadline = forever;
    /// The queue that is notified when the job finishes. The object is needed for the call only.
    const Queue* queue = nullptr;
    /// The tag of the queue's event.
    std::uint64_t tag = 0;
};

/// How a runner is doing. Each job that ended is counted once, by how it ended.
struct Stats {
    /// The runner's own thread and its workers.
    std::uint32_t threads;
    /// Jobs that the runner ever accepted; that have started and not ended; that have not started.
    std::uint64_t submitted, running, queued;
    std::uint64_t succeeded, failed, panicked, cancelled, deadline;
    /// The longest time that a job blocked a thread, from one await to the next.
    std::chrono::nanoseconds longest_poll;
};

/// A persistent runtime thread. Move-only; any number of threads may use one at once, as long as none of them moves or
/// destroys it. Destroying it shuts it down with a grace period of 0; tokens and replies may outlive it. The calls of
/// one that was moved from fail with Status::invalid_handle.
///
/// A static runner is destroyed in its turn at exit. Its callbacks may run until then: what they use must have been
/// made before it, or be destroyed after it.
class Runner {
public:
    Runner() : Runner(RunnerOptions()) {}
    /// Throws Status::invalid_argument for invalid options, Status::internal if the system refuses a thread.
    explicit Runner(const RunnerOptions& options) : Runner(try_make(options).value()) {}

    [[nodiscard]] static result<Runner> try_make(const RunnerOptions& options = {}) noexcept {
        palitra_runner_options raw;
        palitra_runner_options_init(&raw);
        const detail::CString name(options.thread_name);
        const detail::CString config(options.config);
        if (name.get() == nullptr || config.get() == nullptr) return Status::invalid_argument;
        raw.worker_threads = options.worker_threads;
        raw.max_blocking_threads = options.max_blocking_threads;
        raw.thread_name = options.thread_name.empty() ? nullptr : name.get();
        raw.thread_stack_size = options.thread_stack_size;
        raw.max_in_flight = options.max_in_flight;
        raw.max_payload = options.max_payload;
        raw.spin_limit_ns = options.spin_limit.count();
        raw.config = config.get();
        palitra_runner runner{};
        const palitra_status status = palitra_runner_new(&raw, &runner);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return Runner(runner, true);
    }

    /// The global runner of this process, made now if there is none. It belongs to the library: destroying the object
    /// does nothing to it. Callbacks of the global runner may run until shutdown_global(),
    /// also while static objects are destroyed.
    [[nodiscard]] static Runner global() { return try_global().value(); }
    [[nodiscard]] static result<Runner> try_global() noexcept {
        palitra_runner runner{};
        const palitra_status status = palitra_runner_global(&runner);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return Runner(runner, false);
    }
    /// Whether there is a global runner that accepts work. Makes none.
    [[nodiscard]] static bool is_global_alive() noexcept { return palitra_is_runner_alive(); }
    /// Shuts the global runner down, as shutdown() does. The next use of the global runner makes a new one.
    static bool shutdown_global(Timeout grace = std::chrono::seconds(0)) {
        return ended(palitra_shutdown_global_runner(grace.nanoseconds()));
    }

    /// Stands for a runner that somebody else frees: destroying the object does nothing to it.
    [[nodiscard]] static Runner borrow(palitra_runner raw) noexcept { return Runner(raw, false); }

    Runner(Runner&& other) noexcept : raw_(std::exchange(other.raw_, {})), owned_(std::exchange(other.owned_, false)) {}
    Runner& operator=(Runner&& other) noexcept {
        if (this != &other) {
            const Runner old(raw_, owned_);
            raw_ = std::exchange(other.raw_, {});
            owned_ = std::exchange(other.owned_, false);
        }
        return *this;
    }
    ~Runner() {
        if (owned_) palitra_runner_free(raw_);
    }

    /// Runs a job to its end. Throws what it failed with, or why it was not run. Past the timeout the job is cancelled
    /// and Status::deadline is thrown. A job that is ready at once needs no other thread; with a timeout only if it is
    /// an inline job, one whose author declares that its first poll never blocks, such as palitra.echo.
    [[nodiscard]] Reply run(std::string_view job, Payload payload = {}, Timeout timeout = forever) const {
        return try_run(job, payload, timeout).value();
    }
    result<Reply> try_run(std::string_view job, Payload payload = {}, Timeout timeout = forever) const noexcept {
        palitra_reply raw{};
        const palitra_status status = palitra_runner_run(raw_, detail::CString(job).get(), payload.data(),
                                                         payload.size(), timeout.nanoseconds(), &raw);
        return detail::filled(status, raw);
    }

    /// Submits a job and returns at once. Throws why it was refused.
    [[nodiscard]] Token submit(std::string_view job, Payload payload = {}, const SubmitOptions& options = {}) const {
        return taken(job, try_submit(job, payload, options)).value();
    }
    result<Token> try_submit(std::string_view job, Payload payload = {},
                             const SubmitOptions& options = {}) const noexcept {
        palitra_token token{};
        const palitra_status status = submit(job, payload, options, &token);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return Token(raw_, token);
    }

    /// Starts a job without ever waiting for it: an inline job, one whose author declares that its first poll never
    /// blocks, is polled once on this thread, and may have finished then. Any other is submitted. A refusal is the reply
    /// of what is returned.
    [[nodiscard]] Started start(std::string_view job, Payload payload = {},
                                const SubmitOptions& options = {}) const noexcept {
        palitra_submit_options raw;
        if (!fill(raw, options)) return Started(Reply(Status::invalid_handle));
        return start(job, payload, raw, 0);
    }

    /// Submits a job whose reply is discarded. The queue of the options, if any, is notified.
    void submit_detached(std::string_view job, Payload payload = {}, const SubmitOptions& options = {}) const {
        taken(job, try_submit_detached(job, payload, options)).value();
    }
    result<void> try_submit_detached(std::string_view job, Payload payload = {},
                                     const SubmitOptions& options = {}) const noexcept {
        return detail::done(submit(job, payload, options, nullptr));
    }

    /// Submits a range of Submission in order, for less than half of what as many calls of submit() cost, and returns
    /// the tokens. Throws why one was refused, after cancelling those before it. The tag of the options is not used.
    template <class Range, class = detail::if_submissions<Range>>
    [[nodiscard]] std::vector<Token> submit_many(Range&& range, const SubmitOptions& options = {}) const {
        const auto submissions = detail::Submissions::of(std::forward<Range>(range));
        Submitted submitted = submit_many(submissions, options);
        if (submitted) return std::move(submitted.tokens);
        for (const Token& token : submitted.tokens) (void)token.try_cancel();
        if (submitted.status == Status::unknown_job)
            detail::fail(detail::unknown_job(submissions.raw()[submitted.tokens.size()].job));
        detail::raise(submitted.status, 0, std::string(message(submitted.status)));
    }
    /// The same, but at the first job that is refused it stops and returns why, with the tokens of those before it.
    /// Throws only std::bad_alloc.
    template <class Range, class = detail::if_submissions<Range>>
    Submitted try_submit_many(Range&& range, const SubmitOptions& options = {}) const {
        return submit_many(detail::Submissions::of(std::forward<Range>(range)), options);
    }

    /// Submits a job that streams and returns the range of its items.
    [[nodiscard]] Stream stream(std::string_view job, Payload payload = {}, const SubmitOptions& options = {}) const {
        return Stream(submit(job, payload, options));
    }
    result<Stream> try_stream(std::string_view job, Payload payload = {},
                              const SubmitOptions& options = {}) const noexcept {
        auto token = try_submit(job, payload, options);
        if (!token) return token.status();
        return Stream(*std::move(token));
    }

#if defined(__cpp_lib_jthread)
    /// Runs a job that the stop token may cancel; then it throws Status::cancelled. If it is stopped already, the job
    /// never starts. A job that is ready at once needs no other thread if it is an inline job, as with a timeout. Past
    /// the timeout the job is cancelled and Status::deadline is thrown.
    [[nodiscard]] Reply run(std::string_view job, Payload payload, const std::stop_token& stop,
                            Timeout timeout = forever) const {
        return try_run(job, payload, stop, timeout).value();
    }
    result<Reply> try_run(std::string_view job, Payload payload, const std::stop_token& stop,
                          Timeout timeout = forever) const noexcept {
        if (!stop.stop_possible()) return try_run(job, payload, timeout);
        if (stop.stop_requested()) return Reply(Status::cancelled);
        palitra_submit_options options;
        palitra_submit_options_init(&options);
        options.deadline_ns = deadline(timeout);
        Started started = start(job, payload, options, PALITRA_NO_ITEMS | PALITRA_WILL_WAIT);
        const std::stop_callback cancel(
            stop, [pending = started.token().get()]() noexcept { palitra_token_cancel(pending); });
        return std::move(started).try_wait();
    }
#endif

    [[nodiscard]] Stats stats() const { return try_stats().value(); }
    result<Stats> try_stats() const noexcept {
        palitra_stats raw;
        palitra_stats_init(&raw);
        const palitra_status status = palitra_runner_stats(raw_, &raw);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return Stats{
            raw.threads, raw.submitted, raw.running,   raw.queued,   raw.succeeded,
            raw.failed,  raw.panicked,  raw.cancelled, raw.deadline, std::chrono::nanoseconds(raw.longest_poll_ns)};
    }

    /// Whether it accepts work.
    [[nodiscard]] bool is_alive() const noexcept { return palitra_runner_is_alive(raw_); }
    /// Refuses new work, lets jobs finish for the grace period, cancels the rest, finishes every token, wakes every
    /// waiter and joins the threads. May be called again. Returns false if a job that never yields blocked its thread
    /// for a second beyond the grace period: every token has finished, and the thread is left behind.
    bool shutdown(Timeout grace = std::chrono::seconds(0)) const {
        return ended(palitra_runner_shutdown(raw_, grace.nanoseconds()));
    }
    /// The same, but returns Status::pending instead of false.
    result<void> try_shutdown(Timeout grace = std::chrono::seconds(0)) const noexcept {
        return detail::done(palitra_runner_shutdown(raw_, grace.nanoseconds()));
    }

    /// Whether it stands for a runner.
    explicit operator bool() const noexcept { return raw_.id != 0; }
    /// For the C functions; still owned by this object.
    [[nodiscard]] palitra_runner get() const noexcept { return raw_; }

private:
    Runner(palitra_runner raw, bool owned) noexcept : raw_(raw), owned_(owned) {}

    Started start(std::string_view job, Payload payload, palitra_submit_options& options,
                  std::uint32_t flags) const noexcept {
        options.flags = flags | PALITRA_INLINE_ONLY;
        palitra_token pending{};
        palitra_reply raw{};
        const palitra_status status = palitra_runner_start(raw_, detail::CString(job).get(), payload.data(),
                                                           payload.size(), &options, &pending, &raw);
        Reply reply = *detail::filled(status, raw);
        return status == PALITRA_PENDING ? Started(Token(raw_, pending)) : Started(std::move(reply));
    }

    palitra_status submit(std::string_view job, Payload payload, const SubmitOptions& options,
                          palitra_token* token) const noexcept {
        palitra_submit_options raw;
        if (!fill(raw, options)) return PALITRA_INVALID_HANDLE;
        return palitra_runner_submit(raw_, detail::CString(job).get(), payload.data(), payload.size(), &raw, token);
    }

    Submitted submit_many(const detail::Submissions& submissions, const SubmitOptions& options) const {
        const std::vector<palitra_submission>& all = submissions.raw();
        palitra_submit_options raw;
        if (!fill(raw, options)) return {Status::invalid_handle, {}};
        // First: nothing can be thrown once there are tokens.
        Submitted submitted{Status::ok, {}};
        submitted.tokens.reserve(all.size());
        std::vector<palitra_token> tokens(all.size());
        std::size_t taken = 0;
        submitted.status =
            static_cast<Status>(palitra_runner_submit_many(raw_, all.data(), all.size(), &raw, tokens.data(), &taken));
        for (std::size_t i = 0; i < taken; i++) submitted.tokens.emplace_back(raw_, tokens[i]);
        return submitted;
    }

    /// Returns false for a queue that was moved from, which must not mean "no queue".
    static bool fill(palitra_submit_options& raw, const SubmitOptions& options) noexcept {
        palitra_submit_options_init(&raw);
        raw.deadline_ns = deadline(options.deadline);
        raw.tag = options.tag;
        if (options.queue == nullptr) return true;
        raw.queue = options.queue->get();
        return static_cast<bool>(*options.queue);
    }

    /// 0 means none for the C function; a deadline that has passed is 1.
    static std::int64_t deadline(Timeout timeout) noexcept {
        return timeout.nanoseconds() == 0 ? 1 : timeout.nanoseconds();
    }

    /// Returns the result as it is, but throws for an unknown job, with its name.
    template <class Result>
    static Result taken(std::string_view job, Result submitted) {
        if (submitted.status() == Status::unknown_job) detail::fail(detail::unknown_job(job));
        return submitted;
    }

    static bool ended(palitra_status status) {
        if (status == PALITRA_PENDING) return false;
        detail::done(status).value();
        return true;
    }

    palitra_runner raw_{};
    bool owned_ = false;
};

} // namespace palitra

#include "names_end.inc"

#endif
