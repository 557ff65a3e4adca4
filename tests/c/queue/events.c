/* The completion queue: what an event contains, draining, closing, and a descriptor that is readable exactly while
 * events wait. With many threads: many_threads.c.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 6: callbacks run once.
 */
#include "test.h"

#include <poll.h>

static palitra_runner runner;

static palitra_queue new_queue(void) {
    palitra_queue queue = {0};
    CHECK_STATUS(PALITRA_OK, palitra_queue_new(&queue));
    CHECK(queue.id != 0);
    return queue;
}

/* Submits a job that notifies the queue; `token` may be NULL. */
static void submit_to(palitra_queue queue, uint64_t tag, const char *job, const char *payload, palitra_token *token) {
    palitra_submit_options options;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = tag;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, job, payload, strlen(payload), &options, token));
}

static void check_event(palitra_queue queue, uint64_t tag, palitra_token token, palitra_status status) {
    palitra_event event = {0, {0}, 0};
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), &event, 1, NULL));
    CHECK_NUMBER(tag, event.tag);
    CHECK_NUMBER(token.id, event.token.id);
    CHECK_STATUS(status, event.status);
}

static void check_next(palitra_queue queue, palitra_status expected) {
    palitra_event event;
    size_t n = 99;
    CHECK_STATUS(expected, palitra_queue_next(queue, 0, &event, 1, &n));
    CHECK_NUMBER(0, n);
}

static bool is_readable(palitra_queue queue) {
    struct pollfd fd = {palitra_queue_fd(queue), POLLIN, 0};
    CHECK(fd.fd >= 0);
    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLIN) != 0;
}

/* ---- what an event says ----------------------------------------------------------------------------- */

static void an_event_has_the_tag_the_token_and_the_status(void) {
    palitra_queue queue = new_queue();
    palitra_token token;
    palitra_reply reply;
    submit_to(queue, UINT64_MAX, "palitra.echo", "hello", &token);
    check_event(queue, UINT64_MAX, token, PALITRA_OK);
    CHECK_STATUS(PALITRA_OK, palitra_token_poll(token, &reply)); /* finished before its event */
    CHECK_REPLY("hello", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
    submit_to(queue, 1, "test.fail", "{\"code\":3,\"message\":\"no\"}", &token);
    check_event(queue, 1, token, PALITRA_JOB_FAILED);
    palitra_token_free(token);
    submit_to(queue, 2, "test.panic", "oh", &token);
    check_event(queue, 2, token, PALITRA_JOB_PANICKED);
    palitra_token_free(token);
    submit_to(queue, 3, "test.never", "", &token);
    check_next(queue, PALITRA_PENDING);
    end_never(runner, token);
    check_event(queue, 3, token, PALITRA_CANCELLED);
    check_next(queue, PALITRA_PENDING);
    palitra_queue_free(queue);
}

static void a_deadline_notifies_also_if_nobody_waits_for_the_token(void) {
    palitra_queue queue = new_queue();
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.deadline_ns = SECONDS(0.02);
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.sleep", "{\"seconds\":60}", 14, &options, &token));
    check_event(queue, 0, token, PALITRA_DEADLINE);
    palitra_token_free(token);
    palitra_queue_free(queue);
}

static void a_job_without_a_token_tells_too(void) {
    palitra_queue queue = new_queue();
    submit_to(queue, 5, "palitra.echo", "x", NULL);
    check_event(queue, 5, (palitra_token){0}, PALITRA_OK);
    palitra_queue_free(queue);
}

static void a_token_freed_before_it_finished_tells_too(void) {
    palitra_queue queue = new_queue();
    palitra_token token;
    submit_to(queue, 6, "palitra.sleep", "{\"seconds\":0.05}", &token);
    palitra_token_free(token);
    check_event(queue, 6, token, PALITRA_OK);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(token, NULL));
    palitra_queue_free(queue);
}

static void what_a_shutdown_cancels_notifies(void) {
    palitra_queue queue = new_queue();
    palitra_runner shared = runner;
    runner = new_runner();
    for (uint64_t tag = 0; tag < 100; tag++) submit_to(queue, tag, "test.never", "", NULL);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    palitra_event events[200];
    size_t n = 0;
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, 0, events, 200, &n));
    CHECK_NUMBER(100, n);
    for (size_t i = 0; i < n; i++) CHECK_STATUS(PALITRA_CANCELLED, events[i].status);
    palitra_runner_free(runner);
    runner = shared;
    palitra_queue_free(queue);
}

/* ---- draining --------------------------------------------------------------------------------------- */

static void events_come_in_the_order_in_which_the_jobs_finished(void) {
    palitra_queue queue = new_queue();
    palitra_token first, second;
    submit_to(queue, 1, "test.never", "", &first);
    submit_to(queue, 2, "test.never", "", &second);
    end_never(runner, second);
    end_never(runner, first);
    for (uint64_t tag = 10; tag < 20; tag++) submit_to(queue, tag, "palitra.echo", "x", NULL);
    check_event(queue, 2, second, PALITRA_CANCELLED);
    check_event(queue, 1, first, PALITRA_CANCELLED);
    for (uint64_t tag = 10; tag < 20; tag++) check_event(queue, tag, (palitra_token){0}, PALITRA_OK);
    palitra_queue_free(queue);
}

static void one_call_drains_as_many_as_there_is_room_for(void) {
    palitra_queue queue = new_queue();
    palitra_event events[6];
    size_t n;
    for (uint64_t tag = 0; tag < 10; tag++) submit_to(queue, tag, "palitra.echo", "x", NULL);
    check_echo(runner); /* on one thread the jobs before it have finished then */
    memset(events, 0xAA, sizeof events);
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, 0, events, 4, &n));
    CHECK_NUMBER(4, n);
    for (size_t i = 0; i < n; i++) CHECK_NUMBER(i, events[i].tag);
    CHECK_NUMBER(0xAAAAAAAAAAAAAAAAu, events[4].tag);
    CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, PALITRA_FOREVER, events, 6, &n));
    CHECK_NUMBER(6, n);
    for (size_t i = 0; i < n; i++) CHECK_NUMBER(4 + i, events[i].tag);
    check_next(queue, PALITRA_PENDING);
    palitra_queue_free(queue);
}

static void a_timeout_without_an_event_returns_pending(void) {
    palitra_queue queue = new_queue();
    palitra_event event;
    size_t n = 99;
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, SECONDS(0.05), &event, 1, &n));
    CHECK_TOOK(0.05, 5, start);
    CHECK_NUMBER(0, n);
    palitra_queue_free(queue);
}

/* Compared with a look at a token, so that the machine's speed does not matter. */
static void a_look_into_an_empty_queue_costs_next_to_nothing(void) {
    palitra_queue queue = new_queue();
    palitra_token token = submit(runner, "test.never", "");
    palitra_event event;
    double looks = 0, polls = 0;
    for (int round = 0; round < 50; round++) {
        double start = now();
        for (int i = 0; i < 200; i++) CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
        polls += now() - start;
        start = now();
        for (int i = 0; i < 200; i++) CHECK_STATUS(PALITRA_PENDING, palitra_queue_next(queue, 0, &event, 1, NULL));
        looks += now() - start;
    }
    CHECK(looks < 40 * polls);
    end_never(runner, token);
    palitra_queue_free(queue);
}

/* ---- closing ---------------------------------------------------------------------------------------- */

static void a_closed_queue_gives_what_it_has_and_then_the_end(void) {
    palitra_queue queue = new_queue();
    palitra_token late;
    submit_to(queue, 1, "palitra.echo", "x", NULL);
    submit_to(queue, 2, "test.never", "", &late);
    check_echo(runner);
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    end_never(runner, late); /* after the close: not notified */
    CHECK(is_readable(queue));
    check_event(queue, 1, (palitra_token){0}, PALITRA_OK);
    check_next(queue, PALITRA_END);
    check_next(queue, PALITRA_END);
    CHECK(is_readable(queue));
    palitra_queue_free(queue);
}

static void *wait_for_the_end(void *queue) {
    palitra_event event;
    palitra_status status = palitra_queue_next(*(palitra_queue *)queue, PALITRA_FOREVER, &event, 1, NULL);
    /* Invalid for a thread that came so late that the queue was freed before it started to wait. */
    CHECK(status == PALITRA_END || status == PALITRA_INVALID_HANDLE);
    return NULL;
}

static void check_wakes_who_wait(palitra_status (*end)(palitra_queue)) {
    palitra_queue queue = new_queue();
    pthread_t waiting[3];
    for (size_t i = 0; i < LENGTH(waiting); i++) waiting[i] = start_thread(wait_for_the_end, &queue);
    pause_for(0.05); /* most wait by then; for those who do not the outcome is the same */
    end(queue);
    for (size_t i = 0; i < LENGTH(waiting); i++) join_thread(waiting[i]);
    palitra_queue_free(queue);
}

static void a_close_wakes_all_who_wait(void) { check_wakes_who_wait(palitra_queue_close); }

static palitra_status free_it(palitra_queue queue) {
    palitra_queue_free(queue);
    return PALITRA_OK;
}

static void a_free_wakes_all_who_wait(void) { check_wakes_who_wait(free_it); }

static void jobs_outlive_their_queue(void) {
    palitra_queue queue = new_queue();
    palitra_token token;
    submit_to(queue, 1, "palitra.sleep", "{\"seconds\":0.05}", &token);
    palitra_queue_free(queue);
    palitra_queue_free(queue);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, SECONDS(20), NULL));
    palitra_token_free(token);
    CHECK_NUMBER(-1, palitra_queue_fd(queue));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_queue_close(queue));
    check_next(queue, PALITRA_INVALID_HANDLE);
}

/* ---- the descriptor --------------------------------------------------------------------------------- */

static void the_descriptor_is_readable_exactly_while_events_wait(void) {
    palitra_queue queue = new_queue();
    palitra_event events[3];
    size_t n;
    for (int round = 0; round < 3; round++) {
        CHECK(!is_readable(queue));
        for (uint64_t tag = 0; tag < 3; tag++) submit_to(queue, tag, "palitra.echo", "x", NULL);
        check_echo(runner);
        CHECK(is_readable(queue));
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, 0, events, 2, &n));
        CHECK(is_readable(queue));
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, 0, events, 3, &n));
        CHECK_NUMBER(1, n);
    }
    CHECK(!is_readable(queue));
    palitra_queue_free(queue);
}

static int open_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) count += dup2(fd, fd) == fd;
    return count;
}

static void a_freed_queue_gives_its_descriptor_back(void) {
    int before = open_descriptors();
    for (int i = 0; i < 2000; i++) {
        palitra_queue queue = new_queue();
        submit_to(queue, 1, "palitra.echo", "x", NULL);
        CHECK(palitra_queue_fd(queue) >= 0);
        palitra_queue_free(queue);
    }
    check_echo(runner);
    CHECK_NUMBER(before, open_descriptors());
}

/* ---- blocking where one must not --------------------------------------------------------------------- */

static palitra_status statuses[3];

static void next_from_a_callback(palitra_token token, palitra_status status, void *queue) {
    palitra_event event;
    (void)token, (void)status;
    statuses[0] = palitra_queue_next(*(palitra_queue *)queue, PALITRA_FOREVER, &event, 1, NULL);
    statuses[1] = palitra_queue_next(*(palitra_queue *)queue, SECONDS(60), &event, 1, NULL);
    statuses[2] = palitra_queue_next(*(palitra_queue *)queue, 0, &event, 1, NULL);
}

/* A host that only waits in palitra_queue_next pays for no descriptor. */
static void a_descriptor_is_made_for_the_first_who_asks(void) {
    palitra_queue queues[2];
    check_echo(runner); /* the runner has released the queues before */
    int before = descriptors_now();
    for (int i = 0; i < 2; i++) {
        queues[i] = new_queue();
        submit_to(queues[i], 1, "palitra.echo", "x", NULL);
        check_event(queues[i], 1, (palitra_token){0}, PALITRA_OK);
    }
    CHECK_NUMBER(before, descriptors_now());
    CHECK(!is_readable(queues[0])); /* its event was taken */
    submit_to(queues[1], 2, "palitra.echo", "x", NULL);
    check_echo(runner);
    CHECK(is_readable(queues[1])); /* asked for with an event in it */
    check_event(queues[1], 2, (palitra_token){0}, PALITRA_OK);
    CHECK(!is_readable(queues[1]));
    CHECK_NUMBER(before + 2, descriptors_now());
    CHECK_NUMBER(palitra_queue_fd(queues[0]), palitra_queue_fd(queues[0]));
    check_echo(runner);
    for (int i = 0; i < 2; i++) palitra_queue_free(queues[i]);
    CHECK_NUMBER(before, descriptors_now());
}

static void waiting_on_a_runners_thread_returns_would_deadlock(void) {
    palitra_queue queue = new_queue();
    palitra_token token = submit(runner, "palitra.echo", "x");
    CHECK_STATUS(PALITRA_OK, palitra_token_on_complete(token, next_from_a_callback, &queue, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
    check_echo(runner);
    check_echo(runner); /* with the callback behind it */
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, statuses[0]);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, statuses[1]);
    CHECK_STATUS(PALITRA_PENDING, statuses[2]);
    palitra_token_free(token);
    palitra_queue_free(queue);
}

int main(void) {
    runner = new_runner();
    TEST(an_event_has_the_tag_the_token_and_the_status);
    TEST(a_deadline_notifies_also_if_nobody_waits_for_the_token);
    TEST(a_job_without_a_token_tells_too);
    TEST(a_token_freed_before_it_finished_tells_too);
    TEST(what_a_shutdown_cancels_notifies);
    TEST(events_come_in_the_order_in_which_the_jobs_finished);
    TEST(one_call_drains_as_many_as_there_is_room_for);
    TEST(a_timeout_without_an_event_returns_pending);
    TEST(a_look_into_an_empty_queue_costs_next_to_nothing);
    TEST(a_closed_queue_gives_what_it_has_and_then_the_end);
    TEST(a_close_wakes_all_who_wait);
    TEST(a_free_wakes_all_who_wait);
    TEST(jobs_outlive_their_queue);
    TEST(the_descriptor_is_readable_exactly_while_events_wait);
    TEST(a_descriptor_is_made_for_the_first_who_asks);
    TEST(a_freed_queue_gives_its_descriptor_back);
    TEST(waiting_on_a_runners_thread_returns_would_deadlock);
    palitra_runner_free(runner);
    return 0;
}
