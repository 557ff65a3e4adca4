/// Calls with values instead of bytes, by a codec of the user's own.
///
///     struct Json {
///         template <class In> std::string encode(const In& in) const { return nlohmann::json(in).dump(); }
///         template <class Out> Out decode(std::string_view text) const {
///             return nlohmann::json::parse(text).get<Out>();
///         }
///     };
///
///     palitra::Typed json(runner, Json{});
///     auto page = json.run<Page>("http.get", Get{"https://example.org"});
///
/// Exceptions of the codec pass through, also from the `try_` calls.
#ifndef PALITRA_TYPED_HPP
#define PALITRA_TYPED_HPP

#include "runner.hpp"

#include "names_begin.inc"

namespace palitra {

/// A runner and a codec: encode(value) returns what a Payload can be made of, decode<Value>(std::string_view) returns
/// the value. The runner is kept if it is passed as a temporary, as in `Typed(Runner::global(), codec)`; any other, and
/// that of a copy, must live as long as calls are made: afterwards they fail with Status::invalid_handle.
template <class Codec>
class Typed {
public:
    Typed(const Runner& runner, Codec codec) : Typed(Runner::borrow(runner.get()), std::move(codec)) {}
    Typed(Runner&& runner, Codec codec) : runner_(std::move(runner)), codec_(std::move(codec)) {}
    Typed(const Typed& other) : Typed(other.runner_, other.codec_) {}
    Typed(Typed&&) = default;
    Typed& operator=(const Typed& other) { return *this = Typed(other); }
    Typed& operator=(Typed&&) = default;
    ~Typed() = default;

    template <class Out, class In>
    [[nodiscard]] Out run(std::string_view job, const In& in, Timeout timeout = forever) const {
        return try_run<Out>(job, in, timeout).value();
    }
    template <class Out, class In>
    result<Out> try_run(std::string_view job, const In& in, Timeout timeout = forever) const {
        return decode<Out>(runner_.try_run(job, codec_.encode(in), timeout));
    }

    /// Submits a job. Read its reply with value() or Reply::as().
    template <class In>
    [[nodiscard]] Token submit(std::string_view job, const In& in, const SubmitOptions& options = {}) const {
        return runner_.submit(job, codec_.encode(in), options);
    }
    template <class In>
    result<Token> try_submit(std::string_view job, const In& in, const SubmitOptions& options = {}) const {
        return runner_.try_submit(job, codec_.encode(in), options);
    }

    /// The value of the reply of a job that succeeded; throws what it failed with otherwise.
    template <class Out>
    [[nodiscard]] Out value(const Reply& reply) const {
        reply.check();
        return reply.as<Out>(codec_);
    }

    [[nodiscard]] const Codec& codec() const noexcept { return codec_; }

private:
    template <class Out>
    result<Out> decode(result<Reply> reply) const {
        if (!reply) return result<Out>(*std::move(reply));
        return reply->template as<Out>(codec_);
    }

    Runner runner_;
    Codec codec_;
};

} // namespace palitra

#include "names_end.inc"

#endif
