/// The module palitra: `import palitra;` in place of `#include <palitra.hpp>`, with the same names.
///
///     clang++ -std=c++20 --precompile palitra.cppm -o palitra.pcm
///     clang++ -std=c++20 -fmodule-file=palitra=palitra.pcm hello.cpp -lpalitra
///
/// The headers stay what is maintained: this exports their names and has none of its own. What it leaves out are macros,
/// the C functions, and palitra/asio.hpp and palitra/execution.hpp, which are included beside it. No object file of it
/// is needed: everything is inline.
module;

#include <palitra.hpp>

export module palitra;

export namespace palitra {

// What goes in.
using palitra::forever;
using palitra::no_timeout;
using palitra::Payload;
using palitra::Submission;
using palitra::Timeout;

// How a call went.
using palitra::bad_payload;
using palitra::category;
using palitra::error;
using palitra::Format;
using palitra::frame;
using palitra::job_failed;
using palitra::make_error_code;
using palitra::message;
using palitra::name;
using palitra::Reply;
using palitra::result;
using palitra::Status;
using palitra::StatusCode;
using palitra::unframe;
using palitra::Unframed;

// Runners and what they hand out.
using palitra::Event;
using palitra::Progress;
using palitra::Queue;
using palitra::Runner;
using palitra::RunnerOptions;
using palitra::Started;
using palitra::Stats;
using palitra::Stream;
using palitra::Submitted;
using palitra::SubmitOptions;
using palitra::Token;
using palitra::Typed;

// Ways to wait.
using palitra::as_future;
using palitra::cancel_on;
using palitra::fail_fast;
using palitra::gather;
using palitra::Gathered;
using palitra::GatherOptions;
using palitra::InlineExecutor;
using palitra::next_item;
using palitra::operator co_await;
using palitra::resume_on;
using palitra::run_many;
using palitra::try_await;
using palitra::try_gather;
using palitra::try_next_item;
using palitra::try_resume_on;
using palitra::try_run_many;
using palitra::try_when_any;
using palitra::when_any;

// Jobs of the program's own, and the library.
using palitra::Call;
using palitra::clear_log;
using palitra::configure;
using palitra::describe_job;
using palitra::describe_jobs;
using palitra::Job;
using palitra::JobFormats;
using palitra::jobs;
using palitra::LogLevel;
using palitra::register_job;
using palitra::set_log;
using palitra::try_configure;
using palitra::try_describe_job;
using palitra::try_describe_jobs;
using palitra::try_register_job;
using palitra::try_set_log;
using palitra::version;

} // namespace palitra

// Why an HTTP job failed.
export namespace palitra::http {

using palitra::http::Code;
using palitra::http::body_failed;
using palitra::http::body_too_large;
using palitra::http::broken_response;
using palitra::http::cannot_connect;
using palitra::http::cannot_read;
using palitra::http::cannot_write;
using palitra::http::file_exists;
using palitra::http::invalid_request;
using palitra::http::no_space;
using palitra::http::not_text;
using palitra::http::timeout;
using palitra::http::tls;
using palitra::http::too_many_redirects;

} // namespace palitra::http
