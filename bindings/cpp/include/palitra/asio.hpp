/// Tokens as asynchronous operations of standalone asio (1.22 or later): with use_awaitable, use_future, a callback or
/// any other completion token.
///
///     palitra::Reply page = co_await palitra::async_run(runner, "http.bytes", request, asio::use_awaitable);
///
/// An operation completes exactly once, with `void(std::exception_ptr, palitra::Reply)`, whatever the runner's fate.
/// The exception is a palitra::error; completion tokens that throw throw it. The reply says how the job ended, in any
/// case. The handler runs on its associated executor, whose context has outstanding work until then. A handler without
/// an executor runs on the runner's thread, where it must not block. Its cancellation slot cancels the job. The context
/// must outlive the jobs that it waits for: cancel them, or destroy the runner, before it.
///
/// Not part of palitra.hpp: include it where asio is used.
#ifndef PALITRA_ASIO_HPP
#define PALITRA_ASIO_HPP

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution/outstanding_work.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/prefer.hpp>
#include <exception>

#include "runner.hpp"

namespace palitra {

namespace detail {

using AsioSignature = void(std::exception_ptr, Reply);

/// A handler and its reply, posted to the handler's executor.
template <class Handler>
class AsioCompletion {
public:
    using executor_type = asio::associated_executor_t<Handler>;
    using allocator_type = asio::associated_allocator_t<Handler>;

    AsioCompletion(Handler handler, Reply reply) : handler_(std::move(handler)), reply_(std::move(reply)) {}

    executor_type get_executor() const noexcept { return asio::get_associated_executor(handler_); }
    allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }

    void operator()() {
        // Not where the job finished: a slot belongs to its handler's thread.
        auto slot = asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected()) slot.clear();
        std::exception_ptr failure = reply_.exception();
        std::move(handler_)(std::move(failure), std::move(reply_));
    }

private:
    Handler handler_;
    Reply reply_;
};

/// An operation that waits for its job: the handler, the token if the operation owns it, and the executor's work guard.
template <class Handler>
class AsioOperation {
public:
    AsioOperation(Handler handler, Token token)
        : work_(asio::make_work_guard(handler)), handler_(std::move(handler)), token_(std::move(token)) {}

    void operator()(Reply reply, Kept where) {
        AsioCompletion<Handler> completion(std::move(handler_), std::move(reply));
        // A refusal comes within the initiating function, where no handler may run.
        if (where == Kept::on_runner) asio::dispatch(std::move(completion));
        else asio::post(std::move(completion));
        work_.reset();
    }

private:
    asio::executor_work_guard<asio::associated_executor_t<Handler>> work_;
    Handler handler_;
    Token token_;
};

struct AsioInitiation {
    /// Waits for a token that the operation owns, or for one that the caller keeps.
    template <class Handler>
    void operator()(Handler&& handler, Token token) const {
        const palitra_token raw = token.get();
        start(raw, std::forward<Handler>(handler), std::move(token));
    }
    template <class Handler>
    void operator()(Handler&& handler, palitra_token raw) const {
        start(raw, std::forward<Handler>(handler), Token());
    }
    /// Waits for a job that was just submitted, or completes with its refusal.
    template <class Handler>
    void operator()(Handler&& handler, result<Token> submitted) const {
        if (submitted) return (*this)(std::forward<Handler>(handler), *std::move(submitted));
        asio::post(AsioCompletion<std::decay_t<Handler>>(std::forward<Handler>(handler), Reply(submitted.status())));
    }

private:
    template <class Handler>
    static void start(palitra_token raw, Handler&& handler, Token token) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.assign([raw](asio::cancellation_type type) {
                if (type != asio::cancellation_type::none) palitra_token_cancel(raw);
            });
        promise(raw, AsioOperation<std::decay_t<Handler>>(std::forward<Handler>(handler), std::move(token)));
    }
};

} // namespace detail

/// Waits for a job, as Token::wait does. The operation owns the token from now on.
template <class CompletionToken>
auto async_wait(Token&& token, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, detail::AsioSignature>(detail::AsioInitiation(), completion,
                                                                        std::move(token));
}
/// The same for a token that the caller keeps: destroying it while it is pending completes with Status::invalid_handle.
template <class CompletionToken>
auto async_wait(const Token& token, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, detail::AsioSignature>(detail::AsioInitiation(), completion,
                                                                        token.get());
}

/// Submits a job at once and waits for it. If it is refused, the operation completes with the reason.
template <class CompletionToken>
auto async_run(const Runner& runner, std::string_view job, Payload payload, CompletionToken&& completion) {
    return asio::async_initiate<CompletionToken, detail::AsioSignature>(detail::AsioInitiation(), completion,
                                                                        runner.try_submit(job, payload));
}

/// An asio executor as resume_on takes it, for coroutines that are not asio's. Its context has outstanding work until
/// the coroutine resumes.
///
///     co_await palitra::resume_on(palitra::post_to(io.get_executor()), token);
template <class Executor>
[[nodiscard]] auto post_to(const Executor& executor) {
    return [tracked = asio::prefer(executor, asio::execution::outstanding_work.tracked)](auto work) {
        asio::post(tracked, std::move(work));
    };
}

} // namespace palitra

#endif
