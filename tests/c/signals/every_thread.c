/* Every way in which a thread of the library comes into being, and none of them takes a signal of the host's: each is
 * born with every signal blocked that the host could handle, and keeps it so.
 *
 * The ways: a runner's own thread and its watchdog, of a runner that is made, of the global one and of one in a forked
 * child, and of one that a callback makes; workers; and what jobs give to spawn_blocking, on the runner and in a first
 * poll on the host's thread. Those of HTTP jobs are in threads_of_http.c.
 *
 * Promise 10: the host's process stays as it is.
 */
#include "masks.h"
#include "threads.h"

static void a_runner_and_its_watchdog(void) {
    palitra_runner runner = runner_with_workers(0);
    check_echo(runner);
    CHECK_NUMBER(2, check_threads());
    palitra_runner_free(runner);
}

static void workers(void) {
    palitra_runner runner = runner_with_workers(3);
    check_echo(runner);
    CHECK(check_threads() >= 5);
    palitra_runner_free(runner);
}

static void check_the_global_runner(void *unused) {
    palitra_runner runner = {0};
    (void)unused;
    made = made_open = 0;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    check_echo(runner);
    CHECK_NUMBER(2, check_threads());
    CHECK_NUMBER(2, made);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void the_global_runner(void) { check_the_global_runner(NULL); }

static void the_runner_of_a_forked_child(void) {
    palitra_runner runner = runner_with_workers(0);
    check_echo(runner);
    CHECK_EXIT(0, in_child(check_the_global_runner, NULL));
    palitra_runner_free(runner);
}

static void make_a_runner(palitra_token token, palitra_status status, void *runner) {
    (void)token, (void)status;
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(NULL, runner));
}

static void a_runner_that_a_callback_makes(void) {
    palitra_runner runner = runner_with_workers(0), other = {0};
    palitra_token token = submit(runner, "palitra.echo", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, make_a_runner, &other, NULL));
    EVENTUALLY(__atomic_load_n(&other.id, __ATOMIC_SEQ_CST) != 0);
    CHECK_NUMBER(4, check_threads());
    palitra_token_free(token);
    palitra_runner_free(runner);
    palitra_runner_free(other);
}

static void a_blocking_thread(void) {
    palitra_runner runner = runner_with_workers(0);
    int before = made;
    palitra_token token = submit(runner, "test.spawn_blocking", "{\"seconds\": 0.2}");
    EVENTUALLY(__atomic_load_n(&made, __ATOMIC_SEQ_CST) == before + 1);
    CHECK_NUMBER(3, check_threads());
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void a_blocking_thread_of_a_first_poll(void) {
    palitra_runner runner = runner_with_workers(0);
    int before = made;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.spawn_blocking", "{\"seconds\": 0.01}", PALITRA_FOREVER, NULL));
    CHECK_NUMBER(before + 1, made);
    CHECK_NUMBER(3, check_threads());
    palitra_runner_free(runner);
}

int main(void) {
    unblock_all_signals();
    TEST(a_thread_that_leaves_signals_open_is_noticed);
    TEST(a_runner_and_its_watchdog);
    TEST(workers);
    TEST(the_global_runner);
    TEST(the_runner_of_a_forked_child);
    TEST(a_runner_that_a_callback_makes);
    TEST(a_blocking_thread);
    TEST(a_blocking_thread_of_a_first_poll);
    return 0;
}
