/* Details: what a failure says to programs, beside its code and its message. */
#include "test.h"

static palitra_runner runner;

#define DETAILS "{\"sqlstate\":\"23505\"}"

static const char *const payload = "{\"code\":7,\"message\":\"no luck\",\"details\":" DETAILS "}";

static void check_failed(palitra_status status, palitra_reply *reply) {
    CHECK_STATUS(PALITRA_JOB_FAILED, status);
    CHECK_STATUS(PALITRA_JOB_FAILED, reply->status);
    CHECK_REPLY("no luck", *reply);
    CHECK_NUMBER(7, reply->code);
    const char *details = palitra_reply_details(reply);
    CHECK(details != NULL && strcmp(details, DETAILS) == 0);
    CHECK(palitra_reply_details(reply) == details);
    palitra_reply_free(reply);
    CHECK(palitra_reply_details(reply) == NULL);
}

static void however_a_job_is_called(void) {
    palitra_reply reply, replies[2];
    check_failed(palitra_runner_run(runner, "test.fail", payload, strlen(payload), PALITRA_FOREVER, &reply), &reply);
    check_failed(palitra_runner_run(runner, "test.fail", payload, strlen(payload), SECONDS(20), &reply), &reply);
    palitra_token tokens[2] = {submit(runner, "test.fail", payload), submit(runner, "palitra.echo", payload)};
    check_failed(palitra_token_wait(tokens[0], PALITRA_FOREVER, &reply), &reply);
    check_failed(palitra_token_poll(tokens[0], &reply), &reply);
    palitra_status status = palitra_runner_gather(runner, tokens, 2, PALITRA_FREE_TOKENS, PALITRA_FOREVER, replies);
    CHECK(palitra_reply_details(&replies[1]) == NULL);
    palitra_reply_free(&replies[1]);
    check_failed(status, &replies[0]);
}

static void they_outlive_the_token_and_the_runner(void) {
    palitra_runner ended = new_runner();
    palitra_reply reply;
    palitra_token token = submit(ended, "test.fail", payload);
    CHECK_STATUS(PALITRA_JOB_FAILED, palitra_token_wait(token, PALITRA_FOREVER, &reply));
    palitra_token_free(token);
    palitra_runner_free(ended);
    check_failed(reply.status, &reply);
}

static void most_replies_have_none(void) {
    palitra_reply reply, nothing = {0};
    const char *const plain = "{\"code\":7,\"message\":\"no luck\"}";
    CHECK_STATUS(PALITRA_JOB_FAILED,
                 palitra_runner_run(runner, "test.fail", plain, strlen(plain), PALITRA_FOREVER, &reply));
    CHECK(palitra_reply_details(&reply) == NULL);
    palitra_reply_free(&reply);
    CHECK_STATUS(PALITRA_UNKNOWN_JOB, palitra_runner_run(runner, "no.such", NULL, 0, PALITRA_FOREVER, &reply));
    CHECK(palitra_reply_details(&reply) == NULL);
    palitra_reply_free(&reply);
    CHECK(palitra_reply_details(&nothing) == NULL);
    CHECK(palitra_reply_details(NULL) == NULL);
}

int main(void) {
    runner = new_runner();
    TEST(however_a_job_is_called);
    TEST(they_outlive_the_token_and_the_runner);
    TEST(most_replies_have_none);
    palitra_runner_free(runner);
    return 0;
}
