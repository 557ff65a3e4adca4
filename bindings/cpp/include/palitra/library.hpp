/// The library that is loaded: its version, its jobs, its log.
#ifndef PALITRA_LIBRARY_HPP
#define PALITRA_LIBRARY_HPP

#include <vector>

#include "callback.hpp"
#include "reply.hpp"

#include "names_begin.inc"

namespace palitra {

/// "1.2.3". Lives as long as the library is loaded.
[[nodiscard]] inline std::string_view version() noexcept { return palitra_version(); }

/// What a job is. The texts live as long as the library is loaded.
struct Job {
    std::string_view name;
    std::string_view doc;
    /// The format of the payload that it takes, and of the reply that it returns.
    Format input, output;
};

/// The jobs of the library, in the order of names.
[[nodiscard]] inline std::vector<Job> jobs() {
    std::vector<Job> jobs;
    jobs.reserve(palitra_job_count());
    palitra_job_info info{};
    while (palitra_job_at(jobs.size(), &info) == PALITRA_OK)
        jobs.push_back({info.name, info.doc, static_cast<Format>(info.input), static_cast<Format>(info.output)});
    return jobs;
}

/// Describes a job in full, as a JSON document with formats and JSON Schemas: see palitra_job_describe.
/// Status::unknown_job: the library holds no such job.
[[nodiscard]] inline result<Reply> try_describe_job(std::string_view name) noexcept {
    const detail::CString text(name);
    if (text.get() == nullptr) return Reply(Status::invalid_argument);
    palitra_reply raw{};
    const palitra_status status = palitra_job_describe(text.get(), &raw);
    return detail::filled(status, raw);
}
[[nodiscard]] inline Reply describe_job(std::string_view name) { return try_describe_job(name).value(); }

/// Describes all jobs of the library, as one JSON document.
[[nodiscard]] inline result<Reply> try_describe_jobs() noexcept {
    palitra_reply raw{};
    const palitra_status status = palitra_job_describe(nullptr, &raw);
    return detail::filled(status, raw);
}
[[nodiscard]] inline Reply describe_jobs() { return try_describe_jobs().value(); }

/// Configures the runners that are made from now on, the global one among them, also in forked children: see
/// RunnerOptions::config. What was configured before is replaced. Status::invalid_argument: it is not a JSON object.
/// Meant to be called once, at the start of a program.
inline result<void> try_configure(std::string_view json) noexcept {
    const detail::CString text(json);
    if (text.get() == nullptr) return Status::invalid_argument;
    return detail::done(palitra_configure(text.get()));
}
inline void configure(std::string_view json) { try_configure(json).value(); }

/// How much is logged: each level includes those before it.
enum class LogLevel : std::int32_t {
    off = PALITRA_LOG_OFF,
    error = PALITRA_LOG_ERROR,
    warn = PALITRA_LOG_WARN,
    info = PALITRA_LOG_INFO,
    debug = PALITRA_LOG_DEBUG,
    trace = PALITRA_LOG_TRACE
};

namespace detail {

template <class Function>
struct Log {
    static void call(std::int32_t level, const char* target, const char* text, void* box) noexcept {
        (*static_cast<Function*>(box))(static_cast<LogLevel>(level), std::string_view(target), std::string_view(text));
    }
    static void free(void* box) noexcept { delete static_cast<Function*>(box); }
};

} // namespace detail

/// Registers a function that is called with each message of the library up to a level: the LogLevel, where the message
/// comes from, and its text. It is called from any thread, by several at once. It replaces the function before it, and
/// is destroyed exactly once, when no thread is in it any more. std::terminate is called if it throws.
template <class Function>
result<void> try_set_log(LogLevel level, Function&& function) {
    using Own = std::decay_t<Function>;
    static_assert(std::is_invocable_v<Own&, LogLevel, std::string_view, std::string_view>,
                  "takes a palitra::LogLevel and two std::string_view");
    return detail::done(palitra_log_set(static_cast<std::int32_t>(level), &detail::Log<Own>::call,
                                        new Own(std::forward<Function>(function)), &detail::Log<Own>::free));
}
template <class Function>
void set_log(LogLevel level, Function&& function) {
    try_set_log(level, std::forward<Function>(function)).value();
}
/// Ends the logging.
inline void clear_log() noexcept { palitra_log_set(PALITRA_LOG_OFF, nullptr, nullptr, nullptr); }

} // namespace palitra

#include "names_end.inc"

#endif
