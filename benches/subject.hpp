// A subject is one way to get asynchronous work done, ours or a rival's, behind one narrow door, so that
// everything that times, counts or profiles it is written once.
//
// A subject is ready when it is constructed: its threads run and have done their first piece of work. Its
// destructor cancels what is left and joins. A subject that fails aborts the process, because a benchmark
// that goes on after a failure measures nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

// What every echo job carries; palitra-rivals has the same 11 bytes.
inline constexpr std::string_view payload = "hello world";

// How many jobs a submitter keeps in flight: it submits a window, then waits for each job of it.
inline constexpr std::size_t window_size = 1000;

inline constexpr int submitter_count = 4;

template <typename Work>
double timed(Work work) {
    using clock = std::chrono::steady_clock;
    auto start = clock::now();
    work();
    std::chrono::duration<double, std::nano> taken = clock::now() - start;
    return taken.count();
}

class Subject {
public:
    virtual ~Subject() = default;

    // Returns when all the operations are done; for a sleeping subject, when all the jobs are asleep.
    virtual void run(std::size_t operations) = 0;

    // How long they took; a subject that is about a part of the work times that part.
    virtual double nanoseconds(std::size_t operations) {
        return timed([=] { run(operations); });
    }
};

using SubjectPointer = std::unique_ptr<Subject>;

SubjectPointer make_palitra_run();
SubjectPointer make_palitra_run_within();
SubjectPointer make_palitra_cpp_run();
SubjectPointer make_palitra_cpp_run_within();
SubjectPointer make_palitra_cpp_run_stoppable();
SubjectPointer make_palitra_round_trip();
SubjectPointer make_palitra_window();
SubjectPointer make_palitra_submitters();
SubjectPointer make_palitra_window_many();
SubjectPointer make_palitra_submitters_many();
SubjectPointer make_palitra_submit();
SubjectPointer make_palitra_submit_many();
SubjectPointer make_palitra_sleep();
SubjectPointer make_palitra_wake();
SubjectPointer make_palitra_queue();
SubjectPointer make_tokio_wake();
SubjectPointer make_condvar_round_trip();
SubjectPointer make_asio_round_trip();
SubjectPointer make_tokio_block_on();
SubjectPointer make_tokio_spawn();
SubjectPointer make_tokio_submitters();
SubjectPointer make_tokio_spawn_bare();
SubjectPointer make_tokio_sleep();
SubjectPointer make_futex_ping_pong();
SubjectPointer make_condvar_window();
SubjectPointer make_condvar_submitters();

inline void require(bool holds, const char *what) {
    if (holds) return;
    std::fprintf(stderr, "speed: %s\n", what);
    std::abort();
}
