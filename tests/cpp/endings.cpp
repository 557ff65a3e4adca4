// How programs with palitra in them end: with static objects, in any order, with jobs in flight; with an exception in a
// callback; and with a race that ThreadSanitizer has to find.
//
//     endings         runs itself once for every ending, and says which did not end as it should
//     endings NAME    that ending
//
// Promise 10: the host's process stays as it is.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <palitra.hpp>
#include <thread>

namespace {

using namespace std::chrono_literals;

// Made where it is first used, so that each ending chooses the order; destroyed in the reverse order, at exit.
palitra::Runner& static_runner() {
    static palitra::Runner runner;
    return runner;
}
palitra::Token& static_token() {
    static palitra::Token token;
    return token;
}
palitra::Queue& static_queue() {
    static palitra::Queue queue;
    return queue;
}

// What callbacks use: exits with 9 if one comes after its end.
class Witness {
public:
    ~Witness() { gone_ = true; }
    static void touch() {
        if (gone_) _exit(9);
    }

private:
    static inline bool gone_ = false;
};
Witness& static_witness() {
    static Witness witness;
    return witness;
}

void leave_work_in_flight(const palitra::Runner& runner) {
    palitra::SubmitOptions options;
    options.queue = &static_queue();
    static_token() = runner.submit("test.never", {}, options);
    static_token().on_complete(&Witness::touch);
    runner.submit("test.never").on_complete([](const palitra::Reply&) { Witness::touch(); });
    for (int i = 0; i < 100; i++)
        runner.submit("test.nested", "x").on_complete([](const palitra::Reply&) { Witness::touch(); });
    (void)runner.run("palitra.echo", "started");
}

int runner_first() {
    static_witness();
    static_runner();
    static_token();
    static_queue();
    leave_work_in_flight(static_runner());
    return 0;
}

int runner_last() {
    static_queue();
    static_token();
    static_witness();
    static_runner();
    leave_work_in_flight(static_runner());
    return 0;
}

int global_runner() {
    const palitra::Runner runner = palitra::Runner::global();
    static_queue();
    static_token() = runner.submit("test.never");
    static palitra::Token last = runner.submit("test.stream", R"({"items": 1000000})");
    return last.next() ? 0 : 1;
}

// A static object whose constructor ran first, so that its destructor runs last, still has its library.
struct Late {
    palitra::Reply reply;
    ~Late() {
        palitra::Runner::shutdown_global();
        const palitra::Runner runner;
        if (runner.submit("palitra.echo", "late").wait().text() != "late") _exit(8);
        if (runner.run("palitra.echo", "late", 20s).text() != "late") _exit(8);
        if (runner.run("palitra.echo", "late").text() != "late") _exit(8);
    }
};

int calls_from_a_destructor() {
    static Late late;
    late.reply = palitra::Runner::global().run("palitra.echo", "kept");
    return 0;
}

int exit_beside_a_waiting_thread() {
    static const palitra::Token& never = static_token() = static_runner().submit("test.never");
    std::thread([] { (void)never.try_wait(); }).detach();
    std::this_thread::sleep_for(20ms);
    std::exit(0);
}

int throw_in_a_callback() {
    std::set_terminate([] { _exit(7); });
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("palitra.echo", "x");
    token.on_complete([] { throw std::runtime_error("nowhere to go"); });
    std::this_thread::sleep_for(20s);
    return 1;
}

int throw_in_a_callback_that_keeps() {
    std::set_terminate([] { _exit(7); });
    const palitra::Runner runner;
    runner.submit("palitra.echo", "x").on_complete([](const palitra::Reply&) {
        throw std::runtime_error("nowhere to go");
    });
    std::this_thread::sleep_for(20s);
    return 1;
}

int throw_in_the_log() {
    std::set_terminate([] { _exit(7); });
    palitra::set_log(palitra::LogLevel::trace, [](auto, auto, auto) { throw std::runtime_error("nowhere to go"); });
    const palitra::Runner runner;
    // Again where a busy machine lets the library look too late to see the first; the alarm bounds it.
    for (;;) (void)runner.run("test.spin", R"({"seconds": 0.2})", 20s);
}

#if defined(__SANITIZE_THREAD__)
constexpr bool finds_races = true;
#elif defined(__has_feature)
constexpr bool finds_races = __has_feature(thread_sanitizer);
#else
constexpr bool finds_races = false;
#endif

// Two threads write what nothing orders: a callback on the runner's, and this one.
int race() {
    static int shared = 0;
    const palitra::Runner runner;
    const palitra::Token token = runner.submit("palitra.sleep", R"({"seconds": 0.001})");
    // Relaxed: it says that the callback has run, and orders nothing.
    static std::atomic<bool> has_run{false};
    token.on_complete([] {
        shared++;
        has_run.store(true, std::memory_order_relaxed);
    });
    shared++;
    while (!has_run.load(std::memory_order_relaxed)) std::this_thread::sleep_for(1ms);
    // ThreadSanitizer replaces the exit code of a program in which it found a race by 66.
    return finds_races || shared == 0 ? 1 : 66;
}

// The same writes, ordered by the job's end: no race to be found.
int no_race() {
    static int shared = 0;
    const palitra::Runner runner;
    shared++;
    runner.submit("test.nested", "x").on_complete([](const palitra::Reply&) { shared++; });
    runner.shutdown(20s);
    shared++;
    return shared == 3 ? 0 : 1;
}

struct Ending {
    const char* name;
    int (*run)();
    int code;
};

const Ending endings[] = {
    {"runner_first", runner_first, 0},
    {"runner_last", runner_last, 0},
    {"global_runner", global_runner, 0},
    {"calls_from_a_destructor", calls_from_a_destructor, 0},
    {"exit_beside_a_waiting_thread", exit_beside_a_waiting_thread, 0},
    {"throw_in_a_callback", throw_in_a_callback, 7},
    {"throw_in_a_callback_that_keeps", throw_in_a_callback_that_keeps, 7},
    {"throw_in_the_log", throw_in_the_log, 7},
    {"race", race, 66},
    {"no_race", no_race, 0},
};

// Whether the child ended as it should, with its report of the race kept quiet.
bool ends_well(const char* program, const Ending& ending) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (ending.run == race) (void)!std::freopen("/dev/null", "w", stderr);
        execl(program, program, ending.name, nullptr);
        _exit(127);
    }
    int how = 0;
    waitpid(child, &how, 0);
    const bool well = WIFEXITED(how) && WEXITSTATUS(how) == ending.code;
    std::printf("%s %s\n", well ? "ok  " : "FAIL", ending.name);
    if (!well) std::printf("     exit %d, signal %d\n", WEXITSTATUS(how), WTERMSIG(how));
    return well;
}

} // namespace

int main(int argc, char** argv) {
    int failures = 0;
    for (const Ending& ending : endings) {
        if (argc == 1) failures += ends_well("/proc/self/exe", ending) ? 0 : 1;
        else if (argv[1] == std::string(ending.name)) return ending.run();
    }
    return argc == 1 ? failures : 127;
}
