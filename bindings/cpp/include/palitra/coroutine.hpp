/// Tokens in coroutines of C++20, of whatever task type: `Reply reply = co_await token;`
///
/// A coroutine resumes on an executor that the caller chooses: a function that takes the work, such as
/// `[&](auto work) { queue.push(work); }`, or an object with a member `execute(work)`. It is copied. asio.hpp has
/// post_to for the executors of asio. The work is copyable and is called once, without arguments. Without an executor
/// the coroutine resumes inline: on the runner's thread, where it must not block, or at once if the job has finished.
///
/// Each suspension is followed by exactly one resumption, whatever becomes of the token or its runner. A coroutine may
/// be destroyed while it waits, on the thread that would resume it. Coroutines that asio spawns await by asio.hpp.
#ifndef PALITRA_COROUTINE_HPP
#define PALITRA_COROUTINE_HPP

#include "token.hpp"

#if defined(__cpp_impl_coroutine)

#include <coroutine>

#if __has_include(<stop_token>)
#include <stop_token>
#endif

namespace palitra {

/// Resumes where the job finished.
struct InlineExecutor {
    template <class Work>
    void operator()(Work&& work) const {
        std::forward<Work>(work)();
    }
};

namespace detail {

template <class Executor, class Work>
void execute(Executor& executor, Work&& work) {
    if constexpr (requires { executor.execute(std::forward<Work>(work)); }) executor.execute(std::forward<Work>(work));
    else executor(std::forward<Work>(work));
}

/// A suspended coroutine, NULL once it is gone, and the reply that it will find.
struct Suspended {
    std::coroutine_handle<> coroutine;
    Reply reply;
};

template <class Executor, bool throws>
class Awaiter {
public:
    Awaiter(palitra_token token, Executor executor) : token_(token), executor_(std::move(executor)) {}
    Awaiter(Awaiter&&) = delete;
    ~Awaiter() {
        if (suspended_) suspended_->coroutine = nullptr;
    }

    bool await_ready() {
        // The caller wants to be on any other executor, even if the job has finished.
        if constexpr (!std::is_same_v<Executor, InlineExecutor>) return false;
        auto outcome = detail::poll(token_);
        if (outcome.status() == Status::pending) return false;
        reply_ = *std::move(outcome);
        return true;
    }

    void await_suspend(std::coroutine_handle<> coroutine) {
        suspended_ = std::make_shared<Suspended>(Suspended{coroutine, Reply()});
        // The coroutine may have resumed, and this object be destroyed, before the call returns.
        detail::promise(token_, [suspended = suspended_, executor = executor_](Reply reply, Kept) mutable {
            suspended->reply = std::move(reply);
            detail::execute(executor, [suspended] {
                if (suspended->coroutine) suspended->coroutine.resume();
            });
        });
    }

    auto await_resume() {
        if (suspended_) {
            suspended_->coroutine = nullptr;
            reply_ = std::move(suspended_->reply);
        }
        result<Reply> outcome(std::move(reply_));
        if constexpr (throws) return std::move(outcome).value();
        else return outcome;
    }

private:
    palitra_token token_;
    Executor executor_;
    std::shared_ptr<Suspended> suspended_;
    Reply reply_;
};

} // namespace detail

/// Awaits a token, which must live until then, and resumes on the executor. Throws what the job failed with.
template <class Executor>
[[nodiscard]] auto resume_on(Executor executor, const Token& token) {
    return detail::Awaiter<Executor, true>(token.get(), std::move(executor));
}
/// The same, but returns a result<Reply>.
template <class Executor>
[[nodiscard]] auto try_resume_on(Executor executor, const Token& token) {
    return detail::Awaiter<Executor, false>(token.get(), std::move(executor));
}
/// Awaits inline and returns a result<Reply>.
[[nodiscard]] inline auto try_await(const Token& token) { return try_resume_on(InlineExecutor(), token); }

inline auto operator co_await(const Token& token) { return resume_on(InlineExecutor(), token); }

#if defined(__cpp_lib_jthread)
/// The stop token cancels the job as long as the returned object lives. It works with every way to wait.
///
///     auto cancelling = palitra::cancel_on(stop, token);
///     Reply reply = co_await token;
[[nodiscard]] inline auto cancel_on(const std::stop_token& stop, const Token& token) {
    return std::stop_callback(stop, [raw = token.get()]() noexcept { palitra_token_cancel(raw); });
}
#endif

} // namespace palitra

#endif
#endif
