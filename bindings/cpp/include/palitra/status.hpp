/// Status: how calls and jobs end. Format: what bytes are. error: the exception that carries a status.
///
/// Every other header includes this one. Where exceptions are off, whatever would throw ends the program by
/// std::terminate: the calls whose names begin with `try_` are for such programs. There the names are in an inline
/// namespace, so a program may have files of both kinds, which pass each other handles of C.
#ifndef PALITRA_STATUS_HPP
#define PALITRA_STATUS_HPP

#include <palitra.h>

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "names_begin.inc"

namespace palitra {

/// How a call or a job ended; the numbers of palitra.h. A newer library may return one that is not listed.
enum class Status : palitra_status {
    ok = PALITRA_OK,
    pending = PALITRA_PENDING,
    end = PALITRA_END,
    job_failed = PALITRA_JOB_FAILED,
    job_panicked = PALITRA_JOB_PANICKED,
    cancelled = PALITRA_CANCELLED,
    deadline = PALITRA_DEADLINE,
    bad_payload = PALITRA_BAD_PAYLOAD,
    invalid_argument = PALITRA_INVALID_ARGUMENT,
    invalid_handle = PALITRA_INVALID_HANDLE,
    unknown_job = PALITRA_UNKNOWN_JOB,
    busy = PALITRA_BUSY,
    too_large = PALITRA_TOO_LARGE,
    would_deadlock = PALITRA_WOULD_DEADLOCK,
    shut_down = PALITRA_SHUT_DOWN,
    forked = PALITRA_FORKED,
    internal = PALITRA_INTERNAL
};

/// Another name for Status, for programs in which that is a macro, as Xlib makes it.
using StatusCode = Status;

/// "PALITRA_OK" and so on. Lives as long as the library is loaded.
[[nodiscard]] inline std::string_view name(Status status) noexcept {
    return palitra_status_name(static_cast<palitra_status>(status));
}

/// One sentence that says what a status means. Lives as long as the library is loaded.
[[nodiscard]] inline std::string_view message(Status status) noexcept {
    return palitra_status_message(static_cast<palitra_status>(status));
}

/// What the bytes of a payload or a reply are.
enum class Format : palitra_format { bytes = PALITRA_BYTES, text = PALITRA_TEXT, json = PALITRA_JSON };

/// The category of statuses as std::error_code. Some are conditions of std::errc: cancelled is operation_canceled,
/// deadline is timed_out, would_deadlock is resource_deadlock_would_occur, invalid_argument is itself.
[[nodiscard]] inline const std::error_category& category() noexcept {
    class Category final : public std::error_category {
        [[nodiscard]] const char* name() const noexcept override { return "palitra"; }
        [[nodiscard]] std::string message(int status) const override { return palitra_status_message(status); }
        [[nodiscard]] std::error_condition default_error_condition(int status) const noexcept override {
            switch (status) {
            case PALITRA_CANCELLED: return std::errc::operation_canceled;
            case PALITRA_DEADLINE: return std::errc::timed_out;
            case PALITRA_WOULD_DEADLOCK: return std::errc::resource_deadlock_would_occur;
            case PALITRA_INVALID_ARGUMENT: return std::errc::invalid_argument;
            default: return {status, *this};
            }
        }
    };
    static const Category category;
    return category;
}

[[nodiscard]] inline std::error_code make_error_code(Status status) noexcept {
    return {static_cast<int>(status), category()};
}

/// What calls throw. what() is the job's message, or the meaning of the status where there is none.
class error : public std::system_error {
public:
    error(Status status, int code, const std::string& message, const std::string& details = {})
        : std::system_error(make_error_code(status)), text_(message), details_(details), code_(code) {}

    /// How the call or the job ended.
    [[nodiscard]] Status status() const noexcept { return static_cast<Status>(error_code().value()); }
    /// The number that the job gave its failure; 0 otherwise. Not the code() of std::system_error: that is the status.
    [[nodiscard]] int code() const noexcept { return code_; }
    /// The status as std::system_error has it.
    [[nodiscard]] const std::error_code& error_code() const noexcept { return std::system_error::code(); }
    [[nodiscard]] const char* what() const noexcept override { return text_.what(); }
    /// The same as what().
    [[nodiscard]] std::string_view message() const noexcept { return what(); }
    /// What the failure says to programs, as JSON; empty if it says nothing.
    [[nodiscard]] std::string_view details() const noexcept { return details_.what(); }

private:
    // Texts whose copies cannot throw.
    std::runtime_error text_;
    std::runtime_error details_;
    int code_;
};

/// The job ran and failed with an error of its own; or it is a bad_payload.
class job_failed : public error {
public:
    using error::error;
};

/// The job refused its payload before it started: JSON that does not fit, text that is not UTF-8.
class bad_payload : public job_failed {
public:
    using job_failed::job_failed;
};

namespace detail {

template <class Error>
[[noreturn]] void fail(const Error& error) {
#if defined(__cpp_exceptions)
    throw error;
#else
    (void)error;
    std::terminate();
#endif
}

/// Throws the class of the status.
[[noreturn]] inline void raise(Status status, int code, const std::string& message, const std::string& details = {}) {
    if (status == Status::bad_payload) detail::fail(bad_payload(status, code, message, details));
    if (status == Status::job_failed) detail::fail(job_failed(status, code, message, details));
    detail::fail(error(status, code, message, details));
}

/// What submitting an unknown job throws. It names the nearest job, because submit has no reply that could.
[[nodiscard]] inline error unknown_job(std::string_view job) {
    const std::string name(job);
    const char* nearest = palitra_job_nearest(name.c_str());
    std::string text = "no job is registered as \"" + name + '"';
    if (nearest != nullptr) text.append("; the nearest is \"").append(nearest).append("\"");
    return {Status::unknown_job, 0, text};
}

} // namespace detail
} // namespace palitra

/// `std::error_code code = palitra::Status::cancelled;`
template <>
struct std::is_error_code_enum<palitra::Status> : std::true_type {};

#include "names_end.inc"

#endif
