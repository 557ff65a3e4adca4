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

#include "names_begin.inc"

namespace palitra::detail {

template <class Function>
inline constexpr bool is_callback =
    std::is_invocable_v<Function&, Reply> || std::is_invocable_v<Function&, Status> || std::is_invocable_v<Function&>;

/// Calls the function with the most that it takes: the reply, the status, or nothing.
template <class Function>
void complete(Function& function, Reply reply) {
    if constexpr (std::is_invocable_v<Function&, Reply>) {
        function(std::move(reply));
    } else if constexpr (std::is_invocable_v<Function&, Status>) {
        function(reply.status());
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
        auto& function = static_cast<Callback*>(box)->function_;
        // A status needs no reply, and is known even if the token has been freed since.
        if constexpr (std::is_invocable_v<Function&, Reply>) detail::complete(function, *detail::look(token));
        else detail::complete(function, Reply(static_cast<Status>(status)));
    }
    static void free(void* box) noexcept { delete static_cast<Callback*>(box); }

    Function function_;
};

/// What a promise waits for: the end of the job, and its reply.
struct End {
    using Promised = End;
    static constexpr std::uint32_t flags = 0;
    static result<Reply> look(palitra_token token) noexcept { return detail::look(token); }
};
/// Or that there is an item, or none will come. The item stays in its stream until the one who waits for it goes on:
/// one who was destroyed or cancelled before must not lose it. Another reader may be faster.
struct ItemReady {
    static constexpr std::uint32_t flags = PALITRA_OR_ITEM;
    static result<Reply> look(palitra_token) noexcept { return Reply(Status::ok); }
};

/// Where a promise is kept: on a thread of the runner's, or within attach(), because the library refused it.
enum class Kept { on_runner, at_once };

/// Is called exactly once with the reply, whatever becomes of the token and its runner.
template <class Awaited, class Function>
class Promise {
public:
    /// Returns where it will be called, or has been.
    static Kept attach(palitra_token token, Function function) {
        const palitra_status status =
            palitra_token_on_ready(token, Awaited::flags, &call, new Promise(token, std::move(function)), &free);
        return status == PALITRA_OK ? Kept::on_runner : Kept::at_once;
    }

private:
    Promise(palitra_token token, Function function) : token_(token), function_(std::move(function)) {}

    static void call(palitra_token token, palitra_status, void* box) noexcept {
        auto* promise = static_cast<Promise*>(box);
        promise->keep(*Awaited::look(token), Kept::on_runner);
    }
    static void free(void* box) noexcept {
        const std::unique_ptr<Promise> promise(static_cast<Promise*>(box));
        if (promise->kept_) return;
        Reply reply = *Awaited::look(promise->token_);
        if (reply.status() == Status::pending) reply = Reply(Status::shut_down);
        promise->keep(std::move(reply), Kept::at_once);
    }

    void keep(Reply reply, Kept where) noexcept {
        kept_ = true;
        function_(std::move(reply), where);
    }

    palitra_token token_;
    Function function_;
    bool kept_ = false;
};

template <class Awaited, class Function>
Kept promise(palitra_token token, Function&& function) {
    return Promise<Awaited, std::decay_t<Function>>::attach(token, std::forward<Function>(function));
}

} // namespace palitra::detail

#include "names_end.inc"

#endif
