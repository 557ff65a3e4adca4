/// What calls take: bytes from any container, times from any chrono duration, names from any text.
///
/// All of them are views: they live for the call that they are written in.
#ifndef PALITRA_ARGUMENT_HPP
#define PALITRA_ARGUMENT_HPP

#include <palitra.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "names_begin.inc"

namespace palitra {

namespace detail {

template <class T>
using element_of = std::remove_pointer_t<decltype(std::declval<const T&>().data())>;

template <class T>
constexpr bool is_byte() {
    if constexpr (std::is_trivially_copyable_v<T>) return sizeof(T) == 1;
    else return false;
}

template <class T, class = void>
struct is_bytes : std::false_type {};

/// Has data() and size(), and elements of one byte: string, string_view, vector<uint8_t>, span<std::byte>...
template <class T>
struct is_bytes<T, std::void_t<element_of<T>, decltype(std::declval<const T&>().size())>>
    : std::bool_constant<is_byte<element_of<T>>()> {};

} // namespace detail

/// The bytes of a payload; copied by the call that takes it.
class Payload {
public:
    constexpr Payload() noexcept = default;
    Payload(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
    /// A text that ends with a NUL, which is not part of it.
    Payload(const char* text) noexcept : data_(text), size_(text == nullptr ? 0 : std::strlen(text)) {}
    template <class Bytes, class = std::enable_if_t<detail::is_bytes<Bytes>::value>>
    Payload(const Bytes& bytes) noexcept : data_(bytes.data()), size_(bytes.size()) {}

    [[nodiscard]] const void* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    const void* data_ = nullptr;
    std::size_t size_ = 0;
};

/// How long a call may wait: any duration, until a time of any clock, or `forever`. A negative duration is a time that
/// has passed, as in `deadline - now`, and means 0: do not block. A duration of more than 292 years means forever.
class Timeout {
    // As floating point it cannot overflow.
    using Exact = std::chrono::duration<long double, std::nano>;

    template <class Count, class Period>
    static constexpr std::int64_t count(std::chrono::duration<Count, Period> duration) noexcept {
        using std::chrono::duration_cast;
        using std::chrono::nanoseconds;
        constexpr long double limit = 9.2e18L;
        const auto exact = Exact(duration).count();
        if (!(exact > 0)) return 0;
        if (exact >= limit) return PALITRA_FOREVER;
        // Up, not down: 0 would not wait at all.
        const auto whole = duration_cast<nanoseconds>(duration).count();
        return static_cast<long double>(whole) < exact ? whole + 1 : whole;
    }

public:
    template <class Count, class Period>
    constexpr Timeout(std::chrono::duration<Count, Period> duration) noexcept : nanoseconds_(count(duration)) {}
    /// The clock is read now: the time that is left is what a later use of this object means.
    template <class Clock, class Duration>
    Timeout(std::chrono::time_point<Clock, Duration> until) noexcept
        : Timeout(Exact(until.time_since_epoch()) - Exact(Clock::now().time_since_epoch())) {}

    [[nodiscard]] static constexpr Timeout forever() noexcept { return Timeout(); }
    /// As the C functions take it: negative means forever.
    [[nodiscard]] constexpr std::int64_t nanoseconds() const noexcept { return nanoseconds_; }

private:
    constexpr Timeout() noexcept = default;

    std::int64_t nanoseconds_ = PALITRA_FOREVER;
};

/// As long as it takes.
inline constexpr Timeout forever = Timeout::forever();
/// The same, for programs in which `forever` is a macro, as Qt makes it.
inline constexpr Timeout no_timeout = forever;

namespace detail {

/// A name that ends with a NUL, as the C functions take it. get() is NULL, which they refuse, if the name holds a NUL.
class CString {
public:
    explicit CString(std::string_view text) noexcept {
        if (text.find('\0') != std::string_view::npos) return;
        char* place = short_;
        if (text.size() >= sizeof short_) {
            long_.reset(new (std::nothrow) char[text.size() + 1]);
            place = long_.get();
        }
        if (place == nullptr) return;
        if (!text.empty()) std::memcpy(place, text.data(), text.size());
        place[text.size()] = '\0';
        text_ = place;
    }
    CString(const CString&) = delete;
    CString& operator=(const CString&) = delete;

    [[nodiscard]] const char* get() const noexcept { return text_; }

private:
    char short_[64];
    std::unique_ptr<char[]> long_;
    const char* text_ = nullptr;
};

} // namespace detail
} // namespace palitra

#include "names_end.inc"

#endif
