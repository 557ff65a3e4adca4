/* A forked child reads the descriptions of jobs, whatever its parent does with a runner.
 *
 * Promise 9: a fork harms neither parent nor child.
 */
#include "test.h"

static void describe(void *argument) {
    palitra_reply reply;
    (void)argument;
    CHECK_STATUS(PALITRA_OK, palitra_job_describe("palitra.sleep", &reply));
    CHECK(strstr((const char *)reply.data, "\"name\":\"palitra.sleep\"") != NULL);
    palitra_reply_free(&reply);
}

static void a_child_describes_as_its_parent_does(void) {
    palitra_runner runner;
    CHECK_STATUS(PALITRA_OK, palitra_runner_global(&runner));
    CHECK_EXIT(0, in_child(describe, NULL));
    CHECK_STATUS(PALITRA_OK, palitra_shutdown_global_runner(0));
    describe(NULL);
}

int main(void) {
    TEST(a_child_describes_as_its_parent_does);
    return 0;
}
