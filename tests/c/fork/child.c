/* What a forked child sees: its parent's handles return FORKED, and a new global runner works.
 *
 * Each child makes its own checks under its own watchdog (in_child). Its exit code says whether they held.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

struct inherited {
    palitra_runner runner;
    palitra_token pending, finished;
    palitra_reply reply;
};

static struct inherited inherit(void) {
    struct inherited parent = {.runner = new_runner()};
    parent.pending = submit(parent.runner, "test.never", "");
    parent.finished = submit(parent.runner, "palitra.echo", "parent");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(parent.runner, parent.finished, PALITRA_FOREVER, &parent.reply));
    return parent;
}

static void leave(struct inherited *parent) {
    palitra_reply_free(&parent->reply);
    palitra_token_free(parent->pending);
    palitra_token_free(parent->finished);
    palitra_runner_free(parent->runner);
}

static void runner_calls_return_forked(const struct inherited *parent) {
    palitra_runner runner = parent->runner;
    palitra_token token = parent->pending, made = {0};
    palitra_reply reply;
    CHECK(!palitra_runner_is_alive(runner));
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_submit(runner, "palitra.echo", "x", 1, NULL, &made));
    palitra_submission many[] = {{"palitra.echo", NULL, 0, 0}, {"palitra.echo", NULL, 0, 0}};
    palitra_token none[] = {{7}, {7}};
    size_t taken = 7;
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_submit_many(runner, many, LENGTH(many), NULL, none, &taken));
    CHECK(taken == 0 && none[0].id == 0 && none[1].id == 0);
    CHECK_STATUS(PALITRA_FORKED, run(runner, "palitra.echo", "x", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_FORKED, run(runner, "palitra.echo", "x", SECONDS(1), &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_wait(runner, token, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_wait_any(runner, &token, 1, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_gather(runner, &token, 1, 0, PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_shutdown(runner, PALITRA_FOREVER));
    palitra_runner_free(runner);
    palitra_runner_free(runner);
}

static void token_calls_return_forked(const struct inherited *parent) {
    const palitra_token tokens[] = {parent->pending, parent->finished};
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        palitra_reply reply;
        CHECK_STATUS(PALITRA_FORKED, palitra_token_poll(tokens[i], &reply));
        CHECK_STATUS(PALITRA_FORKED, reply.status);
        palitra_reply_free(&reply);
        CHECK_STATUS(PALITRA_FORKED, palitra_token_cancel(tokens[i]));
        palitra_token_free(tokens[i]);
        palitra_token_free(tokens[i]);
    }
}

static void child_tries_everything(void *argument) {
    struct inherited *parent = argument;
    runner_calls_return_forked(parent);
    token_calls_return_forked(parent);
    CHECK_REPLY("parent", parent->reply);
    palitra_reply_free(&parent->reply);
}

static void in_a_child_every_handle_of_the_parent_returns_forked(void) {
    struct inherited parent = inherit();
    CHECK_EXIT(0, in_child(child_tries_everything, &parent));

    CHECK_REPLY("parent", parent.reply);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(parent.pending, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(parent.finished, NULL));
    check_echo(parent.runner);
    leave(&parent);
}

static void in_a_child_a_new_global_runner_works(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    check_echo(runner);
    CHECK_EXIT(0, in_child(use_the_global_runner, NULL));
    check_echo(runner);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static void child_makes_its_own(void *argument) {
    struct inherited *parent = argument;
    palitra_runner own = new_runner();
    palitra_token token = submit(own, "palitra.echo", "child");
    palitra_reply reply;
    CHECK(own.id != parent->runner.id && token.id != parent->pending.id && token.id != parent->finished.id);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(own, token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("child", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_FORKED, palitra_token_poll(parent->finished, NULL));
    CHECK_EXIT(0, in_child(use_the_global_runner, NULL));
    palitra_token_free(token);
    palitra_runner_free(own);
}

static void a_child_makes_runners_and_children_of_its_own(void) {
    struct inherited parent = inherit();
    CHECK_EXIT(0, in_child(child_makes_its_own, &parent));
    leave(&parent);
}

static void child_shuts_down_what_it_never_had(void *unused) {
    (void)unused;
    palitra_status status = palitra_shutdown_global_runner(PALITRA_FOREVER);
    CHECK(status == PALITRA_OK || status == PALITRA_FORKED);
}

static void in_a_child_shutting_down_the_parents_global_runner_does_nothing(void) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    palitra_token token = submit(runner, "test.never", "");
    CHECK_EXIT(0, in_child(child_shuts_down_what_it_never_had, NULL));
    CHECK(palitra_is_runner_alive());
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
}

static volatile sig_atomic_t stop_hammering;

/* Takes whatever locks there are, so that some fork lands while one is held. */
static void *hammer(void *argument) {
    palitra_runner shared = *(palitra_runner *)argument;
    while (!stop_hammering) {
        palitra_runner own = new_runner();
        check_echo(shared);
        palitra_token token = submit(own, "test.never", "");
        CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
        palitra_token_free(token);
        palitra_runner_free(own);
    }
    return NULL;
}

static void a_fork_in_the_middle_of_other_threads_calls_is_safe(void) {
    struct inherited parent = inherit();
    pthread_t threads[3];
    for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(hammer, &parent.runner);
    for (int round = 0; round < 50; round++) {
        CHECK_EXIT(0, in_child(child_tries_everything, &parent));
        CHECK_EXIT(0, in_child(child_makes_its_own, &parent));
    }
    stop_hammering = 1;
    for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
    leave(&parent);
}

int main(void) {
    TEST(in_a_child_every_handle_of_the_parent_returns_forked);
    TEST(in_a_child_a_new_global_runner_works);
    TEST(a_child_makes_runners_and_children_of_its_own);
    TEST(in_a_child_shutting_down_the_parents_global_runner_does_nothing);
    TEST(a_fork_in_the_middle_of_other_threads_calls_is_safe);
    return 0;
}
