/* A runner's life: made, global, several beside one another, with options.
 *
 * Promise 11: bad input and limits return a status.
 * Promise 12: several runners and libraries live in one process.
 */
#include "test.h"

static void a_runner_lives_from_new_to_free(void) {
    palitra_runner runner = new_runner();
    CHECK(palitra_runner_is_alive(runner));
    check_echo(runner);
    palitra_runner_free(runner);
    CHECK(!palitra_runner_is_alive(runner));
    palitra_runner_free(runner);
}

static void the_global_runner_is_made_on_first_use(void) {
    palitra_runner first = {0}, second = {0};
    CHECK(!palitra_is_runner_alive());
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&first));
    CHECK(palitra_is_runner_alive());
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&second));
    CHECK_NUMBER(first.id, second.id);
    check_echo(first);
}

static void the_global_runner_can_be_shut_down_and_made_anew(void) {
    palitra_runner first = {0}, second = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&first));
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
    CHECK(!palitra_is_runner_alive());
    CHECK(!palitra_runner_is_alive(first));
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));

    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&second));
    CHECK(first.id != second.id);
    check_echo(second);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void *take_global(void *out) {
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(out));
    return NULL;
}

static void threads_that_race_for_the_global_runner_get_the_same_one(void) {
    pthread_t threads[8];
    palitra_runner seen[LENGTH(threads)];
    for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(take_global, &seen[i]);
    for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
    for (size_t i = 0; i < LENGTH(threads); i++) CHECK_NUMBER(seen[0].id, seen[i].id);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void free_runner(palitra_token token, palitra_status status, void *runner) {
    (void)token;
    CHECK_STATUS(PALITRA_OK, status);
    palitra_runner_free(*(palitra_runner *)runner);
}

/* It returns at once: it could not wait for the thread that it is called on. */
static void a_runner_that_a_callback_frees_ends_by_itself(void) {
    int threads = threads_now();
    palitra_runner runner = new_runner();
    palitra_token pending = submit(runner, "test.never", ""), token = submit(runner, "test.nested", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, free_runner, &runner, NULL));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_token_wait(pending, SECONDS(20), NULL));
    CHECK(!palitra_runner_is_alive(runner));
    EVENTUALLY(threads_now() <= threads);
    palitra_token_free(pending);
    palitra_token_free(token);
}

static void runners_are_independent(void) {
    palitra_runner busy = new_runner(), free_one = new_runner();
    double start = now();
    palitra_token spinning = submit(busy, "test.spin", "{\"seconds\": 2}");
    check_echo(free_one);
    CHECK_TOOK(0, 1.5, start);

    palitra_runner_free(free_one);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(busy, spinning, PALITRA_FOREVER, NULL));
    CHECK(palitra_runner_is_alive(busy));
    check_echo(busy);
    palitra_token_free(spinning);
    palitra_runner_free(busy);
}

static void many_runners_live_at_once(void) {
    palitra_runner runners[20];
    for (size_t i = 0; i < LENGTH(runners); i++) runners[i] = new_runner();
    for (size_t i = 0; i < LENGTH(runners); i++) check_echo(runners[i]);
    for (size_t i = 0; i < LENGTH(runners); i++)
        for (size_t j = 0; j < i; j++) CHECK(runners[i].id != runners[j].id);
    for (size_t i = 0; i < LENGTH(runners); i++) palitra_runner_free(runners[i]);
}

/* A job is ready while another spins. Several are submitted: a worker that is just going to sleep
 * may miss the first one, which it would not if the spinning job yielded. */
static void worker_threads_run_jobs_side_by_side(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.worker_threads = 2});
    palitra_token spinning = submit(runner, "test.spin", "{\"seconds\": 2}");
    EVENTUALLY(run(runner, "test.ready", "", SECONDS(0.2), NULL) == PALITRA_OK);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(spinning, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, spinning, PALITRA_FOREVER, NULL));
    palitra_token_free(spinning);
    palitra_runner_free(runner);
}

static void the_limit_of_jobs_in_flight_returns_busy_at_once(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 2});
    palitra_token first = submit(runner, "test.never", ""), second = submit(runner, "test.never", "");
    palitra_token refused = {77};
    double start = now();
    CHECK_STATUS(PALITRA_BUSY, palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, &refused));
    CHECK_STATUS(PALITRA_BUSY, run(runner, "palitra.echo", "x", SECONDS(20), NULL));
    CHECK_TOOK(0, 5, start);
    CHECK_NUMBER(0, refused.id);

    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(first));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_runner_wait(runner, first, PALITRA_FOREVER, NULL));
    palitra_token third = {0};
    EVENTUALLY(palitra_runner_submit(runner, "test.ready", NULL, 0, NULL, &third) == PALITRA_OK);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, third, PALITRA_FOREVER, NULL));
    palitra_token_free(first);
    palitra_token_free(second);
    palitra_token_free(third);
    palitra_runner_free(runner);
}

static void a_payload_over_the_limit_is_too_large_at_once(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_payload = 8});
    palitra_token token = {0};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_TOO_LARGE, palitra_runner_submit(runner, "palitra.echo", "123456789", 9, NULL, &token));
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "palitra.echo", "123456789", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "12345678", PALITRA_FOREVER, &reply));
    CHECK_REPLY("12345678", reply);
    palitra_reply_free(&reply);
    palitra_runner_free(runner);
}

/* Whether the kernel knows a thread of this process by this name. */
static bool thread_named(const char *name) {
    char command[128];
    snprintf(command, sizeof command, "grep -qx '%s' /proc/%d/task/*/comm", name, (int)getpid());
    return system(command) == 0;
}

static void the_runner_thread_carries_the_name_it_was_given(void) {
    CHECK(!thread_named("a-runner"));
    palitra_runner runner =
        runner_with((palitra_runner_options){.thread_name = "a-runner", .thread_stack_size = 512 * 1024});
    check_echo(runner);
    CHECK(thread_named("a-runner"));
    palitra_runner_free(runner);
    CHECK(!thread_named("a-runner"));
}

int main(void) {
    TEST(a_runner_lives_from_new_to_free);
    TEST(the_global_runner_is_made_on_first_use);
    TEST(the_global_runner_can_be_shut_down_and_made_anew);
    TEST(threads_that_race_for_the_global_runner_get_the_same_one);
    TEST(a_runner_that_a_callback_frees_ends_by_itself);
    TEST(runners_are_independent);
    TEST(many_runners_live_at_once);
    TEST(worker_threads_run_jobs_side_by_side);
    TEST(the_limit_of_jobs_in_flight_returns_busy_at_once);
    TEST(a_payload_over_the_limit_is_too_large_at_once);
    TEST(the_runner_thread_carries_the_name_it_was_given);
    return 0;
}
