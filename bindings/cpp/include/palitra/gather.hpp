/// Waiting for many tokens: gather for all of them, when_any for the first; run_many submits them, too. All block.
///
/// Pass the tokens one by one, as in `gather(a, b, c)`, or as a range: of tokens, of std::reference_wrapper, or of
/// pointers to tokens, smart or plain. All belong to one runner.
#ifndef PALITRA_GATHER_HPP
#define PALITRA_GATHER_HPP

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "runner.hpp"

#include "names_begin.inc"

namespace palitra {

struct GatherOptions {
    /// Return at the first failure in time and cancel the rest.
    bool fail_fast = false;
    /// How long to wait. Past it the jobs of pending tokens run on, and their replies have Status::pending.
    Timeout timeout = forever;
};

/// As in `gather(fail_fast, a, b, c)`.
inline constexpr GatherOptions fail_fast{true, forever};

/// What try_gather returns: how it ended, and the reply of every job in the order of the tokens, failed ones included.
template <class Replies>
struct [[nodiscard]] Gathered {
    Status status;
    Replies replies;

    /// Whether every job succeeded.
    explicit operator bool() const noexcept { return status == Status::ok; }
    /// Returns the replies if every job succeeded. Else throws the first failure: in time with fail_fast, else in
    /// order.
    Replies value() && {
        if (status == Status::ok) return std::move(replies);
        for (const Reply& reply : replies)
            if (reply.status() == status) reply.check();
        detail::raise(status, 0, std::string(message(status)));
    }
};

namespace detail {

template <class T>
inline constexpr bool is_token = std::is_same_v<std::decay_t<T>, Token>;

/// The token that an element of a range stands for: itself, what it converts to, or what it points to.
template <class Element>
const Token* token_of(Element&& element) {
    if constexpr (std::is_convertible_v<Element&&, const Token&>) {
        const Token& token = element;
        return &token;
    } else {
        const Token& token = *element;
        return &token;
    }
}

template <class Element, class = void>
struct points_to_token : std::false_type {};
template <class Element>
struct points_to_token<Element, std::void_t<decltype(*std::declval<Element>())>>
    : std::is_convertible<decltype(*std::declval<Element>()), const Token&> {};

template <class Range, class = void>
struct is_token_range : std::false_type {};
template <class Range>
struct is_token_range<Range, std::void_t<decltype(*std::begin(std::declval<Range&>()))>> {
    using Element = decltype(*std::begin(std::declval<Range&>()));
    static constexpr bool value = std::is_convertible_v<Element, const Token&> || points_to_token<Element>::value;
};

/// Anything that std::begin takes and whose elements stand for tokens. Not const: some views are iterated only so.
template <class Range>
using if_tokens = std::enable_if_t<is_token_range<Range>::value>;
template <class... Tokens>
using if_each_token = std::enable_if_t<(sizeof...(Tokens) > 0) && (is_token<Tokens> && ...)>;

/// The C functions' view of some tokens.
struct Handles {
    palitra_runner runner{};
    std::vector<palitra_token> tokens;
};

template <class Range>
Handles handles(Range&& range) {
    Handles handles;
    for (auto&& element : range) {
        const Token* token = detail::token_of(element);
        if (handles.tokens.empty()) handles.runner = token->runner();
        handles.tokens.push_back(token->get());
    }
    return handles;
}

inline Status gather(palitra_runner runner, const palitra_token* tokens, std::size_t count,
                     const GatherOptions& options, palitra_reply* raw, Reply* replies) noexcept {
    const palitra_status status = palitra_runner_gather(
        runner, tokens, count, options.fail_fast ? PALITRA_FAIL_FAST : 0, options.timeout.nanoseconds(), raw);
    for (std::size_t i = 0; i < count; i++) replies[i] = Reply::adopt(raw[i]);
    return static_cast<Status>(status);
}

inline result<std::size_t> any(palitra_runner runner, const palitra_token* tokens, std::size_t count,
                               Timeout timeout) noexcept {
    std::size_t index = 0;
    const palitra_status status = palitra_runner_wait_any(runner, tokens, count, timeout.nanoseconds(), &index);
    if (status != PALITRA_OK) return static_cast<Status>(status);
    return index;
}

} // namespace detail

/// Waits for a range of tokens and returns how each ended. Returns ok at once for no tokens.
template <class Range, class = detail::if_tokens<Range>>
Gathered<std::vector<Reply>> try_gather(const GatherOptions& options, Range&& range) {
    const detail::Handles handles = detail::handles(std::forward<Range>(range));
    const std::size_t count = handles.tokens.size();
    std::vector<palitra_reply> raw(count);
    Gathered<std::vector<Reply>> gathered{Status::ok, std::vector<Reply>(count)};
    if (count > 0)
        gathered.status =
            detail::gather(handles.runner, handles.tokens.data(), count, options, raw.data(), gathered.replies.data());
    return gathered;
}
template <class Range, class = detail::if_tokens<Range>>
Gathered<std::vector<Reply>> try_gather(Range&& range) {
    return try_gather(GatherOptions(), std::forward<Range>(range));
}

/// Waits for these tokens and returns how each ended.
template <class... Tokens, class = detail::if_each_token<Tokens...>>
auto try_gather(const GatherOptions& options, const Tokens&... tokens) noexcept
    -> Gathered<std::array<Reply, sizeof...(Tokens)>> {
    const palitra_token handles[] = {tokens.get()...};
    const palitra_runner runners[] = {tokens.runner()...};
    palitra_reply raw[sizeof...(Tokens)] = {};
    Gathered<std::array<Reply, sizeof...(Tokens)>> gathered{Status::ok, {}};
    gathered.status = detail::gather(runners[0], handles, sizeof...(Tokens), options, raw, gathered.replies.data());
    return gathered;
}
template <class... Tokens, class = detail::if_each_token<Tokens...>>
auto try_gather(const Tokens&... tokens) noexcept {
    return try_gather(GatherOptions(), tokens...);
}

/// Returns the replies in the order of the tokens: an array for tokens, a vector for a range. Throws the first failure
/// in order; with fail_fast the first in time, after cancelling the rest. Throws Status::pending past the timeout.
template <class Range, class = detail::if_tokens<Range>>
[[nodiscard]] std::vector<Reply> gather(const GatherOptions& options, Range&& range) {
    return try_gather(options, std::forward<Range>(range)).value();
}
template <class Range, class = detail::if_tokens<Range>>
[[nodiscard]] std::vector<Reply> gather(Range&& range) {
    return try_gather(std::forward<Range>(range)).value();
}
template <class... Tokens, class = detail::if_each_token<Tokens...>>
[[nodiscard]] std::array<Reply, sizeof...(Tokens)> gather(const GatherOptions& options, const Tokens&... tokens) {
    return try_gather(options, tokens...).value();
}
template <class... Tokens, class = detail::if_each_token<Tokens...>>
[[nodiscard]] std::array<Reply, sizeof...(Tokens)> gather(const Tokens&... tokens) {
    return try_gather(tokens...).value();
}

/// Submits a range of Submission and waits for all of them. Returns how each ended. If one was not submitted, the
/// status says why, and the replies are those of the jobs before it, which have been cancelled.
template <class Range, class = detail::if_submissions<Range>>
Gathered<std::vector<Reply>> try_run_many(const Runner& runner, Range&& range, const GatherOptions& options = {}) {
    const Submitted submitted = runner.try_submit_many(std::forward<Range>(range));
    if (!submitted)
        for (const Token& token : submitted.tokens) (void)token.try_cancel();
    Gathered<std::vector<Reply>> gathered = try_gather(options, submitted.tokens);
    if (!submitted) gathered.status = submitted.status;
    return gathered;
}
/// The same, but returns the replies in the order of the jobs, or throws why one was refused, or the first failure.
template <class Range, class = detail::if_submissions<Range>>
[[nodiscard]] std::vector<Reply> run_many(const Runner& runner, Range&& range, const GatherOptions& options = {}) {
    return gather(options, runner.submit_many(std::forward<Range>(range)));
}

/// Returns the index of a token that has finished, however its job ended. Returns Status::pending past the timeout.
template <class Range, class = detail::if_tokens<Range>>
result<std::size_t> try_when_any(Timeout timeout, Range&& range) {
    const detail::Handles handles = detail::handles(std::forward<Range>(range));
    if (handles.tokens.empty()) return Status::invalid_argument;
    return detail::any(handles.runner, handles.tokens.data(), handles.tokens.size(), timeout);
}
template <class... Tokens, class = detail::if_each_token<Tokens...>>
result<std::size_t> try_when_any(Timeout timeout, const Tokens&... tokens) noexcept {
    const palitra_token handles[] = {tokens.get()...};
    const palitra_runner runners[] = {tokens.runner()...};
    return detail::any(runners[0], handles, sizeof...(Tokens), timeout);
}

/// Returns the index of a token that has finished, however its job ended.
template <class Range, class = detail::if_tokens<Range>>
[[nodiscard]] std::size_t when_any(Range&& range) {
    return try_when_any(forever, std::forward<Range>(range)).value();
}
template <class... Tokens, class = detail::if_each_token<Tokens...>>
[[nodiscard]] std::size_t when_any(const Tokens&... tokens) {
    return try_when_any(forever, tokens...).value();
}

} // namespace palitra

#include "names_end.inc"

#endif
