/* The hooks of a runner's threads: each thread calls both, as its first and its last act. Their data is freed once. */
#include "test.h"

#include <stdatomic.h>

/* What the hooks of one runner saw. */
struct seen {
    atomic_int started, stopped, freed;
};

static _Thread_local struct seen *attached_to;

static void attach(void *user_data) {
    struct seen *seen = user_data;
    CHECK(attached_to == NULL);
    attached_to = seen;
    atomic_fetch_add(&seen->started, 1);
}

static void detach(void *user_data) {
    struct seen *seen = user_data;
    CHECK(attached_to == seen); /* the same thread, once */
    attached_to = NULL;
    CHECK_NUMBER(0, seen->freed);
    atomic_fetch_add(&seen->stopped, 1);
}

static void count_free(void *user_data) { atomic_fetch_add(&((struct seen *)user_data)->freed, 1); }

static palitra_runner_options hooked(struct seen *seen) {
    palitra_runner_options options;
    palitra_runner_options_init(&options);
    options.thread_start = attach;
    options.thread_stop = detach;
    options.thread_user_data = seen;
    options.thread_free = count_free;
    return options;
}

static palitra_runner new_hooked(palitra_runner_options options) {
    palitra_runner runner = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_new(&options, &runner));
    return runner;
}

static void check_seen(int threads, const struct seen *seen) {
    CHECK_NUMBER(threads, seen->started);
    CHECK_NUMBER(threads, seen->stopped);
    CHECK_NUMBER(1, seen->freed);
}

static void the_runners_own_thread_is_attached_before_its_first_job(void) {
    struct seen seen = {0};
    palitra_runner runner = new_hooked(hooked(&seen));
    check_echo(runner);
    CHECK(seen.started >= 1);
    EVENTUALLY(seen.started == 2); /* and its watchdog's */
    CHECK_NUMBER(0, seen.stopped);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_NUMBER(2, seen.stopped);
    palitra_runner_free(runner);
    check_seen(2, &seen);
}

static void note_thread(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status;
    *(struct seen **)user_data = attached_to;
}

static void callbacks_run_on_an_attached_thread(void) {
    struct seen seen = {0}, *in_callback = NULL;
    palitra_runner runner = new_hooked(hooked(&seen));
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, note_thread, &in_callback, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, PALITRA_FOREVER, NULL));
    palitra_runner_free(runner);
    CHECK(in_callback == &seen);
    palitra_token_free(token);
}

static void workers_are_attached_and_detached(void) {
    struct seen seen = {0};
    palitra_runner_options options = hooked(&seen);
    options.worker_threads = 3;
    palitra_runner runner = new_hooked(options);
    EVENTUALLY(seen.started == 2 + 3);
    CHECK_STATUS(PALITRA_OK, run(runner, "test.nested", "x", SECONDS(20), NULL));
    palitra_runner_free(runner);
    check_seen(2 + 3, &seen);
}

static void threads_for_blocking_parts_are_attached_and_detached(void) {
    for (uint32_t workers = 0; workers < 3; workers += 2) {
        struct seen seen = {0};
        palitra_runner_options options = hooked(&seen);
        options.worker_threads = workers;
        palitra_runner runner = new_hooked(options);
        palitra_token tokens[3];
        for (size_t i = 0; i < LENGTH(tokens); i++) tokens[i] = submit(runner, "test.blocking", "{\"seconds\":0.2}");
        for (size_t i = 0; i < LENGTH(tokens); i++)
            CHECK_STATUS(PALITRA_OK, palitra_token_wait(tokens[i], PALITRA_FOREVER, NULL));
        CHECK(seen.started > 2 + (int)workers); /* one at least; a thread may have done two */
        palitra_runner_free(runner);
        check_seen(seen.started, &seen);
        for (size_t i = 0; i < LENGTH(tokens); i++) palitra_token_free(tokens[i]);
    }
}

static void either_hook_may_be_left_out(void) {
    struct seen only_start = {0}, neither = {0};
    palitra_runner_options options = hooked(&only_start);
    options.thread_stop = NULL;
    palitra_runner runner = new_hooked(options);
    check_echo(runner);
    palitra_runner_free(runner);
    CHECK_NUMBER(2, only_start.started);
    CHECK_NUMBER(1, only_start.freed);

    options = hooked(&neither);
    options.thread_start = options.thread_stop = NULL;
    runner = new_hooked(options);
    check_echo(runner);
    palitra_runner_free(runner);
    CHECK_NUMBER(1, neither.freed);
    CHECK_NUMBER(0, neither.started);
}

static void what_was_refused_is_freed(void) {
    struct seen seen[4] = {{0}};
    struct {
        palitra_runner_options known;
        uint64_t unknown;
    } later = {.unknown = 1};
    palitra_runner runner = {0};
    palitra_runner_options options = hooked(&seen[0]);
    options.flags = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options, &runner));
    options = hooked(&seen[1]);
    options.thread_stack_size = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options, &runner));
    options = hooked(&seen[2]);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options, NULL));
    later.known = hooked(&seen[3]);
    later.known.size = sizeof later;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&later.known, &runner));
    for (size_t i = 0; i < LENGTH(seen); i++) {
        CHECK_NUMBER(0, seen[i].started);
        check_seen(0, &seen[i]);
    }
    /* With such a size nobody can know where the members are. */
    options = hooked(&seen[0]);
    options.size = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_new(&options, &runner));
    CHECK_NUMBER(1, seen[0].freed);
}

int main(void) {
    TEST(the_runners_own_thread_is_attached_before_its_first_job);
    TEST(callbacks_run_on_an_attached_thread);
    TEST(workers_are_attached_and_detached);
    TEST(threads_for_blocking_parts_are_attached_and_detached);
    TEST(either_hook_may_be_left_out);
    TEST(what_was_refused_is_freed);
    return 0;
}
