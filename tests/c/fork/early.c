/* Forks from a process that has not made a runner yet: before the first call, and in the middle of it, whatever lock
 * that call holds.
 *
 * Each test runs in a child of its own, so that it starts with a library that nobody has touched.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

static volatile sig_atomic_t stop;

static void *ask_and_ask(void *unused) {
    (void)unused;
    while (!stop) palitra_is_runner_alive();
    return NULL;
}

static void *make_the_first(void *unused) {
    palitra_runner runner;
    (void)unused;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    return NULL;
}

/* In a process that has no runner yet. */
static void fork_while_another_thread(void *function) {
    void *(*thread_function)(void *);
    memcpy(&thread_function, function, sizeof thread_function);
    pthread_t thread = start_thread(thread_function, NULL);
    for (int i = 0; i < 10; i++) CHECK_EXIT(0, in_child(use_the_global_runner, NULL));
    stop = 1;
    join_thread(thread);
}

static void fork_early_and_often(void *(*other)(void *)) {
    for (int round = 0; round < 30; round++) CHECK_EXIT(0, in_child(fork_while_another_thread, &other));
}

static void a_fork_in_the_middle_of_the_first_question_is_safe(void) { fork_early_and_often(ask_and_ask); }
static void a_fork_in_the_middle_of_making_the_first_runner_is_safe(void) { fork_early_and_often(make_the_first); }

static void fork_first(void *unused) {
    CHECK_EXIT(0, in_child(use_the_global_runner, unused));
    use_the_global_runner(unused);
}

static void a_fork_before_the_first_call_leaves_nothing_to_inherit(void) { CHECK_EXIT(0, in_child(fork_first, NULL)); }

int main(void) {
    TEST(a_fork_before_the_first_call_leaves_nothing_to_inherit);
    TEST(a_fork_in_the_middle_of_making_the_first_runner_is_safe);
    TEST(a_fork_in_the_middle_of_the_first_question_is_safe);
    return 0;
}
