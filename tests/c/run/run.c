/* palitra_runner_run: submit, wait and free in one call.
 *
 * Promise 2: a job that is ready at once costs no hand-off.
 * Promise 3: timeouts and deadlines hold.
 * Promise 7: a panic ends its job and nothing else.
 * Promise 11: bad input and limits return a status.
 */
#include "test.h"

static palitra_runner runner;

static void a_ready_job_returns_its_reply(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "at once", PALITRA_FOREVER, &reply));
    CHECK_STATUS(PALITRA_OK, reply.status);
    CHECK_NUMBER(0, reply.code);
    CHECK_NUMBER(PALITRA_BYTES, reply.format);
    CHECK_REPLY("at once", reply);
    palitra_reply_free(&reply);

    CHECK_STATUS(PALITRA_OK, run(runner, "test.ready", "", PALITRA_FOREVER, &reply));
    CHECK_NUMBER(0, reply.len);
    palitra_reply_free(&reply);
}

static void an_empty_payload_may_be_null(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_runner_run(runner, "palitra.echo", NULL, 0, PALITRA_FOREVER, &reply));
    CHECK_NUMBER(0, reply.len);
    palitra_reply_free(&reply);
}

static void bytes_come_back_as_they_went(void) {
    static const char bytes[] = "zero \0 in the middle, \xff\xfe not UTF-8";
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, palitra_runner_run(runner, "palitra.echo", bytes, sizeof bytes, PALITRA_FOREVER, &reply));
    CHECK_NUMBER(sizeof bytes, reply.len);
    CHECK(memcmp(bytes, reply.data, sizeof bytes) == 0);
    palitra_reply_free(&reply);
}

static void the_reply_may_be_left_out(void) {
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "x", PALITRA_FOREVER, NULL));
    CHECK_STATUS(PALITRA_JOB_PANICKED, run(runner, "test.panic", "x", PALITRA_FOREVER, NULL));
}

/* A spinning job blocks the runner's thread, so only an inline poll can be this quick. */
static void a_ready_job_needs_no_runner_thread(void) {
    palitra_token spinning = submit(runner, "test.spin", "{\"seconds\": 2}");
    double start = now();
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.echo", "inline", PALITRA_FOREVER, &reply));
    CHECK_TOOK(0, 1, start);
    CHECK_REPLY("inline", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, palitra_runner_wait(runner, spinning, PALITRA_FOREVER, NULL));
    palitra_token_free(spinning);
}

static void a_pending_job_moves_to_the_runner_and_succeeds(void) {
    palitra_reply reply;
    double start = now();
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.sleep", "{\"seconds\": 0.1}", PALITRA_FOREVER, &reply));
    CHECK_TOOK(0.1, 5, start);
    CHECK_NUMBER(PALITRA_JSON, reply.format);
    CHECK_REPLY_CONTAINS("\"seconds\"", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_OK, run(runner, "palitra.sleep", "{\"seconds\": 0.1}", SECONDS(20), NULL));
}

static void past_its_timeout_the_job_is_cancelled_and_run_returns_deadline(void) {
    palitra_reply reply;
    int before = dropped(runner);
    double start = now();
    /* Long enough for the job to start, or it is never dropped. */
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "test.never", "", SECONDS(0.2 * slowness()), &reply));
    CHECK_TOOK(0.2, 5, start);
    CHECK_STATUS(PALITRA_DEADLINE, reply.status);
    palitra_reply_free(&reply);
    EVENTUALLY(dropped(runner) == before + 1);
}

static void the_timeout_holds_for_a_job_that_never_yields(void) {
    palitra_runner own = new_runner();
    double start = now();
    CHECK_STATUS(PALITRA_DEADLINE, run(own, "test.spin", "{\"seconds\": 3}", SECONDS(0.2), NULL));
    CHECK_TOOK(0.2, 2, start);
    CHECK_STATUS(PALITRA_OK, shutdown_runner(own, PALITRA_FOREVER));
    palitra_runner_free(own);
}

static void a_timeout_of_zero_does_not_block(void) {
    double start = now();
    CHECK_STATUS(PALITRA_DEADLINE, run(runner, "test.never", "", 0, NULL));
    CHECK_TOOK(0, 5, start);
}

static void a_failure_carries_code_and_message(void) {
    palitra_reply reply;
    const int64_t timeouts[] = {PALITRA_FOREVER, SECONDS(20)};
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        CHECK_STATUS(PALITRA_JOB_FAILED,
                     run(runner, "test.fail", "{\"code\": 7, \"message\": \"no\"}", timeouts[i], &reply));
        CHECK_STATUS(PALITRA_JOB_FAILED, reply.status);
        CHECK_NUMBER(7, reply.code);
        CHECK_REPLY("no", reply);
        palitra_reply_free(&reply);
    }
}

static void a_panic_is_a_status_with_its_message_and_the_runner_lives_on(void) {
    palitra_reply reply;
    const int64_t timeouts[] = {PALITRA_FOREVER, SECONDS(20)};
    for (size_t i = 0; i < LENGTH(timeouts); i++) {
        CHECK_STATUS(PALITRA_JOB_PANICKED, run(runner, "test.panic", "boom", timeouts[i], &reply));
        CHECK_STATUS(PALITRA_JOB_PANICKED, reply.status);
        CHECK_REPLY_CONTAINS("boom", reply);
        palitra_reply_free(&reply);
        CHECK(palitra_runner_is_alive(runner));
        check_echo(runner);
    }
}

static void a_payload_that_the_extractor_refuses_is_bad_and_says_why(void) {
    static const struct {
        const char *job, *payload;
    } refused[] = {
        {"palitra.sleep", "not json"}, {"palitra.sleep", "{\"minutes\": 1}"},
        {"palitra.sleep", ""},         {"palitra.sleep", "{\"seconds\": \"a\"}"},
        {"test.panic", "\xff\xfe"},
    };
    for (size_t i = 0; i < LENGTH(refused); i++) {
        palitra_reply reply;
        palitra_token token = submit(runner, refused[i].job, refused[i].payload);
        CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, refused[i].job, refused[i].payload, PALITRA_FOREVER, NULL));
        CHECK_STATUS(PALITRA_BAD_PAYLOAD, run(runner, refused[i].job, refused[i].payload, SECONDS(20), &reply));
        CHECK_STATUS(PALITRA_BAD_PAYLOAD, reply.status);
        CHECK_NUMBER(0, reply.code);
        CHECK_REPLY_CONTAINS("the payload ", reply);
        palitra_reply_free(&reply);
        CHECK_STATUS(PALITRA_BAD_PAYLOAD, palitra_runner_wait(runner, token, PALITRA_FOREVER, NULL));
        palitra_token_free(token);
    }
    /* The payload fits; the failure is the job's own. */
    CHECK_STATUS(PALITRA_JOB_FAILED, run(runner, "palitra.sleep", "{\"seconds\": -1}", SECONDS(20), NULL));
}

static void check_ends_with_nul(palitra_status expected, const char *job, const char *payload) {
    for (int where = 0; where < 2; where++) {
        palitra_reply reply;
        CHECK_STATUS(expected, run(runner, job, payload, where == 0 ? PALITRA_FOREVER : SECONDS(20), &reply));
        CHECK(reply.data != NULL);
        CHECK_NUMBER(0, reply.data[reply.len]);
        CHECK_NUMBER(reply.len, strlen((const char *)reply.data));
        palitra_reply_free(&reply);
    }
}

static void texts_end_with_a_nul_that_is_not_counted(void) {
    check_ends_with_nul(PALITRA_OK, "test.nested", "text");
    check_ends_with_nul(PALITRA_OK, "test.nested", "");
    check_ends_with_nul(PALITRA_OK, "test.drops", "");
    check_ends_with_nul(PALITRA_OK, "palitra.sleep", "{\"seconds\": 0.0}");
    check_ends_with_nul(PALITRA_JOB_FAILED, "test.fail", "{\"code\": 1, \"message\": \"broken\"}");
    check_ends_with_nul(PALITRA_JOB_FAILED, "test.fail", "{\"code\": 1, \"message\": \"\"}");
    check_ends_with_nul(PALITRA_JOB_PANICKED, "test.panic", "boom");
    check_ends_with_nul(PALITRA_BAD_PAYLOAD, "palitra.sleep", "not json");
    check_ends_with_nul(PALITRA_UNKNOWN_JOB, "no.such.job", "");
}

static void an_unknown_job_is_refused(void) {
    palitra_reply reply;
    palitra_token token = {0};
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, run(runner, "no.such.job", "", PALITRA_FOREVER, &reply));
    CHECK_REPLY("no job is registered as \"no.such.job\"", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, run(runner, "palitra.slep", "", SECONDS(20), &reply));
    CHECK_REPLY("no job is registered as \"palitra.slep\"; the nearest is \"palitra.sleep\"", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_runner_start(runner, "palitra.slep", "", 0, NULL, &token, &reply));
    CHECK_REPLY("no job is registered as \"palitra.slep\"; the nearest is \"palitra.sleep\"", reply);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_runner_submit(runner, "palitra.ech", NULL, 0, NULL, &token));
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_runner_submit(runner, "", NULL, 0, NULL, &token));
}

static void a_large_reply_arrives_whole(void) {
    palitra_reply reply;
    CHECK_STATUS(PALITRA_OK, run(runner, "test.large", "{\"bytes\": 33554432}", PALITRA_FOREVER, &reply));
    CHECK_NUMBER(33554432, reply.len);
    palitra_reply_free(&reply);
}

int main(void) {
    runner = new_runner();
    TEST(a_ready_job_returns_its_reply);
    TEST(an_empty_payload_may_be_null);
    TEST(bytes_come_back_as_they_went);
    TEST(the_reply_may_be_left_out);
    TEST(a_ready_job_needs_no_runner_thread);
    TEST(a_pending_job_moves_to_the_runner_and_succeeds);
    TEST(past_its_timeout_the_job_is_cancelled_and_run_returns_deadline);
    TEST(the_timeout_holds_for_a_job_that_never_yields);
    TEST(a_timeout_of_zero_does_not_block);
    TEST(a_failure_carries_code_and_message);
    TEST(a_panic_is_a_status_with_its_message_and_the_runner_lives_on);
    TEST(a_payload_that_the_extractor_refuses_is_bad_and_says_why);
    TEST(texts_end_with_a_nul_that_is_not_counted);
    TEST(an_unknown_job_is_refused);
    TEST(a_large_reply_arrives_whole);
    palitra_runner_free(runner);
    return 0;
}
