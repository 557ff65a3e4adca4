/// Token: one submitted job. Wait for it, poll it, cancel it, read its stream, or have it call a function.
#ifndef PALITRA_TOKEN_HPP
#define PALITRA_TOKEN_HPP

#include "callback.hpp"

#include "names_begin.inc"

namespace palitra {

/// How far the job is, by its own report; both are 0 before the first.
struct Progress {
    std::uint64_t done;
    std::uint64_t total;
};

/// One submitted job. Move-only; any number of threads may use one at once, as long as none of them moves or
/// destroys it. Destroying it detaches the job, which runs to its end; call cancel() before to end it. A job that
/// streams ends, because nobody can read it. The calls of one that was moved from fail with Status::invalid_handle.
class Token {
public:
    Token() noexcept = default;
    Token(palitra_runner runner, palitra_token token) noexcept : runner_(runner), token_(token) {}
    Token(Token&& other) noexcept : runner_(other.runner_), token_(other.release()) {}
    Token& operator=(Token&& other) noexcept {
        if (this != &other) {
            palitra_token_free(token_);
            runner_ = other.runner_;
            token_ = other.release();
        }
        return *this;
    }
    ~Token() { palitra_token_free(token_); }

    /// Blocks until the job has finished. Throws what it failed with. May be called again; each call returns a reply of
    /// its own.
    [[nodiscard]] Reply wait() const { return try_wait().value(); }
    /// The same, but returns nothing past the timeout; the job runs on.
    [[nodiscard]] std::optional<Reply> wait_for(Timeout timeout) const {
        return detail::unless(Status::pending, try_wait(timeout));
    }
    /// The same, until a time of any clock.
    template <class Clock, class Duration>
    [[nodiscard]] std::optional<Reply> wait_until(std::chrono::time_point<Clock, Duration> time) const {
        return wait_for(time);
    }
    result<Reply> try_wait(Timeout timeout = forever) const noexcept {
        palitra_reply raw{};
        const palitra_status status = palitra_token_wait(token_, timeout.nanoseconds(), &raw);
        return detail::filled(status, raw);
    }

    /// Returns the reply if the job has finished, else nothing. Never blocks. Throws what the job failed with.
    [[nodiscard]] std::optional<Reply> poll() const { return detail::unless(Status::pending, try_poll()); }
    result<Reply> try_poll() const noexcept { return detail::look(token_); }

    /// Finishes the token with Status::cancelled and drops the job at its next await. Does nothing if it has finished.
    void cancel() const { try_cancel().value(); }
    result<void> try_cancel() const noexcept { return detail::done(palitra_token_cancel(token_)); }

    /// Returns the next item of a job that streams, and nothing after the last. Throws what the job failed with.
    [[nodiscard]] std::optional<Reply> next() const { return detail::unless(Status::end, try_next()); }
    /// The same, but returns Status::end after the last item and Status::pending past the timeout.
    result<Reply> try_next(Timeout timeout = forever) const noexcept { return detail::next(token_, timeout); }

    [[nodiscard]] Progress progress() const { return try_progress().value(); }
    result<Progress> try_progress() const noexcept {
        Progress progress{};
        const palitra_status status = palitra_token_progress(token_, &progress.done, &progress.total);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return progress;
    }

    /// Registers a function that is called when the job finishes, on the runner's thread, where it must not block. It
    /// is called with the Reply, the Status or nothing, whichever it takes. Destroying the token while it is pending
    /// unregisters it; if the token is destroyed after it has finished, the Reply has Status::invalid_handle. The
    /// function may be move-only and is destroyed exactly once. std::terminate is called if it throws.
    template <class Function>
    void on_complete(Function&& function) const& {
        try_on_complete(std::forward<Function>(function)).value();
    }
    template <class Function>
    result<void> try_on_complete(Function&& function) const& {
        static_assert(detail::is_callback<std::decay_t<Function>>,
                      "takes a palitra::Reply, a palitra::Status or nothing");
        return detail::done(detail::Callback<std::decay_t<Function>>::attach(token_, std::forward<Function>(function)));
    }
    /// The same for a token that nobody keeps, as in `runner.submit(...).on_complete(...)`. The callback keeps it and
    /// is called exactly once, whatever happens: on the runner's thread; on that of its watchdog while a job blocks the
    /// runner's; on the current thread if the runner is gone.
    template <class Function>
    void on_complete(Function&& function) && {
        using Own = std::decay_t<Function>;
        static_assert(detail::is_callback<Own>, "takes a palitra::Reply, a palitra::Status or nothing");
        const palitra_token token = token_;
        detail::promise<detail::End>(
            token, [kept = std::move(*this), own = Own(std::forward<Function>(function))](
                       Reply reply, detail::Kept) mutable { detail::complete(own, std::move(reply)); });
    }
    /// The same. It always succeeds: a token that has no job calls the function with Status::invalid_handle.
    template <class Function>
    result<void> try_on_complete(Function&& function) && {
        std::move(*this).on_complete(std::forward<Function>(function));
        return Status::ok;
    }

    /// Whether it has a job.
    explicit operator bool() const noexcept { return token_.id != 0; }
    /// For the C functions; still owned by this object.
    [[nodiscard]] palitra_token get() const noexcept { return token_; }
    [[nodiscard]] palitra_runner runner() const noexcept { return runner_; }
    /// Gives up what it owns: the caller calls palitra_token_free.
    [[nodiscard]] palitra_token release() noexcept { return std::exchange(token_, palitra_token{}); }

private:
    palitra_runner runner_{};
    palitra_token token_{};
};

namespace detail {

/// A token that nobody keeps, called through a pointer: `runner.try_submit(...)->on_complete(...)`.
class PassingToken : public Token {
public:
    explicit PassingToken(Token token) noexcept : Token(std::move(token)) {}
    PassingToken* operator->() noexcept { return this; }

    template <class Function>
    void on_complete(Function&& function) {
        std::move(*this).Token::on_complete(std::forward<Function>(function));
    }
    template <class Function>
    result<void> try_on_complete(Function&& function) {
        return std::move(*this).Token::try_on_complete(std::forward<Function>(function));
    }
};

template <>
struct Arrow<Token> {
    using type = PassingToken;
    static type of(std::optional<Token>& value) noexcept { return PassingToken(value ? *std::move(value) : Token()); }
};

} // namespace detail
} // namespace palitra

#include "names_end.inc"

#endif
