// What a C++ programmer reaches for who knows asio: a thread that runs an io_context, to which tasks are posted, a
// promise and a future for each reply.
//
//   asio-round-trip  post a task, wait for its reply, then the next
#include "subject.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <future>
#include <string>
#include <thread>

namespace {

class RoundTrip : public Subject {
public:
    RoundTrip() { run(1); }

    ~RoundTrip() override {
        work_.reset();
        thread_.join();
    }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            std::promise<std::string> promise;
            auto reply = promise.get_future();
            asio::post(context_,
                       [&promise, task = std::string(payload)]() mutable { promise.set_value(std::move(task)); });
            require(reply.get().size() == payload.size(), "asio worker: echo failed");
        }
    }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    // Last, so that the thread starts when everything that it uses exists.
    std::thread thread_{[this] { context_.run(); }};
};

} // namespace

SubjectPointer make_asio_round_trip() { return std::make_unique<RoundTrip>(); }
