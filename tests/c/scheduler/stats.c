/* The figures of a runner under load: they never decrease, and every job is in exactly one of them. */
#include "counts.h"

static struct {
    palitra_runner runner;
    int over;
} load;

static void *keep_submitting(void *number) {
    static const char *const jobs[][2] = {{"palitra.echo", "x"},
                                          {"palitra.sleep", "{\"seconds\":0.0005}"},
                                          {"test.fail", "{\"code\":1,\"message\":\"\"}"},
                                          {"test.never", ""}};
    for (int i = (int)(intptr_t)number; !__atomic_load_n(&load.over, __ATOMIC_ACQUIRE); i++) {
        palitra_token token = submit(load.runner, jobs[i % 4][0], jobs[i % 4][1]);
        if (i % 4 == 3) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
        else if (i % 2 == 0) palitra_runner_wait(load.runner, token, SECONDS(20), NULL);
        palitra_token_free(token);
        if (i % 16 == 0) run(load.runner, "palitra.sleep", "{\"seconds\":0.0001}", PALITRA_FOREVER, NULL);
    }
    return NULL;
}

#define NEVER_LESS(figure) \
    do { \
        if (seen_now.figure < last.figure) { \
            fprintf(stderr, "%s went down from %" PRIu64 " to %" PRIu64, #figure, last.figure, seen_now.figure); \
            fail(__FILE__, __LINE__); \
        } \
    } while (0)

static void sample_for(double seconds) {
    palitra_stats last = {0};
    for (double end = now() + seconds; now() < end;) {
        palitra_stats seen_now = stats_of(load.runner);
        NEVER_LESS(submitted);
        NEVER_LESS(succeeded);
        NEVER_LESS(failed);
        NEVER_LESS(panicked);
        NEVER_LESS(cancelled);
        NEVER_LESS(deadline);
        CHECK(seen_now.submitted == seen_now.queued + seen_now.running + ended(seen_now));
        last = seen_now;
    }
    CHECK(last.succeeded > 0 && last.failed > 0 && last.cancelled > 0);
}

static void figures_never_decrease(void) {
    for (uint32_t workers = 0; workers < 3; workers += 2) {
        pthread_t threads[4];
        load.runner = runner_with_workers(workers);
        load.over = 0;
        for (size_t i = 0; i < LENGTH(threads); i++) threads[i] = start_thread(keep_submitting, (void *)(intptr_t)i);
        sample_for(2);
        __atomic_store_n(&load.over, 1, __ATOMIC_RELEASE);
        for (size_t i = 0; i < LENGTH(threads); i++) join_thread(threads[i]);
        CHECK_STATUS(PALITRA_OK, shutdown_runner(load.runner, SECONDS(10)));
        palitra_stats stats = stats_of(load.runner);
        check_counts(&stats, ended(stats), 0, 0);
        palitra_runner_free(load.runner);
    }
}

/* A host finds what it has submitted in the figures at once. */
static void what_was_submitted_is_counted(void) {
    palitra_runner runner = new_runner();
    for (uint64_t i = 1; i <= 20000; i++) {
        submit_detached(runner, 1, "test.ready", "");
        CHECK_NUMBER(i, stats_of(runner).submitted);
    }
    palitra_runner_free(runner);
}

int main(void) {
    TEST(figures_never_decrease);
    TEST(what_was_submitted_is_counted);
    return 0;
}
