/* A system that refuses the thread on which a name would be looked up: the request fails with a code, nothing panics
 * and nothing is printed; the same for the other work that HTTP jobs give to threads.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "refused.h"

static void a_lookup_without_a_thread_is_a_failure_to_connect(void) {
    palitra_runner runner = runner_with((palitra_runner_options){0});
    /* First on the host's thread, then on the runner's. */
    for (int64_t timeout = PALITRA_FOREVER; timeout <= SECONDS(20); timeout += SECONDS(20) + 1) {
        palitra_reply reply;
        allowed = 0;
        palitra_status status = run(runner, "http.get", "{\"url\":\"http://localhost:1/\"}", timeout, &reply);
        allowed = INT_MAX;
        CHECK_STATUS(PALITRA_JOB_FAILED, status);
        CHECK_NUMBER(2, reply.code);
        CHECK_REPLY_CONTAINS("no thread to look the name up on", reply);
        palitra_reply_free(&reply);
    }
    CHECK(refused > 0);
    CHECK_NUMBER(0, made_open); /* no thread was made that could run a handler */
    palitra_runner_free(runner);
}

static void with_a_thread_the_name_is_looked_up(void) {
    palitra_runner runner = runner_with((palitra_runner_options){0});
    palitra_reply reply;
    CHECK_STATUS(PALITRA_JOB_FAILED, run(runner, "http.get", "{\"url\":\"http://localhost:1/\"}", SECONDS(20), &reply));
    CHECK_NUMBER(2, reply.code);
    CHECK_REPLY_CONTAINS("refused", reply);
    palitra_reply_free(&reply);
    palitra_runner_free(runner);
}

int main(void) {
    TEST(a_lookup_without_a_thread_is_a_failure_to_connect);
    TEST(with_a_thread_the_name_is_looked_up);
    return 0;
}
