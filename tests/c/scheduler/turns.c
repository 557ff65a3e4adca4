/* A turn of the runner is bounded by time: no timer, callback or deadline waits for a crowd of jobs that each block its
 * thread.
 *
 * Promise 3: timeouts and deadlines hold.
 * Promise 6: callbacks run once.
 */
#include "scheduling.h"

/* So many jobs that block the thread for 5 ms each take 2 s together. */
#define CROWD 400
#define A_SHORT_HOLD "{\"seconds\":0.005}"

/* How late a timer or a callback may be while the crowd runs. */
#define AT_MOST_LATE 0.4

static void a_timer_ends_on_time_beside_queued_jobs(void) {
    palitra_runner runner = new_runner();
    palitra_token sleep = submit(runner, "palitra.sleep", "{\"seconds\":0.01}");
    double start = now();
    submit_detached(runner, CROWD, "test.hold", A_SHORT_HOLD);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, sleep, SECONDS(20), NULL));
    CHECK_TOOK(0, AT_MOST_LATE, start);
    palitra_token_free(sleep);
    palitra_runner_free(runner);
}

/* It is that of a job behind the crowd, of which each blocks the thread for a moment only. */
static void a_deadline_arrives_on_time_beside_queued_jobs(void) {
    for (uint32_t workers = 0; workers < 2; workers++) {
        palitra_runner runner = runner_with_workers(workers);
        palitra_submit_options options;
        palitra_queue queue;
        palitra_event event = {0};
        CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
        palitra_submit_options_init(&options);
        options.queue = queue;
        options.deadline_ns = SECONDS(0.1);
        submit_detached(runner, CROWD, "test.hold", A_SHORT_HOLD);
        double start = now();
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "test.never", "", 0, &options, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, NULL));
        CHECK_TOOK(0.09, 0.1 + AT_MOST_LATE, start);
        CHECK_STATUS(PALITRA_DEADLINE, event.status);
        palitra_queue_free(queue);
        palitra_runner_free(runner);
    }
}

static struct {
    double at;
    int calls;
} called;

static void note_the_time(palitra_token token, palitra_status status, void *user_data) {
    (void)token;
    (void)status;
    (void)user_data;
    called.at = now();
    __atomic_fetch_add(&called.calls, 1, __ATOMIC_RELEASE);
}

static void check_called_soon(double start) {
    EVENTUALLY(__atomic_load_n(&called.calls, __ATOMIC_ACQUIRE) == 1);
    double late = called.at - start;
    if (late < AT_MOST_LATE * slowness()) return;
    fprintf(stderr, "called %.3f s late", late);
    fail(__FILE__, __LINE__);
}

/* It is called for a job that had finished before the crowd came. */
static void a_callback_for_a_finished_job_waits_for_no_queue(void) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    submit_detached(runner, CROWD, "test.hold", A_SHORT_HOLD);
    called.calls = 0;
    double start = now();
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, note_the_time, NULL, NULL));
    check_called_soon(start);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

/* The job finishes beside jobs that were queued after it, on its own or because it is cancelled. */
static void check_notified_beside_a_crowd(const char *job, const char *payload, bool is_cancelled) {
    palitra_runner runner = new_runner();
    palitra_token token = submit(runner, job, payload);
    called.calls = 0;
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, note_the_time, NULL, NULL));
    submit_detached(runner, CROWD, "test.hold", A_SHORT_HOLD);
    double start = now();
    if (is_cancelled) CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    check_called_soon(start);
    palitra_token_free(token);
    palitra_runner_free(runner);
}

static void a_callback_for_a_job_that_finishes_waits_for_no_queue(void) {
    check_notified_beside_a_crowd("palitra.sleep", "{\"seconds\":0.02}", false);
}

static void a_callback_for_a_cancelled_job_waits_for_no_queue(void) {
    check_notified_beside_a_crowd("test.never", "", true);
}

static void hold_a_little(palitra_token token, palitra_status status, void *user_data) {
    note_the_time(token, status, user_data);
    pause_for(0.005);
}

/* Callbacks go first, but they do not make a turn endless either. */
static void a_timer_ends_on_time_beside_callbacks(void) {
    palitra_runner runner = new_runner();
    palitra_token finished = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, finished, PALITRA_FOREVER, NULL));
    palitra_token sleep = submit(runner, "palitra.sleep", "{\"seconds\":0.01}");
    double start = now();
    called.calls = 0;
    for (int i = 0; i < CROWD; i++)
        CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(finished, hold_a_little, NULL, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, sleep, SECONDS(20), NULL));
    CHECK_TOOK(0, AT_MOST_LATE, start);
    EVENTUALLY(__atomic_load_n(&called.calls, __ATOMIC_ACQUIRE) == CROWD);
    palitra_token_free(sleep);
    palitra_token_free(finished);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_timer_ends_on_time_beside_queued_jobs);
    TEST(a_deadline_arrives_on_time_beside_queued_jobs);
    TEST(a_callback_for_a_finished_job_waits_for_no_queue);
    TEST(a_callback_for_a_job_that_finishes_waits_for_no_queue);
    TEST(a_callback_for_a_cancelled_job_waits_for_no_queue);
    TEST(a_timer_ends_on_time_beside_callbacks);
    return 0;
}
