/* Real calls through what `palitra bindgen` wrote. */
#include "palitra_test_jobs.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static int is(const palitra_reply *reply, const char *text) {
    return reply->len == strlen(text) && memcmp(reply->data, text, reply->len) == 0;
}

int main(void) {
    palitra_runner runner;
    palitra_reply reply;
    palitra_token token;
    CHECK(palitra_runner_global(&runner) == PALITRA_OK);

    CHECK(palitra_test_jobs_typed_shout(runner, "a", PALITRA_FOREVER, &reply) == PALITRA_OK);
    CHECK(is(&reply, "A"));
    palitra_reply_free(&reply);
    CHECK(palitra_test_jobs_typed_answer(runner, PALITRA_SECONDS(5), &reply) == PALITRA_OK);
    CHECK(is(&reply, "42"));
    palitra_reply_free(&reply);

    const char *order =
        "{\"id\": 7, \"customer\": {\"name\": \"Ada\"}, \"lines\": [], \"priority\": "
        "\"" PALITRA_TEST_JOBS_PRIORITY_SAME_DAY "\", \"shipping\": {\"by\": \"download\"}}";
    CHECK(palitra_test_jobs_typed_price(runner, order, PALITRA_FOREVER, &reply) == PALITRA_JOB_FAILED);
    CHECK(reply.code == PALITRA_TEST_JOBS_ORDER_ERROR_NO_LINES);
    palitra_reply_free(&reply);

    CHECK(palitra_test_jobs_typed_count_submit(runner, "{\"to\": 1}", NULL, &token) == PALITRA_OK);
    CHECK(palitra_token_next(token, PALITRA_SECONDS(60), &reply) == PALITRA_OK);
    CHECK(is(&reply, "{\"n\":1,\"is_last\":true}"));
    palitra_reply_free(&reply);
    palitra_token_free(token);
    CHECK(palitra_test_jobs_typed_reverse_submit(runner, "ab", 2, NULL, &token) == PALITRA_OK);
    CHECK(palitra_token_wait(token, PALITRA_SECONDS(60), &reply) == PALITRA_OK);
    CHECK(is(&reply, "ba"));
    palitra_reply_free(&reply);
    palitra_token_free(token);

    /* Names that would be one get a line behind them. */
    CHECK(strcmp(PALITRA_TEST_JOBS_COMPARISON__, "<") == 0 && strcmp(PALITRA_TEST_JOBS_COMPARISON___, ">") == 0);
    CHECK(strcmp(PALITRA_TEST_JOBS_UNIT_MB, "Mb") == 0 && strcmp(PALITRA_TEST_JOBS_UNIT_MB_, "MB") == 0);
    CHECK(PALITRA_TEST_JOBS_RECORD_ERROR_MB == 2 && PALITRA_TEST_JOBS_RECORD_ERROR_MB_ == 3);
    CHECK(palitra_test_jobs_typed_record_submit_(runner, PALITRA_FOREVER, &reply) == PALITRA_OK);
    CHECK(is(&reply, "7"));
    palitra_reply_free(&reply);
    return palitra_shutdown_global_runner(0) == PALITRA_OK ? 0 : 1;
}
