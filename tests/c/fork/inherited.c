/* What a forked child inherits and cannot reach: its parent's queues, callbacks, log and replies. The child calls,
 * frees and closes nothing of the parent's, and the parent continues as if there were no child.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>

/* Shared by parent and children, so that a call in any of them is counted. */
static struct counts {
    int called, freed, logged, log_freed;
} *counts;

static void count_call(palitra_token token, palitra_status status, void *user_data) {
    (void)token, (void)status;
    __atomic_add_fetch(&((struct counts *)user_data)->called, 1, __ATOMIC_SEQ_CST);
}

static void count_free(void *user_data) {
    __atomic_add_fetch(&((struct counts *)user_data)->freed, 1, __ATOMIC_SEQ_CST);
}

static void count_log(int32_t level, const char *target, const char *message, void *user_data) {
    (void)level, (void)target, (void)message;
    __atomic_add_fetch(&((struct counts *)user_data)->logged, 1, __ATOMIC_SEQ_CST);
}

static void count_log_free(void *user_data) {
    __atomic_add_fetch(&((struct counts *)user_data)->log_freed, 1, __ATOMIC_SEQ_CST);
}

static int count(const int *place) { return __atomic_load_n(place, __ATOMIC_SEQ_CST); }

static void share_counts(void) {
    if (counts == NULL) counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(counts != MAP_FAILED);
    memset(counts, 0, sizeof *counts);
}

/* A parent with an event in its queue, a token whose callback is still to be called, and a stream: everything
 * that a child could reach. */
struct parent {
    palitra_runner runner;
    palitra_queue queue;
    palitra_token pending, queued;
};

static palitra_token submit_with_queue(palitra_runner runner, palitra_queue queue, uint64_t tag) {
    palitra_token token = {0};
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "x", 1, &options, &token));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    return token;
}

static struct parent become_a_parent(void) {
    struct parent parent = {.runner = new_runner()};
    share_counts();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&parent.queue));
    parent.queued = submit_with_queue(parent.runner, parent.queue, 11);
    parent.pending = submit(parent.runner, "test.never", "");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(parent.pending, count_call, counts, count_free));
    return parent;
}

static void check_one_event(palitra_queue queue, uint64_t tag) {
    palitra_event event;
    size_t n = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, &n));
    CHECK_NUMBER(1, n);
    CHECK_NUMBER(tag, event.tag);
    CHECK_STATUS(PALITRA_OK, event.status);
}

/* The parent has lost nothing: its event waits, its queue works, its callback is called, once its time has come. */
static void check_and_end_the_parent(struct parent *parent) {
    check_one_event(parent->queue, 11);
    palitra_token_free(submit_with_queue(parent->runner, parent->queue, 12));
    check_one_event(parent->queue, 12);
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(parent->pending, NULL));
    CHECK_NUMBER(0, count(&counts->called));
    CHECK_NUMBER(0, count(&counts->freed));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(parent->pending));
    EVENTUALLY(count(&counts->freed) == 1);
    CHECK_NUMBER(1, count(&counts->called));
    palitra_token_free(parent->pending);
    palitra_token_free(parent->queued);
    palitra_queue_free(parent->queue);
    palitra_runner_free(parent->runner);
    CHECK_NUMBER(1, count(&counts->freed));
}

/* ---- queues ----------------------------------------------------------------------------------------- */

static void child_tries_the_queue(void *argument) {
    struct parent *parent = argument;
    palitra_event event;
    palitra_token token = {0};
    palitra_submit_options options;
    size_t n = 77;
    CHECK_NUMBER(-1, palitra_queue_fd(parent->queue));
    CHECK_STATUS(PALITRA_FORKED, palitra_queue_next(parent->queue, PALITRA_FOREVER, &event, 1, &n));
    CHECK_NUMBER(0, n);
    CHECK_STATUS(PALITRA_FORKED, palitra_queue_close(parent->queue));
    palitra_queue_free(parent->queue);
    palitra_queue_free(parent->queue);

    palitra_runner own = new_runner();
    palitra_submit_options_init(&options);
    options.queue = parent->queue;
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_submit(own, "palitra.echo", "x", 1, &options, &token));
    CHECK_NUMBER(0, token.id);
    palitra_runner_free(own);
}

static void in_a_child_the_parents_queue_returns_forked_and_keeps_its_events(void) {
    struct parent parent = become_a_parent();
    CHECK_EXIT(0, in_child(child_tries_the_queue, &parent));
    check_and_end_the_parent(&parent);
}

static void child_has_its_own_queue(void *argument) {
    struct parent *parent = argument;
    palitra_queue own = {0};
    palitra_runner runner = new_runner();
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&own));
    CHECK(own.id != parent->queue.id);
    palitra_token_free(submit_with_queue(runner, own, 21));
    check_one_event(own, 21);
    palitra_queue_free(own);
    palitra_runner_free(runner);
}

static void a_child_has_queues_of_its_own(void) {
    struct parent parent = become_a_parent();
    CHECK_EXIT(0, in_child(child_has_its_own_queue, &parent));
    check_and_end_the_parent(&parent);
}

/* The child closes every descriptor and opens others under the same numbers; freeing the parent's handles
 * must close none of them. */
static void child_reuses_the_descriptors(void *argument) {
    struct parent *parent = argument;
    for (int fd = 3; fd < 64; fd++) close(fd);
    for (int fd = 3; fd < 64; fd++) CHECK_NUMBER(fd, open("/dev/null", O_RDONLY));
    palitra_token_free(parent->pending);
    palitra_queue_free(parent->queue);
    palitra_runner_free(parent->runner);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
    use_the_global_runner(NULL);
    for (int fd = 3; fd < 64; fd++) CHECK(fcntl(fd, F_GETFD) >= 0);
}

static void a_child_that_reuses_the_parents_descriptors_loses_none(void) {
    struct parent parent = become_a_parent();
    palitra_runner global = {0};
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&global));
    CHECK_EXIT(0, in_child(child_reuses_the_descriptors, &parent));
    check_echo(global);
    CHECK_STATUS(PALITRA_OK, shutdown_global_runner(0));
    check_and_end_the_parent(&parent);
}

/* ---- callbacks -------------------------------------------------------------------------------------- */

static void child_frees_what_has_a_callback(void *argument) {
    struct parent *parent = argument;
    palitra_token_free(parent->pending);
    palitra_queue_free(parent->queue);
    palitra_runner_free(parent->runner);
    use_the_global_runner(NULL);
}

static void in_a_child_the_parents_callback_is_neither_called_nor_freed(void) {
    struct parent parent = become_a_parent();
    CHECK_EXIT(0, in_child(child_frees_what_has_a_callback, &parent));
    check_and_end_the_parent(&parent);
}

static void child_registers_a_callback(void *argument) {
    struct parent *parent = argument;
    struct counts own = {0};
    CHECK_STATUS(PALITRA_FORKED, palitra_token_on_complete(parent->pending, count_call, &own, count_free));
    CHECK_STATUS(PALITRA_FORKED, palitra_token_on_ready(parent->pending, 0, count_call, &own, count_free));
    CHECK_NUMBER(2, own.freed);
    CHECK_NUMBER(0, own.called);
}

static void in_a_child_a_callback_for_the_parents_token_is_refused_and_freed_once(void) {
    struct parent parent = become_a_parent();
    CHECK_EXIT(0, in_child(child_registers_a_callback, &parent));
    check_and_end_the_parent(&parent);
}

static void child_reads_figures(void *argument) {
    struct parent *parent = argument;
    palitra_stats stats = {.size = sizeof stats};
    palitra_reply item;
    uint64_t done = 5;
    CHECK_STATUS(PALITRA_FORKED, palitra_runner_stats(parent->runner, &stats));
    CHECK_STATUS(PALITRA_FORKED, palitra_token_progress(parent->pending, &done, NULL));
    CHECK_NUMBER(5, done);
    CHECK_STATUS(PALITRA_FORKED, palitra_token_next(parent->pending, PALITRA_FOREVER, &item));
    palitra_reply_free(&item);
}

static void in_a_child_the_parents_stats_progress_and_stream_return_forked(void) {
    struct parent parent = become_a_parent();
    CHECK_EXIT(0, in_child(child_reads_figures, &parent));
    check_and_end_the_parent(&parent);
}

/* ---- the log ---------------------------------------------------------------------------------------- */

/* The log warns of a job that blocks its thread. */
static void cause_a_message(void) {
    palitra_runner runner = new_runner();
    CHECK_STATUS(PALITRA_OK, run(runner, "test.spin", "{\"seconds\": 0.2}", SECONDS(20), NULL));
    palitra_runner_free(runner);
}

static void child_logs_for_itself(void *unused) {
    struct counts own = {0};
    (void)unused;
    cause_a_message();
    CHECK_NUMBER(0, count(&counts->logged));
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, count_log, &own, count_log_free));
    do cause_a_message();
    while (count(&own.logged) == 0); /* on a busy machine the library may look too late to see one */
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    CHECK_NUMBER(1, own.log_freed);
}

static void in_a_child_nobody_listens_until_it_asks(void) {
    share_counts();
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_WARN, count_log, counts, count_log_free));
    CHECK_EXIT(0, in_child(child_logs_for_itself, NULL));
    CHECK_NUMBER(0, count(&counts->logged));
    CHECK_NUMBER(0, count(&counts->log_freed));
    do cause_a_message();
    while (count(&counts->logged) == 0); /* on a busy machine the library may look too late to see one */
    CHECK_STATUS(PALITRA_OK, palitra_log_set(PALITRA_LOG_OFF, NULL, NULL, NULL));
    CHECK_NUMBER(1, count(&counts->log_freed));
}

int main(void) {
    TEST(in_a_child_the_parents_queue_returns_forked_and_keeps_its_events);
    TEST(a_child_has_queues_of_its_own);
    TEST(a_child_that_reuses_the_parents_descriptors_loses_none);
    TEST(in_a_child_the_parents_callback_is_neither_called_nor_freed);
    TEST(in_a_child_a_callback_for_the_parents_token_is_refused_and_freed_once);
    TEST(in_a_child_the_parents_stats_progress_and_stream_return_forked);
    TEST(in_a_child_nobody_listens_until_it_asks);
    return 0;
}
