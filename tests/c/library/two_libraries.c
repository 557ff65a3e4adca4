/* Two libraries built on palitra in one process: this program is linked with libpalitra.so and loads a user's job
 * library beside it. Each keeps its own jobs and runners.
 *
 * Promise 12: several runners and libraries live in one process.
 */
#include "loaded.h"

static bool lists(size_t (*count)(void), palitra_status (*at)(size_t, palitra_job_info *), const char *name) {
    for (size_t i = 0; i < count(); i++) {
        palitra_job_info job;
        CHECK_STATUS(PALITRA_OK, at(i, &job));
        if (strcmp(job.name, name) == 0) return true;
    }
    return false;
}

static void each_library_has_its_own_jobs(void) {
    CHECK(lists(palitra_job_count, palitra_job_at, "palitra.echo"));
    CHECK(!lists(palitra_job_count, palitra_job_at, "test.ready"));
    CHECK(lists(loaded.job_count, loaded.job_at, "palitra.echo"));
    CHECK(lists(loaded.job_count, loaded.job_at, "test.ready"));
}

static void both_run_side_by_side(void) {
    palitra_runner ours = new_runner(), theirs = {0};
    palitra_token token = {0};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, &theirs));
    CHECK_STATUS(PALITRA_OK, loaded.runner_submit(theirs, "test.nested", "theirs", 6, NULL, &token));
    check_echo(ours);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, run(ours, "test.ready", "", PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_OK, loaded.runner_wait(theirs, token, PALITRA_FOREVER, &reply));
    CHECK_REPLY("theirs", reply);
    loaded.reply_free(&reply);
    loaded.token_free(token);

    palitra_runner_free(ours);
    CHECK_STATUS(PALITRA_OK, loaded.runner_run(theirs, "palitra.echo", "on", 2, PALITRA_FOREVER, &reply));
    CHECK_REPLY("on", reply);
    loaded.reply_free(&reply);
    loaded.runner_free(theirs);
}

static void each_library_has_its_own_global_runner(void) {
    palitra_runner ours = {0}, theirs = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&ours));
    CHECK(!loaded.is_runner_alive());
    CHECK_STATUS(PALITRA_OK, loaded.runner_global(&theirs));
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
    CHECK(loaded.is_runner_alive());
    CHECK_STATUS(PALITRA_OK, loaded.shutdown_global_runner(0));
}

/* Both libraries count from the beginning: without something of each library's own in them, their handles would be
 * the same numbers. */
static void a_handle_of_the_other_library_is_invalid(void) {
    palitra_runner ours = new_runner(), theirs = {0};
    palitra_token our_token = submit(ours, "palitra.echo", "x"), their_token = {0}, none = {0};
    palitra_queue our_queue = {0}, their_queue = {0};
    palitra_reply reply;
    palitra_event event;
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&our_queue));
    CHECK_STATUS(PALITRA_OK, loaded.queue_new(&their_queue));
    CHECK_STATUS(PALITRA_OK, loaded.runner_new(NULL, &theirs));
    CHECK_STATUS(PALITRA_OK, loaded.runner_submit(theirs, "palitra.echo", "x", 1, NULL, &their_token));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(our_token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_OK, loaded.runner_wait(theirs, their_token, PALITRA_FOREVER, NULL));

    CHECK_STATUS(PALITRA_INVALID_HANDLE, run(theirs, "palitra.echo", "x", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_submit(theirs, "palitra.echo", "x", 1, NULL, &none));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_wait(ours, their_token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(their_token, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_queue_next(their_queue, 0, &event, 1, NULL));
    CHECK_NUMBER(-1, palitra_queue_fd(their_queue));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, loaded.runner_run(ours, "palitra.echo", "x", 1, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, loaded.runner_wait(theirs, our_token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, loaded.queue_next(our_queue, 0, &event, 1, NULL));

    /* Freed by the wrong library, they stay alive. */
    palitra_token_free(their_token);
    palitra_queue_free(their_queue);
    palitra_runner_free(theirs);
    CHECK_STATUS(PALITRA_OK, loaded.runner_wait(theirs, their_token, PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_PENDING, loaded.queue_next(their_queue, 0, &event, 1, NULL));
    CHECK_STATUS(PALITRA_OK, loaded.runner_run(theirs, "palitra.echo", "on", 2, PALITRA_FOREVER, NULL));
    loaded.token_free(their_token);
    loaded.queue_free(their_queue);
    loaded.runner_free(theirs);
    palitra_token_free(our_token);
    palitra_queue_free(our_queue);
    palitra_runner_free(ours);
}

int main(void) {
    load("libpalitra_test_jobs.so");
    TEST(a_handle_of_the_other_library_is_invalid); /* first, while both count from the beginning */
    TEST(each_library_has_its_own_jobs);
    TEST(both_run_side_by_side);
    TEST(each_library_has_its_own_global_runner);
    return 0;
}
