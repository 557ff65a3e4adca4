// Two kinds of coroutines for the tests.
#ifndef PALITRA_TESTS_COROUTINES_HPP
#define PALITRA_TESTS_COROUTINES_HPP

#if defined(__cpp_impl_coroutine)

#include <coroutine>
#include <exception>

// Runs at once, until its first suspension, and destroys itself at its end.
struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// Runs at once, and is destroyed by its owner, wherever it waits.
class Owned {
public:
    struct promise_type {
        Owned get_return_object() { return Owned(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    explicit Owned(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
    Owned(Owned&&) = delete;
    ~Owned() { coroutine_.destroy(); }

private:
    std::coroutine_handle<promise_type> coroutine_;
};

#endif
#endif
