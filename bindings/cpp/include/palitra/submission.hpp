/// Submission: one of many jobs that are submitted at once.
#ifndef PALITRA_SUBMISSION_HPP
#define PALITRA_SUBMISSION_HPP

#include <deque>
#include <iterator>
#include <vector>

#include "token.hpp"

#include "names_begin.inc"

namespace palitra {

/// One of the jobs of Runner::submit_many. Name and payload are views: they live for the call.
struct Submission {
    std::string_view job;
    Payload payload = {};
    /// The tag of the queue's event.
    std::uint64_t tag = 0;
};

/// What try_submit_many returns: the tokens of the jobs that were submitted, in order, and why that are not all.
struct [[nodiscard]] Submitted {
    Status status;
    std::vector<Token> tokens;

    /// Whether every job was submitted.
    explicit operator bool() const noexcept { return status == Status::ok; }
};

namespace detail {

/// Anything that std::begin takes and whose elements are submissions or convert to them.
template <class Range>
using if_submissions =
    std::enable_if_t<std::is_convertible_v<decltype(*std::begin(std::declval<Range&>())), const Submission&>>;

/// The jobs as the C function takes them. A name that repeats is the same pointer, which is not looked up again.
class Submissions {
public:
    template <class Range>
    [[nodiscard]] static Submissions of(Range&& range) {
        Submissions all;
        for (const Submission& one : range) all.add(one);
        return all;
    }

    [[nodiscard]] const std::vector<palitra_submission>& raw() const noexcept { return raw_; }

private:
    void add(const Submission& one) {
        if (names_.empty() || one.job != last_) names_.emplace_back(last_ = one.job);
        const auto* data = static_cast<const std::uint8_t*>(one.payload.data());
        raw_.push_back({names_.back().get(), data, one.payload.size(), one.tag});
    }

    std::string_view last_;
    std::deque<CString> names_; // whose elements stay where they are
    std::vector<palitra_submission> raw_;
};

} // namespace detail
} // namespace palitra

#include "names_end.inc"

#endif
