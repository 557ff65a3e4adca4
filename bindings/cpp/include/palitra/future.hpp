/// A token as a std::future.
#ifndef PALITRA_FUTURE_HPP
#define PALITRA_FUTURE_HPP

#include <exception>
#include <future>

#include "token.hpp"

#if defined(__cpp_exceptions)

#include "names_begin.inc"

namespace palitra {

/// A future of the job's reply, or of the palitra::error that it failed with. It becomes ready exactly once, whatever
/// becomes of the runner; on time, though a job blocks the runner's thread; when a shutdown has returned at the latest.
/// The token belongs to it. Destroying the future neither blocks nor cancels.
[[nodiscard]] inline std::future<Reply> as_future(Token token) {
    std::promise<Reply> promise;
    auto future = promise.get_future();
    std::move(token).on_complete([kept = std::move(promise)](Reply reply) mutable {
        if (reply) kept.set_value(std::move(reply));
        else kept.set_exception(reply.exception());
    });
    return future;
}

} // namespace palitra

#include "names_end.inc"

#endif
#endif
