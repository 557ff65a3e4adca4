/* A process may end at any moment, in any way, with jobs in flight.
 *
 * Each ending is that of a forked child, which starts with a library that nobody has touched yet.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "test.h"

static void *wait_forever(void *runner) {
    run(*(palitra_runner *)runner, "test.never", "", PALITRA_FOREVER, NULL);
    return NULL;
}

/* Jobs that sleep, hang and spin, and a thread that waits: everything that an exit could trip over. */
static void set_in_flight(void) {
    static palitra_runner own, global;
    own = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&global));
    for (int i = 0; i < 100; i++) {
        submit(own, "palitra.sleep", "{\"seconds\": 0.001}");
        submit(own, "test.never", "");
        submit(global, "palitra.echo", "in flight");
    }
    submit(global, "test.spin", "{\"seconds\": 20}");
    start_thread(wait_forever, &own);
}

static void exit_with_jobs(void *unused) {
    (void)unused;
    set_in_flight();
    exit(7);
}

static void quick_exit_with_jobs(void *unused) {
    (void)unused;
    set_in_flight();
    _exit(7);
}

static palitra_runner kept;

static void use_the_library_while_exiting(void) {
    check_echo(kept);
    palitra_runner_free(kept);
}

static void exit_with_a_handler_of_the_host(void *unused) {
    (void)unused;
    atexit(use_the_library_while_exiting);
    kept = new_runner();
    set_in_flight();
    exit(7);
}

static void exit_many_times(void (*leave)(void *)) {
    for (int round = 0; round < 20; round++) {
        double start = now();
        CHECK_EXIT(7, in_child(leave, NULL));
        CHECK_TOOK(0, 10, start);
    }
}

static void a_process_may_exit_with_jobs_in_flight(void) { exit_many_times(exit_with_jobs); }
static void a_process_may_exit_at_once(void) { exit_many_times(quick_exit_with_jobs); }
static void exit_handlers_of_the_host_may_still_call(void) { exit_many_times(exit_with_a_handler_of_the_host); }

static void die_of_a_signal(void *unused) {
    (void)unused;
    set_in_flight();
    raise(SIGTERM);
}

static void a_signal_kills_as_ever(void) {
    int ending = in_child(die_of_a_signal, NULL);
    CHECK(WIFSIGNALED(ending) && WTERMSIG(ending) == SIGTERM);
}

int main(void) {
    TEST(a_process_may_exit_with_jobs_in_flight);
    TEST(a_process_may_exit_at_once);
    TEST(exit_handlers_of_the_host_may_still_call);
    TEST(a_signal_kills_as_ever);
    return 0;
}
