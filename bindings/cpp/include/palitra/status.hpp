/// How calls and jobs end: Status, what bytes are: Format, and the exception that carries both across a throw.
///
/// Every other part stands on this one.
#ifndef PALITRA_STATUS_HPP
#define PALITRA_STATUS_HPP

#include <palitra.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace palitra {

/// How a call or a job ended; the numbers of palitra.h. A newer library may answer one that is not listed.
enum class Status : palitra_status {
    ok = PALITRA_OK,
    pending = PALITRA_PENDING,
    end = PALITRA_END,
    job_failed = PALITRA_JOB_FAILED,
    job_panicked = PALITRA_JOB_PANICKED,
    cancelled = PALITRA_CANCELLED,
    deadline = PALITRA_DEADLINE,
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

/// What the throwing calls throw. what() is the job's message, or what the status means where there is none.
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

}  // namespace palitra

#endif
