// What the C++ tests share. Jobs come from tests/jobs: test.fail, test.never and so on.
#ifndef PALITRA_TESTS_SUPPORT_HPP
#define PALITRA_TESTS_SUPPORT_HPP

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <optional>
#include <palitra.hpp>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using palitra::Status;

namespace doctest {
template <>
struct StringMaker<Status> {
    static String convert(Status status) { return std::string(palitra::name(status)).c_str(); }
};
} // namespace doctest

inline constexpr const char* failing = R"({"code": 7, "message": "broken"})";

// How a throwing call fails. Status::ok if it does not.
template <class Call>
Status thrown_by(Call&& call) {
    try {
        call();
    } catch (const palitra::error& error) {
        return error.status();
    }
    return Status::ok;
}

// For what no call waits for. Bounded by the Makefile.
template <class Condition>
void eventually(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);
}

// A function object that counts how often it is called and how often it is destroyed; a moved-from one counts as
// nothing. Move-only.
struct Counts {
    std::atomic<int> calls{0};
    std::atomic<int> ends{0};
};

class Counted {
public:
    explicit Counted(Counts& counts) : counts_(&counts, &end) {}
    void operator()(palitra::Reply) { counts_->calls++; }

private:
    static void end(Counts* counts) { counts->ends++; }
    std::unique_ptr<Counts, void (*)(Counts*)> counts_;
};

// Blocks the runner's thread until it is destroyed: a job that does not yield. Destroying the runner meanwhile costs its
// second.
class Blocked {
public:
    explicit Blocked(const palitra::Runner& runner) {
        const std::string before = held();
        blocking_ = runner.submit("test.hold", R"({"seconds": 30})");
        eventually([&] { return held() != before; });
    }
    ~Blocked() { CHECK(other_.try_run("test.let_go").status() == palitra::Status::ok); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    // Whether all until here took less time than the job blocks at most.
    bool still() const { return began_ + 25s > std::chrono::steady_clock::now(); }

private:
    // How many such jobs have started, as another runner says.
    std::string held() const { return std::string(other_.run("test.holds").text()); }

    palitra::Runner other_;
    palitra::Token blocking_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// A value that another thread leaves.
template <class T>
class Mailbox {
public:
    void put(T value) {
        const std::lock_guard lock(mutex_);
        value_ = std::move(value);
        filled_.notify_one();
    }
    T take() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return value_.has_value(); });
        return *std::exchange(value_, std::nullopt);
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::optional<T> value_;
};

#endif
