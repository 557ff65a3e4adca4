/// Status: how calls and jobs end. Format: what bytes are. error: the exception that carries a status.
///
/// Every other header includes this one.
#ifndef PALITRA_STATUS_HPP
#define PALITRA_STATUS_HPP

#include <palitra.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

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

/// What calls throw. what() is the job's message, or the meaning of the status where there is none.
class error : public std::runtime_error {
public:
    error(Status status, int code, const std::string& message)
        : std::runtime_error(message), status_(status), code_(code) {}

    /// How the call or the job ended.
    [[nodiscard]] Status status() const noexcept { return status_; }
    /// The number that the job gave its failure; 0 otherwise.
    [[nodiscard]] int code() const noexcept { return code_; }
    /// The same as what().
    [[nodiscard]] std::string_view message() const noexcept { return what(); }

private:
    Status status_;
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

/// Throws the class of the status.
[[noreturn]] inline void raise(Status status, int code, const std::string& message) {
    if (status == Status::bad_payload) throw bad_payload(status, code, message);
    if (status == Status::job_failed) throw job_failed(status, code, message);
    throw error(status, code, message);
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

#endif
