/* The library installs no signal handler, ignores no signal and leaves the calling thread's mask alone.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "test.h"

static void check_same_handlers(const struct sigaction *before) {
    for (int number = 1; number < NSIG; number++) {
        struct sigaction after;
        if (sigaction(number, NULL, &after) != 0) continue;
        CHECK_NUMBER(before[number].sa_flags, after.sa_flags);
        CHECK(before[number].sa_handler == after.sa_handler);
    }
}

static void a_runner_and_its_jobs_leave_every_signal_as_it_was(void) {
    struct sigaction handlers[NSIG];
    sigset_t before, after;
    for (int number = 1; number < NSIG; number++) sigaction(number, NULL, &handlers[number]);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    palitra_runner runner = new_runner();
    check_echo(runner);
    CHECK_STATUS(PALITRA_JOB_FAILED, run(runner, "http.get", "{\"url\": \"http://127.0.0.1:1/\"}", SECONDS(20), NULL));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    check_same_handlers(handlers);
    palitra_runner_free(runner);
    check_same_handlers(handlers);
    for (int number = 1; number < NSIG; number++)
        CHECK_NUMBER(sigismember(&before, number), sigismember(&after, number));
}

int main(void) {
    TEST(a_runner_and_its_jobs_leave_every_signal_as_it_was);
    return 0;
}
