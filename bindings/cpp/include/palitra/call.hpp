/// Jobs of the program: functions that a runner calls whenever somebody calls the job.
#ifndef PALITRA_CALL_HPP
#define PALITRA_CALL_HPP

#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "runner.hpp"

#include "names_begin.inc"

namespace palitra {

/// One call of a job of the program's, which any thread answers. Move-only. One that is destroyed without an answer
/// fails. The calls of one that was answered fail with Status::end, of one whose answer is not needed any more with
/// Status::cancelled.
class Call {
public:
    Call() noexcept = default;
    Call(Call&& other) noexcept : raw_(std::exchange(other.raw_, {})) {}
    Call& operator=(Call&& other) noexcept {
        if (this != &other) {
            palitra_call_free(raw_);
            raw_ = std::exchange(other.raw_, {});
        }
        return *this;
    }
    ~Call() { palitra_call_free(raw_); }

    /// Owns from now on what C has: the caller does not free it.
    [[nodiscard]] static Call adopt(palitra_call raw) noexcept { return Call(raw); }

    /// Answers with a reply, which is copied.
    result<void> try_complete(const Payload& reply = {}, Format format = Format::bytes) noexcept {
        return detail::done(palitra_call_complete(raw_, PALITRA_OK, 0, static_cast<palitra_format>(format),
                                                  reply.data(), reply.size()));
    }
    void complete(const Payload& reply = {}, Format format = Format::bytes) { try_complete(reply, format).value(); }

    /// Answers with a failure: a number of the job's own and a message.
    result<void> try_fail(int code, std::string_view message) noexcept {
        return detail::done(
            palitra_call_complete(raw_, PALITRA_JOB_FAILED, code, PALITRA_TEXT, message.data(), message.size()));
    }
    void fail(int code, std::string_view message) { try_fail(code, message).value(); }

    /// Sends an item of the job's stream; waits while its reader has enough to read. Status::pending past the timeout,
    /// Status::end also if nobody reads, Status::would_deadlock instead of waiting on the runner's thread.
    result<void> try_send(const Payload& item, Format format = Format::bytes, Timeout timeout = no_timeout) noexcept {
        return detail::done(palitra_call_send(raw_, static_cast<palitra_format>(format), item.data(), item.size(),
                                              timeout.nanoseconds()));
    }
    void send(const Payload& item, Format format = Format::bytes) { try_send(item, format).value(); }

    /// Says how far the job is.
    result<void> try_progress(std::uint64_t done, std::uint64_t total) noexcept {
        return detail::done(palitra_call_progress(raw_, done, total));
    }
    void progress(std::uint64_t done, std::uint64_t total) { try_progress(done, total).value(); }

    /// Whether the answer is not needed any more: the job was cancelled, its deadline passed, its runner ends.
    [[nodiscard]] bool is_cancelled() const noexcept { return palitra_call_is_cancelled(raw_); }

    /// Has a function called once when the answer is not needed any more; mostly on the runner's thread, where it must
    /// not block. It takes the place of the one before. std::terminate is called if it throws.
    template <class Function>
    result<void> try_on_cancel(Function&& function) {
        using Own = std::decay_t<Function>;
        static_assert(std::is_invocable_v<Own&>, "takes nothing");
        return detail::done(palitra_call_on_cancel(
            raw_, [](palitra_call, void* box) noexcept { (*static_cast<Own*>(box))(); },
            new Own(std::forward<Function>(function)), [](void* box) noexcept { delete static_cast<Own*>(box); }));
    }
    template <class Function>
    void on_cancel(Function&& function) {
        try_on_cancel(std::forward<Function>(function)).value();
    }

private:
    explicit Call(palitra_call raw) noexcept : raw_(raw) {}

    palitra_call raw_{};
};

/// What a job of the program's takes and leaves. A payload of another format is refused before the call.
struct JobFormats {
    Format input = Format::bytes, output = Format::bytes;
};

namespace detail {

/// Calls the function of a job. One that takes the payload alone answers with what it returns.
template <class Function>
struct Registered {
    Function function;
    Format output;

    static void call(palitra_call raw, const void* data, std::size_t size, void* box) noexcept {
        auto& self = *static_cast<Registered*>(box);
        const std::string_view payload(static_cast<const char*>(data), size);
        Call call = Call::adopt(raw);
        if constexpr (std::is_invocable_v<Function&, Call, std::string_view>) {
            self.function(std::move(call), payload);
        } else {
            self.answer(call, payload);
        }
    }
    static void free(void* box) noexcept { delete static_cast<Registered*>(box); }

    void answer(Call& call, std::string_view payload) noexcept {
#if defined(__cpp_exceptions)
        try {
            settle(call, call.try_complete(function(payload), output));
        } catch (const std::exception& failure) {
            settle(call, call.try_fail(0, failure.what()));
        }
#else
        settle(call, call.try_complete(function(payload), output));
#endif
    }

    /// An answer that the library refuses leaves the call unanswered: the job fails, and its message says why.
    static void settle(Call& call, const result<void>& answered) noexcept {
        if (answered.status() == Status::invalid_argument) (void)call.try_fail(0, "the answer is not UTF-8");
        if (answered.status() == Status::too_large) (void)call.try_fail(0, "no memory holds the answer");
    }
};

} // namespace detail

/// Registers a job of the program's on one runner, until that has ended: whoever calls the job by its name, the program
/// or another job, has the function called on the runner's thread, where it must not block; with workers several threads
/// may be in it at once. It comes before a job of the library that has the same name, so a test can replace one.
///
/// A function that takes a Call and a std::string_view answers the call, or moves it to whoever will; std::terminate is
/// called if it throws. One that takes a std::string_view alone answers with the bytes that it returns, and a
/// std::exception that it throws fails the job. The payload lives until the function returns.
///
/// Status::invalid_argument: the name is empty or registered on this runner already. Status::shut_down.
template <class Function>
result<void> try_register_job(const Runner& runner, std::string_view name, Function&& function,
                              const JobFormats& formats = {}) {
    using Own = detail::Registered<std::decay_t<Function>>;
    static_assert(std::is_invocable_v<std::decay_t<Function>&, Call, std::string_view> ||
                      std::is_invocable_r_v<Payload, std::decay_t<Function>&, std::string_view>,
                  "takes a palitra::Call and a std::string_view, or a std::string_view and returns bytes");
    const detail::CString text(name);
    if (text.get() == nullptr) return Status::invalid_argument;
    const palitra_job_info info{text.get(), nullptr, static_cast<palitra_format>(formats.input),
                                static_cast<palitra_format>(formats.output)};
    return detail::done(palitra_runner_register(runner.get(), &info, &Own::call,
                                                new Own{std::forward<Function>(function), formats.output}, &Own::free));
}
template <class Function>
void register_job(const Runner& runner, std::string_view name, Function&& function, const JobFormats& formats = {}) {
    try_register_job(runner, name, std::forward<Function>(function), formats).value();
}

} // namespace palitra

#include "names_end.inc"

#endif
