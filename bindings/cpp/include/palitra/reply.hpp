/// Reply: what a job returns. result<T>: what a call that does not throw returns.
#ifndef PALITRA_REPLY_HPP
#define PALITRA_REPLY_HPP

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "argument.hpp"
#include "status.hpp"

#include "names_begin.inc"

namespace palitra {

/// The result of a finished job: its bytes, or why there are none. Owns them, is move-only, and may outlive its token
/// and its runner. One that was moved from or never filled has Status::invalid_handle.
class Reply {
public:
    Reply() noexcept : Reply(Status::invalid_handle) {}
    /// One without bytes.
    explicit Reply(Status status) noexcept { raw_.status = static_cast<palitra_status>(status); }
    Reply(Reply&& other) noexcept : raw_(other.release()) {}
    Reply& operator=(Reply&& other) noexcept {
        if (this != &other) {
            palitra_reply_free(&raw_);
            raw_ = other.release();
        }
        return *this;
    }
    ~Reply() { palitra_reply_free(&raw_); }

    /// Owns from now on what a C function filled.
    [[nodiscard]] static Reply adopt(palitra_reply raw) noexcept {
        Reply reply;
        reply.raw_ = raw;
        return reply;
    }
    /// Gives up what it owns: the caller calls palitra_reply_free.
    [[nodiscard]] palitra_reply release() noexcept { return std::exchange(raw_, Reply::none()); }

    [[nodiscard]] Status status() const noexcept { return static_cast<Status>(raw_.status); }
    /// Whether the job succeeded.
    explicit operator bool() const noexcept { return raw_.status == PALITRA_OK; }
    /// The number that the job gave its failure; 0 otherwise.
    [[nodiscard]] int code() const noexcept { return raw_.code; }
    [[nodiscard]] Format format() const noexcept { return static_cast<Format>(raw_.format); }

    [[nodiscard]] const std::uint8_t* data() const noexcept { return raw_.data; }
    [[nodiscard]] std::size_t size() const noexcept { return raw_.len; }
    [[nodiscard]] bool empty() const noexcept { return raw_.len == 0; }
    [[nodiscard]] const std::uint8_t* begin() const noexcept { return raw_.data; }
    [[nodiscard]] const std::uint8_t* end() const noexcept { return raw_.len == 0 ? raw_.data : raw_.data + raw_.len; }
    /// The bytes as text; lives as long as the reply.
    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(raw_.data), raw_.len};
    }
    /// The bytes as the codec's `decode<Value>(std::string_view)` understands them.
    template <class Value, class Codec>
    [[nodiscard]] Value as(Codec&& codec) const {
        return codec.template decode<Value>(text());
    }

    /// Why the job did not succeed: its message, or what the status means. Lives as long as the reply.
    [[nodiscard]] std::string_view message() const noexcept {
        return *this || empty() ? palitra::message(status()) : text();
    }
    /// What the failure says to programs, as JSON; empty if it says nothing. Lives as long as the reply.
    [[nodiscard]] std::string_view details() const noexcept {
        const char* details = palitra_reply_details(&raw_);
        return details == nullptr ? std::string_view() : details;
    }
    /// The same, as an exception.
    [[nodiscard]] palitra::error error() const {
        return {status(), code(), std::string(message()), std::string(details())};
    }
    /// The status, as the standard has it: false if the job succeeded.
    [[nodiscard]] std::error_code error_code() const noexcept { return make_error_code(status()); }
    /// Throws error() unless the job succeeded, as palitra::job_failed or palitra::bad_payload where it is one.
    void check() const {
        if (!*this) detail::raise(status(), code(), std::string(message()), std::string(details()));
    }
#if defined(__cpp_exceptions)
    /// What check() would throw; nullptr if the job succeeded.
    [[nodiscard]] std::exception_ptr exception() const noexcept {
        try {
            check();
            return nullptr;
        } catch (...) {
            return std::current_exception();
        }
    }
#endif

private:
    static palitra_reply none() noexcept {
        palitra_reply raw{};
        raw.status = PALITRA_INVALID_HANDLE;
        return raw;
    }

    palitra_reply raw_{};
};

namespace detail {

/// What every result has: how the call went.
class Outcome {
public:
    [[nodiscard]] bool has_value() const noexcept { return bool(reply_); }
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] Status status() const noexcept { return reply_.status(); }
    [[nodiscard]] int code() const noexcept { return reply_.code(); }
    /// Lives as long as the result.
    [[nodiscard]] std::string_view message() const noexcept { return reply_.message(); }
    /// As Reply::details(). Lives as long as the result.
    [[nodiscard]] std::string_view details() const noexcept { return reply_.details(); }
    [[nodiscard]] palitra::error error() const { return reply_.error(); }
    [[nodiscard]] std::error_code error_code() const noexcept { return reply_.error_code(); }

protected:
    explicit Outcome(Reply reply) noexcept : reply_(std::move(reply)) {}
    Reply reply_;
};

} // namespace detail

namespace detail {

/// What `->` of a temporary result is: its value. A token is another: see token.hpp.
template <class T>
struct Arrow {
    using type = T*;
    static type of(std::optional<T>& value) noexcept { return &*value; }
};

} // namespace detail

/// What each `try_` call returns: a value, or how the call ended instead. `*` and `->` need a value; value() throws
/// palitra::error where there is none.
template <class T>
class [[nodiscard]] result : public detail::Outcome {
public:
    result(T value) noexcept : Outcome(Reply(Status::ok)), value_(std::move(value)) {}
    /// The result of a call that failed, with a status or with a reply that says more.
    result(Status failure) noexcept : Outcome(Reply(failure)) {}
    explicit result(Reply failure) noexcept : Outcome(std::move(failure)) {}

    [[nodiscard]] T& operator*() & noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const& noexcept { return *value_; }
    [[nodiscard]] T&& operator*() && noexcept { return *std::move(value_); }
    [[nodiscard]] T* operator->() & noexcept { return &*value_; }
    [[nodiscard]] const T* operator->() const& noexcept { return &*value_; }
    [[nodiscard]] typename detail::Arrow<T>::type operator->() && noexcept { return detail::Arrow<T>::of(value_); }
    T& value() & {
        reply_.check();
        return *value_;
    }
    T value() && {
        reply_.check();
        return *std::move(value_);
    }

private:
    std::optional<T> value_;
};

/// A reply itself says how its job ended, so the reply of a failed job is here, too, with its message.
template <>
class [[nodiscard]] result<Reply> : public detail::Outcome {
public:
    result(Reply reply) noexcept : Outcome(std::move(reply)) {}

    [[nodiscard]] Reply& operator*() & noexcept { return reply_; }
    [[nodiscard]] const Reply& operator*() const& noexcept { return reply_; }
    [[nodiscard]] Reply&& operator*() && noexcept { return std::move(reply_); }
    [[nodiscard]] Reply* operator->() noexcept { return &reply_; }
    [[nodiscard]] const Reply* operator->() const noexcept { return &reply_; }
    Reply& value() & {
        reply_.check();
        return reply_;
    }
    Reply value() && {
        reply_.check();
        return std::move(reply_);
    }
};

template <>
class [[nodiscard]] result<void> : public detail::Outcome {
public:
    result(Status status) noexcept : Outcome(Reply(status)) {}
    void value() const { reply_.check(); }
};

namespace detail {

/// What a C function that fills a reply returned. The reply has the same status.
[[nodiscard]] inline result<Reply> filled(palitra_status status, palitra_reply raw) noexcept {
    raw.status = status;
    return result<Reply>(Reply::adopt(raw));
}

inline result<void> done(palitra_status status) noexcept { return result<void>(static_cast<Status>(status)); }

/// For calls that return nothing where the C function returns PENDING or END.
inline std::optional<Reply> unless(Status expected, result<Reply> outcome) {
    if (outcome.status() == expected) return std::nullopt;
    return std::move(outcome).value();
}

/// The reply of a token, or Status::pending. Never blocks.
[[nodiscard]] inline result<Reply> look(palitra_token token) noexcept {
    palitra_reply raw{};
    const palitra_status status = palitra_token_poll(token, &raw);
    return detail::filled(status, raw);
}
/// The next item of a token, Status::end or how the job ended, or Status::pending.
[[nodiscard]] inline result<Reply> next(palitra_token token, Timeout timeout) noexcept {
    palitra_reply raw{};
    const palitra_status status = palitra_token_next(token, timeout.nanoseconds(), &raw);
    return detail::filled(status, raw);
}

} // namespace detail
} // namespace palitra

#include "names_end.inc"

#endif
