/* A process may exit at any moment, in any way, from any thread, with a thousand jobs and callbacks in flight: no
 * crash, no hang, many times over for each way.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "endings.h"

static void by_returning_from_main(void) {}
static void by_exit(void) { exit(GOOD_END); }
static void by_underscore_exit(void) { _exit(GOOD_END); }
static void by_quick_exit(void) { quick_exit(GOOD_END); }

static void wait_for_the_end(void) {
    for (;;) pause();
}

static void *exit_here(void *unused) {
    (void)unused;
    exit(GOOD_END);
}

static void by_exit_in_another_thread(void) {
    start_thread(exit_here, NULL);
    wait_for_the_end();
}

static void *underscore_exit_here(void *unused) {
    (void)unused;
    _exit(GOOD_END);
}

static void by_underscore_exit_in_another_thread(void) {
    start_thread(underscore_exit_here, NULL);
    wait_for_the_end();
}

static void exit_in_callback(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status, (void)user_data;
    exit(GOOD_END);
}

/* On the runner's own thread, beneath which its loop is still at work. */
static void by_exit_in_a_callback(void) {
    palitra_token token = submit(busy_runner, "palitra.echo", "the end");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, exit_in_callback, NULL, NULL));
    wait_for_the_end();
}

static void *shut_down(void *unused) {
    palitra_runner_shutdown(busy_runner, SECONDS(0.001));
    palitra_runner_free(busy_runner);
    return unused;
}

static void by_exit_during_a_shutdown(void) {
    start_thread(shut_down, NULL);
    pause_for(0.0005);
    exit(GOOD_END);
}

int main(int argc, char **argv) {
    static const struct way ways[] = {
        {"by_returning_from_main", by_returning_from_main, 0},
        {"by_exit", by_exit, 0},
        {"by_underscore_exit", by_underscore_exit, 0},
        {"by_quick_exit", by_quick_exit, 0},
        {"by_exit_in_another_thread", by_exit_in_another_thread, 0},
        {"by_underscore_exit_in_another_thread", by_underscore_exit_in_another_thread, 0},
        {"by_exit_in_a_callback", by_exit_in_a_callback, 0},
        {"by_exit_during_a_shutdown", by_exit_during_a_shutdown, 0},
    };
    return end_in_every_way(ways, LENGTH(ways), argc, argv);
}
