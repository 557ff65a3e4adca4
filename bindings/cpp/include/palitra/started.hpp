/// Started: a job that was polled where it was started, and may have finished there.
#ifndef PALITRA_STARTED_HPP
#define PALITRA_STARTED_HPP

#include "token.hpp"

#include "names_begin.inc"

namespace palitra {

/// What Runner::start returns: a job that has finished, with its reply, or one that is pending, with its token. Move-only.
/// Wait for it, await it in a coroutine (coroutine.hpp), or take what it has. Destroying it destroys its token.
class [[nodiscard]] Started {
public:
    explicit Started(Reply reply) noexcept : reply_(std::move(reply)) {}
    explicit Started(Token token) noexcept : reply_(Status::pending), token_(std::move(token)) {}

    /// Whether the job has finished, or was refused: then there is a reply and no token.
    [[nodiscard]] bool is_ready() const noexcept { return reply_.status() != Status::pending; }
    /// The reply if it is ready, which may be moved from; one with Status::pending otherwise.
    [[nodiscard]] Reply& reply() noexcept { return reply_; }
    /// The token if it is pending, which may be moved from; none otherwise.
    [[nodiscard]] Token& token() noexcept { return token_; }

    /// Blocks until the job has finished. Throws what it failed with, or why it was refused.
    [[nodiscard]] Reply wait() && { return std::move(*this).try_wait().value(); }
    result<Reply> try_wait() && noexcept { return is_ready() ? result<Reply>(std::move(reply_)) : token_.try_wait(); }

private:
    Reply reply_;
    Token token_;
};

} // namespace palitra

#include "names_end.inc"

#endif
