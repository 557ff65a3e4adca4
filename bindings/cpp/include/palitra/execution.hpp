/// Jobs as senders of stdexec, the implementation of std::execution (P2300) that compilers of today have:
///
///     auto both = stdexec::when_all(palitra::as_sender(runner, "http.get", request),
///                                   palitra::as_sender(std::move(token)));
///     auto [page, reply] = stdexec::sync_wait(std::move(both)).value();
///
/// | sender | starts |
/// |---|---|
/// | `as_sender(runner, job, payload, options)` | the job when it is started, as Runner::start does; it can be copied |
/// | `as_sender(std::move(token))` | nothing: the job was submitted, and its token belongs to the sender |
///
/// A sender completes exactly once, also while a job blocks the runner's thread, and at the latest in the shutdown of
/// the runner: with set_value(Reply); with set_error(std::exception_ptr), a palitra::error; or with set_stopped() if
/// the job was cancelled. The stop token of the receiver's environment cancels the job; if it was stopped before the
/// start, none is started. A sender completes where it was started if the job is ready there, else on the runner's
/// thread, where nothing may block: `stdexec::continues_on` goes on elsewhere.
///
/// What is started allocates no more than the job's token: the operation itself is what the library calls. C++20, with
/// exceptions. Not included by palitra.hpp.
#ifndef PALITRA_EXECUTION_HPP
#define PALITRA_EXECUTION_HPP

#include <concepts>
#include <optional>
#include <string>

#include <stdexec/execution.hpp>

#include "runner.hpp"

#include "names_begin.inc"

namespace palitra {

namespace execution_detail {

/// A job that is started with the operation. The runner must live until then.
struct Named {
    const Runner* runner;
    std::string job;
    std::string payload;
    SubmitOptions options;

    Started start() const noexcept { return runner->start(job, payload, options); }
    void cancel() const noexcept {}
};

/// A job that was submitted before.
struct Kept {
    Token token;

    Started start() noexcept { return Started(std::move(token)); }
    void cancel() const noexcept { (void)token.try_cancel(); }
};

/// One job on its way to its receiver. It stays where it is until it has completed, and may then be destroyed at once,
/// by its receiver: nothing of it is used any more.
template <class Job, class Receiver>
class Operation {
    struct Cancel {
        palitra_token token;
        void operator()() const noexcept { palitra_token_cancel(token); }
    };
    using StopToken = stdexec::stop_token_of_t<stdexec::env_of_t<Receiver>>;
    using StopCallback = typename StopToken::template callback_type<Cancel>;

public:
    using operation_state_concept = stdexec::operation_state_t;

    Operation(Job job, Receiver receiver) : job_(std::move(job)), receiver_(std::move(receiver)) {}
    Operation(Operation&&) = delete;

    void start() & noexcept {
        const auto stop = stdexec::get_stop_token(stdexec::get_env(receiver_));
        if (stop.stop_requested()) {
            job_.cancel();
            stdexec::set_stopped(std::move(receiver_));
            return;
        }
        Started started = job_.start();
        if (started.is_ready()) {
            complete(std::move(started.reply()));
            return;
        }
        token_ = std::move(started.token());
        const palitra_token token = token_.get();
        // First: once the library knows of the operation, it may complete and be gone at any moment.
        if (stop.stop_possible()) cancel_.emplace(stop, Cancel{token});
        if (palitra_token_on_ready(token, 0, &ready, this, nullptr) != PALITRA_OK) complete(*detail::look(token));
    }

private:
    static void ready(palitra_token token, palitra_status, void* operation) noexcept {
        static_cast<Operation*>(operation)->complete(*detail::look(token));
    }

    void complete(Reply reply) noexcept {
        cancel_.reset(); // And waits for a cancel that another thread is in, which needs the operation.
        if (reply) stdexec::set_value(std::move(receiver_), std::move(reply));
        else if (reply.status() == Status::cancelled) stdexec::set_stopped(std::move(receiver_));
        else stdexec::set_error(std::move(receiver_), reply.exception());
    }

    Job job_;
    Receiver receiver_;
    Token token_;
    std::optional<StopCallback> cancel_;
};

template <class Job>
class [[nodiscard]] Sender {
public:
    using sender_concept = stdexec::sender_t;
    using completion_signatures =
        stdexec::completion_signatures<stdexec::set_value_t(Reply), stdexec::set_error_t(std::exception_ptr),
                                       stdexec::set_stopped_t()>;

    explicit Sender(Job job) : job_(std::move(job)) {}

    template <class Receiver>
    auto connect(Receiver receiver) && -> Operation<Job, Receiver> {
        return {std::move(job_), std::move(receiver)};
    }
    template <class Receiver>
        requires std::copy_constructible<Job>
    auto connect(Receiver receiver) const& -> Operation<Job, Receiver> {
        return {job_, std::move(receiver)};
    }

private:
    Job job_;
};

} // namespace execution_detail

/// A sender that starts a job when it is started itself; the payload is copied now. The runner, and the queue of the
/// options, must live until then.
inline auto as_sender(const Runner& runner, std::string_view job, Payload payload = {},
                      const SubmitOptions& options = {}) {
    return execution_detail::Sender(execution_detail::Named{
        &runner, std::string(job), std::string(static_cast<const char*>(payload.data()), payload.size()), options});
}
/// A sender of the reply of a job that was submitted. If the sender is destroyed before it was started, the job runs on
/// detached.
inline auto as_sender(Token token) { return execution_detail::Sender(execution_detail::Kept{std::move(token)}); }

} // namespace palitra

#include "names_end.inc"

#endif
