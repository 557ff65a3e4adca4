/// How lambdas become C callbacks: boxes that are called once and freed once.
///
/// A box belongs to the library as soon as it is registered, even if the registration is refused: the library calls
/// `free` exactly once. An exception has nowhere to go from a thread of the library: std::terminate is called, as for a
/// std::thread whose function throws.
#ifndef PALITRA_CALLBACK_HPP
#define PALITRA_CALLBACK_HPP

#include <memory>
#include <type_traits>
#include <utility>

#include "reply.hpp"

namespace palitra::detail {

inline result<Reply> poll(palitra_token token) noexcept {
    palitra_reply raw{};
    const palitra_status status = palitra_token_poll(token, &raw);
    return filled(status, raw);
}

template <class Function>
inline constexpr bool is_callback =
    std::is_invocable_v<Function&, Reply> || std::is_invocable_v<Function&, Status> || std::is_invocable_v<Function&>;

/// Calls the function with the most that it takes: the reply, the status, or nothing.
template <class Function>
void complete(Function& function, palitra_token token, palitra_status status) {
    if constexpr (std::is_invocable_v<Function&, Reply>) {
        function(*poll(token));
    } else if constexpr (std::is_invocable_v<Function&, Status>) {
        function(static_cast<Status>(status));
    } else {
        function();
    }
}

/// Is called when the token finishes. If the token is freed before that, it is freed without a call.
template <class Function>
class Callback {
public:
    static palitra_status attach(palitra_token token, Function function) {
        return palitra_token_on_complete(token, &call, new Callback(std::move(function)), &free);
    }

private:
    explicit Callback(Function function) : function_(std::move(function)) {}

    static void call(palitra_token token, palitra_status status, void* box) noexcept {
        complete(static_cast<Callback*>(box)->function_, token, status);
    }
    static void free(void* box) noexcept { delete static_cast<Callback*>(box); }

    Function function_;
};

/// Where a promise is kept: on the runner's thread when the job finished, or as the callback is freed without a call.
enum class Kept { on_runner, as_freed };

/// Is called exactly once with a reply, whatever becomes of the token. If the library frees it without a call, because
/// the token or its runner is gone or the registration was refused, it is called as it is freed, with a reply that says
/// so. That may be before attach has returned.
template <class Function>
class Promise {
public:
    static void attach(palitra_token token, Function function) {
        palitra_token_on_complete(token, &call, new Promise(token, std::move(function)), &free);
    }

private:
    Promise(palitra_token token, Function function) : token_(token), function_(std::move(function)) {}

    static void call(palitra_token, palitra_status, void* box) noexcept {
        static_cast<Promise*>(box)->keep(Kept::on_runner);
    }
    static void free(void* box) noexcept {
        const std::unique_ptr<Promise> promise(static_cast<Promise*>(box));
        if (!promise->kept_) promise->keep(Kept::as_freed);
    }

    void keep(Kept where) noexcept {
        kept_ = true;
        Reply reply = *poll(token_);
        if (reply.status() == Status::pending) reply = Reply(Status::shut_down);
        function_(std::move(reply), where);
    }

    palitra_token token_;
    Function function_;
    bool kept_ = false;
};

template <class Function>
void promise(palitra_token token, Function&& function) {
    Promise<std::decay_t<Function>>::attach(token, std::forward<Function>(function));
}

} // namespace palitra::detail

#endif
