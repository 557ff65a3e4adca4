// speed: measures palitra and its rivals. report.py runs it for every comparison and prints the table;
// by hand it is for a closer look at one subject:
//
//   speed pair PLACEMENT OURS RIVAL OPERATIONS ROUNDS
//       times both in turns; prints the ratio ours/rival, its lower and upper quartile, and the
//       nanoseconds of each; then the same five of the processor time of all threads
//   speed idle SUBJECT OPERATIONS SECONDS
//       prints the milliseconds of processor time that the subject takes while nobody calls it for so many
//       seconds, after so many operations
//   speed run PLACEMENT SUBJECT OPERATIONS
//       runs one alone, under perf, valgrind or strace
//   speed memory SUBJECT JOBS
//       prints the bytes of resident memory that each job takes; give it a process of its own, because
//       memory once used stays
//
// The subjects are described in palitra_subjects.cpp, palitra_cpp_subjects.cpp, tokio_subjects.cpp,
// futex_ping_pong.cpp, condvar_worker.cpp and asio_worker.cpp, the placements in placement.hpp. Goals are not known
// here: report.py has them.
#include "pair.hpp"
#include "placement.hpp"
#include "subject.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Entry {
    std::string_view name;
    SubjectPointer (*make)();
};

constexpr Entry subjects[] = {
    {"palitra-run", make_palitra_run},
    {"palitra-run-within", make_palitra_run_within},
    {"palitra-cpp-run", make_palitra_cpp_run},
    {"palitra-cpp-run-within", make_palitra_cpp_run_within},
    {"palitra-cpp-run-stoppable", make_palitra_cpp_run_stoppable},
    {"palitra-round-trip", make_palitra_round_trip},
    {"palitra-queue", make_palitra_queue},
    {"palitra-window", make_palitra_window},
    {"palitra-window-many", make_palitra_window_many},
    {"palitra-submitters", make_palitra_submitters},
    {"palitra-submitters-many", make_palitra_submitters_many},
    {"palitra-submit", make_palitra_submit},
    {"palitra-submit-many", make_palitra_submit_many},
    {"palitra-sleep", make_palitra_sleep},
    {"palitra-wake", make_palitra_wake},
    {"tokio-block-on", make_tokio_block_on},
    {"tokio-spawn", make_tokio_spawn},
    {"tokio-spawn-bare", make_tokio_spawn_bare},
    {"tokio-submitters", make_tokio_submitters},
    {"tokio-sleep", make_tokio_sleep},
    {"tokio-wake", make_tokio_wake},
    {"futex-ping-pong", make_futex_ping_pong},
    {"condvar-round-trip", make_condvar_round_trip},
    {"condvar-window", make_condvar_window},
    {"condvar-submitters", make_condvar_submitters},
    {"asio-round-trip", make_asio_round_trip},
};

[[noreturn]] void usage() {
    std::fputs(
        "usage: speed pair PLACEMENT OURS RIVAL OPERATIONS ROUNDS\n"
        "       speed run PLACEMENT SUBJECT OPERATIONS\n"
        "       speed idle SUBJECT OPERATIONS SECONDS\n"
        "       speed memory SUBJECT JOBS\n"
        "subjects:",
        stderr);
    for (const auto &entry : subjects) {
        std::fprintf(stderr, " %.*s", static_cast<int>(entry.name.size()), entry.name.data());
    }
    std::fputs("\n", stderr);
    std::exit(2);
}

SubjectPointer make_subject(std::string_view name) {
    for (const auto &entry : subjects) {
        if (entry.name == name) return entry.make();
    }
    usage();
}

std::size_t count(const char *text) {
    char *end;
    auto value = std::strtoull(text, &end, 10);
    if (*end != '\0' || value == 0) usage();
    return value;
}

void pair(Placement placement, const char *ours, const char *rival, std::size_t operations, std::size_t rounds) {
    place_workers(placement);
    auto our_subject = make_subject(ours);
    auto rival_subject = make_subject(rival);
    place_host(placement);
    auto result = compare(*our_subject, *rival_subject, operations, rounds);
    for (const auto &quantity : {result.time, result.processor}) {
        std::printf("%.4f %.4f %.4f %.1f %.1f\n", quantity.ratio, quantity.lower_quartile, quantity.upper_quartile,
                    quantity.our_nanoseconds, quantity.rival_nanoseconds);
    }
}

void run(Placement placement, const char *name, std::size_t operations) {
    place_workers(placement);
    auto subject = make_subject(name);
    place_host(placement);
    subject->run(operations);
}

void idle(const char *name, std::size_t operations, std::size_t seconds) {
    auto subject = make_subject(name);
    subject->run(operations);
    auto before = processor_nanoseconds();
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    std::printf("%.3f\n", (processor_nanoseconds() - before) / 1e6);
}

// From smaps_rollup, which is exact; the count in statm lags behind on a machine with many cores.
double resident_bytes() {
    std::ifstream smaps("/proc/self/smaps_rollup");
    std::string word;
    while (smaps >> word) {
        double kilobytes;
        if (word == "Rss:" && smaps >> kilobytes) return kilobytes * 1024;
    }
    require(false, "no Rss in /proc/self/smaps_rollup");
    return 0;
}

void memory(const char *name, std::size_t jobs) {
    auto subject = make_subject(name);
    auto before = resident_bytes();
    subject->run(jobs);
    std::printf("%.1f\n", (resident_bytes() - before) / static_cast<double>(jobs));
}

} // namespace

int main(int argc, char **argv) {
    std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "pair" && argc == 7) {
        pair(placement_named(argv[2]), argv[3], argv[4], count(argv[5]), count(argv[6]));
    } else if (mode == "run" && argc == 5) {
        run(placement_named(argv[2]), argv[3], count(argv[4]));
    } else if (mode == "idle" && argc == 5) {
        idle(argv[2], count(argv[3]), count(argv[4]));
    } else if (mode == "memory" && argc == 4) {
        memory(argv[2], count(argv[3]));
    } else {
        usage();
    }
}
