/* Jobs that are cancelled while they are queued count until they have been dropped, so their memory is bounded.
 *
 * Promise 11: bad input and limits return a status.
 */
#include "memory.h"
#include "scheduling.h"

static void cancelled_jobs_that_are_queued_count(void) {
    palitra_runner runner = runner_with((palitra_runner_options){.max_in_flight = 3});
    palitra_token stuck = hold(runner, "{\"seconds\":2}");
    CHECK_STATUS(PALITRA_OK, submit_and_cancel(runner));
    CHECK_STATUS(PALITRA_OK, submit_and_cancel(runner));
    CHECK_STATUS(PALITRA_BUSY, submit_and_cancel(runner));
    long before = memory_now();
    for (int i = 0; i < 500000; i++) submit_and_cancel(runner);
    CHECK(memory_now() - before < 16L << 20);
    CHECK_STATUS(PALITRA_OK, wait_and_free(runner, stuck));
    for (int i = 0; i < 3; i++) /* all places are back */
        EVENTUALLY(palitra_runner_submit(runner, "test.never", "", 0, NULL, NULL) == PALITRA_OK);
    CHECK_STATUS(PALITRA_BUSY, submit_and_cancel(runner));
    palitra_runner_free(runner);
}

int main(void) {
    TEST(cancelled_jobs_that_are_queued_count);
    return 0;
}
