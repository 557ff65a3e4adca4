/// The items of a job that streams, as a range.
#ifndef PALITRA_STREAM_HPP
#define PALITRA_STREAM_HPP

#include <cstddef>
#include <iterator>

#include "token.hpp"

#include "names_begin.inc"

namespace palitra {

/// An input range of replies: `for (const palitra::Reply& item : runner.stream(...))`. It owns the token: destroying
/// the stream, for example by leaving the loop early, ends the job. Throws what the job failed with, after the items
/// that it sent before. Move-only; iterate it once, by one thread.
class Stream {
public:
    explicit Stream(Token token) noexcept : token_(std::move(token)) {}

    struct sentinel {};

    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Reply;
        using difference_type = std::ptrdiff_t;
        using pointer = Reply*;
        using reference = Reply&;

        iterator() noexcept = default;

        /// The item may be moved from.
        [[nodiscard]] reference operator*() const noexcept { return *stream_->item_; }
        [[nodiscard]] pointer operator->() const noexcept { return &*stream_->item_; }
        iterator& operator++() {
            stream_->item_ = stream_->token_.next();
            return *this;
        }
        void operator++(int) { ++*this; }

        friend bool operator==(const iterator& left, sentinel) noexcept { return left.at_end(); }
        friend bool operator!=(const iterator& left, sentinel) noexcept { return !left.at_end(); }
        friend bool operator==(sentinel, const iterator& right) noexcept { return right.at_end(); }
        friend bool operator!=(sentinel, const iterator& right) noexcept { return !right.at_end(); }

    private:
        friend class Stream;
        explicit iterator(Stream* stream) noexcept : stream_(stream) {}
        bool at_end() const noexcept { return stream_ == nullptr || !stream_->item_; }

        Stream* stream_ = nullptr;
    };

    /// Blocks until the first item has come.
    [[nodiscard]] iterator begin() {
        item_ = token_.next();
        return iterator(this);
    }
    [[nodiscard]] sentinel end() const noexcept { return {}; }

    /// For cancelling the job, reading its progress, or waiting with a timeout.
    [[nodiscard]] const Token& token() const noexcept { return token_; }

private:
    Token token_;
    std::optional<Reply> item_;
};

} // namespace palitra

#include "names_end.inc"

#endif
