/// Tokens in coroutines, of whatever task type: `Reply reply = co_await token;`
///
/// | await | and it returns |
/// |---|---|
/// | a token; `resume_on(executor, token)` | the reply; throws what the job failed with |
/// | `runner.start(job, payload)` | the same, without a hand-off if the job was ready at once |
/// | `next_item(token)`; `resume_on(executor, next_item(token))` | the next item of a stream, nothing after the last |
/// | each with `try_`: `try_await(token)`, `try_resume_on`, `try_next_item` | a result<Reply> that does not throw |
///
/// A coroutine resumes on an executor that the caller chooses: a function that takes the work, such as
/// `[&](auto work) { queue.push(work); }`, or an object with a member `execute(work)`. It is copied. asio.hpp has
/// post_to for the executors of asio. The work is copyable and is called once, without arguments. Without an executor
/// the coroutine continues at once if the job has finished; else it resumes on the runner's thread, where it must not
/// block, or on that of the runner's watchdog while a job blocks the runner's. It never resumes inside a call of another
/// thread, such as a cancel or the destructor of a token, but that of a shutdown while a callback blocks the runner's
/// thread.
///
/// Each suspension is followed by exactly one resumption, whatever becomes of the token or its runner, also while a job
/// blocks the runner's thread. What is awaited moves, owns a token that is passed as a temporary, and may be awaited
/// again. A coroutine may be destroyed while it waits, by any thread but while another resumes it: some 300 bytes of
/// the wait are freed with its token or when that finishes, and an item that it waited for stays in its stream.
/// Coroutines that asio spawns await by asio.hpp.
#ifndef PALITRA_COROUTINE_HPP
#define PALITRA_COROUTINE_HPP

#include "started.hpp"

#if defined(__cpp_impl_coroutine)

#include <atomic>
#include <coroutine>

#if __has_include(<stop_token>)
#include <stop_token>
#endif

#include "names_begin.inc"

namespace palitra {

/// Resumes where the job finished.
struct InlineExecutor {
    template <class Work>
    void operator()(Work&& work) const {
        std::forward<Work>(work)();
    }
};

namespace detail {

template <class Executor, class Work, class = void>
struct has_execute : std::false_type {};
template <class Executor, class Work>
struct has_execute<Executor, Work, std::void_t<decltype(std::declval<Executor&>().execute(std::declval<Work>()))>>
    : std::true_type {};

template <class Executor, class Work>
void execute(Executor& executor, Work&& work) {
    if constexpr (has_execute<Executor, Work>::value) executor.execute(std::forward<Work>(work));
    else executor(std::forward<Work>(work));
}

/// A suspended coroutine, the token that it waits for and the reply that it will find. Whoever takes the coroutine
/// first has it: the one who resumes it, or the one who destroys it.
class Suspended {
public:
    Suspended(std::coroutine_handle<> coroutine, palitra_token awaited) noexcept
        : token(awaited), coroutine_(coroutine.address()) {}

    void resume() {
        if (void* coroutine = take()) std::coroutine_handle<>::from_address(coroutine).resume();
    }
    void* take() noexcept { return coroutine_.exchange(nullptr, std::memory_order_acq_rel); }
    [[nodiscard]] bool is_taken() const noexcept { return coroutine_.load(std::memory_order_acquire) == nullptr; }

    const palitra_token token;
    Reply reply;

private:
    std::atomic<void*> coroutine_;
};

/// The next item, Status::end after the last, or what the job failed with. End is its twin, in callback.hpp.
struct Item {
    using Promised = ItemReady;
    static result<Reply> look(palitra_token token) noexcept { return detail::next(token, std::chrono::seconds(0)); }
};

/// Awaits what a token has: its end or its next item. `Holder` is a Token, or a palitra_token that somebody else frees.
template <class Awaited, class Executor, class Holder>
class Awaiter {
public:
    Awaiter(Executor executor, Holder holder) : executor_(std::move(executor)), holder_(std::move(holder)) {}
    /// For a job that was ready where it was started.
    Awaiter(Executor executor, Reply ready) : executor_(std::move(executor)), ready_(std::move(ready)) {}
    /// Not once it is awaited.
    Awaiter(Awaiter&&) = default;
    Awaiter& operator=(Awaiter&&) = default;
    ~Awaiter() {
        if (suspended_) (void)suspended_->take();
    }

    bool await_ready() {
        if (ready_) return true;
        // The caller wants to be on any other executor, even if the job has finished.
        if constexpr (!is_inline) return false;
        auto outcome = Awaited::look(token());
        if (outcome.status() == Status::pending) return false;
        ready_ = *std::move(outcome);
        return true;
    }

    /// Returns false for a coroutine that goes on at once: its runner is gone.
    bool await_suspend(std::coroutine_handle<> coroutine) {
        auto suspended = std::make_shared<Suspended>(coroutine, token());
        suspended_ = suspended;
        // The coroutine may have resumed, and this object be destroyed, before the call returns.
        if (wait(suspended, executor_) == Kept::on_runner || !is_inline) return true;
        (void)take_item(*suspended, Kept::at_once);
        return false;
    }

    result<Reply> await_resume() {
        if (auto suspended = std::exchange(suspended_, nullptr)) {
            (void)suspended->take();
            return result<Reply>(std::move(suspended->reply));
        }
        return result<Reply>(*std::exchange(ready_, std::nullopt));
    }

    /// The same on another executor.
    template <class Other>
    [[nodiscard]] auto on(Other other) && {
        using Moved = Awaiter<Awaited, Other, Holder>;
        return ready_ ? Moved(std::move(other), *std::move(ready_)) : Moved(std::move(other), std::move(holder_));
    }

private:
    static constexpr bool is_inline = std::is_same_v<Executor, InlineExecutor>;
    // An item, which is taken only where its coroutine goes on; else the reply is what was promised.
    static constexpr bool is_item = !std::is_same_v<Awaited, typename Awaited::Promised>;

    // These know nothing of the awaiter: when they are called, the coroutine and all that it has may be destroyed.

    /// Resumes the coroutine on the executor, but an inline one whose token is refused at once: the caller does that.
    static Kept wait(const std::shared_ptr<Suspended>& suspended, const Executor& executor) {
        return detail::promise<typename Awaited::Promised>(
            suspended->token, [suspended, executor](Reply reply, Kept where) mutable {
                suspended->reply = std::move(reply);
                if (is_inline && where == Kept::at_once) return;
                if constexpr (is_item)
                    detail::execute(executor, [suspended, executor, where] { resume(suspended, executor, where); });
                else detail::execute(executor, [suspended] { suspended->resume(); });
            });
    }

    /// A coroutine that was destroyed takes no item.
    static void resume(const std::shared_ptr<Suspended>& suspended, const Executor& executor, Kept where) {
        if (suspended->is_taken()) return;
        if (!take_item(*suspended, where)) {
            if (wait(suspended, executor) == Kept::on_runner || !is_inline) return;
            (void)take_item(*suspended, Kept::at_once);
        }
        suspended->resume();
    }

    /// Returns false if another reader was faster, and the next item may come.
    static bool take_item(Suspended& suspended, Kept where) {
        if constexpr (is_item) {
            suspended.reply = *Awaited::look(suspended.token);
            if (suspended.reply.status() != Status::pending) return true;
            if (where == Kept::on_runner) return false;
            suspended.reply = Reply(Status::shut_down);
        }
        return true;
    }

    [[nodiscard]] palitra_token token() const noexcept {
        if constexpr (std::is_same_v<Holder, Token>) return holder_.get();
        else return holder_;
    }

    Executor executor_;
    Holder holder_{};
    std::optional<Reply> ready_;
    std::shared_ptr<Suspended> suspended_;
};

/// The same, which throws what the job failed with.
template <class Awaited, class Executor, class Holder>
class ThrowingAwaiter : public Awaiter<Awaited, Executor, Holder> {
public:
    explicit ThrowingAwaiter(Awaiter<Awaited, Executor, Holder> awaiter)
        : Awaiter<Awaited, Executor, Holder>(std::move(awaiter)) {}

    auto await_resume() {
        auto outcome = Awaiter<Awaited, Executor, Holder>::await_resume();
        if constexpr (std::is_same_v<Awaited, Item>) return detail::unless(Status::end, std::move(outcome));
        else return std::move(outcome).value();
    }
    template <class Other>
    [[nodiscard]] auto on(Other other) && {
        auto moved = static_cast<Awaiter<Awaited, Executor, Holder>&&>(*this).on(std::move(other));
        return ThrowingAwaiter<Awaited, Other, Holder>(std::move(moved));
    }
};

template <class Awaited, class Executor>
auto await(Executor executor, const Token& token) {
    return Awaiter<Awaited, Executor, palitra_token>(std::move(executor), token.get());
}
template <class Awaited, class Executor>
auto await(Executor executor, Token&& token) {
    return Awaiter<Awaited, Executor, Token>(std::move(executor), std::move(token));
}
template <class Awaited, class Executor>
auto await(Executor executor, Started&& started) {
    using Of = Awaiter<Awaited, Executor, Token>;
    return started.is_ready() ? Of(std::move(executor), std::move(started.reply()))
                              : Of(std::move(executor), std::move(started.token()));
}

template <class Awaited, class Executor, class Holder>
auto throwing(Awaiter<Awaited, Executor, Holder> awaiter) {
    return ThrowingAwaiter<Awaited, Executor, Holder>(std::move(awaiter));
}

template <class T>
using if_finishes =
    std::enable_if_t<std::is_same_v<std::decay_t<T>, Token> || std::is_same_v<std::decay_t<T>, Started>>;

} // namespace detail

/// Awaits a token, or what Runner::start returned, and resumes on the executor. A token that is not passed as a
/// temporary must live until then. Throws what the job failed with. What was ready where it was started leaves the
/// coroutine there.
template <class Executor, class Job, class = detail::if_finishes<Job>>
[[nodiscard]] auto resume_on(Executor executor, Job&& job) {
    return detail::throwing(detail::await<detail::End>(std::move(executor), std::forward<Job>(job)));
}
/// The same, but returns a result<Reply>.
template <class Executor, class Job, class = detail::if_finishes<Job>>
[[nodiscard]] auto try_resume_on(Executor executor, Job&& job) {
    return detail::await<detail::End>(std::move(executor), std::forward<Job>(job));
}
/// Awaits inline and returns a result<Reply>.
template <class Job, class = detail::if_finishes<Job>>
[[nodiscard]] auto try_await(Job&& job) {
    return palitra::try_resume_on(InlineExecutor(), std::forward<Job>(job));
}

inline auto operator co_await(const Token& token) { return palitra::resume_on(InlineExecutor(), token); }
inline auto operator co_await(Token&& token) { return palitra::resume_on(InlineExecutor(), std::move(token)); }
inline auto operator co_await(Started&& started) { return palitra::resume_on(InlineExecutor(), std::move(started)); }

/// Awaits the next item of a job that streams. Returns nothing after the last, and throws what the job failed with. One
/// reader at a time. `token` must live until then.
[[nodiscard]] inline auto next_item(const Token& token) {
    return detail::throwing(detail::await<detail::Item>(InlineExecutor(), token));
}
/// The same, but returns a result<Reply>, with Status::end after the last item.
[[nodiscard]] inline auto try_next_item(const Token& token) {
    return detail::await<detail::Item>(InlineExecutor(), token);
}
/// Resumes on the executor: `co_await resume_on(executor, next_item(token))`, and the same with try_next_item.
template <class Executor, class Holder>
[[nodiscard]] auto resume_on(Executor executor, detail::ThrowingAwaiter<detail::Item, InlineExecutor, Holder> item) {
    return std::move(item).on(std::move(executor));
}
template <class Executor, class Holder>
[[nodiscard]] auto resume_on(Executor executor, detail::Awaiter<detail::Item, InlineExecutor, Holder> item) {
    return std::move(item).on(std::move(executor));
}

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

#include "names_end.inc"

#endif
#endif
