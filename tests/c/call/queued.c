/* Jobs of the host whose calls a queue delivers: taken in an event loop, answered by whichever thread.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 6: callbacks run once; after queue_free no event comes.
 * Promise 11: bad input and limits return a status.
 * Promise 12: the handle of one kind, or of nobody, is invalid.
 */
#include "queued.h"

#include <poll.h>

static const char closed[] = "the queue of the job was closed: the host takes no more calls";

static void a_call_is_an_event_with_the_tag_of_the_registration(void) {
    palitra_runner runners[] = {new_runner(), runner_with_workers(2)};
    for (size_t i = 0; i < LENGTH(runners); i++) {
        palitra_queue queue = new_queue();
        register_queued(runners[i], queue);
        struct pollfd fd = {palitra_queue_fd(queue), POLLIN, 0};
        CHECK_NUMBER(0, poll(&fd, 1, 0));
        palitra_token token = submit(runners[i], "host.queued", "asked");
        CHECK_NUMBER(1, poll(&fd, 1, 20000));
        palitra_call call = take_call(queue);
        CHECK_NUMBER(0, poll(&fd, 1, 0));
        check_payload(call, "asked");
        CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_call_progress(call, 1, 2));
        CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, "answered"));
        CHECK_STATUS(PALITRA_END, complete(call, PALITRA_OK, 0, "again"));
        palitra_reply reply;
        CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), &reply));
        CHECK_REPLY("answered", reply);
        palitra_reply_free(&reply);
        check_payload(call, "asked");
        palitra_call_free(call);
        palitra_token_free(token);
        palitra_runner_free(runners[i]);
        palitra_queue_free(queue);
    }
}

static void one_queue_serves_tokens_jobs_and_runners(void) {
    palitra_runner runner = new_runner(), other = new_runner();
    palitra_queue queue = new_queue();
    palitra_submit_options options;
    palitra_token tokens[2], echo;
    register_queued(runner, queue);
    register_queued(other, queue);
    palitra_submit_options_init(&options);
    options.queue = queue;
    options.tag = 9;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "palitra.echo", "", 0, &options, &echo));
    tokens[0] = submit(runner, "host.queued", "");
    tokens[1] = submit(other, "host.queued", "");
    for (int calls = 0, ends = 0; calls < 2 || ends < 1;) {
        palitra_event events[4];
        size_t n;
        CHECK_STATUS(PALITRA_OK, palitra_queue_next(queue, SECONDS(20), events, LENGTH(events), &n));
        for (size_t i = 0; i < n; i++) {
            palitra_call call = palitra_event_call(&events[i]);
            if (call.id == 0) {
                CHECK(events[i].tag == 9 && events[i].token.id == echo.id);
                ends++;
                continue;
            }
            CHECK(events[i].tag == CALLED && ++calls);
            CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_token_poll(events[i].token, NULL));
            CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, "answered"));
            palitra_call_free(call);
        }
    }
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        CHECK_STATUS(PALITRA_OK, palitra_token_wait(tokens[i], SECONDS(20), NULL));
        palitra_token_free(tokens[i]);
    }
    palitra_token_free(echo);
    palitra_runner_free(runner);
    palitra_runner_free(other);
    palitra_queue_free(queue);
}

/* ---- ends ------------------------------------------------------------------------------------------- */

/* How long it took until the end was an event, in seconds. */
static double time_to_notify(bool by_deadline, bool by_shutdown) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    palitra_submit_options options;
    palitra_token token;
    register_queued(runner, queue);
    palitra_submit_options_init(&options);
    /* Time enough for the call to be taken before, on a busy machine too. */
    options.deadline_ns = by_deadline ? SECONDS(1) * slowness() : 0;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "host.queued", NULL, 0, &options, &token));
    palitra_call call = take_call(queue);
    CHECK_STATUS(PALITRA_OK, palitra_call_notify(call, queue, NOTIFIED));
    if (by_shutdown) CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    else if (by_deadline) CHECK_STATUS(PALITRA_DEADLINE, palitra_token_wait(token, SECONDS(20), NULL));
    else CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
    double start = now();
    CHECK_NUMBER(call.id, next_call(queue, NOTIFIED, PALITRA_CANCELLED).id);
    double took = now() - start;
    CHECK(palitra_call_is_cancelled(call));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_call_notify(call, queue, NOTIFIED));
    CHECK_STATUS(PALITRA_CANCELLED, complete(call, PALITRA_OK, 0, "too late"));
    check_no_event(queue);
    palitra_call_free(call);
    palitra_token_free(token);
    palitra_runner_free(runner);
    palitra_queue_free(queue);
    return took;
}

static void a_cancel_is_an_event(void) { CHECK_SOON(0.15, time_to_notify(false, false)); }
static void a_deadline_is_an_event(void) { CHECK_SOON(0.15, time_to_notify(true, false)); }
static void a_shutdown_is_an_event(void) { CHECK_SOON(0.15, time_to_notify(false, true)); }

static void a_call_whose_job_has_ended_is_not_delivered(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    palitra_token ended = submit(runner, "host.queued", "ended");
    struct pollfd fd = {palitra_queue_fd(queue), POLLIN, 0};
    CHECK_NUMBER(1, poll(&fd, 1, 20000));
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(ended));
    check_echo(runner); /* the runner has come by: the job is dropped */
    check_no_event(queue);
    CHECK_NUMBER(0, poll(&fd, 1, 0));
    palitra_token wanted = submit(runner, "host.queued", "wanted");
    palitra_call call = take_call(queue);
    check_payload(call, "wanted");
    palitra_call_free(call);
    check_fails(wanted, "the host gave up the call without an answer");
    palitra_token_free(ended);
    palitra_runner_free(runner);
    palitra_queue_free(queue);
}

static void what_was_taken_can_be_answered_after_the_close_and_others_fail_at_once(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    palitra_token first = submit(runner, "host.queued", "first"), second;
    palitra_call call = take_call(queue);
    second = submit(runner, "host.queued", "second");
    check_echo(runner); /* a job that was submitted later has ended: the second call is in the queue */
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    check_fails(submit(runner, "host.queued", "third"), closed);
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(first, SECONDS(20), NULL));
    palitra_call_free(call);
    palitra_token_free(first);
    palitra_queue_free(queue);
    check_fails(second, "the queue of the job was freed before the host took the call");
    check_fails(submit(runner, "host.queued", "fourth"), closed);
    palitra_runner_free(runner);
}

static void a_name_is_free_again_once_its_queue_is_closed(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue(), next = new_queue();
    register_queued(runner, queue);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, register_with(runner, "host.queued", next, 0));
    CHECK_STATUS(PALITRA_OK, palitra_queue_close(queue));
    CHECK_STATUS(PALITRA_END, register_with(runner, "host.queued", queue, 0));
    register_queued(runner, next);
    palitra_token token = submit(runner, "host.queued", "");
    palitra_call call = take_call(next);
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_call_free(call);
    palitra_token_free(token);
    palitra_queue_free(queue);
    palitra_queue_free(next);
    palitra_runner_free(runner);
}

static void no_more_wait_than_the_host_allows(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    CHECK_STATUS(PALITRA_OK, register_with(runner, "host.queued", queue, 2));
    palitra_token tokens[3];
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2; i++) tokens[i] = submit(runner, "host.queued", "");
        check_fails(submit(runner, "host.queued", ""), "2 calls of the job wait for the host, which takes none");
        for (size_t i = 0; i < 2; i++) palitra_call_free(take_call(queue));
        for (size_t i = 0; i < 2; i++) check_fails(tokens[i], "the host gave up the call without an answer");
    }
    palitra_queue_free(queue);
    palitra_runner_free(runner);
}

/* ---- streams ---------------------------------------------------------------------------------------- */

static palitra_status send_item(palitra_call call) { return palitra_call_send(call, PALITRA_TEXT, "item", 4, 0); }

static void fill(palitra_call call) {
    for (int i = 0; i < 16; i++) CHECK_STATUS(PALITRA_OK, send_item(call));
    for (int i = 0; i < 3; i++) CHECK_STATUS(PALITRA_PENDING, send_item(call));
}

static void a_sender_without_room_is_notified_once_there_is_some_and_at_the_end(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    palitra_token token = submit(runner, "host.queued", "");
    palitra_call call = take_call(queue);
    CHECK_STATUS(PALITRA_OK, palitra_call_notify(call, queue, NOTIFIED));
    fill(call);
    check_no_event(queue);
    CHECK_STATUS(PALITRA_OK, palitra_token_next(token, SECONDS(20), NULL));
    CHECK_NUMBER(call.id, next_call(queue, NOTIFIED, PALITRA_OK).id);
    check_no_event(queue);
    CHECK_STATUS(PALITRA_OK, send_item(call));
    CHECK_STATUS(PALITRA_OK, palitra_token_next(token, SECONDS(20), NULL));
    check_no_event(queue); /* nothing has found no room since */
    CHECK_STATUS(PALITRA_OK, send_item(call));
    CHECK_STATUS(PALITRA_PENDING, send_item(call));
    palitra_token_free(token);
    CHECK_NUMBER(call.id, next_call(queue, NOTIFIED, PALITRA_OK).id);
    CHECK_STATUS(PALITRA_END, send_item(call));
    palitra_call_free(call);
    palitra_runner_free(runner);
    palitra_queue_free(queue);
}

/* ---- refusals --------------------------------------------------------------------------------------- */

static void a_payload_of_another_format_is_refused_before_the_call(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    palitra_job_info info = {.name = "host.json", .input = PALITRA_JSON};
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_runner_register_queued(runner, &info, queue, CALLED, 0));
    CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, "host.json", "{", SECONDS(20), &reply));
    palitra_reply_free(&reply);
    check_no_event(queue);
    palitra_queue_free(queue);
    palitra_runner_free(runner);
}

static void bad_arguments_are_refused(void) {
    palitra_runner runner = new_runner();
    palitra_queue queue = new_queue();
    palitra_job_info right = named("host.queued"), wrong[] = {named(NULL), named(""), named("\xff"), right, right};
    wrong[3].input = 3;
    wrong[4].output = -1;
    for (size_t i = 0; i < LENGTH(wrong); i++)
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_register_queued(runner, &wrong[i], queue, 0, 0));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_register_queued(runner, NULL, queue, 0, 0));
    const uint64_t stale[] = {0, 7, runner.id};
    for (size_t i = 0; i < LENGTH(stale); i++) {
        palitra_queue none = {stale[i]};
        CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_register_queued(runner, &right, none, 0, 0));
    }
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_register_queued((palitra_runner){7}, &right, queue, 0, 0));
    register_queued(runner, queue);
    palitra_token token = submit(runner, "host.queued", "");
    palitra_call call = take_call(queue);
    const void *data = "";
    size_t len = 1;
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_payload(call, NULL, &len));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_payload(call, &data, NULL));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_payload((palitra_call){queue.id}, &data, &len));
    CHECK(data == NULL && len == 0);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_notify(call, (palitra_queue){0}, 0));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_notify((palitra_call){0}, queue, 0));
    CHECK_NUMBER(0, palitra_event_call(NULL).id);
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_send(call, 3, "", 0, 0));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_send(call, PALITRA_TEXT, NULL, 1, 0));
    const palitra_format formats[] = {PALITRA_BYTES, PALITRA_TEXT, PALITRA_JSON};
    const size_t absurd = (size_t)1 << 62; /* No machine has so much memory. Nothing of it is read. */
    for (size_t i = 0; i < LENGTH(formats); i++) {
        CHECK_STATUS(PALITRA_TOO_LARGE, palitra_call_send(call, formats[i], "", absurd, 0));
        CHECK_STATUS(PALITRA_TOO_LARGE, palitra_call_complete(call, PALITRA_OK, 0, formats[i], "", absurd));
    }
    CHECK_STATUS(PALITRA_TOO_LARGE, palitra_call_complete(call, PALITRA_JOB_FAILED, 1, PALITRA_TEXT, "", absurd));
    palitra_call_free(call);
    check_fails(token, "the host gave up the call without an answer");
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_payload(call, &data, &len));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_notify(call, queue, 0));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_runner_register_queued(runner, &right, queue, 0, 0));
    palitra_runner_free(runner);
    palitra_queue_free(queue);
}

/* ---- races ------------------------------------------------------------------------------------------ */

#define CALLS 400

static void *take_some_and_free(void *queue) {
    palitra_event event;
    for (int i = 0; i < CALLS / 2 && palitra_queue_next(*(palitra_queue *)queue, SECONDS(5), &event, 1, NULL) == 0;
         i++) {
        palitra_call call = palitra_event_call(&event);
        if (i % 2) complete(call, PALITRA_OK, 0, "");
        palitra_call_free(call);
    }
    palitra_queue_free(*(palitra_queue *)queue);
    return NULL;
}

static void every_call_ends_whenever_its_queue_is_freed(void) {
    palitra_runner runner = runner_with_workers(2);
    palitra_queue queue = new_queue();
    register_queued(runner, queue);
    pthread_t host = start_thread(take_some_and_free, &queue);
    static palitra_token tokens[CALLS];
    for (size_t i = 0; i < CALLS; i++) tokens[i] = submit(runner, "host.queued", "");
    size_t answered = 0;
    for (size_t i = 0; i < CALLS; i++) {
        palitra_status status = palitra_token_wait(tokens[i], SECONDS(20), NULL);
        CHECK(status == PALITRA_OK || status == PALITRA_JOB_FAILED);
        answered += status == PALITRA_OK;
        palitra_token_free(tokens[i]);
    }
    join_thread(host);
    CHECK_NUMBER(CALLS / 4, answered);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_call_is_an_event_with_the_tag_of_the_registration);
    TEST(one_queue_serves_tokens_jobs_and_runners);
    TEST(a_cancel_is_an_event);
    TEST(a_deadline_is_an_event);
    TEST(a_shutdown_is_an_event);
    TEST(a_call_whose_job_has_ended_is_not_delivered);
    TEST(what_was_taken_can_be_answered_after_the_close_and_others_fail_at_once);
    TEST(a_name_is_free_again_once_its_queue_is_closed);
    TEST(no_more_wait_than_the_host_allows);
    TEST(a_sender_without_room_is_notified_once_there_is_some_and_at_the_end);
    TEST(a_payload_of_another_format_is_refused_before_the_call);
    TEST(bad_arguments_are_refused);
    TEST(every_call_ends_whenever_its_queue_is_freed);
    return 0;
}
