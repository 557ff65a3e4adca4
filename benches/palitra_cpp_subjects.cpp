// palitra as a C++ host sees it, through palitra.hpp: a ready job without a bound, and with each of those that there
// are.
//
//   palitra-cpp-run            run a ready job on the calling thread
//   palitra-cpp-run-within     the same with a timeout
//   palitra-cpp-run-stoppable  the same with a stop token
#include "subject.hpp"

#include <palitra.hpp>

#include <chrono>
#include <stop_token>

namespace {

class CppSubject : public Subject {
protected:
    CppSubject() { check(runner.submit("palitra.echo", payload).wait()); }

    static void check(const palitra::Reply &reply) {
        require(reply && reply.size() == payload.size(), "palitra.hpp: run failed");
    }

    palitra::Runner runner;
};

class Run : public CppSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) check(runner.run("palitra.echo", payload));
    }
};

class RunWithin : public CppSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            check(runner.run("palitra.echo", payload, std::chrono::seconds(5)));
        }
    }
};

class RunStoppable : public CppSubject {
    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) check(runner.run("palitra.echo", payload, stop.get_token()));
    }

    std::stop_source stop;
};

} // namespace

SubjectPointer make_palitra_cpp_run() { return std::make_unique<Run>(); }
SubjectPointer make_palitra_cpp_run_within() { return std::make_unique<RunWithin>(); }
SubjectPointer make_palitra_cpp_run_stoppable() { return std::make_unique<RunStoppable>(); }
