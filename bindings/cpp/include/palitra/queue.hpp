/// Queue: which jobs have finished, for a thread that takes events in batches or an event loop that polls its fd.
#ifndef PALITRA_QUEUE_HPP
#define PALITRA_QUEUE_HPP

#include <vector>

#include "reply.hpp"

#include "names_begin.inc"

namespace palitra {

/// A finished job, as its queue reports it.
struct Event {
    /// What the job was submitted with.
    std::uint64_t tag;
    /// The same as Token::get(); the id 0 if the job was submitted detached.
    palitra_token token;
    Status status;
};

/// A completion queue. Move-only; the calls of one that was moved from fail with Status::invalid_handle. The tokens
/// that were submitted with it may outlive it.
class Queue {
public:
    Queue() : Queue(try_make().value()) {}
    [[nodiscard]] static result<Queue> try_make() noexcept {
        palitra_queue raw{};
        const palitra_status status = palitra_queue_new(&raw);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return Queue(raw);
    }
    Queue(Queue&& other) noexcept : raw_(other.release()) {}
    Queue& operator=(Queue&& other) noexcept {
        if (this != &other) {
            palitra_queue_free(raw_);
            raw_ = other.release();
        }
        return *this;
    }
    ~Queue() { palitra_queue_free(raw_); }

    /// Returns the next event, in the order in which the jobs finished; nothing when the queue is closed and empty.
    [[nodiscard]] std::optional<Event> next() const {
        auto outcome = try_next();
        if (outcome.status() == Status::end) return std::nullopt;
        return std::move(outcome).value();
    }
    /// The same, but returns Status::end when the queue is closed and empty, and Status::pending past the timeout.
    result<Event> try_next(Timeout timeout = forever) const noexcept {
        palitra_event event{};
        const palitra_status status = palitra_queue_next(raw_, timeout.nanoseconds(), &event, 1, nullptr);
        if (status != PALITRA_OK) return static_cast<Status>(status);
        return of(event);
    }
    /// Returns up to `most` events, which may be any number, and waits for the first of them only. Returns none when
    /// the queue is closed and empty.
    [[nodiscard]] std::vector<Event> next_batch(std::size_t most) const {
        auto outcome = try_next_batch(most);
        if (outcome.status() == Status::end) return {};
        return std::move(outcome).value();
    }
    /// The same, but returns Status::end when the queue is closed and empty, and Status::pending past the timeout.
    result<std::vector<Event>> try_next_batch(std::size_t most, Timeout timeout = forever) const {
        if (most == 0) return Status::invalid_argument;
        std::vector<Event> events;
        palitra_event raw[64];
        constexpr std::size_t room = sizeof raw / sizeof *raw;
        // What waits is taken piece by piece: its number is not known, and `most` may be without bound.
        for (std::size_t count = room; count == room && events.size() < most; timeout = std::chrono::seconds(0)) {
            const std::size_t wanted = most - events.size() < room ? most - events.size() : room;
            // First: what has been taken must not be lost for want of memory.
            if (events.capacity() < events.size() + wanted) events.reserve(2 * events.size() + wanted);
            const palitra_status status = palitra_queue_next(raw_, timeout.nanoseconds(), raw, wanted, &count);
            if (status != PALITRA_OK && events.empty()) return static_cast<Status>(status);
            for (std::size_t i = 0; i < count; i++) events.push_back(of(raw[i]));
        }
        return events;
    }

    /// Readable while events wait, and after close(): for poll, epoll or asio's stream_descriptor. Never to be
    /// read, written or closed. -1 for no queue.
    [[nodiscard]] int fd() const noexcept { return palitra_queue_fd(raw_); }
    /// Jobs that finish from now on post no event.
    void close() const { try_close().value(); }
    result<void> try_close() const noexcept { return detail::done(palitra_queue_close(raw_)); }

    explicit operator bool() const noexcept { return raw_.id != 0; }
    /// For the C functions and adapters; still owned by this object.
    [[nodiscard]] palitra_queue get() const noexcept { return raw_; }
    /// Gives up what it owns: the caller calls palitra_queue_free.
    [[nodiscard]] palitra_queue release() noexcept { return std::exchange(raw_, palitra_queue{}); }

private:
    explicit Queue(palitra_queue raw) noexcept : raw_(raw) {}
    static Event of(const palitra_event& event) noexcept {
        return {event.tag, event.token, static_cast<Status>(event.status)};
    }

    palitra_queue raw_{};
};

} // namespace palitra

#include "names_end.inc"

#endif
