// The bridge that a C++ programmer writes in an afternoon: one worker thread, a deque of tasks under a
// mutex, a condition variable to wake it, a promise and a future for each reply.
//
// It is kept as lean as it can be without being clever: the payload fits std::string's own buffer, a task
// is one object and not a type-erased function, and the worker is notified outside the lock.
//
//   condvar-round-trip  submit a task, wait for its reply, then the next
//   condvar-window      windows of echo tasks from one thread
//   condvar-submitters  the same from several threads at once
#include "subject.hpp"
#include "submitters.hpp"

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>

namespace {

struct Task {
    std::string payload;
    std::promise<std::string> reply;
};

class Worker {
public:
    Worker() : thread_([this] { work(); }) {}

    ~Worker() {
        {
            std::lock_guard lock(mutex_);
            over_ = true;
        }
        work_to_do_.notify_one();
        thread_.join();
    }

    std::future<std::string> submit(std::string payload) {
        Task task{std::move(payload), {}};
        auto reply = task.reply.get_future();
        {
            std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        work_to_do_.notify_one();
        return reply;
    }

    void window(std::size_t jobs) {
        std::vector<std::future<std::string>> replies;
        replies.reserve(jobs);
        for (std::size_t i = 0; i < jobs; ++i) replies.push_back(submit(std::string(payload)));
        for (auto &reply : replies) {
            require(reply.get().size() == payload.size(), "condvar worker: echo failed");
        }
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            work_to_do_.wait(lock, [this] { return over_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            Task task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task.reply.set_value(std::move(task.payload));
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable work_to_do_;
    std::deque<Task> tasks_;
    bool over_ = false;
    // Last, so that the thread starts when everything that it uses exists.
    std::thread thread_;
};

class RoundTrip : public Subject {
public:
    RoundTrip() { worker_.window(1); }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            require(worker_.submit(std::string(payload)).get().size() == payload.size(), "condvar worker: echo failed");
        }
    }

private:
    Worker worker_;
};

class Window : public Subject {
public:
    Window() { worker_.window(1); }

    void run(std::size_t operations) override {
        in_windows(operations, [this](std::size_t jobs) { worker_.window(jobs); });
    }

private:
    Worker worker_;
};

class Submitters : public Subject {
public:
    Submitters() { worker_.window(1); }

    void run(std::size_t operations) override {
        from_submitters(operations, [this](std::size_t jobs) { worker_.window(jobs); });
    }

private:
    Worker worker_;
};

} // namespace

SubjectPointer make_condvar_round_trip() { return std::make_unique<RoundTrip>(); }
SubjectPointer make_condvar_window() { return std::make_unique<Window>(); }
SubjectPointer make_condvar_submitters() { return std::make_unique<Submitters>(); }
