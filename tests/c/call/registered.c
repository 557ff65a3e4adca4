/* Jobs of the host: registered on a runner, called by name as any other, answered by whichever thread.
 *
 * Promise 1: a token finishes exactly once.
 * Promise 6: callbacks run once, and so do the finalizers of their data.
 * Promise 11: bad input returns a status.
 * Promise 12: the handle of one kind, or of nobody, is invalid.
 */
#include "registered.h"

/* Answers with its payload. */
static void echo(palitra_call call, const void *data, size_t len, void *seen) {
    CHECK(((const char *)data)[len] == '\0');
    atomic_fetch_add(&((struct seen *)seen)->calls, 1);
    CHECK_STATUS(PALITRA_OK, palitra_call_complete(call, PALITRA_OK, 0, PALITRA_TEXT, data, len));
    palitra_call_free(call);
}

static void it_is_called_by_name_as_any_other(void) {
    struct seen seen = {0};
    palitra_runner runners[] = {new_runner(), runner_with_workers(2)};
    for (size_t i = 0; i < LENGTH(runners); i++) {
        register_job(runners[i], "host.echo", echo, &seen);
        palitra_reply reply;
        const int64_t timeouts[] = {PALITRA_FOREVER, SECONDS(20)};
        for (size_t j = 0; j < LENGTH(timeouts); j++) {
            CHECK_STATUS(PALITRA_OK, run(runners[i], "host.echo", "called", timeouts[j], &reply));
            CHECK_REPLY("called", reply);
            CHECK_NUMBER(PALITRA_TEXT, reply.format);
            palitra_reply_free(&reply);
        }
        palitra_token tokens[100];
        palitra_reply replies[100];
        for (size_t j = 0; j < LENGTH(tokens); j++) tokens[j] = submit(runners[i], "host.echo", j % 2 ? "odd" : "");
        CHECK_STATUS(PALITRA_OK, palitra_runner_gather(runners[i], tokens, LENGTH(tokens), PALITRA_FREE_TOKENS,
                                                       PALITRA_FOREVER, replies));
        for (size_t j = 0; j < LENGTH(tokens); j++) {
            CHECK_REPLY(j % 2 ? "odd" : "", replies[j]);
            palitra_reply_free(&replies[j]);
        }
        const char *const words[] = {"one", "two", "3"};
        palitra_submission many[3];
        for (size_t j = 0; j < LENGTH(many); j++)
            many[j] = (palitra_submission){j == 1 ? "palitra.echo" : "host.echo", (const uint8_t *)words[j],
                                           strlen(words[j]), 0};
        CHECK_STATUS(PALITRA_OK, palitra_runner_submit_many(runners[i], many, 3, NULL, tokens, NULL));
        CHECK_STATUS(PALITRA_OK,
                     palitra_runner_gather(runners[i], tokens, 3, PALITRA_FREE_TOKENS, PALITRA_FOREVER, replies));
        for (size_t j = 0; j < 3; j++) {
            CHECK_REPLY(words[j], replies[j]);
            palitra_reply_free(&replies[j]);
        }
        palitra_token started;
        CHECK_STATUS(PALITRA_PENDING, palitra_runner_start(runners[i], "host.echo", "s", 1, NULL, &started, NULL));
        CHECK_STATUS(PALITRA_OK, palitra_token_wait(started, SECONDS(20), NULL));
        palitra_token_free(started);
        palitra_runner_free(runners[i]);
        CHECK_NUMBER(i + 1, atomic_load(&seen.frees));
    }
    CHECK_NUMBER(2 * (2 + 100 + 2 + 1), atomic_load(&seen.calls));
}

static void it_comes_before_the_librarys_job_on_its_own_runner_alone(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner(), other = new_runner();
    register_job(runner, "palitra.echo", keep, &seen);
    /* A job of the library's calls it. */
    palitra_token token = submit(runner, "test.nested", "asked");
    EVENTUALLY(atomic_load(&seen.calls) == 1);
    check_text(__FILE__, __LINE__, "the payload", "asked", seen.payload, strlen(seen.payload));
    CHECK_STATUS(PALITRA_OK, complete(seen.call, PALITRA_OK, 0, "replaced"));
    palitra_call_free(seen.call);
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), &reply));
    CHECK_REPLY("replaced", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
    check_echo(other);
    CHECK_NUMBER(1, atomic_load(&seen.calls));
    palitra_runner_free(runner);
    palitra_runner_free(other);
}

static void *answer(void *seen) {
    palitra_call call = ((struct seen *)seen)->call;
    CHECK_STATUS(PALITRA_OK, palitra_call_progress(call, 3, 4));
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, "from elsewhere"));
    return NULL;
}

static void any_thread_answers_and_the_first_answer_counts(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    CHECK_STATUS(PALITRA_PENDING, palitra_token_poll(token, NULL));
    join_thread(start_thread(answer, &seen));
    CHECK_STATUS(PALITRA_END, complete(seen.call, PALITRA_JOB_FAILED, 1, "too late"));
    CHECK_STATUS(PALITRA_END, palitra_call_progress(seen.call, 4, 4));
    CHECK(!palitra_call_is_cancelled(seen.call));
    palitra_reply reply;
    uint64_t done = 0, total = 0;
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), &reply));
    CHECK_REPLY("from elsewhere", reply);
    CHECK_STATUS(PALITRA_OK, palitra_token_progress(token, &done, &total));
    CHECK(done == 3 && total == 4);
    CHECK_STATUS(PALITRA_END, complete(seen.call, PALITRA_OK, 0, "too late"));
    palitra_reply_free(&reply);
    palitra_token_free(token);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

static void it_fails_as_the_host_says(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    const palitra_status endings[] = {PALITRA_JOB_FAILED, PALITRA_JOB_PANICKED, PALITRA_BAD_PAYLOAD, PALITRA_CANCELLED};
    for (size_t i = 0; i < LENGTH(endings); i++) {
        palitra_token token = kept_call(runner, &seen, "");
        palitra_reply reply;
        CHECK_STATUS(PALITRA_OK, complete(seen.call, endings[i], 7, "no luck"));
        palitra_call_free(seen.call);
        CHECK_STATUS(endings[i], palitra_token_wait(token, SECONDS(20), &reply));
        CHECK_NUMBER(7, reply.code);
        CHECK_REPLY("no luck", reply);
        palitra_reply_free(&reply);
        palitra_token_free(token);
    }
    palitra_token token = kept_call(runner, &seen, "");
    const palitra_status others[] = {PALITRA_PENDING, PALITRA_END, PALITRA_DEADLINE, PALITRA_BUSY, -1, 1000};
    for (size_t i = 0; i < LENGTH(others); i++)
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, complete(seen.call, others[i], 0, ""));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_complete(seen.call, PALITRA_OK, 0, 3, "", 0));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_complete(seen.call, PALITRA_OK, 0, PALITRA_BYTES, NULL, 1));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, complete(seen.call, PALITRA_OK, 0, "\xff"));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, complete(seen.call, PALITRA_JOB_FAILED, 0, "\xff"));
    CHECK_STATUS(PALITRA_OK, palitra_call_complete(seen.call, PALITRA_OK, 0, PALITRA_BYTES, NULL, 0));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

static void a_call_that_is_given_up_fails(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    palitra_reply reply;
    palitra_call_free(seen.call);
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_token_wait(token, SECONDS(20), &reply));
    CHECK_REPLY("the host gave up the call without an answer", reply);
    palitra_reply_free(&reply);
    palitra_token_free(token);
    palitra_call_free(seen.call);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, complete(seen.call, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_progress(seen.call, 1, 1));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_send(seen.call, PALITRA_TEXT, "", 0, 0));
    CHECK(!palitra_call_is_cancelled(seen.call));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, complete((palitra_call){runner.id}, PALITRA_OK, 0, ""));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, complete((palitra_call){0}, PALITRA_OK, 0, ""));
    palitra_runner_free(runner);
}

/* ---- ends ------------------------------------------------------------------------------------------- */

static void not_needed(palitra_call call, void *seen) {
    CHECK(palitra_call_is_cancelled(call));
    CHECK_STATUS(PALITRA_CANCELLED, complete(call, PALITRA_OK, 0, "too late"));
    atomic_fetch_add(&((struct seen *)seen)->calls, 1);
}

/* Ends the call, whose host is notified once. Returns how long that took, in seconds. */
static double time_to_notify(void (*end)(palitra_runner, palitra_token), palitra_status status) {
    struct seen seen = {0}, notified = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_submit_options options;
    palitra_token token;
    palitra_submit_options_init(&options);
    /* Time enough for the call to be taken before, on a busy machine too. */
    options.deadline_ns = status == PALITRA_DEADLINE ? SECONDS(1) * slowness() : 0;
    CHECK_STATUS(PALITRA_OK, palitra_runner_submit(runner, "host.keep", NULL, 0, &options, &token));
    EVENTUALLY(atomic_load(&seen.calls) == 1);
    CHECK_STATUS(PALITRA_OK, palitra_call_on_cancel(seen.call, not_needed, &notified, freed));
    end(runner, token);
    double start = now();
    EVENTUALLY(atomic_load(&notified.frees) == 1);
    double took = now() - start;
    CHECK_NUMBER(1, atomic_load(&notified.calls));
    CHECK_STATUS(status, palitra_token_poll(token, NULL));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_call_on_cancel(seen.call, not_needed, &notified, freed));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_call_progress(seen.call, 1, 1));
    CHECK_STATUS(PALITRA_CANCELLED, palitra_call_send(seen.call, PALITRA_TEXT, "", 0, 0));
    CHECK(atomic_load(&notified.frees) == 2 && atomic_load(&notified.calls) == 1);
    palitra_token_free(token);
    palitra_runner_free(runner);
    CHECK(palitra_call_is_cancelled(seen.call));
    palitra_call_free(seen.call);
    CHECK(atomic_load(&seen.frees) == 1 && atomic_load(&notified.frees) == 2);
    return took;
}

static void cancel(palitra_runner runner, palitra_token token) {
    (void)runner;
    CHECK_STATUS(PALITRA_OK, palitra_token_cancel(token));
}

static void let_it_pass(palitra_runner runner, palitra_token token) {
    CHECK_STATUS(PALITRA_DEADLINE, palitra_runner_wait(runner, token, SECONDS(20), NULL));
}

static void shut_down(palitra_runner runner, palitra_token token) {
    (void)token;
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
}

static void a_cancel_notifies(void) { CHECK_SOON(0.15, time_to_notify(cancel, PALITRA_CANCELLED)); }
static void a_deadline_notifies(void) { CHECK_SOON(0.15, time_to_notify(let_it_pass, PALITRA_DEADLINE)); }
static void a_shutdown_notifies(void) { CHECK_SOON(0.15, time_to_notify(shut_down, PALITRA_CANCELLED)); }

static void what_was_answered_notifies_nobody_and_what_is_replaced_is_freed(void) {
    struct seen seen = {0}, notified = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_call_on_cancel(seen.call, NULL, &notified, freed));
    CHECK_STATUS(PALITRA_OK, palitra_call_on_cancel(seen.call, not_needed, &notified, freed));
    CHECK_STATUS(PALITRA_OK, palitra_call_on_cancel(seen.call, not_needed, &notified, freed));
    CHECK_NUMBER(2, atomic_load(&notified.frees));
    CHECK_STATUS(PALITRA_OK, complete(seen.call, PALITRA_OK, 0, ""));
    CHECK_NUMBER(3, atomic_load(&notified.frees));
    CHECK_STATUS(PALITRA_END, palitra_call_on_cancel(seen.call, not_needed, &notified, freed));
    CHECK(atomic_load(&notified.frees) == 4 && atomic_load(&notified.calls) == 0);
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_call_on_cancel((palitra_call){7}, not_needed, &notified, freed));
    CHECK_NUMBER(5, atomic_load(&notified.frees));
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

/* ---- streams ---------------------------------------------------------------------------------------- */

static palitra_status send_item(palitra_call call, const char *item, int64_t timeout_ns) {
    return palitra_call_send(call, PALITRA_TEXT, item, strlen(item), timeout_ns);
}

static void *stream_a_hundred(void *seen) {
    palitra_call call = ((struct seen *)seen)->call;
    for (int i = 0; i < 100; i++) CHECK_STATUS(PALITRA_OK, send_item(call, i % 2 ? "odd" : "even", SECONDS(20)));
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, "all"));
    CHECK_STATUS(PALITRA_END, send_item(call, "too late", 0));
    return NULL;
}

static void it_streams_and_a_slow_reader_slows_it(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    for (int i = 0; i < 16; i++) CHECK_STATUS(PALITRA_OK, send_item(seen.call, "first", 0));
    CHECK_STATUS(PALITRA_PENDING, send_item(seen.call, "one too many", 0));
    double start = now();
    CHECK_STATUS(PALITRA_PENDING, send_item(seen.call, "one too many", SECONDS(0.02)));
    CHECK_TOOK(0.02, 1, start);
    pthread_t sender = start_thread(stream_a_hundred, &seen);
    palitra_reply item;
    for (int i = 0; i < 116; i++) {
        CHECK_STATUS(PALITRA_OK, palitra_token_next(token, SECONDS(20), &item));
        CHECK_REPLY(i < 16 ? "first" : i % 2 ? "odd" : "even", item);
        palitra_reply_free(&item);
    }
    CHECK_STATUS(PALITRA_END, palitra_token_next(token, SECONDS(20), NULL));
    join_thread(sender);
    palitra_token_free(token);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

static void *send_until_nobody_reads(void *seen) {
    palitra_status status = PALITRA_OK;
    while (status == PALITRA_OK) status = send_item(((struct seen *)seen)->call, "item", PALITRA_FOREVER);
    CHECK_STATUS(PALITRA_END, status);
    return NULL;
}

static void a_sender_that_waits_learns_that_nobody_reads(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "");
    pthread_t sender = start_thread(send_until_nobody_reads, &seen);
    pause_for(0.02);
    palitra_token_free(token);
    join_thread(sender);
    palitra_call_free(seen.call);
    palitra_runner_free(runner);
}

/* Streams from within its function, where it must not wait. */
static void stream_at_once(palitra_call call, const void *data, size_t len, void *seen) {
    (void)data, (void)len;
    palitra_status status = PALITRA_OK;
    while (status == PALITRA_OK) status = send_item(call, "item", PALITRA_FOREVER);
    CHECK_STATUS(PALITRA_WOULD_DEADLOCK, status);
    CHECK_STATUS(PALITRA_PENDING, send_item(call, "item", 0));
    CHECK_STATUS(PALITRA_OK, complete(call, PALITRA_OK, 0, ""));
    atomic_fetch_add(&((struct seen *)seen)->calls, 1);
    palitra_call_free(call);
}

static void the_function_itself_does_not_wait_for_a_reader(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.stream", stream_at_once, &seen);
    palitra_token token = submit(runner, "host.stream", "");
    EVENTUALLY(atomic_load(&seen.calls) == 1);
    for (int i = 0; i < 16; i++) CHECK_STATUS(PALITRA_OK, palitra_token_next(token, SECONDS(20), NULL));
    CHECK_STATUS(PALITRA_END, palitra_token_next(token, SECONDS(20), NULL));
    palitra_token_free(token);
    palitra_runner_free(runner);
}

/* ---- limits, input --------------------------------------------------------------------------------- */

static void it_counts_as_any_job(void) {
    struct seen seen = {0};
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 1, .max_payload = 3});
    register_job(runner, "host.keep", keep, &seen);
    palitra_token token = kept_call(runner, &seen, "123");
    check_text(__FILE__, __LINE__, "the payload", "123", seen.payload, strlen(seen.payload));
    palitra_reply reply;
    CHECK_STATUS(PALITRA_BUSY, run(runner, "host.keep", "", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, complete(seen.call, PALITRA_OK, 0, ""));
    palitra_call_free(seen.call);
    CHECK_STATUS(PALITRA_OK, palitra_token_wait(token, SECONDS(20), NULL));
    palitra_token_free(token);
    CHECK_STATUS(PALITRA_TOO_LARGE, run(runner, "host.keep", "1234", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    palitra_stats stats;
    palitra_stats_init(&stats);
    CHECK_STATUS(PALITRA_OK, palitra_runner_stats(runner, &stats));
    CHECK(stats.submitted == 1 && stats.succeeded == 1 && stats.running == 0);
    palitra_runner_free(runner);
}

static void a_payload_of_another_format_is_refused_before_the_call(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    palitra_job_info info = {.name = "host.json", .input = PALITRA_JSON, .output = PALITRA_TEXT};
    CHECK_STATUS(PALITRA_OK, palitra_runner_register(runner, &info, echo, &seen, freed));
    info = (palitra_job_info){.name = "host.text", .input = PALITRA_TEXT, .output = PALITRA_TEXT};
    CHECK_STATUS(PALITRA_OK, palitra_runner_register(runner, &info, echo, &seen, freed));
    palitra_reply reply;
    CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, "host.json", "{\"open\": ", PALITRA_FOREVER, &reply));
    CHECK_REPLY_CONTAINS("the payload does not fit: EOF", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, "host.text", "\xff", PALITRA_FOREVER, &reply));
    palitra_reply_free(&reply);
    CHECK_NUMBER(0, atomic_load(&seen.calls));
    CHECK_STATUS(PALITRA_OK, run(runner, "host.json", "[1]", PALITRA_FOREVER, &reply));
    CHECK_REPLY("[1]", reply);
    palitra_reply_free(&reply);
    palitra_runner_free(runner);
    CHECK_NUMBER(2, atomic_load(&seen.frees));
}

static void a_registration_that_cannot_be_is_refused_and_its_data_freed(void) {
    struct seen seen = {0};
    palitra_runner runner = new_runner();
    register_job(runner, "host.keep", keep, &seen);
    const palitra_job_info wrong[] = {named("host.keep"),
                                      named(""),
                                      named("\xff"),
                                      named(NULL),
                                      {.name = "host.other", .input = 3},
                                      {.name = "host.other", .output = -1}};
    int frees = 0;
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_register(runner, &wrong[i], keep, &seen, freed));
        CHECK_NUMBER(++frees, atomic_load(&seen.frees));
    }
    palitra_job_info right = named("host.other");
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_register(runner, NULL, keep, &seen, freed));
    CHECK_STATUS(PALITRA_INVALID_ARGUMENT, palitra_runner_register(runner, &right, NULL, &seen, freed));
    CHECK_STATUS(PALITRA_INVALID_HANDLE, palitra_runner_register((palitra_runner){7}, &right, keep, &seen, freed));
    CHECK_STATUS(PALITRA_OK, shutdown_runner(runner, 0));
    frees += 3 + 1 /* the one that was registered: its runner has ended */;
    CHECK_NUMBER(frees, atomic_load(&seen.frees));
    CHECK_STATUS(PALITRA_SHUT_DOWN, palitra_runner_register(runner, &right, keep, &seen, freed));
    CHECK_NUMBER(frees + 1, atomic_load(&seen.frees));
    palitra_runner_free(runner);
}

int main(void) {
    TEST(it_is_called_by_name_as_any_other);
    TEST(it_comes_before_the_librarys_job_on_its_own_runner_alone);
    TEST(any_thread_answers_and_the_first_answer_counts);
    TEST(it_fails_as_the_host_says);
    TEST(a_call_that_is_given_up_fails);
    TEST(a_cancel_notifies);
    TEST(a_deadline_notifies);
    TEST(a_shutdown_notifies);
    TEST(what_was_answered_notifies_nobody_and_what_is_replaced_is_freed);
    TEST(it_streams_and_a_slow_reader_slows_it);
    TEST(a_sender_that_waits_learns_that_nobody_reads);
    TEST(the_function_itself_does_not_wait_for_a_reader);
    TEST(it_counts_as_any_job);
    TEST(a_payload_of_another_format_is_refused_before_the_call);
    TEST(a_registration_that_cannot_be_is_refused_and_its_data_freed);
    return 0;
}
