// What palitra/execution.hpp asks of stdexec, and no more: names and meanings are those of P2300. stdexec itself comes in
// no package, so that `make test-cpp` tests with this; `make test-cpp CPP_STDEXEC=FOLDER` with that of the folder.
#ifndef PALITRA_TESTS_STAND_IN_EXECUTION_HPP
#define PALITRA_TESTS_STAND_IN_EXECUTION_HPP

#include <stop_token>
#include <type_traits>
#include <utility>

namespace stdexec {

struct sender_t {};
struct receiver_t {};
struct operation_state_t {};

template <class...>
struct completion_signatures {};

struct set_value_t {
    template <class Receiver, class... Values>
    void operator()(Receiver&& receiver, Values&&... values) const noexcept {
        std::forward<Receiver>(receiver).set_value(std::forward<Values>(values)...);
    }
};
struct set_error_t {
    template <class Receiver, class Error>
    void operator()(Receiver&& receiver, Error&& error) const noexcept {
        std::forward<Receiver>(receiver).set_error(std::forward<Error>(error));
    }
};
struct set_stopped_t {
    template <class Receiver>
    void operator()(Receiver&& receiver) const noexcept {
        std::forward<Receiver>(receiver).set_stopped();
    }
};
inline constexpr set_value_t set_value;
inline constexpr set_error_t set_error;
inline constexpr set_stopped_t set_stopped;

struct get_env_t {
    template <class Receiver>
    auto operator()(const Receiver& receiver) const noexcept {
        return receiver.get_env();
    }
};
inline constexpr get_env_t get_env;
template <class Receiver>
using env_of_t = decltype(get_env(std::declval<Receiver>()));

struct get_stop_token_t {
    template <class Env>
    auto operator()(const Env& env) const noexcept {
        return env.query(*this);
    }
};
inline constexpr get_stop_token_t get_stop_token;
template <class Env>
using stop_token_of_t = std::decay_t<decltype(get_stop_token(std::declval<Env>()))>;

struct connect_t {
    template <class Sender, class Receiver>
    auto operator()(Sender&& sender, Receiver&& receiver) const {
        return std::forward<Sender>(sender).connect(std::forward<Receiver>(receiver));
    }
};
inline constexpr connect_t connect;

struct start_t {
    template <class Operation>
    void operator()(Operation& operation) const noexcept {
        operation.start();
    }
};
inline constexpr start_t start;

struct inplace_stop_token : std::stop_token {
    template <class Callback>
    using callback_type = std::stop_callback<Callback>;
};
class inplace_stop_source : public std::stop_source {
public:
    inplace_stop_token get_token() const noexcept { return {std::stop_source::get_token()}; }
};

} // namespace stdexec

#endif
